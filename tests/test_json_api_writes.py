"""Writes in JSON:API: resource objects in requests, resource objects or errors in responses (§9, §11)."""

from typing import Any

import pytest

from service import urls
from tests.client import HAL_FORMS, JSON_API, LOGIN, PASSWORD, Client, basic, new_user
from tests.json_api_client import JsonApiClient, assert_rejected, identifier_of, meta_link_url, related_url
from tests.routes import World

NEW_USER = new_user()


def users_url(client: JsonApiClient) -> str:
    return related_url(client.get('/api').json['data'], 'users')


def tokens_url(client: JsonApiClient) -> str:
    return related_url(client.get('/api').json['data'], 'tokens')


def test_a_user_can_register_and_sign_in(anonymous_api: JsonApiClient) -> None:
    created = anonymous_api.create(users_url(anonymous_api), 'users', **NEW_USER)
    assert created.status == 201
    assert created.headers['location'] == created.json['data']['links']['self']
    token = anonymous_api.create(tokens_url(anonymous_api), 'tokens', username='eve', password=PASSWORD)
    assert token.status == 201
    attributes = token.json['data']['attributes']
    assert attributes['token_type'] == 'Bearer'
    eve = JsonApiClient(Client(anonymous_api.client.app, attributes['token']))
    assert eve.get(token.headers['location']).json['data']['id'] == token.json['data']['id']
    assert eve.me().json['data']['id'] == created.json['data']['id']


def test_a_registration_can_include_empty_relationships(anonymous_api: JsonApiClient) -> None:
    created = anonymous_api.create(users_url(anonymous_api) + '?include=posts,following', 'users', **NEW_USER)
    assert created.status == 201
    assert created.json['data']['relationships']['posts']['data'] == []


def test_a_new_token_has_cache_control_no_store(anonymous_api: JsonApiClient, ada_api: JsonApiClient) -> None:
    created = anonymous_api.create(tokens_url(anonymous_api), 'tokens', **LOGIN)
    assert created.headers['cache-control'] == 'no-store'
    assert 'token' not in ada_api.get(created.headers['location']).json['data']['attributes']


def test_basic_credentials_get_a_token_without_a_body(
    anonymous_api: JsonApiClient, ada_api: JsonApiClient
) -> None:
    created = anonymous_api.client.post(tokens_url(ada_api), headers={'Authorization': basic()})
    assert created.status == 201
    assert created.headers['location'].endswith(created.json['data']['id'])


def test_a_new_token_has_no_location_in_other_formats(client: Client, ada: Client) -> None:
    created = client.entry().submit('login', **LOGIN)
    assert created.status == 200
    assert 'location' not in created.headers


def test_a_wrong_password_is_401(anonymous_api: JsonApiClient) -> None:
    assert_rejected(
        anonymous_api.create(tokens_url(anonymous_api), 'tokens', username='eve', password='wrong'), 401
    )


def test_a_post_is_published_changed_and_deleted(ada_api: JsonApiClient) -> None:
    post = ada_api.publish('hello')
    changed = ada_api.change(post, body='hello again')
    assert changed.status == 200
    assert changed.json['data']['attributes']['body'] == 'hello again'
    assert ada_api.get(post['links']['self']).etag == changed.etag
    deleted = ada_api.delete(post['links']['self'])
    assert deleted.status == 200
    assert deleted.json == {'meta': {}}
    assert_rejected(ada_api.get(post['links']['self']), 404)


def test_a_deletion_has_no_content_in_other_formats(ada: Client, ada_api: JsonApiClient) -> None:
    assert ada.delete(ada_api.publish('hello')['links']['self'], accept=HAL_FORMS).status == 204


def test_every_deletable_resource_can_be_deleted(ada_api: JsonApiClient, bob_api: JsonApiClient) -> None:
    bob = bob_api.me().json['data']
    follow = ada_api.get(bob['links']['self']).json['data']
    tokens = ada_api.get_related('tokens').json['data']
    for url in (meta_link_url(follow, 'follow'), tokens[0]['links']['self']):
        assert ada_api.delete(url).json == {'meta': {}}
    assert bob_api.delete(bob['links']['self']).json == {'meta': {}}


def test_only_present_attributes_of_a_user_change(ada_api: JsonApiClient) -> None:
    me = ada_api.me().json['data']
    assert ada_api.change(me, about_me='Countess').status == 200
    changed = ada_api.me().json['data']['attributes']
    assert changed['about_me'] == 'Countess'
    assert changed['username'] == 'ada'
    assert ada_api.change(me, about_me=None).json['data']['attributes']['about_me'] == ''


def test_a_resource_can_be_sent_back_unchanged(ada_api: JsonApiClient) -> None:
    me = ada_api.me()
    assert ada_api.send('PATCH', me.json['links']['self'], body=me.json).status == 200
    assert ada_api.send('PUT', me.json['links']['self'], body=me.json).status == 200


def test_preconditions_apply_to_json_api(ada_api: JsonApiClient) -> None:
    post = ada_api.publish('hello')
    before = ada_api.get(post['links']['self'])
    url, data = post['links']['self'], identifier_of(post) | {'attributes': {'body': 'again'}}
    assert ada_api.send('PATCH', url, data, If_Match=before.etag).status == 200
    assert_rejected(ada_api.send('PATCH', url, data, If_Match=before.etag), 412, 'If-Match')


def test_a_password_is_changed_as_an_attribute_of_its_user(ada_api: JsonApiClient) -> None:
    me = ada_api.me().json['data']
    passwords = {'current_password': PASSWORD, 'password': 'battery staple'}
    url, data = meta_link_url(me, 'password'), identifier_of(me) | {'attributes': passwords}
    assert ada_api.send('PUT', url, data).status == 204
    assert_rejected(ada_api.send('PUT', url, data), 400, '/data/attributes/current_password')


def test_every_invalid_attribute_has_a_pointer(anonymous_api: JsonApiClient) -> None:
    response = anonymous_api.create(users_url(anonymous_api), 'users', username='a b', email='x', about_me=5)
    names = ('/username', '/email', '', '/about_me')  # the pointer for a missing member is that of its parent
    assert_rejected(response, 400, *(f'/data/attributes{name}' for name in names))


def test_the_error_for_a_taken_name_has_a_pointer(
    anonymous_api: JsonApiClient, ada_api: JsonApiClient
) -> None:
    assert ada_api.me().status == 200
    response = anonymous_api.create(users_url(anonymous_api), 'users', **NEW_USER | {'username': 'ADA'})
    assert_rejected(response, 400, '/data/attributes/username')


@pytest.mark.parametrize(
    ('data', 'status', 'pointer'),
    [
        ({'type': 'users', 'id': '7', 'attributes': NEW_USER}, 403, '/data/id'),
        ({'type': 'people', 'attributes': NEW_USER}, 409, '/data/type'),
        ({'attributes': NEW_USER}, 400, '/data'),
        ({'type': 'users', 'relationships': []}, 400, '/data/relationships'),
        ({'type': 'users', 'relationships': {'posts': []}}, 400, '/data/relationships/posts'),
        ({'type': 'users', 'relationships': {'posts': {}}}, 400, '/data/relationships/posts'),
        ({'type': 'users', 'relationships': {'x': {'y': 1}}}, 400, '/data/relationships/x'),
        ({'type': 'users', 'relationships': {'a/b~c': {'y': 1}}}, 400, '/data/relationships/a~1b~0c'),
        ({'type': 5, 'attributes': NEW_USER}, 400, '/data/type'),
        ({'type': 'users', 'attributes': []}, 400, '/data/attributes'),
        (None, 400, '/data'),
        ([], 400, '/data'),
        ('users', 400, '/data'),
    ],
)
def test_a_malformed_new_resource_is_rejected(
    anonymous_api: JsonApiClient, data: Any, status: int, pointer: str
) -> None:
    assert_rejected(anonymous_api.send('POST', users_url(anonymous_api), data), status, pointer)


def test_a_null_id_is_ignored(anonymous_api: JsonApiClient) -> None:
    data = {'type': 'users', 'id': None, 'attributes': NEW_USER}
    assert anonymous_api.send('POST', users_url(anonymous_api), data).status == 201


@pytest.mark.parametrize(
    ('data', 'pointers'),
    [
        ({'type': 'users'}, ['/data'] * 3),
        ({'type': 'users', 'attributes': {}}, ['/data/attributes'] * 3),
        ({'type': 'users', 'attributes': NEW_USER | {'email': 5}}, ['/data/attributes/email']),
    ],
)
def test_a_pointer_refers_to_a_value_in_the_request(
    anonymous_api: JsonApiClient, data: Any, pointers: list[str]
) -> None:
    assert_rejected(anonymous_api.send('POST', users_url(anonymous_api), data), 400, *pointers)


def test_an_unsupported_content_type_is_named(anonymous_api: JsonApiClient) -> None:
    response = anonymous_api.send('POST', users_url(anonymous_api), {}, Content_Type='text/plain')
    assert_rejected(response, 415, 'Content-Type')


def test_a_document_without_data_is_rejected(anonymous_api: JsonApiClient) -> None:
    assert_rejected(anonymous_api.send('POST', users_url(anonymous_api), body={}), 400, '')
    assert_rejected(anonymous_api.send('POST', users_url(anonymous_api), body=NEW_USER), 400, '')


@pytest.mark.parametrize(
    ('changes', 'status', 'pointer'),
    [
        ({'id': '7'}, 409, '/data/id'),
        ({'type': 'users'}, 409, '/data/type'),
        ({'id': 7}, 400, '/data/id'),
        ({'id': None}, 400, '/data/id'),
        ({'type': None}, 400, '/data/type'),
    ],
)
def test_a_change_must_identify_the_resource_at_the_url(
    ada_api: JsonApiClient, changes: dict[str, Any], status: int, pointer: str
) -> None:
    post = ada_api.publish('hello')
    changed = identifier_of(post) | {'attributes': {'body': 'changed'}} | changes
    assert_rejected(ada_api.send('PATCH', post['links']['self'], changed), status, pointer)
    assert ada_api.get(post['links']['self']).json['data']['attributes']['body'] == 'hello'


def test_unknown_attributes_are_ignored(ada_api: JsonApiClient) -> None:
    data = {
        'type': 'posts',
        'lid': 'a',
        'attributes': {'body': 'hello', 'colour': 'red', '@note': 1},
        'relationships': {'author': {'links': {}}},
        'meta': {},
    }
    created = ada_api.send('POST', related_url(ada_api.get('/api').json['data'], 'posts'), data)
    assert created.status == 201
    author = created.json['data']['relationships']['author']['data']
    assert author == identifier_of(ada_api.me().json['data'])


def test_changing_a_resource_of_another_user_is_forbidden(
    ada_api: JsonApiClient, bob_api: JsonApiClient
) -> None:
    assert_rejected(bob_api.change(ada_api.publish('hello'), body='mine'), 403)


def test_an_invalid_json_body_is_malformed(anonymous_api: JsonApiClient) -> None:
    response = anonymous_api.client.request(
        'POST',
        users_url(anonymous_api),
        headers={'Content-Type': JSON_API},
        body='{"data": NaN}',
    )
    assert_rejected(response, 400)


def test_a_plain_json_body_can_have_a_json_api_response(anonymous_api: JsonApiClient) -> None:
    response = anonymous_api.client.post(users_url(anonymous_api), {'username': 'eve'})
    assert_rejected(response, 400)  # without a pointer, because the body is not a JSON:API document
    assert anonymous_api.client.post(users_url(anonymous_api), NEW_USER).json['data']['type'] == 'users'


def test_a_json_api_error_is_a_problem_in_other_formats(anonymous_api: JsonApiClient) -> None:
    response = anonymous_api.send('POST', users_url(anonymous_api), {'type': 'people'}, accept=HAL_FORMS)
    assert response.status == 409
    assert response.json['errors'][0]['pointer'] == '#/data/type'


def linkage(**relationships: Any) -> dict[str, Any]:
    """Return the member `relationships` of a resource object with this linkage."""
    return {'relationships': {name: {'data': data} for name, data in relationships.items()}}


def test_unchanged_linkage_is_accepted(world: World, ada: Client, bob: Client) -> None:
    api = JsonApiClient(ada)
    me, other = (JsonApiClient(client).me().json['data'] for client in (ada, bob))
    user = identifier_of(me)
    store = identifier_of(api.get(world.url(urls.STORE)).json['data'])
    item = identifier_of(api.get(world.url(urls.ITEM)).json['data'])
    post = identifier_of(api.get(world.url(urls.POST)).json['data'])
    follow = api.get(world.url(urls.FOLLOW)).json['data']
    tokens = [identifier_of(token) for token in api.get_related('tokens').json['data']]
    unchanged = [
        ('PATCH', urls.USER, user, linkage(feed=[post], tokens=tokens)),
        ('PATCH', urls.USER, user, linkage(following=[identifier_of(other)], followers=[], posts=[post])),
        ('PATCH', urls.POST, post, linkage(author=user)),
        ('PATCH', urls.STORE, store, linkage(owner=user, items=[item])),
        ('PUT', urls.ITEM, item, linkage(store=store)),
        ('PUT', urls.FOLLOW, identifier_of(follow), linkage(follower=user, followed=identifier_of(other))),
    ]
    for method, template, resource, relationships in unchanged:
        response = api.send(method, world.url(template), resource | relationships)
        assert response.status == 200, response.text
    creations = [
        (urls.POSTS, 'posts', {'body': 'hello'}, linkage(author=user)),
        (urls.STORES, 'stores', {'name': 'Gears'}, linkage(owner=user, items=[])),
        (urls.STORE_ITEMS, 'items', {'name': 'Gear', 'price': '1'}, linkage(store=store)),
        (urls.USERS, 'users', NEW_USER, linkage(following=[], posts=[], feed=[], tokens=[])),
    ]
    for template, kind, attributes, relationships in creations:
        data = {'type': kind, 'attributes': attributes} | relationships
        response = api.send('POST', world.url(template), data)
        assert response.status == 201, response.text


def test_a_deletion_has_no_validator(ada_api: JsonApiClient) -> None:
    post = ada_api.publish('hello')
    deleted = ada_api.send('DELETE', post['links']['self'])
    assert (deleted.status, deleted.json) == (200, {'meta': {}})
    assert 'etag' not in deleted.headers


def test_changed_linkage_is_rejected(world: World, ada: Client, bob: Client) -> None:
    api = JsonApiClient(ada)
    me, other = (identifier_of(JsonApiClient(client).me().json['data']) for client in (ada, bob))
    missing = {'type': 'users', 'id': '7'}
    item = {'type': 'items', 'id': str(world.values['item_id'])}
    post = {'type': 'posts', 'id': str(world.values['post_id'])}
    store = {'type': 'stores', 'id': str(world.values['store_id'])}
    token = {'type': 'tokens', 'id': '7'}
    rejected = [
        ('PATCH', urls.USER, me | {'attributes': {'about_me': 'x'}} | linkage(following=[]), 403),
        ('PATCH', urls.USER, me | linkage(following=[other, me]), 403),
        ('PATCH', urls.USER, me | linkage(following=[other, missing]), 404),
        ('PATCH', urls.USER, me | linkage(followers=[{'type': 'users', 'id': 'x'}]), 404),
        ('PUT', urls.USER, me | linkage(posts=[]), 403),
        ('PATCH', urls.USER, me | linkage(tokens=[]), 403),
        ('PATCH', urls.USER, me | linkage(tokens=[token]), 404),
        ('PATCH', urls.USER, me | linkage(feed=[]), 403),
        ('PATCH', urls.USER, me | linkage(colour=None), 403),
        ('PATCH', urls.POST, post | {'attributes': {'body': 'x'}} | linkage(author=other), 403),
        ('PATCH', urls.POST, post | linkage(author=None), 403),
        ('PATCH', urls.POST, post | linkage(author=missing), 404),
        ('PATCH', urls.ITEM, item | linkage(store={'type': 'stores', 'id': '7'}), 404),
        ('PATCH', urls.STORE, store | linkage(items=[]), 403),
        ('POST', urls.POSTS, {'type': 'posts', 'attributes': {'body': 'x'}} | linkage(author=other), 403),
        ('POST', urls.POSTS, {'type': 'posts', 'attributes': {'body': 'x'}} | linkage(author=missing), 404),
        ('POST', urls.STORES, {'type': 'stores', 'attributes': {'name': 'x'}} | linkage(items=[item]), 403),
        ('POST', urls.USERS, {'type': 'users', 'attributes': NEW_USER} | linkage(following=[other]), 403),
        ('POST', urls.USERS, {'type': 'users', 'attributes': NEW_USER} | linkage(following=[missing]), 404),
        ('POST', urls.USERS, {'type': 'users', 'attributes': NEW_USER} | linkage(tokens=[token]), 404),
    ]
    before = [api.get(world.url(template)).text for template in (urls.USERS, urls.POSTS, urls.STORES)]
    for method, template, data, status in rejected:
        (name,) = data['relationships']
        assert_rejected(api.send(method, world.url(template), data), status, f'/data/relationships/{name}')
    after = [api.get(world.url(template)).text for template in (urls.USERS, urls.POSTS, urls.STORES)]
    assert after == before


def test_linkage_must_be_identifiers_of_the_related_type(ada_api: JsonApiClient) -> None:
    post = ada_api.publish('hello')
    parent = '/data/relationships/author/data'
    for data, status, pointer in (
        ({'type': 'posts', 'id': post['id']}, 409, f'{parent}/type'),
        ([], 400, parent),
        ({'type': 'users'}, 400, parent),
        ({'id': '1'}, 400, parent),
    ):
        changed = identifier_of(post) | linkage(author=data)
        assert_rejected(ada_api.send('PATCH', post['links']['self'], changed), status, pointer)


@pytest.mark.parametrize(
    ('fields', 'status', 'source'),
    [
        ({'Authorization': ''}, 401, 'Authorization'),
        ({'Authorization': 'Bearer unknown'}, 401, 'Authorization'),
        ({'Idempotency-Key': '""'}, 400, 'Idempotency-Key'),
        ({'Idempotency-Key': '"used"'}, 422, 'Idempotency-Key'),
        ({'Content-Type': 'image/png'}, 415, 'Content-Type'),
        ({'If-Match': '"stale"'}, 412, 'If-Match'),
        ({'If-Match': '*', 'If-None-Match': '*'}, 412, 'If-None-Match'),
    ],
)
def test_an_error_names_the_header_field_that_caused_it(
    ada_api: JsonApiClient, fields: dict[str, str], status: int, source: str
) -> None:
    post = {'type': 'posts', 'attributes': {'body': 'hello'}}
    first = {'type': 'posts', 'attributes': {'body': 'first'}}
    assert ada_api.send('POST', '/api/posts', first, **{'Idempotency-Key': '"used"'}).status == 201
    assert_rejected(ada_api.send('POST', '/api/posts', post, **fields), status, source)


def test_an_error_names_the_content_range_field(ada_api: JsonApiClient) -> None:
    me = ada_api.me().json['data']
    response = ada_api.send('PUT', me['links']['self'], identifier_of(me), **{'Content-Range': 'bytes 0-1/2'})
    assert_rejected(response, 400, 'Content-Range')
