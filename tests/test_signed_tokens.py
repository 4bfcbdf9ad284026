"""Signed tokens, which other services can verify with the published keys."""

import base64
import json
from collections.abc import Callable
from typing import Any

import falcon.testing
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from service.database.session import Session
from service.domain.signing_keys import rotate_keys
from tests.client import ORIGIN, PASSWORD, Client, assert_problem
from tests.clock import MovableClock

# RFC 9864 defines a new name of the algorithm, but few libraries support it yet.
pytestmark = pytest.mark.filterwarnings('ignore:EdDSA is deprecated')


@pytest.fixture
def app(start: Callable[..., Any]) -> Any:
    """The application with BASE_URL, without which it signs no tokens."""
    return start(BASE_URL=ORIGIN)


@pytest.fixture
def signed(client: Client) -> Client:
    """Ada with a signed token."""
    client.register('ada')
    response = client.entry().submit('login', username='ada', password=PASSWORD, format='jwt')
    return Client(client.app, response.json['token'])


def published_keys(client: Client) -> dict[str, Any]:
    """Return the published key set."""
    response = client.get('/.well-known/jwks.json')
    assert response.content_type == 'application/jwk-set+json'
    return response.json


@pytest.mark.parametrize('accept', ['application/json', 'application/jwk-set+json', 'text/html', '*/*'])
def test_the_keys_have_one_representation_for_all_clients(signed: Client, accept: str) -> None:
    response = signed.get('/.well-known/jwks.json', accept=accept)
    assert (response.status, response.content_type) == (200, 'application/jwk-set+json')


def verify(client: Client, token: str) -> Any:
    """Verify a token with another library and the published keys, and return it decoded."""
    return joserfc_jwt.decode(token, KeySet.import_key_set(published_keys(client)), algorithms=['EdDSA'])


def test_another_library_verifies_a_token_with_the_published_keys(signed: Client) -> None:
    verified = verify(signed, signed.token or '')
    assert verified.header['typ'] == 'at+jwt'
    assert verified.header['alg'] == 'EdDSA'
    claims = verified.claims
    assert claims['iss'] == ORIGIN
    assert claims['aud'] == f'{ORIGIN}/api'
    assert claims['client_id'] == 'halcyon'
    assert claims['sub'] == str(signed.me().json['id'])
    assert claims['scope'] == 'write'
    assert claims['exp'] - claims['iat'] == 3600


def test_the_token_id_is_in_the_claim_jti(signed: Client) -> None:
    (token,) = signed.follow('hc:tokens').items
    assert verify(signed, signed.token or '').claims['jti'] == str(token['id'])


def test_only_public_keys_are_published(signed: Client) -> None:
    (key,) = published_keys(signed)['keys']
    assert set(key) == {'kty', 'crv', 'x', 'kid', 'use', 'alg'}


def test_tokens_are_opaque_by_default(client: Client) -> None:
    client.register('ada')
    assert client.sign_in('ada').token.startswith('hc_')  # type: ignore[union-attr]


def test_an_unknown_token_format_is_rejected(client: Client) -> None:
    client.register('ada')
    response = client.entry().submit('login', username='ada', password=PASSWORD, format='saml')
    assert_problem(response, 400, '#/format')


def test_basic_credentials_can_request_a_signed_token(client: Client) -> None:
    client.register('ada')
    basic = base64.b64encode(f'ada:{PASSWORD}'.encode()).decode()
    tokens = client.entry().href('hc:tokens')
    response = client.post(tokens, {'format': 'jwt'}, headers={'Authorization': f'Basic {basic}'})
    assert verify(client, response.json['token']).claims['sub']


def test_renewing_a_signed_token_returns_a_signed_token(signed: Client) -> None:
    renewed = signed.post(signed.entry().href('hc:tokens'))
    assert verify(signed, renewed.json['token'])


def test_a_signed_token_is_revoked_immediately(signed: Client) -> None:
    signed.delete(signed.entry().href('hc:tokens'))
    assert_problem(signed.get('/api'), 401)


def test_a_signed_token_expires_at_its_exp_claim(signed: Client, clock: MovableClock) -> None:
    clock.move(seconds=3601)
    assert_problem(signed.get('/api'), 401)


def test_rotation_keeps_the_old_key_until_its_tokens_expire(
    signed: Client, clock: MovableClock, db: Session
) -> None:
    before = {key['kid'] for key in published_keys(signed)['keys']}
    rotate_keys(db)
    assert verify(signed, signed.token or '')
    clock.move(seconds=361)
    clock.move(seconds=3661)
    after = {key['kid'] for key in published_keys(signed)['keys']}
    assert len(after) == 1
    assert not before & after


def test_new_tokens_are_signed_with_the_new_key(signed: Client, clock: MovableClock, db: Session) -> None:
    new_key = rotate_keys(db)
    clock.move(seconds=361)
    response = Client(signed.app).entry().submit('login', username='ada', password=PASSWORD, format='jwt')
    assert jwt.get_unverified_header(response.json['token'])['kid'] == str(new_key.id)


def test_all_nodes_share_the_keys(signed: Client, start: Callable[..., Any]) -> None:
    other_node = Client(start(BASE_URL=ORIGIN))
    assert published_keys(other_node) == published_keys(signed)
    assert Client(other_node.app, signed.token).me().json['username'] == 'ada'


def unsigned_token(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip('=') for part in (header, claims)
    )
    return '.'.join(parts) + '.'


FORGERIES: dict[str, Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], str]] = {
    'alg none': lambda header, claims, key: unsigned_token(header | {'alg': 'none'}, claims),
    'HS256 with the public key': lambda header, claims, key: jwt.encode(
        claims,
        base64.urlsafe_b64decode(key['x'] + '='),
        'HS256',
        headers={'kid': key['kid'], 'typ': 'at+jwt'},
    ),
    'signed with another key of the same kid': lambda header, claims, key: jwt.encode(
        claims, Ed25519PrivateKey.generate(), 'EdDSA', headers=header
    ),
    'unknown kid': lambda header, claims, key: jwt.encode(
        claims, Ed25519PrivateKey.generate(), 'EdDSA', headers=header | {'kid': '1'}
    ),
}
WRONG_CLAIMS = {
    'another issuer': {'iss': 'http://evil.test'},
    'another audience': {'aud': 'http://evil.test/api'},
    'exp in the past': {'exp': 1},
    'exp in the far future': {'exp': 2**53},
    'another user': {'sub': '1'},
    'another token': {'jti': '1'},
}


@pytest.mark.parametrize('forge', FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_rejected(signed: Client, forge: Callable[..., str]) -> None:
    token = signed.token or ''
    claims = jwt.decode(token, options={'verify_signature': False})
    header = jwt.get_unverified_header(token)
    (key,) = published_keys(signed)['keys']
    assert_problem(Client(signed.app, forge(header, claims, key)).get('/api'), 401)


@pytest.mark.parametrize('changes', WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_signed_token_with_wrong_claims_is_rejected(
    signed: Client, changes: dict[str, Any], db: Session
) -> None:
    token = signed.token or ''
    claims = jwt.decode(token, options={'verify_signature': False})
    private_key = db.execute('SELECT private_key FROM signing_keys').fetchone()[0]
    forged = jwt.encode(claims | changes, private_key, 'EdDSA', headers=jwt.get_unverified_header(token))
    assert_problem(Client(signed.app, forged).get('/api'), 401)


def test_an_altered_signature_is_rejected(signed: Client) -> None:
    token = signed.token or ''
    other = 'A' if token[-10] != 'A' else 'B'
    assert_problem(Client(signed.app, token[:-10] + other + token[-9:]).get('/api'), 401)


def test_the_iat_claim_is_the_time_of_the_clock(signed: Client, clock: MovableClock) -> None:
    assert abs(verify(signed, signed.token or '').claims['iat'] - clock.now // 1000) < 5


def test_a_new_key_is_published_before_it_signs(signed: Client, clock: MovableClock, db: Session) -> None:
    old = jwt.get_unverified_header(signed.token or '')['kid']
    new_key = rotate_keys(db)
    cached = signed.get('/.well-known/jwks.json')
    assert str(new_key.id) in {key['kid'] for key in cached.json['keys']}
    max_age = int(cached.headers['cache-control'].partition('max-age=')[2])
    clock.move(seconds=max_age)
    response = signed.post('/api/tokens')
    assert jwt.get_unverified_header(response.json['token'])['kid'] == old
    clock.move(seconds=61)
    response = Client(signed.app, response.json['token']).post('/api/tokens')
    assert jwt.get_unverified_header(response.json['token'])['kid'] == str(new_key.id)


def test_after_two_rotations_the_last_key_signs(signed: Client, clock: MovableClock, db: Session) -> None:
    keys = [rotate_keys(db), rotate_keys(db)]
    assert len(published_keys(signed)['keys']) == 3
    clock.move(seconds=361)
    response = signed.post('/api/tokens')
    assert jwt.get_unverified_header(response.json['token'])['kid'] == str(keys[1].id)
    assert verify(signed, response.json['token'])


def test_the_scope_is_a_claim(client: Client) -> None:
    client.register('ada')
    login = {'username': 'ada', 'password': PASSWORD, 'format': 'jwt', 'scope': 'read'}
    response = client.entry().submit('login', **login)
    assert verify(client, response.json['token']).claims['scope'] == 'read'


def test_no_token_is_signed_without_base_url(start: Callable[..., Any]) -> None:
    client = Client(start())
    client.register('ada')
    entry = client.entry()
    assert 'format' not in {field['name'] for field in entry.json['_templates']['login']['properties']}
    response = entry.submit('login', username='ada', password=PASSWORD, format='jwt')
    assert_problem(response, 400, '#/format')
    assert entry.submit('login', username='ada', password=PASSWORD, format='opaque').status == 200


@pytest.mark.parametrize('settings', [{}, {'BASE_URL': 'http://other.example'}], ids=['none', 'another'])
def test_a_token_for_another_audience_is_rejected(
    signed: Client, start: Callable[..., Any], settings: dict[str, str]
) -> None:
    app = start(**settings)
    result = falcon.testing.simulate_get(
        app, '/api', headers={'Authorization': f'Bearer {signed.token}'}, host='halcyon.test'
    )
    assert result.status_code == 401
    assert result.json['detail'] == 'The token is for another audience.'
    assert 'error="invalid_token"' in result.headers['www-authenticate']


def test_the_host_of_a_request_is_neither_issuer_nor_audience(client: Client) -> None:
    client.register('ada')
    result = falcon.testing.simulate_post(
        client.app,
        '/api/tokens',
        json={'username': 'ada', 'password': PASSWORD, 'format': 'jwt'},
        host='other.example',
    )
    claims = jwt.decode(result.json['token'], options={'verify_signature': False})
    assert (claims['iss'], claims['aud']) == (ORIGIN, f'{ORIGIN}/api')
