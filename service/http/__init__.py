"""HTTP: the processing that is common to all requests and responses."""
