"""Password hashing with bcrypt, which takes as long for an unknown user name as for a wrong password."""

import hashlib
import os
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import bcrypt

from service.database.session import Session
from service.domain.errors import Overloaded

R = TypeVar('R')

BCRYPT_MAX_BYTES = 72  # longer passwords are hashed with SHA-256 first, so nothing is truncated
MAX_HASHING = 10  # requests of a process that wait for bcrypt; the other threads are for other requests
ADMISSION_SECONDS = 0.02  # time that further requests wait before they are rejected
NICENESS = 5  # of hashing threads: another thread on the same core gets three quarters of it
_hashing = threading.BoundedSemaphore(MAX_HASHING)
_NO_DIGEST = b'.' * 31
_BCRYPT64 = bytes.maketrans(
    b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
    b'./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
)


def hash_password(session: Session, password: str) -> str:
    """Return the bcrypt hash, with the cost in the settings."""
    cost = session.settings.bcrypt_cost
    return _in_hash_pool(session, lambda: bcrypt.hashpw(_encode(password), bcrypt.gensalt(cost))).decode()


def verify_password(session: Session, password: str, password_hash: str | None) -> bool:
    """Return whether the password matches the hash; False without a hash, which takes as long."""
    encoded = _encode(password)
    if password_hash is None or b'\0' in encoded:
        cost = session.settings.bcrypt_cost
        _in_hash_pool(session, lambda: bcrypt.checkpw(b'', bcrypt.gensalt(cost) + _NO_DIGEST))
        return False
    return _in_hash_pool(session, lambda: bcrypt.checkpw(encoded, password_hash.encode()))


def _encode(password: str) -> bytes:
    """Return the input of bcrypt: the password, or the base64 of its SHA-256 if it is too long."""
    encoded = password.encode(errors='surrogatepass')
    if len(encoded) <= BCRYPT_MAX_BYTES:
        return encoded
    return b64encode(hashlib.sha256(encoded).digest())


def bcrypt_digest(session: Session, text: str, salt: bytes) -> str:
    """Return a digest that is as costly to compute as a password hash, the same for the same text and salt.

    `text` has at most 72 bytes, `salt` at least 16, of which 16 are used; the digest has 60 characters.
    """
    setting = b'$2b$%02d$' % session.settings.bcrypt_cost + b64encode(salt[:16]).rstrip(b'=').translate(
        _BCRYPT64
    )
    return _in_hash_pool(session, lambda: bcrypt.hashpw(text.encode(), setting)).decode()


def _in_hash_pool(session: Session, run_bcrypt: Callable[[], R]) -> R:
    """Run bcrypt in a pool of low-priority threads, so that it does not delay other requests.

    They can use this thread's connection meanwhile. Raises Overloaded if too many requests wait.
    """
    if not session.engine.in_transaction():
        session.release()
    if not _hashing.acquire(timeout=ADMISSION_SECONDS):
        raise Overloaded('The server is verifying too many passwords at the moment. Try again later.')
    try:
        return _hash_pool(os.getpid()).submit(run_bcrypt).result()
    finally:
        _hashing.release()


@lru_cache(maxsize=1)
def _hash_pool(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), 'hashing', _lower_priority)


def _lower_priority() -> None:
    if sys.platform == 'linux':  # where each thread has its own priority
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
