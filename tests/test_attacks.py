"""What somebody would try who knows the API well: every address is walked, and nothing is gained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import HAL, HAL_FORMS, HTML, JSON, JSON_API, Answer, Client
from tests.routes import World, methods_at, routes

FORMATS = (f'{HAL_FORMS}, {HAL};q=0.9', JSON_API, HTML, JSON)
FORM = 'application/x-www-form-urlencoded'
MOVING = {'updated_at', 'last_seen', 'last_used_at'}  # with every write, whatever is in it
OVERRIDES = ('X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method')
EVIL = '"><script>alert(1)</script>\'\u202e'


@pytest.fixture
def world(ada: Client, bob: Client) -> World:
    world = World(ada, bob)
    bob.publish('Hello from Bob')
    bob.get(ada.me().href('self')).submit('follow')
    return world


def addresses(app: Any, world: World, method: str) -> Iterator[str]:
    """Yield every address that has the method."""
    for template, methods in sorted(methods_at(app).items()):
        if method in methods:
            yield world.address(template)


def altered(value: Any) -> Any:
    """Return another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 7
        case str():
            return 'altered'
        case _:
            return [value]


def state_of(client: Client, address: str) -> dict[str, Any]:
    """Return the properties of what is there, but those that every write moves."""
    state = client.get(address, accept=JSON).state
    return {name: value for name, value in state.items() if name not in MOVING and not name.startswith('_')}


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_no_property_can_be_assigned_that_is_no_input(app: Any, world: World, method: str) -> None:
    walked = 0
    for template, resource in routes(app):
        operation = resource.operations.get(method)
        action = operation and operation.form
        if action is None or not action.fields or 'GET' not in resource.operations:
            continue
        address = world.address(template)
        before = state_of(world.ada, address)
        inputs = {field.name for field in action.fields}
        others = {name: altered(value) for name, value in before.items() if name not in inputs}
        others |= {
            'password': 'another horse',
            'password_hash': 'x',
            'owner_id': 1,
            'author': 1,
            'is_admin': True,
        }
        assert world.ada.request(method, address, json=others).status == 200
        resource_object = {'type': operation.query.kind, 'id': str(before['id']), 'attributes': others}
        headers = {'Content-Type': JSON_API}
        body = json.dumps({'data': resource_object})
        assert world.ada.request(method, address, headers=headers, body=body).status == 200
        assert state_of(world.ada, address) == before
        walked += 1
    assert walked == 4  # a user, a post, a store, an item
    assert world.ada.sign_in('ada').entry().status == 200


def test_what_is_new_has_only_what_the_server_gives_it(world: World) -> None:
    ada, store = world.ada, world.address('/api/stores/{store_id}/items')
    forged = {'id': 7, 'created_at': '1999-01-01T00:00:00.000+00:00', 'member_since': 'x', 'post_count': 7,
              'follower_count': 7, 'item_count': 7, 'updated_at': 'x',
              'user_id': world.values['other_id'], 'owner_id': world.values['other_id'],
              '_embedded': {'author': {'id': 1}}}  # fmt: skip
    person = {'username': 'eve', 'email': 'eve@example.org', 'password': 'correct horse'}
    for address, wanted in (
        ('/api/users', person),
        ('/api/posts', {'body': 'Hello'}),
        ('/api/stores', {'name': 'Wheels'}),
        (store, {'name': 'Spoke', 'price': '1'}),
    ):
        state = ada.post(address, forged | wanted).state
        assert state['id'] != 7
        assert [name for name in forged if name in state and state[name] == forged[name]] == []
        assert state.get('_embedded', {}).get('author', ada.me().state)['username'] == 'ada'
    assert ada.get(world.address('/api/users/{user_id}')).state['post_count'] == 2


ASKED = {
    HAL: ('', '?q=b'),
    HTML: ('',),
    JSON_API: (
        '', '?fields[users]=email', '?include=author&fields[users]=email,username', '?include=author.email',
        '?include=followers,following,posts', '?filter[username]=bob',
    ),
}  # fmt: skip


def test_an_address_of_mail_is_told_to_nobody_but_its_owner(app: Any, world: World) -> None:
    told = 0
    for client in (world.ada, Client(app)):
        for address in addresses(app, world, 'GET'):
            for accept, queries in ASKED.items():
                for query in queries:
                    answer = client.get(address + query, accept=accept)
                    assert 'bob@example.org' not in answer.text, address + query
                    told += 'ada@example.org' in answer.text
    assert told > 20


@pytest.mark.parametrize('address', ['/api/users?sort=email', '/api/users?filter[email]=bob@example.org'])
def test_nobody_can_find_out_an_address_of_mail_by_asking(world: World, address: str) -> None:
    assert world.ada.get(address, accept=JSON_API).status == 400


def everything(app: Any, world: World, accept: str) -> Iterator[tuple[str, str, Answer]]:
    """Yield method, address and answer of all that can be asked, by Ada and by nobody, in vain and not."""
    for client in (Client(app), world.ada):
        for template, methods in sorted(methods_at(app).items()):
            address = world.address(template)
            for method in ('GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', *methods):
                headers = {'If-Match': '"another"', 'Origin': 'https://evil.test'}
                if method not in ('GET', 'HEAD'):
                    headers['Content-Type'] = 'text/plain'
                yield (
                    method,
                    address,
                    client.request(method, address, accept=accept, headers=headers, body=b'x'),
                )


def test_every_page_has_its_security_headers(app: Any, world: World) -> None:
    pages = set()
    for method, address, answer in everything(app, world, HTML):
        assert answer.headers['x-content-type-options'] == 'nosniff', f'{method} {address}'
        if answer.content_type == HTML:
            policy = answer.headers['content-security-policy']
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
            framed = '*' if address.startswith('/api/rels/') and answer.status < 400 else "'none'"
            assert policy.endswith(f'; frame-ancestors {framed}') or address.startswith('/api/rels/')
            assert 'unsafe' not in policy
            assert answer.headers['referrer-policy'] == 'same-origin'
            pages.add(answer.status)
    assert pages >= {200, 401, 404, 405, 415, 501}


def test_a_page_of_another_origin_reads_nothing_at_all(app: Any, world: World) -> None:
    for method, address, answer in everything(app, world, JSON):
        allowed = [name for name in answer.headers if name.startswith('access-control')]
        assert allowed == [], f'{method} {address}'
        assert 'Origin' in answer.headers['vary'].split(', ')
        assert 'set-cookie' not in answer.headers


def test_trace_tells_nothing_of_the_request(app: Any, world: World) -> None:
    for address in addresses(app, world, 'GET'):
        answer = world.ada.request('TRACE', address, headers={'X-Secret': 'canary'})
        assert answer.status == 405
        assert 'canary' not in answer.text
        assert str(world.ada.token) not in answer.text


@pytest.mark.parametrize('name', OVERRIDES)
@pytest.mark.parametrize('method', ['GET', 'POST'])
def test_no_header_field_or_parameter_changes_the_method(world: World, name: str, method: str) -> None:
    post = world.address('/api/posts/{post_id}')
    headers = {name: 'DELETE', 'Content-Type': FORM}
    body = f'{name}=DELETE'.encode()
    answer = world.ada.request(method, f'{post}?{name}=DELETE', headers=headers, body=body)
    assert answer.status == (200 if method == 'GET' else 405)
    assert world.ada.get(post).status == 200


def test_what_one_got_is_not_known_to_another(app: Any, world: World) -> None:
    compared = 0
    for accept in FORMATS:
        for address in addresses(app, world, 'GET'):
            mine = world.ada.get(address, accept=accept)
            if (
                mine.status != 200
                or 'Authorization' not in mine.headers['vary']
                or 'etag' not in mine.headers
            ):
                continue
            for other in (world.bob, Client(app)):
                answer = other.get(address, accept=accept, headers={'If-None-Match': mine.tag})
                assert answer.status != 304, address
                assert mine.headers['cache-control'] in ('private, no-cache', 'no-store'), address
            assert world.ada.get(address, accept=accept, headers={'If-None-Match': mine.tag}).status == 304
            compared += 1
    assert compared > 40


def test_markup_that_somebody_writes_stands_in_no_page_and_no_header(app: Any, world: World) -> None:
    ada = world.ada
    assert ada.publish(EVIL).status == 201
    assert ada.me().submit('edit', about_me=EVIL).status == 200
    assert ada.follow('hc:stores').submit('create', name=EVIL).status == 201
    login = {'username': 'ada', 'password': 'correct horse'}
    assert ada.post('/api/tokens', login, headers={'User-Agent': EVIL[:-1]}).status == 200
    shown = 0
    for address in addresses(app, world, 'GET'):
        answer = ada.get(address, accept=HTML)
        assert '<script>alert' not in answer.text
        assert 'alert' not in str(answer.headers)
        shown += '&lt;script&gt;alert(1)&lt;/script&gt;' in answer.text
    assert shown > 5


@pytest.mark.parametrize('q', ["'", "' OR '1'='1", '%', '_', '\\', 'a%', '*', '") OR 1=1 --', '0x61', 'ada%'])
def test_what_databases_take_for_more_is_text(world: World, q: str) -> None:
    users = world.ada.follow('hc:users')
    assert users.submit('search', q=q).items == []
    found = world.ada.get('/api/users', accept=JSON_API)
    assert len(found.state['data']) == 2


def test_every_answer_to_who_is_not_signed_in_is_public_knowledge(app: Any, world: World) -> None:
    for address in addresses(app, world, 'GET'):
        for accept in FORMATS:
            text = Client(app).get(address, accept=accept).text
            assert 'Hello from Bob' not in text
            assert 'bob' not in text.replace('"bob"', ''), address
