"""Methods and URLs: HEAD, OPTIONS, 405, 501, equivalent URLs and redirects."""

from __future__ import annotations

from typing import Any

import pytest

from service import urls
from tests.client import HTML, Client, assert_problem
from tests.routes import STANDARD_METHODS, World, methods_at

pytestmark = pytest.mark.above_databases

GET_TEMPLATES = (
    '/api',
    '/api/rels/users',
    '/api/problems/not-found',
    '/api/users',
    '/api/users/{user_id}',
    '/api/users/{user_id}/followers',
    '/api/users/{user_id}/following',
    '/api/users/{user_id}/followed',
    '/api/users/{user_id}/following/{other_id}',
    '/api/users/{user_id}/posts',
    '/api/users/{user_id}/feed',
    '/api/posts',
    '/api/posts/{post_id}',
    '/api/tokens',
    '/api/tokens/{token_id}',
    '/health/live',
    '/health/ready',
    '/',
    '/nothing',
    '/api/users/1',
    '/api/users?page=0',
)


@pytest.mark.parametrize('template', GET_TEMPLATES)
def test_head_responds_like_get_without_content(world: World, template: str) -> None:
    get, head = (world.ada.request(method, world.url(template)) for method in ('GET', 'HEAD'))
    assert (head.status, head.stable_headers) == (get.status, get.stable_headers)
    assert head.text == ''


@pytest.mark.parametrize('media_type', ['application/hal+json', 'application/json', 'text/html'])
def test_head_has_the_content_length_of_get(world: World, media_type: str) -> None:
    get, head = (world.ada.request(method, '/api', accept=media_type) for method in ('GET', 'HEAD'))
    assert head.headers['content-length'] == str(len(get.text.encode()))


def test_head_responds_like_get_to_a_browser_that_is_not_signed_in(client: Client) -> None:
    """Formerly Content-Length differed: the sign-in form of HEAD led to the entry point, not to this page."""
    get, head = (client.request(method, '/api/users?per_page=5', accept=HTML) for method in ('GET', 'HEAD'))
    assert (head.status, head.stable_headers) == (401, get.stable_headers)


def test_options_lists_the_methods_of_every_resource(app: Any, world: World) -> None:
    for template, methods in methods_at(app).items():
        response = Client(app).request('OPTIONS', world.url(template))
        expected = {*methods, 'OPTIONS'} | ({'HEAD'} if 'GET' in methods else set())
        expected |= {'QUERY'} if 'accept-query' in response.headers else set()
        assert response.status == 204
        assert response.headers['allow'] == ', '.join(sorted(expected))
        has_patch = 'PATCH' in methods and template != urls.FOLLOWING_RELATIONSHIP  # where PATCH is 403
        assert ('accept-patch' in response.headers) == has_patch


def test_an_unsupported_method_is_405_with_allow(app: Any, world: World) -> None:
    for template in methods_at(app):
        allowed = Client(app).request('OPTIONS', world.url(template)).headers['allow']
        for method in {*STANDARD_METHODS, 'HEAD', 'QUERY', 'TRACE', 'CONNECT'} - set(allowed.split(', ')):
            response = Client(app).request(method, world.url(template))
            assert response.status == 405
            assert response.headers['allow'] == allowed


@pytest.mark.parametrize('method', ['FROB', 'PROPFIND', 'COPY', 'query', 'SEARCH'])
def test_an_unknown_method_is_501(client: Client, method: str) -> None:
    assert_problem(client.request(method, '/api/users'), 501)


@pytest.mark.parametrize(
    'template', ['/api', '/api/users', '/api/users/{user_id}', '/api/posts', '/health/live']
)
def test_a_trailing_slash_is_ignored_without_a_redirect(world: World, template: str) -> None:
    url = world.url(template)
    assert world.ada.get(url + '/').text == world.ada.get(url).text


@pytest.mark.parametrize(
    'path', ['/nothing', '/api/nothing', '/api//', '/api/users//', '/API', '/api/users/1/2', '/api/usersx']
)
def test_an_unknown_url_is_404(client: Client, path: str) -> None:
    assert_problem(client.get(path), 404)


@pytest.mark.parametrize(
    'name', ['0', '-1', 'abc', str(2**70), str(2**53), '1.0', '01', '%20', '1%2F2', '%00', '٣']
)
@pytest.mark.parametrize(
    'template',
    [
        '/api/users/{}',
        '/api/posts/{}',
        '/api/tokens/{}',
        '/api/users/{}/followed',
        '/api/users/5/following/{}',
    ],
)
def test_a_url_with_a_malformed_id_is_404(client: Client, template: str, name: str) -> None:
    assert client.get(template.format(name)).status == 404


def test_a_percent_encoded_url_identifies_the_same_resource(ada: Client) -> None:
    assert ada.get('/api/%75sers').href('self') == ada.get('/api/users').href('self')


def test_the_root_redirects_to_the_entry_point_without_caching(client: Client) -> None:
    response = client.get('/')
    assert response.status == 308
    assert response.headers['location'] == 'http://halcyon.test/api'
    assert response.headers['cache-control'] == 'no-store'


@pytest.mark.parametrize('method', ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
@pytest.mark.parametrize(
    'query', ['', '?page=2&per_page=5', '?q=a%20b&x=%22%3C', '?a=b+c&page%5Bafter%5D=NQ']
)
def test_the_former_url_of_following_redirects_and_keeps_the_query(
    client: Client, method: str, query: str
) -> None:
    response = client.request(method, f'/api/users/5/followed{query}')
    assert response.status == 308
    assert response.headers['location'] == f'http://halcyon.test/api/users/5/following{query}'
    assert response.headers['cache-control'].startswith('public')


def test_a_redirect_escapes_characters_that_urls_may_not_contain(client: Client) -> None:
    response = client.get('/api/users/5/followed?x=a|b"<>%&y=%zz%41')
    assert response.headers['location'].endswith('/following?x=a%7Cb%22%3C%3E%25&y=%25zz%41')


@pytest.mark.parametrize('headers', [{'Content-Type': 'image/png'}, {'Content-Type': 'application/json'}])
def test_the_body_of_a_delete_is_ignored(ada: Client, headers: dict[str, str]) -> None:
    post = ada.publish('Hello').href('self')
    assert ada.delete(post, body=b'{broken', headers=headers).status == 204


def test_a_content_type_without_a_body_is_ignored(ada: Client) -> None:
    response = ada.put(ada.me().href('self'), headers={'Content-Type': 'image/png'})
    assert response.status == 200


def test_the_path_of_an_asterisk_is_an_unknown_url(client: Client) -> None:
    response = client.request('OPTIONS', '/*')
    assert response.json['instance'] == 'http://halcyon.test/*'


@pytest.mark.parametrize(
    'path',
    [
        '/api/%ff%2F%3Fx',
        '/api/../x',
        '/api/%2e%2E/x',
        '/api/./x',
        '/api/%C3%A9',
        '/nothing/%20',
        '/api/a;b=c,d',
    ],
)
@pytest.mark.parametrize('query', ['', '?a=b%2F'])
def test_the_instance_of_a_problem_is_the_target_as_it_was_sent(
    client: Client, path: str, query: str
) -> None:
    response = client.get(path + query)
    assert_problem(response, 404)
    assert response.json['instance'] == f'http://halcyon.test{path}'


@pytest.mark.parametrize('slash', ['%2F', '%2f'])
@pytest.mark.parametrize(
    'path',
    ['/api{}tokens', '/api/rels{}users', '/health{}live', '/api{}users{}5', '/static{}x'],
)
def test_an_encoded_slash_is_not_a_separator(ada: Client, path: str, slash: str) -> None:
    url = path.replace('{}', slash)
    assert_problem(ada.delete(url), 404)
    assert_problem(ada.get(url), 404)
    assert ada.get('/api/tokens').status == 200


def test_an_encoded_slash_at_the_end_is_not_a_trailing_slash(ada: Client) -> None:
    assert_problem(ada.delete('/api/tokens%2F'), 404)
    assert ada.get('/api/tokens').status == 200


@pytest.mark.parametrize('coding', ['gzip, chunked', 'gzip', 'chunked, chunked', 'identity', 'x'])
@pytest.mark.parametrize('method', ['POST', 'GET'])
def test_a_transfer_coding_other_than_chunked_is_501(ada: Client, method: str, coding: str) -> None:
    response = ada.request(method, '/api/posts', headers={'Transfer-Encoding': coding}, body=b'{"body": "x"}')
    assert_problem(response, 501)
    assert ada.get('/api/posts').items == []


@pytest.mark.parametrize(
    'template', ['/api/users/{user_id}', '/api/posts/{post_id}', '/api/stores/{store_id}']
)
def test_a_put_with_content_range_is_400(world: World, template: str) -> None:
    url = world.url(template)
    before = world.ada.get(url).etag
    ranged = {'Content-Range': 'bytes 0-4/10'}
    assert_problem(world.ada.put(url, {'name': 'x', 'body': 'x', 'about_me': 'x'}, headers=ranged), 400)
    assert world.ada.get(url).etag == before
