"""Plain words: identifiers contain no ambiguous word, and no module docstring opens with a question word."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[1] / 'service'
FORBIDDEN = {'said', 'told', 'shown', 'several', 'made_up', 'given', 'known', 'nobody'}
QUESTION_WORDS = re.compile(r'(What|Who|How|Whether)\b')


@pytest.mark.parametrize('path', sorted(SERVICE.rglob('*.py')), ids=lambda path: '/'.join(path.parts[-2:]))
def test_a_module_uses_plain_words(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {path.stem} | {
        value
        for node in ast.walk(tree)
        for field in ('id', 'attr', 'arg', 'name', 'asname')
        if isinstance(value := getattr(node, field, None), str)
    }
    words = {name: f'_{re.sub("(?=[A-Z])", "_", name).lower()}_' for name in names}
    assert [name for name in sorted(names) if any(f'_{word}_' in words[name] for word in FORBIDDEN)] == []
    assert not QUESTION_WORDS.match(ast.get_docstring(tree) or '')
