"""Rules of JSON:API 1.1 about creating, updating and deleting; the requests are in writing.py."""

from __future__ import annotations

import json
from collections.abc import Iterator

from service.conformance.checks import requires_field, requires_status
from service.conformance.exchange import Exchange, members, resolve
from service.conformance.json_api import (
    SPECIFICATION,
    attributes_of,
    error_objects,
    href_of,
    identity_of,
    is_json_api,
    is_resource,
    primary,
    requires_rejection,
    top,
)
from service.conformance.rules import NOT_PROCESSED, Applies, Fault, Rules, for_purpose, is_sent
from service.conformance.syntax import is_json_pointer

RULES = Rules('json-api', SPECIFICATION)


def succeeded(*purposes: str) -> Applies:
    """Return the predicate that the exchange has one of the purposes and succeeded."""
    return lambda exchange: exchange.purpose in purposes and exchange.response.is_success


def is_created(exchange: Exchange) -> bool:
    return exchange.purpose == 'ja-create' and exchange.response.status == 201


RULES.must(
    'JA-CREATE-TYPE',
    '#crud-creating-responses-409',
    'A new resource whose type is not that of the collection gets 409.',
    is_sent('ja-type-conflict'),
)(requires_rejection(409))
RULES.must(
    'JA-415-PARAMETER',
    '#content-negotiation-servers',
    'Content-Type with a parameter other than ext and profile gets 415.',
    is_sent('ja-type-parameter'),
)(requires_rejection(415))
RULES.must(
    'JA-415-EXT',
    '#content-negotiation-servers',
    'Content-Type with an unsupported extension gets 415.',
    is_sent('ja-type-ext'),
)(requires_rejection(415))
RULES.must(
    'JA-CREATE-RELATED',
    '#crud-creating-responses-404',
    'A new resource that references a resource that does not exist gets 404.',
    is_sent('ja-create-related'),
)(requires_rejection(404))
RULES.must(
    'JA-UPDATE-CONFLICT',
    '#crud-updating-responses-409',
    'An update with a type or an id that does not match the URL gets 409.',
    is_sent('ja-update-other-id', 'ja-update-other-type'),
)(requires_rejection(409))
RULES.must(
    'JA-CREATE-201',
    '#crud-creating-responses-201',
    'Creating a resource gets 201, or 202 if it is created later.',
    succeeded('ja-create'),
)(requires_status(201, 202))


@RULES.must(
    'JA-CREATE-DOCUMENT',
    '#crud-creating-responses-201',
    'A 201 has the resource as primary data.',
    is_created,
)
def check_create_document(exchange: Exchange) -> Iterator[Fault]:
    if not is_json_api(exchange) or not any(is_resource(entry.value) for entry in primary(exchange)):
        yield Fault('', 'has no resource')


RULES.should(
    'JA-CREATE-LOCATION',
    '#crud-creating-responses-201',
    'A 201 has a Location.',
    is_created,
)(requires_field('Location'))


@RULES.must(
    'JA-CREATE-SELF',
    '#crud-creating-responses-201',
    'The self link of a new resource is its Location.',
    is_created,
)
def check_create_self(exchange: Exchange) -> Iterator[Fault]:
    location = exchange.response.header('Location')
    for where, value in primary(exchange):
        links = value.get('links') if isinstance(value, dict) else None
        own = href_of(links.get('self')) if isinstance(links, dict) else None
        if own is not None and location and own != location:
            yield Fault(where + '/links/self', f'Location is {location}')


RULES.must(
    'JA-CLIENT-ID',
    '#crud-creating-client-ids',
    'A client-generated id is accepted, or gets 403.',
    for_purpose('ja-client-id'),
)(requires_status(201, 202, 204, *NOT_PROCESSED, message='should be 403'))


@RULES.must(
    'JA-ERROR-POINTER-VALUE',
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
        reference = dict(members(value.get('source'))).get('pointer')
        if is_json_pointer(reference):
            try:
                resolve(sent, str(reference))
            except LookupError:
                yield Fault(where + '/source/pointer', 'leads to nothing in the request')


RULES.must(
    'JA-UPDATE-STATUS',
    '#crud-updating-responses',
    'A successful update gets 200, 202 or 204.',
    succeeded('ja-update'),
)(requires_status(200, 202, 204))


@RULES.must(
    'JA-UPDATE-PARTIAL',
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


@RULES.must(
    'JA-UPDATE-APPLIED',
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


@RULES.must(
    'JA-DELETE-STATUS',
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


@RULES.must(
    'JA-DELETED', '#fetching-resources-responses-404', 'A deleted resource gets 404.', is_sent('ja-deleted')
)
def check_ja_deleted(exchange: Exchange) -> Iterator[Fault]:
    if exchange.source.response.status != 202 and exchange.response.status != 404:
        yield Fault('status', 'should be 404')


RULES.should(
    'JA-DELETE-AGAIN',
    '#crud-deleting-responses-404',
    'Deleting a resource that does not exist gets 404.',
    is_sent('ja-delete-again'),
)(requires_status(404))


@RULES.must(
    'JA-CREATED-FETCH',
    '#fetching-resources',
    'A new resource can be fetched, and is the one in the 201.',
    is_sent('ja-created'),
)
def check_ja_created(exchange: Exchange) -> Iterator[Fault]:
    created = [identity_of(entry.value) for entry in primary(exchange.source)]
    if [identity_of(entry.value) for entry in primary(exchange)] != created:
        yield Fault('/data', f'should be {created}')
