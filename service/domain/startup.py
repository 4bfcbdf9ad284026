"""Opening the configured database for a process that serves requests."""

import logging

import peewee

from service.config import Settings
from service.database.clock import Clock, system_clock
from service.database.connect import open_engine
from service.database.errors import Unavailable
from service.database.instrumentation import NO_INSTRUMENTATION, Instrumentation
from service.database.migrate import check_rights, check_schema, check_writable, create_schema_if_missing
from service.database.session import Session
from service.domain.signing_keys import create_first_key

log = logging.getLogger(__name__)


def open_session(
    settings: Settings,
    clock: Clock = system_clock,
    instrumentation: Instrumentation = NO_INSTRUMENTATION,
) -> Session:
    """Return a session on the database of the settings; an empty one gets its schema and a signing key.

    An unavailable database is logged, and is tried again whenever the session is used. Raises SettingError.
    """
    session = Session(open_engine(settings), settings, clock, instrumentation)
    try:
        create_schema_if_missing(session)
        check_schema(session)
        create_first_key(session)
    except (Unavailable, peewee.PeeweeException) as error:  # other workers may still serve requests
        log.error('not ready: %s', str(error.__cause__ or error).partition('\n')[0])
    finally:
        session.close()  # a process that is forked from this one must not share a connection
    return session


def prepare_database(settings: Settings) -> None:
    """Create the schema of an empty database before the server starts; raises SettingError or Unavailable.

    Another version of the schema is not an error: the server responds with 503 until it matches.
    """
    session = Session(open_engine(settings), settings)
    try:
        create_schema_if_missing(session)
        check_rights(session)
    finally:
        session.close()


def find_obstacle(settings: Settings) -> str:
    """Return why a server on the database is not ready, '' if it is ready; raises SettingError."""
    session = Session(open_engine(settings), settings)
    try:
        check_schema(session)
        check_writable(session)
    except Unavailable as error:
        return str(error)
    finally:
        session.close()
    return ''
