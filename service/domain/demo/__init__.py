"""Deterministic demo data, and its vocabulary."""
