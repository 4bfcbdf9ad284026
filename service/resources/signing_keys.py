"""The public keys of signed tokens, with which other services verify them."""

from typing import ClassVar

import falcon
import orjson

from service.domain.signing_keys import ALGORITHM, KEY_SET_MAX_AGE, list_published_keys
from service.http.operation import Access, Formats, Operation, RawResponse
from service.http.request import Request
from service.representation.json_schema import Schema

JWK_SET = 'application/jwk-set+json'
_SAMPLE_KEY = {
    'kty': 'OKP',
    'crv': 'Ed25519',
    'x': '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',  # RFC 8037 §A.2
    'kid': '7400000000000008',
    'use': 'sig',
    'alg': ALGORITHM,
}
_KEY_SCHEMA = {
    'type': 'object',
    'properties': {name: {'type': 'string'} for name in _SAMPLE_KEY},
    'required': [*_SAMPLE_KEY],
}
_KEYS_SCHEMA: Schema = {
    'type': 'object',
    'properties': {'keys': {'type': 'array', 'items': _KEY_SCHEMA}},
    'required': ['keys'],
}


class KeysResource:
    """The public keys of signed tokens, as a JSON Web Key Set (RFC 7517 §5)."""

    tag = 'tokens'
    operation_name = 'Keys'
    operations: ClassVar = {
        'GET': Operation(
            'Get the signing keys',
            'The public keys of signed tokens, as a JSON Web Key Set (RFC 7517 §5).',
            {200: RawResponse('jwk-set', (JWK_SET,), _KEYS_SCHEMA, lambda builder: {'keys': [_SAMPLE_KEY]})},
            Access.PUBLIC,
            formats=Formats.FIXED,
            errors=(503,),
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.data = orjson.dumps({'keys': [key.public_jwk() for key in list_published_keys(req.db)]})
        resp.content_type = JWK_SET
        resp.set_header('Cache-Control', f'public, max-age={KEY_SET_MAX_AGE}')
