"""Rules of HAL-FORMS about templates and their targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service.conformance.checks import is_a, requires_valid, requires_valid_members
from service.conformance.client import Client
from service.conformance.exchange import HAL_FORMS, Exchange, members
from service.conformance.filling import fill
from service.conformance.hal import resources
from service.conformance.hal_forms import (
    SPECIFICATION,
    all_properties,
    all_templates,
    is_hal_forms,
    templates,
)
from service.conformance.rules import Fault, Rules, for_purpose
from service.conformance.syntax import TOKEN, is_uri_reference, parse_media_type

RULES = Rules('hal-forms', SPECIFICATION, is_hal_forms)


def probe_targets(client: Client, exchange: Exchange) -> None:
    """Send OPTIONS to the target of each form, and submit the forms whose method is GET."""
    if not is_hal_forms(exchange):
        return
    requested = {earlier.request.url for earlier in client.record if earlier.purpose == 'form-options'}
    for template in templates(exchange):
        url = client.resolve(exchange.request.url, str(template.value.get('target', exchange.request.url)))
        if url is None:
            continue
        context: dict[str, Any] = {
            'where': template.where,
            'form_method': template.method,
            'key': template.key,
        }
        if url not in requested:
            requested.add(url)
            client.send('OPTIONS', url, 'form-options', exchange, **context)
        if template.method == 'GET':
            filled = fill(template.value, is_query=True)
            target = url + ('&' if '?' in url else '?') + filled.encoded if filled.encoded else url
            client.get(target, 'form-get', exchange, headers={'Accept': HAL_FORMS}, **context)


PROBES = (probe_targets,)


@RULES.must('HF-TEMPLATES', 'The _templates Collection', 'The root has `_templates`.')
def check_templates(exchange: Exchange) -> Iterator[Fault]:
    document = exchange.response.document
    if isinstance(document, dict) and '_templates' not in document:
        embedded = any('_templates' in resource for _, resource in resources(exchange))
        if not embedded:
            yield Fault('', 'has no _templates')


RULES.must('HF-TEMPLATES-OBJECT', 'The _templates Collection', '`_templates` is an object.')(
    requires_valid_members(resources, is_a(dict), 'is not an object', '_templates')
)
RULES.must('HF-TEMPLATE-OBJECT', 'The _templates Collection', 'Every template is an object.')(
    requires_valid(all_templates, is_a(dict), 'is not an object')
)


@RULES.must(
    'HF-KEY-DEFAULT', 'The _templates Collection, key', 'If there is only one template, its key is "default".'
)
def check_key_default(exchange: Exchange) -> Iterator[Fault]:
    # "For exactly one element in the collection the key value MUST be set to default": editions differ about
    # several templates, but not about a single one.
    for where, resource in resources(exchange):
        keys = [key for key, _ in members(resource.get('_templates'))]
        if len(keys) == 1 and keys != ['default']:
            yield Fault(where + '/_templates', f'the only template is {keys[0]}')


@RULES.must('HF-METHOD', 'The _templates Collection, method', 'Every template has a method.')
def check_method(exchange: Exchange) -> Iterator[Fault]:
    for template in templates(exchange):
        method = template.value.get('method')
        if not isinstance(method, str) or not TOKEN.fullmatch(method):
            yield Fault(template.where, 'has no method')


RULES.must('HF-TARGET', 'The _templates Collection, target', '`target` is a URL.')(
    requires_valid_members(templates, is_uri_reference, 'is not a URL', 'target')
)
RULES.must('HF-CONTENT-TYPE', 'The _templates Collection, contentType', '`contentType` is a media type.')(
    requires_valid_members(templates, parse_media_type, 'is not a media type', 'contentType')
)


@RULES.should(
    'HF-CONTENT-TYPE-USUAL',
    'The _templates Collection, contentType',
    '`contentType` is application/json or application/x-www-form-urlencoded.',
)
def check_content_type_usual(exchange: Exchange) -> Iterator[Fault]:
    usual = ('application/json', 'application/x-www-form-urlencoded', '')
    for template in templates(exchange):
        parsed = parse_media_type(template.value.get('contentType'))
        if parsed and parsed[0] not in usual:
            yield Fault(template.where + '/contentType', 'is another media type')


RULES.must('HF-TITLE', 'The _templates Collection, title', '`title` is a string.')(
    requires_valid_members(templates, is_a(str), 'is not a string', 'title')
)


@RULES.must('HF-PROPERTIES', 'The _templates Collection, properties', '`properties` is an array of objects.')
def check_properties(exchange: Exchange) -> Iterator[Fault]:
    for template in templates(exchange):
        if not isinstance(template.value.get('properties', []), list):
            yield Fault(template.where + '/properties', 'is not an array')
    for where, _, value in all_properties(exchange):
        if not isinstance(value, dict):
            yield Fault(where, 'is not an object')


@RULES.should(
    'HF-TARGET-METHOD',
    'The _templates Collection, method',
    'The target of a form supports the method of the form.',
    for_purpose('form-options'),
)
def check_target_method(exchange: Exchange) -> Iterator[Fault]:
    method = exchange.context['form_method'].lower()
    allowed = exchange.response.elements('Allow')
    if exchange.response.is_success and allowed and method not in allowed:
        yield Fault('Allow:', f'the form {exchange.context["key"]} uses {method.upper()}')


@RULES.should(
    'HF-GET',
    'Encoding Request URLs',
    'A form whose method is GET succeeds when it is filled in within its rules.',
    for_purpose('form-get'),
)
def check_get(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status >= 400 and exchange.response.status not in (401, 403, 429):
        yield Fault('status', f'the form {exchange.context["key"]} gets {exchange.response.status}')
