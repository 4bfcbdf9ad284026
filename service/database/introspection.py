"""Comparison of the tables in the database with the models that queries are built from."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from service.database.session import Session


class Table(NamedTuple):
    """The description of a table, which introspection and a model both provide.

    `columns` are (name, type, nullable) in their order, `indexes` (columns, unique), `foreign_keys`
    (column, table, ON DELETE).
    """

    columns: list[tuple[str, str, bool]]
    primary_key: list[str]
    indexes: list[tuple[tuple[str, ...], bool]]
    foreign_keys: list[tuple[str, str, str]]


def schema_differences(session: Session, models: Iterable[Any]) -> list[str]:
    """Return one line for each difference between the database and the models; raises Unavailable."""
    with session.translating_errors():
        existing = set(session.engine.get_tables())
        encoding = session.engine.unsuitable_encoding()
        differences = (
            [f'encoding {encoding}, which lacks most characters, instead of UTF8'] if encoding else []
        )
        for model in models:
            name = model._meta.table_name
            if name in existing:
                differences += _compare(name, describe_table(session, name), describe_model(model))
            else:
                differences.append(f'table {name} is missing')
        return differences


def _compare(name: str, actual: Table, expected: Table) -> Iterator[str]:
    aspects: Iterator[tuple[str, list[Any], list[Any]]] = zip(Table._fields, actual, expected, strict=True)
    for aspect, existing, declared in aspects:
        if existing != declared:
            missing = [_text(item) for item in declared if item not in existing]
            unexpected = [_text(item) for item in existing if item not in declared]
            parts = [
                *([f'missing {", ".join(missing)}'] if missing else []),
                *([f'unexpected {", ".join(unexpected)}'] if unexpected else []),
            ]
            yield f'table {name}, {aspect.replace("_", " ")}: {"; ".join(parts) or "in another order"}'


def _text(item: Any) -> str:
    """Return a readable column, index or foreign key."""
    if isinstance(item, str):
        return item
    match item:
        case (tuple(columns), bool(is_unique)):
            return '+'.join(columns) + (' unique' if is_unique else '')
        case (str(name), str(type_name), bool(is_nullable)):
            return f'{name} {type_name}' + (' nullable' if is_nullable else '')
    return ' '.join(item)


def describe_table(session: Session, name: str) -> Table:
    """Return the table as the database describes it."""
    engine = session.engine
    primary_key = list(engine.get_primary_keys(name))
    indexes = [(tuple(index.columns), bool(index.unique)) for index in engine.get_indexes(name)]
    return Table(
        columns=[
            (column.name, engine.column_type(str(column.full_type)), bool(column.null))
            for column in engine.get_columns(name)
        ],
        primary_key=primary_key,
        indexes=sorted(index for index in indexes if index != (tuple(primary_key), True)),
        foreign_keys=sorted(
            (key.column, key.dest_table, str(key.on_delete).upper()) for key in engine.get_foreign_keys(name)
        ),
    )


def describe_model(model: Any) -> Table:
    """Return the table as the model declares it."""
    meta = model._meta
    fields = meta.sorted_fields
    indexes = [
        (tuple(meta.fields[name].column_name for name in names), unique) for names, unique in meta.indexes
    ]
    indexes += [((field.column_name,), bool(field.unique)) for field in fields if field.unique or field.index]
    keys = (
        [meta.fields[name] for name in meta.primary_key.field_names]
        if meta.composite_key
        else [meta.primary_key]
    )
    primary_key = [field.column_name for field in keys]
    return Table(
        columns=[(field.column_name, _type_of(field), bool(field.null)) for field in fields],
        primary_key=primary_key,
        indexes=sorted(index for index in indexes if index != (tuple(primary_key), True)),
        foreign_keys=sorted(
            (key.column_name, key.rel_model._meta.table_name, str(key.on_delete)) for key in meta.refs
        ),
    )


def _type_of(field: Any) -> str:
    field = getattr(field, 'rel_field', field)
    length = getattr(field, 'max_length', None)
    return f'{field.field_type}({length})' if length else str(field.field_type)
