"""The schema: portable and idempotent."""

from __future__ import annotations

import re
from pathlib import Path

from service.config import Settings
from service.database.migrate import migrate
from service.database.schema import STATEMENTS
from service.domain.startup import open_session

PORTABLE_TYPES = {'BIGINT', 'VARCHAR', 'TEXT'}


def test_the_schema_uses_only_portable_types() -> None:
    for statement in STATEMENTS:
        assert re.match(r'CREATE (TABLE|INDEX) IF NOT EXISTS \w+', statement)
        for line in statement.splitlines()[1:-1]:
            column_type = line.split()[1].rstrip(',').partition('(')[0]
            assert line.strip().startswith('CONSTRAINT ') or column_type in PORTABLE_TYPES, line


def test_constraint_names_are_unique() -> None:
    script = '\n'.join(STATEMENTS)
    names = re.findall(r'CONSTRAINT (\w+)', script)
    assert len(names) == len(set(names)) == len(re.findall(r'PRIMARY KEY|UNIQUE|CHECK|FOREIGN KEY', script))


def test_creating_the_schema_again_changes_nothing(tmp_path: Path) -> None:
    db = open_session(Settings(database_url=f'sqlite:///{tmp_path}/x.db'))
    before = db.execute('SELECT name, sql FROM sqlite_master ORDER BY name').fetchall()
    db.execute("INSERT INTO totals VALUES ('things', 1, 5)")
    db.execute('DELETE FROM migrations')
    migrate(db)
    assert db.execute('SELECT name, sql FROM sqlite_master ORDER BY name').fetchall() == before
    assert db.execute('SELECT amount FROM totals').fetchall() == [(5,)]
    db.close()


def test_sqlite_is_opened_with_wal_foreign_keys_and_full_sync(tmp_path: Path) -> None:
    db = open_session(Settings(database_url=f'sqlite:///{tmp_path}/x.db'))
    pragmas = {
        name: db.execute(f'PRAGMA {name}').fetchone()[0]
        for name in ('journal_mode', 'foreign_keys', 'synchronous')
    }
    assert pragmas == {'journal_mode': 'wal', 'foreign_keys': 1, 'synchronous': 2}
    db.close()
