"""Real servers under load while parts of them fail: what was acknowledged is there, once."""
