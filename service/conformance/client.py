"""The client that sends all requests: to one origin, limited in number and rate, safe by default."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urldefrag, urlsplit

from service.conformance.exchange import Exchange, Headers, Request, Response
from service.conformance.syntax import join

SAFE_METHODS = ('GET', 'HEAD', 'OPTIONS')

Transport = Callable[[Request], Response]


class BudgetSpent(Exception):
    """All requests that were allowed have been sent."""


class NotAllowed(Exception):
    """The request would leave the origin, or is unsafe and --write is not set."""


class Client:
    """Sends requests within its limits and records the exchanges.

    `authorization` is the value of the Authorization field, empty for none; `on_send` is called after each
    request.
    """

    def __init__(
        self,
        transport: Transport,
        start: str,
        *,
        authorization: str = '',
        max_requests: int = 500,
        rate: float = 0,
        may_write: bool = False,
        on_send: Callable[[], None] = lambda: None,
    ) -> None:
        self.start = urldefrag(start).url
        self.may_write = may_write
        self.record: list[Exchange] = []
        self.left = max_requests
        self._transport = transport
        self._authorization = authorization
        self._pause = 1 / rate if rate else 0.0
        self._next_time = 0.0
        self._on_send = on_send

    @property
    def is_signed_in(self) -> bool:
        return bool(self._authorization)

    def is_on_origin(self, url: str) -> bool:
        """Return whether the URL has the start's scheme, host and port."""
        target, start = urlsplit(url), urlsplit(self.start)
        return (target.scheme, target.netloc) == (start.scheme, start.netloc)

    def resolve(self, base: str, reference: str) -> str | None:
        """Return the absolute URL of a reference; None if it leaves the origin or is malformed."""
        url = join(base, reference)
        return url if url is not None and self.is_on_origin(url) else None

    def get(self, url: str, purpose: str, origin: Exchange | None = None, **options: Any) -> Exchange:
        """Send a GET request."""
        return self.send('GET', url, purpose, origin, **options)

    def send(
        self,
        method: str,
        url: str,
        purpose: str,
        origin: Exchange | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        is_anonymous: bool = False,
        **context: Any,
    ) -> Exchange:
        """Send a request and record the exchange; raises BudgetSpent, NotAllowed, OSError."""
        if not self.is_on_origin(url):
            raise NotAllowed(f'{url} is not on the origin of {self.start}')
        if method not in SAFE_METHODS and not self.may_write:
            raise NotAllowed(f'{method} is not safe')
        if self.left <= 0:
            raise BudgetSpent
        fields = dict(headers or {})
        if self._authorization and not is_anonymous:
            fields['Authorization'] = self._authorization
        self._wait()
        self.left -= 1
        request = Request(method, url, tuple(fields.items()), body)
        exchange = Exchange(request, self._transport(request), purpose, origin, context)
        self.record.append(exchange)
        self._on_send()
        return exchange

    def repeat(
        self, exchange: Exchange, purpose: str, method: str | None = None, url: str = '', **fields: str
    ) -> Exchange:
        """Send a request again with other fields (`_` stands for `-`), another method or another URL."""
        headers = dict(without_authorization(exchange.request.headers))
        headers |= {name.replace('_', '-'): value for name, value in fields.items()}
        return self.send(
            method or exchange.request.method,
            url or exchange.request.url,
            purpose,
            exchange,
            headers=headers,
            body=exchange.request.body,
        )

    def _wait(self) -> None:
        now = time.monotonic()
        if now < self._next_time:
            time.sleep(self._next_time - now)
        self._next_time = max(now, self._next_time) + self._pause


def without_authorization(headers: Headers) -> Headers:
    """Return the fields except Authorization, which the client adds itself."""
    return tuple((name, value) for name, value in headers if name.lower() != 'authorization')
