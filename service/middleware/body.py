"""Reading what a client submits: its media type, its size, its syntax, then its values."""

from collections.abc import Callable
from typing import Any, TypeVar

import falcon

from service.middleware.methods import READ, READ_ON_PATCH
from service.middleware.request import Request
from service.representation.action import Action
from service.representation.media_types import FORM, parse_media_type
from service.representation.reading import Malformed, read_form, read_json

Thing = TypeVar('Thing')

MAX_BYTES = 64 * 1024


def submit(req: Request, action: Action, given: Callable[[Thing], None], thing: Thing) -> dict[str, str]:
    """Return the clean values of a submitted form for a thing, checked in the order of RFC 9110 §13.2.1.

    First the type and the syntax of the body, then the precondition, then the values. Raises
    HTTPUnsupportedMediaType, HTTPContentTooLarge, Malformed, what `given` raises, and Invalid.
    """
    body = read_body(req)
    given(thing)
    return action.read(body)


def read_body(req: Request) -> dict[str, Any]:
    """Return the members of the body; none where there is no body, whatever Content-Type says.

    Raises HTTPUnsupportedMediaType, HTTPContentTooLarge and Malformed.
    """
    length = req.content_length
    if length == 0 or (length is None and 'HTTP_TRANSFER_ENCODING' not in req.env):
        return {}
    data = b'' if length and length > MAX_BYTES else _read(req, length or MAX_BYTES + 1)
    if length is None and not data:
        return {}
    read = _reader(req)
    if len(data) > MAX_BYTES or (length and length > MAX_BYTES):
        raise falcon.HTTPContentTooLarge(description=f'A body may have at most {MAX_BYTES} bytes.')
    if length and len(data) < length:
        raise Malformed(f'The body ends after {len(data)} of {length} bytes.')
    return read(data)


def _read(req: Request, size: int) -> bytes:
    # A chunked body ends where the stream does; one with a length is not read past it (PEP 3333).
    try:
        data: bytes = req.stream.read(size)
    except Exception as wrong:  # what it raises for a chunk that is none, every server has its own
        raise Malformed('The body breaks off, or its chunks are wrong.') from wrong
    return data


def _reader(req: Request) -> Callable[[bytes], dict[str, Any]]:
    """Return what reads a body of the request's Content-Type, or raise HTTPUnsupportedMediaType."""
    readable = READ_ON_PATCH if req.method == 'PATCH' else READ
    coding = req.env.get('HTTP_CONTENT_ENCODING', 'identity')
    if coding.strip().lower() != 'identity':
        raise falcon.HTTPUnsupportedMediaType(
            description=f'The content coding {coding!r} is not read here.',
            headers={'Accept-Encoding': 'identity'},
        )
    content_type = req.env.get('CONTENT_TYPE') or ''
    media_type = parse_media_type(content_type)
    charset = dict(media_type.parameters).get('charset', 'utf-8') if media_type else ''
    if media_type is None or media_type.name not in readable or charset.lower() not in ('utf-8', 'utf8'):
        said = f'{content_type!r} is' if content_type else 'A body without Content-Type is'
        raise falcon.HTTPUnsupportedMediaType(
            description=f'{said} not read here, but {", ".join(readable)} in UTF-8.',
            headers={'Accept': ', '.join(readable)}
            | ({'Accept-Patch': ', '.join(readable)} if req.method == 'PATCH' else {}),
        )
    return read_form if media_type.name == FORM else read_json
