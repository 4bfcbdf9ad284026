"""Load and growth, measured by hand: `python -m tests.bench`, `python -m tests.bench growth`, `… balance`."""
