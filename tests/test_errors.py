"""Errors: problem documents, without internal details."""

from __future__ import annotations

from typing import Any

import pytest

from service.database.errors import Unavailable
from service.resources import entry_point
from tests.client import Client, assert_problem


def test_a_problem_has_type_title_status_detail_instance_and_links(client: Client) -> None:
    response = client.get('/api/users?page=2')
    assert response.json == {
        'type': 'http://halcyon.test/api/problems/unauthenticated',
        'title': 'Authentication required',
        'status': 401,
        'detail': 'A token is needed: "Authorization: Bearer …".',
        'instance': 'http://halcyon.test/api/users',
        '_links': {
            'curies': [{'href': 'http://halcyon.test/api/rels/{rel}', 'templated': True, 'name': 'hc'}],
            'help': {'href': 'http://halcyon.test/api/problems/unauthenticated'},
            'hc:tokens': {'href': 'http://halcyon.test/api/tokens'},
        },
    }


def test_an_error_in_plain_json_has_only_error_and_message(client: Client) -> None:
    response = client.get('/nothing', accept='application/json')
    assert set(response.json) == {'error', 'message'}
    assert response.json['error'] == 'Not Found'


def test_an_error_page_escapes_values_of_the_request(ada: Client) -> None:
    headers = {'Content-Type': '<script>alert(1)</script>'}
    response = ada.request('POST', '/api/posts', headers=headers, body=b'x', accept='text/html')
    assert response.status == 415
    assert '<script>' not in response.text
    assert '&lt;script&gt;' in response.text


class Raiser:
    """A callable that raises an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, **_: Any) -> Any:
        raise self.error


@pytest.mark.parametrize('accept', ['*/*', 'application/json', 'text/html'])
def test_an_internal_error_has_the_request_id_of_its_log_line(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, accept: str
) -> None:
    monkeypatch.setattr(entry_point, 'Document', Raiser(RuntimeError('the secret cause')))
    response = client.get('/api', accept=accept)
    assert response.status == 500
    assert 'secret cause' not in response.text
    assert 'Traceback' not in response.text
    assert caplog.records[-1].getMessage() == f'request {response.request_id} failed'
    assert response.request_id in response.text
    assert 'the secret cause' in caplog.text


def test_an_unreachable_database_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_point, 'Document', Raiser(Unavailable('The database cannot be reached.')))
    response = client.get('/api')
    assert_problem(response, 503)
    assert response.headers['retry-after'] == '2'


@pytest.mark.parametrize(
    ('url', 'status'), [('/nothing', 404), ('/api/users/1', 404), ('/api/posts?page=x', 400)]
)
def test_errors_have_cache_control_no_store(ada: Client, url: str, status: int) -> None:
    response = ada.get(url)
    assert_problem(response, status)
    assert response.headers['cache-control'] == 'no-store'
