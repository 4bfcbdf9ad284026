"""Cursors: the keys of entries, as text that is opaque to clients."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

import orjson

from service.database.ids import MAX_ID
from service.database.pagination import LAST_PAGE, Key, LastPage
from service.domain.text import has_control_characters
from service.representation.json_schema import Schema
from service.representation.parameter_values import InvalidParameter

CURSORS = AFTER, BEFORE = ('page[after]', 'page[before]')
CURSOR: Schema = {'type': 'string', 'description': 'The cursor in a link of the collection.'}


def write_cursor(key: Key | LastPage) -> str:
    """Return the cursor of a key."""
    return urlsafe_b64encode(orjson.dumps(None if isinstance(key, LastPage) else key)).decode().rstrip('=')


def read_cursor(parameter: str, text: str) -> Key | LastPage:
    """Return the key of a cursor; raises InvalidParameter if the text is not a cursor."""
    try:
        key = orjson.loads(urlsafe_b64decode(text.encode('ascii') + b'=' * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        key = False
    if key is None:
        return LAST_PAGE
    value, tie = key if isinstance(key, list) and len(key) == 2 else (key, MAX_ID)
    is_value = (type(value) is int and 0 <= value <= MAX_ID) or (
        type(value) is str and not has_control_characters(value)
    )
    is_key = is_value and type(tie) is int and 0 < tie <= MAX_ID and key != 0
    if not is_key:
        raise InvalidParameter(parameter, 'is not a valid cursor')
    return tuple(key) if isinstance(key, list) else key
