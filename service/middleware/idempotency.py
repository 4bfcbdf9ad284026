"""Idempotency-Key on POST (draft-ietf-httpapi-idempotency-key-header): a retry gets the first answer."""

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Protocol

import falcon

from service import urls
from service.database.session import Session
from service.domain.idempotency import RequestKey, StoredResponse, make_key, replay_or_run
from service.domain.throttle import count_attempt, registration_subjects
from service.middleware.body import MAX_BYTES, read_stream
from service.middleware.request import Request

KEY_LENGTH = 255
# A quoted string, after which there may be parameters (RFC 8941 §3.3.3), or, as many send it, a bare one.
KEY = (
    rf'^(?:"((?:[ !#-\[\]-~]|\\["\\]){{1,{KEY_LENGTH}}})"(?:[ \t]*;[ -~]*)?'
    rf'|([!#-+\-.\/0-:<-~]{{1,{KEY_LENGTH}}}))$'
)


class Finisher(Protocol):
    """Middleware that completes an answer."""

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None: ...


class IdempotencyMiddleware:
    """Answers a POST with a key itself: by the first answer, or by the responder's, kept with its effect.

    An answer is kept as the `finishing` middleware leaves it, all but Vary, which is set on every answer.
    A key means nothing where the resource looks at the credentials itself: it hands out secrets, which
    are never stored.
    """

    def __init__(self, finishing: Sequence[Finisher]) -> None:
        self._finishing = finishing

    def process_resource(
        self, req: Request, resp: falcon.Response, resource: Any, params: dict[str, Any]
    ) -> None:
        """Answer a request that has a key.

        Raises HTTPBadRequest, Malformed, KeyReused, KeyInUse and Throttled.
        """
        header = req.env.get('HTTP_IDEMPOTENCY_KEY')
        if header is None or not _applies(req, resource):
            return
        text = read_key(header)
        body = _read_bytes(req)
        if body is None:
            return
        key, db = _key(req, resource, text, body), req.db
        try:
            answer = replay_or_run(db, key, lambda one: self._respond(one, req, resp, resource, params, body))
        finally:
            req.db = db
        _send(answer, resp)

    def _respond(
        self,
        db: Session,
        req: Request,
        resp: falcon.Response,
        resource: Any,
        params: dict[str, Any],
        body: bytes,
    ) -> StoredResponse:
        fresh = type(resp)(options=resp.options)
        req.db, req.stream = db, BytesIO(body)
        resource.on_post(req, fresh, **params)
        for finisher in reversed(self._finishing):
            finisher.process_response(req, fresh, resource, True)
        text = (fresh.render_body() or b'').decode()
        headers = {name: value for name, value in fresh.headers.items() if name != 'vary'}
        return StoredResponse(fresh.status_code, headers, text)


def read_key(header: str) -> str:
    """Return the key of an Idempotency-Key header (§2.1); raises HTTPBadRequest where it is not like KEY."""
    match = re.fullmatch(KEY, header.strip())
    if match is None:
        raise falcon.HTTPBadRequest(
            description=f'The Idempotency-Key must be one quoted string of 1 to {KEY_LENGTH} characters.'
        )
    return match[2] or re.sub(r'\\(.)', r'\1', match[1])


def _applies(req: Request, resource: Any) -> bool:
    return (
        req.method == 'POST'
        and urls.is_api(req.uri_template)
        and getattr(resource, 'negotiates', True)
        and 'POST' not in getattr(resource, 'own_credentials', ())
    )


def _read_bytes(req: Request) -> bytes | None:
    """Return the body and leave it to be read again; None where it is too large, which will be said later."""
    length = req.content_length
    if length is None and 'HTTP_TRANSFER_ENCODING' not in req.env:
        return b''
    if length is not None and length > MAX_BYTES:
        return None
    data = read_stream(req, MAX_BYTES + 1 if length is None else length)
    req.stream = BytesIO(data)
    return data if len(data) <= MAX_BYTES else None


def _key(req: Request, resource: Any, key: str, body: bytes) -> RequestKey:
    """Return the key of the request; what anyone may post can hold a password."""
    is_public = 'POST' in getattr(resource, 'public', ())
    if is_public:
        count_attempt(req.db, registration_subjects(req.client_address))  # for a hash like a password's
    asked = (req.query_string, req.env.get('CONTENT_TYPE', ''), req.format.media_type)
    return make_key(
        req.db,
        key,
        target=f'{req.method} {req.path}',
        request='\n'.join(asked).encode(errors='surrogatepass') + b'\n' + body,
        user_id=req.viewer.user_id if req.viewer else None,
        may_hold_secrets=is_public,
    )


def _send(answer: StoredResponse, resp: falcon.Response) -> None:
    resp.status = answer.status
    resp.set_headers(dict(answer.headers))
    resp.data = answer.body.encode() or None
    resp.complete = True
