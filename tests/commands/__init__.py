"""Tests of `python -m service`."""
