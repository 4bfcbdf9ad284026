"""Checks that many rules share: of the status, of a field, of values in a document and of their members."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from service.conformance.exchange import Exchange, members, pointer
from service.conformance.rules import Check, Fault

IsValid = Callable[[Any], object]


class Found(Protocol):
    """A part of a document as checks need it: Located, or a link, template or property of a format."""

    @property
    def where(self) -> str: ...

    @property
    def value(self) -> Any: ...


Find = Callable[[Exchange], Iterable[Found]]


def is_a(kind: type) -> IsValid:
    """Return a predicate: true if a value has the type."""
    return lambda value: isinstance(value, kind)


def requires_status(*statuses: int, message: str = '') -> Check:
    """Return a check that the response has one of the statuses, the first of which is the usual one."""

    def check(exchange: Exchange) -> Iterator[Fault]:
        if exchange.response.status not in statuses:
            yield Fault('status', message or f'should be {statuses[0]}')

    return check


def requires_same_status(message: str = '') -> Check:
    """Return a check that the response has the status of the response to the request it is derived from."""

    def check(exchange: Exchange) -> Iterator[Fault]:
        expected = exchange.source.response.status
        if exchange.response.status != expected:
            yield Fault('status', message or f'should be {expected}')

    return check


def requires_field(name: str) -> Check:
    """Return a check that the response has the field."""

    def check(exchange: Exchange) -> Iterator[Fault]:
        if not exchange.response.values(name):
            yield Fault(f'{name}:', 'is missing')

    return check


def requires_valid_field(name: str, is_valid: IsValid, message: str = 'is malformed') -> Check:
    """Return a check that the value of a field is valid."""

    def check(exchange: Exchange) -> Iterator[Fault]:
        if not is_valid(exchange.response.header(name)):
            yield Fault(f'{name}:', message)

    return check


def requires_valid(find: Find, is_valid: IsValid, message: str) -> Check:
    """Return a check that each of the values that `find` yields is valid."""

    def check(exchange: Exchange) -> Iterator[Fault]:
        for found in find(exchange):
            if not is_valid(found.value):
                yield Fault(found.where, message)

    return check


def requires_valid_members(find: Find, is_valid: IsValid, message: str, *names: str) -> Check:
    """Return a check that the members with these names are valid, if they are in the values of `find`."""

    def check(exchange: Exchange) -> Iterator[Fault]:
        for found in find(exchange):
            for name, value in members(found.value):
                if name in names and not is_valid(value):
                    yield Fault(found.where + pointer(name), message)

    return check
