"""The user commands, which apply the rules of the API."""

from __future__ import annotations

import os
import pty
import re
import sys

import pytest

from service.commands.cli import ExitCode
from tests.client import Client, assert_problem
from tests.commands.conftest import Operator, error_of

PASSWORD = 'battery staple'


def add_user(operator: Operator, name: str = 'ada', password: str = PASSWORD) -> int:
    report = operator.run_json(
        'user', 'add', name, f'{name}@example.org', '--password-stdin', stdin=f'{password}\n'
    )
    user_id: int = report['id']
    return user_id


def test_an_added_user_can_sign_in(operator: Operator, client: Client) -> None:
    user_id = add_user(operator)
    me = client.sign_in('ada', PASSWORD).me().json
    assert (me['id'], me['username'], me['email']) == (user_id, 'ada', 'ada@example.org')


def test_added_users_are_counted(operator: Operator, client: Client) -> None:
    add_user(operator)
    add_user(operator, 'bob')
    assert client.sign_in('ada', PASSWORD).follow('hc:users').json['_meta']['total_items'] == 2


def test_adding_the_first_user_creates_the_schema(new_operator: Operator) -> None:
    assert add_user(new_operator) > 0
    assert new_operator.run('check').exit_code == 0


@pytest.mark.parametrize(
    ('name', 'email', 'password', 'words'),
    [('a b', 'a@example.org', PASSWORD, ['username may contain only']),
     ('a', 'unknown', PASSWORD, ['email must be']),
     ('a', 'a@example.org', 'short', ['password must have at least 8']),
     ('a', 'a@example.org', 'x' * 257, ['password must have at most 256']),
     ('a b', 'x', '', ['username', 'email', 'password must not be empty']),
     ('\udcff', 'a@example.org', PASSWORD, ['username must not contain'])],
)  # fmt: skip
def test_values_that_the_api_rejects_are_rejected_in_one_line(
    operator: Operator, name: str, email: str, password: str, words: list[str]
) -> None:
    result = operator.run('user', 'add', name, email, '--password-stdin', stdin=f'{password}\n')
    assert result.exit_code == ExitCode.REJECTED
    line = error_of(result)
    assert all(word in line for word in words)


def test_a_taken_name_and_email_are_rejected(operator: Operator, ada: Client) -> None:
    result = operator.run('user', 'add', 'ADA', 'ADA@example.org', '--password-stdin', stdin=PASSWORD)
    assert result.exit_code == ExitCode.REJECTED
    assert error_of(result) == 'username is taken by another user. email is taken by another user.'


def test_the_password_prompt_needs_a_terminal(operator: Operator) -> None:
    result = operator.run('user', 'add', 'ada', 'ada@example.org', stdin=f'{PASSWORD}\n{PASSWORD}\n')
    assert result.exit_code == ExitCode.USAGE
    assert '--password-stdin' in result.stderr


def test_the_password_prompt_asks_twice_without_echo(operator: Operator, client: Client) -> None:
    screen = run_at_a_terminal(
        operator, 'user', 'add', 'ada', 'ada@example.org', responses=(PASSWORD, PASSWORD)
    )
    assert re.findall(r'Password:|Repeat for confirmation:', screen) == [
        'Password:',
        'Repeat for confirmation:',
    ]
    assert PASSWORD not in screen
    assert client.sign_in('ada', PASSWORD).me().status == 200


def run_at_a_terminal(operator: Operator, *arguments: str, responses: tuple[str, ...]) -> str:
    """Run a command at a terminal, type a response to each prompt, and return what the terminal displays."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(  # noqa: S606
            sys.executable,
            [sys.executable, '-m', 'service', *arguments],
            {**os.environ, **operator.environment},
        )
    output, pending = b'', list(responses)
    while True:
        try:
            output += os.read(terminal, 1024)
        except OSError:  # the command has ended
            break
        if pending and output.endswith(b': '):  # the space is printed after echo is off
            os.write(terminal, f'{pending.pop(0)}\n'.encode())
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, output
    return output.decode()


def test_a_new_password_replaces_the_old_one_and_revokes_all_tokens(
    operator: Operator, ada: Client, client: Client
) -> None:
    client.sign_in('ada')
    report = operator.run_json('user', 'password', 'ADA', '--password-stdin', stdin=f'{PASSWORD}\n')
    assert report == {'username': 'ada', 'revoked': 2}
    assert_problem(ada.entry(), 401)
    assert client.sign_in('ada', PASSWORD).me().status == 200
    with pytest.raises(AssertionError):
        client.sign_in('ada')


def test_a_weak_password_changes_nothing(operator: Operator, ada: Client) -> None:
    result = operator.run('user', 'password', 'ada', '--password-stdin', stdin='short\n')
    assert (result.exit_code, error_of(result)) == (
        ExitCode.REJECTED,
        'password must have at least 8 characters.',
    )
    assert ada.me().status == 200


@pytest.mark.parametrize('command', ['password', 'delete'])
@pytest.mark.parametrize('name', ['unknown', 'a b', '\udcff', 'x' * 1000])
def test_an_unknown_user_is_reported_in_one_line(operator: Operator, command: str, name: str) -> None:
    result = operator.run(
        'user', command, name, *(['--yes'] if command == 'delete' else ['--password-stdin'])
    )
    assert result.exit_code == ExitCode.REJECTED
    assert error_of(result).startswith('There is no user ')


def test_delete_asks_for_confirmation(operator: Operator, ada: Client) -> None:
    ada.publish('Hello')
    result = operator.run('user', 'delete', 'ada', stdin='n\n')
    assert result.exit_code == ExitCode.REJECTED
    assert 'Delete ada (1 posts, 0 followers)?' in result.stderr
    assert ada.me().status == 200


def test_a_deleted_user_is_signed_out(operator: Operator, ada: Client) -> None:
    assert operator.run_json('user', 'delete', 'ada', '--yes')['username'] == 'ada'
    assert_problem(ada.entry(), 401)


def test_users_are_listed_and_shown(operator: Operator, ada: Client, bob: Client) -> None:
    page = operator.run_json('user', 'list')
    assert [user['username'] for user in page['users']] == ['ada', 'bob']
    assert page['total'] == 2
    assert [user['username'] for user in operator.run_json('user', 'list', '--prefix', 'B')['users']] == [
        'bob'
    ]
    assert len(operator.run_json('user', 'list', '--limit', '1')['users']) == 1
    assert operator.run('user', 'list').stdout.splitlines()[-1] == '2 of 2 users.'
    user = operator.run_json('user', 'show', 'ADA')
    assert user == page['users'][0]
    assert set(user) == {
        'id', 'username', 'email', 'member_since', 'last_seen', 'posts', 'followers', 'following',
        'suspended',
        'email_verified',
    }  # fmt: skip
    assert 'ada@' in operator.run('user', 'show', 'ada').stdout
    assert operator.run('user', 'show', 'eve').exit_code == ExitCode.REJECTED


def test_a_user_is_suspended_and_restored(operator: Operator, client: Client) -> None:
    add_user(operator)
    ada = client.sign_in('ada', PASSWORD)
    assert operator.run_json('user', 'suspend', 'ADA') == {'username': 'ada', 'revoked': 1}
    assert ada.entry().status == 401
    assert operator.run_json('user', 'show', 'ada')['suspended'].startswith('20')
    assert 'ada@example.org  suspended since 20' in operator.run('user', 'list').stdout
    body = {'username': 'ada', 'password': PASSWORD}
    assert_problem(client.post('/api/tokens', body), 403)
    assert operator.run_json('user', 'restore', 'ada') == {'username': 'ada'}
    assert operator.run_json('user', 'show', 'ada')['suspended'] == 'no'
    assert client.post('/api/tokens', body).status == 200


def test_the_operator_adds_users_while_registration_is_closed(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('REGISTRATION', 'closed')
    assert add_user(operator) > 0


@pytest.mark.parametrize('command', ['suspend', 'restore'])
def test_an_unknown_user_cannot_be_suspended_or_restored(operator: Operator, command: str) -> None:
    assert operator.run('user', command, 'unknown').exit_code == ExitCode.REJECTED
