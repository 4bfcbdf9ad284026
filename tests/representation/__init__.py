"""The renderers as pure functions: no HTTP, no database, golden documents beside them."""
