"""Golden files: recorded text that a result must equal.

A test that fails shows the difference. Where the difference is intended, record the new text with
`GOLDEN=write .venv/bin/python -m pytest tests/test_x.py`, and review what `git diff` shows.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

import pytest

IS_WRITING = os.environ.get('GOLDEN') == 'write'


def check_golden(path: Path, text: str) -> None:
    """Fail with a unified diff unless the text equals the recorded one; GOLDEN=write records it instead."""
    if IS_WRITING:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    recorded = path.read_text() if path.exists() else ''
    if text != recorded:
        diff = unified_diff(recorded.splitlines(), text.splitlines(), 'recorded', 'now', lineterm='')
        pytest.fail('\n'.join([f'{path.name} differs; GOLDEN=write records it.', *diff]), pytrace=False)
