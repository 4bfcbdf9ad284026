"""Configuration of gunicorn, which loads this file by default; settings come from the environment."""

import logging
import os
import tempfile

from gunicorn.glogging import Logger

from service.config import SettingError, Settings, misspelt_variables
from service.database.errors import SchemaMismatch, Unavailable
from service.domain.startup import prepare_database
from service.graceful_shutdown import GENERATIONS, PROCESS_SHUTDOWN
from service.listening import check_addresses, raise_open_files
from service.logs import abort, configure_logging
from service.mail.sender import Sender
from service.metrics_multiprocess import allocate_files, create_directory, delete_directory, forget_process
from service.worker import Worker

SETTING, DATABASE = 3, 4  # exit codes, as of the commands
SQLITE_THREADS = 8  # of a worker
SPARE_THREADS = 4  # for requests that need no database connection, while the database does not respond

log = logging.getLogger('service')


class ForwardingLogger(Logger):
    """Forwards gunicorn's own messages to the root logger; its access log stays off unless configured."""

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


try:
    settings = Settings.from_environment(os.environ)
except SettingError as error:
    abort(str(error), SETTING, os.environ.get('LOG_FORMAT', ''))
try:
    tempfile.gettempdir()
except OSError as error:
    abort(f'TMPDIR: {error.strerror or error}', SETTING, settings.log_format)

wsgi_app = 'service.app:create_app()'
bind = settings.bind
worker_class = Worker
Worker.settings = settings
workers = settings.web_concurrency or os.cpu_count() or 1
# A slow request body or a sign-in occupies a thread; bcrypt releases the GIL.
threads = (
    SQLITE_THREADS if settings.database_url.startswith('sqlite') else settings.database_pool + SPARE_THREADS
)
worker_connections = raise_open_files()
keepalive = settings.keep_alive
graceful_timeout = settings.drain_seconds + 30
limit_request_line = 8190  # RFC 9112 §3 recommends 8,000 octets at least
permit_unconventional_http_method = True  # the application responds with 501
forwarded_allow_ips = ''  # forwarding headers are parsed by the application, according to FORWARDED_ALLOW_IPS
secure_scheme_headers = {}  # gunicorn would always use those of peers on a unix socket
forwarder_headers = ''
control_socket_disable = True
loglevel = 'warning'
logger_class = ForwardingLogger
configure_logging(settings.log_format)


def on_starting(server):
    """Check everything before any worker starts; an error aborts the start with one line."""
    for name, setting in misspelt_variables(os.environ).items():
        log.warning('%s is not a setting: did you mean %s?', name, setting)
    inherits_sockets = 'GUNICORN_FD' in os.environ or os.environ.get('LISTEN_PID') == str(os.getpid())
    try:
        if not inherits_sockets:
            check_addresses(server.address)
        if settings.metrics:
            create_directory()
        prepare_database(settings)
    except SettingError as error:
        abort(str(error), SETTING, settings.log_format)
    except SchemaMismatch as error:
        abort(f'DATABASE_URL: {settings.database}: {error}', SETTING, settings.log_format)
    except Unavailable as error:
        abort(
            f'DATABASE_URL: cannot use {settings.database}: {error.__cause__ or error}. Is the server'
            ' running, does the database exist, and may this user use it?',
            DATABASE,
            settings.log_format,
        )


def on_reload(server):
    """Tell the workers that new ones replace them."""
    GENERATIONS.replace(server.worker_age)


def pre_exec(server):
    """Tell the workers that those of a new master replace them."""
    GENERATIONS.replace(server.worker_age)


def post_fork(server, worker):
    """Turn metrics off in a worker that cannot allocate its files."""
    if settings.metrics:
        try:
            allocate_files()
        except OSError as error:
            log.error('This worker serves without metrics: %s', error)
            os.environ['METRICS'] = 'off'


def post_worker_init(worker):
    """Make a worker report "not ready" for a while before it stops; the first logs that it is ready."""
    PROCESS_SHUTDOWN.install(settings.drain_seconds, lambda: GENERATIONS.is_replaced(worker.age))
    if settings.mail_url is not None:
        worker.sender = Sender(settings)
        worker.sender.start()
    if worker.age == 1:
        log.info(
            'Halcyon is ready at %s with %s on the database %s. Press Ctrl-C to stop.',
            ', '.join(map(str, worker.sockets)),
            '1 worker' if worker.cfg.workers == 1 else f'{worker.cfg.workers} workers',
            settings.database,
        )


def worker_exit(server, worker):
    """Let a worker finish the mail that it is sending."""
    sender = getattr(worker, 'sender', None)
    if sender is not None:
        sender.stop()


def child_exit(server, worker):
    """Remove the gauges of a worker that has ended."""
    if settings.metrics:
        forget_process(worker.pid)


def on_exit(server):
    """Delete the directory of the metrics."""
    if settings.metrics:
        delete_directory()
    log.info('Halcyon has stopped.')
