"""What the operator does by `python -m service`."""
