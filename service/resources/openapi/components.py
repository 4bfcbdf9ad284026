"""Components: schemas, examples and the like, described once and referenced by name."""

from typing import Any


def reference(section: str, name: str) -> dict[str, str]:
    """Return the Reference Object of a component (OpenAPI 3.1 §4.8.23)."""
    return {'$ref': f'#/components/{section}/{name}'}


class Components:
    """The components of an OpenAPI document, collected while its operations are described."""

    def __init__(self) -> None:
        self.sections: dict[str, dict[str, Any]] = {}

    def refer(self, section: str, name: str, component: Any) -> dict[str, str]:
        """Return a reference to a component; raises ValueError if another one has its name."""
        if self.sections.setdefault(section, {}).setdefault(name, component) != component:
            raise ValueError(f'two components in {section} have the name {name}')
        return reference(section, name)
