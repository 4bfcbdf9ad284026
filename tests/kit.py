"""The conformance kit's rules about single responses, for the responses and documents of tests."""

from __future__ import annotations

import json
import re
from typing import Any

from service.conformance.exchange import Exchange, Request, Response
from service.conformance.suite import check_exchange
from tests.expected import EXPECTED

URL = 'http://halcyon.test/api'
_VARYING = re.compile(r'[0-9]+|hc_[\w-]+')  # what differs from test to test: ids, times and secrets
_checked: set[Any] = set()


def without_numbers(text: str) -> str:
    """Return the text without what differs from test to test; texts that are then equal are judged once."""
    return _VARYING.sub('0', text)


def assert_conformant(document: Any, media_type: str, *families: str, status: int = 200) -> None:
    """Assert that a document keeps the rules of these families."""
    text = json.dumps(document)
    key = (media_type, families, status, without_numbers(text))
    if key not in _checked:
        response = Response(status, (('Content-Type', media_type),), text.encode())
        assert violations(Exchange(Request('GET', URL), response, 'test'), *families) == []
        _checked.add(key)


def violations(exchange: Exchange, *families: str) -> list[str]:
    """Return what the kit finds in the exchange, but for what is expected of Halcyon."""
    return [
        f'{finding.rule.id} at {finding.fault.where}: {finding.fault.message}'
        for finding in check_exchange(exchange, families)
        if finding.rule.id not in EXPECTED
    ]
