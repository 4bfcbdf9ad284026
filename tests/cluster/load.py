"""Virtual users, who send requests continuously and record which writes were acknowledged."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

USERS = 4
THINK_SECONDS = 0.01
RESPONSE_SECONDS = 30.0
RETRY_SECONDS = 20.0  # for which a client retries a request
PAUSE_SECONDS = 0.25  # before a retry
REGISTRATION_SECONDS = 0.1  # keeps the registrations of one IP address below their limit
PASSWORD = 'correct horse'


class Row(NamedTuple):
    """The result of a scenario: a row of the table."""

    name: str
    requests: int
    failed: int
    lost: int
    duplicated: int
    miscounted: int
    errors: int
    longest_gap: float

    @property
    def is_correct(self) -> bool:
        return not (self.lost or self.duplicated or self.miscounted or self.errors)


def table(rows: list[Row]) -> str:
    """Return the rows as a table in text."""
    headings = ('', 'requests', 'failed', 'lost', 'duplicated', 'miscounted', '500s', 'longest gap')
    lines = [headings, *((*map(str, row[:-1]), f'{row.longest_gap:.1f} s') for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return '\n'.join(
        '  '.join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines
    )


class RetryingClient:
    """A client with one connection, which retries requests and records their times and numbers.

    If its token is rejected, it calls `sign_in`.
    """

    def __init__(self, origin: str, retry_seconds: float, sign_in: Callable[[], object]) -> None:
        self._url = urlsplit(origin)
        self._retry_seconds = retry_seconds
        self._sign_in = sign_in
        self._connection: http.client.HTTPConnection | None = None
        self.token = ''
        self.times: list[float] = []
        self.requests = self.failed = self.errors = self.rejected_tokens = 0
        self.longest_wait = 0.0  # for one response of any status

    def request(
        self, method: str, href: str, body: dict[str, str] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """Return the status and the document of the last response, status 0 if there was none.

        Retrying is safe: every method but POST is idempotent (RFC 9110 §9.2.2), and a POST has an
        Idempotency-Key. 409 is retried, too: an earlier attempt is still being processed; and 401.
        """
        self.requests += 1
        key = key or uuid.uuid4().hex
        until = time.monotonic() + self._retry_seconds
        while True:
            sent = time.monotonic()
            status, document = self._send(method, href, body, key)
            self.longest_wait = max(self.longest_wait, time.monotonic() - sent)
            self.errors += status == 500
            if 0 < status < 500 and status not in (401, 409):
                self.failed += status >= 400 and status != 404  # 404 is the response to a repeated DELETE
                self.times.append(time.monotonic())
                return status, document
            if time.monotonic() > until:
                self.failed += 1
                return status, document
            if status == 401 and self.token:
                self.rejected_tokens += 1
                self.token = ''
                self._sign_in()
            else:
                time.sleep(PAUSE_SECONDS)

    def _send(self, method: str, href: str, body: dict[str, str] | None, key: str) -> tuple[int, Any]:
        headers = {'Accept': 'application/hal+json', 'Content-Type': 'application/json'}
        if method == 'POST':
            headers['Idempotency-Key'] = f'"{key}"'
        if self.token:
            headers['Authorization'] = f'Bearer {self.token}'
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._url.netloc, timeout=RESPONSE_SECONDS)
        parts = urlsplit(href)
        try:
            self._connection.request(
                method,
                parts.path + (f'?{parts.query}' if parts.query else ''),
                None if body is None else json.dumps(body),
                headers,
            )
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, {}
        is_json = 'json' in response.headers.get('Content-Type', '')
        return response.status, json.loads(text) if is_json and text else {}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, href: str) -> Any:
        """Return the document at a URL; raises AssertionError if there is none."""
        status, document = self.request('GET', href)
        assert status == 200, (status, document)
        return document

    def items(self, href: str) -> list[Any]:
        """Return all entries of a collection, from all pages."""
        entries: list[Any] = []
        document = self.get(f'{href}?per_page=100')
        while True:
            entries += document['_embedded']['item']
            next_link = document['_links'].get('next')
            if next_link is None:
                return entries
            document = self.get(next_link['href'])


class VirtualUser:
    """A user who publishes, reads, deletes, follows and unfollows.

    `published` has the texts of posts by URL, `deleted` the texts of deleted posts, and `registered` email
    addresses. They contain acknowledged writes only: others may or may not have taken effect. `follows` is
    None while that is unknown.
    """

    def __init__(self, origin: str, name: str, retry_seconds: float) -> None:
        self.client = RetryingClient(origin, retry_seconds, self.sign_in)
        self.name = name
        self.published: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.registered: list[str] = []
        self.follows: bool | None = False
        self._numbers = itertools.count()

    def sign_up(self) -> None:
        """Register and sign in, before anything fails."""
        self.links = self.client.get('/api')['_links']
        status = self.register(self.name)
        assert status == 201, status
        status = self.sign_in()
        assert status == 200, status
        self.links = self.client.get('/api')['_links']
        self.id = self.client.get(self.href('hc:me'))['id']

    def register(self, name: str) -> int:
        """Register a user, and return the status."""
        email = f'{name}@example.org'
        values = {'username': name, 'password': PASSWORD, 'email': email}
        status, _ = self.client.request('POST', self.href('hc:users'), values)
        if status == 201:
            self.registered.append(email)
        return status

    def sign_in(self) -> int:
        """Sign in, and return the status."""
        credentials = {'username': self.name, 'password': PASSWORD}
        status, document = self.client.request('POST', self.href('hc:tokens'), credentials)
        if status == 200:
            self.client.token = document['token']
        return status

    def href(self, rel: str) -> str:
        return str(self.links[rel]['href'])

    def set_followee(self, other: VirtualUser) -> None:
        """Set the user to follow and unfollow."""
        profile = self.client.get(self.href('hc:user').replace('{id}', str(other.id)))
        self.follow_url = str(profile['_links']['hc:follow']['href'])

    def act(self) -> None:
        """Perform one random action."""
        random.choices((self.publish, self.read, self.delete, self.toggle_follow), (5, 3, 1, 1))[0]()

    def publish(self) -> None:
        text = f'{self.name} {next(self._numbers)}'
        status, post = self.client.request('POST', self.href('hc:posts'), {'body': text})
        if status == 201:
            self.published[post['_links']['self']['href']] = text

    def read(self) -> None:
        self.client.request('GET', self.href(random.choice(('hc:posts', 'hc:feed', 'hc:users', 'hc:me'))))

    def delete(self) -> None:
        if self.published:
            href = random.choice([*self.published])
            text = self.published.pop(href)
            status, _ = self.client.request('DELETE', href)
            if status in (204, 404):  # 404 if the response was lost and the request retried
                self.deleted.add(text)

    def toggle_follow(self) -> None:
        should_follow = not self.follows
        self.follows = None
        status, _ = self.client.request('PUT' if should_follow else 'DELETE', self.follow_url)
        if status in (200, 201, 204):
            self.follows = should_follow


class Registrar(VirtualUser):
    """A user who registers others."""

    def act(self) -> None:
        """Register another user."""
        self.register(f'{self.name}_{next(self._numbers)}')
        time.sleep(REGISTRATION_SECONDS)


class Load:
    """Virtual users who send requests for the duration of a block."""

    def __init__(
        self, origin: str, kind: type[VirtualUser] = VirtualUser, *, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        suffix = f'{time.time_ns():x}'
        self.users = [kind(origin, f'p{number}_{suffix}', retry_seconds) for number in range(USERS)]
        for user in self.users:
            user.sign_up()
        for user, other in zip(self.users, [*self.users[1:], self.users[0]], strict=True):
            user.set_followee(other)
            user.client.requests = 0
        self._is_over = threading.Event()
        self._errors: list[BaseException] = []

    def __enter__(self) -> Load:
        self.started = time.monotonic()
        self._threads = [threading.Thread(target=self._run, args=(user,)) for user in self.users]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        self.ended = time.monotonic()

    def _run(self, user: VirtualUser) -> None:
        try:
            while not self._is_over.is_set():
                user.act()
                time.sleep(THINK_SECONDS)
        except BaseException as error:  # evaluate raises it
            self._errors.append(error)

    def evaluate(self, name: str) -> Row:
        """Compare the stored data with the acknowledged writes, and return the result."""
        if self._errors:
            raise self._errors[0]
        clients = [user.client for user in self.users]
        during = [time for client in clients for time in client.times if time > self.started]
        times = sorted((self.started, *during, self.ended))
        requests = sum(client.requests for client in clients)  # without the requests below
        failed = sum(client.failed for client in clients)
        lost = duplicated = miscounted = 0
        for user in self.users:
            profile = user.client.get(user.href('hc:me'))
            texts = [post['body'] for post in user.client.items(profile['_links']['hc:posts']['href'])]
            followed = [entry['id'] for entry in user.client.items(profile['_links']['hc:following']['href'])]
            followers = user.client.items(profile['_links']['hc:followers']['href'])
            lost += len(set(user.published.values()).difference(texts))
            lost += len(user.deleted.intersection(texts))
            lost += user.follows is not None and user.follows != bool(followed)
            duplicated += len(texts) - len(set(texts))
            counters = (profile['post_count'], profile['following_count'], profile['follower_count'])
            miscounted += counters != (len(texts), len(followed), len(followers))
        miscounted += self._miscounted_totals()
        for client in clients:
            client.close()
        gap = max(later - earlier for earlier, later in itertools.pairwise(times))
        return Row(
            name,
            requests=requests,
            failed=failed,
            lost=lost,
            duplicated=duplicated,
            miscounted=miscounted,
            errors=sum(client.errors for client in clients),
            longest_gap=gap,
        )

    def _miscounted_totals(self) -> int:
        """Return the number of collections with a wrong total."""
        user = self.users[0]
        return sum(
            user.client.get(href)['_meta']['total_items'] != len(user.client.items(href))
            for href in (user.href('hc:posts'), user.href('hc:users'))
        )
