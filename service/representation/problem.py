"""Errors as documents: problem details (RFC 9457), and the short form that plain JSON clients know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from service import urls


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of error: its status, its title, and what it means to a client."""

    status: int
    title: str
    meaning: str


PROBLEMS: dict[str, ProblemType] = {
    'bad-request': ProblemType(
        400,
        'The request cannot be understood',
        'The request itself is wrong: its Host header, or something else that is not the body and not a '
        'parameter.',
    ),
    'malformed-body': ProblemType(
        400,
        'The body cannot be read',
        'The body is not what its Content-Type says. JSON must be one object in UTF-8, without a name '
        'twice in one object, without NaN and Infinity, and nested at most 32 levels deep. The detail says '
        'where it went wrong.',
    ),
    'invalid-values': ProblemType(
        400,
        'Values break rules',
        'Nothing was changed. Where single values are wrong, `errors` names every one of them with a JSON '
        'Pointer into the body. The forms of the documents say the rules beforehand.',
    ),
    'invalid-parameter': ProblemType(
        400,
        'A query parameter is wrong',
        'A parameter of the address has a value that cannot be used; the detail names it. Links that the '
        'server gives need no such parameters made by hand.',
    ),
    'own-id': ProblemType(
        403,
        'Ids are made by the server',
        'A new resource came with an id of its own. Leave the id out; the answer has the one that was made.',
    ),
    'wrong-resource': ProblemType(
        409,
        'The body is about something else',
        'The type or the id in the body is not that of the resource at the address, and nothing was changed.',
    ),
    'unauthenticated': ProblemType(
        401,
        'A token is needed',
        'Sign in at the link relation hc:tokens of the entry point, and send the token as '
        '"Authorization: Bearer …".',
    ),
    'invalid-token': ProblemType(
        401,
        'The token is not valid',
        'The token is unknown, has expired or was revoked. Sign in again.',
    ),
    'wrong-credentials': ProblemType(
        401,
        'The user name or the password is wrong',
        'Sign in with the name and the password of a registered user. Which of the two was wrong is not '
        'said.',
    ),
    'forbidden': ProblemType(
        403,
        'This is not yours to do',
        'You are known, but what you asked for is for its owner alone. The forms of a document show what '
        'you may do.',
    ),
    'not-found': ProblemType(
        404,
        'There is no such thing',
        'Nothing is at this address, or no longer. Follow links from the entry point instead of making '
        'addresses.',
    ),
    'method-not-allowed': ProblemType(
        405,
        'The method does not apply here',
        'The thing exists, but not for this method. The Allow header lists the methods that it has.',
    ),
    'not-acceptable': ProblemType(
        406,
        'No such representation',
        'None of the media types in the Accept header can be had; the detail lists those that can. Nothing '
        'was done.',
    ),
    'idempotency-conflict': ProblemType(
        409,
        'The same request is being worked on',
        'A request with the same Idempotency-Key has not been answered yet. Send it again after the time '
        'that Retry-After says: it takes effect once.',
    ),
    'stale': ProblemType(
        412,
        'It has changed meanwhile',
        'The precondition of the request (If-Match, If-None-Match) does not hold for what is here now, and '
        'nothing was changed. Get it again, and decide again.',
    ),
    'too-large': ProblemType(
        413,
        'The body is too large',
        'A body may have at most 65,536 bytes.',
    ),
    'unsupported-media-type': ProblemType(
        415,
        'The body is of a type that is not read here',
        'The Accept header of this answer, and Accept-Patch for PATCH, list the media types that are read. '
        'A body needs a Content-Type.',
    ),
    'idempotency-mismatch': ProblemType(
        422,
        'The key belongs to another request',
        'The Idempotency-Key came with another body, query or media type before, and nothing was done. Send '
        'the same request again, or this one with a fresh key.',
    ),
    'too-many-tries': ProblemType(
        429,
        'Too many tries',
        'There were too many failed sign-ins for this account, or too many sign-ins or registrations from '
        'this network address. Try again after the time that Retry-After says; tokens go on working.',
    ),
    'internal-error': ProblemType(
        500,
        'Something went wrong on our side',
        'It is not your fault. The reference finds what happened in the log of the server.',
    ),
    'not-implemented': ProblemType(
        501,
        'The method is unknown',
        'The server does not know this method for anything it has.',
    ),
    'unavailable': ProblemType(
        503,
        'Not available now',
        'The database cannot be reached, or cannot take the request now. Try again after the time that '
        'Retry-After says.',
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One error that happened; `name` is its kind in PROBLEMS.

    `errors` holds one `(field, what is wrong)` for every broken field of a body, `pointer` is a JSON
    Pointer to a broken place in it; `parameter` names a broken query parameter, `header` a
    broken header field; `reference` finds the error in the log. `body` is that of the request, if it is
    JSON:API. `origin` is that of the URL at which it happened, `instance` is that URL.
    """

    name: str
    detail: str
    errors: tuple[tuple[str, str], ...] = ()
    pointer: str | None = None
    parameter: str | None = None
    reference: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    header: str | None = None
    body: Mapping[str, Any] | None = None
    origin: str = ''
    instance: str = ''

    @property
    def status(self) -> int:
        """The HTTP status of its kind."""
        return PROBLEMS[self.name].status

    @property
    def title(self) -> str:
        """What its kind is called, the same each time (RFC 9457 §3.1.3)."""
        return PROBLEMS[self.name].title

    @property
    def type_url(self) -> str:
        """The URL of its kind, which explains it (RFC 9457 §3.1.1)."""
        return self.origin + urls.PROBLEM.format(name=self.name)

    def pointed(self) -> list[tuple[str, str]]:
        """Return `(JSON Pointer into the body, what is wrong)` for every broken field (RFC 6901 §3)."""
        return [
            ('/' + name.replace('~', '~0').replace('/', '~1'), f'{name} {wrong}.')
            for name, wrong in self.errors
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
    if problem.errors:
        body['errors'] = [{'detail': wrong, 'pointer': f'#{pointer}'} for pointer, wrong in problem.pointed()]
    if problem.pointer is not None:
        body['errors'] = [{'detail': problem.detail, 'pointer': f'#{problem.pointer}'}]
    if problem.parameter is not None:
        body['parameter'] = problem.parameter
    if problem.reference is not None:
        body['reference'] = problem.reference
    return body


def simple_error(problem: Problem) -> dict[str, Any]:
    """Return the problem as clients of plain JSON know it: the short HTTP phrase, and a message."""
    return {'error': HTTPStatus(problem.status).phrase, 'message': problem.detail}
