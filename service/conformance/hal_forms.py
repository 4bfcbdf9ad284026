"""Rules of HAL-FORMS: templates, their properties, and the consistency of forms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from service.conformance.client import Client
from service.conformance.exchange import HAL_FORMS, Exchange, entries, found_once, members, pointer
from service.conformance.filling import fill
from service.conformance.hal import resources
from service.conformance.rules import Fault, Rules, Standard, for_purpose
from service.conformance.syntax import TOKEN, is_template, is_uri_reference, parse_media_type

SPECIFICATION = Standard('HAL-FORMS', 'https://rwcbook.github.io/hal-forms/')
CORE, ADDITIONAL = 'Core property Attributes', 'Additional property Attributes'

RULES = Rules('hal-forms')
TYPES = frozenset(
    [
        'hidden',
        'text',
        'textarea',
        'search',
        'tel',
        'url',
        'email',
        'password',
        'date',
        'month',
        'week',
        'time',
        'datetime-local',
        'number',
        'range',
        'color',
        'checkbox',
        'radio',
    ]
)
BOOLEANS = ('readOnly', 'required', 'templated')


class Template(NamedTuple):
    """An entry of `_templates` that is an object, with its key and its JSON Pointer."""

    where: str
    key: str
    value: dict[str, Any]

    @property
    def method(self) -> str:
        """The method in upper case; GET if it is missing, as the specification says."""
        return str(self.value.get('method') or 'GET').upper()


class Property(NamedTuple):
    """An entry of a template's properties that is an object."""

    where: str
    template: Template
    value: dict[str, Any]


def is_hal_forms(exchange: Exchange) -> bool:
    """Return whether the response is a HAL-FORMS document."""
    response = exchange.response
    return response.media_type == HAL_FORMS and response.is_whole


@found_once
def all_templates(exchange: Exchange) -> Iterator[tuple[str, str, Any]]:
    """Yield JSON Pointer, key and value of every entry of `_templates`, embedded ones too."""
    for where, resource in resources(exchange.response.document):
        for key, value in members(resource.get('_templates')):
            yield where + pointer('_templates', key), key, value


@found_once
def templates(exchange: Exchange) -> Iterator[Template]:
    """Yield the templates that are objects."""
    return (Template(*one) for one in all_templates(exchange) if isinstance(one[2], dict))


@found_once
def all_properties(exchange: Exchange) -> Iterator[tuple[str, Template, Any]]:
    """Yield JSON Pointer, template and value of every property."""
    for template in templates(exchange):
        for number, value in entries(template.value.get('properties')):
            yield template.where + pointer('properties', number), template, value


@found_once
def properties(exchange: Exchange) -> Iterator[Property]:
    """Yield the properties that are objects."""
    return (Property(*one) for one in all_properties(exchange) if isinstance(one[2], dict))


def options(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield JSON Pointer and value of the `options` that are objects, and their property."""
    for one in properties(exchange):
        if isinstance(one.value.get('options'), dict):
            yield one.where + '/options', one.value['options'], one.value


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def option_values(choice: dict[str, Any]) -> list[Any]:
    """Return the values of inline options."""
    field = choice.get('valueField', 'value')
    return [one.get(field) if isinstance(one, dict) else one for _, one in entries(choice.get('inline'))]


def probe_targets(client: Client, exchange: Exchange) -> None:
    """Ask the target of each form which methods it supports, and send the forms whose method is GET."""
    if not is_hal_forms(exchange):
        return
    requested = {one.request.url for one in client.record if one.purpose == 'form-options'}
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


@RULES.must(
    'HF-TEMPLATES',
    SPECIFICATION,
    'The _templates Collection',
    'The root has `_templates`.',
    is_hal_forms,
)
def check_templates(exchange: Exchange) -> Iterator[Fault]:
    document = exchange.response.document
    if isinstance(document, dict) and '_templates' not in document:
        embedded = any('_templates' in resource for _, resource in resources(document))
        if not embedded:
            yield Fault('', 'has no _templates')


@RULES.must(
    'HF-TEMPLATES-OBJECT',
    SPECIFICATION,
    'The _templates Collection',
    '`_templates` is an object.',
    is_hal_forms,
)
def check_templates_object(exchange: Exchange) -> Iterator[Fault]:
    for where, resource in resources(exchange.response.document):
        if '_templates' in resource and not isinstance(resource['_templates'], dict):
            yield Fault(where + '/_templates', 'is not an object')


@RULES.must(
    'HF-TEMPLATE-OBJECT',
    SPECIFICATION,
    'The _templates Collection',
    'Every template is an object.',
    is_hal_forms,
)
def check_template_object(exchange: Exchange) -> Iterator[Fault]:
    for where, _, value in all_templates(exchange):
        if not isinstance(value, dict):
            yield Fault(where, 'is not an object')


@RULES.must(
    'HF-KEY-DEFAULT',
    SPECIFICATION,
    'The _templates Collection, key',
    'If there is only one template, its key is "default".',
    is_hal_forms,
)
def check_key_default(exchange: Exchange) -> Iterator[Fault]:
    # "For exactly one element in the collection the key value MUST be set to default": editions differ about
    # several templates, but not about a single one.
    for where, resource in resources(exchange.response.document):
        keys = [key for key, _ in members(resource.get('_templates'))]
        if len(keys) == 1 and keys != ['default']:
            yield Fault(where + '/_templates', f'the only template is {keys[0]}')


@RULES.must(
    'HF-METHOD',
    SPECIFICATION,
    'The _templates Collection, method',
    'Every template has a method.',
    is_hal_forms,
)
def check_method(exchange: Exchange) -> Iterator[Fault]:
    for template in templates(exchange):
        method = template.value.get('method')
        if not isinstance(method, str) or not TOKEN.fullmatch(method):
            yield Fault(template.where, 'has no method')


@RULES.must(
    'HF-TARGET', SPECIFICATION, 'The _templates Collection, target', '`target` is a URL.', is_hal_forms
)
def check_target(exchange: Exchange) -> Iterator[Fault]:
    for template in templates(exchange):
        if 'target' in template.value and not is_uri_reference(template.value['target']):
            yield Fault(template.where + '/target', 'is not a URL')


@RULES.must(
    'HF-CONTENT-TYPE',
    SPECIFICATION,
    'The _templates Collection, contentType',
    '`contentType` is a media type.',
    is_hal_forms,
)
def check_content_type(exchange: Exchange) -> Iterator[Fault]:
    for template in templates(exchange):
        if 'contentType' in template.value and parse_media_type(template.value['contentType']) is None:
            yield Fault(template.where + '/contentType', 'is not a media type')


@RULES.should(
    'HF-CONTENT-TYPE-USUAL',
    SPECIFICATION,
    'The _templates Collection, contentType',
    '`contentType` is application/json or application/x-www-form-urlencoded.',
    is_hal_forms,
)
def check_content_type_usual(exchange: Exchange) -> Iterator[Fault]:
    usual = ('application/json', 'application/x-www-form-urlencoded', '')
    for template in templates(exchange):
        parsed = parse_media_type(template.value.get('contentType'))
        if parsed and parsed[0] not in usual:
            yield Fault(template.where + '/contentType', 'is another media type')


@RULES.must(
    'HF-TITLE', SPECIFICATION, 'The _templates Collection, title', '`title` is a string.', is_hal_forms
)
def check_title(exchange: Exchange) -> Iterator[Fault]:
    for template in templates(exchange):
        if not isinstance(template.value.get('title', ''), str):
            yield Fault(template.where + '/title', 'is not a string')


@RULES.must(
    'HF-PROPERTIES',
    SPECIFICATION,
    'The _templates Collection, properties',
    '`properties` is an array of objects.',
    is_hal_forms,
)
def check_properties(exchange: Exchange) -> Iterator[Fault]:
    for template in templates(exchange):
        if not isinstance(template.value.get('properties', []), list):
            yield Fault(template.where + '/properties', 'is not an array')
    for where, _, value in all_properties(exchange):
        if not isinstance(value, dict):
            yield Fault(where, 'is not an object')


@RULES.must('HF-NAME', SPECIFICATION, f'{CORE}, name', 'Every property has a name.', is_hal_forms)
def check_name(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        if not isinstance(one.value.get('name'), str) or not one.value['name']:
            yield Fault(one.where, 'has no name')


@RULES.should(
    'HF-NAME-UNIQUE', SPECIFICATION, f'{CORE}, name', 'The names in a form are unique.', is_hal_forms
)
def check_name_unique(exchange: Exchange) -> Iterator[Fault]:
    counts = Counter((one.template.where, str(one.value.get('name'))) for one in properties(exchange))
    for (where, name), count in counts.items():
        if count > 1:
            yield Fault(where + '/properties', f'{count} properties are named {name}')


@RULES.must('HF-PROMPT', SPECIFICATION, f'{CORE}, prompt', '`prompt` is a string.', is_hal_forms)
def check_prompt(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        if not isinstance(one.value.get('prompt', ''), str):
            yield Fault(one.where + '/prompt', 'is not a string')


@RULES.must(
    'HF-BOOLEANS', SPECIFICATION, CORE, '`readOnly`, `required` and `templated` are booleans.', is_hal_forms
)
def check_booleans(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        for name in BOOLEANS:
            if not isinstance(one.value.get(name, False), bool):
                yield Fault(one.where + pointer(name), 'is not a boolean')


@RULES.must('HF-VALUE', SPECIFICATION, f'{CORE}, value', '`value` is a string.', is_hal_forms)
def check_value(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        if not isinstance(one.value.get('value', ''), str):
            yield Fault(one.where + '/value', 'is not a string')


@RULES.must(
    'HF-VALUE-TEMPLATE',
    SPECIFICATION,
    f'{CORE}, templated',
    'A templated value is a URI Template.',
    is_hal_forms,
)
def check_value_template(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        if one.value.get('templated') is True and not is_template(str(one.value.get('value', ''))):
            yield Fault(one.where + '/value', 'is not a URI Template')


@RULES.must('HF-REGEX', SPECIFICATION, f'{CORE}, regex', '`regex` is a regular expression.', is_hal_forms)
def check_regex(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        regex = one.value.get('regex', '')
        if not isinstance(regex, str) or compiled(regex) is None:
            yield Fault(one.where + '/regex', 'cannot be parsed')


def compiled(regex: str) -> re.Pattern[str] | None:
    """Return the expression compiled, JavaScript's own escapes replaced; None if it is malformed."""
    try:
        return re.compile(re.sub(r'\\u\{[0-9A-Fa-f]+\}|\\[pP]\{[^}]*\}', 'x', regex))
    except re.error:
        return None


@RULES.must('HF-TYPE', SPECIFICATION, f'{ADDITIONAL}, type', '`type` is one of those listed.', is_hal_forms)
def check_type(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        if str(one.value.get('type', 'text')) not in TYPES:
            yield Fault(one.where + '/type', 'is not one of the types')


@RULES.must(
    'HF-LENGTHS',
    SPECIFICATION,
    f'{ADDITIONAL}, minLength, maxLength',
    '`minLength` and `maxLength` are integers of at least 0, and consistent.',
    is_hal_forms,
)
def check_lengths(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        lengths = [one.value[name] for name in ('minLength', 'maxLength') if name in one.value]
        if not all(is_integer(length) and length >= 0 for length in lengths):
            yield Fault(one.where, 'has a length that is not an integer of at least 0')
        elif lengths != sorted(lengths):
            yield Fault(one.where, 'has a minLength above its maxLength')


@RULES.must(
    'HF-BOUNDS',
    SPECIFICATION,
    f'{ADDITIONAL}, min, max',
    '`min` and `max` are numbers, and consistent.',
    is_hal_forms,
)
def check_bounds(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        bounds = [one.value[name] for name in ('min', 'max') if name in one.value]
        if not all(is_number(bound) for bound in bounds):
            yield Fault(one.where, 'has a bound that is not a number')
        elif bounds != sorted(bounds):
            yield Fault(one.where, 'has a min above its max')


@RULES.must('HF-STEP', SPECIFICATION, f'{ADDITIONAL}, step', '`step` is a number above 0.', is_hal_forms)
def check_step(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        step = one.value.get('step', 1)
        if not is_number(step) or step <= 0:
            yield Fault(one.where + '/step', 'is not a number above 0')


@RULES.must(
    'HF-ROWS-COLS',
    SPECIFICATION,
    f'{ADDITIONAL}, rows, cols',
    '`rows` and `cols` are positive integers.',
    is_hal_forms,
)
def check_rows_cols(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        for name in ('rows', 'cols'):
            if not is_integer(one.value.get(name, 1)) or one.value.get(name, 1) < 1:
                yield Fault(one.where + pointer(name), 'is not a positive integer')


@RULES.must(
    'HF-PLACEHOLDER', SPECIFICATION, f'{ADDITIONAL}, placeholder', '`placeholder` is a string.', is_hal_forms
)
def check_placeholder(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        if not isinstance(one.value.get('placeholder', ''), str):
            yield Fault(one.where + '/placeholder', 'is not a string')


@RULES.must(
    'HF-OPTIONS',
    SPECIFICATION,
    'The options Element, Additional Considerations',
    '`options` is an object with `inline` or `link`.',
    is_hal_forms,
)
def check_options(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        choice = one.value.get('options', {'inline': []})
        if not isinstance(choice, dict) or not {'inline', 'link'} & set(choice):
            yield Fault(one.where + '/options', 'has neither inline nor link')


@RULES.must(
    'HF-OPTIONS-INLINE',
    SPECIFICATION,
    'The options Element',
    'Inline options are strings, or objects with the fields for prompt and value.',
    is_hal_forms,
)
def check_options_inline(exchange: Exchange) -> Iterator[Fault]:
    for where, choice, _ in options(exchange):
        if 'inline' in choice and not isinstance(choice['inline'], list):
            yield Fault(where + '/inline', 'is not an array')
        for number, one in entries(choice.get('inline')):
            if not isinstance(one, str) and not (
                isinstance(one, dict) and choice.get('valueField', 'value') in one
            ):
                yield Fault(where + pointer('inline', number), 'is neither a string nor an option')


@RULES.must(
    'HF-OPTIONS-LINK', SPECIFICATION, 'The options Element', '`options.link` has an href.', is_hal_forms
)
def check_options_link(exchange: Exchange) -> Iterator[Fault]:
    for where, choice, _ in options(exchange):
        link = choice.get('link', {'href': ''})
        if not isinstance(link, dict) or not isinstance(link.get('href'), str):
            yield Fault(where + '/link', 'has no href')


@RULES.must(
    'HF-OPTIONS-SELECTED',
    SPECIFICATION,
    'The options Element',
    '`selectedValues` is an array of values that are among the options.',
    is_hal_forms,
)
def check_options_selected(exchange: Exchange) -> Iterator[Fault]:
    for where, choice, _ in options(exchange):
        selected = choice.get('selectedValues', [])
        if not isinstance(selected, list):
            yield Fault(where + '/selectedValues', 'is not an array')
        elif 'inline' in choice and not all(one in option_values(choice) for one in selected):
            yield Fault(where + '/selectedValues', 'has a value that is not an option')


@RULES.must(
    'HF-OPTIONS-ITEMS',
    SPECIFICATION,
    'The options Element, Multiple Return Values',
    '`minItems` and `maxItems` are integers of at least 0, and consistent.',
    is_hal_forms,
)
def check_options_items(exchange: Exchange) -> Iterator[Fault]:
    for where, choice, _ in options(exchange):
        counts = [choice[name] for name in ('minItems', 'maxItems') if name in choice]
        if not all(is_integer(count) and count >= 0 for count in counts) or counts != sorted(counts):
            yield Fault(where, 'has inconsistent minItems and maxItems')


@RULES.should(
    'HF-OPTIONS-REQUIRED',
    SPECIFICATION,
    'The options Element, Additional Considerations',
    '`required` and `options.minItems` do not contradict each other.',
    is_hal_forms,
)
def check_options_required(exchange: Exchange) -> Iterator[Fault]:
    for where, choice, one in options(exchange):
        if one.get('required') is True and choice.get('minItems') == 0:
            yield Fault(where, 'the property is required, and minItems is 0')


@RULES.should(
    'HF-PREFILLED',
    SPECIFICATION,
    CORE,
    'A prefilled value satisfies the constraints of its own form.',
    is_hal_forms,
)
def check_prefilled(exchange: Exchange) -> Iterator[Fault]:
    for one in properties(exchange):
        value = one.value.get('value')
        if isinstance(value, str) and value and one.value.get('templated') is not True:
            for broken in broken_constraints(one.value, value):
                yield Fault(one.where, f'its value violates its own {broken}')


def broken_constraints(stated: dict[str, Any], value: str) -> Iterator[str]:
    """Yield the names of a property's constraints that the value violates."""
    regex = stated.get('regex')
    expression = compiled(regex) if isinstance(regex, str) and regex and '\\p' not in regex else None
    if expression is not None and not expression.fullmatch(value):
        yield 'regex'
    if is_integer(stated.get('maxLength')) and len(value) > stated['maxLength']:
        yield 'maxLength'
    if is_integer(stated.get('minLength')) and len(value) < stated['minLength']:
        yield 'minLength'
    if stated.get('type') in ('number', 'range'):
        try:
            number = float(value)
        except ValueError:
            yield 'type'
            return
        if is_number(stated.get('max')) and number > stated['max']:
            yield 'max'
        if is_number(stated.get('min')) and number < stated['min']:
            yield 'min'


@RULES.should(
    'HF-TARGET-METHOD',
    SPECIFICATION,
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
    SPECIFICATION,
    'Encoding Request URLs',
    'A form whose method is GET succeeds when it is filled in within its rules.',
    for_purpose('form-get'),
)
def check_get(exchange: Exchange) -> Iterator[Fault]:
    if exchange.response.status >= 400 and exchange.response.status not in (401, 403, 429):
        yield Fault('status', f'the form {exchange.context["key"]} gets {exchange.response.status}')
