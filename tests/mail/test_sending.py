"""The emails of the outbox: their contents, and sending each at least once."""

from __future__ import annotations

import dataclasses
import logging
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from service.config import Settings
from service.database.session import Session
from service.domain.startup import open_session
from service.mail import smtp
from service.mail.messages import compose
from service.mail.sender import send_due_mail
from service.mail.smtp import MailError
from tests.client import ORIGIN, Client
from tests.clock import MovableClock
from tests.conftest import Start
from tests.mail.conftest import SENDER, count_pending
from tests.mail_server import MailServer, link_of, mail_server, text_of


def test_a_registration_sends_a_verification_mail(ada: Client, db: Session, inbox: MailServer) -> None:
    assert inbox.messages == []
    assert send_due_mail(db) == 1
    (message,) = inbox.messages
    assert message['To'] == inbox.recipients[0] == 'ada@example.org'
    assert message['From'] == SENDER
    assert message['Subject'] == 'Verify your email address'
    assert message['Auto-Submitted'] == 'auto-generated'
    assert message['Message-ID'].endswith('@halcyon.test>')
    assert message['Date']
    assert link_of(message).startswith(f'{ORIGIN}/api/email-verifications/')
    assert f'href="{link_of(message)}"' in text_of(message, 'html')
    assert 'Hello ada,' in text_of(message)
    assert count_pending(db) == 0
    assert send_due_mail(db) == 0


def test_a_failed_registration_sends_no_mail(ada: Client, db: Session, inbox: MailServer) -> None:
    send_due_mail(db)
    assert Client(ada.app).register('eve', email='ada@example.org').status == 400
    assert send_due_mail(db) == 0


def test_an_internationalized_domain_is_sent_in_ascii(client: Client, db: Session, inbox: MailServer) -> None:
    client.register('eve', email='eve@münchen.example')
    send_due_mail(db)
    assert inbox.recipients == ['eve@xn--mnchen-3ya.example']


@pytest.mark.parametrize('name', ['evil\r\nBcc: x@example.org', 'evil\nX: y'])
def test_a_line_break_in_a_value_adds_no_header_field(db: Session, name: str) -> None:
    with pytest.raises(ValueError, match=r'.'):
        compose(db.settings, 'test', f'{name}@example.org', mail_id=1, now=1)
    message = compose(db.settings, 'test', 'a@example.org', mail_id=1, now=1, username=name)
    assert message['Bcc'] is None
    assert message['X'] is None


def test_the_html_of_a_mail_escapes_values(db: Session) -> None:
    message = compose(db.settings, 'test', 'a@example.org', mail_id=1, now=1, username='<b>')
    assert '&lt;b&gt;' in text_of(message, 'html')
    assert '<b>' in text_of(message)


def test_a_temporary_failure_of_the_mail_server_delays_mail_only(
    ada: Client, db: Session, inbox: MailServer, clock: MovableClock
) -> None:
    inbox.rejection = '450 busy'
    assert send_due_mail(db) == 0
    inbox.rejection = ''
    assert send_due_mail(db) == 0
    assert ada.me().status == 200
    clock.move(seconds=11)
    assert send_due_mail(db) == 1


def test_the_delay_before_a_retry_doubles_up_to_an_hour(
    ada: Client, db: Session, inbox: MailServer, clock: MovableClock
) -> None:
    inbox.rejection = '450 busy'
    delays = []
    for _ in range(12):
        send_due_mail(db)
        due_at = db.execute('SELECT due_at FROM outbox').fetchone()[0]
        delays.append(round((due_at - clock.now) / 1000))
        clock.now = due_at
    assert delays[:4] == [10, 20, 40, 80]
    assert delays[-1] == 3600


def test_a_mail_is_discarded_after_five_days(
    ada: Client, db: Session, inbox: MailServer, clock: MovableClock
) -> None:
    inbox.rejection = '450 busy'
    clock.move(seconds=5 * 86400 + 1)
    send_due_mail(db)
    assert count_pending(db) == 0


def test_a_mail_to_a_rejected_recipient_is_discarded(
    ada: Client, db: Session, inbox: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.rejection = '550 no such mailbox'
    with caplog.at_level(logging.DEBUG, 'service'):
        send_due_mail(db)
    assert count_pending(db) == 0
    (record,) = (record for record in caplog.records if record.name.startswith('service'))
    assert record.getMessage().endswith('is discarded: the recipient was rejected (550)')
    assert 'ada@' not in record.getMessage()


def test_an_unreachable_mail_server_is_logged_without_secrets(
    start: Start, database_url: str, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    environment = {'BASE_URL': ORIGIN, 'MAIL_URL': 'smtp://ada:s3cret@127.0.0.1:1', 'MAIL_FROM': SENDER}
    Client(start(**environment)).register('ada')
    db = open_session(Settings.from_environment({'DATABASE_URL': database_url, **environment}), clock)
    with caplog.at_level(logging.DEBUG, 'service'):
        assert send_due_mail(db) == 0
    assert count_pending(db) == 1
    assert 'will be retried' in caplog.text
    assert not [text for text in ('s3cret', 'ada@', 'api/') if text in caplog.text]
    db.close()


def test_no_mail_is_lost_if_a_process_ends_while_it_sends(
    ada: Client, db: Session, inbox: MailServer, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*arguments: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr('service.mail.sender.send_message', end)
        with pytest.raises(SystemExit):
            send_due_mail(db)
    assert send_due_mail(db) == 0  # the ended process may still be sending it
    clock.move(seconds=61)
    assert send_due_mail(db) == 1


def test_concurrent_senders_send_each_mail_once(client: Client, db: Session, inbox: MailServer) -> None:
    for number in range(10):
        client.register(f'user{number}')
    barrier = threading.Barrier(4)

    def send(_: int) -> int:
        barrier.wait()
        try:
            return send_due_mail(db)
        finally:
            db.release()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send, range(4))) == 10
    assert len(set(inbox.recipients)) == len(inbox.recipients) == 10


def test_a_password_is_not_sent_without_tls(db: Session, inbox: MailServer) -> None:
    port = inbox.url.rpartition(':')[2]
    server = f'127.1:{port}'  # leads here, but only an address like 127.0.0.1 is known to be local
    settings = Settings.from_environment(
        {'BASE_URL': ORIGIN, 'MAIL_URL': f'smtp://ada:s3cret@{server}', 'MAIL_FROM': SENDER}
    )
    message = compose(settings, 'test', 'a@example.org', mail_id=1, now=1)
    with pytest.raises(MailError, match='does not support TLS'):
        smtp.send_message(settings, message)
    assert inbox.messages == []


def test_a_mail_server_that_hangs_is_an_error(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, 'SECONDS', 0.1)
    with socket.create_server(('127.0.0.1', 0)) as silent:
        url = f'smtp://127.0.0.1:{silent.getsockname()[1]}'
        message = compose(db.settings, 'test', 'a@example.org', mail_id=1, now=1)
        with pytest.raises(MailError):
            smtp.send_message(dataclasses.replace(db.settings, mail_url=url), message)


@pytest.fixture(scope='module')
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The paths of a certificate for localhost and of its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'localhost')])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName('localhost')]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp('certificate')
    (folder / 'certificate').write_bytes(signed.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / 'key').write_bytes(private)
    return folder / 'certificate', folder / 'key'


@pytest.mark.parametrize('is_trusted', [True, False])
def test_mail_is_sent_only_to_a_server_with_a_valid_certificate(
    db: Session, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.delenv('SSL_CERT_DIR', raising=False)
    if is_trusted:
        monkeypatch.setenv('SSL_CERT_FILE', str(certificate[0]))
    message = compose(db.settings, 'test', 'a@example.org', mail_id=1, now=1)
    with mail_server(tls_context=context, require_starttls=True) as inbox:
        url = inbox.url.replace('127.0.0.1', 'localhost')
        settings = dataclasses.replace(db.settings, mail_url=url)
        if is_trusted:
            smtp.send_message(settings, message)
        else:
            with pytest.raises(MailError):
                smtp.send_message(settings, message)
        assert len(inbox.messages) == is_trusted


def test_a_server_without_mail_has_no_resets_and_no_verification(start: Start) -> None:
    client = Client(start())
    assert 'hc:password-resets' not in client.entry().json['_links']
    client.register('ada')
    assert 'email_verified' not in client.sign_in('ada').me().json
    names = ('password-resets', 'email-verifications')
    for path in [f'/api/{name}{secret}' for name in names for secret in ('', '/x')]:
        assert client.get(path).status == client.post(path).status == 404


def test_the_number_of_pending_mails_is_a_metric(start: Start, environment: dict[str, str]) -> None:
    client = Client(start(METRICS='on', **environment))
    client.register('ada')
    assert 'halcyon_outbox_pending 1.0' in client.get('/metrics').text
