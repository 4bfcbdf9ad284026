"""No rule reports what the standards permit, and only one rule reports a fault."""

from __future__ import annotations

import json

import pytest

from service.conformance.client import Client
from service.conformance.exchange import HAL, HTML, Request, Response
from service.conformance.suite import run
from tests.conformance_kit.exemplary import ORIGIN, START, Exemplary
from tests.conformance_kit.faults import (
    Fault,
    changed,
    document,
    header,
    on,
    with_body,
    with_header,
)

pytestmark = pytest.mark.above_databases

POST_ONLY = f'{ORIGIN}/api/sign-in'


def head_is_not_supported(server: Exemplary, request: Request) -> Response:
    """A server that rejects HEAD with 405."""
    response = server(request)
    allow = response.header('Allow').replace('HEAD, ', '') or 'GET, OPTIONS'
    if request.method == 'HEAD':
        rejection = Response(405, (('Allow', allow), ('Date', response.header('Date'))))
        return with_header(rejection, 'Vary', response.header('Vary'))
    return with_header(response, 'Allow', allow) if response.values('Allow') else response


def link_to_a_resource_without_get(server: Exemplary, request: Request) -> Response:
    """A server with a link to a resource that supports POST alone."""
    if request.url == POST_ONLY:
        problem = json.dumps({'title': 'Method Not Allowed', 'status': 405}).encode()
        error = server(Request('GET', f'{ORIGIN}/api/nothing', request.headers))
        return with_header(with_body(changed(error, status=405), problem), 'Allow', 'POST, OPTIONS')
    add = document(
        lambda value: value['_links'].update({'ex:login': {'href': POST_ONLY}}), HAL, when=on(at='/api')
    )
    return add(server, request)


def void_elements_are_closed(server: Exemplary, request: Request) -> Response:
    """A server whose pages write void elements as XHTML does, after elements whose end tags are optional."""
    response = server(request)
    if response.media_type != HTML or not response.is_whole:
        return response
    page = response.body.decode().replace('<body>', '<body><p><br/>', 1)
    return with_body(response, page.replace('</title>', '</title><meta charset="utf-8"/>').encode())


@pytest.mark.parametrize(
    ('server', 'expected'),
    [
        (head_is_not_supported, {'HEAD-STATUS'}),
        (link_to_a_resource_without_get, set()),
        (void_elements_are_closed, set()),
        (header('ETag', 'abc'), {'HTTP-ETAG'}),
    ],
    ids=['HEAD', 'POST', 'void elements', 'malformed tags'],
)
def test_a_server_violates_only_the_expected_rules(server: Fault, expected: set[str]) -> None:
    exemplary = Exemplary()
    client = Client(lambda request: server(exemplary, request), START, max_requests=2000)
    report = run(client)
    assert {
        result.rule.id: result.findings[0].fault for result in report.failed if result.rule.id not in expected
    } == {}
    assert expected <= {result.rule.id for result in report.failed}
