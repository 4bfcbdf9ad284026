"""Rules of JSON:API 1.1 about documents: structure, linkage, links, member names, errors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from service.conformance.crawler import FoundLink
from service.conformance.exchange import (
    INVALID,
    JSON,
    JSON_API,
    Exchange,
    entries,
    found_once,
    members,
    pointer,
)
from service.conformance.rules import Declare, Fault, Level, Rules, Standard
from service.conformance.syntax import (
    is_absolute_uri,
    is_json_pointer,
    is_language,
    is_uri_reference,
    join,
    parameters_of,
    parse_media_type,
)

SPECIFICATION = Standard('JSON:API 1.1', 'https://jsonapi.org/format/1.1/')

RULES = Rules('json-api')
TOP_MEMBERS = {'data', 'errors', 'meta', 'jsonapi', 'links', 'included'}
PAGE_LINKS = {'first', 'last', 'prev', 'next'}
TOP_LINKS = {'self', 'related', 'describedby'} | PAGE_LINKS
RESOURCE_MEMBERS = {'type', 'id', 'lid', 'attributes', 'relationships', 'links', 'meta'}
IDENTIFIER_MEMBERS = {'type', 'id', 'lid', 'meta'}
RELATIONSHIP_MEMBERS = {'links', 'data', 'meta'}
LINK_MEMBERS = {'href', 'rel', 'describedby', 'title', 'type', 'hreflang', 'meta'}
ERROR_MEMBERS = {'id', 'links', 'status', 'code', 'title', 'detail', 'source', 'meta'}
_MEMBER_NAME = re.compile(
    r'[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\u0080-\U0010ffff_ -]*[A-Za-z0-9\u0080-\U0010ffff])?'
)
_URL_SAFE = re.compile(r'[A-Za-z0-9_-]*')


class Located(NamedTuple):
    """A value of a document with its JSON Pointer."""

    where: str
    value: Any


def is_json_api(exchange: Exchange) -> bool:
    """Return whether it is JSON:API, by its media type or, if that was requested, by its members."""
    response = exchange.response
    if not response.is_whole:
        return False
    return response.media_type == JSON_API or is_unlabelled(exchange)


def is_unlabelled(exchange: Exchange) -> bool:
    """Return whether JSON:API was requested and sent as plain JSON."""
    document = exchange.response.document
    is_requested = exchange.context.get('accept') == JSON_API
    is_document = isinstance(document, dict) and bool({'data', 'errors'} & set(document))
    return is_requested and is_document and exchange.response.media_type == JSON


def is_fetched(exchange: Exchange) -> bool:
    return is_json_api(exchange) and exchange.is_fetch


def is_error(exchange: Exchange) -> bool:
    return is_json_api(exchange) and exchange.response.status >= 400


def plain(members_: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Leave out @-members, which are ignored (#document-member-names-at-members)."""
    return ((name, value) for name, value in members_ if not name.startswith('@'))


def extended(name: str) -> bool:
    """Return whether it is the member of an extension, with its namespace (#extension-members)."""
    return ':' in name


def top(exchange: Exchange) -> dict[str, Any]:
    """Return the top-level object, {} if there is none."""
    document = exchange.response.document
    return document if isinstance(document, dict) else {}


def primary(document: dict[str, Any]) -> Iterator[Located]:
    """Yield the entries of the primary data."""
    data = document.get('data')
    if isinstance(data, list):
        yield from (Located(pointer('data', number), one) for number, one in enumerate(data))
    elif data is not None:
        yield Located('/data', data)


def is_resource(value: Any) -> bool:
    """Return whether it is a resource object: it has more than an identifier may have."""
    return isinstance(value, dict) and bool(set(value) - IDENTIFIER_MEMBERS)


@found_once
def resources(exchange: Exchange) -> Iterator[Located]:
    """Yield the resource objects of primary and included data, if they are objects."""
    document = top(exchange)
    for located in primary(document):
        if isinstance(located.value, dict):
            yield located
    for number, one in entries(document.get('included')):
        if isinstance(one, dict):
            yield Located(pointer('included', number), one)


@found_once
def relationships(exchange: Exchange) -> Iterator[tuple[Located, str, Located]]:
    """Yield resource, name and value of every relationship."""
    for resource in resources(exchange):
        for name, value in plain(members(resource.value.get('relationships'))):
            yield resource, name, Located(resource.where + pointer('relationships', name), value)


def identifiers(where: str, data: Any) -> Iterator[Located]:
    """Yield the resource identifier objects of linkage, also those of a wrong type."""
    if isinstance(data, list):
        yield from (Located(where + pointer(number), one) for number, one in enumerate(data))
    elif data is not None:
        yield Located(where, data)


@found_once
def all_identifiers(exchange: Exchange) -> Iterator[Located]:
    """Yield the identifiers of all relationships, and those that are primary data."""
    for _, _, relationship in relationships(exchange):
        if isinstance(relationship.value, dict):
            yield from identifiers(relationship.where + '/data', relationship.value.get('data'))
    for located in primary(top(exchange)):
        if isinstance(located.value, dict) and not is_resource(located.value):
            yield located


def attributes_of(resource: Any) -> dict[str, Any]:
    """Return the attributes of a resource; {} if it has none."""
    return dict(members(resource.get('attributes'))) if isinstance(resource, dict) else {}


def name_of(value: Any) -> tuple[str, str]:
    """Return type and id of a resource object or identifier."""
    return (str(value.get('type')), str(value.get('id'))) if isinstance(value, dict) else ('', '')


@found_once
def links_objects(exchange: Exchange) -> Iterator[Located]:
    """Yield every links object, also one of a wrong type."""
    document = top(exchange)
    holders = [Located('', document), *resources(exchange)]
    holders += [relationship for _, _, relationship in relationships(exchange)]
    holders += errors(exchange)
    for where, value in holders:
        if isinstance(value, dict) and 'links' in value:
            yield Located(where + '/links', value['links'])


@found_once
def links(exchange: Exchange) -> Iterator[Located]:
    """Yield every link, also one of a wrong type."""
    for where, value in links_objects(exchange):
        for name, link in plain(members(value)):
            if not (isinstance(link, list) and name in ('type', 'profile')):
                yield Located(where + pointer(name), link)


def errors(exchange: Exchange) -> list[Located]:
    """Return the error objects, also those of a wrong type."""
    return [Located(pointer('errors', number), one) for number, one in entries(top(exchange).get('errors'))]


def error_objects(exchange: Exchange) -> Iterator[Located]:
    return (one for one in errors(exchange) if isinstance(one.value, dict))


def href_of(link: Any) -> str | None:
    """Return the reference of a link; None if it has none."""
    href = link.get('href') if isinstance(link, dict) else link
    return href if isinstance(href, str) else None


def find_links(exchange: Exchange) -> Iterator[FoundLink]:
    """Yield the links that a crawler may follow."""
    if is_json_api(exchange):
        for where, link in links(exchange):
            href = href_of(link)
            if href is not None:
                yield FoundLink(where.rpartition('/')[2], href, where)


def metas(exchange: Exchange) -> Iterator[Located]:
    """Yield every meta member."""
    document = top(exchange)
    holders = [Located('', document), *resources(exchange), *errors(exchange), *all_identifiers(exchange)]
    holders += [relationship for _, _, relationship in relationships(exchange)]
    holders += [Located('/jsonapi', document.get('jsonapi')), *links(exchange)]
    for where, value in holders:
        if isinstance(value, dict) and 'meta' in value:
            yield Located(where + '/meta', value['meta'])


def undefined_members(located: Located, allowed: set[str]) -> Iterator[Fault]:
    """Yield a fault for each member that the specification does not define."""
    for name, _ in plain(members(located.value)):
        if name not in allowed and not extended(name):
            yield Fault(located.where + pointer(name), 'is not defined by the specification')


def must(id: str, section: str, text: str, applies: Callable[[Exchange], bool] = is_json_api) -> Declare:
    return RULES.must(id, SPECIFICATION, section, text, applies)


def should(id: str, section: str, text: str, applies: Callable[[Exchange], bool] = is_json_api) -> Declare:
    return RULES.should(id, SPECIFICATION, section, text, applies)


@must('JA-MEDIA-TYPE', '#content-negotiation-all', 'JSON:API data is labelled application/vnd.api+json.')
def check_media_type(exchange: Exchange) -> Iterator[Fault]:
    if is_unlabelled(exchange):
        yield Fault('Content-Type:', 'a JSON:API document was sent under another label')


@must(
    'JA-MEDIA-PARAMETERS',
    '#media-type-parameter-rules',
    'The media type has no parameters except ext and profile.',
)
def check_media_parameters(exchange: Exchange) -> Iterator[Fault]:
    parsed = parse_media_type(exchange.response.header('Content-Type'))
    if parsed and parsed[0] == JSON_API and set(parsed[1]) - {'ext', 'profile'}:
        yield Fault('Content-Type:', 'has another parameter')


@must('JA-ROOT', '#document-top-level', 'The root of a document is an object.')
def check_root(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.document is INVALID or not isinstance(exchange.response.document, dict):
        yield Fault('', 'the root is not an object')


@must('JA-TOP-MEMBER', '#document-top-level', 'A document has at least one of data, errors and meta.')
def check_top_member(exchange: Exchange) -> Iterator[Fault]:
    document = top(exchange)
    if document and not {'data', 'errors', 'meta'} & set(document) and not any(map(extended, document)):
        yield Fault('', 'has none of them')


@must('JA-DATA-ERRORS', '#document-top-level', '`data` and `errors` are not in the same document.')
def check_data_errors(exchange: Exchange) -> Iterator[Fault]:
    if {'data', 'errors'} <= set(top(exchange)):
        yield Fault('', 'has both')


@must('JA-TOP-UNDEFINED', '#document-structure', 'The top level has no undefined members.')
def check_top_undefined(exchange: Exchange) -> Iterator[Fault]:
    yield from undefined_members(Located('', top(exchange)), TOP_MEMBERS)


@must('JA-INCLUDED-DATA', '#document-top-level', 'A document with included has data.')
def check_included_data(exchange: Exchange) -> Iterator[Fault]:
    document = top(exchange)
    if 'included' in document and 'data' not in document:
        yield Fault('/included', 'is present without data')


@must('JA-INCLUDED-ARRAY', '#document-compound-documents', '`included` is an array of resource objects.')
def check_included_array(exchange: Exchange) -> Iterator[Fault]:
    included = top(exchange).get('included', [])
    if not isinstance(included, list) or not all(isinstance(one, dict) for one in included):
        yield Fault('/included', 'is not an array of objects')


@must(
    'JA-PRIMARY-DATA',
    '#document-top-level',
    'Primary data is a resource object, an identifier or null, or an array of one kind of these objects.',
)
def check_primary_data(exchange: Exchange) -> Iterator[Fault]:
    data = top(exchange).get('data')
    kinds = {is_resource(one) for _, one in entries(data) if isinstance(one, dict)}
    if data is not None and not isinstance(data, dict | list):
        yield Fault('/data', 'is neither object, array nor null')
    if not all(isinstance(one, dict) for _, one in entries(data)):
        yield Fault('/data', 'has an entry that is not an object')
    if len(kinds) > 1:
        yield Fault('/data', 'mixes resource objects and resource identifier objects')


@must('JA-JSONAPI-OBJECT', '#document-jsonapi-object', '`jsonapi` is an object without undefined members.')
def check_jsonapi_object(exchange: Exchange) -> Iterator[Fault]:
    value = top(exchange).get('jsonapi', {})
    if not isinstance(value, dict):
        yield Fault('/jsonapi', 'is not an object')
    yield from undefined_members(Located('/jsonapi', value), {'version', 'ext', 'profile', 'meta'})


@must('JA-JSONAPI-VERSION', '#document-jsonapi-object', '`jsonapi.version` is a string.')
def check_jsonapi_version(exchange: Exchange) -> Iterator[Fault]:
    value = top(exchange).get('jsonapi')
    if isinstance(value, dict) and not isinstance(value.get('version', ''), str):
        yield Fault('/jsonapi/version', 'is not a string')


@must('JA-JSONAPI-EXT', '#document-jsonapi-object', '`jsonapi.ext` and `jsonapi.profile` are arrays of URIs.')
def check_jsonapi_ext(exchange: Exchange) -> Iterator[Fault]:
    for name, value in members(top(exchange).get('jsonapi')):
        is_list = isinstance(value, list) and all(is_absolute_uri(one) for one in value)
        if name in ('ext', 'profile') and not is_list:
            yield Fault(pointer('jsonapi', name), 'is not an array of URIs')


@must('JA-RESOURCE-TYPE', '#document-resource-object-identification', 'Every resource has a type, a string.')
def check_resource_type(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        if not isinstance(resource.get('type'), str):
            yield Fault(where, 'has no type, or one that is not a string')


@must('JA-RESOURCE-ID', '#document-resource-object-identification', 'Every resource has an id, a string.')
def check_resource_id(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        if not isinstance(resource.get('id'), str):
            yield Fault(where, 'has no id, or one that is not a string')


@must('JA-RESOURCE-UNDEFINED', '#document-structure', 'A resource object has no undefined members.')
def check_resource_undefined(exchange: Exchange) -> Iterator[Fault]:
    for located in resources(exchange):
        yield from undefined_members(located, RESOURCE_MEMBERS)


@must(
    'JA-TYPE-NAME', '#document-resource-object-identification', 'A type satisfies the rules of member names.'
)
def check_type_name(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        kind = resource.get('type')
        if isinstance(kind, str) and not _MEMBER_NAME.fullmatch(kind):
            yield Fault(where + '/type', 'has characters that member names cannot have')


@must('JA-ATTRIBUTES-OBJECT', '#document-resource-object-attributes', '`attributes` is an object.')
def check_attributes_object(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        if not isinstance(resource.get('attributes', {}), dict):
            yield Fault(where + '/attributes', 'is not an object')


@must(
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


@must(
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


@must(
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


@should(
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


@must('JA-RELATIONSHIPS-OBJECT', '#document-resource-object-relationships', '`relationships` is an object.')
def check_relationships_object(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        if not isinstance(resource.get('relationships', {}), dict):
            yield Fault(where + '/relationships', 'is not an object')


@must(
    'JA-RELATIONSHIP',
    '#document-resource-object-relationships',
    'A relationship is an object with at least one of links, data and meta.',
)
def check_relationship(exchange: Exchange) -> Iterator[Fault]:
    for _, _, (where, value) in relationships(exchange):
        if not isinstance(value, dict) or not RELATIONSHIP_MEMBERS & set(value):
            yield Fault(where, 'has none of them')


@must('JA-RELATIONSHIP-UNDEFINED', '#document-structure', 'A relationship has no undefined members.')
def check_relationship_undefined(exchange: Exchange) -> Iterator[Fault]:
    for _, _, located in relationships(exchange):
        yield from undefined_members(located, RELATIONSHIP_MEMBERS)


@must(
    'JA-RELATIONSHIP-LINKS',
    '#document-resource-object-relationships',
    'The links of a relationship have at least one of self and related.',
)
def check_relationship_links(exchange: Exchange) -> Iterator[Fault]:
    for _, _, (where, value) in relationships(exchange):
        own = value.get('links') if isinstance(value, dict) else None
        if isinstance(own, dict) and not {'self', 'related'} & set(own):
            yield Fault(where + '/links', 'has neither')


@must(
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
            elif not all(isinstance(one.value, dict) for one in identifiers('', data)):
                yield Fault(where + '/data', 'has an entry that is not an identifier')


@must(
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


@must('JA-IDENTIFIER-UNDEFINED', '#document-structure', 'An identifier has no undefined members.')
def check_identifier_undefined(exchange: Exchange) -> Iterator[Fault]:
    for located in all_identifiers(exchange):
        yield from undefined_members(located, IDENTIFIER_MEMBERS)


@must(
    'JA-FULL-LINKAGE',
    '#document-compound-documents',
    'Every included resource is identified by linkage, unless sparse fieldsets left that out.',
)
def check_full_linkage(exchange: Exchange) -> Iterator[Fault]:
    own = href_of(dict(members(top(exchange).get('links'))).get('self'))
    parameters = parameters_of(exchange.request.url) + parameters_of(own)
    if any(name.startswith('fields[') for name, _ in parameters):
        return
    linked = {name_of(one.value) for one in all_identifiers(exchange)}
    for number, one in entries(top(exchange).get('included')):
        if isinstance(one, dict) and name_of(one) not in linked:
            yield Fault(pointer('included', number), 'is not identified by any linkage')


@must(
    'JA-RESOURCE-ONCE',
    '#document-compound-documents',
    'A document has each resource once.',
)
def check_resource_once(exchange: Exchange) -> Iterator[Fault]:
    objects = [one for one in resources(exchange) if is_resource(one.value)]
    counts = Counter(name_of(one.value) for one in objects)
    for (kind, id), count in counts.items():
        if count > 1:
            yield Fault('', f'has {count} resource objects of type {kind} and id {id}')


@must('JA-META-OBJECT', '#document-meta', '`meta` is an object.')
def check_meta_object(exchange: Exchange) -> Iterator[Fault]:
    for where, value in metas(exchange):
        if not isinstance(value, dict):
            yield Fault(where, 'is not an object')


@must('JA-LINKS-OBJECT', '#document-links', '`links` is an object.')
def check_links_object(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links_objects(exchange):
        if not isinstance(value, dict):
            yield Fault(where, 'is not an object')


@must('JA-LINK', '#document-links-link', 'A link is a string, a link object or null.')
def check_link(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links(exchange):
        if value is not None and not isinstance(value, str | dict):
            yield Fault(where, 'is none of them')


@must('JA-LINK-HREF', '#document-links-link-object', 'A link object has an href.')
def check_link_href(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links(exchange):
        if isinstance(value, dict) and not isinstance(value.get('href'), str):
            yield Fault(where, 'has no href')


@must('JA-LINK-URI', '#document-links-link', 'A link is a URI reference.')
def check_link_uri(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links(exchange):
        href = href_of(value)
        if href is not None and not is_uri_reference(href):
            yield Fault(where, 'has characters that a URI cannot have')


@must('JA-LINK-UNDEFINED', '#document-structure', 'A link object has no undefined members.')
def check_link_undefined(exchange: Exchange) -> Iterator[Fault]:
    for located in links(exchange):
        yield from undefined_members(located, LINK_MEMBERS)


@must('JA-LINK-REL', '#document-links-link-object', '`rel` of a link object is a relation type, a string.')
def check_link_rel(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links(exchange):
        if isinstance(value, dict) and 'rel' in value:
            rel = value['rel']
            if not isinstance(rel, str) or not rel or re.search(r'\s', rel):
                yield Fault(where + '/rel', 'is not a relation type')


@must('JA-LINK-TITLE', '#document-links-link-object', '`title` and `type` of a link object are strings.')
def check_link_title(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links(exchange):
        for name, text in members(value):
            if name in ('title', 'type') and not isinstance(text, str):
                yield Fault(where + pointer(name), 'is not a string')


@must('JA-LINK-HREFLANG', '#document-links-link-object', '`hreflang` is a language tag or an array of them.')
def check_link_hreflang(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links(exchange):
        if isinstance(value, dict) and 'hreflang' in value:
            tags = value['hreflang'] if isinstance(value['hreflang'], list) else [value['hreflang']]
            if not all(is_language(tag) for tag in tags):
                yield Fault(where + '/hreflang', 'is not a language tag')


@must(
    'JA-TOP-LINKS',
    '#document-top-level',
    'The top-level links are self, related, describedby and those of pagination.',
)
def check_top_links(exchange: Exchange) -> Iterator[Fault]:
    if 'errors' not in top(exchange):
        yield from undefined_members(Located('/links', top(exchange).get('links')), TOP_LINKS)


@must('JA-RESOURCE-LINKS', '#document-resource-object-links', 'The only link of a resource is self.')
def check_resource_links(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        yield from undefined_members(Located(where + '/links', resource.get('links')), {'self'})


@must(
    'JA-RELATIONSHIP-LINK-NAMES',
    '#document-resource-object-relationships',
    'The links of a relationship are self, related and those of pagination.',
)
def check_relationship_link_names(exchange: Exchange) -> Iterator[Fault]:
    for _, _, (where, value) in relationships(exchange):
        if isinstance(value, dict):
            yield from undefined_members(
                Located(where + '/links', value.get('links')), {'self', 'related'} | PAGE_LINKS
            )


def field_names(exchange: Exchange) -> Iterator[Located]:
    """Yield the names that implementations choose: of fields, in attributes and in meta."""
    for where, resource in resources(exchange):
        for group in ('attributes', 'relationships'):
            yield from names_inside(
                where + pointer(group), resource.get(group), is_deep=group == 'attributes'
            )
    for where, meta in metas(exchange):
        yield from names_inside(where, meta, is_deep=False)


def names_inside(where: str, value: Any, *, is_deep: bool) -> Iterator[Located]:
    for name, inner in plain(members(value)):
        yield Located(where + pointer(name), name)
        if is_deep:
            yield from names_inside(where + pointer(name), inner, is_deep=True)
    for number, inner in entries(value):
        yield from names_inside(where + pointer(number), inner, is_deep=is_deep)


@must('JA-MEMBER-NAME', '#document-member-names', 'Member names have only the characters that are allowed.')
def check_member_name(exchange: Exchange) -> Iterator[Fault]:
    for where, name in field_names(exchange):
        if not _MEMBER_NAME.fullmatch(name):
            yield Fault(where, 'is not a member name')


@should(
    'JA-MEMBER-NAME-SAFE', '#document-member-names', 'Member names have only characters that URLs can have.'
)
def check_member_name_safe(exchange: Exchange) -> Iterator[Fault]:
    for where, name in field_names(exchange):
        if _MEMBER_NAME.fullmatch(name) and not _URL_SAFE.fullmatch(name):
            yield Fault(where, 'has a character that must be escaped in a URL')


@must('JA-ERRORS-ARRAY', '#error-objects', '`errors` is an array of objects.', is_error)
def check_errors_array(exchange: Exchange) -> Iterator[Fault]:
    value = top(exchange).get('errors', [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        yield Fault('/errors', 'is not an array of objects')


@should('JA-ERRORS-USED', '#errors-processing', 'A failure is described by error objects.', is_error)
def check_errors_used(exchange: Exchange) -> Iterator[Fault]:
    if not top(exchange).get('errors'):
        yield Fault('', 'has no errors')


@must('JA-ERROR-MEMBER', '#error-objects', 'An error object has at least one of its members.', is_error)
def check_error_member(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        if not ERROR_MEMBERS & set(value):
            yield Fault(where, 'has none of them')


@must(
    'JA-ERROR-UNDEFINED',
    '#document-structure',
    'An error object has no undefined members.',
    is_error,
)
def check_error_undefined(exchange: Exchange) -> Iterator[Fault]:
    for located in error_objects(exchange):
        yield from undefined_members(located, ERROR_MEMBERS)


@must('JA-ERROR-STATUS', '#error-objects', 'The status of an error is an HTTP status as a string.', is_error)
def check_error_status(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        if 'status' in value and not re.fullmatch(r'[45]\d\d', str(value['status'])):
            yield Fault(where + '/status', 'is not an HTTP status')
        elif not isinstance(value.get('status', ''), str):
            yield Fault(where + '/status', 'is not a string')


@should(
    'JA-ERROR-STATUS-SAME',
    '#errors-processing',
    'If all errors have one status, the response has it too.',
    is_error,
)
def check_error_status_same(exchange: Exchange) -> Iterator[Fault]:
    statuses = {str(value['status']) for _, value in error_objects(exchange) if 'status' in value}
    if len(statuses) == 1 and statuses != {str(exchange.response.status)}:
        yield Fault('status', f'the errors say {statuses.pop()}')


@must(
    'JA-ERROR-TEXT', '#error-objects', '`id`, `code`, `title` and `detail` of an error are strings.', is_error
)
def check_error_text(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        for name in ('id', 'code', 'title', 'detail'):
            if not isinstance(value.get(name, ''), str):
                yield Fault(where + pointer(name), 'is not a string')


@must('JA-ERROR-LINKS', '#error-objects', 'The only links of an error are about and type.', is_error)
def check_error_links(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        yield from undefined_members(Located(where + '/links', value.get('links')), {'about', 'type'})


@must(
    'JA-ERROR-SOURCE', '#error-objects', '`source` is an object of pointer, parameter and header.', is_error
)
def check_error_source(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        source = value.get('source', {})
        if not isinstance(source, dict):
            yield Fault(where + '/source', 'is not an object')
        yield from undefined_members(Located(where + '/source', source), {'pointer', 'parameter', 'header'})


@must('JA-ERROR-POINTER', '#error-objects', '`source.pointer` is a JSON Pointer.', is_error)
def check_error_pointer(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        for name, one in members(value.get('source')):
            if name == 'pointer' and not is_json_pointer(one):
                yield Fault(where + '/source/pointer', 'is not a JSON Pointer')


def is_fetched_by_link(exchange: Exchange) -> bool:
    return exchange.purpose == 'crawl' and exchange.origin is not None and is_json_api(exchange.origin)


@must(
    'JA-FETCH-LINK',
    '#fetching-resources',
    'Every self and related link can be fetched, and gets 200.',
    is_fetched_by_link,
)
def check_fetch_link(exchange: Exchange) -> Iterator[Fault]:
    link = exchange.context['link']
    if link.rel in ('self', 'related') and exchange.response.status not in (200, 401, 403, 429):
        yield Fault('status', f'the link at {link.where} leads to {exchange.response.status}')


def self_of(exchange: Exchange) -> tuple[str, str] | None:
    """Return the resource whose self link led to the exchange."""
    found = re.fullmatch(r'(/data(?:/\d+)?|/included/\d+)/links/self', exchange.context['link'].where)
    for where, resource in resources(exchange.source):
        if found and where == found[1]:
            return name_of(resource)
    return None


@must(
    'JA-SELF-PRIMARY',
    '#document-resource-object-links',
    'The self link of a resource leads to a document with the resource as primary data.',
    lambda one: is_fetched_by_link(one) and one.is_fetch and self_of(one) is not None,
)
def check_self_primary(exchange: Exchange) -> Iterator[Fault]:
    found = self_of(exchange)
    if found not in [name_of(one.value) for one in primary(top(exchange))]:
        yield Fault('/data', f'is not the resource {found}')


def leads_to_relationship(exchange: Exchange) -> bool:
    return (
        is_fetched_by_link(exchange)
        and exchange.is_fetch
        and re.search(r'/relationships/[^/]+/links/self$', exchange.context['link'].where) is not None
    )


@must(
    'JA-RELATIONSHIP-FETCH',
    '#fetching-relationships-responses-200',
    'The self link of a relationship leads to linkage as primary data.',
    leads_to_relationship,
)
def check_relationship_fetch(exchange: Exchange) -> Iterator[Fault]:
    if any(is_resource(one.value) for one in primary(top(exchange))) or 'data' not in top(exchange):
        yield Fault('/data', 'is not linkage')


@must(
    'JA-RELATED-KIND',
    '#fetching-resources-responses-200',
    'The related link leads to an array if the relationship is to-many, else to a resource or null.',
    lambda one: is_fetched_by_link(one) and one.is_fetch and one.context['link'].rel == 'related',
)
def check_related_kind(exchange: Exchange) -> Iterator[Fault]:
    for _, _, (where, value) in relationships(exchange.source):
        is_followed = exchange.context['link'].where == where + '/links/related' and 'data' in value
        is_array = isinstance(top(exchange).get('data'), list)
        if is_followed and isinstance(value['data'], list) != is_array:
            yield Fault('/data', f'is not of the kind that {where} has')


@RULES.across(
    'JA-IDENTITY',
    SPECIFICATION,
    '#document-resource-object-identification',
    Level.MUST,
    'Type and id identify one resource: its self link is the same everywhere.',
    is_fetched,
)
def check_identity(record: Sequence[Exchange]) -> Iterator[tuple[Exchange, Fault]]:
    selves: dict[tuple[str, str], str] = {}
    for exchange in record:
        for where, resource in resources(exchange):
            href = href_of(dict(members(resource.get('links'))).get('self'))
            url = (join(exchange.request.url, href) or '').partition('?')[0] if href is not None else None
            if url is not None and selves.setdefault(name_of(resource), url) != url:
                yield exchange, Fault(where + '/links/self', f'was {selves[name_of(resource)]} elsewhere')


@should(
    'JA-PAGE-REPEATS',
    '#fetching-pagination',
    'The next page repeats no resources of the page before it.',
    lambda one: is_fetched_by_link(one) and one.is_fetch and one.context['link'].where == '/links/next',
)
def check_page_repeats(exchange: Exchange) -> Iterator[Fault]:
    here, before = (
        {name_of(one.value) for one in primary(top(page))} for page in (exchange, exchange.source)
    )
    if here & before:
        yield Fault('/data', f'{len(here & before)} of its resources were on the page before')


@should(
    'JA-PAGE-PARAMETERS',
    '#fetching-pagination',
    'Pagination links use parameters of the page family.',
    is_fetched,
)
def check_page_parameters(exchange: Exchange) -> Iterator[Fault]:
    for name, link in members(top(exchange).get('links')):
        query = parameters_of(href_of(link))
        if name in PAGE_LINKS and query and not any(key.partition('[')[0] == 'page' for key, _ in query):
            yield Fault(pointer('links', name), 'has no parameter of the page family')
