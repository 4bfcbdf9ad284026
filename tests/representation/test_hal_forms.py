"""HAL-FORMS templates of Actions, exactly as the specification defines them."""

from __future__ import annotations

from service.representation.action import TEXT, Action, Field
from service.representation.document import Document, Link
from service.representation.hal_forms import hal_forms, template

SELF = {'self': Link('http://a.test/1')}
RENAME = Action(
    'rename',
    'PUT',
    'Rename',
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
        Field('words', 'Words', type='textarea', rows=4, placeholder='Say it'),
        Field('secret', 'Secret', type='password', autocomplete='new-password'),
    ),
)
REMOVE = Action('remove', 'DELETE', 'Remove')
FIND = Action('find', 'GET', 'Find', (Field('q', 'Begins with', type='search'),))


def test_a_template_has_all_attributes_of_the_action() -> None:
    assert template(RENAME.at('http://a.test/1', {'name': 'ada', 'words': ''})) == {
        'title': 'Rename',
        'method': 'PUT',
        'target': 'http://a.test/1',
        'contentType': 'application/json',
        'properties': [
            {
                'name': 'name',
                'prompt': 'Name',
                'type': 'text',
                'required': True,
                'minLength': 2,
                'maxLength': 9,
                'regex': '^[a-z]+$',
                'value': 'ada',
            },
            {
                'name': 'words',
                'prompt': 'Words',
                'type': 'textarea',
                'regex': TEXT,
                'placeholder': 'Say it',
                'rows': 4,
                'value': '',
            },
            {'name': 'secret', 'prompt': 'Secret', 'type': 'password', 'regex': TEXT},
        ],
    }


def test_a_form_without_fields_has_a_content_type() -> None:
    assert template(REMOVE.at('http://a.test/1')) == {
        'title': 'Remove',
        'method': 'DELETE',
        'target': 'http://a.test/1',
        'contentType': 'application/json',
        'properties': [],
    }


def test_a_get_form_has_no_content_type() -> None:
    assert 'contentType' not in template(FIND.at('http://a.test/'))


def test_every_value_is_a_string() -> None:
    assert template(FIND.at('http://a.test/', {'q': 5}))['properties'][0]['value'] == '5'


def test_an_unknown_value_is_absent() -> None:
    assert 'value' not in template(FIND.at('http://a.test/', {'q': None}))['properties'][0]


def test_templates_have_the_names_and_the_order_of_forms() -> None:
    forms = (RENAME.at('http://a.test/1'), REMOVE.at('http://a.test/1'))
    assert list(hal_forms(Document('things', '1', {}, SELF, forms=forms))['_templates']) == [
        'rename',
        'remove',
    ]


def test_an_embedded_document_has_its_own_templates() -> None:
    item = Document('things', '1', {}, SELF, forms=(REMOVE.at('http://a.test/1'),))
    page = Document('things', None, {}, {**SELF, 'item': (SELF['self'],)}, {'item': (item,)})
    rendered = hal_forms(page)
    assert rendered['_templates'] == {}
    assert list(rendered['_embedded']['item'][0]['_templates']) == ['remove']
