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
    new_operator: Operator, app: Any, tmp_path: Path
) -> None:
    methods: dict[str, set[str]] = {}
    for row in new_operator.run_json('routes'):
        methods.setdefault(row['address'], set()).update(row['methods'])
    assert methods == {template: set(expected) for template, expected in methods_at(app).items()}
    assert os.listdir(tmp_path) == []


def test_routes_lists_the_access_of_each_method(new_operator: Operator) -> None:
    access = {
        (row['address'], method): row['who']
        for row in new_operator.run_json('routes')
        for method in row['methods']
    }
    assert access['/api', 'GET'] == 'anyone'
    assert access['/api/users', 'POST'] == 'anyone'
    assert access['/api/users', 'GET'] == 'token'
    assert access['/api/users/{user_id}', 'PUT'] == 'owner'
    assert access['/api/tokens', 'POST'] == 'password or token'


def test_routes_prints_a_line_for_each_access_of_a_url(new_operator: Operator) -> None:
    lines = new_operator.run('routes').stdout.splitlines()
    assert len(lines) == len(new_operator.run_json('routes'))
    assert ['/api/users/{user_id}', 'owner', 'PUT', 'PATCH', 'DELETE'] in [line.split() for line in lines]


def test_openapi_prints_the_document_that_the_server_serves(new_operator: Operator, start: Start) -> None:
    client = Client(start(BASE_URL='http://halcyon.test'))
    new_operator.environment['BASE_URL'] = 'http://halcyon.test'
    output = new_operator.run('openapi').stdout
    assert json.loads(output) == client.entry().follow('service-desc', accept='application/json').json


def test_openapi_uses_localhost_without_a_base_url(new_operator: Operator, tmp_path: Path) -> None:
    new_operator.environment['PORT'] = '8123'
    assert json.loads(new_operator.run('openapi').stdout)['servers'] == [{'url': 'http://localhost:8123'}]
    assert os.listdir(tmp_path) == []
