"""A run of the kit: crawl a server in each format, send the requests that rules need, apply the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from service.conformance import (
    hal,
    hal_documents,
    hal_forms_properties,
    hal_forms_templates,
    hal_link_targets,
    html,
    http,
    http_conditions,
    http_cors,
    http_methods,
    http_negotiation,
    http_ranges,
    json_api,
    json_api_documents,
    json_api_errors,
    json_api_link_targets,
    json_api_members,
    json_api_negotiation,
    json_api_queries,
    json_api_writes,
    problem,
    writes,
)
from service.conformance.client import BudgetSpent, Client
from service.conformance.crawler import FoundLink, crawl, samples
from service.conformance.exchange import HAL, HAL_FORMS, HTML, JSON_API, PROBLEM, Exchange
from service.conformance.rules import Finding, Level, Rule
from service.conformance.transport import TransportError
from service.conformance.writing import Writer

RULES: tuple[Rule, ...] = (
    *hal_documents.RULES.declared,
    *hal_link_targets.RULES.declared,
    *hal_forms_templates.RULES.declared,
    *hal_forms_properties.RULES.declared,
    *writes.FORM_RULES.declared,
    *json_api_documents.RULES.declared,
    *json_api_members.RULES.declared,
    *json_api_errors.RULES.declared,
    *json_api_link_targets.RULES.declared,
    *json_api_negotiation.RULES.declared,
    *json_api_queries.RULES.declared,
    *json_api_writes.RULES.declared,
    *problem.RULES.declared,
    *http.RULES.declared,
    *http_methods.RULES.declared,
    *http_conditions.RULES.declared,
    *http_negotiation.RULES.declared,
    *http_ranges.RULES.declared,
    *http_cors.RULES.declared,
    *writes.RULES.declared,
    *html.RULES.declared,
)
FORMATS = {
    'hal': HAL,
    'hal-forms': HAL_FORMS,
    'json-api': JSON_API,
    'problem': PROBLEM,
    'http': '',
    'html': HTML,
}
CRAWLED = ('hal', 'hal-forms', 'json-api')
MAX_CRAWLED = 45  # requests for each format
MAX_SAMPLES = 6
PROBES = {
    'hal': hal_link_targets.PROBES,
    'hal-forms': hal_forms_templates.PROBES,
    'json-api': (*json_api_negotiation.PROBES, *json_api_queries.PROBES, *json_api_link_targets.PROBES),
    'problem': problem.PROBES,
    'http': (
        *http_methods.PROBES,
        *http_conditions.PROBES,
        *http_negotiation.PROBES,
        *http_ranges.PROBES,
        *http_cors.PROBES,
    ),
    'html': html.PROBES,
}


@dataclass(frozen=True)
class Result:
    """The result of one rule: the number of exchanges to which it applied, and its findings.

    Findings of a rule that `is_ignored` do not fail the run.
    """

    rule: Rule
    applied: int
    findings: list[Finding]
    is_ignored: bool = False

    @property
    def outcome(self) -> str:
        if self.is_ignored:
            return 'ignored'
        if self.findings:
            return 'failed'
        return 'passed' if self.applied else 'not exercised'


@dataclass
class Report:
    """The results of a run.

    `failure` is the request without a response that ended the run, if there is one; `unauthorized` is the
    number of requests whose credentials were rejected with 401.
    """

    url: str
    results: list[Result]
    requests: int
    is_complete: bool
    left_behind: list[str] = field(default_factory=list)
    failure: str = ''
    unauthorized: int = 0

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if result.outcome == 'failed']

    @property
    def ignored(self) -> list[Result]:
        return [result for result in self.results if result.is_ignored]

    @property
    def has_passed(self) -> bool:
        """Whether no rule of level MUST has failed, and every request got a response."""
        return not self.failure and all(result.rule.level is not Level.MUST for result in self.failed)

    def count(self, outcome: str, level: Level | None = None) -> int:
        """Return how many rules have the outcome."""
        return sum(
            result.outcome == outcome and level in (None, result.rule.level) for result in self.results
        )


def run(client: Client, formats: Sequence[str] = tuple(FORMATS), ignored: Collection[str] = ()) -> Report:
    """Crawl, write if the client may, send the requests that the rules of the formats need, and apply them.

    `ignored` are the ids of rules whose findings do not fail the run. Raises TransportError if the first
    request gets no response.
    """
    left_behind: list[str] = []
    is_complete, failure = True, ''
    try:
        crawl_formats(client, formats)
        if client.may_write:
            writer = Writer(client)
            left_behind = writer.left_behind
            writer.run(list(client.record))
        probe(client, formats)
    except BudgetSpent:
        is_complete = False
    except TransportError as error:
        if not client.record:
            raise
        is_complete, failure = False, str(error)
    rules = [rule for rule in RULES if rule.family in formats]
    results = [Result(rule, *rule.judge(client.record), rule.id in ignored) for rule in rules]
    unauthorized = sum(
        bool(exchange.request.header('Authorization')) and exchange.response.status == 401
        for exchange in client.record
    )
    return Report(client.start, results, len(client.record), is_complete, left_behind, failure, unauthorized)


def crawl_formats(client: Client, formats: Sequence[str]) -> None:
    """Follow links in each chosen format that has links; in all of them if none is chosen."""
    chosen = [name for name in CRAWLED if name in formats] or CRAWLED
    share = max(client.left * 2 // 5 // len(chosen), 3)
    for name in chosen:
        crawl(client, FORMATS[name], find_links, min(share, MAX_CRAWLED))


def find_links(exchange: Exchange) -> Iterator[FoundLink]:
    """Yield the links of a document in any format."""
    yield from hal.find_links(exchange)
    yield from json_api.find_links(exchange)


def probe(client: Client, formats: Sequence[str]) -> None:
    """Send the requests that the rules of the formats need, each kind for some samples."""
    crawled = list(client.record)
    by_format = {
        name: [exchange for exchange in crawled if exchange.context.get('accept') == FORMATS[name]]
        for name in CRAWLED
    }
    chosen = {name: samples(by_format.get(name, crawled), MAX_SAMPLES) for name in formats}
    for number in range(MAX_SAMPLES):
        for name in formats:
            for exchange in chosen[name][number : number + 1]:
                for send in PROBES[name]:
                    send(client, exchange)


def check_exchange(exchange: Exchange, families: Iterable[str]) -> list[Finding]:
    """Return the findings of the families' rules in an exchange that the kit did not send."""
    names = set(families)
    return [finding for rule in RULES if rule.family in names for finding in rule.judge([exchange])[1]]
