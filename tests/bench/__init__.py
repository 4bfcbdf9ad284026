"""Benchmarks: `python -m tests.bench`, optionally with `peers`, `growth` or `balance`."""
