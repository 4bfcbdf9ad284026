"""Rules of HAL: resource objects, links, CURIEs, embedded resources, and where links lead."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from service.conformance.client import Client
from service.conformance.crawler import MISSING, FoundLink
from service.conformance.exchange import (
    HAL,
    HAL_FORMS,
    HAL_TYPES,
    JSON,
    Exchange,
    entries,
    found_once,
    members,
    pointer,
)
from service.conformance.link_relations import REGISTERED
from service.conformance.rules import Fault, Level, Rules, Standard, for_purpose
from service.conformance.syntax import (
    expand,
    has_expression,
    is_absolute_uri,
    is_language,
    is_template,
    is_uri_reference,
    join,
    parse_media_type,
    variables,
)

DRAFT = Standard('draft-kelly-json-hal-11', 'https://datatracker.ietf.org/doc/html/draft-kelly-json-hal-11')
RFC8288 = Standard('RFC 8288', 'https://www.rfc-editor.org/rfc/rfc8288')
RFC6570 = Standard('RFC 6570', 'https://www.rfc-editor.org/rfc/rfc6570')
RELATIONS = Standard(
    'IANA link relations', 'https://www.iana.org/assignments/link-relations/link-relations.xhtml'
)

RULES = Rules('hal')
MAX_CURIES = 10
MAX_TYPED = 5


class Link(NamedTuple):
    """An entry of `_links`, of any type, with its relation and its JSON Pointer."""

    where: str
    rel: str
    value: Any

    @property
    def href(self) -> Any:
        return self.value.get('href') if isinstance(self.value, dict) else None


def is_hal(exchange: Exchange) -> bool:
    """Return whether it is a HAL document, by its media type or, if HAL was requested, by its members."""
    response = exchange.response
    if not response.is_whole or not response.is_json:
        return False
    return response.media_type in HAL_TYPES or is_unlabelled(exchange)


def is_unlabelled(exchange: Exchange) -> bool:
    """Return whether it looks like HAL, was requested as HAL, and is labelled as plain JSON."""
    document = exchange.response.document
    is_requested = exchange.context.get('accept', '') in (HAL, HAL_FORMS)
    labelled = exchange.response.media_type == JSON
    return is_requested and labelled and isinstance(document, dict) and '_links' in document


def resources(value: Any, where: str = '') -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each resource object of a document with its JSON Pointer, the root first."""
    if isinstance(value, dict):
        yield where, value
        for rel, embedded in members(value.get('_embedded')):
            here = where + pointer('_embedded', rel)
            if isinstance(embedded, dict):
                yield from resources(embedded, here)
            for number, one in entries(embedded):
                yield from resources(one, here + pointer(number))


def links(document: Any) -> Iterator[Link]:
    """Yield the links of all resource objects of a document."""
    for where, resource in resources(document):
        yield from links_of(resource, where)


def links_of(resource: dict[str, Any], where: str = '') -> Iterator[Link]:
    """Yield the links of one resource object."""
    for rel, value in members(resource.get('_links')):
        here = where + pointer('_links', rel)
        if isinstance(value, list):
            for number, one in enumerate(value):
                yield Link(here + pointer(number), rel, one)
        else:
            yield Link(here, rel, value)


@found_once
def link_objects(exchange: Exchange) -> Iterator[Link]:
    """Yield the links that are objects."""
    return (link for link in links(exchange.response.document) if isinstance(link.value, dict))


@found_once
def links_with_href(exchange: Exchange) -> Iterator[Link]:
    """Yield the link objects that have a string as href."""
    return (link for link in link_objects(exchange) if isinstance(link.href, str))


def selves(resource: Any) -> Iterator[str]:
    """Yield the references of a resource object's self links."""
    if isinstance(resource, dict):
        yield from (
            link.href for link in links_of(resource) if link.rel == 'self' and isinstance(link.href, str)
        )


def is_templated(link: Link) -> bool:
    return isinstance(link.value, dict) and link.value.get('templated') is True


def find_links(exchange: Exchange) -> Iterator[FoundLink]:
    """Yield the links that a crawler may follow: URLs, and templates with variables in the query only."""
    if not is_hal(exchange):
        return
    for link in links_with_href(exchange):
        if link.rel == 'curies':
            continue
        reference = expand(link.href, {}) if is_templated(link) else link.href
        if '{' not in re.sub(r'\{[?&][^}]*\}', '', link.href):
            yield FoundLink(link.rel, reference, link.where)


def curies(document: Any) -> dict[str, str]:
    """Return the templates of the root's CURIEs by name."""
    root = document if isinstance(document, dict) else {}
    found = {}
    for link in links_of(root):
        if link.rel == 'curies' and isinstance(link.value, dict) and isinstance(link.href, str):
            found[str(link.value.get('name'))] = link.href
    return found


def relations(document: Any) -> Iterator[tuple[str, str]]:
    """Yield each relation of links and embedded resources with its JSON Pointer."""
    for where, resource in resources(document):
        for reserved in ('_links', '_embedded'):
            for rel, _ in members(resource.get(reserved)):
                yield where + pointer(reserved, rel), rel


def probe_curies(client: Client, exchange: Exchange) -> None:
    """Fetch the page of each relation that a CURIE abbreviates."""
    if not is_hal(exchange):
        return
    templates = curies(exchange.response.document)
    fetched = {one.request.url for one in client.record if one.purpose == 'curie'}
    for where, rel in relations(exchange.response.document):
        prefix, separator, name = rel.partition(':')
        if separator and prefix in templates and not is_absolute_uri_relation(rel, templates):
            url = client.resolve(exchange.request.url, expand(templates[prefix], {'rel': name}))
            if url is not None and url not in fetched and len(fetched) < MAX_CURIES:
                fetched.add(url)
                client.get(
                    url, 'curie', exchange, headers={'Accept': 'text/html, */*;q=0.5'}, where=where, rel=rel
                )


def is_absolute_uri_relation(rel: str, templates: dict[str, str]) -> bool:
    """Return whether the relation is a URI and not a CURIE."""
    return is_absolute_uri(rel) and rel.partition(':')[0] not in templates


def probe_typed_links(client: Client, exchange: Exchange) -> None:
    """Fetch the targets of links with `type`, in that type."""
    fetched = {one.request.url for one in client.record if one.purpose == 'typed-link'}
    for link in links_with_href(exchange) if is_hal(exchange) else ():
        hint = None if is_templated(link) else parse_media_type(link.value.get('type'))
        url = client.resolve(exchange.request.url, link.href)
        if hint is not None and url is not None and url not in fetched and len(fetched) < MAX_TYPED:
            fetched.add(url)
            client.get(url, 'typed-link', exchange, headers={'Accept': hint[0]}, type=hint[0])


PROBES = (probe_curies, probe_typed_links)


@RULES.should('HAL-MEDIA-TYPE', DRAFT, '§3', 'A HAL document is labelled application/hal+json.', is_hal)
def check_media_type(exchange: Exchange) -> Iterator[Fault]:
    if is_unlabelled(exchange):
        yield Fault('Content-Type:', 'a HAL document was requested and sent under another label')


@RULES.must('HAL-ROOT', DRAFT, '§3', 'The root of a HAL document is a resource object.', is_hal)
def check_root(exchange: Exchange) -> Iterator[Fault]:
    if not isinstance(exchange.response.document, dict):
        yield Fault('', 'the root is not an object')


@RULES.must('HAL-LINKS-OBJECT', DRAFT, '§4.1.1', '`_links` is an object.', is_hal)
def check_links_object(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        if '_links' in resource and not isinstance(resource['_links'], dict):
            yield Fault(where + '/_links', '_links is not an object')


@RULES.must(
    'HAL-LINK-OBJECT',
    DRAFT,
    '§4.1.1',
    'The value of a relation is a link object or an array of them.',
    is_hal,
)
def check_link_object(exchange: Exchange) -> Iterator[Fault]:
    for link in links(exchange.response.document):
        if not isinstance(link.value, dict):
            yield Fault(link.where, 'is not a link object')


@RULES.must('HAL-LINK-HREF', DRAFT, '§5.1', 'Every link object has an href, which is a string.', is_hal)
def check_href(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if not isinstance(link.href, str):
            yield Fault(link.where, 'has no href, or one that is not a string')


@RULES.must('HAL-HREF-URI', DRAFT, '§5.1', 'An href is a URI or a URI Template.', is_hal)
def check_href_uri(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if '{' not in link.href and not is_uri_reference(link.href):
            yield Fault(link.where + '/href', 'is not a URI: it has characters that a URI cannot have')


@RULES.must('HAL-HREF-TEMPLATE', RFC6570, '§2', 'A templated href is a well-formed URI Template.', is_hal)
def check_href_template(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if is_templated(link) and not is_template(link.href):
            yield Fault(link.where + '/href', 'is not a URI Template')


@RULES.should('HAL-TEMPLATED', DRAFT, '§5.1', 'A link with a URI Template has `"templated": true`.', is_hal)
def check_templated(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if '{' in link.href and not is_templated(link):
            yield Fault(link.where, 'the href has an expression, and templated is not true')


@RULES.must('HAL-TEMPLATED-BOOLEAN', DRAFT, '§5.2', '`templated` is a boolean.', is_hal)
def check_templated_boolean(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if not isinstance(link.value.get('templated', False), bool):
            yield Fault(link.where + '/templated', 'is not a boolean')


@RULES.should('HAL-TEMPLATED-NEEDLESS', DRAFT, '§5.2', '`templated` is true only for URI Templates.', is_hal)
def check_templated_needless(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if is_templated(link) and not has_expression(link.href):
            yield Fault(link.where, 'templated is true, and the href has no expression')


@RULES.must('HAL-LINK-TYPE', DRAFT, '§5.3', '`type` is a media type.', is_hal)
def check_type(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if 'type' in link.value and parse_media_type(link.value['type']) is None:
            yield Fault(link.where + '/type', 'is not a media type')


@RULES.must('HAL-LINK-DEPRECATION', DRAFT, '§5.4', '`deprecation` is a URL.', is_hal)
def check_deprecation(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if 'deprecation' in link.value and not is_uri_reference(link.value['deprecation']):
            yield Fault(link.where + '/deprecation', 'is not a URL')


@RULES.must('HAL-LINK-NAME', DRAFT, '§5.5', '`name` is a string.', is_hal)
def check_name(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if not isinstance(link.value.get('name', ''), str):
            yield Fault(link.where + '/name', 'is not a string')


@RULES.should('HAL-LINK-NAME-UNIQUE', DRAFT, '§5.5', 'The links of a relation have different names.', is_hal)
def check_name_unique(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        named = Counter(
            (link.rel, link.value['name'])
            for link in links_of(resource, where)
            if isinstance(link.value, dict) and isinstance(link.value.get('name'), str)
        )
        for (rel, name), count in named.items():
            if count > 1:
                yield Fault(where + pointer('_links', rel), f'{count} links are named {name}')


@RULES.must('HAL-LINK-PROFILE', DRAFT, '§5.6', '`profile` is a URI.', is_hal)
def check_profile(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if 'profile' in link.value and not is_uri_reference(link.value['profile']):
            yield Fault(link.where + '/profile', 'is not a URI')


@RULES.must('HAL-LINK-TITLE', DRAFT, '§5.7', '`title` is a string.', is_hal)
def check_title(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if not isinstance(link.value.get('title', ''), str):
            yield Fault(link.where + '/title', 'is not a string')


@RULES.must('HAL-LINK-HREFLANG', DRAFT, '§5.8', '`hreflang` is a language tag.', is_hal)
def check_hreflang(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if 'hreflang' in link.value and not is_language(link.value['hreflang']):
            yield Fault(link.where + '/hreflang', 'is not a language tag')


@RULES.must('HAL-EMBEDDED-OBJECT', DRAFT, '§4.1.2', '`_embedded` is an object.', is_hal)
def check_embedded_object(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        if '_embedded' in resource and not isinstance(resource['_embedded'], dict):
            yield Fault(where + '/_embedded', '_embedded is not an object')


@RULES.must(
    'HAL-EMBEDDED-RESOURCE',
    DRAFT,
    '§4.1.2',
    'The value of an embedded relation is a resource object or an array of them.',
    is_hal,
)
def check_embedded_resource(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        for rel, value in members(resource.get('_embedded')):
            here = where + pointer('_embedded', rel)
            if not isinstance(value, dict | list):
                yield Fault(here, 'is not a resource object')
            for number, one in entries(value):
                if not isinstance(one, dict):
                    yield Fault(here + pointer(number), 'is not a resource object')


@RULES.must('HAL-RELATION-NAME', RFC8288, '§3.3', 'A relation type is a registered name or a URI.', is_hal)
def check_relation_name(exchange: Exchange) -> Iterator[Fault]:
    for where, rel in relations(exchange.response.document):
        if not rel or any(character.isspace() for character in rel):
            yield Fault(where, 'is not a relation type: it is empty or has white space')


@RULES.should(
    'HAL-RELATION-REGISTERED',
    DRAFT,
    '§8.2',
    'A relation that is not registered with IANA is a URI or a CURIE, so that it can be looked up.',
    is_hal,
)
def check_relation_registered(exchange: Exchange) -> Iterator[Fault]:
    reported = set()
    for where, rel in relations(exchange.response.document):
        if (
            rel
            and rel != 'curies'
            and rel.lower() not in REGISTERED
            and ':' not in rel
            and rel not in reported
        ):
            reported.add(rel)
            yield Fault(where, f'{rel} is neither registered nor a URI')


@RULES.should('HAL-SELF', DRAFT, '§8.1', 'Every resource object has a self link.', is_hal)
def check_self(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        if exchange.response.is_success and not any(link.rel == 'self' for link in links_of(resource)):
            yield Fault(where, 'has no self link')


@RULES.should('HAL-SELF-TEMPLATED', DRAFT, '§8.1', 'The target of self is a URI, not a template.', is_hal)
def check_self_templated(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if link.rel == 'self' and is_templated(link):
            yield Fault(link.where, 'the self link is templated')


@RULES.must('HAL-CURIES-ARRAY', DRAFT, '§8.2', '`curies` is an array of link objects.', is_hal)
def check_curies_array(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        for rel, value in members(resource.get('_links')):
            if rel == 'curies' and not isinstance(value, list):
                yield Fault(where + '/_links/curies', 'curies is not an array')


@RULES.must('HAL-CURIE-NAME', DRAFT, '§8.2', 'Every CURIE has a name, which is its prefix.', is_hal)
def check_curie_name(exchange: Exchange) -> Iterator[Fault]:
    for link in link_objects(exchange):
        if link.rel == 'curies' and not (isinstance(link.value.get('name'), str) and link.value['name']):
            yield Fault(link.where, 'has no name')


@RULES.must('HAL-CURIE-TEMPLATE', DRAFT, '§8.2', 'A CURIE is a URI Template with the token `rel`.', is_hal)
def check_curie_template(exchange: Exchange) -> Iterator[Fault]:
    for link in links_with_href(exchange):
        if link.rel == 'curies' and not (is_templated(link) and variables(link.href) == ['rel']):
            yield Fault(link.where, 'is not a template with the token rel')


@RULES.must('HAL-CURIES-ROOT', DRAFT, '§8.2', 'CURIEs are on the root resource object.', is_hal)
def check_curies_root(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        if where and any(rel == 'curies' for rel, _ in members(resource.get('_links'))):
            yield Fault(where + '/_links/curies', 'an embedded resource has curies')


@RULES.must('HAL-CURIE-DEFINED', DRAFT, '§8.2', 'The prefix of a compact relation is defined.', is_hal)
def check_curie_defined(exchange: Exchange) -> Iterator[Fault]:
    defined = curies(exchange.response.document)
    reported = set()
    for where, rel in relations(exchange.response.document):
        prefix, separator, rest = rel.partition(':')
        is_uri = rest.startswith('//') or prefix.lower() in ('urn', 'tag', 'http', 'https')
        if separator and prefix not in defined and not is_uri and prefix not in reported:
            reported.add(prefix)
            yield Fault(where, f'no CURIE is named {prefix}')


@RULES.should(
    'HAL-CURIE-DOCUMENTED',
    DRAFT,
    '§8.2',
    'The URI of a relation leads to its documentation.',
    for_purpose('curie'),
)
def check_curie_documented(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status not in (200, 401, 403):
        yield Fault('status', f'the page of {exchange.context["rel"]} is {exchange.response.status}')


@RULES.should(
    'HAL-EMBEDDED-LINKED',
    DRAFT,
    '§8.3',
    'An embedded resource is also linked, for clients that do not use embedded resources.',
    is_hal,
)
def check_embedded_linked(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        linked = {rel for rel, _ in members(resource.get('_links'))}
        for rel, value in members(resource.get('_embedded')):
            if value and rel not in linked:
                yield Fault(where + pointer('_embedded', rel), 'no link has this relation')


@RULES.should(
    'HAL-EMBEDDED-SELF',
    DRAFT,
    '§8.3',
    'An embedded resource is the target of the link of the same relation.',
    is_hal,
)
def check_embedded_self(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        for rel, value in members(resource.get('_embedded')):
            linked = {str(link.href) for link in links_of(resource) if link.rel == rel}
            embedded = value if isinstance(value, list) else [value]
            for number, one in enumerate(embedded):
                own = list(selves(one))
                if linked and own and own[0] not in linked:
                    here = where + pointer('_embedded', rel)
                    yield Fault(here + (pointer(number) if isinstance(value, list) else ''), 'is not linked')


def leads_from_hal(exchange: Exchange) -> bool:
    return exchange.purpose == 'crawl' and exchange.origin is not None and is_hal(exchange.origin)


@RULES.across(
    'HAL-LINK-DEAD',
    DRAFT,
    '§5.1',
    Level.SHOULD,
    'A link leads to a resource.',
    lambda one: leads_from_hal(one) or one.purpose == 'options-missing',
)
def check_dead_links(record: Sequence[Exchange]) -> Iterator[tuple[Exchange, Fault]]:
    writable = {
        one.source
        for one in record
        if one.purpose == 'options-missing' and 'put' in one.response.elements('Allow')
    }
    for exchange in record:
        if exchange.response.status in MISSING and leads_from_hal(exchange) and exchange not in writable:
            link = exchange.context['link']
            yield exchange, Fault('status', f'{link.rel} leads to {exchange.response.status}')


@RULES.should(
    'HAL-LINK-TYPE-HINT',
    DRAFT,
    '§5.3',
    'A link with `type` leads to a resource that is available in that type.',
    for_purpose('typed-link'),
)
def check_type_hint(exchange: Exchange) -> Iterator[Fault]:
    is_other = exchange.is_fetch and exchange.response.media_type != exchange.context['type']
    if is_other or exchange.response.status == 406:
        yield Fault('Content-Type:', f'the link says {exchange.context["type"]}')


@RULES.should(
    'HAL-SELF-TARGET',
    DRAFT,
    '§8.1',
    'The resource that a self link leads to has the same self link.',
    lambda one: leads_from_hal(one) and is_hal(one) and one.is_fetch and one.context['link'].rel == 'self',
)
def check_self_target(exchange: Exchange) -> Iterator[Fault]:
    for href in selves(exchange.response.document):
        if join(exchange.request.url, href) != exchange.request.url:
            yield Fault('/_links/self', 'differs from the URL that led here')


@RULES.should(
    'HAL-PAGE-PREV',
    RELATIONS,
    'next, prev',
    'The page that next leads to has a prev link.',
    lambda one: leads_from_hal(one) and is_hal(one) and one.is_fetch and one.context['link'].rel == 'next',
)
def check_prev(exchange: Exchange) -> Iterator[Fault]:
    if not any(link.rel in ('prev', 'previous') for link in links(exchange.response.document)):
        yield Fault('/_links', 'has no prev link')


@RULES.should(
    'HAL-PAGE-REPEATS',
    RELATIONS,
    'next',
    'The page that next leads to repeats no items of the page before it.',
    lambda one: leads_from_hal(one) and is_hal(one) and one.is_fetch and one.context['link'].rel == 'next',
)
def check_page_repeats(exchange: Exchange) -> Iterator[Fault]:
    here, before = (set(embedded_selves(one.response.document)) for one in (exchange, exchange.source))
    if here & before:
        yield Fault('/_embedded', f'{len(here & before)} of its items were on the page before')


def embedded_selves(document: Any) -> Iterator[str]:
    """Yield the URLs of the resources that a document embeds directly in arrays."""
    for _, value in members(document.get('_embedded') if isinstance(document, dict) else None):
        for _, one in entries(value):
            yield from selves(one)
