"""Generic clients that nobody here wrote, and a real browser: each does the whole journey from /api only."""
