"""Slow clients: the load balancer keeps them from delaying others."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.cluster.conftest import FIGURES, skip_if_missing
from tests.cluster.deployment import three_nodes
from tests.cluster.programs import Balancer
from tests.cluster.slow import BODY, HEADER, SlowClients

pytestmark = pytest.mark.cluster
SECONDS = 8  # longer than the balancer's timeout for receiving a request
MAX_MEDIAN_SECONDS = 0.1


@pytest.fixture
def balancer(folder: Path) -> Iterator[Balancer]:
    """Three nodes behind a balancer that is configured as in service/OPERATIONS.md."""
    with skip_if_missing(), three_nodes(folder, f'sqlite:///{folder}/halcyon.db') as deployment:
        yield deployment.balancer


def time_request(balancer: Balancer) -> float:
    """Return the duration in seconds of a normal request on a new connection."""
    started = time.perf_counter()
    with urllib.request.urlopen(f'{balancer.origin}/api', timeout=10) as response:
        assert response.status == 200
        response.read()
    return time.perf_counter() - started


def test_slow_clients_do_not_delay_others(balancer: Balancer, pytestconfig: pytest.Config) -> None:
    times = []
    with SlowClients(balancer.port, HEADER) as headers, SlowClients(balancer.port, BODY) as bodies:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            times.append(time_request(balancer))
            time.sleep(0.02)
        opened = headers.opened + bodies.opened
    figures = (
        f'{opened} slow connections, 400 at once: {len(times)} GETs, median {1000 * median(times):.1f} ms'
    )
    pytestconfig.stash.setdefault(FIGURES, []).append(f'{figures}, longest {1000 * max(times):.1f} ms')
    assert median(times) < MAX_MEDIAN_SECONDS
