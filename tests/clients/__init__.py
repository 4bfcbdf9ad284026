"""Clients that nobody here wrote, against a real server."""
