"""Resetting a forgotten password by a link in an email, once and for a limited time."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import falcon.testing
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from service.database.session import Session
from service.domain.credentials import suspend_user
from service.domain.users import find_user_by_username
from service.mail.sender import send_due_mail
from tests.client import FORM, HAL, HAL_FORMS, HTML, JSON_API, ORIGIN, PASSWORD, Client, assert_problem
from tests.clock import MovableClock
from tests.mail.conftest import count_pending
from tests.mail_server import MailServer
from tests.plain_browser import PlainBrowser

NEW_PASSWORD = 'battery staple'


@pytest.fixture
def reset_link(ada: Client, client: Client, db: Session, inbox: MailServer) -> str:
    """The link to reset Ada's password."""
    assert request_reset(client).status == 202
    send_due_mail(db)
    return inbox.last_link()


def request_reset(client: Client, email: str = 'ada@example.org', **options: Any) -> Any:
    return client.post('/api/password-resets', {'email': email}, **options)


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
