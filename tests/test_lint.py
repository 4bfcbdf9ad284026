"""The HTTP linter checks every response, and each accepted finding has a reason."""

from typing import Any

import falcon
import falcon.testing
import pytest

from tests.client import Client
from tests.lint import ACCEPTED, httplint_findings

pytestmark = pytest.mark.above_databases


class InvalidResource:
    """A resource whose responses have an invalid Cache-Control field."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {}
        resp.set_header('Cache-Control', 'max-age=never')


@pytest.fixture
def invalid_result() -> Any:
    app = falcon.App()
    app.add_route('/', InvalidResource())
    return falcon.testing.simulate_get(app, '/')


def test_the_linter_reports_errors(invalid_result: Any) -> None:
    reported = httplint_findings('GET', 'http://a/', {}, invalid_result)
    assert any(finding.startswith('CC_BAD_VALUE_TYPE') for finding in reported)


def test_every_response_is_linted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    linted: list[str] = []
    monkeypatch.setattr('tests.client.lint', lambda method, *_: linted.append(method))
    client.entry()
    assert linted == ['GET']


def test_every_accepted_finding_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in ACCEPTED.values())
