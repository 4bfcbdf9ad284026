"""Rules of HTTP about range requests."""

from __future__ import annotations

from collections.abc import Iterator

from service.conformance.checks import requires_same_status
from service.conformance.client import Client
from service.conformance.exchange import Exchange
from service.conformance.http import RFC9110
from service.conformance.rules import Fault, Rules, is_sent

RULES = Rules('http', RFC9110)


def probe_ranges(client: Client, exchange: Exchange) -> None:
    """Request parts of the content."""
    client.repeat(exchange, 'range-unknown', Range='conform=0-1')
    sent = client.repeat(exchange, 'range', Range='bytes=0-0')
    if sent.response.status == 206:
        client.repeat(exchange, 'range-beyond', Range='bytes=99999999-')


PROBES = (probe_ranges,)


RULES.must('RANGE-UNIT', '§14.2', 'An unknown range unit is ignored.', is_sent('range-unknown'))(
    requires_same_status()
)


@RULES.must('RANGE-206', '§15.3.7.1', 'A response 206 has its range in Content-Range.', is_sent('range'))
def check_range(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    if response.status == 206 and not response.header('Content-Range').startswith('bytes 0-0/'):
        yield Fault('Content-Range:', 'should start with bytes 0-0/')


@RULES.should(
    'RANGE-416', '§15.5.17', 'A response 416 has the length in Content-Range.', is_sent('range-beyond')
)
def check_range_beyond(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    if response.status == 416 and not response.header('Content-Range').startswith('bytes */'):
        yield Fault('Content-Range:', 'should start with bytes */')
