"""The SQL text of every compiled query on every engine; `python -m tests.sql` writes it to sql.txt."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import service
from service.config import Settings
from service.database.compiled import CompiledQuery
from service.database.connect import open_engine
from service.database.session import Session

SQL_FILE = Path(__file__).with_name('sql.txt')
PACKAGES = ('service.domain', 'service.database')
URLS = {
    'sqlite': 'sqlite:///never-opened.db',
    'postgresql': 'postgresql://user@localhost/never_opened',
    'mysql': 'mysql://user@localhost/never_opened',
}


class Recorder(Session):
    """A session that records the statement instead of running it."""

    def __init__(self, url: str) -> None:
        settings = Settings.from_environment({'DATABASE_URL': url})
        super().__init__(open_engine(settings), settings)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.sql, self.parameters = sql, parameters


def compiled_queries() -> dict[str, CompiledQuery]:
    """Return every compiled query by module, variable and role; a query with several names has the first."""
    names: dict[CompiledQuery, str] = {}
    for module in pkgutil.walk_packages(service.__path__, 'service.'):
        if module.name.startswith(PACKAGES):
            for name, query in _queries_in(vars(import_module(module.name)), module.name.rpartition('.')[2]):
                names.setdefault(query, name)
    queries = {name: query for query, name in names.items()}
    assert len(queries) == len(names), 'two queries have the same name'
    return queries


def _queries_in(value: Any, name: str) -> Iterator[tuple[str, CompiledQuery]]:
    """Yield the value if it is a query, or the queries in a mapping or in the attributes of an object."""
    if isinstance(value, CompiledQuery):
        yield name, value
        return
    if not isinstance(value, (Mapping, type)) and type(value).__module__.startswith(PACKAGES):
        value = getattr(value, '__dict__', {})
    if isinstance(value, Mapping):
        for key, item in list(value.items()):
            if not str(key).startswith('__'):
                yield from _queries_in(item, f'{name}.{key}'.removesuffix('.'))


def compile_query(query: CompiledQuery, db: Recorder) -> tuple[str, str]:
    """Return the SQL of the query for the engine, and its parameters in order, by name if they have one."""
    values: dict[str, str] = {}
    while True:
        try:
            query.run(db, **values)
        except KeyError as missing:
            (name,) = missing.args
            assert name not in values
            values[name] = f':{name}'
        else:
            return db.sql, ', '.join(str(value) for value in db.parameters)


def all_sql() -> str:
    """Return the text of all compiled queries: for each engine a heading, the SQL and the parameters."""
    engines = {engine: Recorder(url) for engine, url in URLS.items()}
    return ''.join(
        '\n'.join([f'[{name} {engine}]', *compile_query(query, db), '', ''])
        for name, query in sorted(compiled_queries().items())
        for engine, db in engines.items()
    )


if __name__ == '__main__':
    SQL_FILE.write_text(all_sql())
