"""The conformance kit's rules for single responses, applied to the responses and documents of tests."""

from __future__ import annotations

import json
import re
from typing import Any

from service.conformance.exchange import Exchange, Request, Response
from service.conformance.suite import check_exchange
from tests.accepted_violations import ACCEPTED_VIOLATIONS

URL = 'http://halcyon.test/api'
_VARIABLE_PARTS = re.compile(r'[0-9]+|hc_[\w-]+')  # ids, times and secrets
_checked: set[Any] = set()


def mask_variable_parts(text: str) -> str:
    """Return the text with its ids, times and secrets masked, so that similar texts are checked once."""
    return _VARIABLE_PARTS.sub('0', text)


def assert_conformant(document: Any, media_type: str, *families: str, status: int = 200) -> None:
    """Assert that a JSON document satisfies the rules of these families."""
    assert_text_conformant(json.dumps(document), media_type, *families, status=status)


def assert_text_conformant(text: str, media_type: str, *families: str, status: int = 200) -> None:
    """Assert that a text satisfies the rules of these families; similar texts are checked once."""
    key = (media_type, families, status, mask_variable_parts(text))
    if key not in _checked:
        response = Response(status, (('Content-Type', media_type),), text.encode(errors='surrogatepass'))
        assert violations(Exchange(Request('GET', URL), response, 'test'), *families) == []
        _checked.add(key)


def violations(exchange: Exchange, *families: str) -> list[str]:
    """Return the kit's findings in the exchange, except those that Halcyon accepts."""
    return [
        f'{finding.rule.id} at {finding.fault.where}: {finding.fault.message}'
        for finding in check_exchange(exchange, families)
        if finding.rule.id not in ACCEPTED_VIOLATIONS
    ]
