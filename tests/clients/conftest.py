"""A real server, and the programs that the tests run."""

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
    """Mark the tests of this folder: they run by themselves."""
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
    found = shutil.which('node')
    if found is None:
        _miss('Node is missing')
    if not (HERE / 'node_modules').is_dir():
        _miss("the clients' packages are missing: npm ci in tests/clients")
    return found


@pytest.fixture(scope='session')
def chromium() -> str:
    """Return the path of Chromium."""
    return shutil.which('chromium') or _miss('Chromium is missing')


@pytest.fixture(scope='session')
def nginx() -> str:
    """Return the path of nginx."""
    found = shutil.which('nginx', path=f'{os.environ["PATH"]}:/usr/sbin')
    return found or _miss('nginx is missing')


def _miss(what: str) -> NoReturn:
    pytest.fail(f'{what}; .ci/clients installs it')
