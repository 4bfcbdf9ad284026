"""HTML pages: any document is a valid page that escapes its content."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.representation.action import Action, Field
from service.representation.display import ActionDisplay, Column, Display, Note
from service.representation.document import Document, Link
from service.representation.html import Page as HtmlPage
from service.representation.html import render_page, title_of
from service.representation.html_text import device, format_time, highlight_json, link_text, words
from service.representation.problem import PROBLEMS, Problem
from tests.html import Page, as_parsed, loaded_files

SEARCH = Action('search', 'GET', 'Search', (Field('q', 'Begins with', type='search'),))
WRITE = Action(
    'write',
    'PUT',
    'Write it',
    (
        Field(
            'name',
            'Name',
            required=True,
            min_length=2,
            max_length=9,
            regex='^[a-z]+$',
            rule='must be lower case',
        ),
        Field('secret', 'Secret', type='password', autocomplete='new-password'),
        Field('words', 'Words', type='textarea', rows=4, placeholder='Say it'),
    ),
)
TIME = '2026-11-22T15:04:27.123+00:00'
MALICIOUS_TEXT = '"><script>alert(1)</script>&amp;\'<!--'


def document(value: Any = 'x', **changes: Any) -> Document:
    """Return a document with all features, and with the value wherever there can be text of users."""
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
        'things', '1', {'note': value}, {'self': Link('http://a.test/things/1')}, {'author': author}
    )
    forms = (SEARCH.at('http://a.test/things'), WRITE.at('http://a.test/things', {'words': value}))
    meta = {'page': 1, 'per_page': 10, 'total_pages': 2, 'total_items': 11}
    complete = Document('things', None, {'note': value}, links, {'item': (item,)}, forms, meta)
    return dataclasses.replace(complete, **changes)


def page(content: Document | Problem, **around: Any) -> str:
    """Return the page of a document or a problem with this around it."""
    return render_page(HtmlPage(content, **around))


SHAPE = Page(page(document())).shape()


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.text(min_size=1))
def test_no_text_changes_the_structure_of_a_page(text: str) -> None:
    html = Page(page(document(text)))
    assert html.shape() == SHAPE
    assert as_parsed(text).strip() in as_parsed(html.text)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_any_properties_make_a_valid_page(properties: dict[str, Any]) -> None:
    rows = Page(page(document(properties=properties, embedded={}))).all('th')
    assert len(rows) == len(properties.keys() - {'example'})


def test_any_problem_is_a_valid_page() -> None:
    for name in PROBLEMS:
        problem = Problem(
            name,
            MALICIOUS_TEXT,
            errors=((MALICIOUS_TEXT, 'is wrong'),),
            reference=MALICIOUS_TEXT,
            origin='http://a.test',
        )
        html = Page(page(problem))
        assert len(html.all('script')) == 1
        assert MALICIOUS_TEXT in html.text
        assert PROBLEMS[name].title in html.text


def test_a_form_has_the_rules_of_its_fields() -> None:
    fields = {field['name']: field for field in Page(page(document())).all('input') if 'name' in field}
    name = fields['name']
    assert 'required' in name
    assert (name['minlength'], name['data-max'], name['pattern']) == ('2', '9', '^[a-z]+$')
    assert fields['secret']['type'] == 'password'
    assert fields['secret']['autocomplete'] == 'new-password'


def test_a_text_area_has_rows_placeholder_and_value() -> None:
    text = page(document('\nfirst'))
    area = Page(text).all('textarea')[0]
    assert (area['rows'], area['placeholder']) == ('4', 'Say it')
    assert 'rows="4">\n\nfirst</textarea>' in text  # a browser drops the first line break


def test_a_form_declares_methods_that_html_lacks() -> None:
    html = Page(page(document()))
    forms = {form['data-form']: form for form in html.all('form')}
    assert (forms['search']['method'], forms['search']['action']) == ('get', 'http://a.test/things')
    assert forms['write']['method'] == 'post'
    hidden = {field['name']: field['value'] for field in html.all('input') if field.get('type') == 'hidden'}
    assert hidden['_method'] == 'PUT'
    assert hidden['_return'] == 'http://a.test/things'


def test_a_query_template_becomes_a_form_that_keeps_parameters() -> None:
    forms = {form.get('data-form'): form for form in Page(page(document())).all('form')}
    assert forms['hc:page']['action'] == 'http://a.test/things'
    assert '<input type="hidden" name="kind" value="a">' in page(document())


def test_a_path_template_is_not_a_link() -> None:
    assert '{' not in page(document(properties={}))


def test_links_that_do_not_support_get_are_omitted() -> None:
    links = {'self': Link('http://a.test/'), 'hc:password': Link('http://a.test/password')}
    assert '/password' not in page(Document('people', '1', {}, links))


def test_a_picture_is_shown_over_a_generated_placeholder() -> None:
    display = Display(text='name', picture='hc:avatar')
    user = Document(
        'people',
        '7',
        {'name': 'x'},
        {'self': Link('http://a.test/7'), 'hc:avatar': Link('http://a.test/picture')},
        title='ada',
        display=display,
    )
    text = page(user)
    assert Page(text).all('img')[0]['src'] == 'http://a.test/picture'
    assert re.search('<text [^>]*>A</text></svg><img ', text)


def test_display_hints_render_an_entry_as_a_card() -> None:
    author = Document('people', '7', {}, {'self': Link('http://a.test/7')}, title='ada')
    display = Display(
        text='body',
        byline='author',
        moment='at',
        edited='changed',
        actions={'write': ActionDisplay(question='Sure?')},
    )
    links = {'self': Link('http://a.test/notes/1')}
    properties = {'body': 'one', 'at': '2026-11-22T15:04:27.123+00:00', 'changed': None, 'id': 17_000}
    forms = (WRITE.at('http://a.test/notes/1'),)
    note = Document('notes', '1', properties, links, {'author': author}, forms, display=display)
    html = Page(page(document(embedded={'item': (note,)})))
    assert {'class': 'when', 'href': 'http://a.test/notes/1'} in html.all('a')
    assert '22 Nov 2026, 15:04 UTC' in html.text
    assert 'Sure?' in html.text
    assert '17000' not in html.text
    assert 'edited' not in html.text
    properties['changed'] = properties['at']
    assert 'edited' in Page(page(document(embedded={'item': (note,)}))).text


def test_a_short_label_keeps_the_title_for_assistive_technology() -> None:
    display = Display(text='name', actions={'write': ActionDisplay(label='Write')})
    text = page(document(display=display))
    assert '<summary aria-label="Write it">Write</summary>' in text
    assert '<button>Write</button>' in text


def test_an_entry_on_its_own_page_has_an_absolute_time() -> None:
    author = Document('people', '7', {}, {'self': Link('http://a.test/7')}, title='ada')
    display = Display(text='body', byline='author', moment='at')
    links = {'self': Link('http://a.test/notes/1')}
    note = Document('notes', '1', {'body': 'one', 'at': TIME}, links, {'author': author}, display=display)
    assert {'datetime': TIME} in Page(page(note)).all('time')
    assert {'datetime': TIME, 'class': 'ago'} in Page(page(document(embedded={'item': (note,)}))).all('time')


def test_a_server_error_page_has_a_link_to_try_again() -> None:
    problem = Problem('unavailable', 'The database is unavailable.', origin='http://a.test')
    html = Page(page(problem, back='http://a.test/api/posts'))
    assert {'href': 'http://a.test/api/posts'} in html.all('a')
    assert 'Try again' not in page(problem)


def test_a_page_of_an_outage_has_the_detail_for_the_operator_apart() -> None:
    text = page(Problem('unavailable', 'The schema has version 1.'))
    assert '<p class="detail">The server cannot respond at the moment. Please try again' in text
    assert '<p class="quiet">The schema has version 1.</p>' in text


def test_the_page_of_a_document_omits_missing_values() -> None:
    display = Display(columns=(Column('name', 'Name'), Column('used', 'Last use'), Column('at', 'Since')))
    properties = {'name': 'Gear', 'used': None, 'at': TIME}
    entry = Document('things', '1', properties, {'self': Link('http://a.test/things/1')}, display=display)
    assert 'Since' in Page(page(entry)).text
    assert 'Last use' not in Page(page(entry)).text


def test_display_hints_render_entries_as_a_table() -> None:
    display = Display(columns=(Column('name', 'Name'), Column('price', 'Price'), Column('count', 'Count')))
    properties = {'name': 'Gear', 'price': '15.99', 'count': 12345}
    entry = Document('things', '1', properties, {'self': Link('http://a.test/things/1')}, display=display)
    html = Page(page(document(embedded={'item': (entry, entry)})))
    assert len(html.all('tr')) == 3
    assert 'number' in {cell.get('class') for cell in html.all('td')}
    assert '12,345' in html.text


def test_a_device_is_shown_with_its_name_and_remarks() -> None:
    device_column = Column(
        'agent', 'Device', is_device=True, name='name', notes=(Note('scope', 'read', 'read only'),)
    )
    display = Display(columns=(device_column, Column('since', 'Since', is_day=True)))
    properties = {
        'agent': 'curl/8.5.0',
        'name': 'Backup',
        'scope': 'read',
        'since': '2026-11-22T15:04:27.123+00:00',
    }
    entry = Document('things', '1', properties, {'self': Link('http://a.test/things/1')}, display=display)
    assert title_of(entry) == 'Backup'
    assert title_of(dataclasses.replace(entry, properties={**properties, 'name': None})) == 'curl 8.5.0'
    text = Page(page(document(embedded={'item': (entry,)}))).text
    for visible in ('Backup', 'read only', 'curl 8.5.0', '22 Nov 2026'):
        assert visible in text
    assert '15:04' not in text


def test_a_page_past_the_end_names_the_last_one() -> None:
    meta = {'page': 9, 'per_page': 10, 'total_pages': 2, 'total_items': 11}
    text = Page(page(document(meta=meta, embedded={'item': ()}, display=Display(empty='No things.')))).text
    assert 'This page is empty. The last page is page 2.' in text
    assert 'No things.' not in text


def test_an_error_page_shows_a_specific_detail() -> None:
    assert 'The link has expired.' in page(Problem('not-found', 'The link has expired.'))
    without_detail = page(Problem('not-found', PROBLEMS['not-found'].meaning))
    assert 'This page does not exist.' in without_detail


@pytest.mark.parametrize(
    ('user_agent', 'expected'),
    [
        ('Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 'Firefox on Linux'),
        (
            'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) '
            'Version/18.0 Mobile/15E148 Safari/604.1',
            'Safari on iPhone',
        ),
        ('curl/8.5.0', 'curl 8.5.0'),
        (None, 'Unknown device'),
    ],
)
def test_a_user_agent_is_named_by_program_and_system(user_agent: str | None, expected: str) -> None:
    assert device(user_agent) == expected


def test_urls_in_json_become_links_except_the_targets_of_forms() -> None:
    text = (
        '{"href": "http://a.test/x", "target": "http://a.test/form", "body": "see http://a.test/", '
        '"links": ["http://a.test/{id}"]}'
    )
    assert re.findall('<a href="(.*?)"', highlight_json(text, has_links=True)) == ['http://a.test/x']
    assert '<a ' not in highlight_json(text)


def test_the_names_in_json_are_marked() -> None:
    value = {'a"b': '<script>', 'c': {'d': 'x": "y'}, 'e': ['f']}
    text = highlight_json(json.dumps(value, indent=2))
    assert re.findall('<b>(.*?)</b>', text) == [f'&#34;{name}&#34;' for name in ('a\\&#34;b', 'c', 'd', 'e')]
    assert '&#34;&lt;script&gt;&#34;' in text
    assert text.striptags() == re.sub(r'\s+', ' ', json.dumps(value, indent=2))


@pytest.mark.parametrize(
    ('text', 'hrefs'),
    [
        ('see http://a.test/x.', ['http://a.test/x']),
        ('(https://a.test/?a=1&b=2)', ['https://a.test/?a=1&amp;b=2']),
        ('javascript:alert(1) ftp://a.test data:text/html,x', []),
        ('https://a.test/"onclick="x', ['https://a.test/']),
        ('http://a.test/{id} http://a.test/x', ['http://a.test/x']),
    ],
)
def test_http_urls_in_text_become_links(text: str, hrefs: list[str]) -> None:
    assert re.findall('<a href="(.*?)" rel="nofollow ugc noopener">', link_text(text)) == hrefs


def test_a_page_loads_only_files_of_the_server() -> None:
    urls = loaded_files(Page(page(document())))
    assert len(urls) == 3
    assert all(url.startswith('/static/') for url in urls)


def test_a_page_has_landmarks() -> None:
    html = Page(page(document()))
    assert [html.all(name) != [] for name in ('header', 'nav', 'main', 'h1')] == [True] * 4
    assert html.all('a')[0] == {'class': 'skip', 'href': '#main'}
    assert html.all('html') == [{'lang': 'en'}]


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('', f'<time datetime="{TIME}">22 Nov 2026, 15:04 UTC</time>'),
        ('ago', f'<time datetime="{TIME}" class="ago">22 Nov 2026, 15:04 UTC</time>'),
        ('day', f'<time datetime="{TIME}" class="day">22 Nov 2026</time>'),
    ],
)
def test_times_are_formatted_for_people(name: str, expected: str) -> None:
    assert format_time(TIME, name=name) == expected


@pytest.mark.parametrize('value', ['2026-13-22T15:04:27.123+00:00', '2026-11-22', 5])
def test_an_invalid_time_is_not_formatted(value: Any) -> None:
    assert format_time(value) is None


@pytest.mark.parametrize(
    ('name', 'expected'),
    [('member_since', 'Member since'), ('hc:followers', 'Followers'), ('prev', 'Previous'), ('', '')],
)
def test_names_are_humanized(name: str, expected: str) -> None:
    assert words(name) == expected


def test_a_document_without_a_title_is_titled_by_its_kind() -> None:
    assert title_of(Document('tokens', '7', {}, {})) == 'Token'
    assert title_of(Document('tokens', None, {}, {})) == 'Tokens'
