"""The kit judges malformed documents and fields without failing itself."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from service.conformance.exchange import Request, Response
from tests.conformance_kit.exemplary import Exemplary, dump
from tests.conformance_kit.faults import with_body
from tests.conformance_kit.test_rules import judge

pytestmark = pytest.mark.above_databases

STRANGE: tuple[Any, ...] = (None, [], {}, '', 'a', 0, True, [None], [[]], {'a': None}, 'http://[')


def spoil(value: Any, chance: random.Random) -> Any:
    """Return the value with some of its parts replaced."""
    if chance.random() < 0.02:
        return chance.choice(STRANGE)
    if isinstance(value, dict):
        return {name: spoil(inner, chance) for name, inner in value.items()}
    return [spoil(inner, chance) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize('seed', range(25))
def test_no_document_makes_the_kit_fail(seed: int) -> None:
    server, chance = Exemplary(), random.Random(seed)

    def strange(request: Request) -> Response:
        response = server(request)
        if not response.is_json or not response.is_whole:
            return response
        return with_body(response, dump(spoil(json.loads(response.body), chance)))

    assert judge(strange).failed


@pytest.mark.parametrize(
    'name', ['Content-Type', 'ETag', 'Link', 'Allow', 'Location', 'Vary', 'Cache-Control']
)
@pytest.mark.parametrize('value', ['', ',', '"', '<', '\x80;', 'a' * 5000, 'http://['])
def test_no_field_makes_the_kit_fail(name: str, value: str) -> None:
    server = Exemplary()

    def strange(request: Request) -> Response:
        response = server(request)
        fields = tuple((other, value if other == name else text) for other, text in response.headers)
        return Response(response.status, fields, response.body)

    assert judge(strange, 'http').results
