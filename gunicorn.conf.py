"""Configuration of gunicorn, which loads this file by default; settings come from the environment."""

import logging
import os
import signal

from gunicorn.glogging import Logger

from service.graceful_shutdown import GENERATIONS, PROCESS_SHUTDOWN
from service.logs import configure_logging
from service.mail.sender import Sender
from service.metrics_multiprocess import delete_directory
from service.serving.gunicorn_worker import Worker
from service.serving.listening import raise_open_files
from service.serving.start import (
    log_ready,
    prepare,
    prepare_worker,
    read_settings,
    threads_of,
    workers_of,
)

log = logging.getLogger('service')


class ForwardingLogger(Logger):
    """Forwards gunicorn's own messages to the root logger; its access log stays off unless configured."""

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


settings = read_settings()
wsgi_app = 'service.app:create_app()'
bind = settings.bind
worker_class = Worker
Worker.settings = settings
workers = workers_of(settings)
threads = threads_of(settings)
worker_connections = raise_open_files()
keepalive = settings.keep_alive
graceful_timeout = settings.drain_seconds + 30
http_parser = 'python'  # the parser in C, which `auto` uses if it is installed, accepts malformed requests
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
    inherits_sockets = 'GUNICORN_FD' in os.environ or os.environ.get('LISTEN_PID') == str(os.getpid())
    prepare(settings, () if inherits_sockets else server.address)


def on_reload(server):
    """Tell the workers that new ones replace them."""
    GENERATIONS.replace(server.worker_age)


def pre_exec(server):
    """Tell the workers that those of a new master replace them."""
    GENERATIONS.replace(server.worker_age)


def post_fork(server, worker):
    """Turn metrics off in a worker that cannot allocate its files."""
    prepare_worker(settings)


def post_worker_init(worker):
    """Prepare the graceful shutdown and the mail of the worker; the first one logs that it is ready."""
    PROCESS_SHUTDOWN.install(settings.drain_seconds, lambda: GENERATIONS.is_replaced(worker.age))
    signal.siginterrupt(signal.SIGTERM, False)  # as gunicorn sets it; replacing the handler has reset it
    if settings.mail_url is not None:
        worker.sender = Sender(settings)
        worker.sender.start()
    if worker.age == 1:
        log_ready(settings, ', '.join(map(str, worker.sockets)), worker.cfg.workers)


def worker_exit(server, worker):
    """Let the worker finish the mail that it is sending."""
    sender = getattr(worker, 'sender', None)
    if sender is not None:
        sender.stop()


def on_exit(server):
    """Delete the directory of the metrics."""
    if settings.metrics:
        delete_directory()
    log.info('Halcyon has stopped.')
