"""Forms: values that satisfy the rules of a form are accepted; others are reported with their field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client import PASSWORD, ApiResponse, Client, assert_problem
from tests.examples import examples

# HTML and HAL-FORMS cannot express that control characters are invalid.
CHARACTERS = st.characters(exclude_categories=('Cs', 'Cc'))
ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


class Case(NamedTuple):
    """A form: a function that returns a document with it, and the values that existing data requires."""

    document: Callable[[Client, Client], ApiResponse]
    fixed: dict[str, str]


def own_post(ada: Client, bob: Client) -> ApiResponse:
    return ada.get(ada.publish('to be edited').href('self'))


def own_store(ada: Client, bob: Client) -> ApiResponse:
    stores = ada.follow('hc:stores')
    return ada.get(stores.items[0]['_links']['self']['href'] if stores.items else create_store(stores))


def create_store(stores: ApiResponse) -> str:
    return stores.submit('create', name='Looms').href('self')


def own_item(ada: Client, bob: Client) -> ApiResponse:
    items = ada.get(own_store(ada, bob).href('hc:items'))
    if items.items:
        return ada.get(items.items[0]['_links']['self']['href'])
    return ada.get(items.submit('create', name='Shuttle', price='1.50').href('self'))


def presented_token(ada: Client, bob: Client) -> ApiResponse:
    client = ada.sign_in('ada')
    return client.get(client.follow('hc:tokens').items[0]['_links']['self']['href'])


def followed_user(ada: Client, bob: Client) -> ApiResponse:
    other = ada.get(bob.me().href('self'))
    other.submit('follow')
    return ada.get(other.href('self'))


CASES = {
    'register': Case(lambda ada, bob: Client(ada.app).entry(), {}),
    'login': Case(lambda ada, bob: Client(ada.app).entry(), {'username': 'bob', 'password': PASSWORD}),
    'publish': Case(lambda ada, bob: ada.entry(), {}),
    'edit': Case(lambda ada, bob: ada.me(), {}),
    'change-password': Case(lambda ada, bob: ada.me(), {'current_password': PASSWORD}),
    'edit post': Case(own_post, {}),
    'create store': Case(lambda ada, bob: ada.follow('hc:stores'), {}),
    'edit store': Case(own_store, {}),
    'create item': Case(lambda ada, bob: ada.get(own_store(ada, bob).href('hc:items')), {}),
    'edit item': Case(own_item, {}),
    'search': Case(lambda ada, bob: ada.follow('hc:users'), {}),
}
FORMS_WITHOUT_FIELDS: dict[str, Callable[[Client, Client], ApiResponse]] = {
    'follow': lambda ada, bob: ada.get(bob.me().href('self')),
    'unfollow': followed_user,
    'delete': lambda ada, bob: ada.me(),
    'delete post': own_post,
    'renew': presented_token,
    'revoke-others': lambda ada, bob: ada.follow('hc:tokens'),
    'revoke': lambda ada, bob: ada.get(ada.follow('hc:tokens').items[0]['_links']['self']['href']),
    'delete store': own_store,
    'delete item': own_item,
}


def valid_value(field: dict[str, Any]) -> str:
    """Return one value that satisfies every rule of the field."""
    return '60' if field['type'] == 'number' else field.get('options', {'inline': ['x12345678']})['inline'][0]


def name_of(form: str) -> str:
    """Return the name of a form in its document, which is the first word of its key in these tables."""
    return form.partition(' ')[0]


def valid_values(field: dict[str, Any]) -> st.SearchStrategy[str]:
    """Return a strategy for values that satisfy every rule of the field."""
    if 'options' in field:
        return st.sampled_from(field['options']['inline'])
    if field['type'] == 'number':
        step = Decimal(str(field['step'])).normalize()
        steps = st.integers(round(field['min'] / field['step']), round(field['max'] / field['step']))
        return steps.map(lambda number: f'{number * step:f}')
    min_length = max(field.get('minLength', 0), int(field.get('required', False)))
    max_length = field.get('maxLength', 60)
    if 'regex' in field and field['type'] != 'textarea':
        # The non-ASCII letters of domains are a table (RFC 5892), which no pattern can express.
        alphabet = ASCII if field['type'] == 'email' else CHARACTERS
        texts = st.from_regex(re.compile(field['regex'], re.ASCII), fullmatch=True, alphabet=alphabet)
    else:
        texts = st.text(
            ASCII if field['type'] == 'password' else CHARACTERS, min_size=min_length, max_size=max_length
        )

    def is_valid(text: str) -> bool:
        normal = unicodedata.normalize('NFC', text)
        return (
            min_length <= len(normal) <= max_length
            and min_length <= len(text) <= max_length
            and re.fullmatch(field.get('regex', r'[\s\S]*'), text) is not None
        )

    return texts.filter(is_valid)


def invalid_values(field: dict[str, Any]) -> list[str | None]:
    """Return a value for each rule of the field that breaks it; None stands for an absent value."""
    invalid: list[str | None] = []
    if field.get('required'):
        invalid.append(None)
    if field.get('minLength'):
        invalid.append('x' * (field['minLength'] - 1))
    if 'maxLength' in field:
        invalid.append('x' * (field['maxLength'] + 1))
    if 'options' in field:
        invalid.append('none of them')
    if field['type'] == 'number':
        invalid += [str(field['min'] - 1), str(field['max'] + 1), '0.001', 'none']
    if 'regex' in field:
        invalid.append(
            next(text for text in (' ', 'ä ö', 'a\x07b 12345') if not re.fullmatch(field['regex'], text))
        )
    return invalid


def fill(case: Case, template: dict[str, Any], data: st.DataObject) -> dict[str, str]:
    """Return a value for every field of the form."""
    return {
        field['name']: case.fixed.get(field['name']) or data.draw(valid_values(field), label=field['name'])
        for field in template['properties']
    }


@pytest.mark.parametrize('form', CASES)
@examples(20)
@given(data=st.data())
def test_a_form_with_valid_values_succeeds(ada: Client, bob: Client, form: str, data: st.DataObject) -> None:
    case, name = CASES[form], name_of(form)
    document = case.document(ada, bob)
    values = fill(case, document.json['_templates'][name], data)
    response = document.submit(name, **values)
    assert response.status in (200, 201, 204), response.text
    if form == 'register':  # the next example needs a free user name and email
        Client(ada.app).sign_in(values['username'], values['password']).me().submit('delete')
    elif response.status == 201:
        ada.delete(response.headers['location'])
    elif form == 'change-password':
        passwords = {'current_password': values['password'], 'password': PASSWORD}
        assert document.submit(name, **passwords).status == 204


@pytest.mark.parametrize('form', [form for form in CASES if form != 'search'])
def test_a_value_that_breaks_a_rule_is_reported(ada: Client, bob: Client, form: str) -> None:
    case, name = CASES[form], name_of(form)
    document = case.document(ada, bob)
    template = document.json['_templates'][name]
    valid = {field['name']: field.get('value') or valid_value(field) for field in template['properties']}
    valid |= {'email': 'x@example.org'} if 'email' in valid else {}
    valid |= case.fixed
    count = 0
    for field in template['properties']:
        for invalid in invalid_values(field):
            values = valid | {field['name']: invalid}
            body = {name: value for name, value in values.items() if value is not None}
            response = document.client.request(template['method'], template['target'], json=body)
            assert_problem(response, 400, f'#/{field["name"]}')
            count += 1
    assert count > 0


@pytest.mark.parametrize('form', FORMS_WITHOUT_FIELDS)
def test_a_form_without_fields_succeeds(ada: Client, bob: Client, form: str) -> None:
    document = FORMS_WITHOUT_FIELDS[form](ada, bob)
    assert document.json['_templates'][name_of(form)]['properties'] == []
    assert document.submit(name_of(form)).status in (200, 201, 204)


def forms_of(response: ApiResponse) -> list[str]:
    return list(response.json.get('_templates', {}))


def test_signed_in_users_have_the_form_to_publish(ada: Client) -> None:
    assert forms_of(ada.entry()) == ['publish']


def test_a_users_own_account_has_the_forms_to_edit_and_delete(ada: Client) -> None:
    assert forms_of(ada.me()) == ['edit', 'change-password', 'delete']


def test_a_users_own_post_has_the_forms_to_edit_and_delete(ada: Client, bob: Client) -> None:
    post = own_post(ada, bob)
    assert forms_of(post) == ['edit', 'delete']
    assert forms_of(bob.get(post.href('self'))) == []


@pytest.mark.parametrize('path', [('hc:posts',), ('hc:feed',), ('hc:me', 'hc:posts')])
def test_collections_of_posts_have_the_form_to_publish(ada: Client, path: tuple[str, ...]) -> None:
    assert forms_of(ada.follow(*path)) == ['publish']


def test_the_collection_of_users_has_a_search_form(ada: Client) -> None:
    assert forms_of(ada.follow('hc:users')) == ['search']


def test_only_the_presented_token_has_the_form_to_renew(ada: Client) -> None:
    ada.sign_in('ada')
    newest, presented = ada.follow('hc:tokens').items
    assert list(newest['_templates']) == ['revoke']
    assert list(presented['_templates']) == ['revoke', 'renew']
