"""Benchmarks: `python -m tests.bench`, `python -m tests.bench growth`, `python -m tests.bench balance`."""
