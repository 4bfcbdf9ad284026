"""People: signing up, reading, changing and deleting."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.client import Answer, Client, assert_problem
from tests.clock import MovableClock
from tests.conftest import Start

STATE = {
    '_links', 'id', 'username', 'about_me', 'last_seen', 'member_since', 'post_count', 'follower_count',
    'following_count',
}  # fmt: skip


def test_a_new_user_is_at_the_location_of_the_answer(client: Client) -> None:
    answer = client.register('ada', about_me='Countess')
    assert answer.status == 201
    assert answer.headers['location'] == answer.href('self')
    ada = client.sign_in('ada').get(answer.href('self'))
    assert ada.state['username'] == 'ada'
    assert ada.state['about_me'] == 'Countess'


def test_a_taken_username_changes_nothing(client: Client, ada: Client) -> None:
    refused = client.register('ADA', email='new@example.org')
    assert_problem(refused, 400, '#/username')
    assert ada.follow('hc:users').state['_meta']['total_items'] == 1


def test_every_broken_field_is_named_at_once(client: Client) -> None:
    refused = client.register('a da', email='nobody', password='short')
    assert_problem(refused, 400, '#/username', '#/email', '#/password')


@pytest.mark.parametrize('name', ['', 'ä', 'a b', 'x' * 65, 'a/b'])
def test_a_username_that_breaks_the_rules_is_refused(client: Client, name: str) -> None:
    assert_problem(client.register(name, email='x@example.org'), 400, '#/username')


@pytest.mark.parametrize('name', ['a', 'x' * 64, 'A.b_c-9', '.', '..', '-'])
def test_a_username_that_keeps_the_rules_is_kept_as_typed(client: Client, name: str) -> None:
    assert client.register(name, email='x@example.org').state['username'] == name


@pytest.mark.parametrize(
    'email',
    ['', 'nobody', 'a@', '@b', 'a@b@c', 'a b@c.org', 'a@b c', 'a@b.org,c@d.org',
     'A <a@b.org>', 'a@-b.org', 'a@b..org',
     'a@b.org\n', ' a@b.org', 'x' * 110 + '@example.org', 'ä@b.org'],
)  # fmt: skip
def test_what_is_no_address_of_mail_is_refused(client: Client, email: str) -> None:
    assert_problem(client.register('eve', email=email), 400, '#/email')


def test_an_address_of_mail_has_up_to_120_characters(client: Client) -> None:
    assert client.register('eve', email='x' * 108 + '@example.org').status == 201


def test_an_address_of_mail_is_unique_without_regard_to_case(client: Client, ada: Client) -> None:
    assert_problem(client.register('eve', email='ADA@Example.Org'), 400, '#/email')


def test_all_that_is_taken_is_named(client: Client, ada: Client) -> None:
    assert_problem(client.register('Ada', email='ada@example.org'), 400, '#/username', '#/email')


@pytest.mark.parametrize('password', ['12345678', 'x' * 72, 'ä' * 36, '        ', '😀' * 8])
def test_a_password_has_8_characters_to_72_bytes(client: Client, password: str) -> None:
    client.register('eve', password=password)
    assert client.sign_in('eve', password).me().status == 200


@pytest.mark.parametrize('password', ['', '1234567', 'x' * 73, 'ä' * 37, '😀' * 7])
def test_any_other_password_is_refused_and_never_cut(client: Client, password: str) -> None:
    assert_problem(client.register('eve', password=password), 400, '#/password')


def test_the_first_72_bytes_of_a_password_are_not_the_password(client: Client) -> None:
    client.register('eve', password='x' * 72)
    answer = client.entry().submit('login', username='eve', password='x' * 73)
    assert answer.status == 401


@pytest.mark.parametrize(
    ('given', 'kept'), [('', ''), ('x' * 140, 'x' * 140), ('e\u0301' * 140, 'é' * 140), (None, '')]
)
def test_about_me_has_up_to_140_characters(client: Client, given: Any, kept: str) -> None:
    new = {'username': 'eve', 'email': 'e@x.org', 'password': 'correct horse', 'about_me': given}
    assert client.post('/api/users', new).state['about_me'] == kept


def test_about_me_of_141_characters_is_refused(client: Client) -> None:
    assert_problem(client.register('eve', about_me='x' * 141), 400, '#/about_me')


def test_a_registration_without_a_body_names_what_it_needs(client: Client) -> None:
    assert_problem(client.post('/api/users'), 400, '#/username', '#/email', '#/password')


def test_the_address_of_mail_is_for_its_owner_alone(ada: Client, bob: Client) -> None:
    me = ada.me()
    assert set(me.state) == STATE | {'email', '_templates'}
    assert set(bob.get(me.href('self')).state) == STATE | {'_templates'}


def test_ones_own_document_leads_to_ones_own_things(ada: Client, bob: Client) -> None:
    own, other = ada.me(), bob.get(ada.me().href('self'))
    both = {'self', 'curies', 'collection', 'hc:followers', 'hc:following', 'hc:posts', 'hc:avatar'}
    assert set(own.state['_links']) == both | {'hc:feed', 'hc:tokens', 'hc:password'}
    assert set(other.state['_links']) == both | {'hc:follow'}
    assert set(own.state['_templates']) == {'edit', 'change-password', 'delete'}


def test_the_avatar_is_gravatars_of_the_address(client: Client) -> None:
    client.register('eve', email='Eve@Example.org')
    digest = hashlib.sha256(b'eve@example.org').hexdigest()
    href = client.sign_in('eve').me().href('hc:avatar')
    assert href == f'https://www.gravatar.com/avatar/{digest}?d=identicon&s=128'


def test_avatars_can_be_left_out(start: Start) -> None:
    assert 'hc:avatar' not in Client(start(AVATARS='off')).register('eve').state['_links']


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_only_what_is_named_changes(ada: Client, method: str) -> None:
    changed = ada.request(method, ada.me().href('self'), json={'about_me': 'new'})
    assert (changed.state['about_me'], changed.state['username']) == ('new', 'ada')
    assert changed.state['email'] == 'ada@example.org'


def test_the_answer_to_an_edit_is_what_a_get_says_next(ada: Client, clock: MovableClock) -> None:
    clock.move(seconds=60)
    changed = ada.put(
        ada.me().href('self'), {'username': 'Ada', 'email': 'New@example.org', 'about_me': ' new'}
    )
    found = ada.me()
    assert (changed.text, changed.headers['etag']) == (found.text, found.headers['etag'])


def test_put_accepts_what_get_returned(ada: Client) -> None:
    me = ada.me()
    again = ada.put(me.href('self'), me.state)
    assert again.status == 200
    assert again.state | {'last_seen': ''} == me.state | {'last_seen': ''}


def test_what_is_no_input_is_ignored(ada: Client) -> None:
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
    assert changed.state | {'last_seen': ''} == me.state | {'last_seen': ''}
    assert ada.sign_in('ada').me().status == 200


def test_a_merge_patch_of_null_empties_about_me_alone(ada: Client) -> None:
    me = ada.put(ada.me().href('self'), {'about_me': 'something'}).href('self')
    assert ada.merge(me, {'about_me': None}).state['about_me'] == ''
    assert_problem(ada.merge(me, {'username': None, 'email': None}), 400, '#/username', '#/email')


def test_a_merge_patch_is_for_patch_alone(ada: Client) -> None:
    assert_problem(ada.merge(ada.me().href('self'), {'about_me': 'x'}, 'PUT'), 415)


def test_a_change_that_breaks_rules_changes_nothing(ada: Client, bob: Client) -> None:
    before = ada.me()
    refused = ada.put(before.href('self'), {'username': 'a b', 'email': 'x', 'about_me': 'x' * 141})
    assert_problem(refused, 400, '#/username', '#/email', '#/about_me')
    taken = ada.put(before.href('self'), {'about_me': 'new', 'username': 'BOB', 'email': 'bob@example.org'})
    assert_problem(taken, 400, '#/username', '#/email')
    assert ada.me().text == before.text


def test_a_name_may_change_its_case(ada: Client) -> None:
    assert ada.put(ada.me().href('self'), {'username': 'Ada'}).state['username'] == 'Ada'


def test_the_edit_form_is_filled_with_what_is(ada: Client) -> None:
    me = ada.me()
    fields = {field['name']: field for field in me.state['_templates']['edit']['properties']}
    assert {name: field['value'] for name, field in fields.items()} == {
        'username': 'ada', 'email': 'ada@example.org', 'about_me': '',
    }  # fmt: skip
    assert not [field for field in fields.values() if field.get('required')]
    assert me.submit('edit', about_me='new').state['about_me'] == 'new'


def change_password(client: Client, current: str, new: str) -> Answer:
    return client.submit(client.me().state, 'change-password', current_password=current, password=new)


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


def test_a_new_password_keeps_the_rules(ada: Client) -> None:
    assert_problem(change_password(ada, 'correct horse', 'short'), 400, '#/password')


def test_a_deleted_account_is_gone_with_all_that_was_its(ada: Client, bob: Client) -> None:
    post = ada.publish('bye').href('self')
    bob.submit(bob.get(ada.me().href('self')).state, 'follow')
    assert ada.submit(ada.me().state, 'delete').status == 204
    assert ada.entry().status == 401
    assert_problem(bob.get(post), 404)
    assert bob.me().state['following_count'] == 0
    assert [user['username'] for user in bob.follow('hc:users').items] == ['bob']
    assert Client(ada.app).register('ada').status == 201
