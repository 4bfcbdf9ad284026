"""Mail: composing the messages of the outbox, and sending them."""
