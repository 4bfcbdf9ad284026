"""Halcyon: a microblog served as hypermedia."""
