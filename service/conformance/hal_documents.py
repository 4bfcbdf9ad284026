"""Rules of HAL about documents: resource objects, links, CURIEs, embedded resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from service.conformance.checks import is_a, requires_valid, requires_valid_members
from service.conformance.exchange import (
    Exchange,
    entries,
    members,
    pointer,
)
from service.conformance.hal import (
    DRAFT,
    curies,
    is_hal,
    is_templated,
    is_unlabelled,
    link_objects,
    links,
    links_of,
    links_with_href,
    relations,
    resources,
    selves,
)
from service.conformance.link_relations import REGISTERED
from service.conformance.rules import Fault, Rules, Standard
from service.conformance.syntax import (
    has_expression,
    is_language,
    is_template,
    is_uri_reference,
    parse_media_type,
    variables,
)

RFC8288 = Standard('RFC 8288', 'https://www.rfc-editor.org/rfc/rfc8288')
RFC6570 = Standard('RFC 6570', 'https://www.rfc-editor.org/rfc/rfc6570')

RULES = Rules('hal', DRAFT, is_hal)


@RULES.should('HAL-MEDIA-TYPE', '§3', 'A HAL document is labelled application/hal+json.')
def check_media_type(exchange: Exchange) -> Iterator[Fault]:
    if is_unlabelled(exchange):
        yield Fault('Content-Type:', 'a HAL document was requested and sent under another label')


@RULES.must('HAL-ROOT', '§3', 'The root of a HAL document is a resource object.')
def check_root(exchange: Exchange) -> Iterator[Fault]:
    if not isinstance(exchange.response.document, dict):
        yield Fault('', 'the root is not an object')


RULES.must('HAL-LINKS-OBJECT', '§4.1.1', '`_links` is an object.')(
    requires_valid_members(resources, is_a(dict), '_links is not an object', '_links')
)
RULES.must('HAL-LINK-OBJECT', '§4.1.1', 'The value of a relation is a link object or an array of them.')(
    requires_valid(links, is_a(dict), 'is not a link object')
)


@RULES.must('HAL-LINK-HREF', '§5.1', 'Every link object has an href, which is a string.')
def check_href(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if not isinstance(link.href, str):
            yield Fault(link.where, 'has no href, or one that is not a string')


@RULES.must('HAL-HREF-URI', '§5.1', 'An href is a URI or a URI Template.')
def check_href_uri(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if '{' not in link.href and not is_uri_reference(link.href):
            yield Fault(link.where + '/href', 'is not a URI: it has characters that a URI cannot have')


@RULES.must('HAL-HREF-TEMPLATE', '§2', 'A templated href is a well-formed URI Template.', standard=RFC6570)
def check_href_template(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if is_templated(link) and not is_template(link.href):
            yield Fault(link.where + '/href', 'is not a URI Template')


@RULES.should('HAL-TEMPLATED', '§5.1', 'A link with a URI Template has `"templated": true`.')
def check_templated(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if '{' in link.href and not is_templated(link):
            yield Fault(link.where, 'the href has an expression, and templated is not true')


RULES.must('HAL-TEMPLATED-BOOLEAN', '§5.2', '`templated` is a boolean.')(
    requires_valid_members(link_objects, is_a(bool), 'is not a boolean', 'templated')
)


@RULES.should('HAL-TEMPLATED-NEEDLESS', '§5.2', '`templated` is true only for URI Templates.')
def check_templated_needless(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if is_templated(link) and not has_expression(link.href):
            yield Fault(link.where, 'templated is true, and the href has no expression')


RULES.must('HAL-LINK-TYPE', '§5.3', '`type` is a media type.')(
    requires_valid_members(link_objects, parse_media_type, 'is not a media type', 'type')
)
RULES.must('HAL-LINK-DEPRECATION', '§5.4', '`deprecation` is a URL.')(
    requires_valid_members(link_objects, is_uri_reference, 'is not a URL', 'deprecation')
)
RULES.must('HAL-LINK-NAME', '§5.5', '`name` is a string.')(
    requires_valid_members(link_objects, is_a(str), 'is not a string', 'name')
)


@RULES.should('HAL-LINK-NAME-UNIQUE', '§5.5', 'The links of a relation have different names.')
def check_name_unique(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        named = Counter(
            (link.rel, link.value['name'])
            for link in links_of(resource, where)
            if isinstance(link.value, dict) and isinstance(link.value.get('name'), str)
        )
        for (rel, name), count in named.items():
            if count > 1:
                yield Fault(where + pointer('_links', rel), f'{count} links are named {name}')


RULES.must('HAL-LINK-PROFILE', '§5.6', '`profile` is a URI.')(
    requires_valid_members(link_objects, is_uri_reference, 'is not a URI', 'profile')
)
RULES.must('HAL-LINK-TITLE', '§5.7', '`title` is a string.')(
    requires_valid_members(link_objects, is_a(str), 'is not a string', 'title')
)
RULES.must('HAL-LINK-HREFLANG', '§5.8', '`hreflang` is a language tag.')(
    requires_valid_members(link_objects, is_language, 'is not a language tag', 'hreflang')
)
RULES.must('HAL-EMBEDDED-OBJECT', '§4.1.2', '`_embedded` is an object.')(
    requires_valid_members(resources, is_a(dict), '_embedded is not an object', '_embedded')
)


@RULES.must(
    'HAL-EMBEDDED-RESOURCE',
    '§4.1.2',
    'The value of an embedded relation is a resource object or an array of them.',
)
def check_embedded_resource(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        for rel, value in members(resource.get('_embedded')):
            here = where + pointer('_embedded', rel)
            if not isinstance(value, dict | list):
                yield Fault(here, 'is not a resource object')
            for number, entry in entries(value):
                if not isinstance(entry, dict):
                    yield Fault(here + pointer(number), 'is not a resource object')


@RULES.must('HAL-RELATION-NAME', '§3.3', 'A relation type is a registered name or a URI.', standard=RFC8288)
def check_relation_name(exchange: Exchange) -> Iterator[Fault]:
    for where, rel in relations(exchange):
        if not rel or any(character.isspace() for character in rel):
            yield Fault(where, 'is not a relation type: it is empty or has white space')


@RULES.should(
    'HAL-RELATION-REGISTERED',
    '§8.2',
    'A relation that is not registered with IANA is a URI or a CURIE, so that it can be looked up.',
)
def check_relation_registered(exchange: Exchange) -> Iterator[Fault]:
    reported = set()
    for where, rel in relations(exchange):
        if (
            rel
            and rel != 'curies'
            and rel.lower() not in REGISTERED
            and ':' not in rel
            and rel not in reported
        ):
            reported.add(rel)
            yield Fault(where, f'{rel} is neither registered nor a URI')


@RULES.should('HAL-SELF', '§8.1', 'Every resource object has a self link.')
def check_self(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        if exchange.response.is_success and not any(link.rel == 'self' for link in links_of(resource)):
            yield Fault(where, 'has no self link')


@RULES.should('HAL-SELF-TEMPLATED', '§8.1', 'The target of self is a URI, not a template.')
def check_self_templated(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if link.rel == 'self' and is_templated(link):
            yield Fault(link.where, 'the self link is templated')


@RULES.must('HAL-CURIES-ARRAY', '§8.2', '`curies` is an array of link objects.')
def check_curies_array(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        for rel, value in members(resource.get('_links')):
            if rel == 'curies' and not isinstance(value, list):
                yield Fault(where + '/_links/curies', 'curies is not an array')


@RULES.must('HAL-CURIE-NAME', '§8.2', 'Every CURIE has a name, which is its prefix.')
def check_curie_name(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if link.rel == 'curies' and not (isinstance(link.value.get('name'), str) and link.value['name']):
            yield Fault(link.where, 'has no name')


@RULES.must('HAL-CURIE-TEMPLATE', '§8.2', 'A CURIE is a URI Template with the token `rel`.')
def check_curie_template(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if link.rel == 'curies' and not (is_templated(link) and variables(link.href) == ['rel']):
            yield Fault(link.where, 'is not a template with the token rel')


@RULES.must('HAL-CURIES-ROOT', '§8.2', 'CURIEs are on the root resource object.')
def check_curies_root(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        if where and any(rel == 'curies' for rel, _ in members(resource.get('_links'))):
            yield Fault(where + '/_links/curies', 'an embedded resource has curies')


@RULES.must('HAL-CURIE-DEFINED', '§8.2', 'The prefix of a compact relation is defined.')
def check_curie_defined(exchange: Exchange) -> Iterator[Fault]:
    defined = curies(exchange.response.document)
    reported = set()
    for where, rel in relations(exchange):
        prefix, separator, rest = rel.partition(':')
        is_uri = rest.startswith('//') or prefix.lower() in ('urn', 'tag', 'http', 'https')
        if separator and prefix not in defined and not is_uri and prefix not in reported:
            reported.add(prefix)
            yield Fault(where, f'no CURIE is named {prefix}')


@RULES.should(
    'HAL-EMBEDDED-LINKED',
    '§8.3',
    'An embedded resource is also linked, for clients that do not use embedded resources.',
)
def check_embedded_linked(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        linked = {rel for rel, _ in members(resource.get('_links'))}
        for rel, value in members(resource.get('_embedded')):
            if value and rel not in linked:
                yield Fault(where + pointer('_embedded', rel), 'no link has this relation')


@RULES.should(
    'HAL-EMBEDDED-SELF', '§8.3', 'An embedded resource is the target of the link of the same relation.'
)
def check_embedded_self(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange):
        for rel, value in members(resource.get('_embedded')):
            linked = {str(link.href) for link in links_of(resource) if link.rel == rel}
            embedded = value if isinstance(value, list) else [value]
            for number, entry in enumerate(embedded):
                own = list(selves(entry))
                if linked and own and own[0] not in linked:
                    here = where + pointer('_embedded', rel)
                    yield Fault(here + (pointer(number) if isinstance(value, list) else ''), 'is not linked')
