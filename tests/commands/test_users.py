"""user: the operator adds people, sets passwords and deletes accounts, by the rules of the API."""

from __future__ import annotations

import os
import pty
import re
import sys

import pytest

from service.commands.cli import ExitCode
from service.database.session import Session
from tests.client import Client, assert_problem
from tests.commands.conftest import Operator, refusal

PASSWORD = 'battery staple'


def add(operator: Operator, name: str = 'ada', password: str = PASSWORD) -> int:
    shown = operator.ask(
        'user', 'add', name, f'{name}@example.org', '--password-stdin', typed=f'{password}\n'
    )
    user_id: int = shown['id']
    return user_id


def test_who_is_added_can_sign_in(operator: Operator, client: Client) -> None:
    user_id = add(operator)
    me = client.sign_in('ada', PASSWORD).me().state
    assert (me['id'], me['username'], me['email']) == (user_id, 'ada', 'ada@example.org')


def test_who_is_added_is_counted(operator: Operator, client: Client) -> None:
    add(operator)
    add(operator, 'bob')
    assert client.sign_in('ada', PASSWORD).follow('hc:users').state['_meta']['total_items'] == 2


def test_a_first_user_makes_the_tables(newcomer: Operator) -> None:
    assert add(newcomer) > 0
    assert newcomer.run('check').exit_code == 0


@pytest.mark.parametrize(
    ('name', 'email', 'password', 'words'),
    [('a b', 'a@example.org', PASSWORD, ['username may have only']),
     ('a', 'nobody', PASSWORD, ['email must be']),
     ('a', 'a@example.org', 'short', ['password must have at least 8']),
     ('a', 'a@example.org', 'x' * 73, ['password must have at most 72']),
     ('a b', 'x', '', ['username', 'email', 'password must not be empty']),
     ('\udcff', 'a@example.org', PASSWORD, ['username must not contain'])],
)  # fmt: skip
def test_what_the_api_refuses_is_refused_in_one_line(
    operator: Operator, name: str, email: str, password: str, words: list[str]
) -> None:
    result = operator.run('user', 'add', name, email, '--password-stdin', typed=f'{password}\n')
    assert result.exit_code == ExitCode.REJECTED
    line = refusal(result)
    assert all(word in line for word in words)


def test_a_taken_name_and_address_are_refused(operator: Operator, ada: Client) -> None:
    result = operator.run('user', 'add', 'ADA', 'ADA@example.org', '--password-stdin', typed=PASSWORD)
    assert result.exit_code == ExitCode.REJECTED
    assert refusal(result) == 'username is taken by another user. email is taken by another user.'


def test_a_password_is_never_taken_from_something_that_is_no_terminal(operator: Operator) -> None:
    result = operator.run('user', 'add', 'ada', 'ada@example.org', typed=f'{PASSWORD}\n{PASSWORD}\n')
    assert result.exit_code == ExitCode.USAGE
    assert '--password-stdin' in result.stderr


def test_a_password_is_asked_for_twice_and_not_shown(operator: Operator, client: Client) -> None:
    said = at_a_terminal(operator, 'user', 'add', 'ada', 'ada@example.org', answers=(PASSWORD, PASSWORD))
    assert re.findall(r'Password:|Repeat for confirmation:', said) == [
        'Password:',
        'Repeat for confirmation:',
    ]
    assert PASSWORD not in said
    assert client.sign_in('ada', PASSWORD).me().status == 200


def at_a_terminal(operator: Operator, *arguments: str, answers: tuple[str, ...]) -> str:
    """Run a command at a terminal, answer each of its questions, and return all that is seen there."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(  # noqa: S606
            sys.executable,
            [sys.executable, '-m', 'service', *arguments],
            {**os.environ, **operator.environment},
        )
    seen, left = b'', list(answers)
    while True:
        try:
            seen += os.read(terminal, 1024)
        except OSError:  # it has ended
            break
        if left and seen.endswith(b': '):  # the space comes once what is typed is no longer shown
            os.write(terminal, f'{left.pop(0)}\n'.encode())
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, seen
    return seen.decode()


def test_a_new_password_replaces_the_old_one_and_revokes_every_token(
    operator: Operator, ada: Client, client: Client
) -> None:
    client.sign_in('ada')
    shown = operator.ask('user', 'password', 'ADA', '--password-stdin', typed=f'{PASSWORD}\n')
    assert shown == {'username': 'ada', 'revoked': 2}
    assert_problem(ada.entry(), 401)
    assert client.sign_in('ada', PASSWORD).me().status == 200
    with pytest.raises(AssertionError):
        client.sign_in('ada')


def test_a_weak_password_changes_nothing(operator: Operator, ada: Client) -> None:
    result = operator.run('user', 'password', 'ada', '--password-stdin', typed='short\n')
    assert (result.exit_code, refusal(result)) == (
        ExitCode.REJECTED,
        'password must have at least 8 characters.',
    )
    assert ada.me().status == 200


@pytest.mark.parametrize('command', ['password', 'delete'])
@pytest.mark.parametrize('name', ['nobody', 'a b', '\udcff', 'x' * 1000])
def test_nobody_is_refused_in_one_line(operator: Operator, command: str, name: str) -> None:
    result = operator.run(
        'user', command, name, *(['--yes'] if command == 'delete' else ['--password-stdin'])
    )
    assert result.exit_code == ExitCode.REJECTED
    assert refusal(result).startswith('There is no user ')


def test_deleting_asks_and_no_keeps_the_account(operator: Operator, ada: Client) -> None:
    ada.publish('Hello')
    result = operator.run('user', 'delete', 'ada', typed='n\n')
    assert result.exit_code == ExitCode.REJECTED
    assert 'Delete ada (1 posts, 0 followers)?' in result.stderr
    assert ada.me().status == 200


def test_a_deleted_account_goes_with_all_it_has_and_all_counters_are_put_right(
    operator: Operator, ada: Client, bob: Client, db: Session
) -> None:
    ada.publish('Hello')
    ada.follow('hc:stores').submit('create', name='Looms')
    for one, other in ((ada, bob), (bob, ada)):
        one.put(one.get(other.me().state['_links']['self']['href']).href('hc:follow'))
    assert operator.ask('user', 'delete', 'ada', '--yes')['username'] == 'ada'
    assert_problem(ada.entry(), 401)
    me = bob.me().state
    assert (me['follower_count'], me['following_count']) == (0, 0)
    for rel, count in (('hc:users', 1), ('hc:posts', 0), ('hc:stores', 0)):
        assert bob.follow(rel).state['_meta']['total_items'] == count
    for table in ('follows', 'posts', 'stores'):
        assert db.execute(f'SELECT COUNT(*) FROM {table}').fetchone() == (0,)
