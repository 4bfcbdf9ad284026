"""Problems: errors as problem details (RFC 9457), and in the short form for plain JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from service import urls


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A type of error: its status, its title, and what it means for a client."""

    status: int
    title: str
    meaning: str


PROBLEMS: dict[str, ProblemType] = {
    'bad-request': ProblemType(
        400,
        'Bad request',
        'The request is invalid: its Host header, or another part of it that is neither the body nor a query '
        'parameter.',
    ),
    'malformed-body': ProblemType(
        400,
        'Malformed body',
        'The body does not conform to its Content-Type. JSON must be one object in UTF-8, without '
        'duplicate names in an object, without NaN and Infinity, and nested at most 32 levels deep. The '
        'detail says where the error is.',
    ),
    'invalid-values': ProblemType(
        400,
        'Validation failed',
        'Nothing was changed. `errors` lists the invalid values, if there are any, with JSON Pointers into '
        'the body. The forms of documents state the rules.',
    ),
    'invalid-parameter': ProblemType(
        400,
        'Invalid query parameter',
        'A query parameter is not supported, or has an invalid value; the detail names it. Follow the links '
        'of documents instead of building queries.',
    ),
    'own-id': ProblemType(
        403,
        'Client-generated ids are not supported',
        'The new resource in the body has an id. Omit it; the response contains the id that the server '
        'assigns.',
    ),
    'wrong-resource': ProblemType(
        409,
        'Type or id does not match the URL',
        'The type or the id in the body is not that of the resource at the URL. Nothing was changed.',
    ),
    'unauthenticated': ProblemType(
        401,
        'Authentication required',
        'Sign in at the target of hc:tokens, a link of the entry point, and send the token as '
        '"Authorization: Bearer …".',
    ),
    'invalid-token': ProblemType(
        401,
        'Invalid token',
        'The token is unknown, has expired or was revoked. Sign in again.',
    ),
    'wrong-credentials': ProblemType(
        401,
        'Wrong user name or password',
        'Sign in with the user name and the password of a registered user. The response does not tell '
        'which of the two is wrong.',
    ),
    'forbidden': ProblemType(
        403,
        'Not allowed',
        'You are authenticated, but only the owner may do this. The forms of a document show what you '
        'may do.',
    ),
    'insufficient-scope': ProblemType(
        403,
        'The token may only read',
        'The token has the scope "read", which permits no changes. Sign in again to get a token with the '
        'scope "write".',
    ),
    'account-suspended': ProblemType(
        403,
        'The account is suspended',
        'The user name and the password are right, but the operator has suspended the account. Its tokens '
        'are revoked. Signing in is possible again once the operator has restored it.',
    ),
    'registration-closed': ProblemType(
        403,
        'Registration is closed',
        'New users are registered by the operator only.',
    ),
    'not-found': ProblemType(
        404,
        'Not found',
        'No resource has this URL, or it has been deleted. Follow links from the entry point instead of '
        'building URLs.',
    ),
    'method-not-allowed': ProblemType(
        405,
        'Method not allowed',
        'The resource does not support this method. The Allow header lists the methods that it supports.',
    ),
    'not-acceptable': ProblemType(
        406,
        'No acceptable representation',
        'None of the media types in the Accept header is available; the detail lists those that are. '
        'Nothing was done.',
    ),
    'idempotency-conflict': ProblemType(
        409,
        'The same request is in progress',
        'A request with the same Idempotency-Key is still being processed. Send it again after the time '
        'in Retry-After: it takes effect only once.',
    ),
    'stale': ProblemType(
        412,
        'Precondition failed: the resource has changed',
        'The precondition of the request (If-Match, If-None-Match) does not hold for the current state '
        'of the resource, and nothing was changed. Get the resource again before you repeat the change.',
    ),
    'length-required': ProblemType(
        411,
        'Length required',
        'The server accepts a body only with a Content-Length, not in chunks, because it could not tell '
        'whether a chunked body is complete.',
    ),
    'too-large': ProblemType(
        413,
        'Body too large',
        'A body may have at most 65,536 bytes.',
    ),
    'uri-too-long': ProblemType(
        414,
        'The request line is too long',
        'A request line may have at most 8,190 octets. Follow the links of the documents, which are short.',
    ),
    'unsupported-media-type': ProblemType(
        415,
        'Unsupported media type',
        'The Accept header of this response, and Accept-Patch for PATCH, list the supported media types. '
        'A body needs a Content-Type.',
    ),
    'expectation-failed': ProblemType(
        417,
        'The expectation cannot be met',
        'The only supported value of the Expect header is 100-continue.',
    ),
    'idempotency-mismatch': ProblemType(
        422,
        'The key belongs to another request',
        'An earlier request with this Idempotency-Key had another body, query or media type. Nothing was '
        'done. Repeat the earlier request, or send this one with a new key.',
    ),
    'too-many-tries': ProblemType(
        429,
        'Too many attempts',
        'There were too many failed sign-ins for this account, or too many sign-ins or registrations '
        'from this IP address. Try again after the time in Retry-After; existing tokens stay valid.',
    ),
    'headers-too-large': ProblemType(
        431,
        'The header fields are too large',
        'A header field may have at most 8,190 octets, and a request at most 100 fields.',
    ),
    'internal-error': ProblemType(
        500,
        'Internal server error',
        'The server failed to handle the request. The reference identifies the error in the log of the '
        'server.',
    ),
    'not-implemented': ProblemType(
        501,
        'Not implemented',
        'The server does not support the method, or the transfer coding of the body.',
    ),
    'unavailable': ProblemType(
        503,
        'Temporarily unavailable',
        'The database is currently unavailable or has another schema version, too many passwords are being '
        'verified, or the server is shutting down. Try again after the time in Retry-After.',
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One error that occurred; `name` is its type in PROBLEMS.

    `errors` has the name of every invalid field of a body, with what is wrong. `pointer` is a JSON Pointer to
    the error in a body, `parameter` names an invalid query parameter, and `header` an invalid header field.
    `pagination_error` is the name of the error in the Cursor Pagination profile of JSON:API; `max_page_size`
    is the largest page size if the requested one is larger. `reference` identifies the error in the log.
    `body` is that of the request if it is JSON:API. `instance` is the URL at which the error occurred,
    `origin` the origin of that URL.
    """

    name: str
    detail: str
    errors: tuple[tuple[str, str], ...] = ()
    pointer: str | None = None
    parameter: str | None = None
    pagination_error: str | None = None
    max_page_size: int | None = None
    reference: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    header: str | None = None
    body: Mapping[str, Any] | None = None
    origin: str = ''
    instance: str = ''

    @property
    def status(self) -> int:
        """The HTTP status of its type."""
        return PROBLEMS[self.name].status

    @property
    def title(self) -> str:
        """The title of its type (RFC 9457 §3.1.3)."""
        return PROBLEMS[self.name].title

    @property
    def type_url(self) -> str:
        """The URL of its type, which explains it (RFC 9457 §3.1.1)."""
        return self.origin + urls.PROBLEM.format(name=self.name)

    def errors_by_pointer(self) -> list[tuple[str, str]]:
        """Return a JSON Pointer into the body and a sentence for every invalid field (RFC 6901 §3)."""
        return [
            ('/' + name.replace('~', '~0').replace('/', '~1'), f'{name} {reason}.')
            for name, reason in self.errors
        ]


def problem_details(problem: Problem) -> dict[str, Any]:
    """Return the problem as problem details (RFC 9457 §3)."""
    body: dict[str, Any] = {
        'type': problem.type_url,
        'title': problem.title,
        'status': problem.status,
        'detail': problem.detail,
        'instance': problem.instance,
    }
    body['_links'] = _links(problem)
    if problem.errors:
        body['errors'] = [
            {'detail': detail, 'pointer': f'#{pointer}'} for pointer, detail in problem.errors_by_pointer()
        ]
    if problem.pointer is not None:
        body['errors'] = [{'detail': problem.detail, 'pointer': f'#{problem.pointer}'}]
    if problem.parameter is not None:
        body['parameter'] = problem.parameter
    if problem.reference is not None:
        body['reference'] = problem.reference
    return body


def _links(problem: Problem) -> dict[str, Any]:
    """Return the HAL links of the problem: to its documentation, and to resources that may help."""
    links: dict[str, Any] = {'help': {'href': problem.type_url}}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        relation = {'href': problem.origin + urls.RELATION, 'templated': True, 'name': 'hc'}
        links |= {'curies': [relation], 'hc:tokens': {'href': problem.origin + urls.TOKENS}}
    if problem.status == HTTPStatus.NOT_FOUND:
        links['start'] = {'href': problem.origin + urls.ENTRY}
    if problem.status == HTTPStatus.PRECONDITION_FAILED:
        links['self'] = {'href': problem.instance}
    return links


def simple_error(problem: Problem) -> dict[str, Any]:
    """Return the problem in its short form: the reason phrase of the status, and a message."""
    return {'error': HTTPStatus(problem.status).phrase, 'message': problem.detail}
