"""Filling in HAL-FORMS templates: within the rules that they state, and one rule beyond."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

MISFITS = ('a\x01b', '<!>', '-', 'x')  # values that most expressions do not match
FORM = 'application/x-www-form-urlencoded'
_BY_TYPE = {
    'email': 'conform-{}@example.org',
    'url': 'https://example.org/{}',
    'tel': '+15550100',
    'password': 'Conform-{}-9',
    'date': '2030-01-02',
    'month': '2030-01',
    'week': '2030-W01',
    'time': '10:11',
    'datetime-local': '2030-01-02T10:11',
    'color': '#336699',
}


@dataclass(frozen=True)
class Filled:
    """A form's values, and the content that they are sent as."""

    values: dict[str, Any]
    content_type: str

    @property
    def encoded(self) -> str:
        """The values form-encoded."""
        return urlencode(self.values)

    @property
    def body(self) -> bytes:
        return self.encoded.encode() if self.content_type == FORM else json.dumps(self.values).encode()

    def replace(self, name: str, value: Any) -> Filled:
        """Return the form with another value; None leaves the field out."""
        others = {key: old for key, old in self.values.items() if key != name}
        return Filled(others if value is None else others | {name: value}, self.content_type)


def fill(template: dict[str, Any], *, is_query: bool = False) -> Filled:
    """Fill in a template: each field with its value, else with a new one that keeps what the form states."""
    content_type = FORM if is_query else str(template.get('contentType') or 'application/json')
    values = {}
    for field in template.get('properties') or []:
        if isinstance(field, dict) and field.get('name') and not field.get('readOnly'):
            if field.get('value') not in (None, ''):
                values[field['name']] = field['value']
            elif field.get('required') or not is_query:
                values[field['name']] = value_for(field)
    return Filled(values, content_type)


def value_for(field: dict[str, Any]) -> Any:
    """Return a new value for a field that keeps its rules."""
    choice = field.get('options')
    if isinstance(choice, dict) and choice.get('inline'):
        first = choice['inline'][0]
        return first.get(choice.get('valueField', 'value')) if isinstance(first, dict) else first
    kind = field.get('type', 'text')
    if kind in ('number', 'range'):
        return str(field.get('min', field.get('max', 1)))
    if kind == 'checkbox':
        return 'true'
    text = _BY_TYPE.get(kind, 'conform{}').format(secrets.token_hex(4))
    shortest, longest = field.get('minLength', 0), field.get('maxLength', 1000)
    text = text.ljust(shortest, 'x') if isinstance(shortest, int) else text
    return text[:longest] if isinstance(longest, int) else text


def beyond(template: dict[str, Any], filled: Filled) -> Iterator[tuple[str, str, Filled]]:
    """Yield the form filled in wrongly: the name of the field, the rule that it breaks, and the form."""
    for field in template.get('properties') or []:
        if not isinstance(field, dict) or field.get('name') not in filled.values:
            continue
        name = field['name']
        if field.get('required'):
            yield name, 'required', filled.replace(name, None)
        if isinstance(field.get('maxLength'), int):
            yield name, 'maxLength', filled.replace(name, 'a' * (field['maxLength'] + 1))
        if isinstance(field.get('minLength'), int) and field['minLength'] > 1:
            yield name, 'minLength', filled.replace(name, 'a' * (field['minLength'] - 1))
        if isinstance(field.get('max'), int | float):
            yield name, 'max', filled.replace(name, str(field['max'] + 1))
        if isinstance(field.get('min'), int | float):
            yield name, 'min', filled.replace(name, str(field['min'] - 1))
        misfit = next((one for one in MISFITS if not matches(str(field.get('regex') or ''), one)), None)
        if isinstance(field.get('regex'), str) and misfit is not None:
            yield name, 'regex', filled.replace(name, misfit)
        if isinstance(field.get('options'), dict) and field['options'].get('inline'):
            yield name, 'options', filled.replace(name, 'no such option')


def matches(regex: str, value: str) -> bool:
    """Return whether the value matches; True for an expression that Python cannot read."""
    try:
        return re.fullmatch(regex, value) is not None
    except re.error:
        return True
