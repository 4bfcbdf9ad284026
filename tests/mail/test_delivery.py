"""Delivery of mail by a real server: every worker sends mail, and a killed worker loses none."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.client import new_user
from tests.mail_server import MailServer, mail_server
from tests.server import Server, wait_until

BASE_URL = 'http://halcyon.test'


def mail_settings(inbox: MailServer) -> dict[str, str]:
    return {'BASE_URL': BASE_URL, 'MAIL_URL': inbox.url, 'MAIL_FROM': 'halcyon@example.org'}


def register(server: Server, name: str) -> int:
    body = json.dumps(new_user(name)).encode()
    return server.request(
        'POST', '/api/users', body, Content_Type='application/json', Host='halcyon.test'
    ).status


def test_the_workers_of_a_server_send_each_mail_once(tmp_path: Path, program: str) -> None:
    with (
        mail_server() as inbox,
        Server(tmp_path, program=program, workers=3, **mail_settings(inbox)) as server,
    ):
        names = [f'user{number}' for number in range(20)]
        assert {register(server, name) for name in names} == {201}
        wait_until(lambda: len(inbox.messages) >= len(names))
    assert sorted(inbox.recipients) == sorted(f'{name}@example.org' for name in names)


def test_killed_workers_lose_no_mail(tmp_path: Path, program: str) -> None:
    names: list[str] = []
    with (
        mail_server() as inbox,
        Server(tmp_path, program=program, workers=2, **mail_settings(inbox)) as server,
    ):
        for attempt in range(2 if program == 'gunicorn' else 1):  # granian stops if workers end repeatedly
            for number in range(5):
                names.append(f'user{attempt}-{number}')
                assert register(server, names[-1]) == 201
            for worker in server.workers():
                os.kill(worker, signal.SIGKILL)
            server.wait_until_ready()
        # Emails that a killed worker was sending are due again after a minute: make them due now.
        with sqlite3.connect(tmp_path / 'halcyon.db', timeout=10) as database:
            database.execute('UPDATE outbox SET due_at = 0')
        database.close()
        wait_until(lambda: set(inbox.recipients) >= {f'{name}@example.org' for name in names})
        server.stop()
    assert '@example.org' not in server.log


def test_requests_and_shutdown_do_not_wait_for_the_mail_server(tmp_path: Path, program: str) -> None:
    settings = {'BASE_URL': BASE_URL, 'MAIL_URL': 'smtp://127.0.0.1:1', 'MAIL_FROM': 'halcyon@example.org'}
    with Server(tmp_path, program=program, workers=1, **settings) as server:
        assert register(server, 'ada') == 201
        wait_until(lambda: 'will be retried' in server.log)
        assert server.stop() == 0
    assert 'ada@example.org' not in server.log


def test_a_server_finishes_the_mail_that_it_is_sending_before_it_stops(tmp_path: Path, program: str) -> None:
    with (
        mail_server() as inbox,
        Server(tmp_path, program=program, workers=1, **mail_settings(inbox)) as server,
    ):
        inbox.seconds = 2.0
        assert register(server, 'ada') == 201
        assert inbox.is_busy.wait(10)
        assert server.stop() == 0
        with closing(sqlite3.connect(tmp_path / 'halcyon.db')) as database:
            assert database.execute('SELECT COUNT(*) FROM outbox').fetchone() == (0,)
    assert inbox.recipients == ['ada@example.org']
