"""A peer in Django REST framework: the measured requests, on the database of the service."""
