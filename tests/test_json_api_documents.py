"""JSON:API documents: resource objects, relationships, and response headers."""

from service import urls
from tests.client import JSON_API, Client
from tests.json_api_client import JsonApiClient, assert_rejected, identifier_of, related_url, relationship_url
from tests.routes import World


def test_the_entry_point_is_a_resource_with_relationships(ada_api: JsonApiClient) -> None:
    entry = ada_api.get('/api').json['data']
    assert (entry['type'], entry['id']) == ('entry-points', 'api')
    assert {'users', 'posts', 'tokens', 'me', 'feed'} <= set(entry['relationships'])
    for name in entry['relationships']:
        assert ada_api.get(related_url(entry, name)).status == 200


def test_the_id_of_a_user_is_a_string_and_not_an_attribute(ada_api: JsonApiClient) -> None:
    user = ada_api.me().json['data']
    assert user['type'] == 'users'
    assert user['id'] == user['links']['self'].rpartition('/')[2]
    assert set(user['attributes']) == {
        'username',
        'about_me',
        'last_seen',
        'member_since',
        'post_count',
        'follower_count',
        'following_count',
        'email',
    }


def test_a_user_has_relationships(ada_api: JsonApiClient) -> None:
    user = ada_api.me().json['data']
    assert set(user['relationships']) == {'followers', 'following', 'posts', 'feed', 'tokens'}
    for name in user['relationships']:
        assert ada_api.get(related_url(user, name)).status == 200


def test_private_relationships_of_other_users_are_absent(
    ada_api: JsonApiClient, bob_api: JsonApiClient
) -> None:
    bob = ada_api.get(bob_api.me().json['links']['self']).json['data']
    assert set(bob['relationships']) == {'followers', 'following', 'posts'}
    for name in ('feed', 'tokens'):
        assert_rejected(ada_api.get(relationship_url(bob_api.me().json['data'], name)), 403)


def test_every_relationship_has_its_own_url(world: World, ada: Client) -> None:
    """The linkage there identifies the resources at the related URL; only `following` can be changed."""
    api = JsonApiClient(ada)
    relationships = set()
    for template in (urls.USER, urls.FOLLOW, urls.POST, urls.STORE, urls.ITEM):
        resource = api.get(world.url(template)).json['data']
        for name, relationship in resource['relationships'].items():
            document = api.get(relationship['links']['self'])
            assert document.json['links']['self'] == relationship['links']['self']
            assert document.json['links']['related'] == relationship['links']['related']
            target = api.get(relationship['links']['related']).json['data']
            identifiers = (
                [identifier_of(resource) for resource in target]
                if isinstance(target, list)
                else identifier_of(target)
            )
            assert document.json['data'] == identifiers
            assert relationship.get('data', identifiers) == identifiers
            assert ('data' in relationship) == isinstance(identifiers, dict), name
            if name != 'following':
                assert api.send('PATCH', relationship['links']['self'], identifiers).status == 405
            relationships.add((resource['type'], name))
    assert len(relationships) == 11


def test_a_post_includes_its_author(ada_api: JsonApiClient) -> None:
    post = ada_api.publish('hello')
    response = ada_api.get(post['links']['self'])
    author = response.json['data']['relationships']['author']
    me = ada_api.me().json['data']
    assert author == {
        'links': {
            'self': post['links']['self'] + '/relationships/author',
            'related': me['links']['self'],
        },
        'data': {'type': 'users', 'id': me['id']},
    }
    assert response.json['included'] == [me]


def test_an_author_of_many_posts_is_included_once(ada_api: JsonApiClient) -> None:
    for body in ('one', 'two', 'three'):
        ada_api.publish(body)
    response = ada_api.get_related('posts')
    assert len(response.json['data']) == 3
    assert len(response.json['included']) == 1


def test_a_follow_has_relationships_to_both_users(ada_api: JsonApiClient, bob_api: JsonApiClient) -> None:
    ada, bob = ada_api.me().json['data'], bob_api.me().json['data']
    url = ada_api.get(bob['links']['self']).json['data']['meta']['links']['follow']['href']
    created = ada_api.client.put(url)
    assert created.status == 201
    assert created.json['data']['id'] == f'{ada["id"]}-{bob["id"]}'
    assert created.json['data']['type'] == 'follows'
    assert related_url(created.json['data'], 'follower') == ada['links']['self']
    assert related_url(created.json['data'], 'followed') == bob['links']['self']


def test_a_page_has_counts_in_meta_and_links_to_other_pages(ada_api: JsonApiClient) -> None:
    for body in ('one', 'two', 'three'):
        ada_api.publish(body)
    page = ada_api.get_related('posts', query='?page[size]=2').json
    assert page['meta'] == {'page': 1, 'per_page': 2, 'total_pages': 2, 'total_items': 3}
    assert set(page['links']) == {'self', 'first', 'next', 'last', 'describedby'}
    second = ada_api.get(page['links']['next']).json
    assert set(second['links']) == {'self', 'first', 'prev', 'last', 'describedby'}
    assert ada_api.get(page['links']['last']).json['data'] == second['data']


def test_the_link_header_has_the_same_page_links(ada_api: JsonApiClient) -> None:
    response = ada_api.get_related('users')
    assert f'<{response.json["links"]["last"]}>; rel="last"' in response.headers['link']


def test_documentation_is_available_in_json_api(client: Client) -> None:
    relation = client.get('/api/rels/users', accept=JSON_API)
    assert relation.json['data']['attributes']['name'] == 'hc:users'
    problem = client.get('/api/problems/stale', accept=JSON_API)
    assert problem.json['data']['attributes']['status'] == 412


def test_the_etag_differs_by_fieldset(ada_api: JsonApiClient) -> None:
    assert ada_api.me('?fields[users]=username').etag != ada_api.me().etag


def test_head_responds_like_get(ada_api: JsonApiClient) -> None:
    response = ada_api.client.request('HEAD', '/api')
    assert response.status == 200
    assert response.headers['content-type'] == JSON_API


def test_an_unsupported_method_is_405_with_allow(ada_api: JsonApiClient) -> None:
    response = ada_api.delete('/api/users')
    assert_rejected(response, 405)
    assert response.headers['allow'] == 'GET, HEAD, OPTIONS, POST, QUERY'
    assert response.json['errors'][0]['code'] == 'method-not-allowed'
