"""A conformance kit for HTTP servers of HAL, HAL-FORMS and JSON:API. It imports nothing else of the service."""
