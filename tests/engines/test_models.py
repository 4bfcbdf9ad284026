"""The models, schema.sql and the database describe the same tables, on every engine."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from service.__main__ import main
from service.commands.cli import ExitCode
from service.database.introspection import describe_model, describe_table, schema_differences
from service.database.session import Session
from service.domain.models import MODELS, Post
from tests.databases import NAME, SCHEMA_TABLES, temporary_database
from tests.engines.conftest import OpenUrl

TABLES = [model._meta.table_name for model in MODELS]


def test_there_is_a_model_for_every_table(db: Session) -> None:
    assert sorted(TABLES) == sorted(SCHEMA_TABLES) == sorted(db.engine.get_tables())


@pytest.mark.parametrize('model', MODELS, ids=TABLES)
def test_a_model_describes_its_table(db: Session, model: Any) -> None:
    assert describe_model(model)._asdict() == describe_table(db, model._meta.table_name)._asdict()


def test_models_have_no_defaults_and_no_database(db: Session) -> None:
    for model in MODELS:
        assert model._meta.database is None
        assert not model._meta.defaults


@pytest.mark.parametrize(
    ('change', 'difference'),
    [
        ('DROP INDEX posts_by_author{on_posts}', 'table posts, indexes: missing author_id+id'),
        (
            'ALTER TABLE posts ADD COLUMN likes BIGINT NULL',
            'table posts, columns: unexpected likes BIGINT nullable',
        ),
        ('DROP TABLE items', 'table items is missing'),
    ],
)
def test_check_reports_the_differences_of_an_altered_database(
    tmp_path: Any,
    request: pytest.FixtureRequest,
    database_url: str,
    open_url: OpenUrl,
    change: str,
    difference: str,
) -> None:
    engine = database_url.partition(':')[0]
    with temporary_database(engine, tmp_path, f'{NAME}_altered') as url:
        runner = CliRunner(env={'DATABASE_URL': url})
        assert runner.invoke(main, ['migrate']).exit_code == 0
        assert runner.invoke(main, ['check']).exit_code == 0
        db = open_url(url)
        if engine == 'mysql' and 'INDEX' in change:
            db.execute('ALTER TABLE posts DROP FOREIGN KEY posts_author')
        db.execute(change.format(on_posts=' ON posts' if engine == 'mysql' else ''))
        assert difference in schema_differences(db, MODELS)
        db.close()
        result = runner.invoke(main, ['check'])
        assert (result.exit_code, result.output.count('\n')) == (ExitCode.SCHEMA, 3)
        assert difference in result.output


def test_a_foreign_key_cascades(db: Session) -> None:
    assert describe_table(db, 'posts').foreign_keys == [('author_id', 'users', 'CASCADE')]
    assert describe_model(Post).foreign_keys == [('author_id', 'users', 'CASCADE')]
