"""Reports name the rule, the request and the part of the response, and mask secrets."""

from __future__ import annotations

import json
import shlex
from xml.etree import ElementTree

import pytest

from service.conformance.client import Client
from service.conformance.exchange import Request, Response
from service.conformance.report import Credentials, describe, to_html, to_junit, to_text
from service.conformance.suite import Report, run
from service.conformance.transport import TransportError
from tests.conformance_kit.faults import FAULTS
from tests.conformance_kit.reference_server import START, ReferenceServer
from tests.html import Page

pytestmark = pytest.mark.above_databases

TOKEN = 'a-very-secret-token'
BEARER = Credentials(token=TOKEN)
BASIC = Credentials(username='ada', password='correct horse')


def report_of(fault: str, credentials: Credentials = BEARER, ignored: tuple[str, ...] = ()) -> Report:
    server = ReferenceServer()
    client = Client(
        lambda request: FAULTS[fault](server, request), START, authorization=credentials.authorization
    )
    return run(client, ignored=ignored)


def test_a_request_without_a_response_ends_the_run_but_not_the_report() -> None:
    """The findings were lost, although such a request may be the worst of them."""
    server, requests = ReferenceServer(), iter(range(60))

    def transport(request: Request) -> Response:
        if next(requests, None) is None:
            raise TransportError(f'GET {START}?x={TOKEN}: the connection was closed')
        return FAULTS['HAL-LINK-TITLE'](server, request)

    report = run(Client(transport, START, authorization=BEARER.authorization))
    assert not report.has_passed
    lines = to_text(report, BEARER).splitlines()
    assert lines[0].startswith('MUST HAL-LINK-TITLE')
    failure = f'GET {START}?x=***: the connection was closed'
    assert f'Failed: no response to {failure}' in lines
    assert describe(report, BEARER)['failure'] == failure
    assert failure in Page(to_html(report, BEARER)).text
    suite = ElementTree.fromstring(to_junit(report, BEARER))  # noqa: S314
    assert suite.attrib['errors'] == '1'
    assert [error.attrib['message'] for error in suite.iter('error')] == [failure]


def test_the_text_names_the_rule_the_part_and_the_curl_command() -> None:
    lines = to_text(report_of('HAL-LINK-TITLE'), BEARER).splitlines()
    assert lines[0].startswith('MUST HAL-LINK-TITLE: `title` is a string. (draft-kelly-json-hal-11 §5.7)')
    assert lines[1].strip() == '/_links/author/title is not a string'
    assert lines[2].strip() == '["Author"]'
    command = shlex.split(lines[3])
    assert command[:2] == ['curl', '-i']
    assert command[-1].endswith('/api/things/1')
    assert lines[-1].endswith('not exercised.')


@pytest.mark.parametrize('credentials', [BEARER, BASIC], ids=['token', 'user'])
def test_no_report_has_a_secret(credentials: Credentials) -> None:
    report = report_of('HAL-LINK-TITLE', credentials)
    secrets = [TOKEN, 'correct horse', credentials.authorization.partition(' ')[2]]
    for text in (
        to_text(report, credentials),
        json.dumps(describe(report, credentials)),
        to_junit(report, credentials),
        to_html(report, credentials),
    ):
        assert 'HAL-LINK-TITLE' in text
        assert not any(secret in text for secret in secrets)
        assert '***' in text


def test_a_secret_that_the_server_repeats_is_masked() -> None:
    server = ReferenceServer()
    server.things['1']['name'] = TOKEN

    def fault(request: object) -> object:
        return FAULTS['HAL-LINKS-OBJECT'](server, request)  # type: ignore[arg-type]

    report = run(Client(fault, START))  # type: ignore[arg-type]
    assert TOKEN not in to_text(report, BEARER)


def test_junit_has_a_failure_for_must_and_output_for_should() -> None:
    must = ElementTree.fromstring(to_junit(report_of('HAL-LINK-TITLE'), BEARER))  # noqa: S314
    failed = [case.get('name', '') for case in must.iter('testcase') if case.find('failure') is not None]
    assert [name.partition(':')[0] for name in failed] == ['HAL-LINK-TITLE']
    assert must.get('failures') == '1'
    assert len(list(must.iter('testcase'))) == int(must.get('tests', '0')) >= 120
    should = ElementTree.fromstring(to_junit(report_of('HAL-RELATION-REGISTERED'), BEARER))  # noqa: S314
    assert should.get('failures') == '0'
    noted = [case.get('name', '') for case in should.iter('testcase') if case.find('system-out') is not None]
    assert [name.partition(':')[0] for name in noted] == ['HAL-RELATION-REGISTERED']


def test_the_page_lists_every_rule_and_loads_no_files() -> None:
    report = report_of('HAL-LINK-TITLE')
    page = Page(to_html(report, BEARER))
    assert len(page.all('tr')) == len(report.results) + 1
    assert page.all('meta')[1]['content'] == 'width=device-width, initial-scale=1'
    assert page.all('script') == page.all('link') == page.all('img') == []


def test_a_violated_should_does_not_fail_the_run() -> None:
    assert report_of('HAL-RELATION-REGISTERED').has_passed
    assert not report_of('HAL-LINK-TITLE').has_passed


def test_ignored_rules_are_listed_and_do_not_fail_the_run() -> None:
    report = report_of('HAL-LINK-TITLE', ignored=('HAL-LINK-TITLE', 'HAL-LINK-NAME'))
    assert report.has_passed
    assert 'HAL-LINK-TITLE' not in [result.rule.id for result in report.failed]
    lines = to_text(report, BEARER).splitlines()
    count = len(next(result.findings for result in report.results if result.rule.id == 'HAL-LINK-TITLE'))
    assert count > 0
    assert f'Ignored: HAL-LINK-TITLE, {count} finding{"s" * (count > 1)}' in lines
    assert 'Ignored: HAL-LINK-NAME, 0 findings' in lines
    assert '0 MUST and ' in lines[-1]
    assert lines[-1].endswith(', 2 ignored.')
    described = describe(report, BEARER)
    assert described['counts']['ignored'] == 2
    ignored = [rule for rule in described['rules'] if rule['outcome'] == 'ignored']
    assert sorted(len(rule['findings']) for rule in ignored) == [0, count]
    junit = ElementTree.fromstring(to_junit(report, BEARER))  # noqa: S314
    assert junit.get('failures') == '0'
    messages = {skipped.get('message') for skipped in junit.iter('skipped')}
    assert 'ignored, 0 findings' in messages
    page = Page(to_html(report, BEARER))
    assert 'Ignored: HAL-LINK-NAME, 0 findings' in page.text
