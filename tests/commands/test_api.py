"""The routes and openapi commands, which need no server and no database."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.client import Client
from tests.commands.conftest import Operator
from tests.conftest import Start
from tests.routes import methods_at


def test_routes_lists_every_url_template_with_its_methods(
    newcomer: Operator, app: Any, tmp_path: Path
) -> None:
    listed: dict[str, set[str]] = {}
    for row in newcomer.ask('routes'):
        listed.setdefault(row['address'], set()).update(row['methods'])
    assert listed == {address: set(methods) for address, methods in methods_at(app).items()}
    assert os.listdir(tmp_path) == []


def test_routes_lists_the_audience_of_each_method(newcomer: Operator) -> None:
    who = {
        (row['address'], method): row['who'] for row in newcomer.ask('routes') for method in row['methods']
    }
    assert who['/api', 'GET'] == 'anyone'
    assert who['/api/users', 'POST'] == 'anyone'
    assert who['/api/users', 'GET'] == 'token'
    assert who['/api/users/{user_id}', 'PUT'] == 'owner'
    assert who['/api/tokens', 'POST'] == 'password or token'


def test_routes_prints_a_line_for_each_audience_of_a_url(newcomer: Operator) -> None:
    lines = newcomer.run('routes').stdout.splitlines()
    assert len(lines) == len(newcomer.ask('routes'))
    assert ['/api/users/{user_id}', 'owner', 'PUT', 'PATCH', 'DELETE'] in [line.split() for line in lines]


def test_openapi_prints_the_document_that_the_server_serves(newcomer: Operator, start: Start) -> None:
    client = Client(start(BASE_URL='http://halcyon.test'))
    newcomer.environment['BASE_URL'] = 'http://halcyon.test'
    printed = newcomer.run('openapi').stdout
    assert json.loads(printed) == client.entry().follow('service-desc', accept='application/json').state


def test_openapi_uses_localhost_without_a_base_url(newcomer: Operator, tmp_path: Path) -> None:
    newcomer.environment['PORT'] = '8123'
    assert json.loads(newcomer.run('openapi').stdout)['servers'] == [{'url': 'http://localhost:8123'}]
    assert os.listdir(tmp_path) == []
