"""The OpenAPI document: valid, complete, small, and shown as a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import falcon.inspect
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from service import urls
from service.app import create_app, make_routes
from service.config import Settings
from service.database.ids import is_id
from service.representation.html import docs_page
from service.representation.json_schema import schema_of_field
from service.representation.parameter_values import ID
from service.representation.url_builder import Features, UrlBuilder
from service.resources.openapi import description as openapi
from service.resources.tokens import LOGIN
from tests.client import HAL, HAL_FORMS, HTML, JSON, ORIGIN, Client
from tests.conftest import Start
from tests.description import Description, description_of
from tests.golden import check_golden

pytestmark = pytest.mark.above_databases

OPENAPI = 'application/vnd.oai.openapi+json'
MAX_DOCUMENT_BYTES = 250_000  # including the operations of mail
OPERATIONS_FILE = Path(__file__).with_name('openapi_operations.txt')
DOCUMENT = openapi.Description(make_routes()).at(UrlBuilder(ORIGIN))
DESCRIPTION = Description(DOCUMENT)
OPERATIONS = DESCRIPTION.operations()


@pytest.mark.parametrize(
    'origin', ['http://h.test', 'https://h.test:81/a/b', 'http://[::1]:81', 'http://h.test/path']
)
def test_the_description_has_the_urls_of_the_server(start: Start, origin: str) -> None:
    expected = openapi.Description(make_routes()).at(UrlBuilder(origin, Features(signed_tokens=True)))
    client = Client(start(BASE_URL=origin))
    assert client.get('/api/openapi.json').json == expected
    assert client.get('/api/docs', accept=HTML).text == docs_page(expected)
    assert client.get('/api/docs?open', accept=HTML).text == docs_page(expected, is_open=True)


def test_the_documentation_is_rendered_once_for_all_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.from_environment({'DATABASE_URL': f'sqlite:///{tmp_path}/halcyon.db'})
    client, pages = Client(create_app(settings)), []
    monkeypatch.setattr(
        'service.resources.discovery.docs_page', lambda *args, **options: pages.append(args) or 'page'
    )
    for host in ('a.test', 'b.test'):
        assert client.get('/api/docs', accept=HTML, headers={'Host': host}).text == 'page'
    assert len(pages) == 1


def test_the_document_is_valid_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_document_is_small() -> None:
    builder = UrlBuilder('http://localhost:8000', Features(mail=True))
    document = openapi.Description(make_routes(has_mail=True)).at(builder)
    assert len(orjson.dumps(document)) < MAX_DOCUMENT_BYTES


def test_exactly_the_served_operations_are_described(app: Any) -> None:
    served = {
        (re.sub(r':id}', '}', route.path), method.method)
        for route in falcon.inspect.inspect_app(app).routes
        for method in route.methods
        if not method.internal
        and route.path != urls.ASSET
        and method.method not in ('HEAD', 'OPTIONS', 'QUERY')
    }
    assert {(operation.template, operation.method) for operation in OPERATIONS} == served


@pytest.mark.parametrize('member', ['operationId', 'summary', 'description'])
def test_every_operation_has_its_own_name_summary_and_description(member: str) -> None:
    values = [operation.operation[member] for operation in OPERATIONS]
    assert all(values)
    assert len(set(values)) == len(values)


def test_public_names_of_operations_are_frozen(start: Start) -> None:
    names = '{operationId} {tags}: {summary}. {description}'
    lines = [
        f'{method} {template} {names.format_map(operation)}\n'
        for template, method, operation in description_of(start(METRICS='on')).operations()
    ]
    check_golden(OPERATIONS_FILE, ''.join(lines))


def test_every_query_parameter_has_a_description() -> None:
    for parameter in DOCUMENT['components']['parameters'].values():
        assert parameter['description'].endswith('.'), parameter['name']


def test_shared_components_are_referenced() -> None:
    for operation in OPERATIONS:
        shared = [*operation.operation.get('parameters', ()), *operation.operation['responses'].values()]
        assert all(list(reference) == ['$ref'] for reference in shared), str(operation)


def test_only_the_405_response_is_an_unused_component() -> None:
    text = orjson.dumps(DOCUMENT).decode()
    unused = [
        f'{section}/{name}'
        for section, components in DOCUMENT['components'].items()
        for name in components
        if section != 'securitySchemes' and f'"#/components/{section}/{name}"' not in text
    ]
    assert unused == ['responses/MethodNotAllowed']


def test_every_array_has_items() -> None:
    assert [schema for schema in array_schemas(DOCUMENT) if 'items' not in schema] == []


def array_schemas(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema of an array in a part of the document."""
    if isinstance(tree, dict):
        if tree.get('type') == 'array':
            yield tree
        for value in tree.values():
            yield from array_schemas(value)


def test_every_body_has_a_valid_example() -> None:
    for content in media_type_objects(DOCUMENT):
        values = [example['value'] for example in content.get('examples', {}).values()]
        values += [content['example']] if 'example' in content else []
        values += DESCRIPTION.resolve(content['schema']).get('examples', [])
        assert values, content
        for value in values:
            DESCRIPTION.validate(content['schema'], value)


def media_type_objects(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every Media Type Object in a part of the document."""
    if isinstance(tree, dict):
        if isinstance(tree.get('content'), dict):
            yield from tree['content'].values()
        for name, value in tree.items():
            if name != 'examples':
                yield from media_type_objects(value)


@pytest.mark.parametrize('name', ['User', 'UserDocument'])
def test_a_schema_rejects_documents_without_a_required_member(name: str) -> None:
    with pytest.raises(ValueError, match='is a required property'):
        DESCRIPTION.validate({'$ref': f'#/components/schemas/{name}'}, {})


def test_a_form_and_its_body_schema_have_the_same_rules(ada: Client) -> None:
    form = ada.me().json['_templates']['edit']
    content = DOCUMENT['paths']['/api/users/{user_id}']['put']['requestBody']['content'][form['contentType']]
    rules = DESCRIPTION.resolve(content['schema'])['properties']
    for field in form['properties']:
        assert rules[field['name']].get('maxLength') == field.get('maxLength')
        assert rules[field['name']].get('minLength') == field.get('minLength')
        if 'regex' in field:
            assert rules[field['name']]['pattern'] == field['regex']


@pytest.mark.parametrize(
    'value', ['0', '1', '01', '999999999', '1000000000', '1000000001', '9999999999', '1.5', '']
)
def test_the_pattern_of_a_number_accepts_what_the_server_accepts(value: str) -> None:
    """The schema of `expires_in` accepted the text "0", which the server rejects."""
    (field,) = (field for field in LOGIN.fields if field.name == 'expires_in')
    pattern = schema_of_field(field)['anyOf'][0]['pattern']
    if re.search(pattern, value):
        assert field.read(value) == int(value)
    else:
        with pytest.raises(ValueError, match='must be a number from 1 to 1000000000'):
            field.read(value)


@pytest.mark.parametrize(
    'value', ['1', '999999999999999', '1000000000000000', '8999999999999999', '0', '01', str(2**53)]
)
def test_the_pattern_of_ids_accepts_what_the_server_accepts(value: str) -> None:
    assert bool(re.search(ID['pattern'], value)) == is_id(value)


def test_the_document_has_the_openapi_media_type(client: Client) -> None:
    response = client.get(client.entry().href('service-desc'), accept=OPENAPI)
    assert response.headers['content-type'] == 'application/vnd.oai.openapi+json;version=3.1'


@pytest.mark.parametrize('accept', ['*/*', JSON, HAL, HAL_FORMS, 'text/html'])
def test_clients_that_follow_links_get_the_document_as_json(client: Client, accept: str) -> None:
    assert client.get(client.entry().href('service-desc'), accept=accept).content_type == JSON


@pytest.mark.parametrize('rel', ['service-desc', 'service-doc'])
def test_the_document_is_cacheable_by_anyone(client: Client, rel: str) -> None:
    response = client.follow(rel)
    assert response.status == 200
    assert response.headers['cache-control'].startswith('public')
    again = client.get(client.entry().href(rel), headers={'If-None-Match': response.etag})
    assert again.status == 304


def test_the_etag_of_the_document_differs_by_media_type(client: Client) -> None:
    href = client.entry().href('service-desc')
    assert client.get(href, accept=OPENAPI).etag != client.get(href, accept=JSON).etag


def test_urls_in_the_document_start_with_the_base_url(start: Start) -> None:
    app = start(BASE_URL='https://api.example.org')
    response = Client(app).get('/api/openapi.json')
    assert response.json['servers'] == [{'url': 'https://api.example.org'}]
    assert 'halcyon.test' not in response.text


def test_the_documentation_page_has_every_operation(client: Client) -> None:
    page = client.follow('service-doc', accept='text/html').text
    for operation in OPERATIONS:
        assert f'id="{operation.operation["operationId"]}"' in page


def test_every_anchor_of_the_page_is_a_valid_fragment(client: Client) -> None:
    page = client.follow('service-doc', accept='text/html').text
    anchors = re.findall('href="#([^"]*)"', page)
    assert len(anchors) > len(DOCUMENT['paths'])
    for anchor in anchors:
        assert re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})+", anchor)  # RFC 3986 §3.5
        assert f'id="{anchor}"' in page


def test_the_documentation_page_loads_nothing_from_other_origins(client: Client) -> None:
    page = client.follow('service-doc', accept='text/html').text
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!halcyon\.test)', page)


def test_links_of_a_document_are_openapi_links() -> None:
    response = DESCRIPTION.response(DOCUMENT['paths']['/api/users']['post'], 201)
    assert response['links']['hc.followers'] == {
        'operationId': 'getFollowers',
        'parameters': {'user_id': '$response.body#/id'},
    }


def test_an_openapi_link_of_json_api_points_into_the_resource() -> None:
    response = DESCRIPTION.response(DOCUMENT['paths']['/api/tokens']['post'], 201)
    assert response['links']['self']['parameters'] == {'token_id': '$response.body#/data/id'}
