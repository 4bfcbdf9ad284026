"""Starting a server: reading the settings, and checking everything before any worker runs."""

import logging
import os
import tempfile
from collections.abc import Iterable

from service.config import SettingError, Settings, misspelt_variables
from service.database.connect import describe_failure
from service.database.errors import SchemaMismatch, Unavailable
from service.domain.passwords import MAX_HASHING
from service.domain.startup import find_obstacle, prepare_database
from service.logs import abort
from service.metrics_multiprocess import allocate_files, create_directory
from service.serving.listening import Address, check_addresses

SETTING, DATABASE = 3, 4  # exit codes, the same as those of the commands
SPARE_THREADS = 2  # for requests that need neither the database nor bcrypt

log = logging.getLogger('service')


def read_settings() -> Settings:
    """Return the settings of the environment; an invalid one ends the process with one line."""
    try:
        settings = Settings.from_environment(os.environ)
    except SettingError as error:
        abort(str(error), SETTING, os.environ.get('LOG_FORMAT', ''))
    try:
        tempfile.gettempdir()
    except OSError as error:
        abort(f'TMPDIR: {error.strerror or error}', SETTING, settings.log_format)
    return settings


def workers_of(settings: Settings) -> int:
    """Return the number of worker processes."""
    return settings.web_concurrency or os.cpu_count() or 1


def threads_of(settings: Settings) -> int:
    """Return the number of threads of a worker that run the application.

    A slow request body or a sign-in occupies one; bcrypt releases the GIL.
    """
    return max(settings.database_pool, MAX_HASHING) + SPARE_THREADS


def prepare(settings: Settings, addresses: Iterable[Address | int]) -> None:
    """Check the addresses to listen on and the database, and create what the workers need.

    An error ends the process with one line. Addresses that are ints are open sockets.
    """
    for name, setting in misspelt_variables(os.environ).items():
        log.warning('%s is not a setting: did you mean %s?', name, setting)
    try:
        check_addresses(addresses)
        if settings.metrics:
            create_directory()
        prepare_database(settings)
    except SettingError as error:
        abort(str(error), SETTING, settings.log_format)
    except SchemaMismatch as error:
        abort(f'DATABASE_URL: {settings.database}: {error}', SETTING, settings.log_format)
    except Unavailable as error:
        abort(describe_failure(settings, error), DATABASE, settings.log_format)


def prepare_worker(settings: Settings) -> None:
    """Allocate the files of a worker's metrics, or turn metrics off in a worker that cannot."""
    if settings.metrics:
        try:
            allocate_files()
        except OSError as error:
            log.error('This worker serves without metrics: %s', error)
            os.environ['METRICS'] = 'off'  # read when the worker creates the application


def log_ready(settings: Settings, address: str, workers: int) -> None:
    """Log where the server can be reached, with which database, and how to stop it."""
    obstacle = find_obstacle(settings)
    log.log(
        logging.WARNING if obstacle else logging.INFO,
        'Halcyon is %s at %s with %s on the database %s. Press Ctrl-C to stop.',
        f'not ready, and responds with 503 until it is ({obstacle.rstrip(".")}),' if obstacle else 'ready',
        address,
        '1 worker' if workers == 1 else f'{workers} workers',
        settings.database,
    )
