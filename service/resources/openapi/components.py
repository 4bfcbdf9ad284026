"""What operations share: schemas and examples, each said once and referred to by name."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from service.representation.json_schema import schema_of_samples

_KEY = re.compile(r'[^A-Za-z0-9._-]+')


class Components:
    """The shared parts of a description, collected while its operations are written."""

    def __init__(self) -> None:
        self.sections: dict[str, dict[str, Any]] = {'schemas': {}, 'examples': {}}

    def refer(self, section: str, name: str, value: Any) -> dict[str, str]:
        """Return a reference to what is shared; equal ones are one."""
        section_of = self.sections[section]
        known = next((known for known, other in section_of.items() if other == value), name)
        if section_of.setdefault(known, value) != value:
            raise ValueError(f'there are two {section} called {name}')
        return {'$ref': f'#/components/{section}/{known}'}

    def content(self, name: str, shown: Mapping[str, Any], sparse: Collection[str] = ()) -> dict[str, Any]:
        """Return the Media Type Object of JSON values: the schema made of all of them, and each of them.

        Members with the names in `sparse` may be left out.
        """
        schema = schema_of_samples(list(shown.values()), sparse=sparse)
        return {
            'schema': self.refer('schemas', name, schema),
            'examples': {
                as_key(label): self.refer('examples', f'{name}.{as_key(label)}', {'value': value})
                for label, value in shown.items()
            },
        }


def as_key(name: str) -> str:
    """Return the name as components may be called (OpenAPI 3.1 §4.8.7)."""
    return _KEY.sub('.', name)


def short(media_type: str) -> str:
    """Return what a media type is called in the names of components."""
    return media_type.rpartition('/')[2].removesuffix('+json').removeprefix('prs.').removeprefix('vnd.')
