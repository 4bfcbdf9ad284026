"""Limits on the cost of input: lengths, caches, normalization and regular expressions."""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import io
import json
import pkgutil
import re
import secrets
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import service
from service.domain.text import MAX_NORMALIZED_LENGTH, normalize
from service.http.content_coding import accepts_gzip
from service.http.forwarded import read_forwarded
from service.representation.action import Action
from service.representation.formats import choose_format
from service.representation.media_types import MAX_FIELD_LENGTH, parse_media_type
from tests.client import JSON, JSON_API, Client, assert_problem, new_user
from tests.routes import routes

pytestmark = pytest.mark.above_databases

LRU_CACHE = type(functools.cache(len))
COMBINING_MARKS = '\u0316\u0301' * 16_000  # in the wrong order, up to the maximum size of a body
MAX_COMPOSED = 4  # the maximum number of code points that NFC composes into one (UAX #15 §13)
HEADER_NAMES = (
    'Accept', 'Content-Type', 'If-Match', 'If-None-Match', 'Idempotency-Key', 'Authorization', 'Origin',
    'Forwarded', 'X-Forwarded-For', 'User-Agent', 'X-Whatever',
)  # fmt: skip


@pytest.mark.parametrize('name', HEADER_NAMES)
def test_a_header_field_that_is_too_long_is_rejected(ada: Client, name: str) -> None:
    assert_problem(ada.get('/api', headers={name: 'a' * (MAX_FIELD_LENGTH + 1)}), 400)


def test_a_header_field_of_the_maximum_length_is_accepted(ada: Client) -> None:
    assert ada.get('/api', headers={'X-Whatever': 'a' * MAX_FIELD_LENGTH}).status == 200


def test_an_oversized_accept_field_is_not_parsed(client: Client) -> None:
    """Parsing a field of 120 KB, to choose the format of the error, took 0.2 s."""
    accept = f'{JSON_API}, ' + 'a/b;c=d, ' * 2000
    assert client.get('/api', accept=accept[:MAX_FIELD_LENGTH]).content_type == JSON_API
    assert_problem(client.get('/api', accept=accept), 400)


@pytest.mark.parametrize('name', ['Accept', 'Accept-Encoding', 'Content-Type'])
def test_long_header_values_are_not_cached(ada: Client, name: str) -> None:
    def count_cached() -> int:
        modules = {parse_media_type.__module__, choose_format.__module__, accepts_gzip.__module__}
        caches = [item for item in gc.get_objects() if type(item) is LRU_CACHE]
        return sum(cache.cache_info().currsize for cache in caches if cache.__module__ in modules)

    def send(value: str) -> None:
        ada.get('/api', **({'accept': value} if name == 'Accept' else {'headers': {name: value}}))

    send('text/html')
    before = count_cached()
    send(f'{secrets.token_hex()}/b;' + 'c=d;' * 1000)
    assert count_cached() == before
    send(f'{secrets.token_hex()}/b')
    assert count_cached() > before


def test_every_cache_is_bounded(app: Any) -> None:
    caches = [item for item in gc.get_objects() if type(item) is LRU_CACHE]
    own = [cache for cache in caches if cache.__module__.startswith('service.')]
    assert len(own) > 5
    unbounded = [cache for cache in own if not cache.cache_parameters()['maxsize']]
    assert [(cache.__module__, cache.__qualname__) for cache in unbounded] == []


def actions(app: Any) -> Iterator[Action]:
    """Yield every Action with fields."""
    for _, resource in routes(app):
        yield from (operation.form for operation in resource.operations.values() if operation.form)


def test_every_accepted_text_is_normalized(app: Any) -> None:
    lengths = [field.max_length or 0 for action in actions(app) for field in action.fields]
    assert 0 < max(lengths) * MAX_COMPOSED <= MAX_NORMALIZED_LENGTH


def test_text_that_is_too_long_is_not_normalized() -> None:
    assert normalize('e\u0301' * (MAX_NORMALIZED_LENGTH // 2)) == 'é' * (MAX_NORMALIZED_LENGTH // 2)
    assert normalize(COMBINING_MARKS) == COMBINING_MARKS


@pytest.mark.parametrize(
    ('url', 'name', 'status'),
    [
        ('/api/users', 'username', 400),
        ('/api/users', 'email', 400),
        ('/api/users', 'password', 400),
        ('/api/users', 'about_me', 400),
        ('/api/posts', 'body', 400),
        ('/api/stores', 'name', 400),
        ('/api/tokens', 'username', 401),
        ('/api/tokens', 'password', 401),
    ],
)
def test_a_body_of_combining_marks_is_rejected(ada: Client, url: str, name: str, status: int) -> None:
    body = json.dumps(new_user() | {name: COMBINING_MARKS}, ensure_ascii=False).encode()
    response = ada.request('POST', url, headers={'Content-Type': JSON}, body=body)
    assert_problem(response, status, *([f'#/{name}'] if status == 400 else []))


def test_text_is_normalized_despite_surrounding_spaces(ada: Client) -> None:
    assert ada.publish(' ' * 60_000 + 'e\u0301').json['body'] == 'é'


@pytest.mark.parametrize('header', [' ' * 8000 + 'x', 'a' * 8000, ';' * 8000 + 'x', 'x' + ' ' * 8000])
def test_a_malformed_forwarded_header_is_ignored(header: str) -> None:
    assert read_forwarded(header) == []


def patterns() -> Iterator[tuple[str, str]]:
    """Yield the location and the text of every pattern: module constants, and literals in calls of re."""
    for module in pkgutil.walk_packages(service.__path__, 'service.'):
        if not module.name.endswith('__main__'):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    yield f'{module.name}.{name}', value.pattern
    for path in Path(service.__path__[0]).rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name('re')), args=[ast.Constant(pattern), *_]):
                    yield f'{path.name}:{node.lineno}', pattern


def nests_repetitions(pattern: str) -> bool:
    """Return whether unbounded repetitions that backtrack are nested, which can take exponential time."""
    with redirect_stdout(io.StringIO()) as output:
        re.compile(pattern, re.DEBUG)  # prints the parsed expression, indented, and then its code
    enclosing: list[tuple[int, bool]] = []  # indentation of enclosing repetitions, and whether they backtrack
    for line in output.getvalue().partition('\n\n')[0].splitlines():
        depth = len(line) - len(line.lstrip())
        enclosing = [
            (outer_depth, backtracks) for outer_depth, backtracks in enclosing if outer_depth < depth
        ]
        match line.split():
            case ['POSSESSIVE_REPEAT', *_]:
                enclosing.append((depth, False))
            case ['MAX_REPEAT' | 'MIN_REPEAT', _, 'MAXREPEAT']:
                if enclosing and enclosing[-1][1]:
                    return True
                enclosing.append((depth, True))
    return False


def test_no_regular_expression_backtracks_exponentially(app: Any) -> None:
    fields = {
        (f'{action.name}.{field.name}', field.regex or '')
        for action in actions(app)
        for field in action.fields
    }
    distinct = {*patterns(), *fields}
    assert len(distinct) > 40
    assert [location for location, pattern in sorted(distinct) if nests_repetitions(pattern)] == []


@pytest.mark.parametrize('pattern', [r'(a+)+', r'(?:a|b*)*c', r'((?:x?a+)b?)+', r'(?:a*?b?)*', r'(?:a*+b*)+'])
def test_a_backtracking_regular_expression_is_detected(pattern: str) -> None:
    assert nests_repetitions(pattern)
