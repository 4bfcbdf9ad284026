"""No false findings: no rule reports what the standards permit, and only one rule reports each fault."""

from __future__ import annotations

import json

import pytest

from service.conformance.client import Client
from service.conformance.exchange import HAL, HTML, Request, Response
from service.conformance.suite import run
from tests.conformance_kit.faults import (
    Fault,
    document,
    header,
    on,
    with_body,
    with_changes,
    with_header,
)
from tests.conformance_kit.reference_server import ORIGIN, START, ReferenceServer

pytestmark = pytest.mark.above_databases

POST_ONLY = f'{ORIGIN}/api/sign-in'


def reject_head(server: ReferenceServer, request: Request) -> Response:
    """Reject HEAD with 405."""
    response = server(request)
    allow = response.header('Allow').replace('HEAD, ', '') or 'GET, OPTIONS'
    if request.method == 'HEAD':
        rejection = Response(405, (('Allow', allow), ('Date', response.header('Date'))))
        return with_header(rejection, 'Vary', response.header('Vary'))
    return with_header(response, 'Allow', allow) if response.values('Allow') else response


def link_to_a_resource_without_get(server: ReferenceServer, request: Request) -> Response:
    """Link to a resource that supports only POST."""
    if request.url == POST_ONLY:
        problem = json.dumps({'title': 'Method Not Allowed', 'status': 405}).encode()
        error = server(Request('GET', f'{ORIGIN}/api/nothing', request.headers))
        return with_header(with_body(with_changes(error, status=405), problem), 'Allow', 'POST, OPTIONS')
    add = document(
        lambda value: value['_links'].update({'ex:login': {'href': POST_ONLY}}), HAL, when=on(at='/api')
    )
    return add(server, request)


def close_void_elements(server: ReferenceServer, request: Request) -> Response:
    """Close void elements of pages as in XHTML, after elements whose end tags are optional."""
    response = server(request)
    if response.media_type != HTML or not response.is_whole:
        return response
    page = response.body.decode().replace('<body>', '<body><p><br/>', 1)
    return with_body(response, page.replace('</title>', '</title><meta charset="utf-8"/>').encode())


@pytest.mark.parametrize(
    ('server', 'expected'),
    [
        (reject_head, {'HEAD-STATUS'}),
        (link_to_a_resource_without_get, set()),
        (close_void_elements, set()),
        (header('ETag', 'abc'), {'HTTP-ETAG'}),
    ],
    ids=['HEAD', 'POST', 'void elements', 'malformed tags'],
)
def test_a_server_violates_only_the_expected_rules(server: Fault, expected: set[str]) -> None:
    reference = ReferenceServer()
    client = Client(lambda request: server(reference, request), START, max_requests=2000)
    report = run(client)
    assert {
        result.rule.id: result.findings[0].fault for result in report.failed if result.rule.id not in expected
    } == {}
    assert expected <= {result.rule.id for result in report.failed}
