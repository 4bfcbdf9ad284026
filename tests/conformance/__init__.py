"""Tools that nobody here wrote, against a server that runs."""
