"""Idempotency-Key on POST (draft-ietf-httpapi-idempotency-key-header): a retry gets the first response."""

import functools
import re
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import falcon

from service.database.session import Session
from service.domain.errors import KeyInUse, Overloaded
from service.domain.idempotency import RequestKey, StoredResponse, make_key, replay_or_run
from service.domain.throttle import address_subjects, count_attempt, withdraw_attempt
from service.http.invalid_header import InvalidHeader
from service.http.operation import Access
from service.http.presenter import present
from service.http.request import Request
from service.http.request_body import check_write_scope, read_bytes
from service.representation.parameter_values import InvalidParameter

KEY_LENGTH = 255
MAX_STORED_BYTES = 65_535  # of the body of a response; a TEXT of MariaDB has no more
# A quoted string, optionally with parameters (RFC 8941 §3.3.3), or, as many clients send it, without quotes.
KEY = (
    rf'^(?:"((?:[ !#-\[\]-~]|\\["\\]){{1,{KEY_LENGTH}}})"(?:[ \t]*;[ -~]*)?'
    rf'|([!#-+\-.\/0-:<-~]{{1,{KEY_LENGTH}}}))$'
)


Responder = Callable[..., None]


def idempotent(responder: Responder) -> Responder:
    """Return the responder of a POST, extended to honour Idempotency-Key.

    With a key, the response to the first request is presented, and stored in the transaction of its effect; a
    retry gets the stored response. It raises MalformedBody, KeyReused, KeyInUse and Throttled, and
    InvalidParameter if the response is too long. An invalid key is `req.deferred_error`.
    """

    @functools.wraps(responder)
    def respond(req: Request, resp: falcon.Response, **params: Any) -> None:
        header = req.env.get('HTTP_IDEMPOTENCY_KEY')
        try:
            key = None if header is None else read_key(header)
        except InvalidHeader as error:
            key, req.deferred_error = None, error
        body = None if key is None else read_bytes(req)
        if key is None or body is None:  # the responder reports a body that is too large
            responder(req, resp, **params)
            return

        def run(session: Session) -> StoredResponse:
            fresh = type(resp)(options=resp.options)
            req.db, req.stream = session, BytesIO(body)
            responder(req, fresh, **params)
            present(req, fresh)
            content = fresh.render_body() or b''
            if len(content) > MAX_STORED_BYTES:  # only with included documents
                raise InvalidParameter('include', 'makes the response too long for an Idempotency-Key')
            return StoredResponse(fresh.status_code, fresh.headers, content.decode())

        db, subjects = req.db, address_subjects(req.operation.limits, req.client_address)
        # The request is counted first, because `_request_key` uses bcrypt if the body may contain a password.
        attempt_ids = count_attempt(db, subjects, req.quotas) if subjects else ()
        req.is_counted = bool(subjects)
        try:
            stored = replay_or_run(db, _request_key(req, key, body), run)
        except (KeyInUse, Overloaded):
            _uncount(req, db, attempt_ids)
            raise
        finally:
            req.db = db
        if stored.is_replayed:
            check_write_scope(req)
            _uncount(req, db, attempt_ids)
        _send(stored, resp)

    return respond


def read_key(header: str) -> str:
    """Return the key of an Idempotency-Key header (§2.1); raises InvalidHeader unless it matches KEY."""
    match = re.fullmatch(KEY, header.strip())
    if match is None:
        raise InvalidHeader(
            'Idempotency-Key',
            f'The Idempotency-Key must be one quoted string of 1 to {KEY_LENGTH} characters.',
        )
    return match[2] or re.sub(r'\\(.)', r'\1', match[1])


def _uncount(req: Request, db: Session, attempt_ids: Sequence[int]) -> None:
    """Withdraw the attempt of a retry, or of a request to be retried, because one with a key counts once."""
    if attempt_ids:
        withdraw_attempt(db, attempt_ids)
        req.quotas = {}  # so that the presenter finds the current ones


def _request_key(req: Request, key: str, body: bytes) -> RequestKey:
    variant = (req.query_string, req.env.get('CONTENT_TYPE', ''), req.format.content_type)
    return make_key(
        req.db,
        key,
        target=f'{req.method} {req.path}',
        request='\n'.join(variant).encode(errors='surrogatepass') + b'\n' + body,
        user_id=req.viewer_id,
        may_hold_secrets=req.operation.access is Access.ANYONE,
    )


def _send(stored: StoredResponse, resp: falcon.Response) -> None:
    resp.status = stored.status
    resp.set_headers(dict(stored.headers))
    if stored.is_replayed:
        resp.set_header('Idempotency-Replayed', 'true')
    resp.data = stored.body.encode() or None
    resp.complete = True
