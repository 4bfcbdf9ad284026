"""Third-party generic clients and a real browser, each starting from /api only."""
