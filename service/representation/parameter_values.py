"""Values of query parameters: numbers, texts and ids, with the schemas of what is valid."""

from collections.abc import Mapping
from typing import Any

from service.database.ids import MAX_ID, is_id
from service.domain.text import has_control_characters, normalize
from service.representation.action import TEXT
from service.representation.json_schema import Schema

MAX_PER_PAGE = 100
MAX_FILTER_LENGTH = 64  # like the longest names; longer filters would make links too long for proxies
ID_FILTER = 'filter[id]'
NUMBER: Schema = {'type': 'integer', 'minimum': 1}
SEARCHED: Schema = {'type': 'string', 'maxLength': MAX_FILTER_LENGTH, 'pattern': TEXT}
_ID = '(?:[1-9][0-9]{0,14}|[1-8][0-9]{15}|900[0-6][0-9]{12})'  # nearly up to the maximum, 2^53 - 1
ID: Schema = {'type': 'string', 'pattern': f'^{_ID}$'}
IDS: Schema = {'type': 'string', 'pattern': f'^(?:{_ID}(?:,{_ID}){{0,99}})?$'}


class InvalidParameter(ValueError):
    """A query parameter is not supported, or its value is invalid; the text says why.

    `pagination_error` is the name of the error in the Cursor Pagination profile, if it has one.
    `max_page_size` is the largest page size if the requested one is larger.
    """

    def __init__(
        self,
        parameter: str,
        reason: str,
        pagination_error: str | None = None,
        *,
        max_page_size: int | None = None,
    ) -> None:
        super().__init__(f'{parameter} {reason}.')
        self.parameter = parameter
        self.pagination_error = pagination_error
        self.max_page_size = max_page_size


def single(parameters: Mapping[str, Any], name: str) -> str:
    """Return the value of the parameter; raises InvalidParameter if it is repeated."""
    value = parameters[name]
    if not isinstance(value, str):
        raise InvalidParameter(name, 'must not be repeated')
    return value


def read_text(name: str, value: str) -> str:
    """Return the value normalized; raises InvalidParameter if it is too long or has control characters."""
    if has_control_characters(value):
        raise InvalidParameter(name, 'must not contain control characters')
    if len(value) > MAX_FILTER_LENGTH:
        raise InvalidParameter(name, f'must have at most {MAX_FILTER_LENGTH} characters')
    return normalize(value)


def read_number(params: Mapping[str, str], name: str, default: int, sent: Mapping[str, str]) -> int:
    """Return the value of a parameter as a number, at most MAX_ID; raises InvalidParameter."""
    digits = params.get(name)
    if digits is None:
        return default
    significant = digits.lstrip('0')
    if not (digits.isascii() and digits.isdigit() and significant):
        raise InvalidParameter(sent[name], 'must be a positive integer')
    return min(int(significant[:17]), MAX_ID)  # MAX_ID has 16 digits


def read_id(name: str, value: str) -> int:
    """Return the id in a filter by a related resource; raises InvalidParameter."""
    if not is_id(value):
        raise InvalidParameter(f'filter[{name}]', 'must be one id')
    return int(value)


def read_ids(value: str) -> tuple[int, ...]:
    """Return the distinct ids of a list; raises InvalidParameter for an invalid id, and for too many."""
    ids = value.split(',') if value else []
    for text in ids:
        if not is_id(text):
            raise InvalidParameter(ID_FILTER, f'contains {text[:80]!r}, which is not an id')
    if len(ids) > MAX_PER_PAGE:
        raise InvalidParameter(ID_FILTER, f'must have at most {MAX_PER_PAGE} ids')
    return tuple(dict.fromkeys(map(int, ids)))
