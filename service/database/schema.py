"""schema.sql, parsed into statements and unique constraints."""

import re
from pathlib import Path
from typing import NamedTuple

SCHEMA = Path(__file__).parents[2] / 'schema.sql'

_TABLE = re.compile(r'CREATE TABLE IF NOT EXISTS (\w+)')
_UNIQUE = re.compile(r'CONSTRAINT (\w+) (PRIMARY KEY|UNIQUE) \(([\w, ]+)\)')


class Constraint(NamedTuple):
    """A primary key or unique constraint."""

    name: str
    table: str
    columns: tuple[str, ...]
    is_primary: bool


def parse_script(script: str) -> list[str]:
    """Return the statements of an SQL script, without comments."""
    lines = (line.partition('--')[0] for line in script.splitlines())
    return [statement.strip() for statement in '\n'.join(lines).split(';') if statement.strip()]


def constraints_of(statements: list[str]) -> list[Constraint]:
    """Return the primary keys and unique constraints that the statements create."""
    return [
        Constraint(name, match[1], tuple(columns.split(', ')), kind == 'PRIMARY KEY')
        for statement in statements
        if (match := _TABLE.match(statement))
        for name, kind, columns in _UNIQUE.findall(statement)
    ]


STATEMENTS = parse_script(SCHEMA.read_text())
CONSTRAINTS = constraints_of(STATEMENTS)
# Keys whose values are generated at random: after a collision a transaction is retried.
GENERATED_KEYS = {
    constraint.name for constraint in CONSTRAINTS if constraint.columns in (('id',), ('writer',))
}
