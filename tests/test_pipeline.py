"""The pipeline: the order of the middleware, and of the steps that complete a response."""

from __future__ import annotations

import inspect
import re
from typing import Any

import falcon.inspect
import pytest

from service import app as application
from service.resources import user_document
from tests.client import HAL, JSON_API, Client, assert_problem

pytestmark = pytest.mark.above_databases


def diagram() -> list[tuple[str, bool, bool]]:
    """Return the middleware in the diagram in create_app, and whether each acts on requests and responses."""
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


def test_a_304_has_the_pagination_links_of_the_200(ada: Client) -> None:
    page = ada.get('/api/users')
    unchanged = ada.get('/api/users', headers={'If-None-Match': page.etag})
    assert unchanged.status == 304
    assert unchanged.headers['link'] == page.headers['link']


def test_a_replayed_response_has_the_original_header_fields(ada: Client) -> None:
    key = {'Idempotency-Key': '"once"'}
    first = ada.post('/api/posts', {'body': 'Hello'}, headers=key)
    again = ada.post('/api/posts', {'body': 'Hello'}, headers=key)
    assert again.stable_headers == first.stable_headers | {'idempotency-replayed': 'true'}
    assert again.headers['vary'] == 'Accept, Authorization, Accept-Encoding, Origin'
    assert again.headers['etag'] == first.headers['etag'] == ada.get(first.headers['location']).etag


def test_a_response_that_cannot_be_rendered_is_a_problem(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_document, 'iso_time', lambda moment: object())
    response = ada.get('/api/users', accept=HAL)
    assert_problem(response, 500)
    assert response.headers['vary'] == 'Accept, Authorization, Accept-Encoding, Origin'
    assert response.headers['cache-control'] == 'no-store'
    assert 'link' not in response.headers
    assert ada.get('/api/users', accept=JSON_API).content_type == JSON_API
