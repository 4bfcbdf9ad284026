"""The limits of the kit: one origin, safe methods, the number and rate of requests, and cleaning up."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from service.conformance.client import Client, NotAllowed
from service.conformance.exchange import HAL, HAL_FORMS, JSON_API, Request, Response
from service.conformance.suite import run
from tests.conformance_kit.faults import document, form, hal, header, set_value, status
from tests.conformance_kit.reference_server import ORIGIN, START, ReferenceServer

pytestmark = pytest.mark.above_databases

OTHER_ORIGIN = 'http://elsewhere.test/'


class Recorder:
    """A server that records its requests."""

    def __init__(self, server: object = None) -> None:
        self.server = server or ReferenceServer()
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return self.server(request)  # type: ignore[operator, no-any-return]


def test_only_safe_methods_are_sent_without_permission_to_write() -> None:
    recorder = Recorder()
    run(Client(recorder, START))
    assert {request.method for request in recorder.requests} == {'GET', 'HEAD', 'OPTIONS'}


@pytest.mark.parametrize('method', ['POST', 'PUT', 'PATCH', 'DELETE', 'CONFORM', 'post'])
def test_an_unsafe_method_is_not_sent(method: str) -> None:
    recorder = Recorder()
    with pytest.raises(NotAllowed):
        Client(recorder, START).send(method, START, 'test')
    assert recorder.requests == []


def link_to_another_origin(server: ReferenceServer, request: Request) -> Response:
    """Respond with links and a form that lead to another origin."""
    add_link = set_value('_links', 'about', value={'href': OTHER_ORIGIN})
    response = hal(add_link, '/api')(server, request)
    edit = set_value('_templates', 'default', 'target', value=OTHER_ORIGIN)
    follow = set_value('data', 'relationships', 'things', 'links', 'related', value=OTHER_ORIGIN)
    changed = document(edit, HAL_FORMS, when=lambda sent: sent.url == START)(lambda _: response, request)  # type: ignore[arg-type]
    return document(follow, JSON_API, when=lambda sent: sent.url == START)(lambda _: changed, request)  # type: ignore[arg-type]


def test_no_request_leaves_the_origin() -> None:
    server = ReferenceServer()
    recorder = Recorder(lambda request: link_to_another_origin(server, request))
    run(Client(recorder, START, may_write=True))
    assert {urlsplit(request.url).netloc for request in recorder.requests} == {'reference.test'}


def test_another_origin_is_rejected() -> None:
    with pytest.raises(NotAllowed):
        Client(Recorder(), START).get(OTHER_ORIGIN, 'test')


@pytest.mark.parametrize('href', ['/a b', '/a\r\nX: y', 'http://[', '//elsewhere.test/', 'mailto:a@b.c'])
def test_a_reference_that_leaves_the_origin_is_not_followed(href: str) -> None:
    assert Client(Recorder(), START).resolve(START, href) is None


@pytest.mark.parametrize('limit', [1, 7, 50])
def test_no_more_requests_than_allowed_are_sent(limit: int) -> None:
    recorder = Recorder()
    report = run(Client(recorder, START, max_requests=limit))
    assert len(recorder.requests) == limit
    assert not report.is_complete


def test_created_resources_are_deleted_even_beyond_the_limit() -> None:
    for limit in range(40, 140, 7):
        server = ReferenceServer()
        report = run(Client(server, START, max_requests=limit, may_write=True))
        assert list(server.things) == ['1', '2', '3']
        assert report.left_behind == []


def test_existing_resources_are_not_changed() -> None:
    server = ReferenceServer()
    before = {id: dict(thing) for id, thing in server.things.items()}
    run(Client(server, START, max_requests=2000, may_write=True))
    assert server.things == before


def test_resources_that_cannot_be_deleted_are_reported() -> None:
    server = ReferenceServer()
    undeletable = status(403, lambda request: request.method == 'DELETE')
    report = run(Client(lambda request: undeletable(server, request), START, may_write=True))
    assert report.left_behind
    assert all(url.startswith(f'{ORIGIN}/api/things/') for url in report.left_behind)


def test_the_collection_that_a_location_leads_to_is_not_changed() -> None:
    server = ReferenceServer()
    recorder = Recorder(
        lambda request: header('Location', f'{ORIGIN}/api/things/?id=4', status=201)(server, request)
    )
    report = run(Client(recorder, START, may_write=True))
    assert {request.method for request in recorder.requests} >= {'GET', 'POST'}
    assert not {'PUT', 'PATCH', 'DELETE'} & {request.method for request in recorder.requests}
    assert report.left_behind
    assert set(report.left_behind) == {f'{ORIGIN}/api/things/?id=4'}


def test_a_signed_in_client_submits_no_form_to_the_sign_in_url() -> None:
    server = ReferenceServer()
    recorder = Recorder(lambda request: form(target=f'{ORIGIN}/api/tokens')(server, request))
    run(Client(recorder, START, authorization='Bearer secret', may_write=True), ['hal-forms'])
    assert not any(
        request.url.endswith('/tokens') for request in recorder.requests if request.method == 'POST'
    )


def test_the_rate_limits_the_requests_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr('time.monotonic', lambda: 100 + sum(waits))
    monkeypatch.setattr('time.sleep', waits.append)
    client = Client(Recorder(), START, rate=4)
    for _ in range(5):
        client.get(START, 'test', headers={'Accept': HAL})
    assert waits == [0.25] * 4


def test_credentials_are_sent_except_with_a_preflight() -> None:
    recorder = Recorder()
    run(Client(recorder, START, authorization='Bearer secret'))
    anonymous = [request for request in recorder.requests if not request.header('Authorization')]
    assert anonymous
    assert {request.header('Access-Control-Request-Method') for request in anonymous} == {'GET'}
