"""A browser without scripts, which stores cookies, follows redirects, and submits the forms of its page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import falcon.testing

from tests.client import FORM, ORIGIN
from tests.html import Page

ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
SAME_ORIGIN = {'Sec-Fetch-Site': 'same-origin', 'Origin': ORIGIN}
REDIRECT = 303


class PlainBrowser:
    """A browser at one origin; `result` is the last response, `page` its content, `url` its URL."""

    def __init__(self, app: Any, origin: str = ORIGIN) -> None:
        self.app = app
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []
        self.url = f'{origin}/api'

    @property
    def status(self) -> int:
        return int(self.result.status_code)

    @property
    def text(self) -> str:
        return str(self.result.text)

    @property
    def page(self) -> Page:
        return Page(self.text)

    def send(self, method: str, url: str, *, headers: dict[str, str] | None = None, body: str = '') -> int:
        """Send one request with the cookies, store those of the response, and return its status."""
        parts = urlsplit(url)
        cookies = '; '.join(f'{name}={value}' for name, value in self.cookies.items())
        all_headers = {'Accept': ACCEPT, **({'Cookie': cookies} if cookies else {}), **(headers or {})}
        self.result = falcon.testing.simulate_request(
            self.app,
            method,
            parts.path,
            query_string=parts.query,
            headers=all_headers,
            host=urlsplit(self.origin).netloc,
            protocol=urlsplit(self.origin).scheme,
            body=body or None,
        )
        self.url = url
        set_cookie = self.result.headers.get('set-cookie')
        self.set_cookies = [set_cookie] if set_cookie else []
        for cookie in self.set_cookies:
            name, _, value = cookie.partition(';')[0].partition('=')
            self.cookies[name] = value
            if 'Max-Age=0' in cookie:
                del self.cookies[name]
        return self.status

    def open(self, url: str, **headers: str) -> int:
        return self.send('GET', url, headers=headers)

    def post(self, url: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> int:
        """Post a form, and follow the redirect to a page."""
        all_headers = {'Content-Type': FORM, **(SAME_ORIGIN if headers is None else headers)}
        status = self.send('POST', url, headers=all_headers, body=urlencode(fields))
        if status == REDIRECT:
            self.redirect_cookies = self.set_cookies
            return self.open(self.result.headers['location'])
        return status

    def fields_of(self, form: str) -> tuple[str, dict[str, str]]:
        """Return the target and the current fields of a form of the page."""
        for attributes, fields in self.page.forms():
            if form in (attributes.get('data-form'), attributes.get('id')):
                return attributes['action'] or '', fields
        raise AssertionError(f'the page has no form {form}')

    def submit(self, form: str, headers: dict[str, str] | None = None, **values: str) -> int:
        """Fill in a form of the page and submit it."""
        target, fields = self.fields_of(form)
        return self.post(target, fields | values, headers)
