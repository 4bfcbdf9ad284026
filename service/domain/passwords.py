"""Passwords: bcrypt, and the same time for a name that nobody has."""

import bcrypt

MAX_BYTES = 72  # what bcrypt reads; more is refused, never cut
_NO_DIGEST = b'.' * 31


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
