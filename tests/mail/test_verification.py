"""Verifying an email address by a link in an email."""

from __future__ import annotations

from service.database.session import Session
from service.mail.sender import send_due_mail
from tests.client import ORIGIN, PASSWORD, Client, assert_problem
from tests.clock import MovableClock
from tests.mail.conftest import count_pending
from tests.mail_server import MailServer, link_of, text_of
from tests.plain_browser import PlainBrowser


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
