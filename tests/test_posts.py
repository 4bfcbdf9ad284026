"""Posts: publishing, reading, editing and deleting."""

from __future__ import annotations

import pytest

from tests.client import Client, assert_problem
from tests.clock import MovableClock


def test_a_post_is_at_its_location_with_its_author_embedded(ada: Client) -> None:
    response = ada.publish('Hello')
    assert response.status == 201
    post = ada.get(response.headers['location'])
    assert post.text == response.text
    me = ada.me().json
    me['_links'].pop('curies')
    assert post.json['_embedded']['author'] == me
    assert set(post.json) == {'_links', '_embedded', '_templates', 'id', 'body', 'created_at', 'updated_at'}


@pytest.mark.parametrize(
    ('submitted', 'stored'),
    [('  x \n', 'x'), ('x' * 140, 'x' * 140), (' ' * 9 + 'x' * 140, 'x' * 140), ('a\nb', 'a\nb'),
     ('e\u0301', 'é'), ('😀' * 140, '😀' * 140), ('<b>&', '<b>&'),
     ('\u200dx', '\u200dx'), ('\u3000x\ufeff', 'x')],
)  # fmt: skip
def test_text_is_trimmed_and_normalized(ada: Client, submitted: str, stored: str) -> None:
    assert ada.publish(submitted).json['body'] == stored


@pytest.mark.parametrize('body', ['', ' ', '\n', '\u3000\ufeff', 'x' * 141, 'a\tb'])
def test_invalid_text_is_rejected(ada: Client, body: str) -> None:
    assert_problem(ada.publish(body), 400, '#/body')
    assert ada.me().json['post_count'] == 0


@pytest.mark.parametrize('method', ['PUT', 'PATCH'])
def test_editing_a_post_sets_updated_at(ada: Client, clock: MovableClock, method: str) -> None:
    post = ada.publish('one')
    assert post.json['updated_at'] is None
    changed = ada.request(method, post.href('self'), json={'body': 'two', 'id': 5, 'created_at': 'x'})
    assert (changed.status, changed.json['body'], changed.json['id']) == (200, 'two', post.json['id'])
    assert changed.json['updated_at'] > changed.json['created_at'] == post.json['created_at']


@pytest.mark.parametrize('body', ['two', 'one'])
def test_the_response_to_an_edit_equals_the_next_get(ada: Client, clock: MovableClock, body: str) -> None:
    post = ada.publish('one').href('self')
    clock.move(seconds=60)
    changed = ada.patch(post, {'body': body})
    current = ada.get(post)
    assert (changed.text, changed.headers['etag']) == (current.text, current.headers['etag'])


def test_put_of_the_document_of_get_changes_nothing(ada: Client) -> None:
    post = ada.publish('one')
    again = ada.put(post.href('self'), post.json)
    assert (again.status, again.json['body'], again.json['updated_at']) == (200, 'one', None)


@pytest.mark.parametrize('body', ['', None, 5])
def test_an_invalid_edit_changes_nothing(ada: Client, body: object) -> None:
    post = ada.publish('one').href('self')
    assert_problem(ada.put(post, {'body': body}), 400, '#/body')
    assert_problem(ada.merge_patch(post, {'body': body}), 400, '#/body')
    assert ada.get(post).json['body'] == 'one'


def test_a_deleted_post_is_404(ada: Client) -> None:
    post = ada.publish('one')
    assert post.submit('delete').status == 204
    assert_problem(ada.get(post.href('self')), 404)
    assert_problem(ada.delete(post.href('self')), 404)
    assert ada.follow('hc:posts').items == []
    assert ada.me().json['post_count'] == 0


def test_the_form_edits_the_post(ada: Client) -> None:
    post = ada.publish('one')
    assert post.submit('edit').json['body'] == 'one'
    assert post.submit('edit', body='two').json['body'] == 'two'


def test_only_the_author_has_forms(ada: Client, bob: Client) -> None:
    post = ada.publish('one')
    assert set(post.json['_templates']) == {'edit', 'delete'}
    assert not bob.get(post.href('self')).json['_templates']


def test_the_posts_of_a_user_are_only_theirs(ada: Client, bob: Client) -> None:
    ada.publish('from ada')
    bob.publish('from bob')
    assert [post['body'] for post in ada.me().follow('hc:posts').items] == ['from ada']
    assert [post['body'] for post in ada.follow('hc:posts').items] == ['from bob', 'from ada']
