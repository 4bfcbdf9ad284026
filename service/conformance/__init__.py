"""A conformance kit for servers of HAL, HAL-FORMS and JSON:API; it imports nothing else of the service."""
