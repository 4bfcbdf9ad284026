"""The errors of the domain; each corresponds to a problem type."""

from collections.abc import Iterable

from service.domain.rate_limits import Quotas


class DomainError(Exception):
    """A request that cannot be fulfilled; the text is for the client."""


class NotFound(DomainError):
    """The resource does not exist, or the `member` that is to be added to a relationship, by its id."""

    def __init__(self, detail: str, *, member: str | None = None) -> None:
        super().__init__(detail)
        self.member = member


class Forbidden(DomainError):
    """The viewer is authenticated, but not allowed to do this."""


class InsufficientScope(Forbidden):
    """The token may only read."""


class Suspended(Forbidden):
    """The operator suspended the account."""


class RegistrationClosed(Forbidden):
    """Registration is closed: only the operator can add users."""


class Unauthenticated(DomainError):
    """The credentials are missing or invalid.

    `reason` is None without credentials, 'token' for an invalid token, 'password' for a failed sign-in.
    """

    def __init__(self, detail: str, reason: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason


class Invalid(DomainError):
    """Values are invalid: `errors` has a field and a message for each, or `detail` is about all of them.

    `member` is the id of the member that cannot be added to a relationship, if that is what is invalid.
    """

    def __init__(
        self, errors: Iterable[tuple[str, str]] = (), *, detail: str = '', member: str | None = None
    ) -> None:
        self.errors = tuple(errors)
        self.member = member
        super().__init__(detail or ' '.join(f'{field} {message}.' for field, message in self.errors))


class Conflict(Invalid):
    """A value is taken: a unique constraint rejected it."""


class Stale(DomainError):
    """A precondition failed: the resource has changed since the client read it.

    `condition` is the header field that has the precondition.
    """

    def __init__(self, detail: str, condition: str) -> None:
        super().__init__(detail)
        self.condition = condition


class Throttled(DomainError):
    """Too many attempts; `retry_after` is in seconds, and `quotas` are those that remain."""

    def __init__(self, retry_after: int, quotas: Quotas) -> None:
        super().__init__(f'Too many attempts. The next one is allowed in {retry_after} seconds.')
        self.retry_after = retry_after
        self.quotas = quotas


class KeyInUse(DomainError):
    """A request with this idempotency key is being processed."""


class KeyReused(DomainError):
    """The idempotency key was used for another request."""
