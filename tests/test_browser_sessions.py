"""Browser sessions: cookies, forms without scripts, and cross-site requests."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from service.database.errors import Unavailable
from tests.client import FORM, HAL, HAL_FORMS, HTML, JSON_API, ORIGIN, PASSWORD, Client
from tests.clock import MovableClock
from tests.plain_browser import ACCEPT, PlainBrowser
from tests.routes import World

pytestmark = pytest.mark.above_databases

COOKIE = 'halcyon'
NEW_PASSWORD = 'battery staple'
CROSS_SITE_HEADERS = (
    {},
    {'Sec-Fetch-Site': 'cross-site'},
    {'Sec-Fetch-Site': 'same-site'},
    {'Sec-Fetch-Site': 'none'},
    {'Origin': 'http://evil.test'},
    {'Origin': 'null'},
    {'Origin': f'{ORIGIN}.evil.test'},
    {'Sec-Fetch-Site': 'cross-site', 'Origin': ORIGIN},
)


@pytest.fixture
def browser(app: Any, ada: Client) -> PlainBrowser:
    """A browser that is signed in as Ada."""
    browser = PlainBrowser(app)
    browser.open('/api')
    assert browser.submit('login', username='ada', password=PASSWORD) == 200
    assert COOKIE in browser.cookies
    return browser


def test_the_pages_work_without_scripts(app: Any) -> None:
    browser = PlainBrowser(app)
    browser.open('/api')
    browser.submit('register', username='eva', email='eva@example.org', password=PASSWORD)
    browser.submit('login', username='eva', password=PASSWORD)
    assert browser.status == 200
    assert browser.url == f'{ORIGIN}/api'
    assert 'Your feed is empty.' in browser.page.text

    browser.submit('publish', body='first\r\nsecond')
    assert browser.url == f'{ORIGIN}/api'
    assert 'first\nsecond' in browser.page.text
    browser.submit('edit', body='changed')
    assert 'changed' in browser.page.text
    assert 'first' not in browser.page.text
    browser.submit('delete')
    assert 'Your feed is empty.' in browser.page.text

    browser.submit('sign-out')
    assert browser.cookies == {}
    assert browser.fields_of('login')


def test_a_registration_leads_to_the_form_to_sign_in(app: Any) -> None:
    browser = PlainBrowser(app)
    browser.open('/api')
    values = {'username': 'Eva', 'email': 'eva@example.org'}
    assert browser.submit('register', password='short', **values) == 400
    assert browser.submit('register', password=PASSWORD, **values) == 200
    assert 'Your account is ready. Sign in.' in browser.page.text
    assert browser.fields_of('login')[1]['username'] == 'Eva'
    assert [tag['name'] for tag in browser.page.all('input') if 'autofocus' in tag] == ['password']
    assert browser.submit('login', password=PASSWORD) == 200
    assert 'Your feed is empty.' in browser.page.text


@pytest.mark.parametrize(
    'query', ['done=nothing&username=eva', 'done=register&done=register', 'username=eva']
)
def test_a_page_without_an_outcome_is_unchanged(app: Any, query: str) -> None:
    browser = PlainBrowser(app)
    browser.open('/api')
    text = browser.text
    assert browser.open(f'/api?{query}') == 200
    assert browser.text == text


def test_only_a_valid_user_name_is_prefilled(app: Any) -> None:
    browser = PlainBrowser(app)
    for name in ('%22%3E%3Cscript%3E', '%00', 'a' * 65, '%E2%80%AE'):
        browser.open(f'/api?done=register&username={name}')
        assert browser.fields_of('login')[1]['username'] == ''


def test_the_cookie_is_http_only_and_same_site(app: Any, ada: Client) -> None:
    browser = PlainBrowser(app)
    browser.open('/api')
    browser.submit('login', username='ada', password=PASSWORD)
    (cookie,) = browser.redirect_cookies
    assert cookie.startswith(f'{COOKIE}=hc_')
    assert cookie.partition('; ')[2] == 'Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax'


def test_the_cookie_has_a_prefix_under_https(start: Any) -> None:
    browser = PlainBrowser(start(BASE_URL='https://halcyon.test'), 'https://halcyon.test')
    headers = {'Origin': 'https://halcyon.test'}
    browser.open('/api')
    browser.submit('register', headers, username='eva', email='eva@example.org', password=PASSWORD)
    browser.submit('login', headers, username='eva', password=PASSWORD)
    assert list(browser.cookies) == ['__Host-halcyon']
    assert browser.redirect_cookies[0].endswith('HttpOnly; SameSite=Lax; Secure')


@pytest.mark.parametrize('headers', CROSS_SITE_HEADERS)
def test_a_cross_site_request_with_the_cookie_changes_nothing(
    browser: PlainBrowser, ada: Client, headers: dict[str, str]
) -> None:
    assert browser.post('/api/posts', {'body': 'forged'}, headers) == 403
    assert 'forged' not in browser.text
    assert browser.post(ada.me().href('self'), {'_method': 'DELETE'}, headers) == 403
    assert browser.post('/api/tokens', {'_method': 'DELETE'}, headers) == 403
    assert browser.open('/api') == 200
    assert ada.me().json['post_count'] == 0


@pytest.mark.parametrize('headers', [{'Sec-Fetch-Site': 'same-origin'}, {'Origin': ORIGIN}])
def test_forms_of_this_origin_are_accepted_with_the_cookie(
    browser: PlainBrowser, ada: Client, headers: dict[str, str]
) -> None:
    assert browser.post('/api/posts', {'body': 'mine'}, headers) == 200
    assert ada.me().json['post_count'] == 1


@pytest.mark.parametrize('headers', CROSS_SITE_HEADERS[1:])
def test_a_cross_site_request_cannot_sign_in_a_browser(
    app: Any, ada: Client, headers: dict[str, str]
) -> None:
    browser = PlainBrowser(app)
    assert browser.post('/api/tokens', {'username': 'ada', 'password': PASSWORD}, headers) == 403
    assert browser.cookies == {}


def test_the_cookie_authenticates_only_requests_for_pages(browser: PlainBrowser) -> None:
    for accept in (HAL, 'application/vnd.api+json', '*/*', 'application/json'):
        assert browser.open('/api/users', Accept=accept) == 401
    assert browser.open('/api/users', Accept=HTML) == 200


def test_authorization_takes_precedence_over_the_cookie(browser: PlainBrowser) -> None:
    assert browser.open('/api/users', Authorization='Bearer hc_wrong') == 401


def test_a_json_body_with_the_cookie_needs_the_same_origin(browser: PlainBrowser, ada: Client) -> None:
    headers = {'Content-Type': 'application/json'}
    assert browser.send('POST', '/api/posts', headers=headers, body='{"body": "forged"}') == 403
    assert ada.me().json['post_count'] == 0


def test_the_token_is_in_no_page_and_no_url(browser: PlainBrowser, ada: Client) -> None:
    token = browser.cookies[COOKIE]
    for rel in ('hc:me', 'hc:users', 'hc:posts', 'hc:feed', 'hc:tokens', 'hc:stores'):
        assert browser.open(ada.entry().href(rel)) == 200
        assert token not in browser.text + browser.url


def test_an_expired_cookie_is_ignored_and_cleared(browser: PlainBrowser) -> None:
    browser.cookies[COOKIE] = 'hc_expired'
    assert browser.open('/api') == 200
    assert browser.cookies == {}
    assert browser.fields_of('login')


@pytest.mark.parametrize('path', ['/api/rels/users', '/api/problems/not-found', '/api/docs'])
def test_a_page_in_shared_caches_does_not_clear_the_cookie(browser: PlainBrowser, path: str) -> None:
    browser.cookies[COOKIE] = 'hc_expired'
    assert browser.open(path) == 200
    assert browser.result.headers['cache-control'].startswith('public')
    assert 'set-cookie' not in browser.result.headers


@pytest.mark.parametrize(
    'url', ['/nothing', '/api/nothing', '/api/users/x', '/static/nothing', '/api%2Fusers']
)
def test_the_page_of_an_unknown_url_has_the_navigation_of_the_viewer(browser: PlainBrowser, url: str) -> None:
    assert browser.open(url) == 404
    assert browser.fields_of('sign-out')
    assert 'Cookie' in browser.result.headers['vary'].split(', ')
    browser.cookies.clear()
    assert browser.open(url) == 404
    assert 'Sign in' in browser.page.text


def test_an_expired_cookie_is_cleared_at_an_unknown_url(browser: PlainBrowser) -> None:
    browser.cookies[COOKIE] = 'hc_expired'
    assert browser.open('/api/nothing') == 404
    assert browser.cookies == {}
    assert 'Sign in' in browser.page.text


def test_the_page_of_a_wrong_method_has_the_navigation_of_the_viewer(browser: PlainBrowser) -> None:
    assert browser.send('PUT', '/api/posts') == 405
    assert browser.fields_of('sign-out')


def test_the_page_of_a_cross_site_request_has_the_navigation_of_the_viewer(browser: PlainBrowser) -> None:
    assert browser.post('/api/posts', {'body': 'forged'}, {'Sec-Fetch-Site': 'cross-site'}) == 403
    assert browser.fields_of('sign-out')


@pytest.mark.parametrize(
    ('url', 'status'),
    [('/api/docs', 200), ('/api/openapi.json', 200), ('/api/rels/users', 200), ('/api/nothing', 404)],
)
def test_a_page_for_everybody_needs_no_database(
    browser: PlainBrowser, monkeypatch: pytest.MonkeyPatch, url: str, status: int
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise Unavailable('The database is gone.')

    monkeypatch.setattr('service.http.credentials.find_viewer', fail)
    assert browser.open(url) == status
    assert browser.open('/api') == 503
    assert browser.open(url, Authorization='Bearer hc_x') == (503 if status == 200 else status)
    assert COOKIE in browser.cookies


def test_an_unknown_url_with_a_token_of_another_client_has_no_navigation_of_the_session(
    browser: PlainBrowser,
) -> None:
    assert browser.open('/api/nothing', Authorization='Bearer hc_wrong') == 404
    assert 'Sign out' not in browser.page.text


def test_a_sign_in_replaces_an_expired_cookie(app: Any, ada: Client) -> None:
    browser = PlainBrowser(app)
    browser.open('/api')
    browser.cookies[COOKIE] = 'hc_expired'
    assert browser.submit('login', username='ada', password=PASSWORD) == 200
    assert 'Your feed is empty.' in browser.page.text


def test_a_sign_in_returns_to_the_requested_page(browser: PlainBrowser) -> None:
    browser.submit('sign-out')
    url = f'{ORIGIN}/api/users?q=a'
    assert browser.open(url) == 401
    assert browser.fields_of('login')[1]['_return'] == url
    assert browser.submit('login', username='ada', password='wrong password') == 401
    assert 'The user name or the password is wrong.' in browser.page.text
    assert browser.fields_of('login')[1]['username'] == 'ada'
    assert 'Basic' not in browser.result.headers['www-authenticate']
    assert browser.submit('login', username='ada', password=PASSWORD) == 200
    assert browser.url == url


@pytest.mark.parametrize(
    'url', ['http://evil.test/', '//evil.test', f'{ORIGIN}.evil.test/', 'javascript:x', '/\\a']
)
def test_a_form_redirects_only_to_this_origin(browser: PlainBrowser, url: str) -> None:
    browser.open('/api')
    browser.submit('publish', body='x', _return=url)
    assert browser.url == f'{ORIGIN}/api'


def test_an_invalid_form_is_returned_with_its_values(browser: PlainBrowser, ada: Client) -> None:
    browser.open(ada.me().href('self'))
    assert browser.submit('edit', username='not a name', about_me='kept') == 400
    assert browser.fields_of('edit')[1]['username'] == 'not a name'
    assert 'kept' in browser.page.text
    assert 'User name may contain only the letters' in browser.page.text
    assert f'<a href="{ada.me().href("self")}">Cancel</a>' in browser.text
    assert browser.submit('edit', username='ada.l', about_me='kept') == 200
    assert browser.url == ada.me().href('self')


def test_the_text_of_an_edit_is_kept_if_the_post_was_deleted(browser: PlainBrowser, ada: Client) -> None:
    post = ada.publish('hello').headers['location']
    assert browser.open(post) == 200
    ada.delete(post)
    assert browser.submit('edit', body='a long text') == 404
    assert 'a long text' in browser.page.text


def test_the_text_of_an_edit_that_is_not_permitted_is_kept(
    browser: PlainBrowser, ada: Client, bob: Client
) -> None:
    post = bob.publish('hello').headers['location']
    assert browser.post(post, {'_method': 'PATCH', 'body': 'a long text'}) == 403
    assert 'a long text' in browser.page.text


def test_text_from_another_site_is_not_shown(app: Any) -> None:
    browser = PlainBrowser(app)
    headers = {'Sec-Fetch-Site': 'cross-site'}
    assert browser.post('/api/posts', {'body': 'forged'}, headers) == 401
    assert 'forged' not in browser.text
    assert browser.post('/api/users', {'username': 'forged'}, headers) == 400
    assert 'forged' not in browser.text


def test_text_submitted_with_an_expired_session_is_kept(browser: PlainBrowser) -> None:
    browser.open('/api')
    browser.cookies[COOKIE] = 'hc_expired'
    assert browser.submit('publish', body='a long thought') == 401
    assert 'Your session has ended. Nothing has been published or changed. Your text is kept below.' in (
        browser.page.text
    )
    assert 'a long thought' in browser.page.text
    assert browser.submit('login', username='ada', password='wrong password') == 401
    assert 'Your session has ended' not in browser.page.text


def test_the_deletion_of_an_item_leads_back_to_its_store(browser: PlainBrowser, world: World) -> None:
    browser.open(ORIGIN + world.url('/api/items/{item_id}'))
    assert browser.submit('delete') == 200
    assert browser.url == ORIGIN + world.url('/api/stores/{store_id}')


def test_an_action_with_an_expired_session_changes_nothing(browser: PlainBrowser, ada: Client) -> None:
    ada.publish('mine')
    browser.open('/api')
    browser.cookies[COOKIE] = 'hc_expired'
    assert browser.submit('delete') == 401
    assert 'Your session has ended. Nothing has been published or changed.' in browser.page.text
    assert 'Your text' not in browser.page.text
    assert ada.me().json['post_count'] == 1


def test_only_forms_of_pages_can_set_the_method(ada: Client) -> None:
    post = ada.publish('x').href('self')
    for accept, content_type in ((HAL, FORM), (ACCEPT, 'application/json')):
        body = '_method=DELETE' if content_type == FORM else '{"_method": "DELETE"}'
        response = ada.request('POST', post, accept=accept, headers={'Content-Type': content_type}, body=body)
        assert response.status == 405
    assert ada.get(post).status == 200


def test_pages_of_a_session_are_private(browser: PlainBrowser) -> None:
    browser.open('/api/users')
    assert 'Cookie' in browser.result.headers['vary'].split(', ')
    assert browser.result.headers['cache-control'] == 'private, no-cache'
    etag = browser.result.headers['etag']
    assert browser.open('/api/users', **{'If-None-Match': etag}) == 304
    browser.cookies.clear()
    assert browser.open('/api/users', **{'If-None-Match': etag}) == 401


def test_the_form_to_delete_an_account_has_a_warning(browser: PlainBrowser, ada: Client) -> None:
    browser.open(ada.me().href('self'))
    assert 'This deletes your account with all your posts' in browser.page.text
    assert browser.submit('delete') == 200
    assert 'Your account is deleted.' in browser.page.text
    assert browser.fields_of('login')


def test_a_changed_password_is_announced(browser: PlainBrowser, ada: Client) -> None:
    browser.open(ada.me().href('self'))
    assert browser.submit('change-password', current_password='wrong', password=NEW_PASSWORD) == 400
    assert browser.submit('change-password', current_password=PASSWORD, password=NEW_PASSWORD) == 200
    assert 'Your password is changed, and you are signed out everywhere else.' in browser.page.text
    assert browser.fields_of('edit')


@pytest.mark.parametrize(
    ('query', 'expected'),
    [
        ('', '?done=change-password'),
        ('?done=edit', '?done=change-password'),
        ('?done=register&username=eva&page=2', '?page=2&done=change-password'),
        ('?q=a%20b#top', '?q=a%20b&done=change-password#top'),
    ],
)
def test_an_outcome_replaces_an_earlier_one_in_the_url(
    browser: PlainBrowser, ada: Client, query: str, expected: str
) -> None:
    url = ada.me().href('self')
    values = {'_method': 'PUT', 'current_password': PASSWORD, 'password': NEW_PASSWORD}
    browser.post(f'{url}/password', values | {'_return': f'{url}{query}'})
    assert browser.url == f'{url}{expected}'


def test_an_outcome_is_announced_once(browser: PlainBrowser) -> None:
    browser.post('/api/posts', {'body': 'x', '_return': f'{ORIGIN}/api?done=register&username=eva'})
    assert browser.url == f'{ORIGIN}/api'


def test_a_session_can_be_renewed(browser: PlainBrowser) -> None:
    before = browser.cookies[COOKIE]
    assert browser.post('/api/tokens', {}) == 200
    assert browser.cookies[COOKIE] != before
    assert browser.open('/api/users') == 200


def test_submitting_forms_renews_a_session(browser: PlainBrowser, clock: MovableClock) -> None:
    first = browser.cookies[COOKIE]
    clock.move(seconds=1790)
    browser.open('/api')
    browser.submit('publish', body='in the first half')
    assert browser.cookies[COOKIE] == first
    clock.move(seconds=10)
    browser.open('/api')
    assert browser.submit('publish', body='in the second half') == 200
    assert browser.cookies[COOKIE] != first
    (cookie,) = browser.redirect_cookies
    assert cookie.partition('; ')[2] == 'Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax'
    clock.move(seconds=3590)
    assert browser.open('/api/users') == 200
    clock.move(seconds=10)
    assert browser.open('/api/users') == 401


def test_a_form_that_fails_does_not_renew_a_session(browser: PlainBrowser, clock: MovableClock) -> None:
    before = dict(browser.cookies)
    clock.move(seconds=1800)
    browser.open('/api')
    assert browser.submit('publish', body=' ') == 400
    assert browser.cookies == before


def test_a_form_succeeds_although_the_session_cannot_be_renewed(
    browser: PlainBrowser, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise Unavailable('The database is gone.')

    monkeypatch.setattr('service.http.browser.renew_aging_token', fail)
    before = dict(browser.cookies)
    clock.move(seconds=1800)
    browser.open('/api')
    assert browser.submit('publish', body='written') == 200
    assert 'written' in browser.page.text
    assert browser.cookies == before


def test_signing_out_of_an_old_session_does_not_renew_it(browser: PlainBrowser, clock: MovableClock) -> None:
    clock.move(seconds=1800)
    browser.open('/api')
    browser.submit('sign-out')
    assert browser.cookies == {}


def test_revoking_an_old_session_does_not_renew_it(browser: PlainBrowser, clock: MovableClock) -> None:
    clock.move(seconds=1800)
    browser.open('/api/tokens')
    assert browser.submit('revoke') == 401
    assert browser.redirect_cookies == []
    assert browser.cookies == {}


def test_a_sign_in_with_an_old_session_does_not_renew_it(
    browser: PlainBrowser, client: Client, clock: MovableClock
) -> None:
    bob = client.register('bob').href('self')
    clock.move(seconds=1800)
    browser.post('/api/tokens', {'username': 'bob', 'password': PASSWORD})
    browser.open(bob)
    assert browser.fields_of('change-password')


def test_a_form_with_a_bearer_token_sets_no_cookie(ada: Client, clock: MovableClock) -> None:
    clock.move(seconds=1800)
    headers = {'Content-Type': FORM}
    response = ada.request('POST', '/api/posts', accept=ACCEPT, headers=headers, body='body=mine')
    assert response.status == 303
    assert 'set-cookie' not in response.headers


@pytest.mark.parametrize(
    ('name', 'media_type', 'url'),
    [
        ('hal', HAL, '/api/posts?per_page=1'),
        ('hal-forms', HAL_FORMS, '/api'),
        ('json-api', JSON_API, '/api/posts?page%5Bsize%5D=1'),
        ('json-api', JSON_API, '/api'),
    ],
)
def test_a_page_can_show_the_response_in_each_format(
    browser: PlainBrowser, ada: Client, name: str, media_type: str, url: str
) -> None:
    ada.publish('one')
    ada.publish('two')
    client = Client(ada.app, browser.cookies[COOKIE])
    fields = ('Content-Type', 'Cache-Control', 'ETag', 'Link')
    browser.open(f'{url}{"&" if "?" in url else "?"}as={name}')
    source = browser.page.text.partition('Back to the page')[2]
    request, response, body = source.strip().split('\n\n', 2)
    assert request == f'GET {ORIGIN}{url}\nAccept: {media_type}'
    expected = client.get(url, accept=media_type)
    assert response.splitlines() == [
        '200 OK',
        *(f'{name}: {expected.headers[name.lower()]}' for name in fields),
    ]
    assert json.JSONDecoder().raw_decode(body)[0] == expected.json


def test_a_page_with_a_response_of_json_api_has_its_parameters(browser: PlainBrowser, ada: Client) -> None:
    for text in ('one', 'two', 'three'):
        ada.publish(text)
    browser.open('/api/posts?page=2&per_page=1')
    (link,) = (tag['href'] for tag in browser.page.all('a') if (tag['href'] or '').endswith('as=json-api'))
    browser.open(str(link))
    assert f'GET {ORIGIN}/api/posts?page%5Bnumber%5D=2&page%5Bsize%5D=1\n' in browser.page.text
    assert 'per_page=' not in browser.page.text


def test_urls_in_posts_are_links(browser: PlainBrowser, ada: Client) -> None:
    ada.publish('see https://example.org/a?b=1&c=2. Not javascript:alert(1)')
    browser.open('/api')
    (link,) = [tag for tag in browser.page.all('a') if tag.get('rel') == 'nofollow ugc noopener']
    assert link['href'] == 'https://example.org/a?b=1&c=2'


def test_the_navigation_marks_the_current_page_or_section(
    browser: PlainBrowser, ada: Client, bob: Client
) -> None:
    post = ada.publish('x')
    store = ada.post('/api/stores', {'name': 'Gears'})
    item = ada.post(store.href('hc:items'), {'name': 'Gear', 'price': '1.00'})
    pages = {
        '/api/posts': ('Posts', 'page'),
        '/api/users?q=a': ('People', 'page'),
        ada.me().href('self'): ('Profile', 'page'),
        bob.me().href('self'): ('People', 'true'),
        bob.me().href('hc:followers'): ('People', 'true'),
        post.href('self'): ('Posts', 'true'),
        item.href('self'): ('Stores', 'true'),
    }
    for url, (label, mark) in pages.items():
        browser.open(url)
        marked = re.findall('aria-current="([a-z]+)">([^<]+)</a>', browser.text)
        assert marked == [(mark, label)], url


def test_the_page_of_a_sign_in_shows_the_device_unless_it_is_the_title(
    browser: PlainBrowser, ada: Client
) -> None:
    (unnamed,) = [token for token in ada.follow('hc:tokens').items if token['current']]
    browser.open(unnamed['_links']['self']['href'])
    assert 'Device' not in browser.page.text
    named = ada.post('/api/tokens', {'username': 'ada', 'password': PASSWORD, 'name': 'Backup'})
    browser.open(named.href('self'))
    assert 'Device falcon-client' in browser.page.text


def test_a_page_names_an_invalid_query_parameter(browser: PlainBrowser) -> None:
    browser.open('/api/users?page=x')
    assert 'The query parameter page must be a positive integer.' in browser.page.text
