"""Users who act continuously, and record what the service acknowledged."""

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

PEOPLE = 4
THINKING_SECONDS = 0.01
RESPONSE_SECONDS = 30.0
RETRY_SECONDS = 20.0  # of a client that retries every request
PAUSE_SECONDS = 0.25
REGISTRATION_SECONDS = 0.1  # keeps the registrations of one IP address below their limit
PASSWORD = 'correct horse'


class Row(NamedTuple):
    """The result of a load: a line of the table."""

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
    """Return the rows as text; failed requests were not acknowledged."""
    heads = ('', 'requests', 'failed', 'lost', 'duplicated', 'miscounted', '500s', 'longest gap')
    lines = [heads, *((*map(str, row[:-1]), f'{row.longest_gap:.1f} s') for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return '\n'.join(
        '  '.join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines
    )


class Caller:
    """One connection to the service, with the times and numbers of its requests.

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
        """Return the status and the document of a response, status 0 if there was none.

        Failed requests are retried: every method but POST is idempotent (RFC 9110 §9.2.2), and a POST has an
        Idempotency-Key. 409 means that the first one is still being processed, 401 a rejected token.
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
        """Return a document, which must exist."""
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


class Person:
    """A user who publishes, reads, deletes, follows and unfollows.

    `published` has the texts of the posts whose publication was acknowledged, by URL; `deleted` the texts of
    those whose deletion was acknowledged; `registered` the email addresses whose registration was
    acknowledged. Unacknowledged writes are in none of them, since they may or may not have taken effect.
    """

    def __init__(self, origin: str, name: str, retry_seconds: float) -> None:
        self.caller = Caller(origin, retry_seconds, self.sign_in)
        self.name = name
        self.published: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.registered: list[str] = []
        self.follows: bool | None = False
        self._numbers = itertools.count()

    def sign_up(self) -> None:
        """Register and sign in, before anything fails."""
        self.links = self.caller.get('/api')['_links']
        status = self.register(self.name)
        assert status == 201, status
        status = self.sign_in()
        assert status == 200, status
        self.links = self.caller.get('/api')['_links']
        self.id = self.caller.get(self.href('hc:me'))['id']

    def register(self, name: str) -> int:
        """Register a user, and return the status."""
        email = f'{name}@example.org'
        person = {'username': name, 'password': PASSWORD, 'email': email}
        status, _ = self.caller.request('POST', self.href('hc:users'), person)
        if status == 201:
            self.registered.append(email)
        return status

    def sign_in(self) -> int:
        """Sign in, and return the status."""
        credentials = {'username': self.name, 'password': PASSWORD}
        status, document = self.caller.request('POST', self.href('hc:tokens'), credentials)
        if status == 200:
            self.caller.token = document['token']
        return status

    def href(self, rel: str) -> str:
        return str(self.links[rel]['href'])

    def set_followee(self, other: Person) -> None:
        """Set the user to follow and unfollow."""
        user = self.caller.get(self.href('hc:user').replace('{id}', str(other.id)))
        self.follow_url = str(user['_links']['hc:follow']['href'])

    def act(self) -> None:
        """Perform one random action."""
        random.choices((self.publish, self.read, self.delete, self.toggle), (5, 3, 1, 1))[0]()

    def publish(self) -> None:
        text = f'{self.name} {next(self._numbers)}'
        status, post = self.caller.request('POST', self.href('hc:posts'), {'body': text})
        if status == 201:
            self.published[post['_links']['self']['href']] = text

    def read(self) -> None:
        self.caller.request('GET', self.href(random.choice(('hc:posts', 'hc:feed', 'hc:users', 'hc:me'))))

    def delete(self) -> None:
        if self.published:
            href = random.choice([*self.published])
            text = self.published.pop(href)
            status, _ = self.caller.request('DELETE', href)
            if status in (204, 404):  # 404 if the response was lost and the request retried
                self.deleted.add(text)

    def toggle(self) -> None:
        should_follow = not self.follows
        self.follows = None
        status, _ = self.caller.request('PUT' if should_follow else 'DELETE', self.follow_url)
        if status in (200, 201, 204):
            self.follows = should_follow


class Registrar(Person):
    """A user who registers others."""

    def act(self) -> None:
        """Register another user."""
        self.register(f'{self.name}_{next(self._numbers)}')
        time.sleep(REGISTRATION_SECONDS)


class Load:
    """Users who act for the duration of a block."""

    def __init__(
        self, origin: str, kind: type[Person] = Person, *, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        suffix = f'{time.time_ns():x}'
        self.people = [kind(origin, f'p{number}_{suffix}', retry_seconds) for number in range(PEOPLE)]
        for person in self.people:
            person.sign_up()
        for person, other in zip(self.people, [*self.people[1:], self.people[0]], strict=True):
            person.set_followee(other)
            person.caller.requests = 0
        self._is_over = threading.Event()
        self._errors: list[BaseException] = []

    def __enter__(self) -> Load:
        self.started = time.monotonic()
        self._threads = [threading.Thread(target=self._run, args=(person,)) for person in self.people]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        self.ended = time.monotonic()

    def _run(self, person: Person) -> None:
        try:
            while not self._is_over.is_set():
                person.act()
                time.sleep(THINKING_SECONDS)
        except BaseException as error:  # it is raised by evaluate
            self._errors.append(error)

    def evaluate(self, name: str) -> Row:
        """Compare the data with what was acknowledged, and return the result."""
        if self._errors:
            raise self._errors[0]
        callers = [person.caller for person in self.people]
        during = [time for caller in callers for time in caller.times if time > self.started]
        times = sorted((self.started, *during, self.ended))
        counted = {'requests': sum(caller.requests for caller in callers)}
        counted['failed'] = sum(caller.failed for caller in callers)
        lost = duplicated = miscounted = 0
        for person in self.people:
            user = person.caller.get(person.href('hc:me'))
            texts = [post['body'] for post in person.caller.items(user['_links']['hc:posts']['href'])]
            followed = [entry['id'] for entry in person.caller.items(user['_links']['hc:following']['href'])]
            followers = person.caller.items(user['_links']['hc:followers']['href'])
            lost += len(set(person.published.values()).difference(texts)) + len(
                person.deleted.intersection(texts)
            )
            lost += person.follows is not None and person.follows != bool(followed)
            duplicated += len(texts) - len(set(texts))
            miscounted += (user['post_count'], user['following_count'], user['follower_count']) != (
                len(texts),
                len(followed),
                len(followers),
            )
        miscounted += self._miscounted_totals()
        errors = sum(caller.errors for caller in callers)
        for caller in callers:
            caller.close()
        gap = max(later - earlier for earlier, later in itertools.pairwise(times))
        return Row(
            name,
            **counted,
            lost=lost,
            duplicated=duplicated,
            miscounted=miscounted,
            errors=errors,
            longest_gap=gap,
        )

    def _miscounted_totals(self) -> int:
        """Return the number of collections with a wrong total."""
        person = self.people[0]
        hrefs = [person.href('hc:posts'), person.href('hc:users')]
        return sum(
            person.caller.get(href)['_meta']['total_items'] != len(person.caller.items(href))
            for href in hrefs
        )
