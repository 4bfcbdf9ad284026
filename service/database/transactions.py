"""Transactions that are retried as a whole."""

import functools
import logging
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Concatenate, ParamSpec, TypeVar

from service.database.commit_marker import CommitMarker
from service.database.errors import ConstraintViolation, ErrorKind, Unavailable
from service.database.schema import GENERATED_KEYS
from service.database.session import Session

P = ParamSpec('P')
R = TypeVar('R')
Write = Callable[Concatenate[Session, P], R]

MAX_ATTEMPTS = 7
MAX_SECONDS = 15.0  # after which no further attempt begins
BACKOFF_SECONDS = 0.02  # before the second attempt; doubled before each further one, with jitter

log = logging.getLogger(__name__)


def transaction(write: Write[P, R]) -> Write[P, R]:
    """Make a domain function one transaction: all of it takes effect once, or none of it.

    It is run again after a conflict with another transaction, and on a new connection if the old one
    broke; CommitMarker tells whether a COMMIT that was not acknowledged took effect. Called within
    another transaction it is a savepoint of that one, and succeeds or fails with it. Raises Unavailable if
    retrying does not succeed in time.
    """
    return _retried(write, Session.atomic)


def deferred_transaction(write: Write[P, R]) -> Write[P, R]:
    """Make a function one transaction that begins with the first one within it (see Session.deferred)."""
    return _retried(write, Session.deferred)


def _retried(write: Write[P, R], begin: Callable[[Session], AbstractContextManager[Session]]) -> Write[P, R]:
    @functools.wraps(write)
    def run(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if session.engine.in_transaction():
            with session.atomic():
                return write(session, *args, **kwargs)
        marker = CommitMarker(session) if session.commit_can_be_ambiguous else None
        results: list[R] = []
        deadline = time.monotonic() + MAX_SECONDS
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                with begin(session) as current:
                    if marker is None or not marker.was_committed(current):
                        results.append(write(current, *args, **kwargs))
                        if marker is not None:
                            marker.write(current)
                return results[-1]
            except (Unavailable, ConstraintViolation) as error:
                if attempt == MAX_ATTEMPTS or time.monotonic() > deadline or not _is_retryable(error):
                    raise
                log.info('%s is retried: %s', write.__name__, error.__cause__ or error)
                session.instrumentation.transaction_retried()
            time.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        raise AssertionError('unreachable')

    return run


def _is_retryable(error: Unavailable | ConstraintViolation) -> bool:
    """Return whether a conflict, a lost connection or a collision of ids made the transaction fail."""
    if isinstance(error, ConstraintViolation):
        return error.constraint in GENERATED_KEYS
    return error.kind in (ErrorKind.CONFLICT, ErrorKind.DISCONNECTED, ErrorKind.FULL)
