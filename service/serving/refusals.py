"""Responses to requests that the application does not handle: problem documents, like its own."""

import json
import logging
import os
import traceback
from dataclasses import replace
from email.utils import formatdate

from service.config import Settings
from service.http.security_headers import security_headers
from service.representation.media_types import PROBLEM
from service.representation.problem import Problem, problem_details

log = logging.getLogger(__name__)


def new_request_id() -> str:
    """Return the id of a request that has none."""
    return os.urandom(8).hex()


def rejected(problem: Problem, reason: str, request_id: str) -> Problem:
    """Log that a request is rejected, by status and reason, and return the problem."""
    log.warning('rejected a request with %s: %s, request=%s', problem.status, reason, request_id)
    return problem


def failed(error: BaseException, request_id: str) -> Problem:
    """Log an exception that the application did not handle, and return the problem.

    The message is left out, because it may quote the request.
    """
    stack = ''.join(traceback.format_tb(error.__traceback__))
    log.error('request %s failed: %s\n%s', request_id, type(error).__name__, stack)
    detail = 'The server log has details under the reference.'
    return Problem('internal-error', detail, reference=request_id)


def response_to(
    problem: Problem, request_id: str, base: str, settings: Settings
) -> tuple[dict[str, str], bytes]:
    """Return the header fields and the body of a response after which the connection is closed.

    `base` is what URLs begin with, unless BASE_URL is set.
    """
    details = problem_details(replace(problem, origin=settings.base_url or base))
    del details['instance']  # the target may be malformed
    body = json.dumps(details).encode()
    fields = {
        'Date': formatdate(usegmt=True),
        'Connection': 'close',
        'Content-Type': PROBLEM,
        'Content-Length': str(len(body)),
        'Cache-Control': 'no-store',
        'X-Request-Id': request_id,
        **security_headers(PROBLEM, problem.status, is_https=settings.is_https),
    }
    if settings.allows_all_origins:
        fields['Access-Control-Allow-Origin'] = '*'
    return fields, body
