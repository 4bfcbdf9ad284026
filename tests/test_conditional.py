"""Conditional requests and caching: ETag, 304, If-Match, Cache-Control and Vary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.domain.users import change_user
from service.domain.viewer import Viewer
from service.representation import formats
from service.resources import users
from tests.client import HAL, HAL_FORMS, HTML, JSON, JSON_API, LOGIN, ORIGIN, Client, assert_problem, new_user
from tests.routes import World

TYPES = (HAL_FORMS, HAL, JSON_API, JSON, HTML)


@pytest.mark.parametrize('media_type', TYPES)
@pytest.mark.parametrize(
    'template', ['/api', '/api/users', '/api/users/{user_id}', '/api/posts/{post_id}', '/api/rels/users']
)
def test_an_unchanged_document_is_304(world: World, template: str, media_type: str) -> None:
    url = world.url(template)
    response = world.ada.get(url, accept=media_type)
    unchanged = world.ada.get(url, accept=media_type, headers={'If-None-Match': response.etag})
    assert unchanged.status == 304
    for name in ('etag', 'vary', 'cache-control'):
        assert unchanged.headers[name] == response.headers[name]


@pytest.mark.parametrize('value', ['{}', 'W/{}', '"x", {}', '{},"y"', '"a,b" , W/{}', '*', '"x",,{}'])
def test_if_none_match_is_a_list_of_etags_compared_weakly(ada: Client, value: str) -> None:
    me = ada.me()
    response = ada.get(me.href('self'), headers={'If-None-Match': value.format(me.etag)})
    assert response.status == 304


@pytest.mark.parametrize('value', ['"other"', 'W/"other"', '', 'x', '"'])
def test_a_different_or_malformed_etag_gets_the_document(ada: Client, value: str) -> None:
    assert ada.get(ada.me().href('self'), headers={'If-None-Match': value}).status == 200


def test_head_is_conditional_like_get(ada: Client) -> None:
    me = ada.me()
    assert ada.request('HEAD', me.href('self'), headers={'If-None-Match': me.etag}).status == 304


def test_etags_differ_by_media_type_and_viewer(world: World) -> None:
    url = world.url('/api/posts/{post_id}')
    etags = {
        client.get(url, accept=media_type).etag for client in (world.ada, world.bob) for media_type in TYPES
    }
    assert len(etags) >= 9  # documents without forms for Bob are equal in HAL and HAL-FORMS


@pytest.mark.parametrize('media_type', TYPES)
@pytest.mark.parametrize(
    ('method', 'template', 'body'),
    [
        ('PATCH', '/api/users/{user_id}', {'about_me': 'new'}),
        ('PATCH', '/api/posts/{post_id}', {'body': 'new'}),
        ('PATCH', '/api/stores/{store_id}', {'name': 'new'}),
        ('PATCH', '/api/items/{item_id}', {'name': 'new'}),
    ],
)
def test_a_write_returns_the_etag_of_the_next_get(
    world: World, method: str, template: str, body: Any, media_type: str
) -> None:
    url = world.url(template)
    response = world.ada.request(method, url, json=body, accept=media_type)
    assert response.etag == world.ada.get(url, accept=media_type).etag
    assert response.headers['content-location'] == f'{ORIGIN}{url}'


@pytest.mark.parametrize(
    ('template', 'body'),
    [
        ('/api/users/{user_id}', {'about_me': 'new'}),
        ('/api/posts/{post_id}', {'body': 'new'}),
        ('/api/stores/{store_id}', {'name': 'new'}),
        ('/api/items/{item_id}', {'name': 'new'}),
        ('/api/users/{user_id}/following/{other_id}', None),
    ],
)
def test_a_response_to_put_has_no_validator(world: World, template: str, body: Any) -> None:
    url = world.url(template)
    response = world.ada.put(url, body)
    assert response.status == 200
    assert not {'etag', 'last-modified'} & set(response.headers)
    assert response.headers['content-location'] == f'{ORIGIN}{url}'


@pytest.mark.parametrize('media_type', TYPES)
def test_a_new_post_has_the_etag_of_the_next_get(ada: Client, media_type: str) -> None:
    response = ada.post('/api/posts', {'body': 'Hello'}, accept=media_type)
    assert response.status == 201
    assert response.etag == ada.get(response.headers['location'], accept=media_type).etag


def test_a_registration_has_no_etag_and_no_email(client: Client) -> None:
    response = client.register('eve')
    assert 'etag' not in response.headers
    assert 'email' not in response.json
    assert response.headers['cache-control'] == 'no-store'


MATCHING = ('{}', '"x", {}', '{},"x"', '*', ' * ')
FAILING = ('"x"', 'W/{}', '', '{}x', 'x', '"', '"x", W/{}')
WRITES = (
    ('PUT', '/api/users/{user_id}', {'about_me': 'x'}),
    ('PATCH', '/api/users/{user_id}', {'about_me': 'x'}),
    ('DELETE', '/api/users/{user_id}', None),
    ('PUT', '/api/posts/{post_id}', {'body': 'x'}),
    ('DELETE', '/api/posts/{post_id}', None),
    ('DELETE', '/api/tokens/{token_id}', None),
    ('DELETE', '/api/tokens', None),
    ('PUT', '/api/users/{user_id}/following/{other_id}', None),
    ('DELETE', '/api/users/{user_id}/following/{other_id}', None),
)


@pytest.mark.parametrize('value', MATCHING)
@pytest.mark.parametrize(('method', 'template', 'body'), WRITES)
def test_a_write_with_a_matching_if_match_succeeds(
    world: World, method: str, template: str, body: Any, value: str
) -> None:
    url = world.url(template)
    headers = {'If-Match': value.format(world.ada.get(url).etag)}
    response = world.ada.request(method, url, json=body, headers=headers)
    assert response.status in (200, 204), response.text


@pytest.mark.parametrize('value', FAILING)
@pytest.mark.parametrize(('method', 'template', 'body'), WRITES)
def test_a_write_with_a_failing_if_match_changes_nothing(
    world: World, method: str, template: str, body: Any, value: str
) -> None:
    url = world.url(template)
    before = world.ada.get(url)
    headers = {'If-Match': value.format(before.etag)}
    response = world.ada.request(method, url, json=body, headers=headers)
    assert_problem(response, 412)
    assert world.ada.get(url).text == before.text


@pytest.mark.parametrize('media_type', TYPES)
def test_if_match_accepts_the_etag_of_any_media_type(ada: Client, media_type: str) -> None:
    me = ada.me().href('self')
    etag = ada.get(me, accept=media_type).etag
    response = ada.put(me, {'about_me': 'x'}, headers={'If-Match': etag}, accept='application/json')
    assert response.status == 200


@pytest.fixture
def forbid_pages(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that makes the rendering of pages fail from then on."""

    def fail(page: Any) -> str:
        raise AssertionError('a page is rendered')

    return lambda: monkeypatch.setattr(formats, 'render_page', fail)


@pytest.mark.parametrize(
    'stale',
    [
        '"stale"',
        '"hal-0"',
        '"hal-0", "json-0", "forms-0", "jsonapi-0"',
        'W/"html-0"',
        '"html-0"',
        '"html-0.0"',
    ],
)
def test_a_412_renders_no_page(ada: Client, forbid_pages: Callable[[], None], stale: str) -> None:
    me = ada.me().href('self')
    forbid_pages()
    assert_problem(ada.put(me, {'about_me': 'x'}, headers={'If-Match': stale}), 412)


@pytest.mark.parametrize('rel', ['hc:me', 'hc:posts', 'hc:stores', 'hc:tokens'])
def test_a_stale_etag_of_a_page_renders_no_page(
    ada: Client, forbid_pages: Callable[[], None], rel: str
) -> None:
    url = ada.entry().href(rel)
    etag = ada.get(url, accept=HTML).etag
    ada.publish('Hello')
    ada.follow('hc:stores').submit('create', name='Looms')
    Client(ada.app).sign_in('ada')
    forbid_pages()
    assert_problem(
        ada.request('POST', url, headers={'If-Match': etag}, json={}), 405 if rel == 'hc:me' else 412
    )
    assert_problem(ada.get(url, accept=HAL, headers={'If-Match': etag}), 412)
    if rel == 'hc:me':
        assert_problem(ada.patch(url, {'about_me': 'x'}, headers={'If-Match': etag}), 412)


def test_the_etag_of_a_page_covers_its_whole_content(ada: Client) -> None:
    """The first part of the ETag is that of the document; the second covers the page around it."""
    url = ada.me().href('self')
    page, page_with_source = (ada.get(url + query, accept=HTML).etag for query in ('', '?as=hal'))
    assert page != page_with_source
    assert page.partition('.')[0] == page_with_source.partition('.')[0]
    response = ada.get(url, accept=HTML, headers={'If-None-Match': page_with_source})
    assert (response.status, response.etag) == (200, page)


def test_a_page_matches_while_its_document_is_unchanged(
    world: World, forbid_pages: Callable[[], None]
) -> None:
    """A page shows more than the document: here the name of the store that the item is in."""
    item = world.url('/api/items/{item_id}')
    etag = world.ada.get(item, accept=HTML).etag
    world.ada.put(world.url('/api/stores/{store_id}'), {'name': 'new'})
    assert world.ada.get(item, accept=HTML).etag != etag
    forbid_pages()
    assert world.ada.patch(item, {'price': '7'}, headers={'If-Match': etag}).status == 200
    assert_problem(world.ada.patch(item, {'price': '8'}, headers={'If-Match': etag}), 412)


READABLE = (
    '/api',
    '/api/users',
    '/api/users/{user_id}',
    '/api/users/{user_id}/posts',
    '/api/posts',
    '/api/posts/{post_id}',
    '/api/tokens',
    '/api/stores/{store_id}/items',
    '/api/rels/users',
    '/api/problems/not-found',
    '/api/openapi.json',
    '/api/docs',
    '/.well-known/jwks.json',
    '/.well-known/api-catalog',
    '/health/live',
)


@pytest.mark.parametrize('template', READABLE)
def test_a_read_is_conditional_on_if_match(world: World, template: str) -> None:
    url = world.url(template)
    etag = world.ada.get(url).headers.get('etag')
    for value in FAILING:
        response = world.ada.request('HEAD', url, headers={'If-Match': value.format(etag or '"none"')})
        assert response.status == 412
        assert 'etag' not in response.headers
    assert_problem(world.ada.get(url, headers={'If-Match': '"x"'}), 412)
    for value in MATCHING if etag else ['*']:
        assert world.ada.get(url, headers={'If-Match': value.format(etag)}).status == 200


def test_if_match_is_evaluated_before_if_none_match(ada: Client) -> None:
    me = ada.me()
    conditions = {'If-Match': '"other"', 'If-None-Match': me.etag}
    assert ada.get(me.href('self'), headers=conditions).status == 412
    conditions = {'If-Match': me.etag, 'If-None-Match': me.etag}
    assert ada.get(me.href('self'), headers=conditions).status == 304


@pytest.mark.parametrize('media_type', TYPES)
@pytest.mark.parametrize('template', ['/api/posts', '/api/users/{user_id}', '/api/rels/{rel}'])
def test_a_read_accepts_the_etag_of_any_media_type(world: World, template: str, media_type: str) -> None:
    url = world.url(template)
    etag = world.ada.get(url, accept=media_type).etag
    for other in TYPES:
        assert world.ada.get(url, accept=other, headers={'If-Match': etag}).status == 200


@pytest.mark.parametrize('query', ['include=', 'include=author.followers', 'fields[posts]=body'])
@pytest.mark.parametrize('media_type', [HAL, JSON_API])
def test_if_match_accepts_the_etag_of_a_selection_in_any_media_type(
    ada: Client, media_type: str, query: str
) -> None:
    post = ada.post('/api/posts', {'body': 'hello'}).headers['location']
    for other in (HAL, JSON_API):
        etag = ada.get(f'{post}?{query}', accept=media_type).etag
        for method, body in (('GET', None), ('PATCH', {'body': 'changed'})):
            for value, status in ((etag, 200), ('"x"', 412)):
                options = {'accept': other, 'headers': {'If-Match': value}}
                response = ada.request(method, f'{post}?{query}', json=body, **options)
                assert response.status == status, response.text


@pytest.mark.parametrize('other', [HAL, HAL_FORMS, JSON_API])
def test_a_read_rejects_the_etag_of_another_query(ada: Client, other: str) -> None:
    for query in ('', '?sort=created_at', '?page=2'):
        etag = ada.get(f'/api/posts{query}', accept=HAL).etag
        stale = ada.get('/api/posts?per_page=5', accept=other, headers={'If-Match': etag})
        assert stale.status == 412


@pytest.mark.parametrize(
    'query', ['page=2&per_page=1', 'include=', 'sort=created_at', 'page=2&page[after]=MQ']
)
def test_a_post_accepts_the_etag_of_the_same_page(ada: Client, query: str) -> None:
    for body in ('one', 'two'):
        ada.post('/api/posts', {'body': body})
    url = f'/api/posts?{query}'
    etag = ada.get(url).etag
    assert ada.post(url, {'body': 'three'}, headers={'If-Match': etag}).status == 201
    assert ada.post(url, {'body': 'four'}, headers={'If-Match': '"x"'}).status == 412


CREATIONS = (
    ('/api/users', new_user()),
    ('/api/posts', {'body': 'new'}),
    ('/api/stores', {'name': 'new'}),
    ('/api/stores/{store_id}/items', {'name': 'new', 'price': '1'}),
    ('/api/tokens', LOGIN),
    ('/api/tokens', None),
)


@pytest.mark.parametrize('conditions', [{'If-Match': '"x"'}, {'If-Match': ''}, {'If-None-Match': '*'}])
@pytest.mark.parametrize(('template', 'body'), CREATIONS)
def test_a_post_with_a_failed_precondition_creates_nothing(
    world: World, template: str, body: Any, conditions: dict[str, str]
) -> None:
    url = world.url(template)
    before = world.ada.get(url).text
    assert_problem(world.ada.post(url, body, headers=conditions), 412)
    assert world.ada.get(url).text == before


@pytest.mark.parametrize('media_type', TYPES)
@pytest.mark.parametrize(('template', 'body'), CREATIONS[:4])
def test_a_post_with_a_matching_if_match_succeeds(
    world: World, template: str, body: Any, media_type: str
) -> None:
    url = world.url(template)
    etag = world.ada.get(url, accept=media_type).etag
    response = world.ada.post(url, body, headers={'If-Match': f'"x", {etag}'})
    assert response.status == 201, response.text
    assert world.ada.get(url, accept=media_type).etag != etag
    assert world.ada.post(url, body, headers={'If-Match': etag}).status == 412


@pytest.mark.parametrize('value', MATCHING)
def test_a_renewal_with_a_matching_if_match_succeeds(ada: Client, value: str) -> None:
    etag = ada.get('/api/tokens').etag
    assert ada.post('/api/tokens', headers={'If-Match': value.format(etag)}).status == 200


def test_a_malformed_body_is_reported_before_a_failed_precondition(ada: Client) -> None:
    stale = {'If-Match': '"x"'}
    malformed = ada.post('/api/posts', body=b'{', headers=stale | {'Content-Type': 'application/json'})
    assert_problem(malformed, 400)
    assert_problem(ada.post('/api/posts', {'body': ''}, headers=stale), 412)


@pytest.mark.parametrize(
    'url', ['/api/openapi.json', '/api/docs', '/api/rels/users', '/api/problems/not-found']
)
def test_public_documents_have_one_etag_for_all_clients(world: World, client: Client, url: str) -> None:
    assert len({viewer.get(url, accept='*/*').etag for viewer in (world.ada, world.bob, client)}) == 1


def test_if_match_rejects_the_etag_of_another_viewer(world: World) -> None:
    url = world.url('/api/users/{user_id}')
    etag = world.bob.get(url).etag
    assert_problem(world.ada.put(url, {'about_me': 'x'}, headers={'If-Match': etag}), 412)


def test_the_etag_of_a_write_is_valid_for_the_next_write(ada: Client) -> None:
    me = ada.me()
    for number in range(3):
        changed = ada.patch(me.href('self'), {'about_me': str(number)}, headers={'If-Match': me.etag})
        assert changed.status == 200
        me = changed


def test_if_none_match_asterisk_creates_a_follow_only_once(world: World) -> None:
    url = world.url('/api/users/{user_id}/following/{other_id}')
    headers = {'If-None-Match': '*'}
    assert_problem(world.ada.put(url, headers=headers), 412)
    world.ada.delete(url)
    assert world.ada.put(url, headers=headers).status == 201


def test_if_match_fails_without_a_current_follow(world: World) -> None:
    url = world.url('/api/users/{user_id}/following/{other_id}')
    world.ada.delete(url)
    assert_problem(world.ada.put(url, headers={'If-Match': '*'}), 412)
    assert world.ada.get(url).status == 404


def test_precondition_and_write_are_atomic(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change between the first read and the write is detected by the write."""
    me = ada.me()

    def change_after_another(
        db: Any, user_id: int, changes: Any, *, by: Viewer, precondition: Any, **options: Any
    ) -> Any:
        change_user(db, user_id, {'about_me': 'the other'}, by=by, precondition=lambda _: None)
        return change_user(db, user_id, changes, by=by, precondition=precondition, **options)

    monkeypatch.setattr(users, 'change_user', change_after_another)
    response = ada.put(me.href('self'), {'about_me': 'mine'}, headers={'If-Match': me.etag})
    assert_problem(response, 412)
    assert ada.me().json['about_me'] == 'the other'


CACHE_CONTROL = {
    '/api': 'private, no-cache',
    '/api/users': 'private, no-cache',
    '/api/users/{user_id}': 'private, no-cache',
    '/api/posts/{post_id}': 'private, no-cache',
    '/api/tokens': 'private, no-cache',
    '/api/rels/users': 'public, max-age=3600',
    '/api/problems/not-found': 'public, max-age=3600',
    '/health/live': 'no-store',
    '/health/ready': 'no-store',
    '/api/users/1': 'no-store',  # 404
    '/nothing': 'no-store',
}


@pytest.mark.parametrize('template', CACHE_CONTROL)
def test_every_response_has_cache_control(world: World, template: str) -> None:
    assert world.ada.get(world.url(template)).headers['cache-control'] == CACHE_CONTROL[template]


@pytest.mark.parametrize('template', CACHE_CONTROL)
def test_responses_that_depend_on_the_viewer_vary_by_authorization(world: World, template: str) -> None:
    vary = world.ada.get(world.url(template)).headers['vary'].split(', ')
    depends = CACHE_CONTROL[template] == 'private, no-cache' or template == '/api/users/1'
    assert ('Authorization' in vary) == depends
    assert 'Accept' in vary


@pytest.mark.parametrize(
    ('accept', 'expected'),
    [('*/*', True), ('text/html;q=0.5, */*', True), (HAL, False), ('text/html', False)],
)
def test_a_response_varies_by_content_type_if_that_selects_the_format(
    world: World, accept: str, expected: bool
) -> None:
    for template in ('/api', '/api/users/1', '/api/rels/users'):
        vary = world.ada.get(world.url(template), accept=accept).headers['vary'].split(', ')
        assert ('Content-Type' in vary) is expected


@pytest.mark.parametrize('query', ['include=author', 'fields[posts]=body'])
def test_the_response_to_a_creation_with_a_selection_has_no_etag(ada: Client, query: str) -> None:
    """Formerly If-Match with the ETag of the response failed, because no GET of the URL has that ETag."""
    posts = ada.entry().href('hc:posts')
    for accept in (HAL, JSON_API):
        created = ada.post(f'{posts}?{query}', {'body': 'hello'}, accept=accept)
        assert created.status == 201
        assert 'etag' not in created.headers
    for url in (posts, f'{posts}?unknown=1'):
        created = ada.post(url, {'body': 'hello'}, accept=HAL)
        assert created.etag == ada.get(created.headers['location'], accept=HAL).etag


def test_responses_with_secrets_have_cache_control_no_store(ada: Client) -> None:
    response = ada.post('/api/tokens')
    assert 'token' in response.json
    assert response.headers['cache-control'] == 'no-store'
    assert 'etag' not in response.headers


def test_a_write_links_to_the_other_resources_that_it_changed(ada: Client, bob: Client) -> None:
    bob_profile = ada.get(bob.me().href('self'))
    link_header = ada.put(bob_profile.href('hc:follow')).headers['link']
    for url in (bob_profile.href('self'), bob_profile.href('hc:followers'), ada.me().href('hc:following')):
        assert f'<{url}>; rel="invalidates"' in link_header
