"""The domain: users, follows, posts, tokens and stores. It does not depend on HTTP or JSON."""
