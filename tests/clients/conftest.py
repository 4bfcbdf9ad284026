"""Shared fixtures: a real server, and the paths of the programs that the tests run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.server import Server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, which the ordinary suite does not include."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.clients)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path) as running:
        yield running


@pytest.fixture(scope='session')
def node() -> str:
    """Return the path of Node; the packages of the clients must be installed."""
    path = shutil.which('node')
    if path is None:
        _fail('Node is missing')
    if not (HERE / 'node_modules').is_dir():
        _fail('the packages of the clients are missing: npm ci in tests/clients')
    return path


@pytest.fixture(scope='session')
def chromium() -> str:
    """Return the path of Chromium."""
    return shutil.which('chromium') or _fail('Chromium is missing')


@pytest.fixture(scope='session')
def nginx() -> str:
    """Return the path of nginx."""
    path = shutil.which('nginx', path=f'{os.environ["PATH"]}:/usr/sbin')
    return path or _fail('nginx is missing')


def _fail(reason: str) -> NoReturn:
    pytest.fail(f'{reason}; .ci/clients installs it')
