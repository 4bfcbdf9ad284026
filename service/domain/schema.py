"""schema.sql, read: its statements and its constraints."""

import re
from pathlib import Path
from typing import NamedTuple

SCHEMA = Path(__file__).parents[2] / 'schema.sql'

_TABLE = re.compile(r'CREATE TABLE IF NOT EXISTS (\w+)')
_UNIQUE = re.compile(r'CONSTRAINT (\w+) (PRIMARY KEY|UNIQUE) \(([\w, ]+)\)')


class Constraint(NamedTuple):
    """A constraint that makes columns of a table unique."""

    name: str
    table: str
    columns: tuple[str, ...]
    is_primary: bool


def statements_of(script: str) -> list[str]:
    """Return the statements of a script, one by one, without comments."""
    lines = (line.partition('--')[0] for line in script.splitlines())
    return [statement.strip() for statement in '\n'.join(lines).split(';') if statement.strip()]


def tables_of(statements: list[str]) -> list[str]:
    """Return the names of the tables that the statements make, those before that others refer to."""
    return [match[1] for match in map(_TABLE.match, statements) if match]


def constraints_of(statements: list[str]) -> list[Constraint]:
    """Return what the statements say is unique."""
    return [
        Constraint(name, match[1], tuple(columns.split(', ')), kind == 'PRIMARY KEY')
        for statement in statements
        if (match := _TABLE.match(statement))
        for name, kind, columns in _UNIQUE.findall(statement)
    ]


STATEMENTS = statements_of(SCHEMA.read_text())
CONSTRAINTS = constraints_of(STATEMENTS)
