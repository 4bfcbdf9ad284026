"""Rules about requests that change something; the requests are in writing.py."""

from __future__ import annotations

import json
from collections.abc import Iterator

from service.conformance.exchange import Exchange, members, resolve
from service.conformance.hal_forms import SPECIFICATION as HAL_FORMS_SPECIFICATION
from service.conformance.http import RFC9110
from service.conformance.http_requests import NOT_PROCESSED, RFC5789, is_sent
from service.conformance.json_api import SPECIFICATION as JSON_API_SPECIFICATION
from service.conformance.json_api import (
    attributes_of,
    error_objects,
    href_of,
    is_json_api,
    is_resource,
    name_of,
    primary,
    top,
)
from service.conformance.json_api_requests import requires_status
from service.conformance.rules import Applies, Declare, Fault, Rules, Standard, for_purpose
from service.conformance.syntax import is_json_pointer
from service.conformance.writing import state_of

IDEMPOTENCY = Standard(
    'draft-ietf-httpapi-idempotency-key-header-07',
    'https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07',
)
RFC7396 = Standard('RFC 7396', 'https://www.rfc-editor.org/rfc/rfc7396')

RULES = Rules('http')
FORM_RULES = Rules('hal-forms')
JSON_API_RULES = Rules('json-api')


def must(id: str, section: str, text: str, *purposes: str) -> Declare:
    return RULES.must(id, RFC9110, section, text, is_sent(*purposes))


def should(id: str, section: str, text: str, *purposes: str) -> Declare:
    return RULES.should(id, RFC9110, section, text, is_sent(*purposes))


def ja_must(id: str, section: str, text: str, *purposes: str) -> Declare:
    return JSON_API_RULES.must(id, JSON_API_SPECIFICATION, section, text, is_sent(*purposes))


def succeeded(*purposes: str) -> Applies:
    """Return the predicate that the exchange has one of the purposes and succeeded."""
    return lambda exchange: exchange.purpose in purposes and exchange.response.is_success


@FORM_RULES.should(
    'FORM-WITHIN',
    HAL_FORMS_SPECIFICATION,
    'Encoding Request Bodies',
    'A form with valid values is not rejected as invalid.',
    for_purpose('form-within'),
)
def check_within(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status in (400, 404, 405, 406, 415, 422):
        yield Fault('status', f'the form {exchange.context["key"]} has valid values')


@FORM_RULES.should(
    'FORM-BEYOND',
    HAL_FORMS_SPECIFICATION,
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


@should('WRITE-415', '§15.5.16', 'Content of an unknown type gets 415.', 'write-unknown-type')
def check_unknown_type(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 415:
        yield Fault('status', 'should be 415')


@should('WRITE-MALFORMED', '§15.5.1', 'Malformed content gets 400.', 'write-malformed')
def check_malformed(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status not in (400, 422):
        yield Fault('status', 'should be 400')


@should('CREATED-FETCH', '§15.3.2', 'Location of a 201 leads to the new resource.', 'created')
def check_created(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 200:
        yield Fault('status', 'there is no resource at the location')


@should('CREATED-STATE', '§9.3.3', 'A new resource has the values that were sent.', 'created')
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


@should('PUT-ROUNDTRIP', '§9.3.4', 'The content of a GET can be sent back by PUT.', 'put-same')
def check_roundtrip(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status >= 400 and exchange.response.status != 415:
        yield Fault('status', 'the content is that of a GET')


@should('PUT-KEEPS', '§9.3.4', 'PUT of the content of a GET changes nothing.', 'after-put')
def check_put_keeps(exchange: Exchange) -> Iterator[Fault]:
    put = exchange.source
    if put.response.is_success and state_of(exchange) != state_of(put.source):
        yield Fault('', f'was {json.dumps(state_of(put.source))}')


@must(
    'PUT-VALIDATOR',
    '§9.3.4',
    'A successful PUT gets a validator only if the content was stored as it was sent.',
    'after-put',
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


@must('PUT-STALE', '§13.1.1', 'A PUT with another tag in If-Match gets 412.', 'put-stale')
def check_stale(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 412:
        yield Fault('status', 'should be 412')


@must('PUT-STALE-KEEPS', '§13.1.1', 'A request whose precondition failed changes nothing.', 'after-stale')
def check_stale_keeps(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.header('ETag') != exchange.context['before'].response.header('ETag'):
        yield Fault('ETag:', 'was different before the request')


@must(
    'PUT-NONE-MATCH',
    '§13.1.2',
    'A PUT with If-None-Match: * to an existing resource gets 412.',
    'put-none-match',
)
def check_none_match(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 412:
        yield Fault('status', 'should be 412')


@should(
    'PUT-RANGE', '§14.5', 'A PUT with Content-Range gets 400 if partial PUT is not supported.', 'put-range'
)
def check_put_range(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 400:
        yield Fault('status', 'should be 400')


@RULES.should(
    'PATCH-415', RFC5789, '§2.2', 'A patch of an unknown type gets 415.', is_sent('patch-unknown-type')
)
def check_patch_type(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 415:
        yield Fault('status', 'should be 415')


@RULES.should(
    'PATCH-415-ACCEPT',
    RFC5789,
    '§2.2',
    'A response 415 to PATCH lists the supported formats in Accept-Patch.',
    lambda exchange: exchange.purpose == 'patch-unknown-type' and exchange.response.status == 415,
)
def check_patch_accept(exchange: Exchange) -> Iterator[Fault]:
    if not exchange.response.values('Accept-Patch'):
        yield Fault('Accept-Patch:', 'is missing')


@RULES.must(
    'MERGE-NOTHING',
    RFC7396,
    '§2',
    'A merge patch without members changes nothing.',
    for_purpose('after-merge'),
)
def check_merge(exchange: Exchange) -> Iterator[Fault]:
    before = exchange.context['before']
    if exchange.source.response.is_success and state_of(exchange) != state_of(before):
        yield Fault('', f'was {json.dumps(state_of(before))}')


@should('METHOD-501', '§9.1', 'An unknown method gets 501.', 'unknown-method')
def check_unknown_method(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 501:
        yield Fault('status', 'should be 501')


@should('METHOD-405', '§9.1', 'A method that is not in Allow gets 405.', 'not-allowed')
def check_not_allowed(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 405:
        yield Fault('status', 'should be 405')


@should('DELETE-STATUS', '§9.3.5', 'A successful DELETE gets 202, 204, or 200 with content.', 'delete')
def check_delete_status(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    if response.is_success and (
        response.status not in (200, 202, 204) or (response.status == 200 and not response.body)
    ):
        yield Fault('status', 'should be 204')


@should('DELETE-GONE', '§9.3.5', 'A deleted resource gets 404 or 410.', 'deleted')
def check_gone(exchange: Exchange) -> Iterator[Fault]:
    if exchange.source.response.status != 202 and exchange.response.status not in (404, 410):
        yield Fault('status', 'should be 404')


@RULES.should(
    'KEY-REPLAY',
    IDEMPOTENCY,
    '§2.6',
    'A request that repeats an idempotency key gets the result of the first one.',
    is_sent('key-again'),
)
def check_key_replay(exchange: Exchange) -> Iterator[Fault]:
    first, second = exchange.source.response, exchange.response
    is_replay = first.header('Location') == second.header('Location') != ''
    if is_replay and (first.status, first.body) != (second.status, second.body):
        yield Fault('status', f'the first result was {first.status}, and another content')


@RULES.should(
    'KEY-REUSED',
    IDEMPOTENCY,
    '§2.7',
    'An idempotency key that is reused with another request gets 422.',
    lambda exchange: is_sent('key-reused')(exchange) and bool(exchange.request.header('Authorization')),
)
def check_key_reused(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 422:
        yield Fault('status', 'should be 422')


ja_must(
    'JA-CREATE-TYPE',
    '#crud-creating-responses-409',
    'A new resource of another type than that of the collection gets 409.',
    'ja-type-conflict',
)(requires_status(409))
ja_must(
    'JA-415-PARAMETER',
    '#content-negotiation-servers',
    'Content-Type with a parameter other than ext and profile gets 415.',
    'ja-type-parameter',
)(requires_status(415))
ja_must(
    'JA-415-EXT',
    '#content-negotiation-servers',
    'Content-Type with an unsupported extension gets 415.',
    'ja-type-ext',
)(requires_status(415))
ja_must(
    'JA-CREATE-RELATED',
    '#crud-creating-responses-404',
    'A new resource that references a resource that does not exist gets 404.',
    'ja-create-related',
)(requires_status(404))
ja_must(
    'JA-UPDATE-CONFLICT',
    '#crud-updating-responses-409',
    'An update with a type or an id that does not match the URL gets 409.',
    'ja-update-other-id',
    'ja-update-other-type',
)(requires_status(409))


@JSON_API_RULES.must(
    'JA-CREATE-201',
    JSON_API_SPECIFICATION,
    '#crud-creating-responses-201',
    'Creating a resource gets 201, or 202 if it is created later.',
    succeeded('ja-create'),
)
def check_create_status(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status not in (201, 202):
        yield Fault('status', 'should be 201')


@JSON_API_RULES.must(
    'JA-CREATE-DOCUMENT',
    JSON_API_SPECIFICATION,
    '#crud-creating-responses-201',
    'A 201 has the resource as primary data.',
    lambda exchange: exchange.purpose == 'ja-create' and exchange.response.status == 201,
)
def check_create_document(exchange: Exchange) -> Iterator[Fault]:
    if not is_json_api(exchange) or not any(is_resource(one.value) for one in primary(top(exchange))):
        yield Fault('', 'has no resource')


@JSON_API_RULES.should(
    'JA-CREATE-LOCATION',
    JSON_API_SPECIFICATION,
    '#crud-creating-responses-201',
    'A 201 has a Location.',
    lambda exchange: exchange.purpose == 'ja-create' and exchange.response.status == 201,
)
def check_create_location(exchange: Exchange) -> Iterator[Fault]:
    if not exchange.response.values('Location'):
        yield Fault('Location:', 'is missing')


@JSON_API_RULES.must(
    'JA-CREATE-SELF',
    JSON_API_SPECIFICATION,
    '#crud-creating-responses-201',
    'The self link of a new resource is its Location.',
    lambda exchange: exchange.purpose == 'ja-create' and exchange.response.status == 201,
)
def check_create_self(exchange: Exchange) -> Iterator[Fault]:
    location = exchange.response.header('Location')
    for where, value in primary(top(exchange)):
        links = value.get('links') if isinstance(value, dict) else None
        own = href_of(links.get('self')) if isinstance(links, dict) else None
        if own is not None and location and own != location:
            yield Fault(where + '/links/self', f'Location is {location}')


@JSON_API_RULES.must(
    'JA-CLIENT-ID',
    JSON_API_SPECIFICATION,
    '#crud-creating-client-ids',
    'A client-generated id is accepted, or gets 403.',
    for_purpose('ja-client-id'),
)
def check_client_id(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status not in (201, 202, 204, *NOT_PROCESSED):
        yield Fault('status', 'should be 403')


@JSON_API_RULES.must(
    'JA-ERROR-POINTER-VALUE',
    JSON_API_SPECIFICATION,
    '#error-objects',
    '`source.pointer` leads to a value that is in the request document.',
    lambda exchange: (
        is_json_api(exchange) and exchange.response.status >= 400 and bool(exchange.request.body)
    ),
)
def check_error_pointer_value(exchange: Exchange) -> Iterator[Fault]:
    try:
        sent = json.loads(exchange.request.body or b'')
    except ValueError:
        return
    for where, value in error_objects(exchange):
        found = dict(members(value.get('source'))).get('pointer')
        if is_json_pointer(found):
            try:
                resolve(sent, str(found))
            except LookupError:
                yield Fault(where + '/source/pointer', 'leads to nothing in the request')


@JSON_API_RULES.must(
    'JA-UPDATE-STATUS',
    JSON_API_SPECIFICATION,
    '#crud-updating-responses',
    'A successful update gets 200, 202 or 204.',
    succeeded('ja-update'),
)
def check_update_status(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status not in (200, 202, 204):
        yield Fault('status', 'should be 200')


@JSON_API_RULES.must(
    'JA-UPDATE-PARTIAL',
    JSON_API_SPECIFICATION,
    '#crud-updating-resource-attributes',
    'Attributes that an update leaves out keep their values.',
    lambda exchange: exchange.purpose == 'ja-updated' and exchange.is_fetch,
)
def check_update_partial(exchange: Exchange) -> Iterator[Fault]:
    before = attributes_of(top(exchange.context['before']).get('data'))
    after = attributes_of(top(exchange).get('data'))
    for name, value in before.items():
        if name != exchange.context['name'] and value is not None and after.get(name) is None:
            yield Fault('/data/attributes', f'{name} was {value!r} and is gone')


@JSON_API_RULES.must(
    'JA-UPDATE-APPLIED',
    JSON_API_SPECIFICATION,
    '#crud-updating-responses-200',
    'An update that succeeded has changed the resource.',
    lambda exchange: exchange.purpose == 'ja-updated' and exchange.is_fetch,
)
def check_update_applied(exchange: Exchange) -> Iterator[Fault]:
    name = exchange.context['name']
    sent = json.loads(exchange.source.request.body or b'{}')['data']['attributes'][name]
    after = attributes_of(top(exchange).get('data')).get(name)
    if exchange.source.response.status in (200, 204) and after != sent:
        yield Fault(f'/data/attributes/{name}', f'{sent!r} was sent')


@JSON_API_RULES.must(
    'JA-DELETE-STATUS',
    JSON_API_SPECIFICATION,
    '#crud-deleting-responses',
    'A successful deletion gets 204, 202, or 200 with a document without data.',
    succeeded('ja-delete'),
)
def check_ja_delete(exchange: Exchange) -> Iterator[Fault]:
    response = exchange.response
    if response.status not in (200, 202, 204):
        yield Fault('status', 'should be 204')
    elif response.status == 200 and ('meta' not in top(exchange) or 'data' in top(exchange)):
        yield Fault('', 'has data, or no meta')


@ja_must(
    'JA-DELETED',
    '#fetching-resources-responses-404',
    'A deleted resource gets 404.',
    'ja-deleted',
)
def check_ja_deleted(exchange: Exchange) -> Iterator[Fault]:
    if exchange.source.response.status != 202 and exchange.response.status != 404:
        yield Fault('status', 'should be 404')


@JSON_API_RULES.should(
    'JA-DELETE-AGAIN',
    JSON_API_SPECIFICATION,
    '#crud-deleting-responses-404',
    'Deleting a resource that does not exist gets 404.',
    is_sent('ja-delete-again'),
)
def check_delete_again(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status != 404:
        yield Fault('status', 'should be 404')


@JSON_API_RULES.must(
    'JA-CREATED-FETCH',
    JSON_API_SPECIFICATION,
    '#fetching-resources',
    'A new resource can be fetched, and is the one in the 201.',
    is_sent('ja-created'),
)
def check_ja_created(exchange: Exchange) -> Iterator[Fault]:
    created = [name_of(one.value) for one in primary(top(exchange.source))]
    if [name_of(one.value) for one in primary(top(exchange))] != created:
        yield Fault('/data', f'should be {created}')
