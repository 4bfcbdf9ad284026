"""Equivalence of the formats: the same state, links and actions."""

from __future__ import annotations

from html import unescape
from typing import Any, NamedTuple

import pytest

from tests.client import HAL, HAL_FORMS, HTML, JSON, JSON_API, Client
from tests.json_api_client import JsonApiClient, identifier_of, relationship_url

pytestmark = pytest.mark.above_databases

RESOURCES = (
    'entry',
    'anonymous entry',
    'me',
    'other user',
    'followed user',
    'users',
    'followers',
    'following',
    'post',
    'posts',
    'feed',
    'posts of a user',
    'follow',
    'token',
    'tokens',
    'stores',
    'store',
    'items',
    'item',
    'relation',
    'problem',
)


@pytest.fixture
def urls(ada: Client, bob: Client, client: Client) -> dict[str, str]:
    """The URL of a resource of each kind, with an entry in every collection."""
    client.register('cleo')
    ada_api, bob_api = JsonApiClient(ada), JsonApiClient(bob)
    me, other = ada_api.me().json['data'], bob_api.me().json['data']
    ada_api.send('POST', relationship_url(me, 'following'), [identifier_of(other)])
    bob_api.send('POST', relationship_url(other, 'following'), [identifier_of(me)])
    post = ada_api.publish('<b>hello</b> & good-bye')
    bob_api.publish('hello, too')
    users = ada.follow('hc:users')
    store = ada.follow('hc:stores').submit('create', name='Looms & <b>more</b>')
    item = ada.get(store.href('hc:items')).submit('create', name='Shuttle', price='1.50')
    return {
        'entry': '/api',
        'anonymous entry': '/api',
        'me': ada.me().href('self'),
        'other user': next(
            user['_links']['self']['href'] for user in users.items if user['username'] == 'cleo'
        ),
        'followed user': bob.me().href('self'),
        'users': users.href('self'),
        'followers': ada.me().href('hc:followers'),
        'following': ada.me().href('hc:following'),
        'post': post['links']['self'],
        'posts': ada.entry().href('hc:posts'),
        'feed': ada.entry().href('hc:feed'),
        'posts of a user': bob.me().href('hc:posts'),
        'follow': ada.get(bob.me().href('self')).href('hc:follow'),
        'token': ada.follow('hc:tokens').items[0]['_links']['self']['href'],
        'tokens': ada.entry().href('hc:tokens'),
        'stores': ada.entry().href('hc:stores'),
        'store': store.href('self'),
        'items': store.href('hc:items'),
        'item': item.href('self'),
        'relation': '/api/rels/follow',
        'problem': '/api/problems/stale',
    }


class Rendering(NamedTuple):
    """One rendered resource: its state, the URLs of its links, and the embedded resources."""

    state: dict[str, Any]
    links: dict[str, str]
    embedded: list[Rendering]


def without_prefix(rel: str) -> str:
    return rel.removeprefix('hc:')


def read_hal(document: dict[str, Any]) -> Rendering:
    """Read HAL, except templates, which JSON:API lacks, and page links, whose parameters differ."""
    state = {name: value for name, value in document.items() if not name.startswith('_') and name != 'id'}
    links = {
        without_prefix(rel): link['href']
        for rel, link in document['_links'].items()
        if isinstance(link, dict) and not link.get('templated') and '_meta' not in document
    }
    embedded = document.get('_embedded', {}).values()
    documents = [item for value in embedded for item in (value if isinstance(value, list) else [value])]
    return Rendering(state | document.get('_meta', {}), links, [read_hal(item) for item in documents])


def read_json_api(document: dict[str, Any]) -> Rendering:
    """Read a JSON:API document, with the included resources instead of their identifiers."""
    included = {(resource['type'], resource['id']): resource for resource in document.get('included', [])}

    def read(resource: dict[str, Any]) -> Rendering:
        links = dict(resource['links'])
        links |= {name: link['href'] for name, link in resource.get('meta', {}).get('links', {}).items()}
        embedded = []
        for name, relationship in resource.get('relationships', {}).items():
            links[name] = relationship['links']['related']
            identifier = relationship.get('data', {})
            if (identifier.get('type'), identifier.get('id')) in included:
                embedded.append(read(included[identifier['type'], identifier['id']]))
        return Rendering(resource.get('attributes', {}), links, embedded)

    if isinstance(document['data'], list):
        return Rendering(document['meta'], {}, [read(resource) for resource in document['data']])
    return read(document['data'])


def get(ada: Client, client: Client, urls: dict[str, str], resource: str, accept: str) -> Any:
    """Get a resource, as an anonymous client or as Ada."""
    requester = client if resource.startswith('anonymous') else ada
    return requester.get(urls[resource], accept=accept)


@pytest.mark.parametrize('resource', RESOURCES)
def test_every_format_has_the_same_state_and_links(
    ada: Client, client: Client, urls: dict[str, str], resource: str
) -> None:
    hal = read_hal(get(ada, client, urls, resource, HAL).json)
    forms = read_hal(get(ada, client, urls, resource, f'{HAL_FORMS}, {HAL};q=0.1').json)
    json = read_hal(get(ada, client, urls, resource, JSON).json)
    api = read_json_api(get(ada, client, urls, resource, JSON_API).json)
    assert hal.links or hal.embedded
    assert forms == hal
    assert json == hal
    assert api == hal


@pytest.mark.parametrize('resource', RESOURCES)
def test_the_page_has_the_same_state_and_links(
    ada: Client, client: Client, urls: dict[str, str], resource: str
) -> None:
    rendering = read_hal(get(ada, client, urls, resource, HAL).json)
    markup = get(ada, client, urls, resource, HTML).text
    page = unescape(markup.replace('<b>', '').replace('</b>', ''))  # <b> marks the names in JSON
    for rel, href in rendering.links.items():
        assert href in page or rel == 'self', rel
    for name, value in rendering.state.items():
        if name in ('per_page', 'user_agent'):  # a page names the program of a User-Agent
            continue
        text = ('yes' if value else 'no') if isinstance(value, bool) else str(value)
        assert value is None or text in page, name
    for embedded in rendering.embedded:  # an entry is a card or a row, which links to its own page
        assert embedded.links.get('self', '') in page


@pytest.mark.parametrize('resource', RESOURCES)
def test_the_target_of_every_form_supports_its_method_in_json_api(
    ada: Client, client: Client, urls: dict[str, str], resource: str
) -> None:
    """JSON:API has no forms; its clients learn the methods from Allow."""
    document = get(ada, client, urls, resource, HAL_FORMS).json
    for template in document['_templates'].values():
        allowed = client.request('OPTIONS', template['target'], accept=JSON_API).headers['allow']
        assert template['method'] in allowed.split(', ')


@pytest.mark.parametrize(
    ('resource', 'form'),
    [('me', 'edit'), ('post', 'edit'), ('posts', 'publish'), ('followed user', 'unfollow')],
)
def test_the_request_of_a_form_is_possible_in_json_api(
    ada: Client, client: Client, urls: dict[str, str], resource: str, form: str
) -> None:
    document = get(ada, client, urls, resource, HAL_FORMS).json
    template = document['_templates'][form]
    values = {field['name']: field.get('value', 'hello') for field in template['properties']}
    method = {'PUT': 'PATCH'}.get(template['method'], template['method'])
    data: dict[str, Any] = {'type': 'users' if resource == 'me' else 'posts', 'attributes': values}
    if method == 'PATCH':
        data['id'] = template['target'].rpartition('/')[2]
    response = JsonApiClient(ada).send(method, template['target'], data)
    assert response.status in (200, 201), response.text
