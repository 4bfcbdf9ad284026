"""Filling in HAL-FORMS templates: with valid values, and with one invalid value."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from service.conformance.exchange import entries, members

MISFITS = ('a\x01b', '<!>', '-', 'x')  # values that do not match most regular expressions
FORM = 'application/x-www-form-urlencoded'
_NUMBERS = ('min', 'max', 'minLength', 'maxLength')
_MEMBER_TYPES: dict[str, Any] = {
    'name': str,
    'value': str,
    'type': str,
    'regex': str,
    'options': dict,
    'min': int | float,
    'max': int | float,
    'minLength': int,
    'maxLength': int,
}
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
    """The values of a form, and the media type in which they are sent."""

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


def fields_of(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields that have a name, without members of a wrong type."""
    for _, field in entries(template.get('properties')):
        valid = {
            name: value
            for name, value in members(field)
            if isinstance(value, _MEMBER_TYPES.get(name, object)) and not (name in _NUMBERS and value is True)
        }
        if valid.get('name'):
            yield valid


def fill(template: dict[str, Any], *, is_query: bool = False) -> Filled:
    """Fill in a template: each field with its value, or with a new one that satisfies its rules."""
    content_type = FORM if is_query else str(template.get('contentType') or 'application/json')
    values = {}
    for field in fields_of(template):
        if not field.get('readOnly'):
            if field.get('value') not in (None, ''):
                values[field['name']] = field['value']
            elif field.get('required') or not is_query:
                values[field['name']] = value_for(field)
    return Filled(values, content_type)


def value_for(field: dict[str, Any]) -> Any:
    """Return a new value for a field that satisfies its rules."""
    choice = field.get('options')
    if choice is not None and isinstance(choice.get('inline'), list) and choice['inline']:
        first = choice['inline'][0]
        return first.get(str(choice.get('valueField', 'value'))) if isinstance(first, dict) else first
    kind = field.get('type', 'text')
    if kind in ('number', 'range'):
        return str(field.get('min', field.get('max', 1)))
    if kind == 'checkbox':
        return 'true'
    text = _BY_TYPE.get(kind, 'conform{}').format(secrets.token_hex(4))
    shortest, longest = field.get('minLength', 0), field.get('maxLength', 1000)
    return text.ljust(shortest, 'x')[:longest]


def beyond(template: dict[str, Any], filled: Filled) -> Iterator[tuple[str, str, Filled]]:
    """Yield forms with an invalid value: the name of the field, the rule that it violates, and the form."""
    for field in fields_of(template):
        if field['name'] not in filled.values:
            continue
        name = field['name']
        if field.get('required'):
            yield name, 'required', filled.replace(name, None)
        if 'maxLength' in field:
            yield name, 'maxLength', filled.replace(name, 'a' * (field['maxLength'] + 1))
        if field.get('minLength', 0) > 1:
            yield name, 'minLength', filled.replace(name, 'a' * (field['minLength'] - 1))
        if 'max' in field:
            yield name, 'max', filled.replace(name, str(field['max'] + 1))
        if 'min' in field:
            yield name, 'min', filled.replace(name, str(field['min'] - 1))
        misfit = next((value for value in MISFITS if not matches(field.get('regex', ''), value)), None)
        if field.get('regex') and misfit is not None:
            yield name, 'regex', filled.replace(name, misfit)
        if field.get('options', {}).get('inline'):
            yield name, 'options', filled.replace(name, 'no such option')


def matches(regex: str, value: str) -> bool:
    """Return whether the value matches; True for an expression that Python cannot parse."""
    try:
        return re.fullmatch(regex, value) is not None
    except re.error:
        return True
