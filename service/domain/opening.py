"""Opening the database: the engine that the URL names, with the schema that this code needs."""

import logging

from service.config import Settings
from service.domain.clock import Clock, system_clock
from service.domain.database import NOBODY, Database
from service.domain.engines import open_engine
from service.domain.errors import Unavailable
from service.domain.keys import make_first_key
from service.domain.migrations import check_schema, migrate, schema_number
from service.domain.observer import Observer

log = logging.getLogger(__name__)


def open_database(settings: Settings, clock: Clock = system_clock, observer: Observer = NOBODY) -> Database:
    """Return the database that the settings name, with its tables made if it had none.

    It need not answer now: what is the matter then is a line in the log, and it is asked again whenever it
    is used. Raises SettingError for a URL that names no usable database.
    """
    db = Database(open_engine(settings), settings, clock, observer)
    try:
        _prepare(db)
        check_schema(db)
        make_first_key(db)
    except Unavailable as reason:
        log.error('not ready: %s', reason.__cause__ or reason)
    finally:
        db.close()  # a process that is forked from this one must not share a connection
    return db


def prepare_database(settings: Settings) -> None:
    """Make the tables of an empty database before it is served; raises SettingError, Unavailable."""
    db = Database(open_engine(settings), settings)
    try:
        _prepare(db)
    finally:
        db.close()


def _prepare(db: Database) -> None:
    with db.answering():
        for statement in db.engine.before_use:
            db.execute(statement)
        is_empty = not schema_number(db)
    if is_empty:
        migrate(db)
