"""Passwords: bcrypt, and the same time for a name that nobody has."""

from base64 import b64encode

import bcrypt

MAX_BYTES = 72  # what bcrypt reads; more is refused, never cut
_NO_DIGEST = b'.' * 31
_BCRYPT64 = bytes.maketrans(
    b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
    b'./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
)


def hash_password(password: str, cost: int) -> str:
    """Return the bcrypt hash; `cost` is the power of two of its rounds. Raises ValueError over 72 bytes."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def is_password(password: str, password_hash: str | None, cost: int) -> bool:
    """Whether it is the password that was hashed; without a hash it is not, which takes as long to say."""
    given = password.encode(errors='surrogatepass')
    if password_hash is None or len(given) > MAX_BYTES or b'\0' in given:
        bcrypt.checkpw(b'', bcrypt.gensalt(cost) + _NO_DIGEST)
        return False
    return bcrypt.checkpw(given, password_hash.encode())


def slow_digest(text: str, salt: bytes, cost: int) -> str:
    """Return a digest that is as costly to try out as a password's hash, the same for the same salt.

    `text` has at most 72 bytes, `salt` at least 16, of which 16 count; the digest has 60 characters.
    """
    setting = b'$2b$%02d$' % cost + b64encode(salt[:16]).rstrip(b'=').translate(_BCRYPT64)
    return bcrypt.hashpw(text.encode(), setting).decode()
