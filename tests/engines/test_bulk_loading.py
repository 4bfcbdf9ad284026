"""Loading many rows at once."""

from __future__ import annotations

from service.database.session import Session
from service.domain.demo.generator import DemoData, load

TABLES = {'users', 'follows', 'posts', 'stores', 'items'}


def test_postgresql_has_statistics_of_loaded_data(postgresql: Session) -> None:
    list(load(postgresql, DemoData(40, 5, 2, stores=3, items=4)))
    rows = postgresql.execute("SELECT tablename FROM pg_stats WHERE schemaname = 'public'").fetchall()
    assert {table for (table,) in rows} >= TABLES
