"""What is true: people, follow relations, posts and tokens. No HTTP, no JSON."""
