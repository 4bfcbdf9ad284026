"""The SQL of every compiled query on every engine, compared with a recorded file."""

from __future__ import annotations

import difflib

from tests.sql import SQL_FILE, all_sql


def test_the_sql_is_as_recorded() -> None:
    before, now = SQL_FILE.read_text().splitlines(), all_sql().splitlines()
    difference = list(difflib.unified_diff(before, now, 'tests/sql.txt', 'now', n=2, lineterm=''))
    assert not difference, '\n'.join(
        [*difference, 'If this is intended, run `python -m tests.sql` to record it.']
    )
