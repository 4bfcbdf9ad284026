"""Golden documents: recorded responses of the application in each format, compared byte for byte.

The files under `golden/` are the responses to the requests in CASES. JSON is indented, and keeps its order.
Values that differ from run to run are replaced: ids by small numbers in order of creation (users 1 and 2,
posts 3 to 7), cursors by `cursor-3`, request ids by `request-id`. Asset names lose their fingerprint.
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


class FrozenClock(MovableClock):
    """A clock that moves only when a test moves it; it raises `exception` if that is set."""

    exception: Exception | None = None

    def __call__(self) -> int:
        if self.exception is not None:
            raise self.exception
        return self.now


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(round(NOON.timestamp() * 1000))


class Scenario:
    """Ada with five posts, of which she edited the fourth, and Grace, who follows her."""

    def __init__(self, app: Any, clock: FrozenClock) -> None:
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

    def _register(self, username: str, **fields: str) -> Client:
        self.clock.move(seconds=60)
        self.anonymous.register(username, **fields)
        return self.anonymous.sign_in(username)

    def _publish(self, body: str) -> ApiResponse:
        self.clock.move(seconds=60)
        return self.ada.publish(body)

    def make_requests_fail(self) -> None:
        """Make every request fail from now on."""
        self.clock.exception = RuntimeError('the clock failed')


@pytest.fixture
def scenario(start: Start, clock: FrozenClock) -> Scenario:
    return Scenario(start(), clock)


Send = Callable[[Scenario, str], ApiResponse]


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


def register_invalid_user(scenario: Scenario, accept: str) -> ApiResponse:
    values = {'username': 'a b', 'email': 'nowhere', 'password': 'short'}
    content_type = JSON_API if accept == JSON_API else JSON
    body = {'data': {'type': 'users', 'attributes': values}} if accept == JSON_API else values
    return scenario.anonymous.request(
        'POST', '/api/users', accept=accept, headers={'Content-Type': content_type}, body=json.dumps(body)
    )


def edit_with_another_id(scenario: Scenario, accept: str) -> ApiResponse:
    body = json.dumps({'data': {'type': 'posts', 'id': '3', 'attributes': {'body': 'Hello.'}}})
    return scenario.ada.request(
        'PATCH', scenario.post, accept=accept, headers={'Content-Type': JSON_API}, body=body
    )


def fail_internally(scenario: Scenario, accept: str) -> ApiResponse:
    scenario.make_requests_fail()
    return scenario.ada.get('/api/users', accept=accept)


CASES = {
    'entry_point_anonymous': Case(lambda scenario, accept: scenario.anonymous.get('/api', accept=accept)),
    'entry_point_signed_in': Case(lambda scenario, accept: scenario.ada.get('/api', accept=accept)),
    'user': Case(lambda scenario, accept: scenario.grace.get(scenario.user, accept=accept)),
    'own_user': Case(lambda scenario, accept: scenario.ada.get(scenario.user, accept=accept)),
    'post': Case(lambda scenario, accept: scenario.grace.get(scenario.post, accept=accept)),
    'own_post': Case(lambda scenario, accept: scenario.ada.get(scenario.post, accept=accept)),
    'page_of_posts': Case(
        lambda scenario, accept: scenario.grace.get(
            f'{scenario.user}/posts{page(2, 2, accept)}', accept=accept
        )
    ),
    'empty_page': Case(
        lambda scenario, accept: scenario.ada.get(f'{scenario.user}/following', accept=accept)
    ),
    'relationship': Case(
        lambda scenario, accept: scenario.ada.get(
            f'{scenario.follower}/relationships/following', accept=accept
        ),
        formats=('json-api',),
    ),
    'user_with_posts': Case(
        lambda scenario, accept: scenario.grace.get(
            f'{scenario.user}?include=posts&fields[posts]=body', accept=accept
        ),
        formats=('json-api',),
    ),
    'validation_error': Case(register_invalid_user, 400, ERROR_FORMATS),
    'parameter_error': Case(
        lambda scenario, accept: scenario.ada.get(f'/api/users{page(101, 0, accept)}', accept=accept),
        400,
        ERROR_FORMATS,
    ),
    'unauthenticated': Case(
        lambda scenario, accept: scenario.anonymous.get('/api/users', accept=accept), 401, ERROR_FORMATS
    ),
    'not_found': Case(
        lambda scenario, accept: scenario.ada.get('/api/users/99', accept=accept), 404, ERROR_FORMATS
    ),
    'wrong_resource': Case(edit_with_another_id, 409, ('json-api', 'problem')),
    'internal_error': Case(fail_internally, 500, ERROR_FORMATS),
}


def path_of(name: str, format: str) -> Path:
    return GOLDEN / format / f'{name}.{"html" if format == "html" else "json"}'


RECORDINGS = [(name, format) for name, case in CASES.items() for format in case.formats]


@pytest.mark.parametrize(('name', 'format'), RECORDINGS)
def test_a_response_equals_its_golden_document(scenario: Scenario, name: str, format: str) -> None:
    case, accept = CASES[name], ACCEPT[format]
    response = case.send(scenario, accept)
    content_type = PROBLEM if format == 'problem' else accept
    assert (response.status, response.content_type) == (case.status, content_type)
    placeholders = scenario.placeholders | {response.request_id: 'request-id'}
    check_golden(path_of(name, format), normalize(response, placeholders))


def normalize(response: ApiResponse, placeholders: dict[str, str]) -> str:
    """Return the document as it is recorded, without the values that differ from run to run."""
    pattern = '|'.join(map(re.escape, placeholders))
    text = re.sub(pattern, lambda match: placeholders[match[0]], response.text)
    if response.content_type == HTML:
        text = re.sub(r'hsl\([0-9]+ ', 'hsl(0 ', text)  # the hue is derived from the id
        return re.sub(r'(/static/\w+)\.[0-9a-f]+\.', r'\1.', text)
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + '\n'


@pytest.mark.skipif(IS_WRITING, reason='GOLDEN=write records the documents')
def test_every_golden_document_is_compared() -> None:
    assert set(GOLDEN.rglob('*.*')) == {path_of(name, format) for name, format in RECORDINGS}
