"""Rules of HTTP and HAL-FORMS about unsafe requests, which writing.py sends."""

from __future__ import annotations

import json
from collections.abc import Iterator

from service.conformance.checks import requires_field, requires_status
from service.conformance.exchange import Exchange
from service.conformance.hal_forms import SPECIFICATION as HAL_FORMS_SPECIFICATION
from service.conformance.http import RFC9110
from service.conformance.http_methods import RFC5789
from service.conformance.rules import Fault, Rules, Standard, for_purpose, is_sent
from service.conformance.writing import state_of

IDEMPOTENCY = Standard(
    'draft-ietf-httpapi-idempotency-key-header-07',
    'https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07',
)
RFC7396 = Standard('RFC 7396', 'https://www.rfc-editor.org/rfc/rfc7396')

RULES = Rules('http', RFC9110)
FORM_RULES = Rules('hal-forms', HAL_FORMS_SPECIFICATION)


@FORM_RULES.should(
    'FORM-WITHIN',
    'Encoding Request Bodies',
    'A form with valid values is not rejected as invalid.',
    for_purpose('form-within'),
)
def check_within(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status in (400, 404, 405, 406, 415, 422):
        yield Fault('status', f'the form {exchange.context["key"]} has valid values')


@FORM_RULES.should(
    'FORM-BEYOND',
    'The property Element',
    'A value that violates a rule of its form is rejected.',
    is_sent('form-beyond'),
)
def check_beyond(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status < 400:
        context = exchange.context
        yield Fault(
            'status', f'{context["field"]} of {context["key"]} violates {context["broken"]}, and is accepted'
        )


RULES.should('WRITE-415', '§15.5.16', 'Content of an unknown type gets 415.', is_sent('write-unknown-type'))(
    requires_status(415)
)
RULES.should('WRITE-MALFORMED', '§15.5.1', 'Malformed content gets 400.', is_sent('write-malformed'))(
    requires_status(400, 422)
)
RULES.should('CREATED-FETCH', '§15.3.2', 'Location of a 201 leads to the new resource.', is_sent('created'))(
    requires_status(200, message='there is no resource at the location')
)


@RULES.should('CREATED-STATE', '§9.3.3', 'A new resource has the values that were sent.', is_sent('created'))
def check_created_state(exchange: Exchange) -> Iterator[Fault]:
    document = exchange.response.document
    for name, value in exchange.context['values'].items():
        if (
            isinstance(document, dict)
            and isinstance(document.get(name), str)
            and document[name] != str(value)
        ):
            try:
                is_same = float(document[name]) == float(value)
            except ValueError:
                is_same = False
            if not is_same:
                yield Fault('/' + name, f'{value} was sent')


@RULES.should(
    'PUT-ROUNDTRIP', '§9.3.4', 'The content of a GET can be sent back in a PUT.', is_sent('put-same')
)
def check_roundtrip(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status >= 400 and exchange.response.status != 415:
        yield Fault('status', 'the content is that of a GET')


@RULES.should('PUT-KEEPS', '§9.3.4', 'PUT of the content of a GET changes nothing.', is_sent('after-put'))
def check_put_keeps(exchange: Exchange) -> Iterator[Fault]:
    put = exchange.source
    if put.response.is_success and state_of(exchange) != state_of(put.source):
        yield Fault('', f'was {json.dumps(state_of(put.source))}')


@RULES.must(
    'PUT-VALIDATOR',
    '§9.3.4',
    'A successful PUT gets a validator only if the content was stored as it was sent.',
    is_sent('after-put'),
)
def check_put_validator(exchange: Exchange) -> Iterator[Fault]:
    put = exchange.source
    for name in ('ETag', 'Last-Modified'):
        if (
            put.response.is_success
            and put.response.values(name)
            and exchange.response.body != put.request.body
        ):
            yield Fault('content', f'is not what was sent, and the response to PUT had {name}')


RULES.must('PUT-STALE', '§13.1.1', 'A PUT with another tag in If-Match gets 412.', is_sent('put-stale'))(
    requires_status(412)
)


@RULES.must(
    'PUT-STALE-KEEPS',
    '§13.1.1',
    'A request whose precondition failed changes nothing.',
    is_sent('after-stale'),
)
def check_stale_keeps(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.header('ETag') != exchange.context['before'].response.header('ETag'):
        yield Fault('ETag:', 'was different before the request')


RULES.must(
    'PUT-NONE-MATCH',
    '§13.1.2',
    'A PUT with If-None-Match: * to an existing resource gets 412.',
    is_sent('put-none-match'),
)(requires_status(412))
RULES.should(
    'PUT-RANGE',
    '§14.5',
    'A PUT with Content-Range gets 400 if partial PUT is not supported.',
    is_sent('put-range'),
)(requires_status(400))
RULES.should(
    'PATCH-415',
    '§2.2',
    'A patch of an unknown type gets 415.',
    is_sent('patch-unknown-type'),
    standard=RFC5789,
)(requires_status(415))
RULES.should(
    'PATCH-415-ACCEPT',
    '§2.2',
    'A response 415 to PATCH lists the supported formats in Accept-Patch.',
    lambda exchange: exchange.purpose == 'patch-unknown-type' and exchange.response.status == 415,
    standard=RFC5789,
)(requires_field('Accept-Patch'))


@RULES.must(
    'MERGE-NOTHING',
    '§2',
    'A merge patch without members changes nothing.',
    for_purpose('after-merge'),
    standard=RFC7396,
)
def check_merge(exchange: Exchange) -> Iterator[Fault]:
    before = exchange.context['before']
    if exchange.source.response.is_success and state_of(exchange) != state_of(before):
        yield Fault('', f'was {json.dumps(state_of(before))}')


RULES.should('METHOD-501', '§9.1', 'An unknown method gets 501.', is_sent('unknown-method'))(
    requires_status(501)
)
RULES.should('METHOD-405', '§9.1', 'A method that is not in Allow gets 405.', is_sent('not-allowed'))(
    requires_status(405)
)


@RULES.should(
    'DELETE-STATUS', '§9.3.5', 'A successful DELETE gets 202, 204, or 200 with content.', is_sent('delete')
)
def check_delete_status(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    if response.is_success and (
        response.status not in (200, 202, 204) or (response.status == 200 and not response.body)
    ):
        yield Fault('status', 'should be 204')


@RULES.should('DELETE-GONE', '§9.3.5', 'A deleted resource gets 404 or 410.', is_sent('deleted'))
def check_gone(exchange: Exchange) -> Iterator[Fault]:
    if exchange.source.response.status != 202 and exchange.response.status not in (404, 410):
        yield Fault('status', 'should be 404')


@RULES.should(
    'KEY-REPLAY',
    '§2.6',
    'A request that repeats an idempotency key gets the result of the first one.',
    is_sent('key-again'),
    standard=IDEMPOTENCY,
)
def check_key_replay(exchange: Exchange) -> Iterator[Fault]:
    first, second = exchange.source.response, exchange.response
    is_replay = first.header('Location') == second.header('Location') != ''
    if is_replay and (first.status, first.body) != (second.status, second.body):
        yield Fault('status', f'differs from the first result, which had the status {first.status}')


RULES.should(
    'KEY-REUSED',
    '§2.7',
    'An idempotency key that is reused with another request gets 422.',
    lambda exchange: is_sent('key-reused')(exchange) and bool(exchange.request.header('Authorization')),
    standard=IDEMPOTENCY,
)(requires_status(422))
