"""One module per resource: its representation, actions, falcon classes and routes."""
