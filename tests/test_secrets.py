"""Secrets: no password and no token is in any answer, any log line, or the database."""

from __future__ import annotations

import logging
from io import StringIO

import pytest

from service.domain.database import Database
from tests.client import HAL, HAL_FORMS, Client

OLD, NEW = 'canary-of-the-old-password', 'canary-of-the-new-password'


def test_secrets_are_told_once_and_kept_nowhere(
    client: Client, db: Database, caplog: pytest.LogCaptureFixture, lines: StringIO
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [client.register('ada', password=OLD), client.register('ada', password=OLD)]
    answers.append(client.register('bob', password=OLD, email='broken'))
    ada = client.sign_in('ada', OLD)
    token = str(ada.token)
    change = ada.me().state
    answers += [
        ada.submit(change, 'change-password', current_password=OLD + 'x', password=NEW),
        ada.submit(change, 'change-password', current_password=OLD, password=NEW),
        ada.post('/api/tokens', {'username': 'ada', 'password': OLD}),
        ada.post('/api/tokens', {'username': 'ada', 'password': NEW + 'x'}),
        ada.publish('Hello'),
    ]
    client.get(f'/api?password={OLD}&access_token={token}')
    for misplaced in (OLD, token, 'ada@example.org', 'ada%40example.org', f'{token}/{NEW}'):
        client.get(f'/api/users/{misplaced}')
        client.get(f'/{misplaced}')
        client.delete(f'/api/rels/{misplaced}')
    for address in ('/api', '/api/users', '/api/tokens', '/api/posts', ada.me().href('self'), '/nothing'):
        answers += [
            ada.get(address, accept=accept) for accept in (HAL, HAL_FORMS, 'application/json', 'text/html')
        ]
    told = ''.join(answer.text + str(answer.headers) for answer in answers)
    tables = db.engine.get_tables()
    stored = str([db.execute(f'SELECT * FROM {table}').fetchall() for table in tables])
    assert 'ada@example.org' in stored
    for secret in (OLD, NEW, token, token.removeprefix('hc_'), '$2b$'):
        assert secret not in told
        assert secret not in caplog.text
        assert secret not in lines.getvalue()
    assert 'POST /api/tokens 401 ' in lines.getvalue()
    assert 'ada@' not in lines.getvalue()
    for secret in (OLD, NEW, token.removeprefix('hc_')):
        assert secret not in stored
