"""Authorization: every method of every URL of a server with mail, for every kind of client."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from service.http.operation import Access
from tests.client import ORIGIN, Client
from tests.clock import MovableClock
from tests.conftest import Start
from tests.preparation import Preparation
from tests.routes import methods_at, populate, routes

CLIENTS = ('anonymous', 'other', 'owner', 'expired', 'revoked', 'malformed')
# The statuses of the responses to these clients, in this order.
ANYONE = (200, 200, 200, 401, 401, 401)
SIGNED_IN = (401, 200, 200, 401, 401, 401)
UNKNOWN_SECRET = (404, 404, 404, 401, 401, 401)
MATRIX = {
    ('GET', '/'): (308,) * 6,
    ('GET', '/health/live'): (200,) * 6,
    ('GET', '/.well-known/jwks.json'): (200,) * 6,
    ('GET', '/static/{name}'): (404,) * 6,
    ('GET', '/health/ready'): (200,) * 6,
    ('GET', '/api'): ANYONE,
    ('GET', '/api/openapi.json'): ANYONE,
    ('GET', '/api/docs'): ANYONE,
    ('GET', '/.well-known/api-catalog'): (200,) * 6,
    ('GET', '/api/rels/{rel}'): ANYONE,
    ('GET', '/api/problems/{name}'): ANYONE,
    ('GET', '/api/users'): SIGNED_IN,
    ('POST', '/api/users'): (400, 400, 400, 401, 401, 401),
    ('GET', '/api/users/{user_id}'): SIGNED_IN,
    ('PUT', '/api/users/{user_id}'): (401, 403, 200, 401, 401, 401),
    ('PATCH', '/api/users/{user_id}'): (401, 403, 200, 401, 401, 401),
    ('DELETE', '/api/users/{user_id}'): (401, 403, 204, 401, 401, 401),
    ('PUT', '/api/users/{user_id}/password'): (401, 403, 400, 401, 401, 401),
    ('GET', '/api/users/{user_id}/followers'): SIGNED_IN,
    ('GET', '/api/users/{user_id}/following'): SIGNED_IN,
    ('GET', '/api/users/{user_id}/following/{other_id}'): SIGNED_IN,
    ('PUT', '/api/users/{user_id}/following/{other_id}'): (401, 403, 200, 401, 401, 401),
    ('DELETE', '/api/users/{user_id}/following/{other_id}'): (401, 403, 204, 401, 401, 401),
    **{
        (method, '/api/users/{user_id}/followed'): (308, 308, 308, 401, 401, 401)
        for method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    },
    ('GET', '/api/users/{user_id}/posts'): SIGNED_IN,
    ('GET', '/api/users/{user_id}/feed'): (401, 403, 200, 401, 401, 401),
    ('GET', '/api/posts'): SIGNED_IN,
    ('POST', '/api/posts'): (401, 400, 400, 401, 401, 401),
    ('GET', '/api/posts/{post_id}'): SIGNED_IN,
    ('GET', '/api/posts/{post_id}/author'): SIGNED_IN,
    ('PUT', '/api/posts/{post_id}'): (401, 403, 200, 401, 401, 401),
    ('PATCH', '/api/posts/{post_id}'): (401, 403, 200, 401, 401, 401),
    ('DELETE', '/api/posts/{post_id}'): (401, 403, 204, 401, 401, 401),
    ('GET', '/api/stores'): SIGNED_IN,
    ('POST', '/api/stores'): (401, 400, 400, 401, 401, 401),
    ('GET', '/api/stores/{store_id}'): SIGNED_IN,
    ('GET', '/api/stores/{store_id}/owner'): SIGNED_IN,
    ('GET', '/api/items/{item_id}/store'): SIGNED_IN,
    ('PUT', '/api/stores/{store_id}'): (401, 403, 200, 401, 401, 401),
    ('PATCH', '/api/stores/{store_id}'): (401, 403, 200, 401, 401, 401),
    ('DELETE', '/api/stores/{store_id}'): (401, 403, 204, 401, 401, 401),
    ('GET', '/api/stores/{store_id}/items'): SIGNED_IN,
    ('POST', '/api/stores/{store_id}/items'): (401, 403, 400, 401, 401, 401),
    ('GET', '/api/items'): SIGNED_IN,
    ('GET', '/api/items/{item_id}'): SIGNED_IN,
    ('PUT', '/api/items/{item_id}'): (401, 403, 200, 401, 401, 401),
    ('PATCH', '/api/items/{item_id}'): (401, 403, 200, 401, 401, 401),
    ('DELETE', '/api/items/{item_id}'): (401, 403, 204, 401, 401, 401),
    **{
        # For JSON:API only, which these requests do not accept: see test_json_api_relationships.py.
        (method, '/api/users/{user_id}/relationships/following'): (401, 406, 406, 401, 401, 401)
        for method in ('GET', 'POST', 'PATCH', 'DELETE')
    },
    **{
        ('GET', f'/api/{resource}/relationships/{name}'): (401, 406, 406, 401, 401, 401)
        for resource, names in {
            'users/{user_id}': ('followers', 'posts', 'feed', 'tokens'),
            'users/{user_id}/following/{other_id}': ('follower', 'followed'),
            'posts/{post_id}': ('author',),
            'stores/{store_id}': ('owner', 'items'),
            'items/{item_id}': ('store',),
        }.items()
        for name in names
    },
    ('GET', '/api/tokens'): SIGNED_IN,
    ('POST', '/api/tokens'): SIGNED_IN,
    ('DELETE', '/api/tokens'): (401, 204, 204, 401, 401, 401),
    ('DELETE', '/api/tokens/others'): (401, 204, 204, 401, 401, 401),
    ('GET', '/api/tokens/{token_id}'): (401, 403, 200, 401, 401, 401),
    ('DELETE', '/api/tokens/{token_id}'): (401, 403, 204, 401, 401, 401),
}
MAIL_MATRIX = {
    ('GET', '/api/password-resets'): ANYONE,
    ('POST', '/api/password-resets'): (400, 400, 400, 401, 401, 401),
    ('GET', '/api/password-resets/{secret}'): UNKNOWN_SECRET,
    ('PUT', '/api/password-resets/{secret}'): UNKNOWN_SECRET,
    ('POST', '/api/email-verifications'): (401, 202, 202, 401, 401, 401),
    ('GET', '/api/email-verifications/{secret}'): UNKNOWN_SECRET,
    ('POST', '/api/email-verifications/{secret}'): UNKNOWN_SECRET,
}
# The URLs with the same response for all clients that are not rejected.
SHARED = (
    *('/api/openapi.json', '/api/docs', '/api/rels/{rel}', '/api/problems/{name}'),
    '/api/users/{user_id}/followed',
)
FULL_MATRIX = MATRIX | MAIL_MATRIX


@pytest.fixture
def app(start: Start) -> Any:
    """An application with mail, whose mail server is unreachable."""
    return start(BASE_URL=ORIGIN, MAIL_URL='smtp://127.0.0.1:1', MAIL_FROM='halcyon@example.org')


def test_every_method_of_every_url_is_in_the_matrix(app: Any) -> None:
    routed = {(method, template) for template, methods in methods_at(app).items() for method in methods}
    assert routed == set(FULL_MATRIX)


def access_of(method: str, row: tuple[int, ...]) -> Access:
    """Return the access of an operation with this row of the matrix."""
    if row == UNKNOWN_SECRET:
        return Access.SECRET
    anonymous, other, owner, *invalid = row
    if 401 not in invalid:
        return Access.PUBLIC
    if anonymous != 401:
        return Access.ANYONE
    return Access.OWNER if other == 403 or (owner == 406 and method != 'GET') else Access.TOKEN


def test_the_declared_access_agrees_with_the_matrix(app: Any) -> None:
    declared = {
        (method, template): operation.access
        for template, resource in routes(app)
        for method, operation in resource.operations.items()
    }
    expected = {(method, template): access_of(method, row) for (method, template), row in FULL_MATRIX.items()}
    private = ('/api/users/{user_id}/relationships/feed', '/api/users/{user_id}/relationships/tokens')
    expected |= {('POST', '/api/tokens'): Access.CREDENTIALS}
    expected |= {('GET', template): Access.OWNER for template in private}
    expected |= {key: Access.SHARED for key in expected if key[1] in SHARED}
    assert declared == expected


def sign_in_again(ada: Client, clock: MovableClock) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Let Ada's first token expire, and return the variables of URL templates and the tokens."""
    expired = ada.sign_in('ada')
    clock.move(seconds=3601)
    ada, bob, revoked = (ada.sign_in(name) for name in ('ada', 'bob', 'ada'))
    revoked.delete(revoked.entry().href('hc:tokens'))
    tokens = {'other': bob, 'owner': ada, 'expired': expired, 'revoked': revoked}
    return populate(ada, bob), {name: client.token for name, client in tokens.items()}


@pytest.mark.usefixtures('bob')
@pytest.mark.parametrize(('method', 'template'), FULL_MATRIX)
def test_only_permitted_clients_succeed(
    app: Any, ada: Client, clock: MovableClock, preparation: Preparation, method: str, template: str
) -> None:
    values, tokens = preparation.run('sign in again', partial(sign_in_again, ada, clock))
    tokens |= {'anonymous': None, 'malformed': 'no token'}
    # Clients that can change the resource come last.
    order = sorted(CLIENTS, key=lambda name: name in ('other', 'owner'))
    url = template.format_map(values | {'secret': 'x' * 43})
    responses = {name: Client(app, tokens[name]).request(method, url).status for name in order}
    assert tuple(responses[name] for name in CLIENTS) == FULL_MATRIX[method, template]


@pytest.mark.parametrize('method', ['HEAD', 'OPTIONS'])
def test_an_invalid_token_is_rejected_at_public_urls_too(client: Client, method: str) -> None:
    client.token = 'hc_unknown'
    assert client.request(method, '/api').status == 401
    assert client.request(method, '/health/live').status in (200, 204)


@pytest.mark.parametrize(
    'value', ['Bearer', 'Bearer ', 'Bearer a b', 'bearer hc_x', 'Bearer ä', 'Bearer a, Basic b', 'BEARER =']
)
def test_invalid_bearer_credentials_are_an_invalid_token(client: Client, value: str) -> None:
    headers = {'Authorization': value.encode().decode('latin-1')}
    response = client.get('/api', headers=headers)
    assert response.status == 401
    assert response.headers['www-authenticate'] == 'Bearer realm="Halcyon", error="invalid_token"'


@pytest.mark.parametrize('value', ['', 'Basic YWRhOmNvcnJlY3QgaG9yc2U=', 'Digest x', 'hc_token', 'Bearerx y'])
def test_other_schemes_do_not_authenticate(client: Client, value: str) -> None:
    response = client.get('/api/users', headers={'Authorization': value})
    assert response.status == 401
    assert response.headers['www-authenticate'] == 'Bearer realm="Halcyon"'
    assert client.get('/api', headers={'Authorization': value}).status == 200


def test_the_scheme_is_case_insensitive(ada: Client) -> None:
    token, ada.token = ada.token, None
    assert ada.get('/api/users', headers={'Authorization': f'bEARER {token}'}).status == 200
