"""Fault tests: real servers under load while programs are killed; no acknowledged write is lost."""
