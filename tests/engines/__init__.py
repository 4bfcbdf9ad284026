"""What holds on every engine alike, and when one is away."""
