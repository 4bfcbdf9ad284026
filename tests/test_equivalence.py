"""Equivalence of the formats: the same state, links and actions."""

from __future__ import annotations

from html import unescape
from typing import Any, NamedTuple

import pytest

from tests.client import HAL, HAL_FORMS, HTML, JSON, JSON_API, Client
from tests.json_api_client import JsonApiClient, identify, relation

pytestmark = pytest.mark.above_databases

PLACES = (
    'entry',
    'anonymous entry',
    'me',
    'another',
    'followed',
    'users',
    'followers',
    'following',
    'post',
    'posts',
    'feed',
    'their posts',
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
def places(ada: Client, bob: Client, client: Client) -> dict[str, str]:
    """The URL of a resource of each sort, with an entry in every collection."""
    client.register('cleo')
    ada_api, bob_api = JsonApiClient(ada), JsonApiClient(bob)
    me, other = ada_api.me().state['data'], bob_api.me().state['data']
    ada_api.send('POST', relation(me, 'following'), [identify(other)])
    bob_api.send('POST', relation(other, 'following'), [identify(me)])
    post = ada_api.publish('<b>hello</b> & good-bye')
    bob_api.publish('hello, too')
    users = ada.follow('hc:users')
    store = ada.follow('hc:stores').submit('create', name='Looms & <b>more</b>')
    item = ada.get(store.href('hc:items')).submit('create', name='Shuttle', price='1.50')
    return {
        'entry': '/api',
        'anonymous entry': '/api',
        'me': ada.me().href('self'),
        'another': next(user['_links']['self']['href'] for user in users.items if user['username'] == 'cleo'),
        'followed': bob.me().href('self'),
        'users': users.href('self'),
        'followers': ada.me().href('hc:followers'),
        'following': ada.me().href('hc:following'),
        'post': post['links']['self'],
        'posts': ada.entry().href('hc:posts'),
        'feed': ada.entry().href('hc:feed'),
        'their posts': bob.me().href('hc:posts'),
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


def plain(rel: str) -> str:
    return rel.removeprefix('hc:')


def read_hal(document: dict[str, Any]) -> Rendering:
    """Read HAL, except templates, which JSON:API lacks, and page links, whose parameters differ."""
    state = {name: value for name, value in document.items() if not name.startswith('_') and name != 'id'}
    links = {
        plain(rel): link['href']
        for rel, link in document['_links'].items()
        if isinstance(link, dict) and not link.get('templated') and '_meta' not in document
    }
    embedded = document.get('_embedded', {}).values()
    documents = [one for what in embedded for one in (what if isinstance(what, list) else [what])]
    return Rendering(state | document.get('_meta', {}), links, [read_hal(one) for one in documents])


def read_json_api(document: dict[str, Any]) -> Rendering:
    """Read a JSON:API document, with the included resources in place of their identifiers."""
    included = {(one['type'], one['id']): one for one in document.get('included', [])}

    def read(resource: dict[str, Any]) -> Rendering:
        links = dict(resource['links'])
        links |= {name: link['href'] for name, link in resource.get('meta', {}).get('links', {}).items()}
        embedded = []
        for name, relationship in resource.get('relationships', {}).items():
            links[name] = relationship['links']['related']
            named = relationship.get('data', {})
            if (named.get('type'), named.get('id')) in included:
                embedded.append(read(included[named['type'], named['id']]))
        return Rendering(resource.get('attributes', {}), links, embedded)

    if isinstance(document['data'], list):
        return Rendering(document['meta'], {}, [read(one) for one in document['data']])
    return read(document['data'])


def get(ada: Client, client: Client, places: dict[str, str], place: str, accept: str) -> Any:
    asker = client if place.startswith('anonymous') else ada
    return asker.get(places[place], accept=accept)


@pytest.mark.parametrize('place', PLACES)
def test_every_format_has_the_same_state_and_links(
    ada: Client, client: Client, places: dict[str, str], place: str
) -> None:
    hal = read_hal(get(ada, client, places, place, HAL).state)
    forms = read_hal(get(ada, client, places, place, f'{HAL_FORMS}, {HAL};q=0.1').state)
    json = read_hal(get(ada, client, places, place, JSON).state)
    api = read_json_api(get(ada, client, places, place, JSON_API).state)
    assert hal.links or hal.embedded
    assert forms == hal
    assert json == hal
    assert api == hal


@pytest.mark.parametrize('place', PLACES)
def test_the_page_has_the_same_state_and_links(
    ada: Client, client: Client, places: dict[str, str], place: str
) -> None:
    rendering = read_hal(get(ada, client, places, place, HAL).state)
    page = unescape(get(ada, client, places, place, HTML).text)
    for rel, href in rendering.links.items():
        assert href in page or rel == 'self', rel
    for name, value in rendering.state.items():
        if name in ('per_page', 'user_agent'):  # a page names the program of a User-Agent
            continue
        text = ('yes' if value else 'no') if isinstance(value, bool) else str(value)
        assert value is None or text in page, name
    for one in rendering.embedded:  # an entry is a card or a row, which leads to its own page
        assert one.links.get('self', '') in page


@pytest.mark.parametrize('place', PLACES)
def test_every_form_has_the_same_effect_in_json_api(
    ada: Client, client: Client, places: dict[str, str], place: str
) -> None:
    """The target of every form supports its method in JSON:API too, which has no forms but Allow."""
    document = get(ada, client, places, place, HAL_FORMS).state
    for template in document['_templates'].values():
        allowed = client.request('OPTIONS', template['target'], accept=JSON_API).headers['allow']
        assert template['method'] in allowed.split(', ')


@pytest.mark.parametrize(
    ('place', 'form'), [('me', 'edit'), ('post', 'edit'), ('posts', 'publish'), ('followed', 'unfollow')]
)
def test_every_offered_form_is_possible_in_json_api(
    ada: Client, client: Client, places: dict[str, str], place: str, form: str
) -> None:
    document = get(ada, client, places, place, HAL_FORMS).state
    template = document['_templates'][form]
    values = {field['name']: field.get('value', 'hello') for field in template['properties']}
    method = {'PUT': 'PATCH'}.get(template['method'], template['method'])
    data: dict[str, Any] = {'type': 'users' if place == 'me' else 'posts', 'attributes': values}
    if method == 'PATCH':
        data['id'] = template['target'].rpartition('/')[2]
    done = JsonApiClient(ada).send(method, template['target'], data)
    assert done.status in (200, 201), done.text
