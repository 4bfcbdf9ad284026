"""How gunicorn runs Halcyon: plain `gunicorn` starts it, the environment sets it."""

import os
import sys

from gunicorn.glogging import Logger

from service.config import SettingError, Settings
from service.database.errors import Unavailable
from service.domain.startup import prepare_database
from service.graceful_shutdown import PROCESS_SHUTDOWN
from service.logs import configure_logging
from service.metrics_multiprocess import create_directory, delete_directory, forget_process


class ForwardingLogger(Logger):
    """Makes gunicorn's own messages lines like all others; its access log stays off unless asked for."""

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


try:
    settings = Settings.from_environment(os.environ)
except SettingError as wrong:
    sys.exit(str(wrong))

wsgi_app = 'service.app:create_app()'
bind = f'0.0.0.0:{settings.port}'
# SQLite answers at once, so one thread does most of the work. Other databases are waited for, side by side.
worker_class = 'service.worker.LeaderWorker' if settings.database_url.startswith('sqlite') else 'gthread'
workers = settings.web_concurrency or os.cpu_count() or 1
threads = 8  # bcrypt lets go of the interpreter, so sign-ins leave room for other requests
reuse_port = True  # else kept-alive connections can all end up on one worker
keepalive = 15
graceful_timeout = settings.drain_seconds + 30
forwarded_allow_ips = ''  # forwarding headers are read by the application, from FORWARDED_ALLOW_IPS alone
control_socket_disable = True
logger_class = ForwardingLogger
configure_logging(settings.log_format)
if settings.metrics:
    create_directory()


def on_starting(server):
    """Make the tables before there are workers, and stop the start with one line where that fails."""
    try:
        prepare_database(settings)
    except (SettingError, Unavailable) as wrong:
        sys.exit(' '.join(str(wrong.__cause__ or wrong).split()))


def post_worker_init(worker):
    """Let a worker drain before it stops."""
    PROCESS_SHUTDOWN.install(settings.drain_seconds)


def child_exit(server, worker):
    """Let the connections of a worker that has ended count no more."""
    if settings.metrics:
        forget_process(worker.pid)


def on_exit(server):
    """Leave nothing behind."""
    if settings.metrics:
        delete_directory()
