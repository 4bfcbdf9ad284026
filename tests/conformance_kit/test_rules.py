"""The reference server satisfies every rule of the kit, and a server with the fault of a rule violates it."""

from __future__ import annotations

import re
from functools import cache

import pytest

from service.conformance.client import Client
from service.conformance.exchange import Request, Response
from service.conformance.suite import RULES, Report, run
from tests.conformance_kit.faults import FAULTS, THINGS, Fault, hal, json_api, set_value
from tests.conformance_kit.reference_server import ORIGIN, START, ReferenceServer

pytestmark = pytest.mark.above_databases

IDS = [rule.id for rule in RULES]
FAMILIES = {rule.id: rule.family for rule in RULES}


def run_kit(transport: object, *formats: str) -> Report:
    """Run the kit with credentials and with writes."""
    client = Client(transport, START, authorization='Bearer secret', max_requests=2000, may_write=True)  # type: ignore[arg-type]
    return run(client, formats) if formats else run(client)


@cache
def reference_report() -> Report:
    return run_kit(ReferenceServer())


def test_there_are_many_rules_and_their_ids_are_unique() -> None:
    assert len(set(IDS)) == len(IDS) >= 120


def test_the_reference_server_satisfies_every_rule() -> None:
    failures = {
        finding.rule.id: finding.fault for result in reference_report().failed for finding in result.findings
    }
    assert failures == {}
    assert reference_report().has_passed
    assert reference_report().is_complete
    assert reference_report().left_behind == []


def test_every_rule_applies_to_the_reference_server() -> None:
    assert [
        result.rule.id for result in reference_report().results if result.outcome == 'not exercised'
    ] == []


def test_every_rule_has_a_fault() -> None:
    assert set(FAULTS) == set(IDS)


@pytest.mark.parametrize('id', IDS)
def test_a_server_with_the_fault_of_a_rule_violates_it(id: str) -> None:
    server = ReferenceServer()

    def faulty(request: Request) -> Response:
        return FAULTS[id](server, request)

    report = run_kit(faulty, FAMILIES[id])
    assert id in [result.rule.id for result in report.failed]


@pytest.mark.parametrize(
    ('id', 'fault'),
    [
        (
            'HAL-PAGE-REPEATS',
            hal(set_value('_links', 'next', 'href', value=f'{ORIGIN}{THINGS}'), THINGS),
        ),
        ('JA-PAGE-REPEATS', json_api(set_value('links', 'next', value=f'{ORIGIN}{THINGS}'), THINGS)),
    ],
)
def test_a_page_whose_next_page_is_itself_violates_a_rule(id: str, fault: Fault) -> None:
    server = ReferenceServer()
    report = run_kit(lambda request: fault(server, request), FAMILIES[id])
    assert id in [result.rule.id for result in report.failed]


@pytest.mark.parametrize('rule', RULES, ids=IDS)
def test_a_rule_is_one_sentence_with_its_section(rule: object) -> None:
    text, section = rule.text, rule.section  # type: ignore[attr-defined]
    assert re.fullmatch(r'[A-Z`][^\n]{10,}\.', text)
    assert section
    assert rule.standard.url.startswith('https://')  # type: ignore[attr-defined]
