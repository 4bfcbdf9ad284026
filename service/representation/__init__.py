"""How a thing is said: formats know no resource, resources know no format."""
