"""TLS between a node and its database: the certificate and the host name are verified."""

from __future__ import annotations

import datetime
import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import peewee
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.config import Settings
from service.database.connect import open_engine
from tests.cluster.conftest import skip_if_missing
from tests.cluster.databases import GaleraNode, Postgresql
from tests.cluster.programs import Missing

pytestmark = pytest.mark.cluster


class Certificate(NamedTuple):
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def write(self, folder: Path, name: str, user: str) -> tuple[Path, Path]:
        """Write certificate and key to files that a user can read, and return the paths."""
        paths = folder / f'{name}.pem', folder / f'{name}.key'
        paths[0].write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].touch(0o600)
        paths[1].write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        if os.getuid() == 0:
            shutil.chown(paths[1], user, user)
        return paths


def issue(name: str, issuer: Certificate | None = None) -> Certificate:
    """Return a certificate for a host, or for a certificate authority if there is no issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return Certificate(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


class Server(NamedTuple):
    """A database server with a certificate for `localhost`.

    `url` is a template for the host, `parameters` for the path of a trusted certificate authority.
    `authority` has issued the certificate, `other_authority` has not.
    """

    url: str
    parameters: str
    authority: Path
    other_authority: Path


@pytest.fixture(params=['postgresql', 'pymysql', 'mysqlclient'])
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    user = 'postgres' if request.param == 'postgresql' else 'mysql'
    authority = issue('Authority')
    trusted, _ = authority.write(folder, 'authority', user)
    other, _ = issue('Other').write(folder, 'other', user)
    certificate, key = issue('localhost', authority).write(folder, 'server', user)
    with skip_if_missing(), ExitStack() as stack:
        if request.param == 'postgresql':
            program = Postgresql(folder)
            stack.callback(program.kill)
            program.start(
                *('-c', 'ssl=on', '-c', f'ssl_cert_file={certificate}', '-c', f'ssl_key_file={key}')
            )
            url = f'postgresql://postgres@{{host}}:{program.port}/postgres'
            yield Server(url, 'sslmode=verify-full&sslrootcert={}', trusted, other)
        else:
            if importlib.util.find_spec('MySQLdb') is None and request.param == 'mysqlclient':
                raise Missing('mysqlclient is not installed: bash .ci/mysqlclient')
            node = GaleraNode(1, folder)
            stack.callback(node.kill)
            node.start(f'--ssl-cert={certificate}', f'--ssl-key={key}', '--wsrep-new-cluster')
            node.run('CREATE DATABASE app', "CREATE USER app@'%' REQUIRE SSL", 'GRANT ALL ON app.* TO app')
            parameters = f'driver={request.param}&ssl_ca={{}}'
            yield Server(f'mysql://app@{{host}}:{node.port}/app', parameters, trusted, other)


def can_connect(server: Server, host: str, authority: Path) -> bool:
    """Return whether a node can connect to the host if it trusts the certificate authority."""
    url = server.url.format(host=host) + '?' + server.parameters.format(authority)
    engine = open_engine(Settings.from_environment({'DATABASE_URL': url}))
    try:
        return bool(engine.execute_sql('SELECT 1').fetchone()[0] == 1)
    except peewee.OperationalError as error:
        if 'certificate' not in str(error).lower():
            raise
        return False
    finally:
        engine.close_all()


def test_the_host_name_and_the_certificate_authority_are_verified(server: Server) -> None:
    assert can_connect(server, 'localhost', server.authority)
    assert not can_connect(server, 'localhost', server.other_authority)
    assert not can_connect(server, '127.0.0.1', server.authority)
