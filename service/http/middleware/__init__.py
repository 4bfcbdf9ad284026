"""Middleware, one concern a file; app.py draws their order."""
