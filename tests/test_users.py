"""Users: registering, reading, editing and deleting."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.client import ApiResponse, Client, assert_problem
from tests.clock import MovableClock
from tests.conftest import Start

PUBLIC_MEMBERS = {
    '_links', 'id', 'username', 'about_me', 'last_seen', 'member_since', 'post_count', 'follower_count',
    'following_count',
}  # fmt: skip


def test_a_new_user_is_at_the_location_of_the_response(client: Client) -> None:
    response = client.register('ada', about_me='Countess')
    assert response.status == 201
    assert response.headers['location'] == response.href('self')
    ada = client.sign_in('ada').get(response.href('self'))
    assert ada.json['username'] == 'ada'
    assert ada.json['about_me'] == 'Countess'


def test_a_taken_username_changes_nothing(client: Client, ada: Client) -> None:
    response = client.register('ADA', email='new@example.org')
    assert_problem(response, 400, '#/username')
    assert ada.follow('hc:users').json['_meta']['total_items'] == 1


def test_all_invalid_fields_are_reported_together(client: Client) -> None:
    response = client.register('a da', email='unknown', password='short')
    assert_problem(response, 400, '#/username', '#/email', '#/password')


@pytest.mark.parametrize('name', ['', 'ä', 'a b', 'x' * 65, 'a/b'])
def test_an_invalid_username_is_rejected(client: Client, name: str) -> None:
    assert_problem(client.register(name, email='x@example.org'), 400, '#/username')


@pytest.mark.parametrize('name', ['a', 'x' * 64, 'A.b_c-9', '.', '..', '-'])
def test_a_valid_username_keeps_its_case(client: Client, name: str) -> None:
    assert client.register(name, email='x@example.org').json['username'] == name


@pytest.mark.parametrize(
    'email',
    ['', 'unknown', 'a@', '@b', 'a@b@c', 'a b@c.org', 'a@b c', 'a@b.org,c@d.org',
     'A <a@b.org>', 'a@-b.org', 'a@b..org',
     'a@b\n.org', 'a @b.org', '.a@b.org', 'a.@b.org', 'a..b@b.org', 'ä@', 'a@ä-.org',
     'x' * 65 + '@example.org', 'ä' * 33 + '@example.org', 'x' * 64 + '@' + 'y' * 44 + '.example.org',
     'a@.org', 'a@x-.org', 'a@' + 'x' * 64 + '.org', 'a@x_y.org', 'a@ü\u200b..de'],
)  # fmt: skip
def test_an_invalid_email_is_rejected(client: Client, email: str) -> None:
    assert_problem(client.register('eve', email=email), 400, '#/email')


def test_an_email_has_up_to_120_characters(client: Client) -> None:
    assert client.register('eve', email='x' * 64 + '@' + 'y' * 43 + '.example.org').status == 201


@pytest.mark.parametrize(
    ('submitted', 'stored'),
    [
        (' a@b.org', 'a@b.org'),
        ('a@b.org\r\n\t', 'a@b.org'),
        ('ä@b.org', 'ä@b.org'),
        ('a@bücher.example', 'a@bücher.example'),
        ('  пользователь@пример.рф\t', 'пользователь@пример.рф'),
        ('a.b@xn--mnchen-3ya.de', 'a.b@xn--mnchen-3ya.de'),
        ("o'neil+tag@example.org", "o'neil+tag@example.org"),
        ('user@localhost', 'user@localhost'),
        ('ü' * 32 + '@x.org', 'ü' * 32 + '@x.org'),
    ],
)
def test_an_email_is_trimmed_and_may_be_internationalized(
    client: Client, submitted: str, stored: str
) -> None:
    assert client.register('eve', email=submitted).status == 201
    assert client.sign_in('eve').me().json['email'] == stored


def test_emails_are_unique_ignoring_case(client: Client, ada: Client) -> None:
    assert_problem(client.register('eve', email='ADA@Example.Org'), 400, '#/email')


def test_all_taken_values_are_reported_together(client: Client, ada: Client) -> None:
    assert_problem(client.register('Ada', email='ada@example.org'), 400, '#/username', '#/email')


@pytest.mark.parametrize(
    'password',
    ['12345678', ' ' * 8, '😀' * 8, 'x' * 72, 'x' * 73, 'x' * 256, 'ä' * 37, 'ä' * 256, '🔑' * 64],
)
def test_a_password_has_8_to_256_characters_and_all_count(client: Client, password: str) -> None:
    client.register('eve', password=password)
    assert client.sign_in('eve', password).me().status == 200
    wrong = client.post('/api/tokens', {'username': 'eve', 'password': password[:-1] + 'y'})
    assert wrong.status == 401


@pytest.mark.parametrize(
    ('password', 'rule'),
    [
        ('', 'must not be empty'),
        ('1234567', 'at least 8 characters'),
        ('😀' * 7, 'at least 8 characters'),
        ('x' * 257, 'at most 256 characters'),
        ('ä' * 257, 'at most 256 characters'),
    ],
)
def test_a_password_of_another_length_is_rejected(client: Client, password: str, rule: str) -> None:
    response = client.register('eve', password=password)
    assert_problem(response, 400, '#/password')
    assert rule in response.text


@pytest.mark.parametrize(('length', 'other'), [(72, 73), (73, 72), (73, 74)])
def test_all_bytes_of_a_long_password_count(client: Client, length: int, other: int) -> None:
    assert client.register('eve', password='x' * length).status == 201
    response = client.entry().submit('login', username='eve', password='x' * other)
    assert response.status == 401


@pytest.mark.parametrize(
    ('submitted', 'stored'), [('', ''), ('x' * 140, 'x' * 140), ('e\u0301' * 140, 'é' * 140), (None, '')]
)
def test_about_me_has_up_to_140_characters(client: Client, submitted: Any, stored: str) -> None:
    new = {'username': 'eve', 'email': 'e@x.org', 'password': 'correct horse', 'about_me': submitted}
    assert client.post('/api/users', new).json['about_me'] == stored


def test_about_me_of_141_characters_is_rejected(client: Client) -> None:
    assert_problem(client.register('eve', about_me='x' * 141), 400, '#/about_me')


def test_a_registration_without_a_body_reports_required_fields(client: Client) -> None:
    assert_problem(client.post('/api/users'), 400, '#/username', '#/email', '#/password')


def test_only_the_owner_sees_the_email(ada: Client, bob: Client) -> None:
    me = ada.me()
    assert set(me.json) == PUBLIC_MEMBERS | {'email', '_templates'}
    assert set(bob.get(me.href('self')).json) == PUBLIC_MEMBERS | {'_templates'}


def test_the_owner_gets_private_links(ada: Client, bob: Client) -> None:
    own, other = ada.me(), bob.get(ada.me().href('self'))
    shared = {'self', 'curies', 'collection', 'hc:followers', 'hc:following', 'hc:posts', 'hc:avatar'}
    assert set(own.json['_links']) == shared | {'hc:feed', 'hc:tokens', 'hc:password'}
    assert set(other.json['_links']) == shared | {'hc:follow'}
    assert set(own.json['_templates']) == {'edit', 'change-password', 'delete'}


def test_the_avatar_is_the_gravatar_of_the_email(client: Client) -> None:
    client.register('eve', email='Eve@Example.org')
    digest = hashlib.sha256(b'eve@example.org').hexdigest()
    href = client.sign_in('eve').me().href('hc:avatar')
    assert href == f'https://www.gravatar.com/avatar/{digest}?d=identicon&s=128'


def test_avatars_can_be_turned_off(start: Start) -> None:
    assert 'hc:avatar' not in Client(start(AVATARS='off')).register('eve').json['_links']


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_only_present_members_change(ada: Client, method: str) -> None:
    changed = ada.request(method, ada.me().href('self'), json={'about_me': 'new'})
    assert (changed.json['about_me'], changed.json['username']) == ('new', 'ada')
    assert changed.json['email'] == 'ada@example.org'


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_the_response_to_an_edit_equals_the_next_get(ada: Client, clock: MovableClock, method: str) -> None:
    clock.move(seconds=60)
    values = {'username': 'Ada', 'email': 'New@example.org', 'about_me': ' new'}
    changed = ada.request(method, ada.me().href('self'), json=values)
    current = ada.me()
    assert changed.text == current.text
    # The content of a PUT is not stored as it was sent, so its response has no validator (RFC 9110 §9.3.4).
    assert changed.headers.get('etag') == (current.headers['etag'] if method == 'PATCH' else None)


def test_put_accepts_the_document_of_get(ada: Client) -> None:
    me = ada.me()
    again = ada.put(me.href('self'), me.json)
    assert again.status == 200
    assert again.json | {'last_seen': ''} == me.json | {'last_seen': ''}


def test_unknown_members_are_ignored(ada: Client) -> None:
    me = ada.me()
    others = {
        'id': 5,
        'post_count': 9,
        'member_since': None,
        '_links': 'x',
        '_embedded': [],
        'password': 5,
        '': {},
    }
    changed = ada.patch(me.href('self'), others)
    assert changed.status == 200
    assert changed.json | {'last_seen': ''} == me.json | {'last_seen': ''}
    assert ada.sign_in('ada').me().status == 200


def test_a_merge_patch_with_null_empties_only_about_me(ada: Client) -> None:
    me = ada.put(ada.me().href('self'), {'about_me': 'something'}).href('self')
    assert ada.merge_patch(me, {'about_me': None}).json['about_me'] == ''
    assert_problem(ada.merge_patch(me, {'username': None, 'email': None}), 400, '#/username', '#/email')


def test_only_patch_accepts_a_merge_patch(ada: Client) -> None:
    assert_problem(ada.merge_patch(ada.me().href('self'), {'about_me': 'x'}, 'PUT'), 415)


def test_an_invalid_edit_changes_nothing(ada: Client, bob: Client) -> None:
    before = ada.me()
    response = ada.put(before.href('self'), {'username': 'a b', 'email': 'x', 'about_me': 'x' * 141})
    assert_problem(response, 400, '#/username', '#/email', '#/about_me')
    conflict = ada.put(
        before.href('self'), {'about_me': 'new', 'username': 'BOB', 'email': 'bob@example.org'}
    )
    assert_problem(conflict, 400, '#/username', '#/email')
    assert ada.me().text == before.text


def test_a_username_may_change_its_case(ada: Client) -> None:
    assert ada.put(ada.me().href('self'), {'username': 'Ada'}).json['username'] == 'Ada'


def test_the_edit_form_has_the_current_values(ada: Client) -> None:
    me = ada.me()
    fields = {field['name']: field for field in me.json['_templates']['edit']['properties']}
    assert {name: field['value'] for name, field in fields.items()} == {
        'username': 'ada', 'email': 'ada@example.org', 'about_me': '',
    }  # fmt: skip
    assert not [field for field in fields.values() if field.get('required')]
    assert me.submit('edit', about_me='new').json['about_me'] == 'new'


def change_password(client: Client, current: str, new: str) -> ApiResponse:
    return client.submit(client.me().json, 'change-password', current_password=current, password=new)


def test_a_changed_password_revokes_all_other_tokens(ada: Client) -> None:
    other = ada.sign_in('ada')
    assert change_password(ada, 'correct horse', 'battery staple').status == 204
    assert other.entry().status == 401
    assert ada.me().status == 200
    assert ada.sign_in('ada', 'battery staple').me().status == 200
    assert ada.entry().status == 200


def test_a_wrong_current_password_changes_nothing(ada: Client) -> None:
    other = ada.sign_in('ada')
    assert_problem(change_password(ada, 'wrong horse', 'battery staple'), 400, '#/current_password')
    assert other.sign_in('ada').me().status == other.me().status == 200


def test_an_invalid_new_password_is_rejected(ada: Client) -> None:
    assert_problem(change_password(ada, 'correct horse', 'short'), 400, '#/password')


def test_deleting_an_account_deletes_its_data(ada: Client, bob: Client) -> None:
    post = ada.publish('bye').href('self')
    bob.submit(bob.get(ada.me().href('self')).json, 'follow')
    assert ada.submit(ada.me().json, 'delete').status == 204
    assert ada.entry().status == 401
    assert_problem(bob.get(post), 404)
    assert bob.me().json['following_count'] == 0
    assert [user['username'] for user in bob.follow('hc:users').items] == ['bob']
    assert Client(ada.app).register('ada').status == 201
