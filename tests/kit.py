"""The conformance kit's rules about single responses, for the responses and documents of tests."""

from __future__ import annotations

import json
from typing import Any

from service.conformance.exchange import Exchange, Request, Response
from service.conformance.suite import check_exchange
from tests.expected import EXPECTED

URL = 'http://halcyon.test/api'


def assert_conformant(document: Any, media_type: str, *families: str, status: int = 200) -> None:
    """Assert that a document keeps the rules of these families."""
    response = Response(status, (('Content-Type', media_type),), json.dumps(document).encode())
    assert violations(Exchange(Request('GET', URL), response, 'test'), *families) == []


def violations(exchange: Exchange, *families: str) -> list[str]:
    """Return what the kit finds in the exchange, but for what is expected of Halcyon."""
    return [
        f'{finding.rule.id} at {finding.fault.where}: {finding.fault.message}'
        for finding in check_exchange(exchange, families)
        if finding.rule.id not in EXPECTED
    ]
