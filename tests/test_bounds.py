"""Bounds: what a stranger sends is bounded before it costs anything, and no pattern can be made to run on."""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import json
import pkgutil
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from re import _constants as codes
from re import _parser as parser
from typing import Any

import pytest

import service
from service.domain.text import MAX_NORMALIZED_LENGTH, normalize
from service.http.forwarded import read_forwarded
from service.http.middleware.guards import MAX_FIELD_LENGTH
from service.representation import formats
from service.representation.action import Action
from tests.client import Client, assert_problem
from tests.routes import routes

pytestmark = pytest.mark.above_databases

JSON = {'Content-Type': 'application/json'}
MARKS = '\u0316\u0301' * 16_000  # two marks in the wrong order, as often as a body has room for
COMPOSED = 4  # code points make one at most, in normalization form C (UAX #15 §13)
NAMES = (
    'Accept', 'Content-Type', 'If-Match', 'If-None-Match', 'Idempotency-Key', 'Authorization', 'Origin',
    'Forwarded', 'X-Forwarded-For', 'User-Agent', 'X-Whatever',
)  # fmt: skip


@pytest.mark.parametrize('name', NAMES)
def test_a_header_field_that_is_too_long_is_refused(ada: Client, name: str) -> None:
    assert_problem(ada.get('/api', headers={name: 'a' * (MAX_FIELD_LENGTH + 1)}), 400)


def test_a_header_field_may_be_as_long_as_a_line(ada: Client) -> None:
    assert ada.get('/api', headers={'X-Whatever': 'a' * MAX_FIELD_LENGTH}).status == 200


def test_what_is_remembered_of_headers_does_not_grow_with_them(client: Client) -> None:
    def remembered() -> int:
        return formats._cached_choice.cache_info().currsize

    before = remembered()
    client.get('/api', accept='a/b,' * 1000 + '*/*')
    assert remembered() == before
    client.get('/api', accept=f'a/{secrets.token_hex()}, */*')
    assert remembered() in (before + 1, 1024)


def test_whatever_is_remembered_is_bounded(app: Any) -> None:
    remembering = [one for one in gc.get_objects() if type(one) is functools._lru_cache_wrapper]
    own = [one for one in remembering if one.__module__.startswith('service.')]
    assert len(own) > 5
    boundless = [one for one in own if not one.cache_parameters()['maxsize']]
    assert [(one.__module__, one.__qualname__) for one in boundless] == []


def actions(app: Any) -> Iterator[Action]:
    """Yield every Action that reads something."""
    for _, resource in routes(app):
        yield from (operation.form for operation in resource.operations.values() if operation.form)


def test_no_field_takes_a_text_that_would_not_be_normalized(app: Any) -> None:
    lengths = [field.max_length or 0 for action in actions(app) for field in action.fields]
    assert 0 < max(lengths) * COMPOSED <= MAX_NORMALIZED_LENGTH


def test_only_text_that_can_be_kept_is_normalized() -> None:
    assert normalize('e\u0301' * (MAX_NORMALIZED_LENGTH // 2)) == 'é' * (MAX_NORMALIZED_LENGTH // 2)
    assert normalize(MARKS) == MARKS


@pytest.mark.parametrize(
    ('address', 'name', 'status'),
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
def test_a_body_full_of_marks_is_refused(ada: Client, address: str, name: str, status: int) -> None:
    person = {'username': 'eve', 'email': 'eve@example.org', 'password': 'correct horse'}
    body = json.dumps(person | {name: MARKS}, ensure_ascii=False).encode()
    answer = ada.request('POST', address, headers=JSON, body=body)
    assert_problem(answer, status, *([f'#/{name}'] if status == 400 else []))


def test_spaces_around_a_text_do_not_keep_it_from_being_normalized(ada: Client) -> None:
    assert ada.publish(' ' * 60_000 + 'e\u0301').state['body'] == 'é'


@pytest.mark.parametrize('header', [' ' * 8000 + 'x', 'a' * 8000, ';' * 8000 + 'x', 'x' + ' ' * 8000])
def test_a_forwarded_header_that_is_none_says_nothing(header: str) -> None:
    assert read_forwarded(header) == []


def patterns() -> Iterator[tuple[str, str]]:
    """Yield where a pattern is, and the pattern: those with a name, and those in a call."""
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


def runs_on(parsed: Any, *, repeated: bool = False) -> bool:
    """Whether a repetition without end stands in another, and both can be taken back: exponential time."""
    for code, argument in parsed:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            unbounded = argument[1] is codes.MAXREPEAT
            if (unbounded and repeated) or runs_on(argument[2], repeated=repeated or unbounded):
                return True
        elif code is codes.POSSESSIVE_REPEAT:
            if runs_on(argument[2]):
                return True
        elif code is codes.SUBPATTERN:
            if runs_on(argument[3], repeated=repeated):
                return True
        elif code is codes.BRANCH and any(runs_on(branch, repeated=repeated) for branch in argument[1]):
            return True
    return False


def test_no_pattern_can_be_made_to_run_on(app: Any) -> None:
    fields = {
        (f'{action.name}.{field.name}', field.regex or '')
        for action in actions(app)
        for field in action.fields
    }
    found = {*patterns(), *fields}
    assert len(found) > 40
    assert [where for where, pattern in sorted(found) if runs_on(parser.parse(pattern))] == []


@pytest.mark.parametrize('pattern', [r'(a+)+', r'(?:a|b*)*c', r'((?:x?a+)b?)+', r'(?:a*?b?)*'])
def test_one_that_can_is_found(pattern: str) -> None:
    assert runs_on(parser.parse(pattern))
