"""Counting the SQL statements of a request, by an application in this process."""

from typing import Any
from urllib.parse import urlsplit

import falcon.testing

from service.app import create_app
from service.config import Settings
from service.domain.startup import open_session
from tests.bench.load import Case

_NOT_COUNTED = ('BEGIN', 'COMMIT')


class StatementCounter:
    """Counts the SQL statements of a request, without BEGIN and COMMIT."""

    def __init__(self, settings: Settings) -> None:
        self._number = 0
        self._session = open_session(settings)
        self._app: Any = create_app(settings, db=self._session)
        self._app.add_middleware(self)

    def close(self) -> None:
        """Close the connection to the database, so that the database can be dropped."""
        self._session.close()

    def process_request(self, req: Any, resp: Any) -> None:
        """Count the statements of this request."""
        req.db.engine.query_hooks[:] = [self._count]

    def _count(self, run: Any) -> None:
        self._number += not run.sql.startswith(_NOT_COUNTED)

    def count(self, case: Case) -> int:
        """Send the request of a case twice, and return the number of statements of the second."""
        parts = urlsplit(case.href)
        for _ in range(2):
            self._number = 0
            falcon.testing.simulate_request(
                self._app,
                case.method,
                parts.path,
                query_string=parts.query,
                headers=dict(case.headers),
                body=case.body and case.body.replace('{n}', 'counted'),
                host=parts.hostname or '',
                port=parts.port,
            )
        return self._number
