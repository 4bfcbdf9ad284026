"""Query parameters of JSON:API: include, fields, sort, filter and page, and no others (§8, §10)."""

from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from service import urls
from tests.client import HAL, JSON_API, ApiResponse, Client
from tests.json_api_client import JsonApiClient, assert_rejected, identifier_of, related_url, relationship_url
from tests.routes import World

USERNAMES = ('dora', 'Bea', 'eve', 'Carl')


@pytest.fixture
def usernames(client: Client, ada: Client) -> list[str]:
    """The names of all users, in the order in which they registered."""
    for name in USERNAMES:
        client.register(name)
    return [ada.me().json['username'], *USERNAMES]


def names(response: ApiResponse) -> list[str]:
    return [user['attributes']['username'] for user in response.json['data']]


def bodies(response: ApiResponse) -> list[str]:
    return [post['attributes']['body'] for post in response.json['data']]


def follow_pages(client: JsonApiClient, first: ApiResponse, rel: str) -> list[ApiResponse]:
    """Return all pages, starting at the first, by their links with this relation."""
    pages = [first]
    while rel in pages[-1].json['links']:
        pages.append(client.get(pages[-1].json['links'][rel]))
    return pages


def test_the_author_of_a_post_can_be_included(ada_api: JsonApiClient) -> None:
    ada_api.publish('hello')
    posts = ada_api.get_related('posts', query='?include=author').json
    assert posts['included'] == [ada_api.me().json['data']]
    assert posts['data'][0]['relationships']['author']['data'] == identifier_of(posts['included'][0])


def test_an_empty_include_includes_nothing(ada_api: JsonApiClient) -> None:
    ada_api.publish('hello')
    posts = ada_api.get_related('posts', query='?include=').json
    assert posts['included'] == []
    assert posts['data'][0]['relationships']['author']['data']['type'] == 'users'


def test_the_first_page_of_each_relationship_can_be_included(
    ada_api: JsonApiClient, bob_api: JsonApiClient
) -> None:
    ada, bob = ada_api.me().json['data'], bob_api.me().json['data']
    ada_api.send('POST', relationship_url(ada, 'following'), [identifier_of(bob)])
    bob_api.send('POST', relationship_url(bob, 'following'), [identifier_of(ada)])
    for number in range(12):
        ada_api.publish(f'post {number}')
    response = ada_api.me('?include=following,followers,posts').json
    relationships = response['data']['relationships']
    assert relationships['following']['data'] == [identifier_of(bob)]
    assert relationships['followers']['data'] == [identifier_of(bob)]
    assert len(relationships['posts']['data']) == 10
    assert relationships['posts']['meta']['total_items'] == 12
    assert len(response['included']) == 11


def test_relationships_of_many_users_can_be_included(
    ada_api: JsonApiClient, bob_api: JsonApiClient, usernames: list[str]
) -> None:
    ada, bob = ada_api.me().json['data'], bob_api.me().json['data']
    ada_api.send('POST', relationship_url(ada, 'following'), [identifier_of(bob)])
    for number in range(12):
        ada_api.publish(f'post {number}')
    last = bob_api.publish('hello')
    response = ada_api.get_related('users', query='?include=followers,following,posts&page[size]=100').json
    by_name = {user['attributes']['username']: user['relationships'] for user in response['data']}
    assert len(by_name) == len(usernames) + 1
    assert by_name['bob']['followers']['data'] == [identifier_of(ada)]
    assert by_name['ada']['following']['data'] == [identifier_of(bob)]
    assert by_name['bob']['posts']['data'] == [identifier_of(last)]
    assert by_name['ada']['posts']['meta']['total_items'] == 12
    newest = ada_api.get(related_url(ada, 'posts')).json['data']
    assert by_name['ada']['posts']['data'] == [identifier_of(post) for post in newest]
    assert by_name['eve']['followers']['data'] == by_name['eve']['posts']['data'] == []
    assert len(response['included']) == 11


def test_an_include_path_can_have_three_steps(world: World, ada: Client, bob: Client) -> None:
    api = JsonApiClient(ada)
    me, other = (identifier_of(JsonApiClient(client).me().json['data']) for client in (ada, bob))
    item = {'type': 'items', 'id': str(world.values['item_id'])}
    post = {'type': 'posts', 'id': str(world.values['post_id'])}
    store = {'type': 'stores', 'id': str(world.values['store_id'])}
    for template, path, expected in (
        (urls.POST, 'author.following.followers', [me, other]),
        (urls.ITEM, 'store.owner.posts', [store, me, post]),
        (urls.STORE, 'items,owner.following', [item, me, other]),
        (urls.STORES, 'owner.posts.author', [me, post]),
        (urls.STORE_ITEMS, 'store.items', [store]),
        (urls.FOLLOW, 'follower.posts,followed.followers', [me, post, other]),
        (urls.USER, 'following.followers.posts', [other, post]),
    ):
        response = api.get(f'{world.url(template)}?include={path}').json
        ids = [resource['id'] for resource in response['included']]
        assert sorted(ids) == sorted(identifier['id'] for identifier in expected)
        hal = ada.get(f'{world.url(template)}?include={path}', accept=HAL)
        assert hal.status == 200


def test_included_linkage_is_paginated_at_the_relationship(ada_api: JsonApiClient) -> None:
    for number in range(12):
        ada_api.publish(f'post {number}')
    relationship = ada_api.me('?include=posts').json['data']['relationships']['posts']
    pages = [relationship]
    while 'next' in pages[-1]['links']:
        pages.append(ada_api.get(pages[-1]['links']['next']).json)
    assert [len(page['data']) for page in pages] == [10, 2]
    posts = ada_api.get(relationship['links']['related'] + '?page[size]=100').json['data']
    assert [member for page in pages for member in page['data']] == [identifier_of(post) for post in posts]
    assert ada_api.get(relationship['links']['last']).json['data'] == pages[1]['data']


def test_a_users_own_feed_can_be_included(ada_api: JsonApiClient, bob_api: JsonApiClient) -> None:
    me, other = ada_api.me().json['data'], bob_api.me().json['data']
    for number in range(12):
        bob_api.publish(f'post {number}')
    ada_api.send('POST', relationship_url(me, 'following'), [identifier_of(other)])
    response = ada_api.me('?include=feed.author').json
    feed = response['data']['relationships']['feed']
    posts = ada_api.get(related_url(me, 'feed')).json['data']
    assert feed['data'] == [identifier_of(post) for post in posts]
    assert [resource for resource in response['included'] if resource['type'] == 'posts'] == posts
    assert [resource['id'] for resource in response['included'] if resource['type'] == 'users'] == [
        other['id']
    ]
    assert [identifier_of(post) for post in ada_api.get(feed['links']['next']).json['data']] == [
        identifier_of(post) for post in ada_api.get(related_url(me, 'feed') + '?page[number]=2').json['data']
    ]


def test_a_users_own_tokens_are_included_without_secrets(ada: Client, ada_api: JsonApiClient) -> None:
    response = ada_api.me('?include=tokens')
    me = response.json['data']
    assert response.json['included'] == ada_api.get(related_url(me, 'tokens')).json['data']
    assert me['relationships']['tokens']['data'] == [
        identifier_of(token) for token in response.json['included']
    ]
    page = ada_api.get(me['relationships']['tokens']['links']['first']).json
    assert page['data'] == me['relationships']['tokens']['data']
    assert ada.token is not None
    assert ada.token not in response.text
    assert not {'token', 'expires_in'} & set(response.json['included'][0]['attributes'])


def test_an_absent_relationship_includes_nothing(ada_api: JsonApiClient, bob_api: JsonApiClient) -> None:
    post, other = bob_api.publish('hello'), bob_api.me().json['data']
    user = ada_api.get(other['links']['self'] + '?include=feed,tokens').json
    assert user['included'] == []
    assert not {'feed', 'tokens'} & set(user['data']['relationships'])
    ada_api.publish('mine')
    users = ada_api.get_related('users', query='?include=feed,tokens').json
    assert {user['id']: 'feed' in user['relationships'] for user in users['data']} == {
        other['id']: False,
        ada_api.me().json['data']['id']: True,
    }
    assert sorted(resource['type'] for resource in users['included']) == ['posts', 'tokens']
    assert post['id'] not in [resource['id'] for resource in users['included']]


def test_including_too_many_resources_is_rejected(
    ada_api: JsonApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('service.http.selection.MAX_OWNERS', 1)
    for _ in range(2):
        ada_api.publish('hello')
    assert_rejected(ada_api.get_related('posts', query='?include=author'), 400, 'include')


def test_resources_count_as_often_as_hal_embeds_them(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('service.http.selection.MAX_EMBEDDED', 5)
    for _ in range(3):
        ada.publish('hello')
    posts = ada.entry().href('hc:posts')
    for accept in (HAL, JSON_API):
        assert ada.get(posts + '?include=author', accept=accept).status == 200
        response = ada.get(posts + '?include=author.posts', accept=accept)
        assert (response.status, 'too many resources' in response.text) == (400, True)


def test_paths_count_together(ada_api: JsonApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('service.http.selection.MAX_EMBEDDED', 5)
    for _ in range(3):
        ada_api.publish('hello')
    assert ada_api.me('?include=posts').status == ada_api.me('?include=feed').status == 200
    assert_rejected(ada_api.me('?include=posts,feed'), 400, 'include')


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_a_write_whose_response_might_be_too_large_changes_nothing(
    ada: Client, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr('service.http.selection.MAX_EMBEDDED', 121)
    me = ada.me().href('self')
    for query, status in (
        ('followers.posts.author', 400),
        ('posts,feed,tokens', 200),
        ('followers.posts', 200),
    ):
        response = ada.request(method, f'{me}?include={query}', json={'about_me': query})
        assert response.status == status
        assert (ada.me().json['about_me'] == query) is (status == 200)
    assert ada.post('/api/posts?include=author.followers.posts', {'body': 'hello'}).status == 400
    assert ada.get('/api/posts').items == []


def test_an_empty_page_includes_nothing(ada_api: JsonApiClient) -> None:
    response = ada_api.get_related('me', 'followers', query='?include=posts').json
    assert response['data'] == response['included'] == []


def test_only_requested_relationships_are_included(ada_api: JsonApiClient) -> None:
    ada_api.publish('hello')
    response = ada_api.me('?include=posts').json
    assert 'data' not in response['data']['relationships']['following']
    assert [resource['type'] for resource in response['included']] == ['posts']


def test_the_response_to_a_write_can_include_resources(ada_api: JsonApiClient) -> None:
    ada_api.publish('hello')
    me = ada_api.me().json['data']
    response = ada_api.send('PATCH', me['links']['self'] + '?include=posts', identifier_of(me))
    assert [resource['type'] for resource in response.json['included']] == ['posts']


def test_a_precondition_applies_to_the_selected_representation(ada_api: JsonApiClient) -> None:
    ada_api.publish('hello')
    before = ada_api.me('?include=posts')
    me = before.json['data']
    assert before.json['links']['self'].endswith('?include=posts')
    url = before.json['links']['self']
    assert ada_api.send('PATCH', url, identifier_of(me), If_Match=before.etag).status == 200
    ada_api.publish('another')
    response = ada_api.send('PATCH', url, identifier_of(me), If_Match=before.etag)
    assert_rejected(response, 412, 'If-Match')


def test_sparse_fieldsets_select_attributes_and_relationships(ada_api: JsonApiClient) -> None:
    ada_api.publish('hello')
    response = ada_api.get_related('posts', query='?fields[posts]=body,author&fields[users]=username').json
    assert response['data'][0]['attributes'] == {'body': 'hello'}
    assert set(response['data'][0]['relationships']) == {'author'}
    assert response['included'][0]['attributes'] == {'username': 'ada'}
    assert 'relationships' not in response['included'][0]


def test_an_empty_fieldset_selects_no_fields(ada_api: JsonApiClient) -> None:
    assert set(ada_api.me('?fields[users]=').json['data']) == {'type', 'id', 'links', 'meta'}


def test_fieldsets_of_other_types_are_accepted(ada_api: JsonApiClient) -> None:
    assert 'username' in ada_api.me('?fields[tokens]=created_at').json['data']['attributes']


@pytest.mark.parametrize(
    ('sort', 'expected'),
    [
        ('', ['ada', 'dora', 'Bea', 'eve', 'Carl']),
        ('?sort=id', ['ada', 'dora', 'Bea', 'eve', 'Carl']),
        ('?sort=-id', ['Carl', 'eve', 'Bea', 'dora', 'ada']),
        ('?sort=username', ['ada', 'Bea', 'Carl', 'dora', 'eve']),
        ('?sort=-username', ['eve', 'dora', 'Carl', 'Bea', 'ada']),
        ('?sort=-username,id', ['eve', 'dora', 'Carl', 'Bea', 'ada']),
    ],
)
def test_users_are_sorted(
    ada_api: JsonApiClient, usernames: list[str], sort: str, expected: list[str]
) -> None:
    assert sorted(usernames) == sorted(expected)
    assert names(ada_api.get_related('users', query=sort)) == expected


@pytest.mark.parametrize('sort', ['id', '-id', 'username', '-username'])
def test_pages_keep_their_order_in_both_directions(
    ada_api: JsonApiClient, usernames: list[str], sort: str
) -> None:
    expected = names(ada_api.get_related('users', query=f'?sort={sort}'))
    pages = follow_pages(ada_api, ada_api.get_related('users', query=f'?sort={sort}&page[size]=2'), 'next')
    assert [name for page in pages for name in names(page)] == expected
    assert [len(names(page)) for page in pages] == [2, 2, 1]
    previous = follow_pages(ada_api, pages[-1], 'prev')
    assert [name for page in reversed(previous) for name in names(page)] == expected
    assert names(ada_api.get(pages[0].json['links']['last'])) == names(pages[-1])


@pytest.mark.parametrize('path', [('posts',), ('feed',), ('me', 'posts')])
def test_posts_are_sorted_by_time(ada_api: JsonApiClient, path: tuple[str, ...]) -> None:
    for body in ('one', 'two', 'three'):
        ada_api.publish(body)
    for query, expected in (
        ('', ['three', 'two', 'one']),
        ('?sort=-created_at', ['three', 'two', 'one']),
        ('?sort=created_at', ['one', 'two', 'three']),
    ):
        assert bodies(ada_api.get_related(*path, query=query)) == expected


def test_new_posts_cause_no_repeats_or_gaps_in_pages(ada_api: JsonApiClient) -> None:
    for body in ('one', 'two', 'three'):
        ada_api.publish(body)
    first = ada_api.get_related('posts', query='?sort=-created_at&page[size]=2')
    ada_api.publish('four')
    assert bodies(ada_api.get(first.json['links']['next'])) == ['one']


@pytest.mark.parametrize(('name', 'expected'), [('BEA', ['Bea']), ('Be', []), ('', []), ('bea,eve', [])])
def test_a_filter_matches_the_whole_name_ignoring_case(
    ada_api: JsonApiClient, usernames: list[str], name: str, expected: list[str]
) -> None:
    assert 'Bea' in usernames
    response = ada_api.get_related('users', query=f'?filter[username]={name}')
    assert names(response) == expected
    assert response.json['meta']['total_items'] == len(expected)


def test_links_keep_all_query_parameters(ada_api: JsonApiClient, usernames: list[str]) -> None:
    query = '?sort=-username&fields[users]=username&page[size]=2'
    pages = follow_pages(ada_api, ada_api.get_related('users', query=query), 'next')
    assert len(pages) == 3
    assert len(usernames) == 5
    for page in pages:
        assert all(set(user['attributes']) == {'username'} for user in page.json['data'])
        for name, link in page.json['links'].items():
            if name == 'describedby':
                continue
            assert 'sort=-username' in link
            assert 'page%5Bsize%5D=2' in link


def test_a_page_is_available_by_number(ada_api: JsonApiClient, usernames: list[str]) -> None:
    pages = [
        names(ada_api.get_related('users', query=f'?page[size]=2&page[number]={number}'))
        for number in (1, 2, 3, 4)
    ]
    assert pages == [usernames[:2], usernames[2:4], usernames[4:], []]


def test_the_self_link_has_the_query_parameters(ada_api: JsonApiClient) -> None:
    for name, query in (
        ('users', 'page[size]=2&sort=id'),
        ('me', 'fields[users]=username'),
        ('posts', 'include='),
    ):
        response = ada_api.get_related(name, query=f'?{query}')
        at_self_link = ada_api.get(response.json['links']['self'])
        assert at_self_link.json == response.json
        assert at_self_link.etag == response.etag


@pytest.mark.parametrize(
    ('relationship', 'query', 'parameter'),
    [
        ('users', 'colour=red', 'colour'),
        ('users', 'q=a', 'q'),
        ('users', 'page=0', 'page'),
        ('users', 'page=1&page[number]=1', 'page[number]'),
        ('users', 'page[size]=1&per_page=1', 'per_page'),
        ('users', 'per_page=101', 'per_page'),
        ('users', 'page[offset]=1', 'page[offset]'),
        ('users', 'page[number]=0', 'page[number]'),
        ('users', 'page[number]=two', 'page[number]'),
        ('users', 'page[size]=0', 'page[size]'),
        ('users', 'page[size]=-1', 'page[size]'),
        ('users', 'page[size]=101', 'page[size]'),
        ('users', 'page[size]=1&page[size]=2', 'page[size]'),
        ('users', 'page[after]=invalid', 'page[after]'),
        ('users', 'page[after]=MQ&page[before]=MQ', 'page[before]'),
        ('users', 'sort=email', 'sort'),
        ('users', 'sort=', 'sort'),
        ('users', 'sort=id,about_me', 'sort'),
        ('users', 'sort=--id', 'sort'),
        ('users', 'include=author', 'include'),
        ('users', 'include=posts.body', 'include'),
        ('users', 'include=posts.author.posts.author', 'include'),
        ('users', 'filter[email]=a', 'filter[email]'),
        ('users', 'filter=a', 'filter'),
        ('users', 'filter[username]=a%00', 'filter[username]'),
        ('users', 'fields=username', 'fields'),
        ('users', 'fields[]=username', 'fields[]'),
        ('users', 'fields[unknown]=name', 'fields[unknown]'),
        ('users', 'fields[users]=a,,b', 'fields[users]'),
        ('posts', 'sort=id', 'sort'),
        ('posts', 'filter[username]=ada', 'filter[username]'),
        ('posts', 'include=author.feed.author.feed', 'include'),
        ('posts', 'include=author,', 'include'),
        ('posts', 'include=collection', 'include'),
        ('me', 'include=author', 'include'),
        ('me', 'include=tokens.user', 'include'),
        ('me', 'sort=id', 'sort'),
        ('me', 'page[number]=1', 'page[number]'),
        ('tokens', 'include=user', 'include'),
        ('tokens', 'include=', 'include'),
        ('tokens', 'sort=id', 'sort'),
    ],
)
def test_an_unsupported_parameter_is_named(
    ada_api: JsonApiClient, relationship: str, query: str, parameter: str
) -> None:
    assert_rejected(ada_api.get_related(relationship, query=f'?{query}'), 400, parameter)


def test_followers_cannot_be_sorted(ada_api: JsonApiClient) -> None:
    for name in ('followers', 'following'):
        assert_rejected(ada_api.get_related('me', name, query='?sort=username'), 400, 'sort')


def test_an_excessive_page_size_is_rejected_with_the_maximum(ada_api: JsonApiClient) -> None:
    error = ada_api.get_related('users', query='?page[size]=101').json['errors'][0]
    assert error['detail'] == 'page[size] must be at most 100.'
    assert error['meta'] == {'page': {'maxSize': 100}}
    assert 'profiles' not in error['links']['type']  # the profile of cursor pagination was not requested


def test_a_write_with_an_unknown_parameter_changes_nothing(ada_api: JsonApiClient) -> None:
    assert_rejected(ada_api.create('/api/posts?colour=red', 'posts', body='hello'), 400, 'colour')
    assert ada_api.get_related('posts').json['data'] == []


def test_other_formats_ignore_unknown_parameters(ada: Client, usernames: list[str]) -> None:
    page = ada.follow('hc:users', accept=HAL)
    response = ada.get(page.href('self') + '?per_page=1000&colour=red&sort=-id&filter[x]=y', accept=HAL)
    assert [user['username'] for user in response.items] == usernames[::-1]
    assert response.json['_meta']['per_page'] == 100
    assert 'colour' not in response.href('self')


@pytest.mark.parametrize('accept', [HAL, JSON_API])
@pytest.mark.parametrize(
    ('query', 'expected'),
    [
        ('sort=username&page=2&per_page=2', ['Carl', 'dora']),
        ('sort=username&page[number]=2&page[size]=2', ['Carl', 'dora']),
        ('filter[q]=b', ['Bea']),
        ('filter[username]=EVE', ['eve']),
        ('filter[username]=EVE&fields[users]=username', ['eve']),
    ],
)
def test_parameters_mean_the_same_in_every_format(
    ada: Client, usernames: list[str], accept: str, query: str, expected: list[str]
) -> None:
    assert set(expected) <= set(usernames)
    response = ada.get(f'/api/users?{query}', accept=accept)
    entries = [user['attributes'] for user in response.json['data']] if accept == JSON_API else response.items
    assert [entry['username'] for entry in entries] == expected
    assert ('about_me' in entries[0]) == ('fields' not in query)


def test_hal_embeds_included_resources(ada: Client, ada_api: JsonApiClient) -> None:
    ada_api.publish('hello')
    me = ada.me().href('self')
    posts = ada.get(f'{me}/posts?include=', accept=HAL).items
    assert '_embedded' not in posts[0]
    embedded = ada.get(f'{me}?include=posts.author', accept=HAL).json['_embedded']['hc:posts']
    assert embedded['_links']['self']['href'] == f'{me}/posts'
    (post,) = embedded['_embedded']['item']
    assert post['_embedded']['author']['username'] == 'ada'
    document = ada.get(f'{me}?include=feed.author,tokens', accept=HAL).json['_embedded']
    (post,) = document['hc:feed']['_embedded']['item']
    assert post['_embedded']['author']['username'] == 'ada'
    assert [token['current'] for token in document['hc:tokens']['_embedded']['item']] == [True]
    response = ada.get(f'{me}?include=colour', accept=HAL)
    assert (response.status, response.json['parameter']) == (400, 'include')


def test_a_page_requested_by_cursor_has_no_number(ada_api: JsonApiClient, usernames: list[str]) -> None:
    users = ada_api.get_related('users', query='?page[size]=2').json
    cursor = parse_qs(urlsplit(users['links']['next']).query)['page[after]'][0]
    page = ada_api.get_related('users', query=f'?page[size]=2&page[after]={cursor}').json
    assert [user['attributes']['username'] for user in page['data']] == usernames[2:4]
    assert page['meta'] == {'per_page': 2, 'total_pages': 3, 'total_items': 5}
    assert 'page%5Bnumber%5D' not in page['links']['next'] + page['links']['prev']
    assert names(ada_api.get(page['links']['next'])) == usernames[4:]
    assert names(ada_api.get(page['links']['prev'])) == usernames[:2]


def test_cursors_are_strictly_ordered(ada_api: JsonApiClient, usernames: list[str]) -> None:
    pages = follow_pages(ada_api, ada_api.get_related('users', query='?page[size]=1'), 'next')
    ids = [user['id'] for page in pages for user in page.json['data']]
    assert len(ids) == len(usernames)
    assert all(int(first) < int(second) for first, second in pairwise(ids))
