"""Shared fixtures: a database of each engine, and a proxy that can break its connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from service.database.session import Session
from tests.clock import MovableClock
from tests.databases import engines_to_test, open_unchecked_session
from tests.proxy import Proxy

WITHOUT_TLS = {'postgresql': 'sslmode=disable', 'mysql': 'ssl_disabled=true'}

OpenUrl = Callable[..., Session]


class ProxiedSession(NamedTuple):
    """A session on a database, and the proxy through which it connects."""

    db: Session
    proxy: Proxy


@pytest.fixture
def open_url(clock: MovableClock) -> Iterator[OpenUrl]:
    """Return a function that opens a URL as another process does."""
    with ExitStack() as stack:

        def open_url(url: str) -> Session:
            db = open_unchecked_session(url, clock)
            stack.callback(db.close)
            return db

        yield open_url


@pytest.fixture
def db(database_url: str, open_url: OpenUrl) -> Session:
    return open_url(database_url)


@pytest.fixture(params=[engine for engine in engines_to_test() if engine != 'sqlite'])
def networked_url(request: pytest.FixtureRequest, databases: Any) -> str:
    """The URL of an empty database that is reached over a network."""
    return databases(request.param).empty()


@pytest.fixture
def proxy(networked_url: str) -> Iterator[Proxy]:
    parts = urlsplit(networked_url)
    with Proxy(parts.hostname, parts.port) as running:
        yield running


def proxied_url(proxy: Proxy, url: str) -> str:
    """Return the URL of the same database through the proxy."""
    parts = urlsplit(url)
    query = '&'.join(filter(None, (parts.query, WITHOUT_TLS[parts.scheme])))
    user = f'{parts.username}:{parts.password}' if parts.password else parts.username
    return parts._replace(netloc=f'{user}@127.0.0.1:{proxy.port}', query=query).geturl()


@pytest.fixture
def proxied(proxy: Proxy, networked_url: str, open_url: OpenUrl) -> ProxiedSession:
    return ProxiedSession(open_url(proxied_url(proxy, networked_url)), proxy)


@pytest.fixture
def networked_db(networked_url: str, open_url: OpenUrl) -> Session:
    return open_url(networked_url)


@pytest.fixture(params=[engine for engine in engines_to_test() if engine == 'postgresql'])
def postgresql(request: pytest.FixtureRequest, databases: Any, open_url: OpenUrl) -> Session:
    return open_url(databases(request.param).empty())
