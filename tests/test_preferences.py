"""The Prefer header: a client can prefer responses without content to writes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import Client
from tests.routes import World

MINIMAL = {'Prefer': 'return=minimal'}


@pytest.mark.parametrize(
    ('method', 'template', 'body', 'status'),
    [
        ('PUT', '/api/users/{user_id}', {'about_me': 'new'}, 204),
        ('PATCH', '/api/posts/{post_id}', {'body': 'new'}, 204),
        ('POST', '/api/posts', {'body': 'new'}, 201),
        ('POST', '/api/stores', {'name': 'new'}, 201),
        ('PUT', '/api/users/{user_id}/following/{other_id}', None, 204),
        ('DELETE', '/api/items/{item_id}', None, 204),
    ],
)
def test_a_client_can_prefer_a_response_without_content(
    world: World, method: str, template: str, body: Any, status: int
) -> None:
    url = world.url(template)
    response = world.ada.request(method, url, json=body, headers=MINIMAL)
    assert response.status == status
    assert response.text == ''
    assert response.headers['preference-applied'] == 'return=minimal'
    if status == 201:
        assert world.ada.get(response.headers['location']).json.items() >= body.items()
    if method == 'PATCH':
        assert response.etag == world.ada.get(url).etag


@pytest.mark.parametrize(
    ('prefer', 'applied'),
    [
        ('Return=Minimal', True),
        ('respond-async, return="minimal"; x=y', True),
        ('return=representation, return=minimal', False),
        ('return=minimalist', False),
        ('minimal', False),
        ('x="a, return=minimal"', False),
    ],
)
def test_prefer_has_the_syntax_of_rfc_7240(ada: Client, prefer: str, applied: bool) -> None:
    response = ada.post('/api/posts', {'body': 'x'}, headers={'Prefer': prefer})
    assert ('preference-applied' in response.headers) == applied
    assert (response.text == '') == applied


def test_the_response_with_a_new_token_always_has_content(ada: Client) -> None:
    response = ada.post('/api/tokens', headers=MINIMAL)
    assert response.json['token']
    assert 'preference-applied' not in response.headers


def test_errors_and_reads_keep_their_content(ada: Client) -> None:
    assert ada.post('/api/posts', {'body': ''}, headers=MINIMAL).json['errors']
    assert ada.get('/api/posts', headers=MINIMAL).items == []
