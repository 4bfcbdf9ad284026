"""Every response that the OpenAPI document describes occurs, and every body that it describes is accepted."""

from __future__ import annotations

import copy
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from service import urls
from service.app import create_app, make_routes
from service.config import Settings
from service.database.errors import Unavailable
from service.database.session import Session
from service.domain.throttle import REGISTRATION, address_subjects, count_attempt
from service.graceful_shutdown import Shutdown
from service.representation.url_builder import UrlBuilder
from service.resources.openapi import description as openapi
from tests.client import FORM, HTML, JSON, JSON_API, ORIGIN, ApiResponse, Client
from tests.clock import MovableClock
from tests.conftest import sign_up
from tests.databases import TestDatabase
from tests.description import DescribedOperation, Description
from tests.preparation import Preparation
from tests.routes import World

pytestmark = pytest.mark.above_databases

RELATIONSHIPS = {
    '/api/users': ('following', 'users'),
    '/api/posts': ('author', 'users'),
    '/api/stores': ('owner', 'users'),
}
DOCUMENT = openapi.Description(make_routes()).at(UrlBuilder(ORIGIN))
DESCRIPTION = Description(DOCUMENT)
OPERATIONS = DESCRIPTION.operations()


def successful_responses() -> Iterator[Any]:
    """Yield every operation with each status below 400, and each media type of its content, if any."""
    for operation in OPERATIONS:
        for status in (int(name) for name in operation.operation['responses'] if name != '5XX'):
            if status < 400:
                for media_type in DESCRIPTION.response(operation.operation, status).get('content', [None]):
                    yield pytest.param(operation, status, media_type, id=f'{operation} {status} {media_type}')


def request_bodies() -> Iterator[Any]:
    """Yield every operation with each media type of its body."""
    for operation in OPERATIONS:
        for media_type in operation.operation.get('requestBody', {}).get('content', ()):
            yield pytest.param(operation, media_type, id=f'{operation} {media_type}')


def operations_with(status: int) -> list[DescribedOperation]:
    """Return the operations with a described response of the status."""
    return [operation for operation in OPERATIONS if str(status) in operation.operation['responses']]


def is_public(operation: DescribedOperation) -> bool:
    """Return whether the operation needs no credentials according to its description."""
    return operation.operation['security'] != [{'bearer': []}]


class FailingClock(MovableClock):
    """A clock that raises `exception`, if it is set."""

    exception: Exception | None = None

    def __call__(self) -> int:
        if self.exception is not None:
            raise self.exception
        return super().__call__()


@pytest.fixture
def clock() -> FailingClock:
    return FailingClock()


@pytest.fixture
def ada(client: Client, preparation: Preparation) -> Client:
    """Ada, with the password in the examples."""
    password = example('/api/users', 'POST')['password']
    sign_up_ada = partial(sign_up, client, 'ada', password)
    return Client(client.app, preparation.run('ada with the password of the examples', sign_up_ada))


def example(template: str, method: str, media_type: str = JSON) -> dict[str, Any]:
    """Return a copy of the example of a body in the media type."""
    content = DOCUMENT['paths'][template][method.lower()]['requestBody']['content']
    (body,) = DESCRIPTION.resolve(content[media_type]['schema'])['examples']
    value: dict[str, Any] = copy.deepcopy(body)
    return value


def body_of(world: World, operation: DescribedOperation, media_type: str) -> dict[str, Any]:
    """Return the example of a body with the ids of this world."""
    body = example(operation.template, operation.method, media_type)
    data = body.get('data', {})
    if isinstance(data, list):
        data[0]['id'] = str(world.values['other_id'])
    elif 'id' in data:
        data['id'] = '-'.join(str(world.values[name]) for name in re.findall(r'{(\w+)}', operation.template))
    return body


def send(
    world: World,
    operation: DescribedOperation,
    *,
    by: Client | None = None,
    href: str | None = None,
    media_type: str = JSON,
    more: dict[str, Any] | None = None,
    **options: Any,
) -> ApiResponse:
    """Send the described request, by default as Ada, with `more` as additional members of its body."""
    if '/relationships/' in operation.template:
        options, media_type = {'accept': JSON_API} | options, JSON_API
    if 'requestBody' in operation.operation and 'body' not in options:
        body = body_of(world, operation, media_type) | (more or {})
        options['body'] = urlencode(body).encode() if media_type == FORM else orjson.dumps(body)
        options['headers'] = {'Content-Type': media_type} | options.get('headers', {})
    href = href or world.url(operation.template)
    return (by or world.ada).request(operation.method, href, **options)


def send_for_success(world: World, operation: DescribedOperation, **options: Any) -> ApiResponse:
    """Send a request that succeeds: anonymously if possible, and with a name that is not taken."""
    anonymous = Client(world.ada.app)
    if operation.operation['operationId'] == 'postUsers':
        world.ada.delete(world.ada.me().href('self'))
    return send(world, operation, by=anonymous if is_public(operation) else world.ada, **options)


@pytest.mark.parametrize(('operation', 'status', 'media_type'), [*successful_responses()])
def test_every_described_success_occurs(
    world: World, operation: DescribedOperation, status: int, media_type: str | None
) -> None:
    options: dict[str, Any] = {'accept': media_type}
    if status == 303:
        options = {'accept': HTML, 'media_type': FORM}
    elif status == 304:
        options = {'headers': {'If-None-Match': '*'}}
    elif status == 204:
        options = {'headers': {'Prefer': 'return=minimal'}}
        if operation.template.endswith('/relationships/following'):
            options['accept'] = JSON_API
    if operation.operation['operationId'] == 'putFollow' and status not in (200, 204):
        send(world, operation._replace(method='DELETE', operation={}))
    response = send_for_success(world, operation, **options)
    assert response.status == status
    if media_type is not None:
        assert response.content_type == media_type


@pytest.mark.parametrize(('operation', 'media_type'), [*request_bodies()])
def test_every_described_body_is_accepted(
    world: World, operation: DescribedOperation, media_type: str
) -> None:
    assert send_for_success(world, operation, media_type=media_type).status in (200, 201, 204)


def test_exactly_the_operations_described_as_secured_need_a_token(world: World) -> None:
    for operation in OPERATIONS:
        is_rejected = send(world, operation, by=Client(world.ada.app)).status == 401
        assert is_rejected != is_public(operation), str(operation)


def test_every_described_security_scheme_is_accepted(world: World) -> None:
    security = DOCUMENT['paths']['/api/tokens']['post']['security']
    assert security == [{}, {'basic': []}, {'bearer': []}]
    body = example('/api/tokens', 'POST')
    anonymous = Client(world.ada.app)
    assert anonymous.post('/api/tokens', body).status == 200
    name_and_password = b64encode(f'{body["username"]}:{body["password"]}'.encode()).decode()
    basic = {'Authorization': f'Basic {name_and_password}'}
    assert anonymous.request('POST', '/api/tokens', headers=basic).status == 200
    assert world.ada.request('POST', '/api/tokens').status == 200


@pytest.mark.parametrize(
    ('status', 'options'),
    [
        (400, {'headers': {'Host': 'not a host'}}),
        (406, {'accept': 'image/png'}),
        (412, {'headers': {'If-Match': '"another"'}}),
        (413, {'body': b' ' * 70_000, 'headers': {'Content-Type': JSON_API}}),
        (415, {'body': b'text', 'headers': {'Content-Type': 'text/plain'}}),
    ],
)
def test_every_described_problem_occurs(world: World, status: int, options: dict[str, Any]) -> None:
    for operation in operations_with(status):
        assert send(world, operation, **options).status == status, str(operation)


def test_every_operation_describes_and_returns_server_errors(world: World) -> None:
    for operation in OPERATIONS:
        response = send(world, operation, headers={'Transfer-Encoding': 'gzip'})
        assert response.status == 501, str(operation)
        assert operation.operation['responses']['5XX'] == {'$ref': '#/components/responses/ServerError'}


def test_every_described_401_occurs(world: World) -> None:
    invalid = Client(world.ada.app, 'hc_invalid')
    for operation in operations_with(401):
        without_password = {'body': None} if operation.template == '/api/tokens' else {}
        assert send(world, operation, by=invalid, **without_password).status == 401, str(operation)


def test_every_described_403_occurs(world: World) -> None:
    login = {'username': 'bob', 'password': 'correct horse', 'scope': 'read'}
    reader = Client(world.bob.app, Client(world.bob.app).post(urls.TOKENS, login).json['token'])
    for operation in operations_with(403):
        with_id: dict[str, Any] = {}
        if operation.method == 'POST' and '/relationships/' not in operation.template:
            body = body_of(world, operation, JSON_API)
            body['data']['id'] = '1'
            with_id = {'body': orjson.dumps(body), 'headers': {'Content-Type': JSON_API}}
        by = reader if operation.method == 'DELETE' and '{' not in operation.template else world.bob
        assert send(world, operation, by=by, **with_id).status == 403, str(operation)


def test_every_described_404_occurs(world: World) -> None:
    for operation in operations_with(404):
        href = re.sub('{.*?}', 'x', operation.template)
        options: dict[str, Any] = {}
        if href == operation.template:  # a new resource can name a related one that does not exist
            body = body_of(world, operation, JSON_API)
            name, resource_type = RELATIONSHIPS[operation.template]
            missing = {'type': resource_type, 'id': '7'}
            body['data']['relationships'] = {name: {'data': [missing] if name == 'following' else missing}}
            options = {'body': orjson.dumps(body), 'headers': {'Content-Type': JSON_API}}
        assert send(world, operation, href=href, **options).status == 404, str(operation)


def test_every_described_409_occurs(world: World) -> None:
    for operation in operations_with(409):
        other = {'type': 'another', 'id': '1'}
        body = orjson.dumps({'data': [other] if '/relationships/' in operation.template else other})
        response = send(world, operation, body=body, headers={'Content-Type': JSON_API})
        assert response.status == 409, str(operation)


def test_every_described_422_occurs(world: World) -> None:
    key = {'Idempotency-Key': '"one"'}
    mary = {'username': 'mary', 'email': 'mary@example.org'}
    for operation in operations_with(422):
        assert send(world, operation, headers=key, more=mary).status in (200, 201), str(operation)
        assert send(world, operation, headers=key, more=mary | {'x': 1}).status == 422, str(operation)


def test_a_malformed_idempotency_key_has_no_effect(world: World, database: TestDatabase) -> None:
    before = database.rows()
    for operation in operations_with(422):
        response = send(world, operation, headers={'Idempotency-Key': 'two words'})
        assert response.status == 400, str(operation)
        assert 'Idempotency-Key' in response.text
    assert database.rows() == before


def test_an_unknown_parameter_of_a_write_has_no_effect(world: World, database: TestDatabase) -> None:
    before = database.rows()
    for operation in OPERATIONS:
        succeeds = any(status in operation.operation['responses'] for status in ('200', '201', '204'))
        if operation.method == 'GET' or not succeeds:
            continue
        href = f'{world.url(operation.template)}?unknown=1'
        response = send(world, operation, href=href, accept=JSON_API)
        assert response.status == 400, str(operation)
        assert response.json['errors'][0]['source'] == {'parameter': 'unknown'}
    assert database.rows() == before


def test_every_described_429_occurs(world: World, db: Session) -> None:
    ip_address = '192.0.2.1'
    for _ in range(REGISTRATION.attempts):
        count_attempt(db, address_subjects((REGISTRATION,), ip_address))
    for operation in operations_with(429):
        taken_email = {'email': 'bob@example.org'} if operation.template == '/api/users/{user_id}' else {}
        statuses = [
            send(world, operation, more=unknown_user(number) | taken_email, remote_addr=ip_address).status
            for number in range(120)
        ]
        assert 429 in statuses, str(operation)


def unknown_user(number: int) -> dict[str, str]:
    """Return the name and the email of a user that does not exist, and a wrong password."""
    name = f'user{number}'
    return {'username': name, 'email': f'{name}@example.org', 'current_password': 'wrong horse'}


@pytest.mark.parametrize(
    ('status', 'exception'),
    [(500, RuntimeError('the clock failed')), (503, Unavailable('the database is down'))],
)
def test_every_described_server_error_occurs(
    world: World, clock: FailingClock, status: int, exception: Exception
) -> None:
    clock.exception = exception
    for operation in OPERATIONS:
        if operation.operation['security']:
            without_password = {'body': None} if operation.template == '/api/tokens' else {}
            assert send(world, operation, **without_password).status == status, str(operation)


def test_the_503_of_a_server_that_is_shutting_down_is_described(tmp_path: Path) -> None:
    shutdown = Shutdown()
    shutdown.begin(3600, lambda: None)
    settings = Settings.from_environment({'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db'})
    assert Client(create_app(settings, shutdown=shutdown)).get(urls.READY).status == 503
    assert '5XX' in DOCUMENT['paths'][urls.READY]['get']['responses']


def test_every_described_status_is_tested_here() -> None:
    tested = {'200', '201', '204', '303', '304', '308'}
    tested |= {'400', '401', '403', '404', '406', '409', '412', '413', '415', '422', '429', '5XX'}
    described = {status for operation in OPERATIONS for status in operation.operation['responses']}
    assert described == tested
