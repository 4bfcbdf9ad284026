"""A document made from a template is rendered like the same document without the template."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from service.http.operation import Samples
from service.representation.action import Action, Field
from service.representation.document import Document, Identifier, Link, Relationship
from service.representation.formats import FORMATS
from service.representation.template import Template, variable
from service.representation.url_builder import Features, UrlBuilder
from tests.routes import routes

EDIT = Action('edit', 'PATCH', 'Edit', (Field('name', 'Name'),))
ORIGINS = ('http://halcyon.test', 'https://halcyon.test:8443/100%25/%(id)s')
FEATURES = (Features(), Features(avatars=False, signed_tokens=True, registration=False, mail=True))


def note(template: Template, number: int, **embedded: Document) -> Document:
    properties = {'id': number, 'name': f'n° {number} "%s" {{x}}'}
    return template.fill(
        str(number), properties, {'note_id': number, 'next_id': number + 1}, title='Note', embedded=embedded
    )


@pytest.fixture
def template() -> Template:
    url = f'http://a.test/100%25/{variable("note_id")}'
    return Template(
        Document(
            'notes',
            None,
            {},
            {
                'self': Link(url),
                'curies': (Link('http://a.test/api/rels/{rel}', templated=True, name='hc'),),
                'hc:next': Link(f'{url}/next'),
                'search': Link(f'{url}{{?q}}', templated=True),
            },
            forms=(EDIT.at(url),),
            relationships={'hc:next': Relationship(f'{url}/r', Identifier('notes', variable('next_id')))},
        )
    )


def without_template(document: Document) -> Document:
    """Return an equal document, with equal embedded ones, that is not rendered by a template."""
    embedded = {
        rel: tuple(map(without_template, value)) if isinstance(value, tuple) else without_template(value)
        for rel, value in document.embedded.items()
    }
    return dataclasses.replace(document, embedded=embedded)


def test_values_are_in_links_forms_and_relationships(template: Template) -> None:
    document = note(template, 7)
    assert document.href == 'http://a.test/100%25/7'
    assert document.links['hc:next'] == Link('http://a.test/100%25/7/next')
    assert document.links['search'] == Link('http://a.test/100%25/7{?q}', templated=True)
    assert document.relationships == {
        'hc:next': Relationship('http://a.test/100%25/7/r', Identifier('notes', '8'))
    }
    (form,) = document.forms
    assert form.target == document.href
    assert form.values['name'] == 'n° 7 "%s" {x}'


def test_documents_of_a_template_are_independent(template: Template) -> None:
    first, second = note(template, 1), note(template, 2)
    for format in FORMATS.values():
        texts = [format.render(document) for document in (first, second, first)]
        assert texts[0] == texts[2] != texts[1]
        assert b'100%25/2' not in texts[0]


@pytest.mark.parametrize('name', FORMATS)
def test_a_copy_has_its_own_values(template: Template, name: str) -> None:
    copy = dataclasses.replace(note(template, 1), properties={'id': 1}, links={'self': Link('http://b.test')})
    rendered = FORMATS[name].render(copy)
    assert b'http://b.test' in rendered
    assert b'100%25/1/next' not in rendered
    assert b'n\xc2\xb0 1' not in FORMATS[name].render(dataclasses.replace(copy, forms=(), title=''))


@pytest.mark.parametrize('name', FORMATS)
def test_linkage_identifies_embedded_documents(template: Template, name: str) -> None:
    embedded = note(template, 2)
    for rel in ('hc:next', 'search'):
        document = note(template, 1, **{rel: embedded})
        assert FORMATS[name].render(document) == FORMATS[name].render(without_template(document))


def samples(app: Any) -> Iterator[Samples]:
    """Yield the sample documents of every operation."""
    for _, resource in routes(app):
        for operation in resource.operations.values():
            yield from (content for content in operation.responses.values() if isinstance(content, Samples))


@pytest.mark.above_databases
@pytest.mark.parametrize('name', FORMATS)
def test_every_sample_is_rendered_as_without_a_template(app: Any, name: str) -> None:
    builders = [UrlBuilder(origin, features) for origin in ORIGINS for features in FEATURES]
    format, count = FORMATS[name], 0
    for sample in samples(app):
        for builder in builders:
            for document in sample.in_dialect(builder, format.dialect.names).values():
                assert format.render(document) == format.render(without_template(document))
                count += 1
    assert count > 100
