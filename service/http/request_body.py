"""Request bodies: reading and validating their media type, size, syntax and values."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import falcon

from service.database.ids import is_id
from service.domain.errors import NotFound
from service.domain.viewer import require_write_scope
from service.http.conditional import target_precondition
from service.http.invalid_header import InvalidHeader
from service.http.relationships import check_relationships
from service.http.request import Request
from service.representation.json_api_input import read_linkage, read_resource
from service.representation.media_types import (
    FORM,
    HAL,
    HAL_FORMS,
    JSON,
    JSON_API,
    MERGE_PATCH,
    MediaType,
    parse_media_type,
)
from service.representation.parameter_values import InvalidParameter
from service.representation.strict_input import MalformedBody, parse_form, parse_json, parse_pairs

# The header fields of a 415 response that list the supported media types, by method (RFC 9110 §15.5.16).
_FIELDS = {'PATCH': ('Accept', 'Accept-Patch'), 'QUERY': ('Accept', 'Accept-Query')}
MAX_BODY_BYTES = 64 * 1024
MAX_QUERY_LENGTH = 8000  # of the query in the equivalent URL, which header fields of the response repeat
ACCEPTED_TYPES = (JSON, HAL, HAL_FORMS, JSON_API, FORM)
ACCEPTED_QUERY_TYPES = (FORM, JSON)
ACCEPTED_PATCH_TYPES = (MERGE_PATCH, *ACCEPTED_TYPES)


def read_form(req: Request, check_precondition: Callable[[], object] | None = None) -> dict[str, Any]:
    """Return the validated values of the operation's form.

    First the type and the syntax of the body are checked, then the precondition, by default that of the
    target, then the values (RFC 9110 §13.2.1). Raises what `read_body` and `check_precondition` raise,
    and Invalid.
    """
    assert req.operation.form is not None
    check_write_scope(req)
    body = read_body(req)
    (check_precondition or target_precondition(req))()
    return req.operation.form.read(body)


def check_write_scope(req: Request) -> None:
    """Raise InsufficientScope if the operation needs the scope `write` and the token does not have it."""
    can_only_read = req.viewer is not None and not req.viewer.can_write
    if can_only_read and req.operation.needs_write_scope(req.method):
        require_write_scope(req.viewer)


def read_body(req: Request) -> dict[str, Any]:
    """Return the members of the body; without a body there are none, whatever Content-Type says.

    Raises InvalidHeader, HTTPUnsupportedMediaType, HTTPContentTooLarge, MalformedBody, and for JSON:API
    ResourceMismatch, ClientGeneratedId, and what `check_relationships` raises.
    """
    readable = ACCEPTED_PATCH_TYPES if req.method == 'PATCH' else ACCEPTED_TYPES
    sent = _read(req, readable)
    if sent is None:
        return {}
    media_type, data = sent
    if media_type == FORM:
        return parse_form(data)
    body = parse_json(data)
    if media_type != JSON_API:
        return body
    req.json_api_body = body
    resource_id = None if req.method == 'POST' else req.resource_id
    resource = read_resource(body, req.operation.query.kind, resource_id)
    check_relationships(req, resource.relationships)
    return resource.attributes


def read_resource_identifiers(req: Request) -> list[int]:
    """Return the ids of the members that the body adds to a relationship, or removes from it.

    Raises HTTPUnsupportedMediaType, HTTPContentTooLarge, MalformedBody, ResourceMismatch, and NotFound for a
    string that is not an id. DELETE ignores such a string, because it cannot be a member.
    """
    check_write_scope(req)
    sent = _read(req, (JSON_API,))
    req.json_api_body = parse_json(sent[1]) if sent else {}
    ids = read_linkage(req.json_api_body, req.operation.query.kind)
    unknown = [text for text in ids if not is_id(text)]
    if unknown and req.method != 'DELETE':
        raise NotFound(
            f'No resource of type {req.operation.query.kind} has the id {unknown[0][:80]!r}.',
            member=unknown[0],
        )
    return [int(text) for text in ids if is_id(text)]


def read_parameters(req: Request) -> dict[str, str | list[str]]:
    """Return the query parameters of a QUERY, those of its target and those in its body (RFC 10008 §2).

    A repeated parameter has a list of values. Raises InvalidHeader without Content-Type,
    HTTPUnsupportedMediaType, HTTPContentTooLarge, MalformedBody, and InvalidParameter for a value that is
    neither a string nor an integer.
    """
    if not req.env.get('CONTENT_TYPE'):
        raise InvalidHeader('Content-Type', 'QUERY needs a Content-Type.')
    media_type = _sent_type(req, ACCEPTED_QUERY_TYPES)
    _, data = _read(req, ACCEPTED_QUERY_TYPES) or ('', b'')
    if media_type == JSON:
        pairs = [(name, _text_of(name, value)) for name, value in parse_json(data).items()]
    else:
        pairs = parse_pairs(data)
    parameters = dict(req.params)
    for name, value in pairs:
        earlier = parameters.get(name, [])
        values = [*([earlier] if isinstance(earlier, str) else earlier), value]
        parameters[name] = values if len(values) > 1 else value
    try:
        length = len(urlencode(parameters, doseq=True))
    except UnicodeEncodeError:
        raise MalformedBody('A parameter must not contain a lone surrogate.') from None
    if length > MAX_QUERY_LENGTH:
        raise falcon.HTTPContentTooLarge(
            description=f'The parameters may have at most {MAX_QUERY_LENGTH} characters, as in a URL.'
        )
    return parameters


def _text_of(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    raise InvalidParameter(name, 'must be a string or an integer')


def _read(req: Request, readable: Sequence[str]) -> tuple[str, bytes] | None:
    """Return the media type of the body, which is one of these, and its bytes; None without a body."""
    # The part would replace the whole resource (RFC 9110 §14.5).
    if req.method == 'PUT' and 'HTTP_CONTENT_RANGE' in req.env:
        raise InvalidHeader('Content-Range', 'Content-Range is not supported for PUT.')
    data = read_bytes(req)
    if data == b'':
        return None
    media_type = _sent_type(req, readable)
    if data is None:
        raise falcon.HTTPContentTooLarge(description=f'A body may have at most {MAX_BODY_BYTES} bytes.')
    return media_type, data


def read_bytes(req: Request) -> bytes | None:
    """Return the body, which can be read again, or None if it has more than MAX_BODY_BYTES.

    A chunked body ends with the stream; one with a Content-Length must not be read beyond it (PEP 3333).
    Raises MalformedBody if the body is incomplete.
    """
    length = req.content_length
    if length is None:
        length = MAX_BODY_BYTES + 1 if 'HTTP_TRANSFER_ENCODING' in req.env else 0
    elif length > MAX_BODY_BYTES:
        return None
    try:
        data: bytes = req.stream.read(length)
    except Exception as error:  # every server raises its own exceptions for invalid chunks
        raise MalformedBody('The body is incomplete, or its chunks are invalid.') from error
    if len(data) < (req.content_length or 0):  # other servers return what they received
        raise MalformedBody(f'The body ends after {len(data)} of {length} bytes.')
    req.stream = BytesIO(data)
    return data if len(data) <= MAX_BODY_BYTES else None


def _sent_type(req: Request, readable: Sequence[str]) -> str:
    """Return the media type of the body, or raise HTTPUnsupportedMediaType."""
    coding = req.env.get('HTTP_CONTENT_ENCODING', 'identity')
    if coding.strip().lower() != 'identity':
        raise falcon.HTTPUnsupportedMediaType(
            description=f'The content coding {coding!r} is not supported.',
            headers={'Accept-Encoding': 'identity'},
        )
    content_type = req.env.get('CONTENT_TYPE') or ''
    media_type = parse_media_type(content_type)
    if media_type is None or media_type.name not in readable or not _has_supported_parameters(media_type):
        problem = f'{content_type!r} is not supported' if content_type else 'The body has no Content-Type'
        raise falcon.HTTPUnsupportedMediaType(
            description=f'{problem}; supported, in UTF-8: {", ".join(readable)}.',
            headers=dict.fromkeys(_FIELDS.get(req.method, ('Accept',)), ', '.join(readable)),
        )
    return media_type.name


def _has_supported_parameters(media_type: MediaType) -> bool:
    """Return whether the parameters of the type are supported: JSON:API may have only profiles (§6.3)."""
    parameters = dict(media_type.parameters)
    if media_type.name == JSON_API:
        return set(parameters) <= {'profile'}
    return parameters.get('charset', 'utf-8').lower() in ('utf-8', 'utf8')
