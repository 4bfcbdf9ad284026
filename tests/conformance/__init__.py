"""Third-party conformance tools against a running server."""
