"""Query plans: a page of all posts or items does not sort all of them."""

from __future__ import annotations

import re

from service.database.session import Session
from service.domain.demo.generator import DemoData, load
from tests.sql import compiled_queries

LISTS_ALL = re.compile(r'(posts|items)\._ALL(\.[\w-]+)?\._from_(first|last)')
SORT_STEP = {'sqlite': 'USE TEMP B-TREE', 'postgresql': 'Sort Key', 'mysql': 'filesort'}
EXPLAIN = {'sqlite': 'EXPLAIN QUERY PLAN', 'postgresql': 'EXPLAIN', 'mysql': 'EXPLAIN'}
VALUES = {'viewer_id': 1, 'limit': 10, 'offset': 0}


def plan_of(db: Session, name: str) -> str:
    """Return the engine's plan for a query."""
    sql, parameters = compiled_queries()[name].compile(db.engine)
    values = [VALUES[value.name] if hasattr(value, 'name') else value for value in parameters]
    return str(db.execute(f'{EXPLAIN[db.engine.name]} {sql}', values).fetchall())


def test_pages_of_posts_and_items_are_read_in_the_order_of_an_index(db: Session) -> None:
    list(load(db, DemoData(1000, 1, 3, stores=300, items=10)))
    if db.engine.name == 'mysql':
        db.execute('ANALYZE TABLE users, posts, stores, items').fetchall()
    names = [name for name in compiled_queries() if LISTS_ALL.fullmatch(name)]
    assert len(names) == 16
    assert not [name for name in names if SORT_STEP[db.engine.name] in plan_of(db, name)]
