"""How it is said, without a database."""
