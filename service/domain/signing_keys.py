"""Ed25519 keys that sign tokens, stored in the database for all nodes, and rotated.

This server does not verify signatures: it finds a signed token by its digest, like any other token, so forged
and altered ones are unknown. The public keys are for other services.
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
KEY_SET_MAX_AGE = 300  # seconds for which clients cache the published keys
MAX_CLOCK_SKEW = 60  # seconds between the clocks of nodes


class SigningKeyRecord(NamedTuple):
    """An Ed25519 key pair; times are UTC milliseconds.

    Tokens are signed with the key whose `signs_from` is the latest before now. `published_until` is None
    until there is a newer key.
    """

    id: int
    private_key: str
    created_at: int
    published_until: int | None
    signs_from: int

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
    .where(SigningKey.signs_from <= bindparam('now'))
    .order_by(SigningKey.signs_from.desc(), SigningKey.id.desc())
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
    now = session.now()
    if _CURRENT.first(session, now=now) is None:
        _create_key(session, signs_from=now)


def list_published_keys(session: Session) -> list[SigningKeyRecord]:
    """Return the keys that may have signed a live token or will sign new ones, the newest first."""
    return [SigningKeyRecord._make(row) for row in _PUBLISHED.all(session, now=session.now())]


@transaction
def rotate_keys(session: Session) -> SigningKeyRecord:
    """Create a new key, which signs tokens once all cached key sets contain it.

    The old ones stay published until their last token has expired.
    """
    key = _create_key(session, signs_from=session.now() + (KEY_SET_MAX_AGE + MAX_CLOCK_SKEW) * 1000)
    until = key.signs_from + (session.settings.token_lifetime + MAX_CLOCK_SKEW) * 1000
    _RETIRE.run(session, key_id=key.id, until=until)
    _DELETE_OLD.run(session, now=session.now())
    return key


def _create_key(session: Session, *, signs_from: int) -> SigningKeyRecord:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = SigningKeyRecord(session.new_id(), pem.decode(), session.now(), None, signs_from)
    _INSERT.run(session, **key._asdict())
    return key


def read_audiences(token: str) -> list[str]:
    """Return the audiences of a token that this server has signed (RFC 7519 §4.1.3)."""
    claim = jwt.decode(token, options={'verify_signature': False})['aud']
    return [claim] if isinstance(claim, str) else list(claim)


def sign(session: Session, claims: dict[str, Any]) -> str:
    """Return the claims as a token signed with the current key (RFC 9068 §2): typ at+jwt, alg EdDSA."""
    now = session.now()
    key = SigningKeyRecord._make(_CURRENT.first(session, now=now) or _create_key(session, signs_from=now))
    return jwt.encode(claims, key.private_key, algorithm=ALGORITHM, headers={'typ': TYPE, 'kid': str(key.id)})
