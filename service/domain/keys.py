"""Signing keys: what signed tokens are signed with, shared by all nodes through the database, and rotated.

Nothing here verifies: a signed token that comes back is looked up by its digest, like every other, so
whatever was not issued here, or was altered since, is unknown. The keys are for other services.
"""

from typing import Any, NamedTuple

import jwt
import peewee
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from service.domain.database import Database, Statement, parameter, transaction

ALGORITHM = 'EdDSA'
TYPE = 'at+jwt'  # RFC 9068 §2.1
CLIENT_ID = 'halcyon'

SigningKeys: Any = peewee.Table('signing_keys', ('id', 'private_key', 'created_at', 'published_until'))


class SigningKey(NamedTuple):
    """An Ed25519 key pair; `published_until` (UTC milliseconds) is None while tokens are signed with it."""

    id: int
    private_key: str
    created_at: int
    published_until: int | None

    def public_jwk(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key (RFC 7517 §4, RFC 8037 §2)."""
        key = load_pem_private_key(self.private_key.encode(), None)
        assert isinstance(key, Ed25519PrivateKey)
        members = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {
            'kty': members['kty'],
            'crv': members['crv'],
            'x': members['x'],
            'kid': str(self.id),
            'use': 'sig',
            'alg': ALGORITHM,
        }


_COLUMNS = tuple(getattr(SigningKeys, field) for field in SigningKey._fields)
_CURRENT = Statement(
    SigningKeys.select(*_COLUMNS)
    .where(SigningKeys.published_until.is_null())
    .order_by(SigningKeys.id.desc())
    .limit(1)
)
_PUBLISHED = Statement(
    SigningKeys.select(*_COLUMNS)
    .where(SigningKeys.published_until.is_null() | (SigningKeys.published_until > parameter('now')))
    .order_by(SigningKeys.id.desc())
)
_INSERT = Statement(
    SigningKeys.insert({getattr(SigningKeys, name): parameter(name) for name in SigningKeys._columns})
)
_RETIRE = Statement(
    SigningKeys.update({SigningKeys.published_until: parameter('until')}).where(
        SigningKeys.published_until.is_null() & (SigningKeys.id != parameter('key_id'))
    )
)
_DELETE_OLD = Statement(SigningKeys.delete().where(SigningKeys.published_until <= parameter('now')))


@transaction
def make_first_key(db: Database) -> None:
    """Make a key where there is none; nodes that do it at the same time may make one each."""
    if _CURRENT.one(db) is None:
        _make_key(db)


def list_published_keys(db: Database) -> list[SigningKey]:
    """Return the keys that a live token can be signed with, the newest first."""
    return [SigningKey._make(row) for row in _PUBLISHED.all(db, now=db.now())]


@transaction
def rotate_keys(db: Database) -> SigningKey:
    """Sign with a new key from now on; the old ones stay published until their last token has expired."""
    key = _make_key(db)
    _RETIRE.run(db, key_id=key.id, until=db.now() + db.settings.token_lifetime * 1000)
    _DELETE_OLD.run(db, now=db.now())
    return key


def _make_key(db: Database) -> SigningKey:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = SigningKey(db.new_id(), pem.decode(), db.now(), None)
    _INSERT.run(db, **key._asdict())
    return key


def sign(db: Database, claims: dict[str, Any]) -> str:
    """Return the claims as a token signed with the newest key (RFC 9068 §2): typ at+jwt, alg EdDSA."""
    key = SigningKey._make(_CURRENT.one(db) or _make_key(db))
    return jwt.encode(claims, key.private_key, algorithm=ALGORITHM, headers={'typ': TYPE, 'kid': str(key.id)})
