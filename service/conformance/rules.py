"""Rules: a sentence of a standard, and the check that finds violations of it in recorded exchanges."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partialmethod
from typing import NamedTuple

from service.conformance.exchange import INVALID, Exchange, resolve

MAX_EXCERPT = 400
NOT_PROCESSED = (401, 403, 429, 503)  # statuses that show nothing about the rest of the request


class Level(enum.StrEnum):
    """The level of a requirement (RFC 2119)."""

    MUST = 'MUST'
    SHOULD = 'SHOULD'


class Standard(NamedTuple):
    """A specification, and where it is published."""

    name: str
    url: str


class Fault(NamedTuple):
    """One place that violates a rule.

    `where` is a JSON Pointer into the content, the name of a header field followed by a colon, `status`
    or `content`.
    """

    where: str
    message: str


Check = Callable[[Exchange], Iterable[Fault]]
Applies = Callable[[Exchange], bool]
RecordCheck = Callable[[Sequence[Exchange]], Iterable[tuple[Exchange, Fault]]]


@dataclass(frozen=True)
class Finding:
    """A fault together with the rule and the exchange in which it was found."""

    rule: Rule
    exchange: Exchange
    fault: Fault

    @property
    def excerpt(self) -> str:
        """The part of the response that violates the rule."""
        response, where = self.exchange.response, self.fault.where
        if where.endswith(':'):
            values = response.values(where[:-1])
            return '\n'.join(f'{where} {value}' for value in values) or f'(no {where[:-1]} field)'
        if where == 'status':
            return f'HTTP status {response.status}'
        if (where == '' or where.startswith('/')) and response.document is not INVALID:
            try:
                text = json.dumps(resolve(response.document, where), ensure_ascii=False)
            except LookupError:
                text = f'(nothing at {where})'
        else:
            text = response.body.decode(errors='backslashreplace')
        return text if len(text) <= MAX_EXCERPT else text[:MAX_EXCERPT] + '…'


@dataclass(frozen=True)
class Rule:
    """A rule of a standard; `section` names where the standard states it.

    `check` is called with the exchanges for which `applies` is true.
    """

    id: str
    family: str
    standard: Standard
    section: str
    level: Level
    text: str
    applies: Applies
    check: RecordCheck = field(repr=False)

    def judge(self, record: Sequence[Exchange]) -> tuple[int, list[Finding]]:
        """Return the number of exchanges to which the rule applies, and its findings."""
        applicable = [exchange for exchange in record if self.applies(exchange)]
        found = self.check(applicable)
        return len(applicable), [Finding(self, exchange, fault) for exchange, fault in found]


def always(exchange: Exchange) -> bool:
    return True


def for_purpose(*purposes: str) -> Applies:
    """Return the predicate that an exchange was sent for one of these purposes."""
    return lambda exchange: exchange.purpose in purposes


def is_sent(*purposes: str) -> Applies:
    """Return the predicate that an exchange has one of these purposes, and no status of NOT_PROCESSED."""
    return lambda exchange: exchange.purpose in purposes and exchange.response.status not in NOT_PROCESSED


class Rules:
    """The rules of one family, in the order in which they are declared.

    By default a rule is one of `standard`, about exchanges for which `applies` is true.
    """

    def __init__(self, family: str, standard: Standard, applies: Applies = always) -> None:
        self.declared: list[Rule] = []
        self._family = family
        self._standard = standard
        self._applies = applies

    def across(
        self,
        level: Level,
        id: str,
        section: str,
        text: str,
        applies: Applies | None = None,
        *,
        standard: Standard | None = None,
    ) -> Callable[[RecordCheck], RecordCheck]:
        """Declare the decorated check as a rule about several exchanges together."""
        standard, applies = standard or self._standard, applies or self._applies

        def declare(check: RecordCheck) -> RecordCheck:
            self.declared.append(Rule(id, self._family, standard, section, level, text, applies, check))
            return check

        return declare

    def _declare(
        self,
        level: Level,
        id: str,
        section: str,
        text: str,
        applies: Applies | None = None,
        *,
        standard: Standard | None = None,
    ) -> Callable[[Check], Check]:
        """Declare the decorated check as a rule about each exchange."""

        def declare(check: Check) -> Check:
            self.across(level, id, section, text, applies, standard=standard)(
                lambda record: ((exchange, fault) for exchange in record for fault in check(exchange))
            )
            return check

        return declare

    must = partialmethod(_declare, Level.MUST)
    should = partialmethod(_declare, Level.SHOULD)
