"""The domain: users, follows, posts, tokens and stores. Knows nothing of HTTP or JSON."""
