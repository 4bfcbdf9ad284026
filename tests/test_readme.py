"""The README: its transcript does what it says, word by word."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.config import Settings
from service.metrics import Metrics
from tests.cluster.programs import CONFIGURATION
from tests.server import ROOT, Server

README = (ROOT / 'README.md').read_text()
# A shell that is no terminal has nothing on its standard input, which HTTPie would take for a body.
PREFACE = 'set -e\nhttp() { command http --ignore-stdin "$@"; echo; }\n'


@pytest.fixture(scope='module')
def said(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The documents that the transcript prints, run against a real server."""
    folder = tmp_path_factory.mktemp('readme')
    transcript = '\n'.join(re.findall(r'```sh\n(.*?)```', README, re.DOTALL))
    with Server(folder) as server:
        script = PREFACE + transcript.replace('http://localhost:8000', server.origin)
        path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
        done = subprocess.run(
            ['bash', '-c', script],
            env={'PATH': path, 'HTTPIE_CONFIG_DIR': str(folder)},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def test_the_transcript_registers_follows_posts_and_pages(said: list[dict[str, Any]]) -> None:
    ada, follow, *posts, page, _ = said
    assert ada['username'] == 'ada'
    assert follow['_links']['hc:follower'] == ada['_links']['self']
    assert [post['body'] for post in posts] == ['Hello, hypermedia', 'Follow the links']
    assert page['_embedded']['item'][0]['body'] == 'Hello, hypermedia'
    assert page['_meta'] == {'page': 2, 'per_page': 1, 'total_pages': 2, 'total_items': 2}


def test_the_transcript_ends_with_a_token_that_is_worth_nothing(said: list[dict[str, Any]]) -> None:
    assert said[-1]['status'] == 401
    assert said[-1]['type'].endswith('/api/problems/invalid-token')


def test_every_setting_has_its_row() -> None:
    rows = set(re.findall(r'^\| `([A-Z_]+)` \|', README, re.MULTILINE))
    assert rows == {name.upper() for name in Settings.__dataclass_fields__}


def test_the_balancer_is_set_up_as_the_cluster_tests_run_it() -> None:
    lines = [line.strip() for line in CONFIGURATION.format(port=0, servers='').splitlines()]
    start = lines.index('defaults')
    for line in lines[start:]:
        assert line in README or line.startswith('bind '), line


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r'`((?:service|tests|\.ci)/[\w./*]*\w|test_\w+\.py)`', README))
    assert len(named) > 30
    assert [name for name in named if not [*ROOT.glob(name), *ROOT.glob(f'tests/{name}')]] == []


def test_every_metric_is_listed_with_its_labels() -> None:
    pattern = r'^\| ((?:`halcyon_[a-z_]+`(?:, )?)+) \| ((?:`[a-z]+`(?:, )?)*) ?\|'
    listed = {
        (name, frozenset(re.findall('[a-z]+', labels)))
        for names, labels in re.findall(pattern, README, re.MULTILINE)
        for name in re.findall('[a-z_]+', names)
    }
    metrics = Metrics(Settings())
    metrics.answered('/', 'GET', 200, 'text/html', 0.0)
    families = text_string_to_metric_families(metrics.exposed().decode())
    counted = {
        (re.sub('_(bucket|sum|count)$', '', sample.name), frozenset(sample.labels) - {'le'})
        for family in families
        for sample in family.samples
        if not sample.name.endswith('_created')
    }
    assert counted == listed
