"""Configuration of gunicorn, which reads this file by itself; the settings come from the environment."""

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
    """Forwards gunicorn's own messages to the root logger; its access log stays off unless configured."""

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


try:
    settings = Settings.from_environment(os.environ)
except SettingError as error:
    sys.exit(str(error))

wsgi_app = 'service.app:create_app()'
bind = f'0.0.0.0:{settings.port}'
# SQLite does not block for long, so one thread does most of the work; other databases need concurrent waits.
worker_class = 'service.worker.LeaderWorker' if settings.database_url.startswith('sqlite') else 'gthread'
workers = settings.web_concurrency or os.cpu_count() or 1
threads = 8  # bcrypt releases the GIL, so other requests proceed during a sign-in
reuse_port = True  # otherwise all kept-alive connections can end up on one worker
keepalive = 15
graceful_timeout = settings.drain_seconds + 30
forwarded_allow_ips = ''  # forwarding headers are parsed by the application, according to FORWARDED_ALLOW_IPS
control_socket_disable = True
logger_class = ForwardingLogger
configure_logging(settings.log_format)
if settings.metrics:
    create_directory()


def on_starting(server):
    """Create the schema before any worker starts; a failure aborts startup with one line."""
    try:
        prepare_database(settings)
    except (SettingError, Unavailable) as error:
        sys.exit(' '.join(str(error.__cause__ or error).split()))


def post_worker_init(worker):
    """Have a worker report "not ready" for a while before it stops."""
    PROCESS_SHUTDOWN.install(settings.drain_seconds)


def child_exit(server, worker):
    """Remove the gauges of a worker that has ended."""
    if settings.metrics:
        forget_process(worker.pid)


def on_exit(server):
    """Delete the directory of the metrics."""
    if settings.metrics:
        delete_directory()
