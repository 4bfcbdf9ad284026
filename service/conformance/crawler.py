"""The crawler: follows the links of documents, breadth first, up to a limit."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from service.conformance.client import Client
from service.conformance.exchange import Exchange

MAX_PER_SHAPE = 3
PRIORITY = ('next', 'self', 'related')
MISSING = (404, 410)
_IDENTIFIER = re.compile(r'\d+|[0-9A-Fa-f]{8,}|[0-9A-Fa-f-]{36}|(?=.*\d)[\w-]{12,}')


class FoundLink(NamedTuple):
    """A link in a document: its relation, its reference, and its JSON Pointer."""

    rel: str
    href: str
    where: str


Links = Callable[[Exchange], Iterator[FoundLink]]


def shape(url: str) -> tuple[str, tuple[str, ...]]:
    """Return the URL's path without identifiers, and the names of its parameters."""
    parts = urlsplit(url)
    path = '/'.join('{}' if _IDENTIFIER.fullmatch(step) else step for step in parts.path.split('/'))
    return path, tuple(sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}))


def priority(link: FoundLink) -> int:
    """Return the rank of a link: those whose targets have rules of their own are followed first."""
    return PRIORITY.index(link.rel) if link.rel in PRIORITY else len(PRIORITY)


def crawl(client: Client, accept: str, links: Links, limit: int) -> None:
    """Follow links from the start until there are none left, or `limit` requests are sent."""
    waiting: deque[tuple[str, Exchange | None, FoundLink | None]] = deque([(client.start, None, None)])
    seen = {client.start}
    shapes: Counter[tuple[str, tuple[str, ...]]] = Counter()
    while waiting and limit > 0:
        url, origin, link = waiting.popleft()
        shapes[shape(url)] += 1
        if shapes[shape(url)] > MAX_PER_SHAPE:
            continue
        exchange = client.get(url, 'crawl', origin, headers={'Accept': accept}, accept=accept, link=link)
        limit -= 1
        if exchange.response.status in MISSING and origin is not None:
            client.send('OPTIONS', url, 'options-missing', exchange)
        for next_link in sorted(links(exchange), key=priority):
            target = client.resolve(url, next_link.href)
            # Only a page that is reached by `next` shows whether it repeats the page before it.
            if target is not None and (target not in seen or next_link.rel == 'next'):
                seen.add(target)
                waiting.append((target, exchange, next_link))


def samples(record: Sequence[Exchange], count: int) -> list[Exchange]:
    """Return at most `count` successful fetches of different shapes, in varying formats if possible."""
    by_shape: dict[tuple[str, tuple[str, ...]], list[Exchange]] = {}
    for exchange in record:
        if exchange.purpose == 'crawl' and exchange.is_fetch:
            by_shape.setdefault(shape(exchange.request.url), []).append(exchange)
    return [same[number % len(same)] for number, same in enumerate(by_shape.values())][:count]
