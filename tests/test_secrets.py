"""Secrets: no password or token is in a later response, a log line, or the database."""

from __future__ import annotations

import json
import logging
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from service.database.session import Session
from tests.client import FORM, HAL, HAL_FORMS, HTML, JSON, JSON_API, LOGIN, ORIGIN, Client, basic, new_user
from tests.conftest import Start
from tests.routes import World, methods_at, populate
from tests.server import Server

OLD, NEW = 'canary-of-the-old-password', 'canary-of-the-new-password'


def test_secrets_are_in_no_other_response_log_line_or_table(
    client: Client, db: Session, caplog: pytest.LogCaptureFixture, request_log: StringIO
) -> None:
    caplog.set_level(logging.DEBUG)
    responses = [client.register('ada', password=OLD), client.register('ada', password=OLD)]
    responses.append(client.register('bob', password=OLD, email='broken'))
    ada = client.sign_in('ada', OLD)
    token = str(ada.token)
    me = ada.me().json
    responses += [
        ada.submit(me, 'change-password', current_password=OLD + 'x', password=NEW),
        ada.submit(me, 'change-password', current_password=OLD, password=NEW),
        ada.post('/api/tokens', {'username': 'ada', 'password': OLD}),
        ada.post('/api/tokens', {'username': 'ada', 'password': NEW + 'x'}),
        ada.publish('Hello'),
    ]
    client.get(f'/api?password={OLD}&access_token={token}')
    for misplaced in (OLD, token, 'ada@example.org', 'ada%40example.org', f'{token}/{NEW}'):
        client.get(f'/api/users/{misplaced}')
        client.get(f'/{misplaced}')
        client.delete(f'/api/rels/{misplaced}')
    for url in ('/api', '/api/users', '/api/tokens', '/api/posts', ada.me().href('self'), '/nothing'):
        responses += [
            ada.get(url, accept=accept) for accept in (HAL, HAL_FORMS, 'application/json', 'text/html')
        ]
    output = ''.join(response.text + str(response.headers) for response in responses)
    tables = db.engine.get_tables()
    stored = str([db.execute(f'SELECT * FROM {table}').fetchall() for table in tables])
    assert 'ada@example.org' in stored
    for secret in (OLD, NEW, token, token.removeprefix('hc_'), '$2b$'):
        assert secret not in output
        assert secret not in caplog.text
        assert secret not in request_log.getvalue()
    assert 'POST /api/tokens 401 ' in request_log.getvalue()
    assert 'ada@' not in request_log.getvalue()
    for secret in (OLD, NEW, token.removeprefix('hc_')):
        assert secret not in stored


def test_no_document_contains_a_secret(start: Start, db: Session) -> None:
    app = start(BASE_URL=ORIGIN)  # signed tokens need it
    for name in ('ada', 'bob'):
        Client(app).register(name)
    ada, bob = (Client(app).sign_in(name) for name in ('ada', 'bob'))
    world = World(ada, bob, populate(ada, bob))
    signed = Client(app).post('/api/tokens', LOGIN | {'format': 'jwt'}).json['token']
    rows = db.execute('SELECT password_hash FROM users').fetchall()
    rows += db.execute('SELECT digest FROM tokens').fetchall()
    rows += db.execute('SELECT private_key FROM signing_keys').fetchall()
    secrets = [str(ada.token), str(bob.token), signed, *(value for row in rows for value in row)]
    assert len(secrets) == 9
    for client in (Client(app), ada, bob):
        for template, methods in methods_at(app).items():
            if 'GET' in methods:
                for accept in (f'{HAL_FORMS}, {HAL};q=0.9', JSON_API, HTML, JSON):
                    response = client.get(world.url(template), accept=accept)
                    output = response.text + str(response.headers)
                    assert [secret for secret in secrets if secret in output] == []


@pytest.mark.parametrize(('program', 'log_format'), [('gunicorn', 'json'), ('granian', 'text')])
def test_a_real_server_writes_no_secret_to_files_or_logs(
    tmp_path: Path, program: str, log_format: str
) -> None:
    user = new_user('ada') | {'password': OLD}
    login = {'username': 'ada', 'password': OLD}
    with Server(tmp_path, program=program, LOG_FORMAT=log_format, BASE_URL=ORIGIN) as server:

        def post(url: str, body: bytes, content_type: str = JSON, **headers: str) -> Any:
            return server.request('POST', url, body, Content_Type=content_type, **headers)

        assert post('/api/users', json.dumps(user).encode(), Idempotency_Key='"k"').status == 201
        assert post('/api/users', json.dumps(user).encode(), Idempotency_Key='"k"').status == 201
        tokens = [
            post('/api/tokens', json.dumps(login).encode()).json['token'],
            post('/api/tokens', json.dumps(login | {'format': 'jwt'}).encode()).json['token'],
            post('/api/tokens', urlencode(login).encode(), FORM).json['token'],
            server.request('POST', '/api/tokens', Authorization=basic(password=OLD)).json['token'],
        ]
        statuses = [
            post('/api/tokens', json.dumps(login | {'password': NEW}).encode()).status,
            server.request('POST', '/api/tokens', Authorization=basic(password=NEW)).status,
            post('/api/users', b'{"password": "%s"' % NEW.encode()).status,
            post('/api/users', urlencode(user | {'password': NEW}).encode(), FORM).status,
            post('/api/users', NEW.encode(), NEW).status,
            server.request('GET', '/api', Authorization=f'Bearer {NEW}').status,
            server.request('GET', f'/api/users?{urlencode({"token": NEW})}', Authorization='Bearer').status,
            *(
                server.request('GET', '/api/users', Authorization=f'Bearer {token}').status
                for token in tokens
            ),
        ]
        assert statuses == [401, 401, 400, 400, 415, 401, 401, 200, 200, 200, 200]
    written = server.log.encode() + b''.join(path.read_bytes() for path in tmp_path.glob('halcyon.db*'))
    assert b'ada@example.org' in written
    for secret in (OLD, NEW, basic(password=OLD), *tokens):
        assert secret.encode() not in written
    for secret in ('$2b$', 'PRIVATE KEY', 'ada@example.org'):
        assert secret not in server.log
