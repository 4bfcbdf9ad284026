"""Backups made with the commands in service/OPERATIONS.md contain every acknowledged write."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.config import Settings
from service.database.migrate import check_schema
from service.domain.startup import open_session
from service.domain.users import find_user_by_username, register_user
from tests.client import basic, new_user
from tests.databases import NAME, engines_to_test, open_unchecked_session, temporary_database
from tests.server import ROOT, Server, wait_until

OPERATIONS = (ROOT / 'service' / 'OPERATIONS.md').read_text()
COPY = "VACUUM INTO 'backup.db'"


def test_the_documented_backup_command_is_the_tested_one() -> None:
    assert f'sqlite3 halcyon.db "{COPY}"' in OPERATIONS


def documented_command(program: str) -> str:
    """Return the command in OPERATIONS.md that begins with this program."""
    (command,) = re.findall(f'^{program} .+$', OPERATIONS, re.MULTILINE)
    return str(command)


def adapt(command: str, url: str) -> str:
    """Return the command with its database replaced by the one at the URL."""
    if url.startswith('postgresql'):
        return re.sub('postgresql://user:password@host/[a-z]+', f"'{url}'", command)
    parts = urlsplit(url)
    login = f'--host={parts.hostname} --port={parts.port} --user={parts.username}'
    command = command.replace(
        '--host=host --user=user --password', f'{login} --password={parts.password or ""}'
    )
    return re.sub(' (halcyon$|restored )', f' {parts.path[1:]} ', command)


@pytest.mark.parametrize(
    ('engine', 'dump', 'restore'),
    [('postgresql', 'pg_dump', 'pg_restore'), ('mysql', 'mariadb-dump', 'mariadb')],
)
def test_a_restored_dump_is_complete(engine: str, dump: str, restore: str, tmp_path: Path) -> None:
    if engine not in engines_to_test() or not shutil.which(dump):
        pytest.skip(f'TEST_DATABASES does not name {engine}, or {dump} is not installed')
    with (
        temporary_database(engine, tmp_path, f'{NAME}_source') as source,
        temporary_database(engine, tmp_path, f'{NAME}_restored') as restored,
    ):
        session = open_session(Settings(database_url=source, bcrypt_cost=4))
        register_user(session, **new_user('ada'))
        session.close()
        for program, url in ((dump, source), (restore, restored)):
            subprocess.run(adapt(documented_command(program), url), shell=True, cwd=tmp_path, check=True)  # noqa: S602
        db = open_unchecked_session(restored)
        check_schema(db)
        assert find_user_by_username(db, 'ada').email == 'ada@example.org'
        db.close()


def test_a_copy_has_every_previously_acknowledged_write(tmp_path: Path) -> None:
    acknowledged_ids: list[int] = []
    stop = threading.Event()
    with Server(tmp_path) as server:
        server.request(
            'POST', '/api/users', json.dumps(new_user('ada')).encode(), Content_Type='application/json'
        )
        bearer = f'Bearer {server.request("POST", "/api/tokens", Authorization=basic()).json["token"]}'

        def write() -> None:
            while not stop.is_set():
                response = server.request(
                    'POST',
                    '/api/posts',
                    b'{"body": "x"}',
                    Authorization=bearer,
                    Content_Type='application/json',
                )
                assert response.status == 201
                acknowledged_ids.append(response.json['id'])

        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        wait_until(lambda: len(acknowledged_ids) > 20)
        before = set(acknowledged_ids)
        with closing(sqlite3.connect(tmp_path / 'halcyon.db')) as source:
            source.execute(COPY.replace('backup.db', str(tmp_path / 'backup.db')))
        count = len(acknowledged_ids)
        wait_until(lambda: len(acknowledged_ids) > count + 5)
        stop.set()
        for writer in writers:
            writer.join()
    with closing(sqlite3.connect(tmp_path / 'backup.db')) as copy:
        stored_ids = {row[0] for row in copy.execute('SELECT id FROM posts')}
        assert before <= stored_ids < set(acknowledged_ids)
        counters = "SELECT post_count, (SELECT SUM(amount) FROM totals WHERE thing = 'posts') FROM users"
        assert copy.execute(counters).fetchone() == (len(stored_ids), len(stored_ids))
        assert copy.execute('PRAGMA integrity_check').fetchone() == ('ok',)


def test_a_server_can_run_on_a_copy(tmp_path: Path) -> None:
    settings = Settings(database_url=f'sqlite:///{tmp_path}/halcyon.db')
    open_session(settings).close()
    with closing(sqlite3.connect(tmp_path / 'halcyon.db')) as source:
        source.execute(COPY.replace('backup.db', str(tmp_path / 'backup.db')))
    db = open_session(Settings(database_url=f'sqlite:///{tmp_path}/backup.db'))
    assert db.execute('PRAGMA journal_mode').fetchone() == ('wal',)
    db.close()
