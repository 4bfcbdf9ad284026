"""The SQL of every compiled query stays as it is, on every engine, until it is meant to change."""

from __future__ import annotations

import difflib

from tests.sql import TEXT, all_sql


def test_the_sql_is_what_was_written_down() -> None:
    before, now = TEXT.read_text().splitlines(), all_sql().splitlines()
    difference = list(difflib.unified_diff(before, now, 'tests/sql.txt', 'now', n=2, lineterm=''))
    assert not difference, '\n'.join(
        [*difference, 'Where this is meant, `python -m tests.sql` writes the file again.']
    )
