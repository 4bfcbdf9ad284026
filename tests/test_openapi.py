"""The description of the API: valid, complete, and true in both directions."""

from __future__ import annotations

import copy
import itertools
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import falcon.inspect
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from service import urls
from service.app import create_app
from service.config import Settings
from service.database.errors import Unavailable
from service.database.session import Session
from service.domain.throttle import REGISTRATION, count_attempt, registration_subjects
from service.graceful_shutdown import Shutdown
from tests.client import HAL, HAL_FORMS, HTML, JSON_API, Answer, Client
from tests.clock import MovableClock
from tests.conftest import Start
from tests.description import Described, Description, ask, description_of
from tests.golden import check_golden

pytestmark = pytest.mark.above_databases

OPENAPI = 'application/vnd.oai.openapi+json'
JSON = 'application/json'
FORM = 'application/x-www-form-urlencoded'
READY = '/health/ready'
NOBODY = '1'
ELSEWHERE = '192.0.2.1'
OPERATIONS = Path(__file__).with_name('openapi_operations.txt')


class FailingClock(MovableClock):
    """A clock that raises an exception once it has one."""

    exception: Exception | None = None

    def __call__(self) -> int:
        if self.exception is not None:
            raise self.exception
        return super().__call__()


@pytest.fixture
def clock() -> FailingClock:
    return FailingClock()


@pytest.fixture
def description(app: Any) -> Description:
    return description_of(app)


class People:
    """Ada, whose things the addresses lead to, and Grace; both are as the description's examples have it."""

    def __init__(self, app: Any, description: Description) -> None:
        self.description = description
        nobody = Client(app)
        example = self.body('/api/users', 'POST')
        nobody.post('/api/users', example)
        nobody.post('/api/users', example | {'username': 'grace', 'email': 'grace@example.org'})
        self.ada = nobody.sign_in(example['username'], example['password'])
        self.grace = nobody.sign_in('grace', example['password'])
        post = self.ada.publish(**self.body('/api/posts', 'POST'))
        token = self.ada.follow('hc:tokens').items[0]
        store = self.ada.post('/api/stores', self.body('/api/stores', 'POST') | {'name': 'Mills'})
        item = self.ada.post(store.href('hc:items'), {'name': 'Wheel', 'price': '1.50'})
        self.values = {
            'user_id': str(self.ada.me().state['id']),
            'other_id': str(self.grace.me().state['id']),
            'post_id': str(post.state['id']),
            'token_id': str(token['id']),
            'store_id': str(store.state['id']),
            'item_id': str(item.state['id']),
        }

    def body(self, template: str, method: str, media_type: str = JSON) -> dict[str, Any]:
        """Return the example of the body that an operation reads."""
        operation = self.description.document['paths'][template][method.lower()]
        if 'requestBody' not in operation:
            return {}
        content = operation['requestBody']['content']
        body = next(iter(content[media_type if media_type in content else JSON_API]['examples'].values()))
        body = copy.deepcopy(body['value'])
        data = body.get('data', {})
        for one in data if isinstance(data, list) else ():
            one['id'] = self.values['other_id']
        if 'id' in data:
            data['id'] = '-'.join(self.values[name] for name in re.findall(r'{(\w+)}', template))
        return body

    def address(self, template: str, values: dict[str, str] | None = None) -> str:
        """Return the address of Ada's thing, or with these values where they are given."""
        parameters = self.description.document['paths'][template].get('parameters', ())
        examples = {each['name']: str(each['example']) for each in parameters}
        return template.format_map(examples | (self.values if values is None else values))

    def send(self, described: Described, *, by: Client | None = None, **options: Any) -> Answer:
        """Send what an operation is described to take."""
        address = options.pop('address', None) or self.address(described.template)
        media_type = options.pop('media_type', JSON)
        if '/relationships/' in described.template:  # which only JSON:API can say
            options, media_type = {'accept': JSON_API} | options, JSON_API
        if 'body' not in options and 'requestBody' in described.operation:
            body = self.body(described.template, described.method, media_type) | options.pop('more', {})
            options['body'] = urlencode(body).encode() if media_type == FORM else orjson.dumps(body)
            options['headers'] = {'Content-Type': media_type} | options.get('headers', {})
        return (by or self.ada).request(described.method, address, **options)


@pytest.fixture
def people(app: Any, description: Description) -> People:
    return People(app, description)


def that_answer(description: Description, status: int) -> list[Described]:
    """Return the operations that are described to answer with the status."""
    return [each for each in description.operations() if str(status) in each.operation['responses']]


def test_the_description_is_valid_openapi(description: Description) -> None:
    assert list(OpenAPIV31SpecValidator(description.document).iter_errors()) == []


def test_every_route_and_method_is_described_and_no_other(app: Any, description: Description) -> None:
    served = {
        (re.sub(r':id}', '}', route.path), method.method)
        for route in falcon.inspect.inspect_app(app).routes
        for method in route.methods
        if not method.internal and route.path != urls.ASSET
    }
    assert {(each.template, each.method) for each in description.operations()} == served


def test_every_operation_has_a_name_of_its_own(description: Description) -> None:
    names = [each.operation['operationId'] for each in description.operations()]
    assert len(set(names)) == len(names)


def test_public_names_of_operations_are_frozen(start: Start) -> None:
    names = '{operationId} {tags}: {summary}. {description}'
    lines = [
        f'{method} {template} {names.format_map(operation)}\n'
        for template, method, operation in ask(start(METRICS='on')).operations()
    ]
    check_golden(OPERATIONS, ''.join(lines))


def test_every_example_is_valid_against_its_schema(description: Description) -> None:
    shown = 0
    for content in all_contents(description.document):
        for example in content.get('examples', {}).values():
            description.validate(content['schema'], description.resolved(example)['value'])
            shown += 1
    assert shown > 100


def all_contents(tree: Any) -> list[dict[str, Any]]:
    """Return every Media Type Object that is anywhere in the description."""
    if not isinstance(tree, dict):
        return []
    own = list(tree['content'].values()) if isinstance(tree.get('content'), dict) else []
    return own + [one for name, value in tree.items() if name != 'examples' for one in all_contents(value)]


def test_a_schema_refuses_what_lacks_a_member(description: Description) -> None:
    with pytest.raises(ValueError, match='is a required property'):
        description.validate({'$ref': '#/components/schemas/user.hal'}, {})


@pytest.fixture
def worlds(start: Start, tmp_path: Path, description: Description) -> Iterator[People]:
    """Return people without end, each in a database of their own, where nothing has been tried."""
    paths = (tmp_path / f'{number}.db' for number in itertools.count())
    return (People(start(DATABASE_URL=f'sqlite:///{path}'), description) for path in paths)


def answer_of(people: People, described: Described, status: int, **options: Any) -> Answer:
    """Return what an operation answers where everything is as the status needs it."""
    by = Client(people.ada.app) if is_for_anyone(described) else people.ada
    made = people.description.document['paths'][described.template].get('put', {}).get('responses', {})
    if '201' in made and status != 201 and (described.method, status) != ('PUT', 303):
        people.ada.put(people.address(described.template))  # else there is nothing to get
    if described.operation['operationId'] == 'postUsers':
        people.ada.delete(people.ada.me().href('self'))  # else the name is taken
    return people.send(described, by=by, **way_to(status, described) | options)


def is_for_anyone(described: Described) -> bool:
    """Whether the operation is described to need no credentials."""
    return described.operation['security'] != [{'bearer': []}]


def successes(description: Description) -> Iterator[tuple[Described, int]]:
    """Return every operation with each status below 400 that it is described to answer."""
    for described in description.operations():
        for status in described.operation['responses']:
            if int(status) < 400:
                yield described, int(status)


def test_every_described_success_is_served(worlds: Iterator[People], description: Description) -> None:
    for (described, status), people in zip(successes(description), worlds, strict=False):
        assert answer_of(people, described, status).status == status, described[:2]


def test_every_described_format_of_an_answer_is_served(
    worlds: Iterator[People], description: Description
) -> None:
    reader = next(worlds)
    for described, status in successes(description):
        for media_type in described.operation['responses'][str(status)].get('content', ()):
            people = reader if described.method == 'GET' else next(worlds)
            answer = answer_of(people, described, status, accept=media_type)
            assert (answer.status, answer.content_type) == (status, media_type), described[:2]


def test_every_described_format_of_a_body_is_read(worlds: Iterator[People], description: Description) -> None:
    for described in description.operations():
        for media_type in described.operation.get('requestBody', {}).get('content', ()):
            answer = answer_of(next(worlds), described, 200, media_type=media_type)
            assert answer.status in (200, 201, 204), (described[:2], media_type)


def test_only_what_is_described_to_need_a_token_needs_one(
    worlds: Iterator[People], description: Description
) -> None:
    people = next(worlds)
    for described in description.operations():
        refused = people.send(described, by=Client(people.ada.app)).status == 401
        assert refused != is_for_anyone(described), described[:2]


def test_every_described_way_to_show_who_asks_is_taken(people: People) -> None:
    described = people.description.document['paths']['/api/tokens']['post']['security']
    assert described == [{}, {'basic': []}, {'bearer': []}]
    body = people.body('/api/tokens', 'POST')
    nobody = Client(people.ada.app)
    assert nobody.post('/api/tokens', body).status == 200
    name_and_password = b64encode(f'{body["username"]}:{body["password"]}'.encode()).decode()
    basic = {'Authorization': f'Basic {name_and_password}'}
    assert nobody.request('POST', '/api/tokens', headers=basic).status == 200
    assert people.ada.request('POST', '/api/tokens').status == 200


def way_to(status: int, described: Described) -> dict[str, Any]:
    """Return how to ask so that the answer has the status."""
    if status == 303:
        return {'accept': HTML, 'media_type': FORM}
    if status == 304:
        return {'headers': {'If-None-Match': '*'}}
    in_json_api = {'DELETE': 200, 'POST': 201}.get(described.method) == status
    return {'accept': JSON_API} if in_json_api else {}


def test_every_described_400_is_served(people: People) -> None:
    for described in that_answer(people.description, 400):
        assert people.send(described, headers={'Host': 'not a host'}).status == 400, described[:2]


def test_every_described_401_is_served(people: People) -> None:
    for described in that_answer(people.description, 401):
        stranger = Client(people.ada.app, 'hc_nonsense')
        body = {'body': None} if described.template == '/api/tokens' else {}
        assert people.send(described, by=stranger, **body).status == 401, described[:2]


def test_every_described_403_is_served(people: People) -> None:
    for described in that_answer(people.description, 403):
        with_id = {}
        if described.method == 'POST' and '/relationships/' not in described.template:
            body = people.body(described.template, 'POST', JSON_API)
            body['data']['id'] = NOBODY
            with_id = {'body': orjson.dumps(body), 'headers': {'Content-Type': JSON_API}}
        assert people.send(described, by=people.grace, **with_id).status == 403, described[:2]


def test_every_described_404_is_served(people: People) -> None:
    for described in that_answer(people.description, 404):
        elsewhere = people.address(described.template, dict.fromkeys((*people.values, 'rel', 'name'), 'x'))
        assert people.send(described, address=elsewhere).status == 404, described[:2]


def test_every_described_406_is_served(people: People) -> None:
    for described in that_answer(people.description, 406):
        assert people.send(described, accept='image/png').status == 406, described[:2]


def test_every_described_412_is_served(people: People) -> None:
    for described in that_answer(people.description, 412):
        assert people.send(described, headers={'If-Match': '"another"'}).status == 412, described[:2]


def test_every_described_413_is_served(people: People) -> None:
    for described in that_answer(people.description, 413):
        large = people.send(described, body=b' ' * 70_000, headers={'Content-Type': JSON_API})
        assert large.status == 413, described[:2]


def test_every_described_415_is_served(people: People) -> None:
    for described in that_answer(people.description, 415):
        text = people.send(described, body=b'text', headers={'Content-Type': 'text/plain'})
        assert text.status == 415, described[:2]


@pytest.mark.parametrize(
    ('status', 'exception'), [(500, RuntimeError('the clock fell')), (503, Unavailable('the clock rests'))]
)
def test_every_described_failure_of_ours_is_served(
    people: People, clock: FailingClock, status: int, exception: Exception
) -> None:
    clock.exception = exception
    for described in that_answer(people.description, status):
        if described.template != READY:
            body = {'body': None} if described.template == '/api/tokens' else {}
            assert people.send(described, **body).status == status, described[:2]


def test_a_server_that_drains_is_described(description: Description, tmp_path: Path) -> None:
    drain = Shutdown()
    drain.begin(3600, lambda: None)
    settings = Settings.from_environment({'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db'})
    served = Client(create_app(settings, drain=drain)).get(READY)
    assert served.status == 503
    assert '503' in description.document['paths'][READY]['get']['responses']


def test_every_described_409_is_served(people: People) -> None:
    for described in that_answer(people.description, 409):
        of_another = {'data': {'type': 'another', 'id': NOBODY, 'attributes': {}}}
        if '/relationships/' in described.template:
            of_another = {'data': [of_another['data']]}
        body = orjson.dumps(of_another)
        refused = people.send(described, body=body, headers={'Content-Type': JSON_API})
        assert refused.status == 409, described[:2]


def test_every_described_422_is_served(people: People) -> None:
    for described in that_answer(people.description, 422):
        key = {'Idempotency-Key': '"one"'}
        mary = {'username': 'mary', 'email': 'mary@example.org'}
        assert people.send(described, headers=key, more=mary).status in (200, 201), described[:2]
        assert people.send(described, headers=key, more=mary | {'x': 1}).status == 422, described[:2]


def test_every_described_429_is_served(people: People, db: Session) -> None:
    for _ in range(REGISTRATION.attempts):
        count_attempt(db, registration_subjects(ELSEWHERE))
    for described in that_answer(people.description, 429):
        tries = (
            people.send(described, more=somebody(number), remote_addr=ELSEWHERE) for number in range(120)
        )
        statuses = [answer.status for answer in tries]
        assert 429 in statuses, (described[:2], statuses)


def somebody(number: int) -> dict[str, str]:
    """Return the name of somebody who is not there, and a password that is wrong."""
    name = f'person{number}'
    return {'username': name, 'email': f'{name}@example.org', 'current_password': 'wrong horse'}


def test_no_status_is_described_that_no_test_here_provokes(description: Description) -> None:
    provoked = {'200', '201', '204', '303', '304', '308'}
    provoked |= {'400', '401', '403', '404', '406', '409', '412', '413', '415', '422', '429', '500', '503'}
    described = {status for each in description.operations() for status in each.operation['responses']}
    assert described == provoked


def test_every_method_that_reads_a_form_is_described_with_its_very_rules(people: People) -> None:
    form = people.ada.me().state['_templates']['edit']
    operation = people.description.document['paths']['/api/users/{user_id}']['put']
    content = operation['requestBody']['content'][form['contentType']]
    rules = people.description.resolved(content['schema'])['properties']
    for field in form['properties']:
        assert rules[field['name']].get('maxLength') == field.get('maxLength')
        assert rules[field['name']].get('minLength') == field.get('minLength')
        if 'regex' in field:
            assert rules[field['name']]['pattern'] == field['regex']


def test_a_program_gets_it_under_the_name_of_openapi(client: Client) -> None:
    answer = client.get(client.entry().href('service-desc'), accept=OPENAPI)
    assert answer.headers['content-type'] == 'application/vnd.oai.openapi+json;version=3.1'


@pytest.mark.parametrize('accept', ['*/*', JSON, HAL, HAL_FORMS, 'text/html'])
def test_whoever_follows_links_gets_it_as_json(client: Client, accept: str) -> None:
    assert client.get(client.entry().href('service-desc'), accept=accept).content_type == JSON


@pytest.mark.parametrize('rel', ['service-desc', 'service-doc'])
def test_anyone_may_keep_it(client: Client, rel: str) -> None:
    answer = client.follow(rel)
    assert answer.status == 200
    assert answer.headers['cache-control'].startswith('public')
    again = client.get(client.entry().href(rel), headers={'If-None-Match': answer.tag})
    assert again.status == 304


def test_each_of_its_media_types_has_a_tag_of_its_own(client: Client) -> None:
    href = client.entry().href('service-desc')
    assert client.get(href, accept=OPENAPI).tag != client.get(href, accept=JSON).tag


def test_its_addresses_are_at_the_origin_that_was_asked(start: Start) -> None:
    app = start(BASE_URL='https://api.example.org')
    answer = Client(app).get('/api/openapi.json')
    assert answer.state['servers'] == [{'url': 'https://api.example.org'}]
    assert 'halcyon.test' not in answer.text


def test_the_page_for_people_has_every_operation(client: Client, description: Description) -> None:
    page = client.follow('service-doc', accept='text/html').text
    for described in description.operations():
        if described.method not in ('HEAD', 'OPTIONS'):
            assert f'id="{described.operation["operationId"]}"' in page


def test_the_page_for_people_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.follow('service-doc', accept='text/html').text
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!halcyon\.test)', page)


def test_a_link_of_a_document_is_a_link_of_the_description(description: Description) -> None:
    response = description.document['paths']['/api/users']['post']['responses']['201']
    assert response['links']['hc.followers'] == {
        'operationId': 'getFollowers',
        'parameters': {'user_id': '$response.body#/id'},
    }
