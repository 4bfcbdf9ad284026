"""The renderers: pure functions, which need no server and no database."""
