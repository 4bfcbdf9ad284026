"""URLs of related resources, media types of links, and links in problem documents."""

from __future__ import annotations

import pytest

from tests.client import HAL, JSON_API, ORIGIN, Client, assert_problem
from tests.routes import World


@pytest.mark.parametrize(
    ('template', 'related'),
    [
        ('/api/posts/{post_id}/author', '/api/users/{user_id}'),
        ('/api/stores/{store_id}/owner', '/api/users/{user_id}'),
        ('/api/items/{item_id}/store', '/api/stores/{store_id}'),
    ],
)
def test_a_related_resource_is_served_with_its_own_url(world: World, template: str, related: str) -> None:
    response, own = (world.ada.get(world.url(path)) for path in (template, related))
    assert (response.status, response.text, response.etag) == (200, own.text, own.etag)
    assert response.headers['content-location'] == own.href('self')
    assert_problem(world.ada.get(template.format_map(dict.fromkeys(world.values, 5))), 404)
    assert Client(world.ada.app).get(world.url(template)).status == 401


def test_the_content_location_of_a_related_resource_has_its_selection(world: World) -> None:
    url = world.url('/api/posts/{post_id}/author') + '?fields[users]=username'
    for accept in (HAL, JSON_API):
        response = world.ada.get(url, accept=accept)
        own = world.ada.get(response.headers['content-location'], accept=accept)
        assert (response.text, response.etag) == (own.text, own.etag)


def test_links_to_other_media_types_have_a_type(ada: Client) -> None:
    entry, me = ada.entry().json['_links'], ada.me().json['_links']
    assert entry['service-desc']['type'] == 'application/vnd.oai.openapi+json'
    assert entry['service-doc']['type'] == 'text/html'
    assert me['hc:avatar']['type'] == 'image/png'
    typed = {rel for links in (entry, me) for rel, link in links.items() if 'type' in link}
    assert typed == {'service-desc', 'service-doc', 'hc:avatar'}


@pytest.mark.parametrize(
    ('method', 'url', 'headers', 'rels'),
    [
        ('GET', '/api/users', {'Authorization': 'Basic x'}, {'help', 'hc:tokens', 'curies'}),
        ('GET', '/nothing', {}, {'help', 'start'}),
        ('GET', '/api', {'If-Match': '"x"'}, {'help', 'self'}),
        ('POST', '/api', {}, {'help'}),
    ],
)
def test_a_problem_links_to_helpful_resources(
    client: Client, method: str, url: str, headers: dict[str, str], rels: set[str]
) -> None:
    problem = client.request(method, url, headers=headers).json
    assert set(problem['_links']) == rels
    assert problem['_links']['help']['href'] == problem['type']
    for rel, link in problem['_links'].items():
        if rel != 'curies':
            assert client.get(link['href']).status in (200, 401)


@pytest.mark.parametrize('accept', ['application/vnd.hal+json', 'Application/Vnd.HAL+json;q=0.5, text/plain'])
def test_application_vnd_hal_json_is_an_alias_of_hal(ada: Client, accept: str) -> None:
    assert ada.get('/api', accept=accept).content_type == HAL
    response = ada.post(
        '/api/posts',
        body=b'{"body": "x"}',
        headers={'Content-Type': 'application/vnd.hal+json'},
        accept=accept,
    )
    assert response.status == 201
    assert response.content_type == HAL


def test_a_former_url_has_a_deprecation_header(client: Client) -> None:
    response = client.get('/api/users/5/followed')
    assert response.headers['deprecation'].startswith('@')
    assert response.headers['link'] == f'<{ORIGIN}/api/users/5/following>; rel="successor-version"'


def test_the_edit_form_is_a_patch_with_optional_fields(world: World) -> None:
    for template in ('/api/users/{user_id}', '/api/posts/{post_id}', '/api/items/{item_id}'):
        form = world.ada.get(world.url(template)).json['_templates']['edit']
        assert form['method'] == 'PATCH'
        assert not any(field.get('required') for field in form['properties'])
        assert all('value' in field for field in form['properties'])
