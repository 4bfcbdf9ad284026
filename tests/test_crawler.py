"""A crawler that starts at /api: no link, form, CURIE or problem type is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urldefrag, urljoin

import pytest
import uritemplate

from service.representation.problem import PROBLEMS
from tests.client import HAL, HAL_FORMS, HTML, JSON, JSON_API, ORIGIN, ApiResponse, Client
from tests.html import Page, loaded_files
from tests.routes import populate
from tests.strict_json_api import links_of

FORMS = {
    'register',
    'login',
    'publish',
    'edit',
    'change-password',
    'delete',
    'follow',
    'unfollow',
    'search',
    'revoke',
    'renew',
}
UNREADABLE = {'hc:password': 405, 'hc:follow': 404}  # the status of GET by link relation
VARIABLES = {'page': 1, 'per_page': 3, 'q': 'a', 'rel': 'users'}


@pytest.fixture
def crawler(ada: Client, bob: Client) -> Client:
    """A client of a user who has a follower, a followee and two tokens, with several pages of posts."""
    for follower, followed in ((ada, bob), (bob, ada)):
        follower.get(followed.me().href('self')).submit('follow')
    Client(ada.app).register('eva')
    for number in range(11):
        ada.publish(f'number {number}')
    bob.publish('number last')
    ada.sign_in('ada')
    return ada


def documents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the document and all embedded documents, at any depth."""
    yield document
    for value in document.get('_embedded', {}).values():
        for embedded in value if isinstance(value, list) else [value]:
            yield from documents(embedded)


def links(document: dict[str, Any], variables: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the relation and the URL of every link, with values for the variables of templates."""
    for rel, value in document.get('_links', {}).items():  # the OpenAPI document is not HAL
        for link in value if isinstance(value, list) else [value]:
            yield rel, uritemplate.expand(link['href'], variables) if link.get('templated') else link['href']


def allowed_methods(client: Client, url: str) -> list[str]:
    return client.request('OPTIONS', url).headers['allow'].split(', ')


def crawl(client: Client, accept: str) -> Iterator[ApiResponse]:
    """Follow every link, starting at /api, and yield every response."""
    variables = VARIABLES | {'id': client.me().json['id']}
    pending, seen = {f'{ORIGIN}/api': 200}, set()
    while pending:
        url, status = pending.popitem()
        seen.add(url)
        response = client.get(url, accept=accept)
        assert response.status in (200, status), f'{url}: {response.text}'
        if response.status != 200:
            continue
        yield response
        for document in documents(response.json):
            for rel, href in links(document, variables):
                if href.startswith(f'{ORIGIN}/') and href not in seen:
                    pending[href] = UNREADABLE.get(rel, 200)


@pytest.mark.parametrize('accept', [HAL, f'{HAL_FORMS}, {HAL};q=0.9'])
def test_no_link_is_broken(crawler: Client, accept: str) -> None:
    assert len(list(crawl(crawler, accept))) > 30


def test_every_link_relation_is_documented(crawler: Client) -> None:
    rels = {
        rel
        for response in crawl(crawler, HAL)
        for document in documents(response.json)
        for rel in document.get('_links', {})
        if rel.startswith('hc:')
    }
    template = crawler.entry().json['_links']['curies'][0]['href']
    for rel in rels:
        relation = crawler.get(uritemplate.expand(template, rel=rel.removeprefix('hc:')))
        assert relation.status == 200, rel
        assert relation.json['leads_to'], rel


def test_the_documentation_of_a_link_relation_names_the_members_of_bodies(crawler: Client) -> None:
    template = crawler.entry().json['_links']['curies'][0]['href']
    documented = set()
    anonymous = Client(crawler.app)
    for response in [anonymous.entry(), *crawl(crawler, HAL_FORMS)]:
        for document in documents(response.json):
            links = document.get('_links', {}).items()
            rels = {link['href']: rel for rel, link in links if rel.startswith('hc:')}
            for form in document.get('_templates', {}).values():
                rel = rels.get(form['target'])
                if rel and form['properties']:
                    url = uritemplate.expand(template, rel=rel.removeprefix('hc:'))
                    meaning = anonymous.get(url).json['meaning']
                    assert all(f'`{field["name"]}`' in meaning for field in form['properties']), rel
                    documented.add(rel)
    assert documented >= {'hc:users', 'hc:tokens', 'hc:posts', 'hc:password'}


def test_the_documentation_of_a_link_relation_has_the_rules_of_members(client: Client) -> None:
    meaning = client.get('/api/rels/items').json['meaning']
    assert '`name` (required; 1 to 80 characters; must not be blank)' in meaning
    assert '`price` (required; a number from 0.00 to 99999999.99, in steps of 0.01)' in meaning
    assert '`scope` (one of write, read)' in client.get('/api/rels/tokens').json['meaning']


def test_every_form_occurs_and_its_target_supports_its_method(crawler: Client) -> None:
    names = set()
    for client in (crawler, Client(crawler.app)):
        responses = crawl(crawler, HAL_FORMS) if client is crawler else [client.entry()]
        for response in responses:
            for document in documents(response.json):
                for name, template in document.get('_templates', {}).items():
                    assert template['method'] in allowed_methods(client, template['target'])
                    names.add(name)
    assert names >= FORMS


def test_no_link_or_form_of_an_html_page_is_broken(crawler: Client) -> None:
    forms = set()
    pending, seen = [f'{ORIGIN}/api'], set()
    while pending:
        url = pending.pop()
        if url in seen:
            continue
        seen.add(url)
        response = crawler.get(url, accept=HTML)
        assert response.status == 200, url
        if response.content_type != HTML:
            continue
        page = Page(response.text)
        for form, fields in page.forms():
            target, method = form['action'] or '', fields.get('_method') or (form['method'] or '').upper()
            assert method in allowed_methods(crawler, target)
            forms.add(form.get('data-form') or method)
        # Links in the texts of users are nofollow, because they can lead to any site.
        links = [tag['href'] for tag in page.all('a') if 'nofollow' not in (tag.get('rel') or '')]
        pending += [urljoin(url, urldefrag(href or '').url) for href in loaded_files(page) + links]
    assert forms >= FORMS - {'register', 'login', 'renew'} | {'hc:page'}
    assert len(seen) > 30


def test_every_problem_type_is_documented(crawler: Client) -> None:
    anonymous = Client(crawler.app)
    json_header = {'Content-Type': JSON}
    responses = [
        anonymous.get('/api/users'),
        anonymous.get('/api/users', headers={'Authorization': 'Bearer hc_wrong'}),
        anonymous.entry().submit('login', username='ada', password='not this one'),
        anonymous.register('ada'),
        anonymous.request('POST', '/api/users', body=b'{', headers=json_header),
        anonymous.request('POST', '/api/users', body=b'{}'),
        anonymous.request('POST', '/api/users', body=b' ' * 70_000, headers=json_header),
        anonymous.request('PUT', '/api'),
        anonymous.request('BREW', '/api'),
        anonymous.get('/api/nothing'),
        anonymous.entry(accept='image/png'),
        crawler.get('/api/users?page=0'),
        crawler.delete(crawler.sign_in('bob').me().href('self')),
        crawler.put(crawler.me().href('self'), {}, headers={'If-Match': '"other"'}),
    ]
    for response in responses:
        problem_type = anonymous.get(response.json['type'])
        assert problem_type.status == 200
        assert problem_type.json['status'] == response.status
        assert problem_type.json['title'] == response.json['title']
        assert problem_type.json['meaning']


@pytest.mark.parametrize('name', PROBLEMS)
def test_every_problem_has_an_example(client: Client, name: str) -> None:
    problem_type = client.get(f'/api/problems/{name}')
    assert f'"type": "{ORIGIN}/api/problems/{name}"' in problem_type.json['example']
    assert Page(client.get(f'/api/problems/{name}', accept=HTML).text).all('pre')


@pytest.mark.parametrize('accept', [HAL, HAL_FORMS, f'{HAL_FORMS}, {HAL}'])
def test_an_anonymous_client_gets_links_to_register_and_sign_in(
    client: Client, ada: Client, accept: str
) -> None:
    entry = client.get('/api', accept=accept)
    assert {rel for rel in entry.json['_links'] if rel.startswith('hc:')} == {'hc:users', 'hc:tokens'}
    curie = entry.json['_links']['curies'][0]['href']
    for rel in ('users', 'tokens'):
        assert client.get(uritemplate.expand(curie, rel=rel), accept=accept).status == 200


def test_an_embedded_document_equals_the_response_at_its_url(ada: Client, bob: Client) -> None:
    populate(ada, bob)
    for rel in ('hc:users', 'hc:posts', 'hc:feed', 'hc:tokens'):
        for item in ada.follow(rel).items:
            document = ada.get(item['_links']['self']['href']).json
            document['_links'].pop('curies')
            assert item == document


def entries(response: ApiResponse) -> tuple[list[str], dict[str, Any] | None]:
    """Return the ids of the resources in the document, in order, and the metadata of its page."""
    if response.content_type == JSON_API:
        data = response.json['data']
        resources = data if isinstance(data, list) else [data]
        return [resource['id'] for resource in resources], response.json.get('meta')
    documents = response.items if '_meta' in response.json else [response.json]
    return [str(document.get('id', '')) for document in documents], response.json.get('_meta')


def test_a_link_leads_to_the_same_entries_in_all_formats(crawler: Client) -> None:
    urls = {
        href
        for start in ('/api/users', '/api/posts', '/api/users?q=b', '/api/posts?sort=created_at')
        for accept in (HAL, JSON_API)
        for size in ('per_page=2', 'page[size]=2')
        if not (accept == JSON_API and '?q=' in start)
        for response in [crawler.get(f'{start}{"&" if "?" in start else "?"}{size}', accept=accept)]
        for href in (
            links_of(response.json)
            if accept == JSON_API
            else (href for rel, href in links(response.json, VARIABLES) if rel != 'search')
        )
    }
    urls |= {
        href
        for response in crawl(crawler, HAL)
        for document in documents(response.json)
        for rel, href in links(document, VARIABLES | {'id': crawler.me().json['id']})
        if rel not in UNREADABLE and rel != 'search'  # JSON:API does not allow the name of its parameter
    }
    compared = 0
    for url in urls:
        is_write_only = url.endswith('/password') or '/following/' in url
        if is_write_only or '/relationships/' in url or not url.startswith(f'{ORIGIN}/api'):
            continue
        hal, api = (crawler.get(url, accept=accept) for accept in (HAL, JSON_API))
        assert (hal.status, api.status) == (200, 200), url
        if api.content_type != JSON_API or api.json['data'] == []:
            continue
        (ids, meta), (api_ids, api_meta) = entries(hal), entries(api)
        assert meta == api_meta, url
        assert '' in ids or ids == api_ids, url
        assert crawler.get(url, accept=HTML).status == 200
        compared += 1
    assert compared > 50
