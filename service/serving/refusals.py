"""Responses to requests that the application does not handle: problem documents, like its own."""

import json
import logging
import os
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

from service.config import Settings
from service.http.middleware.browser_policies import EXPOSE_HEADERS
from service.http.security_headers import security_headers
from service.representation.media_types import PROBLEM
from service.representation.problem import Problem, problem_details

log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """The problem with a request, and the id of the request in the log and in the response."""

    problem: Problem
    request_id: str


def rejected(problem: Problem, reason: str) -> Refusal:
    """Return the refusal of a request, and log its status and the reason."""
    request_id = _new_request_id()
    log.warning('rejected a request with %s: %s, request=%s', problem.status, reason, request_id)
    return Refusal(problem, request_id)


def failed(error: BaseException) -> Refusal:
    """Return the refusal after an uncaught exception, and log it without its message.

    The message may quote the request, which may contain secrets.
    """
    request_id = _new_request_id()
    name = type(error).__name__
    without_message = (Exception, Exception(name), error.__traceback__)
    log.error('request %s failed: %s', request_id, name, exc_info=without_message)
    detail = 'The server log has details under the reference.'
    return Refusal(Problem('internal-error', detail, reference=request_id), request_id)


def _new_request_id() -> str:
    return os.urandom(8).hex()


def response_to(refusal: Refusal, base: str, settings: Settings) -> tuple[str, dict[str, str], bytes]:
    """Return the status, the header fields and the body of a response that ends the connection.

    `base` is the origin of URLs in the response, unless BASE_URL is set.
    """
    problem = refusal.problem
    details = problem_details(replace(problem, origin=settings.base_url or base))
    del details['instance']  # the target may be malformed
    body = json.dumps(details).encode()
    fields = {
        'Date': formatdate(usegmt=True),
        'Connection': 'close',
        'Content-Type': PROBLEM,
        'Content-Length': str(len(body)),
        'Cache-Control': 'no-store',
        'X-Request-Id': refusal.request_id,
        **security_headers(PROBLEM, problem.status, is_https=settings.is_https),
    }
    if settings.allows_all_origins:
        fields['Access-Control-Allow-Origin'] = '*'
        fields['Access-Control-Expose-Headers'] = EXPOSE_HEADERS
    return f'{problem.status} {HTTPStatus(problem.status).phrase}', fields, body
