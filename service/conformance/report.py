"""Reports of a run: text, JSON, JUnit XML, and one HTML page. Secrets are masked in all of them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jinja2

from service.conformance.rules import Finding, Level
from service.conformance.suite import Report, Result

MASK = '***'
MAX_LISTED = 3  # findings of a rule in text and HTML
_PAGE = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template('report.html')


@dataclass(frozen=True)
class Credentials:
    """The credentials of requests: a bearer token, or a user name and a password."""

    token: str = ''
    username: str = ''
    password: str = ''

    @property
    def authorization(self) -> str:
        """The value of the Authorization field, empty for anonymous requests."""
        if self.token:
            return f'Bearer {self.token}'
        return f'Basic {self._basic}' if self.username else ''

    @property
    def _basic(self) -> str:
        return base64.b64encode(f'{self.username}:{self.password}'.encode()).decode()

    def mask(self, text: str) -> str:
        """Return the text without any of the secrets."""
        for secret in (self.token, self._basic if self.username else '', self.password):
            text = text.replace(secret, MASK) if secret else text
        return text


def describe_finding(finding: Finding, credentials: Credentials) -> dict[str, str]:
    """Return a finding as text, with a command that repeats its request."""
    described = {
        'where': finding.fault.where,
        'message': finding.fault.message,
        'request': f'{finding.exchange.request.method} {finding.exchange.request.url}',
        'curl': finding.exchange.request.curl(),
        'status': str(finding.exchange.response.status),
        'excerpt': finding.excerpt,
    }
    return {name: credentials.mask(value) for name, value in described.items()}


def describe_result(result: Result, credentials: Credentials) -> dict[str, Any]:
    """Return the result of a rule, as JSON."""
    rule = result.rule
    return {
        'id': rule.id,
        'family': rule.family,
        'level': rule.level.value,
        'standard': rule.standard.name,
        'url': rule.standard.url,
        'section': rule.section,
        'text': rule.text,
        'outcome': result.outcome,
        'applied': result.applied,
        'findings': [describe_finding(finding, credentials) for finding in result.findings],
    }


def describe(report: Report, credentials: Credentials) -> dict[str, Any]:
    """Return the whole report, as JSON."""
    return {
        'url': credentials.mask(report.url),
        'requests': report.requests,
        'complete': report.is_complete,
        'failure': credentials.mask(report.failure),
        'unauthorized': report.unauthorized,
        'passed': report.has_passed,
        'counts': {
            'must_failed': report.count('failed', Level.MUST),
            'should_failed': report.count('failed', Level.SHOULD),
            'passed': report.count('passed'),
            'not_exercised': report.count('not exercised'),
            'ignored': report.count('ignored'),
        },
        'left_behind': [credentials.mask(url) for url in report.left_behind],
        'rules': [describe_result(result, credentials) for result in report.results],
    }


def summary(report: Report) -> str:
    """Return the counts in one line."""
    ignored = f', {len(report.ignored)} ignored' if report.ignored else ''
    return (
        f'{len(report.results)} rules, {report.requests} requests: '
        f'{report.count("failed", Level.MUST)} MUST and '
        f'{report.count("failed", Level.SHOULD)} SHOULD failed, '
        f'{report.count("passed")} passed, {report.count("not exercised")} not exercised{ignored}.'
    )


def to_text(report: Report, credentials: Credentials) -> str:
    """Return the report for a terminal: the rules that failed, and the counts."""
    return '\n'.join([*_lines(report, credentials), summary(report)])


def _lines(report: Report, credentials: Credentials) -> Iterator[str]:
    for result in _by_level(report.failed):
        rule = result.rule
        yield f'{rule.level} {rule.id}: {rule.text} ({rule.standard.name} {rule.section})'
        for finding in result.findings[:MAX_LISTED]:
            described = describe_finding(finding, credentials)
            yield f'    {described["where"]} {described["message"]}'.rstrip()
            yield from ('        ' + line for line in described['excerpt'].splitlines())
            yield f'        {described["curl"]}'
        if len(result.findings) > MAX_LISTED:
            yield f'    and {len(result.findings) - MAX_LISTED} more'
        yield ''
    for result in report.ignored:
        yield f'Ignored: {result.rule.id}, {_finding_count(result)}'
    if report.failure:
        yield f'Failed: no response to {credentials.mask(report.failure)}'
    elif not report.is_complete:
        yield 'Incomplete: the limit of --max-requests was reached.'
    if report.unauthorized:
        yield f'Not tested: {report.unauthorized} requests got 401 with these credentials.'
    for url in report.left_behind:
        yield f'Created and not deleted: {credentials.mask(url)}'


def _finding_count(result: Result) -> str:
    count = len(result.findings)
    return f'{count} finding' if count == 1 else f'{count} findings'


def _by_level(results: Iterable[Result]) -> list[Result]:
    return sorted(results, key=lambda result: result.rule.level)


def to_junit(report: Report, credentials: Credentials) -> str:
    """Return the report as JUnit XML: one case for each rule, skipped if not exercised or ignored."""
    failed = report.count('failed', Level.MUST)
    suite = ElementTree.Element(
        'testsuite',
        name='conformance',
        tests=str(len(report.results)),
        failures=str(failed),
        errors='1' if report.failure else '0',
        skipped=str(report.count('not exercised') + report.count('ignored')),
    )
    if report.failure:
        name = 'Every request gets a response.'
        case = ElementTree.SubElement(suite, 'testcase', classname='http', name=name)
        ElementTree.SubElement(case, 'error', message=_xml_text(credentials.mask(report.failure)))
    for result in report.results:
        rule = result.rule
        name = f'{rule.id}: {rule.text}'
        case = ElementTree.SubElement(suite, 'testcase', classname=rule.family, name=name)
        described = '\n\n'.join(
            '\n'.join(describe_finding(finding, credentials)[name] for name in ('message', 'excerpt', 'curl'))
            for finding in result.findings
        )
        if result.is_ignored:
            ElementTree.SubElement(case, 'skipped', message=f'ignored, {_finding_count(result)}')
        elif result.findings and rule.level is Level.MUST:
            failure = ElementTree.SubElement(case, 'failure', message=f'{rule.standard.name} {rule.section}')
            failure.text = _xml_text(described)
        elif result.findings:
            ElementTree.SubElement(case, 'system-out').text = _xml_text(described)
        elif not result.applied:
            ElementTree.SubElement(case, 'skipped', message='not exercised')
    return ElementTree.tostring(suite, encoding='unicode', xml_declaration=True)


def _xml_text(text: str) -> str:
    """Return the text without characters that XML does not allow."""
    return ''.join(
        character if character in '\t\n' or ' ' <= character < '\ud800' or character > '\ue000' else '\ufffd'
        for character in text
    )


def to_html(report: Report, credentials: Credentials) -> str:
    """Return the report as one HTML page without scripts and without other files."""
    described = describe(report, credentials)
    by_outcome = sorted(described['rules'], key=lambda rule: (rule['outcome'] != 'failed', rule['level']))
    return _PAGE.render(
        described | {'rules': by_outcome, 'summary': summary(report), 'max_listed': MAX_LISTED}
    )
