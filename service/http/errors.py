"""Error handling: maps every exception to a Problem, which the media handlers render."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import falcon
import peewee

from service import urls
from service.database.errors import Unavailable
from service.database.migrate import check_schema
from service.database.pagination import InvalidCursor
from service.domain.errors import (
    Forbidden,
    InsufficientScope,
    Invalid,
    KeyInUse,
    KeyReused,
    NotFound,
    Overloaded,
    RegistrationClosed,
    Stale,
    Suspended,
    Throttled,
    Unauthenticated,
)
from service.http.cache_control import NO_STORE
from service.http.credentials import INSUFFICIENT_SCOPE, www_authenticate
from service.http.invalid_header import InvalidHeader
from service.http.request import Request
from service.representation.cursors import AFTER, BEFORE
from service.representation.formats import choose_problem_format
from service.representation.json_api_input import ClientGeneratedId, RelationshipError, ResourceMismatch
from service.representation.media_types import HTML
from service.representation.parameter_values import InvalidParameter
from service.representation.problem import PROBLEMS, Problem
from service.representation.strict_input import MalformedBody

RETRY_SECONDS = '2'

log = logging.getLogger(__name__)

_NAME_OF_STATUS = {
    404: 'not-found',
    405: 'method-not-allowed',
    406: 'not-acceptable',
    413: 'too-large',
    415: 'unsupported-media-type',
    501: 'not-implemented',
}
_HEADER_OF_STATUS = {406: 'Accept', 415: 'Content-Type'}
_NAME_OF_REASON = {None: 'unauthenticated', 'token': 'invalid-token', 'password': 'wrong-credentials'}


def _unauthenticated(error: Unauthenticated, req: Request) -> dict[str, Any]:
    # Browsers open their own password dialog for a page that offers Basic.
    is_page = choose_problem_format(req.env.get('HTTP_ACCEPT'), req.body_content_type).media_type == HTML
    basic = req.uri_template == urls.TOKENS and req.method == 'POST' and not is_page
    return {
        'name': _NAME_OF_REASON[error.reason],
        'header': None if error.reason == 'password' else 'Authorization',  # the password may be in the body
        'headers': {'WWW-Authenticate': www_authenticate(error.reason, basic=basic)},
    }


def _throttled(error: Throttled, req: Request) -> dict[str, Any]:
    req.quotas = error.quotas  # for the RateLimit fields
    return {'name': 'too-many-tries', 'headers': {'Retry-After': str(error.retry_after)}}


def _unavailable(error: Overloaded | Unavailable, req: Request) -> dict[str, Any]:
    return {'name': 'unavailable', 'headers': {'Retry-After': RETRY_SECONDS}}


def _invalid_cursor(error: InvalidCursor, req: Request) -> dict[str, Any]:
    return {'name': 'invalid-parameter', 'parameter': AFTER if AFTER in req.params else BEFORE}


def _member_pointer(member: str | None, req: Request) -> str | None:
    """Return the JSON Pointer to the id of a member in the body, None if the body does not have it."""
    if member is None or not req.json_api_body:
        return None
    linkage = req.json_api_body['data']
    if not isinstance(linkage, list):  # the member is in the URL
        return None
    return next(f'/data/{index}/id' for index, identifier in enumerate(linkage) if identifier['id'] == member)


_PROBLEM_OF_ERROR: dict[type[Exception], Callable[[Any, Request], dict[str, Any]]] = {
    Invalid: lambda error, req: {
        'name': 'invalid-values',
        'errors': error.errors,
        'pointer': _member_pointer(error.member, req),
    },
    InvalidParameter: lambda error, req: {
        'name': 'invalid-parameter',
        'parameter': error.parameter,
        'pagination_error': error.pagination_error,
        'max_page_size': error.max_page_size,
    },
    InvalidHeader: lambda error, req: {'name': 'bad-request', 'header': error.name},
    InvalidCursor: _invalid_cursor,
    MalformedBody: lambda error, req: {'name': 'malformed-body', 'pointer': error.pointer},
    ClientGeneratedId: lambda error, req: {'name': 'own-id', 'pointer': error.pointer},
    ResourceMismatch: lambda error, req: {'name': 'wrong-resource', 'pointer': error.pointer},
    RelationshipError: lambda error, req: {
        'name': 'not-found' if error.names_unknown else 'forbidden',
        'pointer': error.pointer,
    },
    Unauthenticated: _unauthenticated,
    InsufficientScope: lambda error, req: {
        'name': 'insufficient-scope',
        'headers': {'WWW-Authenticate': INSUFFICIENT_SCOPE},
    },
    Suspended: lambda error, req: {'name': 'account-suspended'},
    RegistrationClosed: lambda error, req: {'name': 'registration-closed'},
    Forbidden: lambda error, req: {'name': 'forbidden'},
    NotFound: lambda error, req: {'name': 'not-found', 'pointer': _member_pointer(error.member, req)},
    Stale: lambda error, req: {'name': 'stale', 'header': error.condition},
    KeyInUse: lambda error, req: {
        'name': 'idempotency-conflict',
        'header': 'Idempotency-Key',
        'headers': {'Retry-After': '1'},
    },
    KeyReused: lambda error, req: {'name': 'idempotency-mismatch', 'header': 'Idempotency-Key'},
    Throttled: _throttled,
    Overloaded: _unavailable,
    Unavailable: _unavailable,
}


def install_error_writer(app: falcon.App[Any, Any]) -> None:
    """Register the handlers that turn every exception into a Problem."""
    app.add_error_handler(Exception, _write_error)
    app.add_error_handler(falcon.HTTPError, _write_error)


def _write_error(req: Request, resp: falcon.Response, ex: Exception, params: dict[str, Any]) -> None:
    write_problem(req, resp, problem_of(ex, req))


def problem_of(error: Exception, req: Request) -> Problem:
    """Return the problem of an exception; an unexpected exception is logged."""
    if isinstance(error, falcon.HTTPError):
        name = _NAME_OF_STATUS.get(error.status_code, 'bad-request')
        detail = error.description or PROBLEMS[name].meaning
        header = _HEADER_OF_STATUS.get(error.status_code)
        return Problem(name, detail, header=header, headers=dict(error.headers or {}))
    kind = next((kind for kind in _PROBLEM_OF_ERROR if isinstance(error, kind)), None)
    if kind is None and isinstance(error, peewee.DatabaseError):
        mismatch = _find_mismatch(req)
        if mismatch is not None:
            return problem_of(mismatch, req)
    if kind is None:
        log.error('request %s failed', req.id, exc_info=error)
        return Problem('internal-error', f'The server log has details under {req.id}.', reference=req.id)
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        log.error('request %s: %s', req.id, error.__cause__)
    return Problem(detail=str(error), **_PROBLEM_OF_ERROR[kind](error, req))


def _find_mismatch(req: Request) -> Exception | None:
    """Return the schema mismatch that may have caused a statement to fail, if there is one."""
    req.db.engine.invalidate()
    try:
        check_schema(req.db)
    except Unavailable as error:
        return error
    return None


def write_problem(req: Request, resp: falcon.Response, problem: Problem) -> None:
    """Make the problem the response, in the format for errors that the client prefers."""
    instance = req.builder.origin + '/' + req.raw_path.removeprefix('/')  # the target of OPTIONS may be `*`
    resp.media = replace(problem, origin=req.builder.origin, instance=instance, body=req.json_api_body)
    format = choose_problem_format(req.env.get('HTTP_ACCEPT'), req.env.get('CONTENT_TYPE'))
    resp.content_type = format.problem_type
    resp.status, resp.data = problem.status, None
    for name in ('Link', 'ETag', 'Content-Location'):  # of a response that could not be completed
        resp.delete_header(name)
    resp.set_headers(dict(problem.headers))
    resp.set_header('Cache-Control', NO_STORE)
