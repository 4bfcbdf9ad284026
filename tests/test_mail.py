"""Mail: links that verify email addresses and reset passwords, once and for a limited time."""

from __future__ import annotations

import dataclasses
import json
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from openapi_spec_validator import OpenAPIV31SpecValidator

from service.config import Settings
from service.database.session import Session
from service.domain.credentials import suspend_user
from service.domain.startup import open_session
from service.domain.users import find_user_by_username
from service.mail import smtp
from service.mail.messages import compose
from service.mail.sender import send_due_mail
from service.mail.smtp import MailError
from tests.client import FORM, HAL, HAL_FORMS, HTML, JSON_API, ORIGIN, PASSWORD, Client, assert_problem
from tests.clock import MovableClock
from tests.conftest import Start
from tests.mail_server import MailServer, link_of, mail_server, text_of
from tests.plain_browser import PlainBrowser

NEW_PASSWORD = 'battery staple'
SENDER = 'Halcyon <halcyon@example.org>'


@pytest.fixture(scope='module')
def shared_inbox() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def inbox(shared_inbox: MailServer) -> MailServer:
    shared_inbox.messages, shared_inbox.recipients, shared_inbox.rejection = [], [], ''
    return shared_inbox


@pytest.fixture
def environment(inbox: MailServer) -> dict[str, str]:
    return {'BASE_URL': ORIGIN, 'MAIL_URL': inbox.url, 'MAIL_FROM': SENDER}


@pytest.fixture
def app(start: Start, environment: dict[str, str]) -> Any:
    """The application with mail."""
    return start(**environment)


@pytest.fixture
def db(database_url: str, clock: MovableClock, environment: dict[str, str]) -> Iterator[Session]:
    """The session of a process that sends mail."""
    settings = Settings.from_environment({'DATABASE_URL': database_url, 'BCRYPT_COST': '4', **environment})
    db = open_session(settings, clock)
    yield db
    db.close()


@pytest.fixture
def reset_link(ada: Client, client: Client, db: Session, inbox: MailServer) -> str:
    """The link to reset Ada's password."""
    assert request_reset(client).status == 202
    send_due_mail(db)
    return inbox.last_link()


@pytest.fixture
def browser(app: Any, ada: Client) -> PlainBrowser:
    """A browser in which Ada is signed in."""
    browser = PlainBrowser(app)
    browser.open(f'{ORIGIN}/api')
    browser.submit('login', username='ada', password=PASSWORD)
    return browser


def request_reset(client: Client, email: str = 'ada@example.org', **options: Any) -> Any:
    return client.post('/api/password-resets', {'email': email}, **options)


def count_pending(db: Session) -> int:
    """Return the number of emails that are still to be sent."""
    return int(db.execute('SELECT COUNT(*) FROM outbox').fetchone()[0])


# Messages


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


# Delivery


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


# Verification


def test_an_email_is_verified_by_its_link(ada: Client, db: Session, inbox: MailServer) -> None:
    assert ada.me().json['email_verified'] is False
    send_due_mail(db)
    link = inbox.last_link()
    page = Client(ada.app).get(link)
    assert page.status == 200
    assert ada.me().json['email_verified'] is False
    assert page.submit('verify-email').status == 204
    assert ada.me().json['email_verified'] is True
    assert_problem(page.submit('verify-email'), 404)
    assert_problem(ada.get(link), 404)


def test_only_the_owner_sees_whether_an_email_is_verified(ada: Client, bob: Client) -> None:
    assert 'email_verified' not in bob.get(ada.me().href('self')).json


def test_a_verification_link_is_valid_for_seven_days(
    ada: Client, db: Session, inbox: MailServer, clock: MovableClock
) -> None:
    send_due_mail(db)
    clock.move(seconds=7 * 86400 - 10)
    assert Client(ada.app).get(inbox.last_link()).status == 200
    clock.move(seconds=10)
    assert_problem(Client(ada.app).get(inbox.last_link()), 404)


def test_a_changed_email_is_verified_again_and_the_old_one_notified(
    ada: Client, db: Session, inbox: MailServer
) -> None:
    send_due_mail(db)
    old_link = inbox.last_link()
    Client(ada.app).post(old_link)
    changed = ada.me().submit('edit', email='new@example.org')
    assert changed.json['email_verified'] is False
    assert send_due_mail(db) == 2
    assert set(inbox.recipients[1:]) == {'ada@example.org', 'new@example.org'}
    notice = next(
        message
        for message in inbox.messages
        if message['To'] == 'ada@example.org' and 'changed' in message['Subject']
    )
    assert 'http' not in text_of(notice).replace(ORIGIN, '')
    link = next(link_of(message) for message in inbox.messages if message['To'] == 'new@example.org')
    assert Client(ada.app).post(link).status == 204
    assert ada.me().json['email_verified'] is True


def test_a_link_sent_to_a_former_email_is_invalid(ada: Client, db: Session, inbox: MailServer) -> None:
    send_due_mail(db)
    link = inbox.last_link()
    ada.me().submit('edit', email='new@example.org')
    assert_problem(Client(ada.app).post(link), 404)
    assert ada.me().json['email_verified'] is False


def test_an_unchanged_or_taken_email_sends_no_mail(ada: Client, bob: Client, db: Session) -> None:
    send_due_mail(db)
    assert ada.me().submit('edit', about_me='Countess').status == 200
    assert ada.me().submit('edit', email='bob@example.org').status == 400
    assert count_pending(db) == 0


# Resetting a password


def test_a_forgotten_password_is_reset_by_the_link_in_a_mail(
    reset_link: str, ada: Client, client: Client
) -> None:
    page = client.get(reset_link)
    assert page.json['username'] == 'ada'
    assert page.submit('reset-password', password=NEW_PASSWORD).status == 204
    assert ada.entry().status == 401
    assert client.post('/api/tokens', {'username': 'ada', 'password': PASSWORD}).status == 401
    assert client.sign_in('ada', NEW_PASSWORD).me().json['email_verified'] is True


def test_the_entry_point_has_a_form_and_a_link_to_request_a_reset(ada: Client, client: Client) -> None:
    entry = client.entry()
    assert list(entry.json['_templates']) == ['register', 'login', 'forgot-password']
    assert entry.submit('forgot-password', email='ada@example.org').status == 202
    page = entry.follow('hc:password-resets')
    assert page.submit('forgot-password', email='ada@example.org').status == 202
    assert 'hc:password-resets' not in ada.entry().json['_links']
    assert list(ada.entry().json['_templates']) == ['publish']


def test_a_user_can_request_another_verification_mail(ada: Client, db: Session, inbox: MailServer) -> None:
    send_due_mail(db)
    inbox.messages.clear()
    assert ada.me().submit('request-verification').status == 202
    assert send_due_mail(db) == 1
    assert inbox.recipients[-1] == 'ada@example.org'
    assert ada.get(inbox.last_link()).submit('verify-email').status == 204
    me = ada.me()
    assert me.json['email_verified'] is True
    assert list(me.json['_templates']) == ['edit', 'change-password', 'delete']
    assert ada.post('/api/email-verifications').status == 202
    assert send_due_mail(db) == 0


def test_verification_mails_are_limited_for_each_user(ada: Client, bob: Client, db: Session) -> None:
    target = '/api/email-verifications'
    assert [ada.post(target).status for _ in range(6)] == [202] * 5 + [429]
    response = ada.post(target)
    assert_problem(response, 429)
    assert int(response.headers['retry-after']) <= 3600
    assert bob.post(target).status == 202


def test_changes_of_the_email_are_limited_for_each_user(ada: Client, bob: Client, db: Session) -> None:
    """Without a limit, changes could fill the mailbox of any address, because each sends two mails."""
    emails = [f'ada{number}@example.org' for number in range(6)]
    assert [ada.me().submit('edit', email=email).status for email in emails] == [200] * 5 + [429]
    assert ada.me().json['email'] == 'ada4@example.org'
    assert ada.me().submit('edit', email='ada4@example.org', about_me='unchanged email').status == 200
    assert ada.post('/api/email-verifications').status == 429
    assert bob.me().submit('edit', email='robert@example.org').status == 200


def test_requesting_a_verification_mail_needs_a_write_token(ada: Client, client: Client) -> None:
    target = '/api/email-verifications'
    assert client.post(target).status == 401
    token = client.entry().submit('login', username='ada', password=PASSWORD, scope='read').json['token']
    reader = Client(client.app, token)
    assert_problem(reader.post(target), 403)
    assert 'request-verification' not in reader.me().json.get('_templates', {})


def test_a_verification_mail_can_be_requested_without_scripts(
    browser: PlainBrowser, ada: Client, db: Session, inbox: MailServer
) -> None:
    send_due_mail(db)
    inbox.messages.clear()
    profile = ada.me().href('self')
    browser.open(profile)
    assert browser.submit('request-verification') == 200
    assert browser.url == f'{profile}?done=request-verification'
    assert 'An email with a link is on its way to your address.' in browser.page.text
    assert send_due_mail(db) == 1


def test_a_server_without_mail_has_no_resets_and_no_verification(start: Start) -> None:
    client = Client(start())
    assert 'hc:password-resets' not in client.entry().json['_links']
    client.register('ada')
    assert 'email_verified' not in client.sign_in('ada').me().json
    names = ('password-resets', 'email-verifications')
    for path in [f'/api/{name}{secret}' for name in names for secret in ('', '/x')]:
        assert client.get(path).status == client.post(path).status == 404


def test_no_response_with_a_secret_is_compressed(reset_link: str, client: Client) -> None:
    for body in ('', '_method=PUT&password=short'):
        headers = {'Content-Type': FORM, 'Accept-Encoding': 'gzip'}
        method = 'POST' if body else 'GET'
        response = client.request(method, reset_link, accept=HTML, headers=headers, body=body)
        assert response.status == (400 if body else 200)
        assert 'content-encoding' not in response.headers
    rejected = client.delete(reset_link, accept=HTML, headers={'Accept-Encoding': 'gzip'})
    assert (rejected.status, rejected.headers.get('content-encoding')) == (405, None)


def test_a_reset_link_works_once(reset_link: str, client: Client) -> None:
    assert client.put(reset_link, {'password': NEW_PASSWORD}).status == 204
    assert_problem(client.put(reset_link, {'password': 'another password'}), 404)
    assert_problem(client.get(reset_link), 404)


def test_only_one_of_several_concurrent_resets_succeeds(reset_link: str, app: Any) -> None:
    with ThreadPoolExecutor(4) as pool:
        passwords = [f'password {number}' for number in range(4)]
        statuses = list(
            pool.map(lambda new: Client(app).put(reset_link, {'password': new}).status, passwords)
        )
    assert sorted(statuses) == [204, 404, 404, 404]
    Client(app).sign_in('ada', passwords[statuses.index(204)])


def test_a_reset_invalidates_the_other_links(
    reset_link: str, client: Client, db: Session, inbox: MailServer
) -> None:
    request_reset(client)
    send_due_mail(db)
    assert client.put(inbox.last_link(), {'password': NEW_PASSWORD}).status == 204
    assert client.get(reset_link).status == 404


@pytest.mark.parametrize('change', ['password', 'email'])
def test_a_changed_password_or_email_invalidates_the_link(
    reset_link: str, ada: Client, client: Client, change: str
) -> None:
    if change == 'email':
        ada.me().submit('edit', email='new@example.org')
    else:
        ada.me().submit('change-password', current_password=PASSWORD, password=NEW_PASSWORD)
    assert client.get(reset_link).status == 404
    assert client.put(reset_link, {'password': 'another password'}).status == 404


def test_a_reset_link_is_valid_for_thirty_minutes(
    reset_link: str, client: Client, clock: MovableClock
) -> None:
    clock.move(seconds=1790)
    assert client.get(reset_link).status == 200
    clock.move(seconds=10)
    assert client.get(reset_link).status == 404
    assert client.put(reset_link, {'password': NEW_PASSWORD}).status == 404


@pytest.mark.parametrize('secret', ['x', 'A' * 43, '%00', '%F0%9F%98%80', '../users', 'x' * 3000])
def test_an_unknown_secret_is_not_found(client: Client, secret: str) -> None:
    for kind in ('password-resets', 'email-verifications'):
        assert_problem(client.get(f'/api/{kind}/{secret}'), 404)


def test_a_secret_is_valid_for_one_purpose_only(reset_link: str, client: Client) -> None:
    other = reset_link.replace('password-resets', 'email-verifications')
    assert_problem(client.get(other), 404)
    assert_problem(client.post(other), 404)


def test_a_link_remains_valid_after_an_invalid_password(reset_link: str, client: Client) -> None:
    assert_problem(client.put(reset_link, {'password': 'short'}), 400, '#/password')
    assert_problem(client.put(reset_link, {}), 400, '#/password')
    assert client.put(reset_link, {'password': NEW_PASSWORD}).status == 204


def test_a_password_reset_signs_out_a_signed_in_user(reset_link: str, ada: Client) -> None:
    assert ada.put(reset_link, {'password': NEW_PASSWORD}).status == 204
    assert ada.entry().status == 401


def test_an_invalid_token_is_rejected_at_reset_links_too(reset_link: str, app: Any) -> None:
    assert Client(app, 'hc_unknown').get(reset_link).status == 401


def test_the_database_has_only_digests_of_secrets(reset_link: str, db: Session) -> None:
    secret = reset_link.rpartition('/')[2]
    assert len(secret) == 43
    for table in ('outbox', 'mail_secrets'):
        assert secret not in str([tuple(row) for row in db.execute(f'SELECT * FROM {table}').fetchall()])


def test_no_log_line_has_a_secret(reset_link: str, client: Client, request_log: StringIO) -> None:
    client.get(reset_link)
    client.put(reset_link, {'password': NEW_PASSWORD})
    assert reset_link.rpartition('/')[2] not in request_log.getvalue()
    assert '/api/password-resets/*' in request_log.getvalue()


# Information in responses


def test_known_and_unknown_emails_get_equal_responses(ada: Client, client: Client, db: Session) -> None:
    responses = [request_reset(client, email) for email in ('ada@example.org', 'unknown@example.org')]
    existing, unknown = (
        {name: value for name, value in response.stable_headers.items() if name != 'ratelimit'}
        for response in responses
    )
    assert existing == unknown
    assert {(response.status, response.text) for response in responses} == {(202, '')}
    assert db.execute("SELECT COUNT(*) FROM outbox WHERE purpose = 'password-reset'").fetchone()[0] == 2


def test_an_unknown_email_gets_no_mail(client: Client, db: Session, inbox: MailServer) -> None:
    request_reset(client, 'unknown@example.org')
    assert send_due_mail(db) == 0
    assert count_pending(db) == 0
    assert inbox.messages == []


def test_an_email_is_matched_ignoring_case(
    ada: Client, client: Client, db: Session, inbox: MailServer
) -> None:
    send_due_mail(db)
    request_reset(client, ' ADA@Example.ORG ')
    assert send_due_mail(db) == 1
    assert inbox.recipients[-1] == 'ada@example.org'


def test_a_suspended_user_gets_no_link(ada: Client, client: Client, db: Session, inbox: MailServer) -> None:
    send_due_mail(db)
    suspend_user(db, find_user_by_username(db, 'ada').id)
    assert request_reset(client).status == 202
    assert send_due_mail(db) == 0


def test_many_requests_send_at_most_five_mails(
    ada: Client, app: Any, db: Session, inbox: MailServer, clock: MovableClock
) -> None:
    send_due_mail(db)
    statuses = []
    for _ in range(105):
        result = falcon.testing.simulate_post(
            app, '/api/password-resets', json={'email': 'ada@example.org'}, host='halcyon.test'
        )
        statuses.append(result.status_code)
    assert statuses == [202] * 100 + [429] * 5
    assert int(result.headers['retry-after']) > 0
    assert send_due_mail(db) == 5
    clock.move(seconds=3601)
    assert request_reset(Client(app)).status == 202
    assert send_due_mail(db) == 1


def test_a_reset_request_with_an_idempotency_key_counts_once(client: Client) -> None:
    for _ in range(2):
        response = request_reset(client, headers={'Idempotency-Key': '"one"'})
        assert response.status == 202
        assert response.headers['ratelimit'] == '"password-reset";r=99;t=3600'
    assert 'idempotency-replayed' in response.headers
    assert client.post('/api/users', {}).headers['ratelimit'] == '"registration";r=1000'


@pytest.mark.parametrize('email', ['', 'no address', 5, None, 'a@b\r\nBcc: c@d'])
def test_an_invalid_email_is_rejected(client: Client, email: Any) -> None:
    assert_problem(request_reset(client, email), 400, '#/email')


# Formats and pages


@pytest.mark.parametrize('accept', [HAL, HAL_FORMS, JSON_API, HTML])
def test_a_link_is_served_in_every_format(reset_link: str, client: Client, accept: str) -> None:
    response = client.get(reset_link, accept=accept)
    assert (response.status, response.content_type) == (200, accept)
    assert response.headers['cache-control'] == 'no-store'
    assert response.headers['referrer-policy'] == 'no-referrer'
    assert 'etag' not in response.headers
    assert client.get('/api/password-resets', accept=accept).status == 200


def test_a_password_is_reset_in_json_api(reset_link: str, client: Client) -> None:
    data = client.get(reset_link, accept=JSON_API).json['data']
    body = {'data': {'type': data['type'], 'id': data['id'], 'attributes': {'password': NEW_PASSWORD}}}
    headers = {'Content-Type': JSON_API}
    response = client.request('PUT', reset_link, body=json.dumps(body), headers=headers, accept=JSON_API)
    assert response.status == 204, response.text
    assert client.sign_in('ada', NEW_PASSWORD).entry().status == 200


STATUSES = {
    ('GET', '/api/password-resets'): 200,
    ('POST', '/api/password-resets'): 400,
    ('GET', '/api/password-resets/unknown'): 404,
    ('PUT', '/api/password-resets/unknown'): 404,
    ('GET', '/api/email-verifications/unknown'): 404,
    ('POST', '/api/email-verifications/unknown'): 404,
}


@pytest.mark.parametrize(('method', 'path'), STATUSES)
def test_links_need_no_token_but_reject_an_invalid_one(
    ada: Client, client: Client, method: str, path: str
) -> None:
    for valid in (client, ada):
        assert valid.request(method, path).status == STATUSES[method, path]
    assert Client(client.app, 'hc_unknown').request(method, path).status == 401


def test_the_openapi_document_of_a_server_with_mail_is_valid(client: Client) -> None:
    document = client.follow('service-desc', accept='application/json').json
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert '/api/password-resets/{secret}' in document['paths']


def test_the_link_relation_is_documented(client: Client) -> None:
    assert client.get('/api/rels/password-resets').status == 200


def test_the_number_of_pending_mails_is_a_metric(start: Start, environment: dict[str, str]) -> None:
    client = Client(start(METRICS='on', **environment))
    client.register('ada')
    assert 'halcyon_outbox_pending 1.0' in client.get('/metrics').text


def test_the_page_of_an_unknown_link_sends_no_referrer(client: Client) -> None:
    response = client.get('/api/password-resets/unknown', accept=HTML)
    assert response.status == 404
    assert response.headers['referrer-policy'] == 'no-referrer'
    assert response.headers['cache-control'] == 'no-store'


def test_a_forgotten_password_can_be_reset_without_scripts(
    ada: Client, app: Any, db: Session, inbox: MailServer
) -> None:
    browser = PlainBrowser(app)
    browser.open(f'{ORIGIN}/api')
    browser.submit('forgot-password', email='ada@example.org')
    assert 'If the address belongs to an account' in browser.page.text
    send_due_mail(db)
    browser.open(inbox.last_link())
    assert browser.submit('reset-password', password='short') == 400
    assert 'at least 8 characters' in browser.text
    assert browser.submit('reset-password', password=NEW_PASSWORD) == 200
    assert 'Your password is changed. Sign in with it.' in browser.page.text
    assert browser.submit('login', username='ada', password=NEW_PASSWORD) == 200
    assert 'id="sign-out"' in browser.text


def test_a_form_of_a_page_with_a_secret_needs_no_origin(
    app: Any, reset_link: str, ada: Client, client: Client
) -> None:
    """Such pages have the Referrer-Policy no-referrer, so browsers send `Origin: null`."""
    browser = PlainBrowser(app)
    origin = {'Origin': 'null'}
    assert browser.post(reset_link, {'_method': 'PUT', 'password': 'short'}, origin) == 400
    assert 'at least 8 characters' in browser.text
    assert browser.post(reset_link, {'_method': 'PUT', 'password': NEW_PASSWORD}, origin) == 200
    assert 'Your password is changed. Sign in with it.' in browser.page.text


def test_a_browser_that_is_signed_in_can_use_a_link(
    browser: PlainBrowser, ada: Client, db: Session, inbox: MailServer
) -> None:
    send_due_mail(db)
    assert browser.open(inbox.last_link()) == 200
    assert browser.submit('verify-email') == 200
    assert 'Your email address is verified.' in browser.page.text
    assert ada.me().json['email_verified'] is True
