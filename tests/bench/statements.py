"""How many SQL statements a request takes, counted in this process."""

from typing import Any
from urllib.parse import urlsplit

import falcon.testing

from service.app import create_app
from service.config import Settings
from tests.bench.load import Case

_BRACKETS = ('BEGIN', 'COMMIT')


class StatementCounter:
    """Counts what the database of a request runs; the brackets of a transaction are not counted."""

    def __init__(self, settings: Settings) -> None:
        self.count = 0
        self._app: Any = create_app(settings)
        self._app.add_middleware(self)

    def process_request(self, req: Any, resp: Any) -> None:
        """Have the engine tell what it runs."""
        req.db.engine.query_hooks[:] = [self._note]

    def _note(self, run: Any) -> None:
        self.count += not run.sql.startswith(_BRACKETS)

    def of(self, case: Case) -> int:
        """Return how many statements the case takes, when it has been asked before."""
        parts = urlsplit(case.href)
        for _ in range(2):
            self.count = 0
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
        return self.count
