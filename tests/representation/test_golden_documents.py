"""Golden documents: the responses of the application in each format, byte for byte.

The files under `golden/` are responses to the requests in CASES. JSON is indented, and keeps its order. What
differs from run to run is replaced: ids by small numbers in order of creation (users 1 and 2, posts 3 to 7),
cursors by `cursor-3`, request ids by `request-id`. Asset names lose the fingerprint of their content.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.client import HAL, HAL_FORMS, HTML, JSON, JSON_API, PROBLEM, ApiResponse, Client
from tests.clock import MovableClock
from tests.conftest import Start
from tests.golden import IS_WRITING, check_golden

pytestmark = pytest.mark.above_databases

GOLDEN = Path(__file__).parent / 'golden'
ACCEPT = {
    'hal': HAL,
    'hal-forms': HAL_FORMS,
    'json-api': JSON_API,
    'html': HTML,
    'problem': HAL,
    'json': JSON,
}
DOCUMENT_FORMATS = ('hal', 'hal-forms', 'json-api', 'html')
ERROR_FORMATS = ('problem', 'json-api', 'html', 'json')
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class StillClock(MovableClock):
    """A clock that only a test moves; it raises `exception` if that is set."""

    exception: Exception | None = None

    def __call__(self) -> int:
        if self.exception is not None:
            raise self.exception
        return self.now


@pytest.fixture
def clock() -> StillClock:
    return StillClock(round(NOON.timestamp() * 1000))


class World:
    """Ada with five posts, of which she edited the fourth, and Grace, who follows her."""

    def __init__(self, app: Any, clock: StillClock) -> None:
        self.clock = clock
        self.anonymous = Client(app)
        self.ada = self._register('ada', about_me='I write <b>programs</b> & notes.')
        self.grace = self._register('grace')
        ids = [self.ada.me().json['id'], self.grace.me().json['id']]
        self.user, self.follower = self.ada.me().href('self'), self.grace.me().href('self')
        self.grace.get(self.user).submit('follow')
        posts = [self._publish(body) for body in ('One.', 'Two.', 'Three.', 'Vier “Wörter”.', 'Five\nlines.')]
        self.post = posts[3].href('self')
        self.clock.move(seconds=60)
        self.ada.get(self.post).submit('edit', body='Four “wörds”.')
        ids += [post.json['id'] for post in posts]
        self.placeholders = {str(id): str(number) for number, id in enumerate(ids, 1)} | {
            urlsafe_b64encode(str(id).encode()).decode(): f'cursor-{number}'
            for number, id in enumerate(ids, 1)
        }

    def _register(self, username: str, **more: str) -> Client:
        self.clock.move(seconds=60)
        self.anonymous.register(username, **more)
        return self.anonymous.sign_in(username)

    def _publish(self, body: str) -> ApiResponse:
        self.clock.move(seconds=60)
        return self.ada.publish(body)

    def make_requests_fail(self) -> None:
        """Make every request fail from now on."""
        self.clock.exception = RuntimeError('the clock failed')


@pytest.fixture
def world(start: Start, clock: StillClock) -> World:
    return World(start(), clock)


Send = Callable[[World, str], ApiResponse]


class Case(NamedTuple):
    """A request, the status of its response, and the formats in which it is recorded."""

    send: Send
    status: int = 200
    formats: tuple[str, ...] = DOCUMENT_FORMATS


def page(size: int, number: int, accept: str) -> str:
    """Return the query for a page of a collection."""
    return (
        f'?page[size]={size}&page[number]={number}'
        if accept == JSON_API
        else f'?per_page={size}&page={number}'
    )


def register_invalid_user(world: World, accept: str) -> ApiResponse:
    values = {'username': 'a b', 'email': 'nowhere', 'password': 'short'}
    content_type = JSON_API if accept == JSON_API else JSON
    body = {'data': {'type': 'users', 'attributes': values}} if accept == JSON_API else values
    return world.anonymous.request(
        'POST', '/api/users', accept=accept, headers={'Content-Type': content_type}, body=json.dumps(body)
    )


def edit_with_another_id(world: World, accept: str) -> ApiResponse:
    body = json.dumps({'data': {'type': 'posts', 'id': '3', 'attributes': {'body': 'Hello.'}}})
    return world.ada.request(
        'PATCH', world.post, accept=accept, headers={'Content-Type': JSON_API}, body=body
    )


def fail_internally(world: World, accept: str) -> ApiResponse:
    world.make_requests_fail()
    return world.ada.get('/api/users', accept=accept)


CASES = {
    'entry_point_anonymous': Case(lambda world, accept: world.anonymous.get('/api', accept=accept)),
    'entry_point_signed_in': Case(lambda world, accept: world.ada.get('/api', accept=accept)),
    'user': Case(lambda world, accept: world.grace.get(world.user, accept=accept)),
    'own_user': Case(lambda world, accept: world.ada.get(world.user, accept=accept)),
    'post': Case(lambda world, accept: world.grace.get(world.post, accept=accept)),
    'own_post': Case(lambda world, accept: world.ada.get(world.post, accept=accept)),
    'page_of_posts': Case(
        lambda world, accept: world.grace.get(f'{world.user}/posts{page(2, 2, accept)}', accept=accept)
    ),
    'empty_page': Case(lambda world, accept: world.ada.get(f'{world.user}/following', accept=accept)),
    'relationship': Case(
        lambda world, accept: world.ada.get(f'{world.follower}/relationships/following', accept=accept),
        formats=('json-api',),
    ),
    'user_with_posts': Case(
        lambda world, accept: world.grace.get(
            f'{world.user}?include=posts&fields[posts]=body', accept=accept
        ),
        formats=('json-api',),
    ),
    'validation_error': Case(register_invalid_user, 400, ERROR_FORMATS),
    'parameter_error': Case(
        lambda world, accept: world.ada.get(f'/api/users{page(101, 0, accept)}', accept=accept),
        400,
        ERROR_FORMATS,
    ),
    'unauthenticated': Case(
        lambda world, accept: world.anonymous.get('/api/users', accept=accept), 401, ERROR_FORMATS
    ),
    'not_found': Case(
        lambda world, accept: world.ada.get('/api/users/99', accept=accept), 404, ERROR_FORMATS
    ),
    'wrong_resource': Case(edit_with_another_id, 409, ('json-api', 'problem')),
    'internal_error': Case(fail_internally, 500, ERROR_FORMATS),
}


def path_of(name: str, format: str) -> Path:
    return GOLDEN / format / f'{name}.{"html" if format == "html" else "json"}'


RUNS = [(name, format) for name, case in CASES.items() for format in case.formats]


@pytest.mark.parametrize(('name', 'format'), RUNS)
def test_document_is_as_recorded(world: World, name: str, format: str) -> None:
    case, accept = CASES[name], ACCEPT[format]
    response = case.send(world, accept)
    content_type = PROBLEM if format == 'problem' else accept
    assert (response.status, response.content_type) == (case.status, content_type)
    placeholders = world.placeholders | {response.request_id: 'request-id'}
    check_golden(path_of(name, format), readable(response, placeholders))


def readable(response: ApiResponse, placeholders: dict[str, str]) -> str:
    """Return the document as it is recorded."""
    pattern = '|'.join(map(re.escape, placeholders))
    text = re.sub(pattern, lambda match: placeholders[match[0]], response.text)
    if response.content_type == HTML:
        text = re.sub(r'hsl\([0-9]+ ', 'hsl(0 ', text)  # follows from the id
        return re.sub(r'(/static/\w+)\.[0-9a-f]+\.', r'\1.', text)
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + '\n'


@pytest.mark.skipif(IS_WRITING, reason='files are being written')
def test_every_recorded_document_is_compared() -> None:
    assert set(GOLDEN.rglob('*.*')) == {path_of(name, format) for name, format in RUNS}
