"""Rules of JSON:API 1.1 about links, meta and member names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from service.conformance.checks import is_a, requires_valid, requires_valid_members
from service.conformance.exchange import Exchange, Located, entries, members, pointer
from service.conformance.json_api import (
    LINK_MEMBERS,
    PAGE_LINKS,
    SPECIFICATION,
    TOP_LINKS,
    href_of,
    is_json_api,
    links,
    links_objects,
    metas,
    relationships,
    requires_defined,
    resources,
    top,
    undefined_members,
    without_at_members,
)
from service.conformance.rules import Fault, Rules
from service.conformance.syntax import is_language, is_uri_reference

RULES = Rules('json-api', SPECIFICATION, is_json_api)
_MEMBER_NAME = re.compile(
    r'[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\u0080-\U0010ffff_ -]*[A-Za-z0-9\u0080-\U0010ffff])?'
)
_URL_SAFE = re.compile(r'[A-Za-z0-9_-]*')


def is_relation(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not re.search(r'\s', value)


RULES.must('JA-META-OBJECT', '#document-meta', '`meta` is an object.')(
    requires_valid(metas, is_a(dict), 'is not an object')
)
RULES.must('JA-LINKS-OBJECT', '#document-links', '`links` is an object.')(
    requires_valid(links_objects, is_a(dict), 'is not an object')
)
RULES.must('JA-LINK', '#document-links-link', 'A link is a string, a link object or null.')(
    requires_valid(links, lambda value: value is None or isinstance(value, str | dict), 'is none of them')
)
RULES.must('JA-LINK-HREF', '#document-links-link-object', 'A link object has an href.')(
    requires_valid(
        links, lambda value: not isinstance(value, dict) or isinstance(value.get('href'), str), 'has no href'
    )
)


@RULES.must('JA-LINK-URI', '#document-links-link', 'A link is a URI reference.')
def check_link_uri(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links(exchange):
        href = href_of(value)
        if href is not None and not is_uri_reference(href):
            yield Fault(where, 'has characters that a URI cannot have')


RULES.must('JA-LINK-UNDEFINED', '#document-structure', 'A link object has no undefined members.')(
    requires_defined(links, LINK_MEMBERS)
)
RULES.must(
    'JA-LINK-REL', '#document-links-link-object', '`rel` of a link object is a relation type, a string.'
)(requires_valid_members(links, is_relation, 'is not a relation type', 'rel'))
RULES.must(
    'JA-LINK-TITLE', '#document-links-link-object', '`title` and `type` of a link object are strings.'
)(requires_valid_members(links, is_a(str), 'is not a string', 'title', 'type'))


@RULES.must(
    'JA-LINK-HREFLANG', '#document-links-link-object', '`hreflang` is a language tag or an array of them.'
)
def check_link_hreflang(exchange: Exchange) -> Iterator[Fault]:
    for where, value in links(exchange):
        if isinstance(value, dict) and 'hreflang' in value:
            tags = value['hreflang'] if isinstance(value['hreflang'], list) else [value['hreflang']]
            if not all(is_language(tag) for tag in tags):
                yield Fault(where + '/hreflang', 'is not a language tag')


@RULES.must(
    'JA-TOP-LINKS',
    '#document-top-level',
    'The top-level links are self, related, describedby and those of pagination.',
)
def check_top_links(exchange: Exchange) -> Iterator[Fault]:
    if 'errors' not in top(exchange):
        yield from undefined_members(Located('/links', top(exchange).get('links')), TOP_LINKS)


@RULES.must('JA-RESOURCE-LINKS', '#document-resource-object-links', 'The only link of a resource is self.')
def check_resource_links(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        yield from undefined_members(Located(where + '/links', resource.get('links')), {'self'})


@RULES.must(
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
    for name, inner in without_at_members(members(value)):
        yield Located(where + pointer(name), name)
        if is_deep:
            yield from names_inside(where + pointer(name), inner, is_deep=True)
    for number, inner in entries(value):
        yield from names_inside(where + pointer(number), inner, is_deep=is_deep)


RULES.must(
    'JA-MEMBER-NAME', '#document-member-names', 'Member names have only the characters that are allowed.'
)(requires_valid(field_names, _MEMBER_NAME.fullmatch, 'is not a member name'))


@RULES.must(
    'JA-TYPE-NAME', '#document-resource-object-identification', 'A type satisfies the rules of member names.'
)
def check_type_name(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        kind = resource.get('type')
        if isinstance(kind, str) and not _MEMBER_NAME.fullmatch(kind):
            yield Fault(where + '/type', 'has characters that member names cannot have')


@RULES.should(
    'JA-MEMBER-NAME-SAFE', '#document-member-names', 'Member names have only characters that URLs can have.'
)
def check_member_name_safe(exchange: Exchange) -> Iterator[Fault]:
    for where, name in field_names(exchange):
        if _MEMBER_NAME.fullmatch(name) and not _URL_SAFE.fullmatch(name):
            yield Fault(where, 'has a character that must be escaped in a URL')
