"""Backup: a copy of a SQLite file, made with the documented command while servers write."""

from __future__ import annotations

import json
import sqlite3
import threading
from base64 import b64encode
from contextlib import closing
from pathlib import Path

from service.config import Settings
from service.domain.startup import open_session
from tests.server import ROOT, Server, wait_until

COPY = "VACUUM INTO 'backup.db'"
NEW = {'username': 'ada', 'email': 'ada@example.org', 'password': 'correct horse'}


def test_the_readme_has_the_tested_command() -> None:
    assert f'sqlite3 halcyon.db "{COPY}"' in (ROOT / 'README.md').read_text()


def test_a_copy_has_every_write_acknowledged_before_it(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    stop = threading.Event()
    with Server(tmp_path) as server:
        server.ask('POST', '/api/users', json.dumps(NEW).encode(), Content_Type='application/json')
        basic = 'Basic ' + b64encode(b'ada:correct horse').decode()
        bearer = f'Bearer {server.ask("POST", "/api/tokens", Authorization=basic).state["token"]}'

        def write() -> None:
            while not stop.is_set():
                answer = server.ask(
                    'POST',
                    '/api/posts',
                    b'{"body": "x"}',
                    Authorization=bearer,
                    Content_Type='application/json',
                )
                assert answer.status == 201
                acknowledged.append(answer.state['id'])

        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        wait_until(lambda: len(acknowledged) > 20)
        before = set(acknowledged)
        with closing(sqlite3.connect(tmp_path / 'halcyon.db')) as source:
            source.execute(COPY.replace('backup.db', str(tmp_path / 'backup.db')))
        copied = len(acknowledged)
        wait_until(lambda: len(acknowledged) > copied + 5)
        stop.set()
        for writer in writers:
            writer.join()
    with closing(sqlite3.connect(tmp_path / 'backup.db')) as copy:
        stored = {row[0] for row in copy.execute('SELECT id FROM posts')}
        assert before <= stored < set(acknowledged)
        counters = "SELECT post_count, (SELECT SUM(amount) FROM totals WHERE thing = 'posts') FROM users"
        assert copy.execute(counters).fetchone() == (len(stored), len(stored))
        assert copy.execute('PRAGMA integrity_check').fetchone() == ('ok',)


def test_a_copy_can_be_served(tmp_path: Path) -> None:
    settings = Settings(database_url=f'sqlite:///{tmp_path}/halcyon.db')
    open_session(settings).close()
    with closing(sqlite3.connect(tmp_path / 'halcyon.db')) as source:
        source.execute(COPY.replace('backup.db', str(tmp_path / 'backup.db')))
    db = open_session(Settings(database_url=f'sqlite:///{tmp_path}/backup.db'))
    assert db.execute('PRAGMA journal_mode').fetchone() == ('wal',)
    db.close()
