"""HAL-FORMS: finding the templates of a document and their properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from service.conformance.exchange import HAL_FORMS, Exchange, entries, found_once, members, pointer
from service.conformance.hal import resources
from service.conformance.rules import Standard

SPECIFICATION = Standard('HAL-FORMS', 'https://rwcbook.github.io/hal-forms/')


class Template(NamedTuple):
    """An entry of `_templates`, of any type, with its key and its JSON Pointer."""

    where: str
    key: str
    value: Any

    @property
    def method(self) -> str:
        """The method in upper case; GET if it is missing, as the specification says."""
        return str(self.value.get('method') or 'GET').upper()


class Property(NamedTuple):
    """An entry of a template's properties, of any type."""

    where: str
    template: Template
    value: Any


class Options(NamedTuple):
    """The `options` of a property that are an object."""

    where: str
    field: Property
    value: dict[str, Any]


def is_hal_forms(exchange: Exchange) -> bool:
    """Return whether the response is a HAL-FORMS document."""
    response = exchange.response
    return response.media_type == HAL_FORMS and response.is_whole


@found_once
def all_templates(exchange: Exchange) -> Iterator[Template]:
    """Yield every entry of `_templates`, embedded ones too."""
    for where, resource in resources(exchange):
        for key, value in members(resource.get('_templates')):
            yield Template(where + pointer('_templates', key), key, value)


@found_once
def templates(exchange: Exchange) -> Iterator[Template]:
    """Yield the templates that are objects."""
    return (template for template in all_templates(exchange) if isinstance(template.value, dict))


@found_once
def all_properties(exchange: Exchange) -> Iterator[Property]:
    """Yield every property of the templates."""
    for template in templates(exchange):
        for number, value in entries(template.value.get('properties')):
            yield Property(template.where + pointer('properties', number), template, value)


@found_once
def properties(exchange: Exchange) -> Iterator[Property]:
    """Yield the properties that are objects."""
    return (field for field in all_properties(exchange) if isinstance(field.value, dict))


def options(exchange: Exchange) -> Iterator[Options]:
    """Yield the options of all properties."""
    for field in properties(exchange):
        if isinstance(field.value.get('options'), dict):
            yield Options(field.where + '/options', field, field.value['options'])
