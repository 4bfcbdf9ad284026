"""The OpenAPI document: valid, complete, and in agreement with the server in both directions."""

from __future__ import annotations

import copy
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import falcon.inspect
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from service import urls
from service.app import create_app, make_routes
from service.config import Settings
from service.database.errors import Unavailable
from service.database.ids import is_id
from service.database.session import Session
from service.domain.throttle import REGISTRATION, address_subjects, count_attempt
from service.graceful_shutdown import Shutdown
from service.representation.html import docs_page
from service.representation.json_schema import schema_of_field
from service.representation.parameter_values import ID
from service.representation.url_builder import Features, UrlBuilder
from service.resources.openapi import description as openapi
from service.resources.tokens import LOGIN
from tests.client import FORM, HAL, HAL_FORMS, HTML, JSON, JSON_API, ORIGIN, ApiResponse, Client
from tests.clock import MovableClock
from tests.conftest import Start, sign_up
from tests.databases import TestDatabase
from tests.description import DescribedOperation, Description, description_of
from tests.golden import check_golden
from tests.preparation import Preparation
from tests.routes import World

pytestmark = pytest.mark.above_databases

OPENAPI = 'application/vnd.oai.openapi+json'
MAX_DOCUMENT_BYTES = 250_000  # including the operations of mail
RELATIONSHIPS = {
    '/api/users': ('following', 'users'),
    '/api/posts': ('author', 'users'),
    '/api/stores': ('owner', 'users'),
}
OPERATIONS_FILE = Path(__file__).with_name('openapi_operations.txt')
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


@pytest.mark.parametrize(
    'origin', ['http://h.test', 'https://h.test:81/a/b', 'http://[::1]:81', 'http://h.test/path']
)
def test_the_description_has_the_urls_of_the_server(start: Start, origin: str) -> None:
    expected = openapi.Description(make_routes()).at(UrlBuilder(origin, Features(signed_tokens=True)))
    client = Client(start(BASE_URL=origin))
    assert client.get('/api/openapi.json').json == expected
    if '[' not in origin:  # which shells require to be quoted in the examples
        assert client.get('/api/docs', accept=HTML).text == docs_page(expected)
        assert client.get('/api/docs?open', accept=HTML).text == docs_page(expected, is_open=True)


def test_the_documentation_is_rendered_once_for_all_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.from_environment({'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db'})
    client, pages = Client(create_app(settings)), []
    monkeypatch.setattr(
        'service.resources.discovery.docs_page', lambda *args, **options: pages.append(args) or 'page'
    )
    for host in ('a.test', 'b.test'):
        assert client.get('/api/docs', accept=HTML, headers={'Host': host}).text == 'page'
    assert len(pages) == 1


def test_the_document_is_valid_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_document_is_small() -> None:
    builder = UrlBuilder('http://localhost:8000', Features(mail=True))
    document = openapi.Description(make_routes(has_mail=True)).at(builder)
    assert len(orjson.dumps(document)) < MAX_DOCUMENT_BYTES


def test_exactly_the_served_operations_are_described(app: Any) -> None:
    served = {
        (re.sub(r':id}', '}', route.path), method.method)
        for route in falcon.inspect.inspect_app(app).routes
        for method in route.methods
        if not method.internal
        and route.path != urls.ASSET
        and method.method not in ('HEAD', 'OPTIONS', 'QUERY')
    }
    assert {(operation.template, operation.method) for operation in OPERATIONS} == served


@pytest.mark.parametrize('member', ['operationId', 'summary', 'description'])
def test_every_operation_has_its_own_name_summary_and_description(member: str) -> None:
    values = [operation.operation[member] for operation in OPERATIONS]
    assert all(values)
    assert len(set(values)) == len(values)


def test_public_names_of_operations_are_frozen(start: Start) -> None:
    names = '{operationId} {tags}: {summary}. {description}'
    lines = [
        f'{method} {template} {names.format_map(operation)}\n'
        for template, method, operation in description_of(start(METRICS='on')).operations()
    ]
    check_golden(OPERATIONS_FILE, ''.join(lines))


def test_every_query_parameter_has_a_description() -> None:
    for parameter in DOCUMENT['components']['parameters'].values():
        assert parameter['description'].endswith('.'), parameter['name']


def test_shared_components_are_referenced() -> None:
    for operation in OPERATIONS:
        shared = [*operation.operation.get('parameters', ()), *operation.operation['responses'].values()]
        assert all(list(reference) == ['$ref'] for reference in shared), str(operation)


def test_only_the_405_response_is_an_unused_component() -> None:
    text = orjson.dumps(DOCUMENT).decode()
    unused = [
        f'{section}/{name}'
        for section, components in DOCUMENT['components'].items()
        for name in components
        if section != 'securitySchemes' and f'"#/components/{section}/{name}"' not in text
    ]
    assert unused == ['responses/MethodNotAllowed']


def test_every_array_has_items() -> None:
    assert [schema for schema in array_schemas(DOCUMENT) if 'items' not in schema] == []


def array_schemas(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema of an array in a part of the document."""
    if isinstance(tree, dict):
        if tree.get('type') == 'array':
            yield tree
        for value in tree.values():
            yield from array_schemas(value)


def test_every_body_has_a_valid_example() -> None:
    for content in media_type_objects(DOCUMENT):
        values = [example['value'] for example in content.get('examples', {}).values()]
        values += [content['example']] if 'example' in content else []
        values += DESCRIPTION.resolve(content['schema']).get('examples', [])
        assert values, content
        for value in values:
            DESCRIPTION.validate(content['schema'], value)


def media_type_objects(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every Media Type Object in a part of the document."""
    if isinstance(tree, dict):
        if isinstance(tree.get('content'), dict):
            yield from tree['content'].values()
        for name, value in tree.items():
            if name != 'examples':
                yield from media_type_objects(value)


@pytest.mark.parametrize('name', ['User', 'UserDocument'])
def test_a_schema_rejects_documents_without_a_required_member(name: str) -> None:
    with pytest.raises(ValueError, match='is a required property'):
        DESCRIPTION.validate({'$ref': f'#/components/schemas/{name}'}, {})


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


def test_a_form_and_its_body_schema_have_the_same_rules(ada: Client) -> None:
    form = ada.me().json['_templates']['edit']
    content = DOCUMENT['paths']['/api/users/{user_id}']['put']['requestBody']['content'][form['contentType']]
    rules = DESCRIPTION.resolve(content['schema'])['properties']
    for field in form['properties']:
        assert rules[field['name']].get('maxLength') == field.get('maxLength')
        assert rules[field['name']].get('minLength') == field.get('minLength')
        if 'regex' in field:
            assert rules[field['name']]['pattern'] == field['regex']


@pytest.mark.parametrize(
    'value', ['0', '1', '01', '999999999', '1000000000', '1000000001', '9999999999', '1.5', '']
)
def test_the_pattern_of_a_number_accepts_what_the_server_accepts(value: str) -> None:
    """The schema of `expires_in` accepted the text "0", which the server rejects."""
    (field,) = (field for field in LOGIN.fields if field.name == 'expires_in')
    pattern = schema_of_field(field)['anyOf'][0]['pattern']
    if re.search(pattern, value):
        assert field.read(value) == int(value)
    else:
        with pytest.raises(ValueError, match='must be a number from 1 to 1000000000'):
            field.read(value)


@pytest.mark.parametrize(
    'value', ['1', '999999999999999', '1000000000000000', '8999999999999999', '0', '01', str(2**53)]
)
def test_the_pattern_of_ids_accepts_what_the_server_accepts(value: str) -> None:
    assert bool(re.search(ID['pattern'], value)) == is_id(value)


def test_the_document_has_the_openapi_media_type(client: Client) -> None:
    response = client.get(client.entry().href('service-desc'), accept=OPENAPI)
    assert response.headers['content-type'] == 'application/vnd.oai.openapi+json;version=3.1'


@pytest.mark.parametrize('accept', ['*/*', JSON, HAL, HAL_FORMS, 'text/html'])
def test_clients_that_follow_links_get_the_document_as_json(client: Client, accept: str) -> None:
    assert client.get(client.entry().href('service-desc'), accept=accept).content_type == JSON


@pytest.mark.parametrize('rel', ['service-desc', 'service-doc'])
def test_the_document_is_cacheable_by_anyone(client: Client, rel: str) -> None:
    response = client.follow(rel)
    assert response.status == 200
    assert response.headers['cache-control'].startswith('public')
    again = client.get(client.entry().href(rel), headers={'If-None-Match': response.etag})
    assert again.status == 304


def test_the_etag_of_the_document_differs_by_media_type(client: Client) -> None:
    href = client.entry().href('service-desc')
    assert client.get(href, accept=OPENAPI).etag != client.get(href, accept=JSON).etag


def test_urls_in_the_document_start_with_the_base_url(start: Start) -> None:
    app = start(BASE_URL='https://api.example.org')
    response = Client(app).get('/api/openapi.json')
    assert response.json['servers'] == [{'url': 'https://api.example.org'}]
    assert 'halcyon.test' not in response.text


def test_the_documentation_page_has_every_operation(client: Client) -> None:
    page = client.follow('service-doc', accept='text/html').text
    for operation in OPERATIONS:
        assert f'id="{operation.operation["operationId"]}"' in page


def test_every_anchor_of_the_page_is_a_valid_fragment(client: Client) -> None:
    page = client.follow('service-doc', accept='text/html').text
    anchors = re.findall('href="#([^"]*)"', page)
    assert len(anchors) > len(DOCUMENT['paths'])
    for anchor in anchors:
        assert re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})+", anchor)  # RFC 3986 §3.5
        assert f'id="{anchor}"' in page


def test_the_documentation_page_loads_nothing_from_other_origins(client: Client) -> None:
    page = client.follow('service-doc', accept='text/html').text
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!halcyon\.test)', page)


def test_links_of_a_document_are_openapi_links() -> None:
    response = DESCRIPTION.response(DOCUMENT['paths']['/api/users']['post'], 201)
    assert response['links']['hc.followers'] == {
        'operationId': 'getFollowers',
        'parameters': {'user_id': '$response.body#/id'},
    }


def test_an_openapi_link_of_json_api_points_into_the_resource() -> None:
    response = DESCRIPTION.response(DOCUMENT['paths']['/api/tokens']['post'], 201)
    assert response['links']['self']['parameters'] == {'token_id': '$response.body#/data/id'}
