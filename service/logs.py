"""Logging: text or JSON, one line for each record; in text, a traceback takes further lines."""

import json
import logging
import os
import socket
import sys
import time
from functools import lru_cache
from typing import Any, NoReturn, TextIO

NODE = socket.gethostname()
REQUEST_LOGGER = 'service.requests'

_quote = json.JSONEncoder().encode


def printable(text: str) -> str:
    """Return the text with unprintable characters escaped, such as newlines."""
    if text.isprintable():
        return text
    return ''.join(
        character if character.isprintable() else character.encode('unicode_escape').decode()
        for character in text
    )


def format_time(seconds: float) -> str:
    """Return a Unix time as ISO 8601 in UTC, with milliseconds."""
    second, milliseconds = divmod(round(seconds * 1000), 1000)
    return f'{_format_second(second)}.{milliseconds:03}Z'


@lru_cache(maxsize=4)
def _format_second(second: int) -> str:
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))


class TextFormatter(logging.Formatter):
    """Formats a record as a line of text; the lines of a traceback follow, indented."""

    def __init__(self) -> None:
        super().__init__(
            '%(asctime)s %(levelname)s %(node)s %(name)s[%(process)d] %(message)s', defaults={'node': NODE}
        )

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 (name of logging)
        return format_time(record.created)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (name of logging)
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (name of logging)
        return '\n'.join(f'  {printable(line)}' for line in super().formatException(ei).split('\n'))


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        members: dict[str, Any] = {
            'time': format_time(record.created),
            'level': record.levelname,
            'node': NODE,
            'logger': record.name,
            'process': record.process,
            'message': record.getMessage(),
        }
        if record.exc_info:
            members['traceback'] = self.formatException(record.exc_info)
        return json.dumps(members)


class RequestLog:
    """Writes a line for each request, in the layout of the formatters.

    The logging module takes 10 to 15 µs for a record; this takes 4. `lines` must be line-buffered, as
    standard error is.
    """

    def __init__(self, log_format: str, lines: TextIO) -> None:
        self._is_json = log_format == 'json'
        self._lines = lines

    def write(
        self, method: str, path: str, status: int, seconds: float, viewer_id: int | None, request_id: str
    ) -> None:
        """Write the line at once; if that fails, the request is not affected."""
        now, process, milliseconds = format_time(time.time()), os.getpid(), f'{seconds * 1000:.1f}'
        if self._is_json:
            line = (
                f'{{"time": "{now}", "level": "INFO", "node": {_quote(NODE)}, '
                f'"logger": "{REQUEST_LOGGER}", "process": {process}, "method": {_quote(method)}, '
                f'"path": {_quote(path)}, "status": {status}, "ms": {milliseconds}, '
                f'"viewer": {viewer_id or "null"}, "request": {_quote(request_id)}}}\n'
            )
        else:
            message = printable(
                f'{method} {path} {status} {milliseconds} ms viewer={viewer_id or "-"} request={request_id}'
            )
            line = f'{now} INFO {NODE} {REQUEST_LOGGER}[{process}] {message}\n'
        try:  # noqa: SIM105 (suppress() takes as long as formatting the time)
            self._lines.write(line)
        except OSError:
            pass


FORMATTERS = {'text': TextFormatter, 'json': JsonFormatter}


def configure_logging(log_format: str) -> None:
    """Log everything to standard error, in the format `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[log_format]())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def abort(line: str, code: int, log_format: str) -> NoReturn:
    """End the process with one line on standard error, as JSON if the log is JSON."""
    line = printable(' '.join(line.split()))
    if log_format.strip().lower() == 'json':
        configure_logging('json')
        logging.getLogger('service').critical(line)
    else:
        sys.stderr.write(f'{line}\n')
    sys.exit(code)
