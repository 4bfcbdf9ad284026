"""Fault tests: real servers lose no acknowledged write while programs are killed under load."""
