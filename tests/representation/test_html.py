"""HTML pages: any document is a valid page that escapes its content."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.representation.action import Action, Field
from service.representation.document import Document, Link
from service.representation.html import moment, page, problem_page, title_of, words
from service.representation.problem import PROBLEMS, Problem
from tests.html import Page

SEARCH = Action('search', 'GET', 'Search', (Field('q', 'Begins with', type='search'),))
WRITE = Action(
    'write',
    'PUT',
    'Write it',
    (
        Field(
            'name', 'Name', required=True, min_length=2, max_length=9, regex='^[a-z]+$', rule='must be low'
        ),
        Field('secret', 'Secret', type='password', autocomplete='new-password'),
        Field('words', 'Words', type='textarea', rows=4, placeholder='Say it'),
    ),
)
EVIL = '"><script>alert(1)</script>&amp;\'<!--'


def document(value: Any = 'x', **more: Any) -> Document:
    """Return a document with all features, and with the value wherever user text can be."""
    author = Document('people', '7', {'name': value}, {'self': Link('http://a.test/7')}, title=value)
    links: dict[str, Any] = {
        'self': Link('http://a.test/things'),
        'hc:followers': Link('http://a.test/followers'),
        'hc:page': Link('http://a.test/things?kind=a{&page,per_page}', templated=True),
        'hc:user': Link('http://a.test/users/{id}', templated=True),
        'hc:avatar': Link('http://a.test/picture'),
        'next': Link('http://a.test/things?page=2'),
        'item': (Link('http://a.test/things/1'),),
    }
    item = Document(
        'things', '1', {'said': value}, {'self': Link('http://a.test/things/1')}, {'author': author}
    )
    forms = (SEARCH.at('http://a.test/things'), WRITE.at('http://a.test/things', {'words': value}))
    meta = {'page': 1, 'per_page': 10, 'total_pages': 2, 'total_items': 11}
    whole = Document('things', None, {'said': value}, links, {'item': (item,)}, forms, meta)
    return dataclasses.replace(whole, **more)


PLAIN = Page(page(document())).shape()


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.text(min_size=1))
def test_no_text_changes_the_structure_of_a_page(text: str) -> None:
    shown = Page(page(document(text)))
    assert shown.shape() == PLAIN
    kept = text.replace('\r\n', '\n').replace('\r', '\n').replace('\0', '\ufffd')
    assert kept.strip() in shown.text.replace('\0', '\ufffd').replace('\r\n', '\n').replace('\r', '\n')


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_any_state_is_a_valid_page(state: dict[str, Any]) -> None:
    rows = Page(page(document(properties=state, embedded={}))).all('th')
    assert len(rows) == len(state.keys() - {'example'})


def test_any_problem_is_a_valid_page() -> None:
    for name in PROBLEMS:
        problem = Problem(name, EVIL, errors=((EVIL, 'is wrong'),), reference=EVIL, origin='http://a.test')
        shown = Page(problem_page(problem))
        assert len(shown.all('script')) == 1
        assert EVIL in shown.text
        assert PROBLEMS[name].title in shown.text


def test_a_form_has_the_rules_of_its_fields() -> None:
    fields = {field['name']: field for field in Page(page(document())).all('input') if 'name' in field}
    name = fields['name']
    assert 'required' in name
    assert (name['minlength'], name['maxlength'], name['pattern']) == ('2', '9', '^[a-z]+$')
    assert fields['secret']['type'] == 'password'
    assert fields['secret']['autocomplete'] == 'new-password'


def test_a_text_area_has_rows_placeholder_and_value() -> None:
    text = page(document('\nfirst'))
    area = Page(text).all('textarea')[0]
    assert (area['rows'], area['placeholder']) == ('4', 'Say it')
    assert 'rows="4">\n\nfirst</textarea>' in text  # a browser drops the first line break


def test_a_form_declares_methods_that_html_lacks() -> None:
    forms = {form['data-form']: form for form in Page(page(document())).all('form') if 'data-form' in form}
    assert (forms['search']['method'], forms['search']['action']) == ('get', 'http://a.test/things')
    assert (forms['write']['method'], forms['write']['data-method']) == ('post', 'PUT')


def test_a_query_template_becomes_a_form_that_keeps_parameters() -> None:
    forms = {form.get('data-form'): form for form in Page(page(document())).all('form')}
    assert forms['hc:page']['action'] == 'http://a.test/things'
    assert '<input type="hidden" name="kind" value="a">' in page(document())


def test_a_path_template_is_not_a_link() -> None:
    assert '{' not in page(document(properties={}))


def test_links_that_support_no_get_are_omitted() -> None:
    links = {'self': Link('http://a.test/'), 'hc:password': Link('http://a.test/password')}
    assert '/password' not in page(Document('people', '1', {}, links))


def test_an_avatar_is_an_image() -> None:
    assert Page(page(document())).all('img')[0]['src'] == 'http://a.test/picture'


def test_a_page_loads_only_our_files() -> None:
    shown = Page(page(document()))
    addresses = [tag['src'] for tag in shown.all('script')] + [tag['href'] for tag in shown.all('link')]
    assert len(addresses) == 3
    assert all(address and address.startswith('/static/') for address in addresses)


def test_a_page_has_landmarks() -> None:
    shown = Page(page(document()))
    assert [shown.all(name) != [] for name in ('header', 'nav', 'main', 'h1')] == [True] * 4
    assert shown.all('a')[0] == {'class': 'skip', 'href': '#main'}
    assert shown.all('html') == [{'lang': 'en'}]


@pytest.mark.parametrize(
    ('value', 'shown'),
    [
        ('2026-11-22T15:04:27.123+00:00', '22 Nov 2026, 15:04 UTC'),
        ('2026-13-22T15:04:27.123+00:00', None),
        ('2026-11-22', None),
        (5, None),
    ],
)
def test_times_are_formatted_for_people(value: Any, shown: str | None) -> None:
    assert moment(value) == shown


@pytest.mark.parametrize(
    ('name', 'shown'),
    [('member_since', 'Member since'), ('hc:followers', 'Followers'), ('prev', 'Previous'), ('', '')],
)
def test_names_are_humanized(name: str, shown: str) -> None:
    assert words(name) == shown


def test_a_document_without_a_title_is_titled_by_its_kind() -> None:
    assert title_of(Document('tokens', '7', {}, {})) == 'Token 7'
    assert title_of(Document('tokens', None, {}, {})) == 'Tokens'
