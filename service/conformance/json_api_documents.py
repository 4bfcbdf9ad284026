"""Rules of JSON:API 1.1 about documents, resource objects, relationships and full linkage."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from service.conformance.checks import is_a, requires_valid, requires_valid_members
from service.conformance.exchange import INVALID, JSON_API, Exchange, Located, entries, members, pointer
from service.conformance.json_api import (
    IDENTIFIER_MEMBERS,
    RELATIONSHIP_MEMBERS,
    RESOURCE_MEMBERS,
    SPECIFICATION,
    TOP_MEMBERS,
    all_identifiers,
    href_of,
    identifiers,
    identity_of,
    is_extension_member,
    is_json_api,
    is_resource,
    is_unlabelled,
    relationships,
    requires_defined,
    resources,
    top,
    undefined_members,
)
from service.conformance.rules import Fault, Rules
from service.conformance.syntax import is_absolute_uri, parameters_of, parse_media_type

RULES = Rules('json-api', SPECIFICATION, is_json_api)


@RULES.must(
    'JA-MEDIA-TYPE', '#content-negotiation-all', 'JSON:API data is labelled application/vnd.api+json.'
)
def check_media_type(exchange: Exchange) -> Iterator[Fault]:
    if is_unlabelled(exchange):
        yield Fault('Content-Type:', 'a JSON:API document was sent under another label')


@RULES.must(
    'JA-MEDIA-PARAMETERS',
    '#media-type-parameter-rules',
    'The media type has no parameters except ext and profile.',
)
def check_media_parameters(exchange: Exchange) -> Iterator[Fault]:
    parsed = parse_media_type(exchange.response.header('Content-Type'))
    if parsed and parsed[0] == JSON_API and set(parsed[1]) - {'ext', 'profile'}:
        yield Fault('Content-Type:', 'has another parameter')


@RULES.must('JA-ROOT', '#document-top-level', 'The root of a document is an object.')
def check_root(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.document is INVALID or not isinstance(exchange.response.document, dict):
        yield Fault('', 'the root is not an object')


@RULES.must('JA-TOP-MEMBER', '#document-top-level', 'A document has at least one of data, errors and meta.')
def check_top_member(exchange: Exchange) -> Iterator[Fault]:
    document = top(exchange)
    if (
        document
        and not {'data', 'errors', 'meta'} & set(document)
        and not any(map(is_extension_member, document))
    ):
        yield Fault('', 'has none of them')


@RULES.must('JA-DATA-ERRORS', '#document-top-level', '`data` and `errors` are not in the same document.')
def check_data_errors(exchange: Exchange) -> Iterator[Fault]:
    if {'data', 'errors'} <= set(top(exchange)):
        yield Fault('', 'has both')


@RULES.must('JA-TOP-UNDEFINED', '#document-structure', 'The top level has no undefined members.')
def check_top_undefined(exchange: Exchange) -> Iterator[Fault]:
    yield from undefined_members(Located('', top(exchange)), TOP_MEMBERS)


@RULES.must('JA-INCLUDED-DATA', '#document-top-level', 'A document with included has data.')
def check_included_data(exchange: Exchange) -> Iterator[Fault]:
    document = top(exchange)
    if 'included' in document and 'data' not in document:
        yield Fault('/included', 'is present without data')


@RULES.must(
    'JA-INCLUDED-ARRAY', '#document-compound-documents', '`included` is an array of resource objects.'
)
def check_included_array(exchange: Exchange) -> Iterator[Fault]:
    included = top(exchange).get('included', [])
    if not isinstance(included, list) or not all(isinstance(entry, dict) for entry in included):
        yield Fault('/included', 'is not an array of objects')


@RULES.must(
    'JA-PRIMARY-DATA',
    '#document-top-level',
    'Primary data is a resource object, an identifier or null, or an array of one kind of these objects.',
)
def check_primary_data(exchange: Exchange) -> Iterator[Fault]:
    data = top(exchange).get('data')
    kinds = {is_resource(entry) for _, entry in entries(data) if isinstance(entry, dict)}
    if data is not None and not isinstance(data, dict | list):
        yield Fault('/data', 'is neither object, array nor null')
    if not all(isinstance(entry, dict) for _, entry in entries(data)):
        yield Fault('/data', 'has an entry that is not an object')
    if len(kinds) > 1:
        yield Fault('/data', 'mixes resource objects and resource identifier objects')


@RULES.must(
    'JA-JSONAPI-OBJECT', '#document-jsonapi-object', '`jsonapi` is an object without undefined members.'
)
def check_jsonapi_object(exchange: Exchange) -> Iterator[Fault]:
    value = top(exchange).get('jsonapi', {})
    if not isinstance(value, dict):
        yield Fault('/jsonapi', 'is not an object')
    yield from undefined_members(Located('/jsonapi', value), {'version', 'ext', 'profile', 'meta'})


@RULES.must('JA-JSONAPI-VERSION', '#document-jsonapi-object', '`jsonapi.version` is a string.')
def check_jsonapi_version(exchange: Exchange) -> Iterator[Fault]:
    value = top(exchange).get('jsonapi')
    if isinstance(value, dict) and not isinstance(value.get('version', ''), str):
        yield Fault('/jsonapi/version', 'is not a string')


@RULES.must(
    'JA-JSONAPI-EXT', '#document-jsonapi-object', '`jsonapi.ext` and `jsonapi.profile` are arrays of URIs.'
)
def check_jsonapi_ext(exchange: Exchange) -> Iterator[Fault]:
    for name, value in members(top(exchange).get('jsonapi')):
        is_list = isinstance(value, list) and all(is_absolute_uri(entry) for entry in value)
        if name in ('ext', 'profile') and not is_list:
            yield Fault(pointer('jsonapi', name), 'is not an array of URIs')


RULES.must(
    'JA-RESOURCE-TYPE', '#document-resource-object-identification', 'The type of every resource is a string.'
)(
    requires_valid(
        resources,
        lambda value: isinstance(value.get('type'), str),
        'has no type, or one that is not a string',
    )
)
RULES.must(
    'JA-RESOURCE-ID', '#document-resource-object-identification', 'The id of every resource is a string.'
)(
    requires_valid(
        resources, lambda value: isinstance(value.get('id'), str), 'has no id, or one that is not a string'
    )
)
RULES.must('JA-RESOURCE-UNDEFINED', '#document-structure', 'A resource object has no undefined members.')(
    requires_defined(resources, RESOURCE_MEMBERS)
)
RULES.must('JA-ATTRIBUTES-OBJECT', '#document-resource-object-attributes', '`attributes` is an object.')(
    requires_valid_members(resources, is_a(dict), 'is not an object', 'attributes')
)


@RULES.must(
    'JA-ATTRIBUTE-LINKS',
    '#document-resource-object-attributes',
    'No object inside an attribute has a member links or relationships.',
)
def check_attribute_links(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        for name, value in members(resource.get('attributes')):
            yield from reserved_inside(where + pointer('attributes', name), value)


def reserved_inside(where: str, value: Any) -> Iterator[Fault]:
    for name, inner in members(value):
        if name in ('links', 'relationships'):
            yield Fault(where + pointer(name), 'is reserved')
        yield from reserved_inside(where + pointer(name), inner)
    for number, inner in entries(value):
        yield from reserved_inside(where + pointer(number), inner)


@RULES.must(
    'JA-FIELD-RESERVED',
    '#document-resource-object-fields',
    'No attribute or relationship is named type or id.',
)
def check_field_reserved(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        for group in ('attributes', 'relationships'):
            for name, _ in members(resource.get(group)):
                if name in ('type', 'id'):
                    yield Fault(where + pointer(group, name), 'is the name of another member')


@RULES.must(
    'JA-FIELD-TWICE',
    '#document-resource-object-fields',
    'No name is an attribute and a relationship of the same resource.',
)
def check_field_twice(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        attributes = {name for name, _ in members(resource.get('attributes'))}
        for name, _ in members(resource.get('relationships')):
            if name in attributes:
                yield Fault(where + pointer('relationships', name), 'is an attribute, too')


@RULES.should(
    'JA-FOREIGN-KEY',
    '#document-resource-object-attributes',
    'A foreign key is not an attribute if there is a relationship.',
)
def check_foreign_key(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        related = {name for name, _ in members(resource.get('relationships'))}
        for name, _ in members(resource.get('attributes')):
            stem = re.sub(r'(?:[_-]id|Id)$', '', name)
            if stem != name and stem in related:
                yield Fault(where + pointer('attributes', name), f'is the key of the relationship {stem}')


RULES.must(
    'JA-RELATIONSHIPS-OBJECT', '#document-resource-object-relationships', '`relationships` is an object.'
)(requires_valid_members(resources, is_a(dict), 'is not an object', 'relationships'))


@RULES.must(
    'JA-RELATIONSHIP',
    '#document-resource-object-relationships',
    'A relationship is an object with at least one of links, data and meta.',
)
def check_relationship(exchange: Exchange) -> Iterator[Fault]:
    for _, _, (where, value) in relationships(exchange):
        if not isinstance(value, dict) or not RELATIONSHIP_MEMBERS & set(value):
            yield Fault(where, 'has none of them')


@RULES.must('JA-RELATIONSHIP-UNDEFINED', '#document-structure', 'A relationship has no undefined members.')
def check_relationship_undefined(exchange: Exchange) -> Iterator[Fault]:
    for _, _, located in relationships(exchange):
        yield from undefined_members(located, RELATIONSHIP_MEMBERS)


@RULES.must(
    'JA-RELATIONSHIP-LINKS',
    '#document-resource-object-relationships',
    'The links of a relationship have at least one of self and related.',
)
def check_relationship_links(exchange: Exchange) -> Iterator[Fault]:
    for _, _, (where, value) in relationships(exchange):
        own = value.get('links') if isinstance(value, dict) else None
        if isinstance(own, dict) and not {'self', 'related'} & set(own):
            yield Fault(where + '/links', 'has neither')


@RULES.must(
    'JA-LINKAGE',
    '#document-resource-object-linkage',
    'Linkage is null, an identifier, or an array of identifiers.',
)
def check_linkage(exchange: Exchange) -> Iterator[Fault]:
    for _, _, (where, value) in relationships(exchange):
        if isinstance(value, dict) and 'data' in value:
            data = value['data']
            if data is not None and not isinstance(data, dict | list):
                yield Fault(where + '/data', 'is not linkage')
            elif not all(isinstance(identifier.value, dict) for identifier in identifiers('', data)):
                yield Fault(where + '/data', 'has an entry that is not an identifier')


@RULES.must(
    'JA-IDENTIFIER',
    '#document-resource-identifier-objects',
    'A resource identifier has a type and an id, which are strings.',
)
def check_identifier(exchange: Exchange) -> Iterator[Fault]:
    for where, value in all_identifiers(exchange):
        if isinstance(value, dict) and not (
            isinstance(value.get('type'), str) and isinstance(value.get('id', value.get('lid')), str)
        ):
            yield Fault(where, 'does not have a type and an id that are strings')


RULES.must('JA-IDENTIFIER-UNDEFINED', '#document-structure', 'An identifier has no undefined members.')(
    requires_defined(all_identifiers, IDENTIFIER_MEMBERS)
)


@RULES.must(
    'JA-FULL-LINKAGE',
    '#document-compound-documents',
    'Every included resource is identified by linkage, unless sparse fieldsets left that out.',
)
def check_full_linkage(exchange: Exchange) -> Iterator[Fault]:
    own = href_of(dict(members(top(exchange).get('links'))).get('self'))
    parameters = parameters_of(exchange.request.url) + parameters_of(own)
    if any(name.startswith('fields[') for name, _ in parameters):
        return
    linked = {identity_of(identifier.value) for identifier in all_identifiers(exchange)}
    for number, resource in entries(top(exchange).get('included')):
        if isinstance(resource, dict) and identity_of(resource) not in linked:
            yield Fault(pointer('included', number), 'is not identified by any linkage')


@RULES.must('JA-RESOURCE-ONCE', '#document-compound-documents', 'A document has each resource once.')
def check_resource_once(exchange: Exchange) -> Iterator[Fault]:
    objects = [resource for resource in resources(exchange) if is_resource(resource.value)]
    counts = Counter(identity_of(resource.value) for resource in objects)
    for (kind, id), count in counts.items():
        if count > 1:
            yield Fault('', f'has {count} resource objects of type {kind} and id {id}')
