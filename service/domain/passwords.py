"""Passwords: bcrypt, and the same time for a name that nobody has."""

import os
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import bcrypt

R = TypeVar('R')

MAX_BYTES = 72  # what bcrypt reads; more is refused, never cut
NICENESS = 5  # of hashing: what else runs gets three quarters of a core that it shares with it
_NO_DIGEST = b'.' * 31
_BCRYPT64 = bytes.maketrans(
    b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
    b'./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
)


def hash_password(password: str, cost: int) -> str:
    """Return the bcrypt hash; `cost` is the power of two of its rounds. Raises ValueError over 72 bytes."""
    return _beside(lambda: bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost))).decode()


def is_password(password: str, password_hash: str | None, cost: int) -> bool:
    """Whether it is the password that was hashed; without a hash it is not, which takes as long to say."""
    given = password.encode(errors='surrogatepass')
    if password_hash is None or len(given) > MAX_BYTES or b'\0' in given:
        _beside(lambda: bcrypt.checkpw(b'', bcrypt.gensalt(cost) + _NO_DIGEST))
        return False
    return _beside(lambda: bcrypt.checkpw(given, password_hash.encode()))


def slow_digest(text: str, salt: bytes, cost: int) -> str:
    """Return a digest that is as costly to try out as a password's hash, the same for the same salt.

    `text` has at most 72 bytes, `salt` at least 16, of which 16 count; the digest has 60 characters.
    """
    setting = b'$2b$%02d$' % cost + b64encode(salt[:16]).rstrip(b'=').translate(_BCRYPT64)
    return _beside(lambda: bcrypt.hashpw(text.encode(), setting)).decode()


def _beside(hash: Callable[[], R]) -> R:
    """Hash beside all else: it takes a third of a second, which is long for who could be answered at once.

    So it is done by threads of their own, no more than there are cores, which let others go first.
    """
    return _threads_of(os.getpid()).submit(hash).result()


@lru_cache(maxsize=1)
def _threads_of(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), 'hashing', _let_others_go_first)


def _let_others_go_first() -> None:
    if sys.platform == 'linux':  # where a priority is a thread's own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
