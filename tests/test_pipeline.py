"""The pipeline: the order of the middleware, and of the steps that complete a response."""

from __future__ import annotations

import inspect
import re
from typing import Any

import falcon.inspect
import pytest

from service import app as application
from service.resources import users
from tests.client import FORM, HAL, HTML, JSON_API, Client, assert_problem

pytestmark = pytest.mark.above_databases


def diagram() -> list[tuple[str, bool, bool]]:
    """Return each middleware in the diagram in create_app, and whether it acts on requests and responses."""
    rows = re.findall(r'# +(\w+Middleware) +(.+?)  +(.+)', inspect.getsource(application.create_app))
    return [(name, on_request != '|', on_response != '|') for name, on_request, on_response in rows]


def test_the_middleware_is_in_the_order_of_the_diagram(app: Any) -> None:
    tree = falcon.inspect.inspect_app(app).middleware.middleware_tree
    on_request = [middleware.class_name for middleware in (*tree.request, *tree.resource)]
    on_response = [middleware.class_name for middleware in reversed(tree.response)]
    assert on_request == [name for name, acts, _ in diagram() if acts]
    assert on_response == [name for name, _, acts in diagram() if acts]
    assert on_request[0] == on_response[0] == 'ContextMiddleware'
    assert on_response[-1] == 'NegotiationMiddleware'


def test_a_304_links_to_the_pages_like_the_200(ada: Client) -> None:
    page = ada.get('/api/users')
    unchanged = ada.get('/api/users', headers={'If-None-Match': page.etag})
    assert unchanged.status == 304
    assert unchanged.headers['link'] == page.headers['link']


def test_a_form_of_a_page_redirects_to_the_new_resource_without_content(ada: Client) -> None:
    response = ada.post('/api/posts', accept=HTML, headers={'Content-Type': FORM}, body=b'body=Hello')
    assert response.status == 303
    assert re.search('/api/posts/[0-9]+$', response.headers['location'])
    assert 'content-type' not in response.headers or not response.text


def test_a_replay_is_presented_once(ada: Client) -> None:
    key = {'Idempotency-Key': '"once"'}
    first = ada.post('/api/posts', {'body': 'Hello'}, headers=key)
    again = ada.post('/api/posts', {'body': 'Hello'}, headers=key)
    assert again.stable_headers == first.stable_headers | {'idempotency-replayed': 'true'}
    assert again.headers['vary'] == 'Accept, Authorization, Accept-Encoding, Origin'
    assert again.headers['etag'] == first.headers['etag'] == ada.get(first.headers['location']).etag


def test_a_response_that_cannot_be_presented_is_a_problem(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, 'iso_time', lambda moment: object())
    response = ada.get('/api/users', accept=HAL)
    assert_problem(response, 500)
    assert response.headers['vary'] == 'Accept, Authorization, Accept-Encoding, Origin'
    assert response.headers['cache-control'] == 'no-store'
    assert 'link' not in response.headers
    assert ada.get('/api/users', accept=JSON_API).content_type == JSON_API
