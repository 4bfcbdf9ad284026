"""The documentation: its commands work as written, and its tables agree with the code."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from service.__main__ import main
from service.config import Settings
from service.metrics import Metrics
from tests.server import ROOT, Server, free_port, wait_until

README, OPERATIONS, *OTHERS = (
    (ROOT / name).read_text()
    for name in ('README.md', 'service/OPERATIONS.md', 'tests/README.md', 'tests/bench/README.md')
)
DOCUMENTS = (README, OPERATIONS, *OTHERS)
COMMAND = '.venv/bin/python -m service'
# Without --ignore-stdin, HTTPie sends its standard input as the body if it is not a terminal.
PREFACE = 'set -e\nhttp() { command http --ignore-stdin "$@"; echo; }\n'


def blocks(document: str, language: str) -> list[str]:
    """Return the code blocks of a document in a language."""
    return re.findall(rf'^```{language}\n(.*?)^```', document, re.DOTALL | re.MULTILINE)


def rows(document: str, heading: str) -> list[str]:
    """Return the first cell of each row of the table that follows a heading row."""
    table = document.partition(f'\n| {heading} |')[2].partition('\n\n')[0]
    return re.findall(r'^\| (.+?) \|', table, re.MULTILINE)


def run(script: str, folder: Path, **environment: str) -> str:
    """Run a script and return its standard output; raises CalledProcessError."""
    result = subprocess.run(
        ['bash', '-ec', script],
        cwd=folder,
        env={'PATH': os.environ['PATH']} | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return result.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory that is like a clone with an installed environment."""
    for name in ('service', 'schema.sql', 'gunicorn.conf.py'):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / '.venv').symlink_to(sys.prefix)
    return tmp_path


@pytest.fixture(scope='module')
def responses(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The documents that the transcript in the README prints, run with a real server."""
    folder = tmp_path_factory.mktemp('readme')
    transcript = '\n'.join(blocks(README, 'sh'))
    with Server(folder) as server:
        script = PREFACE + transcript.replace('http://localhost:8000', server.origin)
        path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
        printed = run(script, folder, PATH=path, HTTPIE_CONFIG_DIR=str(folder))
    return [json.loads(line) for line in printed.splitlines() if line]


def test_the_transcript_registers_follows_publishes_and_paginates(responses: list[dict[str, Any]]) -> None:
    ada, follow, *posts, page, _ = responses
    assert follow['_links']['hc:follower'] == ada['_links']['self']
    assert [post['body'] for post in posts] == ['Hello, hypermedia', 'Follow the links']
    assert page['_embedded']['item'][0]['body'] == 'Hello, hypermedia'
    assert page['_meta'] == {'page': 2, 'per_page': 1, 'total_pages': 2, 'total_items': 2}


def test_the_transcript_can_be_repeated(responses: list[dict[str, Any]]) -> None:
    assert re.fullmatch(r'ada\d{10}', responses[0]['username'])  # with the time of the run


def test_the_transcript_ends_with_an_invalid_token(responses: list[dict[str, Any]]) -> None:
    assert responses[-1]['status'] == 401
    assert responses[-1]['type'].endswith('/api/problems/invalid-token')


def test_the_demo_creates_the_user_that_the_readme_names(project: Path) -> None:
    (command,) = (line for line in blocks(README, 'bash')[0].splitlines() if line.startswith(COMMAND))
    printed = json.loads(run(f'{command} --json', project, BCRYPT_COST='4'))
    assert f'sign in as `{printed["celebrity"]}` with the password `{printed["password"]}`' in README


@pytest.mark.installation
def test_the_quick_start_works_in_a_fresh_clone(tmp_path: Path) -> None:
    quick_start, httpie = blocks(README, 'bash')
    *install, start = quick_start.splitlines()
    script = '\n'.join(install).replace('<repository>', str(ROOT))
    run(script, tmp_path, BCRYPT_COST='4')
    clone, port = tmp_path / 'halcyon', str(free_port())
    with subprocess.Popen(start.split(), cwd=clone, env=os.environ | {'PORT': port}) as server:
        try:
            wait_until(lambda: responds(f'http://127.0.0.1:{port}/health/ready'))
            tokens = urllib.request.Request(f'http://127.0.0.1:{port}/api/tokens', method='POST')
            user, password = re.findall('sign in as `(.+)` with the password `(.+)`', README)[0]
            tokens.add_header('Authorization', f'Basic {b64encode(f"{user}:{password}".encode()).decode()}')
            with urllib.request.urlopen(tokens, timeout=10) as response:
                assert 'token' in json.load(response)
            entry_point = run(f'{httpie}\nhttp --ignore-stdin :{port}/api', clone)
            assert 'hc:users' in json.loads(entry_point)['_links']
        finally:
            server.terminate()


def responds(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_the_documented_commands_of_operators_succeed(tmp_path: Path) -> None:
    (script,) = (block for block in blocks(OPERATIONS, 'bash') if f'{COMMAND} demo' in block)
    environment = {'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db', 'BCRYPT_COST': '4'}
    for line in script.splitlines():
        command, _, file = line.partition(' < ')
        standard_input = {'': '', 'password.txt': 'correct horse\n'}[file]
        arguments = shlex.split(command.removeprefix(COMMAND))
        result = CliRunner().invoke(main, arguments, input=standard_input, env=environment)
        assert result.exit_code == 0, f'{line}: {result.output}'


def test_every_documented_command_is_tested() -> None:
    tested = blocks(OPERATIONS, 'bash')[0].splitlines() + blocks(README, 'bash')[0].splitlines()
    for document in DOCUMENTS:
        # test_serve.py tests `serve`, which does not end
        named = set(re.findall(f'({COMMAND} (?!COMMAND|serve).*?)[`\n]', document))
        assert named <= set(tested)
        assert re.findall(r'(?<!\.venv/bin/)\bpython -m', document) == []


def commands(group: click.Group) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from (f'{name} {inner}' for inner in commands(command))
        else:
            yield name


def test_every_command_is_listed() -> None:
    assert sorted(re.findall('`(.+?)`', ' '.join(rows(OPERATIONS, 'command')))) == sorted(commands(main))


def test_every_exit_code_is_listed() -> None:
    assert rows(OPERATIONS, 'exit code') == re.findall(r'\d', str(main.epilog))


def test_every_setting_is_listed() -> None:
    names = re.findall('`(.+?)`', ' '.join(rows(README, 'variable')))
    assert set(names) == {name.upper() for name in Settings.__dataclass_fields__}


def test_a_restored_copy_of_sqlite_is_complete(project: Path) -> None:
    run(f'{COMMAND} user add ada ada@example.org --password-stdin <<< "correct horse"', project)
    (copy,) = re.findall(r'`(\.venv/bin/python -c .+VACUUM.+)`', OPERATIONS)
    (restore,) = (block for block in blocks(OPERATIONS, 'bash') if 'cp backup.db' in block)
    run(copy, project)
    run(f'{COMMAND} user delete ada --yes', project)
    run(restore, project)
    assert 'ada@example.org' in run(f'{COMMAND} user show ada', project)
    assert run(f'{COMMAND} check', project).count(' ok ') == 3


def test_every_file_named_in_the_documentation_exists() -> None:
    for document in DOCUMENTS:
        named = set(re.findall(r'`((?:service|tests|\.ci)/[\w./*]*\w|test_\w+\.py)`', document))
        linked = set(re.findall(r'\]\((?:\.\./)*([\w./]+\.\w+)[)#]', document))
        folders = (ROOT, ROOT / 'service', ROOT / 'tests')
        assert [name for name in named | linked if not any([*folder.glob(name)] for folder in folders)] == []
    assert len(README.splitlines()) <= 250


def test_every_metric_is_listed_with_its_labels() -> None:
    pattern = r'^\| ((?:`halcyon_[a-z_]+`(?:, )?)+) \| ((?:`[a-z]+`(?:, )?)*) ?\|'
    listed = {
        (name, frozenset(re.findall('[a-z]+', labels)))
        for names, labels in re.findall(pattern, OPERATIONS, re.MULTILINE)
        for name in re.findall('[a-z_]+', names)
    }
    metrics = Metrics(Settings())
    metrics.response_sent('/', 'GET', 200, 'text/html', 0.0)
    families = text_string_to_metric_families(metrics.exposed().decode())
    counted = {
        (re.sub('_(bucket|sum|count)$', '', sample.name), frozenset(sample.labels) - {'le'})
        for family in families
        for sample in family.samples
        if not sample.name.endswith('_created')
    }
    assert counted == listed


def test_every_module_named_in_the_architecture_exists() -> None:
    named = set(re.findall(r'[\w/.]*\w\.py\b', (ROOT / 'service' / 'ARCHITECTURE.md').read_text()))
    assert len(named) > 50
    assert [name for name in named if not [*(ROOT / 'service').glob(f'**/{name}'), *ROOT.glob(name)]] == []


def test_the_systemd_unit_restarts_while_the_database_is_down() -> None:
    (unit,) = blocks(OPERATIONS, 'ini')
    for line in ('StartLimitIntervalSec=0', 'Restart=on-failure', 'SystemCallFilter=@system-service'):
        assert line in unit.splitlines()
