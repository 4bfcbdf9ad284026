"""Ed25519 keys that sign tokens, stored in the database for all nodes, and rotated.

Tokens are not verified by signature here: a signed token is looked up by its digest, like every other, so one
that was not issued here or was altered is unknown. The public keys are for other services.
"""

from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from service.database.compiled import CompiledQuery, bindparam, insert_into
from service.database.session import Session
from service.database.transactions import transaction
from service.domain.models import SigningKey

ALGORITHM = 'EdDSA'
TYPE = 'at+jwt'  # RFC 9068 §2.1
CLIENT_ID = 'halcyon'


class SigningKeyRecord(NamedTuple):
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


_COLUMNS = tuple(getattr(SigningKey, field) for field in SigningKeyRecord._fields)
_CURRENT = CompiledQuery(
    SigningKey.select(*_COLUMNS)
    .where(SigningKey.published_until.is_null())
    .order_by(SigningKey.id.desc())
    .limit(1)
)
_PUBLISHED = CompiledQuery(
    SigningKey.select(*_COLUMNS)
    .where(SigningKey.published_until.is_null() | (SigningKey.published_until > bindparam('now')))
    .order_by(SigningKey.id.desc())
)
_INSERT = insert_into(SigningKey)
_RETIRE = CompiledQuery(
    SigningKey.update({SigningKey.published_until: bindparam('until')}).where(
        SigningKey.published_until.is_null() & (SigningKey.id != bindparam('key_id'))
    )
)
_DELETE_OLD = CompiledQuery(SigningKey.delete().where(SigningKey.published_until <= bindparam('now')))


@transaction
def create_first_key(session: Session) -> None:
    """Create a key if there is none; nodes that start at the same time may create one each."""
    if _CURRENT.first(session) is None:
        _create_key(session)


def list_published_keys(session: Session) -> list[SigningKeyRecord]:
    """Return the keys that can have signed a live token, the newest first."""
    return [SigningKeyRecord._make(row) for row in _PUBLISHED.all(session, now=session.now())]


@transaction
def rotate_keys(session: Session) -> SigningKeyRecord:
    """Create a new key to sign with; the old ones stay published until their last token has expired."""
    key = _create_key(session)
    _RETIRE.run(session, key_id=key.id, until=session.now() + session.settings.token_lifetime * 1000)
    _DELETE_OLD.run(session, now=session.now())
    return key


def _create_key(session: Session) -> SigningKeyRecord:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = SigningKeyRecord(session.new_id(), pem.decode(), session.now(), None)
    _INSERT.run(session, **key._asdict())
    return key


def sign(session: Session, claims: dict[str, Any]) -> str:
    """Return the claims as a token signed with the newest key (RFC 9068 §2): typ at+jwt, alg EdDSA."""
    key = SigningKeyRecord._make(_CURRENT.first(session) or _create_key(session))
    return jwt.encode(claims, key.private_key, algorithm=ALGORITHM, headers={'typ': TYPE, 'kid': str(key.id)})
