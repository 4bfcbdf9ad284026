"""HTTP: what every request and every response passes through."""
