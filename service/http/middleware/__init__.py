"""Middleware, one concern per file; app.py shows their order."""
