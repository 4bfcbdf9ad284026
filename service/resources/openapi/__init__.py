"""The description of the API (OpenAPI 3.1), made of its routes, its Actions and its documents themselves."""
