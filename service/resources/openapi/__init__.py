"""The OpenAPI 3.1 document, generated from routes, operations, Actions and sample responses."""
