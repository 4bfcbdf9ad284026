"""The kit checks malformed documents and fields without raising an exception."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from service.conformance.exchange import Request, Response
from tests.conformance_kit.faults import with_body
from tests.conformance_kit.reference_server import ReferenceServer, dump
from tests.conformance_kit.test_rules import run_kit

pytestmark = pytest.mark.above_databases

UNEXPECTED: tuple[Any, ...] = (None, [], {}, '', 'a', 0, True, [None], [[]], {'a': None}, 'http://[')


def corrupt(value: Any, generator: random.Random) -> Any:
    """Return the value with some of its parts replaced."""
    if generator.random() < 0.02:
        return generator.choice(UNEXPECTED)
    if isinstance(value, dict):
        return {name: corrupt(inner, generator) for name, inner in value.items()}
    return [corrupt(inner, generator) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize('seed', range(25))
def test_malformed_documents_cause_findings_but_no_exception(seed: int) -> None:
    server, generator = ReferenceServer(), random.Random(seed)

    def malformed(request: Request) -> Response:
        response = server(request)
        if not response.is_json or not response.is_whole:
            return response
        return with_body(response, dump(corrupt(json.loads(response.body), generator)))

    assert run_kit(malformed).failed


@pytest.mark.parametrize(
    'name', ['Content-Type', 'ETag', 'Link', 'Allow', 'Location', 'Vary', 'Cache-Control']
)
@pytest.mark.parametrize('value', ['', ',', '"', '<', '\x80;', 'a' * 5000, 'http://['])
def test_malformed_fields_cause_no_exception(name: str, value: str) -> None:
    server = ReferenceServer()

    def malformed(request: Request) -> Response:
        response = server(request)
        fields = tuple((other, value if other == name else text) for other, text in response.headers)
        return Response(response.status, fields, response.body)

    assert run_kit(malformed, 'http').results
