"""What can go wrong, in the domain's own words."""

from collections.abc import Iterable


class DomainError(Exception):
    """Something that was asked for cannot be; the text says what, for the one who asked."""


class NotFound(DomainError):
    """There is no such thing."""


class Forbidden(DomainError):
    """The viewer is known, but may not do this."""


class Unauthenticated(DomainError):
    """Who asks is not known: no credentials, or bad ones.

    `reason` is None where no credentials came, 'token' for a bad token, 'password' for a bad sign-in.
    """

    def __init__(self, detail: str, reason: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason


class Invalid(DomainError):
    """The values break rules: `(field, what is wrong)` for every broken field, or a word about the whole."""

    def __init__(self, errors: Iterable[tuple[str, str]] = (), *, detail: str = '') -> None:
        self.errors = tuple(errors)
        super().__init__(detail or ' '.join(f'{field} {wrong}.' for field, wrong in self.errors))


class Conflict(Invalid):
    """A value is taken: a unique constraint refused it."""


class Stale(DomainError):
    """The thing is not what the one who wants to change it last saw."""


class Unavailable(DomainError):
    """The database cannot be reached, or cannot take a write now."""


class WrongSchema(Unavailable):
    """The database answers, but its schema is not the one that this code needs."""


class Throttled(DomainError):
    """There were too many tries; `retry_after` is the seconds until one is allowed again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f'There were too many tries. The next one is allowed in {retry_after} seconds.')
        self.retry_after = retry_after


class KeyInUse(DomainError):
    """The request with this idempotency key is being worked on right now."""


class KeyReused(DomainError):
    """The idempotency key came with another request before."""
