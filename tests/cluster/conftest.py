"""Shared fixtures: a folder that database servers can access, scenarios, and the table of their results."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.load import Row, table
from tests.cluster.programs import Missing
from tests.cluster.scenarios import Scenario
from tests.examples import IS_CI

ROWS = pytest.StashKey[list[Row]]()
FIGURES = pytest.StashKey[list[str]]()
HAS_FAILED = pytest.StashKey[bool]()
SECONDS = 9.0


@contextmanager
def skip_if_missing() -> Iterator[None]:
    """Skip the test if the block raises Missing, except in CI."""
    try:
        yield
    except Missing as missing:
        if IS_CI:
            raise
        pytest.skip(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record whether the test has failed."""
    report = yield
    item.stash[HAS_FAILED] = report.failed
    return report


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that other operating-system users can traverse; it is kept if the test fails."""
    path = Path(tempfile.mkdtemp(prefix='halcyon-cluster-'))
    path.chmod(0o755)
    yield path
    if not request.node.stash[HAS_FAILED]:
        shutil.rmtree(path)


@pytest.fixture
def run_scenario(folder: Path, pytestconfig: pytest.Config) -> Callable[[Scenario], Row]:
    """Return a function that runs a scenario, records its row for the table, and returns it."""

    def run(scenario: Scenario) -> Row:
        with skip_if_missing():
            row = scenario(folder, SECONDS)
        pytestconfig.stash.setdefault(ROWS, []).append(row)
        return row

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table and other figures."""
    rows = config.stash.get(ROWS, [])
    if rows:
        terminalreporter.write_line('\n' + table(rows))
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)
