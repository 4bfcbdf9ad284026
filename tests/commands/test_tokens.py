"""The tokens commands: revoke and purge."""

from __future__ import annotations

from service.commands.cli import ExitCode
from service.database.session import Session
from service.domain.expiry import BATCH_SIZE
from tests.client import Client, assert_problem
from tests.clock import MovableClock
from tests.commands.conftest import Operator, error_of

DAY = 86400


def test_all_tokens_of_one_user_are_revoked(operator: Operator, ada: Client, bob: Client) -> None:
    other = ada.sign_in('ada')
    assert operator.run_json('tokens', 'revoke', 'ada') == {'username': 'ada', 'revoked': 2}
    assert_problem(ada.entry(), 401)
    assert_problem(other.entry(), 401)
    assert bob.me().status == 200


def test_revoking_again_revokes_no_token(operator: Operator, ada: Client) -> None:
    operator.run('tokens', 'revoke', 'ada')
    assert operator.run('tokens', 'revoke', 'ada').stdout == 'Tokens of ada revoked: 0.\n'


def test_expired_tokens_are_not_counted_as_revoked(
    operator: Operator, client: Client, clock: MovableClock
) -> None:
    client.register('ada')
    clock.move(seconds=-DAY)
    client.sign_in('ada')
    clock.move(seconds=DAY)
    assert operator.run_json('tokens', 'revoke', 'ada')['revoked'] == 0


def test_revoking_tokens_of_an_unknown_user_fails(operator: Operator, ada: Client) -> None:
    result = operator.run('tokens', 'revoke', 'eve')
    assert (result.exit_code, error_of(result)) == (ExitCode.REJECTED, "There is no user 'eve'.")


def test_purge_deletes_expired_rows_and_keeps_valid_tokens(
    operator: Operator, ada: Client, db: Session, clock: MovableClock
) -> None:
    clock.move(seconds=-DAY)
    ada.request('POST', '/api/tokens', json={'username': 'ada', 'password': 'wrong password'})
    row = db.execute('SELECT user_id FROM tokens').fetchone()
    expired_count = BATCH_SIZE + 5
    with db.atomic():
        for number in range(expired_count):
            db.execute(
                'INSERT INTO tokens (id, user_id, digest, created_at, expires_at, signed_in_at)'
                f" VALUES ({number + 1}, {row[0]}, 'x{number}', 0, 1, 0)"
            )
    clock.move(seconds=DAY)
    report = operator.run_json('tokens', 'purge')
    assert report['tokens'] == expired_count
    assert report['tries'] > 0
    assert ada.me().status == 200
    assert (
        operator.run('tokens', 'purge').stdout
        == 'Deleted tokens: 0, idempotency keys: 0, attempts: 0, links: 0.\n'
    )
