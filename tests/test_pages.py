"""HTML pages over HTTP: headers, static files, and submitting forms without JavaScript."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

import pytest

from tests.client import FORM, HAL, HTML, ORIGIN, ApiResponse, Client, new_user
from tests.html import Page, loaded_files
from tests.routes import World

pytestmark = pytest.mark.above_databases

BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
NEW_USER = new_user('eva') | {'about_me': ''}


def policy(response: ApiResponse) -> dict[str, str]:
    """Return the directives of the response's Content-Security-Policy."""
    parts = (part.strip().partition(' ') for part in response.headers['content-security-policy'].split(';'))
    return {name: sources for name, _, sources in parts}


def post_form(client: Client, url: str, values: dict[str, str], accept: str = BROWSER) -> ApiResponse:
    body = urlencode(values)
    return client.request('POST', url, accept=accept, headers={'Content-Type': FORM}, body=body)


def test_a_browser_gets_a_page(client: Client) -> None:
    response = client.entry(accept=BROWSER)
    assert response.headers['content-type'] == 'text/html; charset=utf-8'
    assert [form.get('data-form') for form in Page(response.text).all('form')] == ['login', 'register']


def test_a_page_may_load_only_files_of_its_origin_and_gravatar_images(client: Client) -> None:
    assert policy(client.entry(accept=HTML)) == {
        'default-src': "'none'",
        'script-src': "'self'",
        'style-src': "'self'",
        'img-src': "'self' https://www.gravatar.com",
        'connect-src': "'self'",
        'form-action': "'self'",
        'base-uri': "'none'",
        'frame-ancestors': "'none'",
    }


def test_an_error_page_has_the_same_content_security_policy(client: Client) -> None:
    response = client.get('/api/nothing', accept=HTML)
    assert response.status == 404
    assert policy(response) == policy(client.entry(accept=HTML))


def test_static_files_are_immutable(client: Client) -> None:
    for url in loaded_files(Page(client.entry(accept=HTML).text)):
        response = client.get(url)
        assert response.status == 200
        assert response.headers['cache-control'] == 'public, max-age=31536000, immutable'


def test_a_static_file_has_its_content_type(client: Client) -> None:
    types = {client.get(url).content_type for url in loaded_files(Page(client.entry(accept=HTML).text))}
    assert types == {'text/javascript', 'text/css', 'image/svg+xml'}


def test_an_unchanged_static_file_is_304(client: Client) -> None:
    url = loaded_files(Page(client.entry(accept=HTML).text))[0]
    tag = client.get(url).etag
    assert client.get(url, headers={'If-None-Match': tag}).status == 304


def test_static_files_ignore_tokens(client: Client) -> None:
    url = loaded_files(Page(client.entry(accept=HTML).text))[0]
    assert client.get(url, headers={'Authorization': 'Bearer hc_wrong'}).status == 200


@pytest.mark.parametrize('name', ['page.css', 'page.0.css', '..%2Fhtml.py'])
def test_an_unknown_static_file_is_404(client: Client, name: str) -> None:
    assert client.get(f'/static/{name}').status == 404


def test_a_form_submitted_by_a_browser_redirects_to_a_page(client: Client) -> None:
    response = post_form(client, '/api/users', NEW_USER)
    assert response.status == 303
    assert response.headers['location'] == f'{ORIGIN}/api?done=register&username=eva'
    assert response.text == ''
    assert client.sign_in('eva').me().json['username'] == 'eva'


def test_a_signed_in_browser_is_redirected_to_the_new_resource(ada: Client) -> None:
    response = post_form(ada, '/api/posts', {'body': 'first\r\nsecond'})
    assert response.status == 303
    assert response.text == ''
    assert ada.get(response.headers['location']).json['body'] == 'first\nsecond'


def test_a_form_submitted_by_another_client_is_not_redirected(client: Client) -> None:
    response = post_form(client, '/api/users', NEW_USER, accept=HAL)
    assert response.status == 201
    assert response.headers['location'] == response.href('self')


def test_json_posted_by_a_script_is_not_redirected(client: Client) -> None:
    response = client.post('/api/users', NEW_USER, accept=BROWSER)
    assert response.status == 201
    assert response.content_type == HTML


def test_a_page_names_the_invalid_fields_of_a_form(client: Client) -> None:
    response = post_form(client, '/api/users', NEW_USER | {'username': 'a b', 'password': 'short'})
    assert response.status == 400
    assert response.content_type == HTML
    assert 'User name may contain only' in Page(response.text).text
    assert 'Password must have at least' in Page(response.text).text


def test_only_a_sign_in_sets_a_cookie(client: Client) -> None:
    responses = [client.entry(accept=HTML), post_form(client, '/api/users', NEW_USER)]
    responses.append(client.entry(accept=HTML).client.sign_in('eva').me())
    assert all('set-cookie' not in response.headers for response in responses)


def test_script_and_style_are_small(client: Client) -> None:
    page = client.entry(accept=HTML)
    sizes = [len(client.get(url).text) for url in loaded_files(Page(page.text))]
    assert sum(sizes) < 30_000
    assert len(page.text) < 25_000
    assert len(client.get('/api/docs', accept=HTML).text) < 300_000


@pytest.mark.parametrize('fields', ['', 'created_at', 'username', 'name', 'body', 'nothing'])
def test_a_page_can_show_any_selection_of_fields(ada: Client, world: World, fields: str) -> None:
    kinds = {
        'users': ('/api/users', '/api/users/{user_id}', '/api/users/{user_id}/following'),
        'posts': ('/api/posts', '/api/posts/{post_id}', '/api/users/{user_id}/feed'),
        'tokens': ('/api/tokens', '/api/tokens/{token_id}'),
        'stores': ('/api/stores', '/api/stores/{store_id}'),
        'items': ('/api/items', '/api/items/{item_id}'),
        'follows': ('/api/users/{user_id}/following/{other_id}',),
    }
    for kind, templates in kinds.items():
        for template in templates:
            url = f'{world.url(template)}?fields[{kind}]={fields}'
            assert ada.get(url, accept=HTML).status == 200, url


def test_the_numbers_of_a_page_must_be_filled_in(ada: Client) -> None:
    ada.publish('first')
    ada.publish('second')
    page = Page(ada.get('/api/posts?per_page=1', accept=HTML).text)
    numbers = [tag for tag in page.all('input') if tag.get('type') == 'number']
    assert [tag['name'] for tag in numbers] == ['page', 'per_page']
    assert all('required' in tag for tag in numbers)


@pytest.mark.parametrize('cursor', ['page[after]', 'page[before]'])
def test_a_page_of_a_collection_may_have_a_cursor_and_no_number(ada: Client, cursor: str) -> None:
    for number in range(5):
        ada.publish(f'post {number}')
    middle = ada.get('/api/posts?page=2&per_page=2')
    (value,) = parse_qs(middle.href('next' if cursor == 'page[after]' else 'prev'))[cursor]
    response = ada.get(f'/api/posts?{cursor}={value}&per_page=2', accept=HTML)
    assert response.status == 200
    assert '5 in all<' in response.text
    values = {tag['name']: tag.get('value') for tag in Page(response.text).all('input') if 'name' in tag}
    assert (values['page'], values['per_page']) == (None, '2')


def test_user_text_is_escaped_in_pages(ada: Client) -> None:
    ada.publish('<img src=x onerror=alert(1)>')
    rendered = Page(ada.follow('hc:posts', accept=HTML).text)
    assert '<img src=x onerror=alert(1)>' in rendered.text
    assert all('gravatar' in (image['src'] or '') for image in rendered.all('img'))


def test_examples_have_the_origin_of_the_request(client: Client) -> None:
    relation = client.get('/api/rels/followers')
    assert relation.json['leads_to'] == 'a collection of users'
    assert f'"{ORIGIN}/api/users/' in relation.json['example']


@pytest.mark.parametrize('url', ['/api/rels/nothing', '/api/problems/nothing'])
def test_unknown_relations_and_problem_types_are_404(client: Client, url: str) -> None:
    assert client.get(url).status == 404


def test_a_relation_of_a_feature_that_is_off_is_documented(client: Client) -> None:
    assert 'servers with mail' in client.get('/api/rels/password-resets').json['meaning']


def test_the_operations_of_the_documentation_are_closed_or_open(client: Client) -> None:
    for url, is_open in (('/api/docs', False), ('/api/docs?open', True)):
        page = Page(client.get(url, accept=HTML).text)
        operations = page.all('details')[-50:]
        assert all(('open' in tag) is is_open for tag in operations)


def test_the_documentation_leads_to_pages(client: Client, ada: Client) -> None:
    page = Page(client.get('/api/docs', accept=HTML).text)
    urls = [tag['href'] or '' for tag in page.all('a') if tag.get('rel') == 'example']
    assert f'{ORIGIN}/api/posts' in urls
    assert all(ada.get(url, accept=HTML).content_type == HTML for url in urls)


def test_code_in_the_documentation_is_marked_up_as_code(client: Client) -> None:
    text = client.get('/api/docs', accept=HTML).text
    assert '<code>page[after]</code>' in text
    assert '`' not in Page(text).text
