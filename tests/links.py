"""Checks that every link in responses is below a base URL and can be followed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

WITH_EXAMPLES = {'openapi.json', 'docs', 'rels'}  # segments of URLs whose documents contain example URLs


class Response(NamedTuple):
    """A response, with the names of its headers in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


def check_links(response: Response, base: str) -> None:
    """Assert that every URL of the origin in the response is below the base."""
    parts = urlsplit(base)
    urls_outside = rf'{parts.scheme}://{re.escape(parts.netloc)}(?!{parts.path}(?:[/"?#<&]|$))'
    assert not re.findall(urls_outside, response.text)
    assert not re.findall(rf"""(?:href|src|action)=['"]/(?!{parts.path[1:]}/)""", response.text)
    for name in ('location', 'content-location'):
        assert response.headers.get(name, base).startswith(base)


def links_of(response: Response, base: str) -> list[str]:
    """Return the URLs in a document, a page or a Link header that can be requested with GET."""
    text = re.sub('<a href="[^"]*" rel="nofollow', '', response.text)
    no_form_target = '(?<!action=)(?<!"target":)'
    urls = re.findall(rf'{no_form_target}"({re.escape(base)}/[^"]*)"', text)
    urls += [urljoin(base, url) for url in re.findall(r'(?:href|src)="(/[^"]*)"', text)]
    urls += re.findall(r'<([^>]*)>', response.headers.get('link', ''))
    expanded = (
        re.sub('[#{].*', '', re.sub('{[?&].*', '', url)) for url in urls if not re.search('{[^?&]', url)
    )
    return [url.replace('&amp;', '&') for url in expanded if not url.endswith('/password')]


def follow_all(get: Callable[[str], Response], base: str) -> set[str]:
    """Follow every link, starting at the entry point, and return the URLs; every response must be 200."""
    urls, seen = [f'{base}/api'], set[str]()
    while urls:
        url = urls.pop()
        if url in seen or not url.startswith(f'{base}/'):
            continue
        seen.add(url)
        response = get(url)
        assert response.status == 200, (url, response.text)
        check_links(response, base)
        if not WITH_EXAMPLES & {*url.split('/')}:
            urls += links_of(response, base)
    return seen
