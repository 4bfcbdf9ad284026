"""Components: schemas, responses and the like, described once and referenced by name."""

from typing import Any


def reference(section: str, name: str) -> dict[str, str]:
    """Return the Reference Object of a component (OpenAPI 3.1 §4.8.23)."""
    return {'$ref': f'#/components/{section}/{name}'}


class Components:
    """The components of an OpenAPI document, collected while its operations are described."""

    def __init__(self) -> None:
        self.sections: dict[str, dict[str, Any]] = {}
        self._examples: dict[str, Any] = {}

    def refer(self, section: str, name: str, component: Any) -> dict[str, str]:
        """Return a reference to a component; raises ValueError if another one has its name."""
        if self.sections.setdefault(section, {}).setdefault(name, component) != component:
            raise ValueError(f'two components in {section} have the name {name}')
        return reference(section, name)

    def set_example(self, schema: dict[str, str], value: Any) -> None:
        """Set the example of a referenced schema, replacing an earlier one.

        All bodies with the schema have this example, in every media type and response.
        """
        self._examples[schema['$ref'].rpartition('/')[2]] = value

    def described(self) -> dict[str, dict[str, Any]]:
        """Return all components by section, the schemas with their examples."""
        schemas = {
            name: schema | ({'examples': [self._examples[name]]} if name in self._examples else {})
            for name, schema in self.sections['schemas'].items()
        }
        return self.sections | {'schemas': schemas}
