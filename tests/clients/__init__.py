"""Third-party clients, a real browser and nginx; clients know only the URL of the entry point."""
