"""Tests that run on every engine, and during outages."""
