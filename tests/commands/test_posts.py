"""The post commands."""

from __future__ import annotations

import pytest

from service.commands.cli import ExitCode
from service.database.session import Session
from service.domain.users import find_user_by_username
from tests.client import Client
from tests.commands.conftest import Operator, error_of


def test_an_operator_deletes_a_post(operator: Operator, ada: Client, db: Session) -> None:
    kept = ada.post('/api/posts', {'body': 'kept'}).json['id']
    post = ada.post('/api/posts', {'body': 'deleted'}).json['id']
    assert operator.run_json('post', 'delete', str(post), '--yes') == {'id': post, 'author': 'ada'}
    assert ada.get(f'/api/posts/{post}').status == 404
    page = ada.get('/api/posts').json
    assert page['_meta']['total_items'] == 1
    assert ada.get(f'/api/posts/{kept}').status == 200
    assert find_user_by_username(db, 'ada').post_count == 1


@pytest.mark.parametrize('options', [(), ('--yes',)])
def test_an_unknown_post_is_rejected(operator: Operator, options: tuple[str, ...]) -> None:
    result = operator.run('post', 'delete', '1', *options)
    assert result.exit_code == ExitCode.REJECTED
    assert error_of(result) == 'There is no such post.'


def test_an_id_that_no_post_can_have_is_a_usage_error(operator: Operator) -> None:
    result = operator.run('post', 'delete', str(2**53), '--yes')
    assert result.exit_code == ExitCode.USAGE


def test_deleting_a_post_asks_for_confirmation(operator: Operator, ada: Client) -> None:
    post = ada.post('/api/posts', {'body': 'kept'}).json['id']
    result = operator.run('post', 'delete', str(post), stdin='n\n')
    assert result.exit_code == 1
    assert f'Delete post {post} of ada (kept)?' in result.stderr
    assert ada.get(f'/api/posts/{post}').status == 200
