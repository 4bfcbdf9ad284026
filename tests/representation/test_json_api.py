"""The JSON:API renderer, without the application: selections, and the rules for any document."""

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.representation.document import Document, Identifier, Link, Relationship, Selection
from service.representation.json_api import json_api, json_api_errors
from service.representation.problem import Problem
from tests.strict_json_api import check_json_api

API = 'http://halcyon.test/api'
CURIES = (Link(f'{API}/rels/{{rel}}', templated=True, name='hc'),)


def user(user_id: int, name: str, **embedded: Document) -> Document:
    url = f'{API}/users/{user_id}'
    return Document(
        'users',
        str(user_id),
        {'id': user_id, 'username': name, 'about_me': ''},
        {
            'self': Link(url),
            'curies': CURIES,
            'collection': Link(f'{API}/users'),
            'hc:following': Link(f'{url}/following'),
            'hc:posts': Link(f'{url}/posts'),
            'hc:user': Link(f'{API}/users/{{id}}', templated=True),
        },
        embedded={f'hc:{name}': document for name, document in embedded.items()},
        relationships={
            f'hc:{rel}': Relationship(f'{url}/relationships/{rel}') for rel in ('following', 'posts')
        },
    )


def post(post_id: int, author: Document) -> Document:
    url = f'{API}/posts/{post_id}'
    links = {'self': Link(url), 'curies': CURIES, 'author': Link(author.href)}
    author_relationship = Relationship(f'{url}/relationships/author', Identifier('users', author.id or ''))
    properties = {'id': post_id, 'body': 'hello', 'updated_at': None}
    return Document(
        'posts',
        str(post_id),
        properties,
        links,
        {'author': author},
        relationships={'author': author_relationship},
    )


def page(kind: str, url: str, *items: Document, **links: str) -> Document:
    return Document(
        kind,
        None,
        {},
        {
            'self': Link(url),
            'curies': CURIES,
            'first': Link(f'{url}?page=1'),
            'hc:page': Link(f'{url}{{?page}}', templated=True),
            **{rel: Link(href) for rel, href in links.items()},
            'item': tuple(Link(item.href) for item in items),
        },
        embedded={'item': items},
        meta={'page': 1, 'per_page': 10, 'total_pages': 1, 'total_items': len(items)},
    )


ADA, BOB = user(1, 'ada'), user(2, 'bob')
POSTS = page('posts', f'{API}/users/1/posts', post(5, ADA), post(6, ADA))
USER_WITH_POSTS = user(1, 'ada', posts=POSTS, following=page('users', f'{API}/users/1/following', BOB))


def test_a_pointer_into_the_body_is_escaped() -> None:
    body = {'data': {'attributes': {'a/b': 1}}}
    problem = Problem(
        'invalid-values', 'Wrong.', errors=(('a/b', 'is wrong'),), body=body, origin='http://halcyon.test'
    )
    rendered = json_api_errors(problem)
    check_json_api(rendered)
    assert rendered['errors'][0]['source'] == {'pointer': '/data/attributes/a~1b'}


def render_selection(document: Document, **selection: Any) -> dict[str, Any]:
    """Return the rendering of a selection of the document."""
    body = json_api(
        Document(
            document.kind,
            document.id,
            document.properties,
            document.links,
            document.embedded,
            meta=document.meta,
            relationships=document.relationships,
            selection=Selection(query='?fields%5B', **selection),
        )
    )
    check_json_api(body)
    return body


def test_a_selection_that_includes_nothing_has_an_empty_array() -> None:
    body = render_selection(dataclasses.replace(post(5, ADA), embedded={}), include={})
    assert body['included'] == []
    assert body['data']['relationships']['author']['data'] == {'type': 'users', 'id': '1'}


def test_pages_of_linkage_are_at_the_url_of_the_relationship() -> None:
    relationship = render_selection(USER_WITH_POSTS)['data']['relationships']['posts']
    assert relationship['links'] == {
        'self': f'{API}/users/1/relationships/posts',
        'related': f'{API}/users/1/posts',
        'first': f'{API}/users/1/relationships/posts?page=1',
    }


def test_a_resource_included_twice_has_the_linkage_of_both() -> None:
    embedded = user(2, 'bob', following=page('users', f'{API}/users/2/following', BOB))
    following = page('users', f'{API}/users/1/following', embedded)
    posts = page('posts', f'{API}/users/1/posts', post(5, BOB))
    body = render_selection(user(1, 'ada', posts=posts, following=following))
    (bob,) = [resource for resource in body['included'] if resource['type'] == 'users']
    assert bob['relationships']['following']['data'] == [{'type': 'users', 'id': '2'}]


def test_other_links_are_in_meta_with_their_relation() -> None:
    body = render_selection(Document('a', '1', {}, {**ADA.links, 'hc:avatar': Link('http://a.test/')}))
    assert body['data']['meta']['links'] == {
        'collection': {'href': f'{API}/users', 'rel': 'collection'},
        'following': {'href': f'{API}/users/1/following', 'rel': f'{API}/rels/following'},
        'posts': {'href': f'{API}/users/1/posts', 'rel': f'{API}/rels/posts'},
        'avatar': {'href': 'http://a.test/', 'rel': f'{API}/rels/avatar'},
    }


def test_a_selection_has_the_named_fields_of_each_kind() -> None:
    fields = {'users': frozenset(('username',)), 'posts': frozenset(('author',))}
    body = render_selection(post(5, ADA), fields=fields)
    assert 'attributes' not in body['data']
    assert set(body['data']['relationships']) == {'author'}
    assert body['included'][0]['attributes'] == {'username': 'ada'}
    assert 'relationships' not in body['included'][0]


def test_the_self_link_has_the_query_of_the_selection() -> None:
    body = render_selection(ADA)
    assert body['links']['self'] == f'{API}/users/1?fields%5B'
    assert body['data']['links']['self'] == f'{API}/users/1'


NAMES = st.sampled_from(('username', 'about_me', 'a', 'created_at', 'price', 'Uber-2', 'x-y'))
RELATIONS = st.sampled_from(('author', 'hc:owner', 'hc:posts', 'hc:items', 'collection'))
LINKS = st.builds(
    Link,
    st.sampled_from((f'{API}/a', f'{API}/b?c=d%20e', f'{API}/users/{{id}}')),
    name=st.none(),
).map(lambda link: link._replace(templated='{' in link.href))
VALUES = st.sampled_from((None, True, 7, 'text', [1, 'x'], {'a': {'b': [None]}})) | st.text(max_size=3)


@st.composite
def single_documents(draw: Any, embedded_documents: Any) -> Document:
    kind, number = draw(st.sampled_from(('users', 'posts', 'items'))), draw(st.integers(1, 5))
    self_link = Link(f'{API}/{kind}/{number}')
    embedded = draw(st.dictionaries(RELATIONS, embedded_documents, max_size=2))
    links = {**draw(st.dictionaries(RELATIONS, LINKS, max_size=4)), 'self': self_link}
    with_relationship = {
        rel for rel in links if rel != 'self' and not links[rel].templated and draw(st.booleans())
    }
    links['curies'] = CURIES
    for rel in embedded:
        links[rel] = Link(f'{API}/{kind}/{number}/{rel.rpartition(":")[2]}')
    relationships = {
        rel: Relationship(draw(st.none() | st.just(f'{self_link.href}/relationships/x')))
        for rel in sorted(with_relationship)
    }
    properties = {'id': number, **draw(st.dictionaries(NAMES, VALUES, max_size=4))}
    return Document(kind, str(number), properties, links, embedded=embedded, relationships=relationships)


def distinct(documents: Any) -> Any:
    """Return a strategy for up to two documents of different resources."""
    return st.lists(documents, max_size=2, unique_by=lambda document: document.key).map(tuple)


@st.composite
def collections(draw: Any, items: Any) -> Document:
    members = draw(distinct(items))
    extra_links = draw(st.sampled_from(({}, {'related': f'{API}/things'})))
    return page('items', f'{API}/items', *members, **extra_links)


SIMPLE = single_documents(st.nothing())
NESTED = single_documents(SIMPLE | collections(SIMPLE) | distinct(SIMPLE))
DEEP = single_documents(NESTED | collections(NESTED))


@settings(deadline=None)  # the speed of machines differs
@given(SIMPLE | NESTED | DEEP | collections(DEEP))
def test_any_document_is_valid_json_api(document: Document) -> None:
    check_json_api(json_api(document))
