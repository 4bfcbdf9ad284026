"""The one writer of log lines: text or JSON, one line for one record, whatever is in it."""

import json
import logging
import time
from typing import Any


class TextFormatter(logging.Formatter):
    """Writes a record as a line of text; a traceback follows on lines of its own."""

    converter = time.gmtime  # type: ignore[assignment]  # as logging's manual has it
    default_msec_format = '%s.%03d'

    def __init__(self) -> None:
        super().__init__('%(asctime)s %(levelname)s %(name)s[%(process)d] %(message)s')

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the name is logging's)
        record.message = ''.join(
            character if character.isprintable() else character.encode('unicode_escape').decode()
            for character in record.message
        )
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        members: dict[str, Any] = {
            'time': time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))
            + f'.{int(record.msecs):03}Z',
            'level': record.levelname,
            'logger': record.name,
            'process': record.process,
            'message': record.getMessage(),
        }
        if record.exc_info:
            members['traceback'] = self.formatException(record.exc_info)
        return json.dumps(members)


FORMATTERS = {'text': TextFormatter, 'json': JsonFormatter}


def configure_logging(log_format: str) -> None:
    """Send everything to standard error in the format `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[log_format]())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
