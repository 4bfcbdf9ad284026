"""Strict parsing of JSON (RFC 8259, RFC 7493) and of urlencoded forms."""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import parse_qsl

MAX_DEPTH = 32
_SURROGATE = re.compile('[\ud800-\udfff]')


class MalformedBody(ValueError):
    """A body that cannot be parsed; the text says why, `pointer` is a JSON Pointer to the error."""

    def __init__(self, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.pointer = pointer


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object: in UTF-8, no duplicate names, no NaN or Infinity, at most 32 levels deep.

    Names have no lone surrogates (RFC 7493 §2.1); numbers with a fraction or an exponent are Decimals.
    Raises MalformedBody with the position.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody(f'The body is not UTF-8, at byte {error.start}.') from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(' at')
        raise MalformedBody(
            f'The body is not JSON: {reason}, at line {error.lineno}, column {error.colno}.'
        ) from None
    except RecursionError:
        raise MalformedBody(f'The body is nested more than {MAX_DEPTH} levels deep.') from None
    except (ArithmeticError, ValueError) as error:
        raise MalformedBody(
            str(error) if isinstance(error, MalformedBody) else 'A number is too large.'
        ) from None
    if not isinstance(value, dict):
        raise MalformedBody('The body must be a JSON object.')
    _check_depth(value)
    return value


def parse_form(body: bytes) -> dict[str, Any]:
    """Return the fields of a form, with CRLF replaced by newlines; raises MalformedBody."""
    return _object([(name, value.replace('\r\n', '\n')) for name, value in parse_pairs(body)])


def parse_pairs(body: bytes) -> list[tuple[str, str]]:
    """Return the names and values of an urlencoded form (WHATWG URL §5.1); raises MalformedBody."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors='strict', max_num_fields=100)
    except ValueError:
        raise MalformedBody('The body is not a form of at most 100 fields, URL-encoded in UTF-8.') from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise MalformedBody(f'The name {json.dumps(name[:80])} must not be repeated in one object.')
        if not name.isascii() and _SURROGATE.search(name):  # such a name cannot be encoded in a response
            raise MalformedBody(f'The name {json.dumps(name[:80])} must not contain a lone surrogate.')
        members[name] = value
    return members


def _constant(name: str) -> NoReturn:
    raise MalformedBody(f'{name} is not a JSON value.')


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=Decimal, strict=True
)


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        inner: list[Any] = []
        for container in level:
            members = container.values() if isinstance(container, dict) else container
            inner += [member for member in members if isinstance(member, (dict, list))]
        level = inner
    raise MalformedBody(f'The body is nested more than {MAX_DEPTH} levels deep.')
