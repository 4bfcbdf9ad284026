"""A check of all counters in the database, without the queries of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# The counted table of each counter, and its column that refers to the table of the counter.
COUNTERS = {
    ('users', 'post_count'): ('posts', 'author_id'),
    ('users', 'follower_count'): ('follows', 'followed_id'),
    ('users', 'following_count'): ('follows', 'follower_id'),
    ('stores', 'item_count'): ('items', 'store_id'),
}
TOTALS = ('users', 'posts', 'stores', 'items')  # the tables whose rows are counted in the table `totals`


def wrong_counters(execute: Callable[[str], Any]) -> list[str]:
    """Return the names of the counters and totals that differ from the number of rows."""
    wrong = []
    for (table, counter), (counted_table, key) in COUNTERS.items():
        wrong_rows = execute(
            f'SELECT COUNT(*) FROM {table} LEFT JOIN'
            f' (SELECT {key} AS owner, COUNT(*) AS number FROM {counted_table} GROUP BY {key}) AS counted'
            ' ON owner = id'
            f' WHERE {counter} <> COALESCE(number, 0)'
        ).fetchone()[0]
        if wrong_rows:
            wrong.append(f'{table}.{counter}')
    for table in TOTALS:
        queries = (
            f"SELECT COALESCE(SUM(amount), 0) FROM totals WHERE thing = '{table}'",
            f'SELECT COUNT(*) FROM {table}',
        )
        total, row_count = (int(execute(query).fetchone()[0]) for query in queries)
        if total != row_count:
            wrong.append(f'total of {table}')
    return wrong
