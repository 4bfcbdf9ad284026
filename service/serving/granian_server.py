"""Running granian: its main process, and the application of its workers."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from service.app import create_app
from service.config import Settings, host_and_port, normal_origin
from service.graceful_shutdown import SharedFlag, Shutdown
from service.logs import abort, configure_logging
from service.mail.sender import Sender
from service.metrics_multiprocess import delete_directory
from service.representation.problem import Problem
from service.serving.listening import accepts_connections, address_of, raise_open_files
from service.serving.refusals import failed, rejected, response_to
from service.serving.start import SETTING, log_ready, prepare, prepare_worker, threads_of, workers_of

REQUIREMENT = 'granian==2.8.7'
APPLICATION = f'{__name__}:create_worker_application'
FINISH_SECONDS = 30  # for requests in flight when a worker stops
REPLACE_SECONDS = 2.0  # for a new worker to start, after SIGHUP, before an old one stops
POLL_SECONDS = 0.02
PARENT_SECONDS = 1.0  # between checks that the main process runs
LENGTH_REQUIRED = 'A body needs a Content-Length; this server accepts no body in chunks.'
# Without handlers, granian's messages reach the root logger, not standard output.
LOGGERS: dict[str, Any] = {'formatters': {}, 'handlers': {}, 'loggers': {'_granian': {'handlers': []}}}

log = logging.getLogger('service')


class Node:
    """The state that the main process shares with its workers, which are forked from it."""

    settings = Settings()  # replaced by run()
    shutdown = Shutdown(SharedFlag())


def run(settings: Settings) -> None:
    """Run granian until it is stopped."""
    configure_logging(settings.log_format)
    try:
        from granian import Granian
        from granian.constants import HTTPModes, Interfaces
        from granian.http import HTTP1Settings
        from granian.log import LogLevels
    except ImportError:
        abort(f'granian is not installed: .venv/bin/pip install {REQUIREMENT}', SETTING, settings.log_format)
    address = address_of(settings)
    prepare(settings, [address])
    host, port, path = (*address, None) if isinstance(address, tuple) else ('', 0, Path(address))
    if path is not None:
        path.unlink(missing_ok=True)  # granian does not replace it
    Node.settings = settings
    multiprocessing.set_start_method('fork', force=True)  # so that workers share the memory of Node
    server = Granian(
        APPLICATION,
        address=host,
        port=port,
        uds=path,
        uds_permissions=0o777,  # as gunicorn's
        interface=Interfaces.WSGI,
        factory=True,
        workers=workers_of(settings),
        blocking_threads=threads_of(settings),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.keep_alive * 1000),
        websockets=False,
        backpressure=raise_open_files(),
        log_level=LogLevels.error,
        log_dictconfig=LOGGERS,
        respawn_failed_workers=True,
        respawn_interval=REPLACE_SECONDS,
        workers_kill_timeout=FINISH_SECONDS,
    )
    server.on_startup(lambda: Node.shutdown.install(settings.drain_seconds, lambda: False))
    server.on_startup(threading.Thread(target=_log_when_ready, args=(settings,), daemon=True).start)
    if settings.metrics:
        server.on_shutdown(delete_directory)
    server.serve()
    log.info('Halcyon has stopped.')


def _log_when_ready(settings: Settings) -> None:
    """Log that the server is ready once it accepts connections."""
    while not accepts_connections(address_of(settings)):
        time.sleep(POLL_SECONDS)
    url = settings.bind if settings.socket_path else f'http://{settings.bind}'
    log_ready(settings, url, workers_of(settings))


def create_worker_application() -> 'Gateway':
    """Return the application of a worker, and start its threads; granian calls this after the fork."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until granian sets its handler; the inherited one drains
    os.setpgrp()  # Ctrl-C reaches only the main process, which stops the workers
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    for name in [name for name in os.environ if name.startswith('HTTP_')]:
        del os.environ[name]  # granian would pass it to the application as a header field of each request
    settings = Node.settings
    prepare_worker(settings)
    application = create_app(shutdown=Node.shutdown)
    if settings.mail_url is not None:
        sender = Sender(settings)
        sender.start()
        threading.Thread(target=_stop_at_exit, args=(sender,)).start()
    return Gateway(application, settings)


def _end_with(parent: int) -> None:
    """Stop this worker if the main process is killed; otherwise it would keep the port."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _stop_at_exit(sender: Sender) -> None:
    """Let a worker finish the email that it is sending; the process waits for this thread."""
    threading.main_thread().join()
    sender.stop()


class Gateway:
    """The application that granian calls: it adapts requests, and responds if the service cannot."""

    def __init__(self, application: Callable[..., Iterable[bytes]], settings: Settings) -> None:
        self._application = application
        self._settings = settings

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Respond to a request (PEP 3333)."""
        if environ['SERVER_PROTOCOL'] == 'HTTP/1':  # granian's name for 1.0, which requires no Host
            environ['SERVER_PROTOCOL'] = 'HTTP/1.0'
            if not environ['HTTP_HOST']:
                del environ['HTTP_HOST']
        if 'HTTP_TRANSFER_ENCODING' in environ:  # granian does not tell whether the chunks are complete
            refusal = rejected(Problem('length-required', LENGTH_REQUIRED), 'a body in chunks')
        else:
            try:
                return self._application(environ, start_response)
            except BaseException as error:  # granian would log its message, which may quote the request
                refusal = failed(error)
        status, fields, body = response_to(refusal, _origin_of(environ), self._settings)
        start_response(status, list(fields.items()))
        return [body]


def _origin_of(environ: dict[str, Any]) -> str:
    """Return the origin of the address that granian listens on; http://localhost for a unix socket."""
    try:
        return normal_origin('http', host_and_port(environ['SERVER_NAME'], environ['SERVER_PORT']))
    except ValueError:
        return 'http://localhost'
