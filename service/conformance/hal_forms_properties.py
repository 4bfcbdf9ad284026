"""Rules of HAL-FORMS about properties: names, constraints, options, prefilled values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from service.conformance.checks import is_a, requires_valid_members
from service.conformance.exchange import Exchange, entries, pointer
from service.conformance.hal_forms import (
    SPECIFICATION,
    is_hal_forms,
    options,
    properties,
)
from service.conformance.rules import Fault, Rules
from service.conformance.syntax import is_template

CORE, ADDITIONAL = 'Core property Attributes', 'Additional property Attributes'
TYPES = frozenset((
    'hidden', 'text', 'textarea', 'search', 'tel', 'url', 'email', 'password', 'date', 'month', 'week',
    'time', 'datetime-local', 'number', 'range', 'color', 'checkbox', 'radio',
))  # fmt: skip
BOOLEANS = ('readOnly', 'required', 'templated')

RULES = Rules('hal-forms', SPECIFICATION, is_hal_forms)


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_regex(value: Any) -> bool:
    return isinstance(value, str) and compiled(value) is not None


def compiled(regex: str) -> re.Pattern[str] | None:
    """Return the expression compiled, JavaScript's own escapes replaced; None if it is malformed."""
    try:
        return re.compile(re.sub(r'\\u\{[0-9A-Fa-f]+\}|\\[pP]\{[^}]*\}', 'x', regex))
    except re.error:
        return None


def option_values(choice: dict[str, Any]) -> list[Any]:
    """Return the values of inline options."""
    field = choice.get('valueField', 'value')
    return [
        option.get(field) if isinstance(option, dict) else option
        for _, option in entries(choice.get('inline'))
    ]


@RULES.must('HF-NAME', f'{CORE}, name', 'Every property has a name.')
def check_name(exchange: Exchange) -> Iterator[Fault]:
    for field in properties(exchange):
        if not isinstance(field.value.get('name'), str) or not field.value['name']:
            yield Fault(field.where, 'has no name')


@RULES.should('HF-NAME-UNIQUE', f'{CORE}, name', 'The names in a form are unique.')
def check_name_unique(exchange: Exchange) -> Iterator[Fault]:
    counts = Counter((field.template.where, str(field.value.get('name'))) for field in properties(exchange))
    for (where, name), count in counts.items():
        if count > 1:
            yield Fault(where + '/properties', f'{count} properties are named {name}')


RULES.must('HF-PROMPT', f'{CORE}, prompt', '`prompt` is a string.')(
    requires_valid_members(properties, is_a(str), 'is not a string', 'prompt')
)
RULES.must('HF-BOOLEANS', CORE, '`readOnly`, `required` and `templated` are booleans.')(
    requires_valid_members(properties, is_a(bool), 'is not a boolean', 'readOnly', 'required', 'templated')
)
RULES.must('HF-VALUE', f'{CORE}, value', '`value` is a string.')(
    requires_valid_members(properties, is_a(str), 'is not a string', 'value')
)


@RULES.must('HF-VALUE-TEMPLATE', f'{CORE}, templated', 'A templated value is a URI Template.')
def check_value_template(exchange: Exchange) -> Iterator[Fault]:
    for field in properties(exchange):
        if field.value.get('templated') is True and not is_template(str(field.value.get('value', ''))):
            yield Fault(field.where + '/value', 'is not a URI Template')


RULES.must('HF-REGEX', f'{CORE}, regex', '`regex` is a regular expression.')(
    requires_valid_members(properties, is_regex, 'cannot be parsed', 'regex')
)
RULES.must('HF-TYPE', f'{ADDITIONAL}, type', '`type` is one of those listed.')(
    requires_valid_members(properties, lambda value: str(value) in TYPES, 'is not one of the types', 'type')
)


@RULES.must(
    'HF-LENGTHS',
    f'{ADDITIONAL}, minLength, maxLength',
    '`minLength` and `maxLength` are integers of at least 0, and consistent.',
)
def check_lengths(exchange: Exchange) -> Iterator[Fault]:
    for field in properties(exchange):
        lengths = [field.value[name] for name in ('minLength', 'maxLength') if name in field.value]
        if not all(is_integer(length) and length >= 0 for length in lengths):
            yield Fault(field.where, 'has a length that is not an integer of at least 0')
        elif lengths != sorted(lengths):
            yield Fault(field.where, 'has a minLength above its maxLength')


@RULES.must('HF-BOUNDS', f'{ADDITIONAL}, min, max', '`min` and `max` are numbers, and consistent.')
def check_bounds(exchange: Exchange) -> Iterator[Fault]:
    for field in properties(exchange):
        bounds = [field.value[name] for name in ('min', 'max') if name in field.value]
        if not all(is_number(bound) for bound in bounds):
            yield Fault(field.where, 'has a bound that is not a number')
        elif bounds != sorted(bounds):
            yield Fault(field.where, 'has a min above its max')


RULES.must('HF-STEP', f'{ADDITIONAL}, step', '`step` is a number above 0.')(
    requires_valid_members(
        properties, lambda value: is_number(value) and value > 0, 'is not a number above 0', 'step'
    )
)
RULES.must('HF-ROWS-COLS', f'{ADDITIONAL}, rows, cols', '`rows` and `cols` are positive integers.')(
    requires_valid_members(
        properties, lambda value: is_integer(value) and value > 0, 'is not a positive integer', 'rows', 'cols'
    )
)
RULES.must('HF-PLACEHOLDER', f'{ADDITIONAL}, placeholder', '`placeholder` is a string.')(
    requires_valid_members(properties, is_a(str), 'is not a string', 'placeholder')
)
RULES.must(
    'HF-OPTIONS',
    'The options Element, Additional Considerations',
    '`options` is an object with `inline` or `link`.',
)(
    requires_valid_members(
        properties,
        lambda value: isinstance(value, dict) and {'inline', 'link'} & set(value),
        'has neither inline nor link',
        'options',
    )
)


@RULES.must(
    'HF-OPTIONS-INLINE',
    'The options Element',
    'Inline options are strings, or objects with the fields for prompt and value.',
)
def check_options_inline(exchange: Exchange) -> Iterator[Fault]:
    for where, _, choice in options(exchange):
        if 'inline' in choice and not isinstance(choice['inline'], list):
            yield Fault(where + '/inline', 'is not an array')
        for number, option in entries(choice.get('inline')):
            if not isinstance(option, str) and not (
                isinstance(option, dict) and choice.get('valueField', 'value') in option
            ):
                yield Fault(where + pointer('inline', number), 'is neither a string nor an option')


RULES.must('HF-OPTIONS-LINK', 'The options Element', '`options.link` has an href.')(
    requires_valid_members(
        options,
        lambda link: isinstance(link, dict) and isinstance(link.get('href'), str),
        'has no href',
        'link',
    )
)


@RULES.must(
    'HF-OPTIONS-SELECTED',
    'The options Element',
    '`selectedValues` is an array of values that are among the options.',
)
def check_options_selected(exchange: Exchange) -> Iterator[Fault]:
    for where, _, choice in options(exchange):
        selected = choice.get('selectedValues', [])
        if not isinstance(selected, list):
            yield Fault(where + '/selectedValues', 'is not an array')
        elif 'inline' in choice and not all(value in option_values(choice) for value in selected):
            yield Fault(where + '/selectedValues', 'has a value that is not an option')


@RULES.must(
    'HF-OPTIONS-ITEMS',
    'The options Element, Multiple Return Values',
    '`minItems` and `maxItems` are integers of at least 0, and consistent.',
)
def check_options_items(exchange: Exchange) -> Iterator[Fault]:
    for where, _, choice in options(exchange):
        counts = [choice[name] for name in ('minItems', 'maxItems') if name in choice]
        if not all(is_integer(count) and count >= 0 for count in counts) or counts != sorted(counts):
            yield Fault(where, 'has inconsistent minItems and maxItems')


@RULES.should(
    'HF-OPTIONS-REQUIRED',
    'The options Element, Additional Considerations',
    '`required` and `options.minItems` do not contradict each other.',
)
def check_options_required(exchange: Exchange) -> Iterator[Fault]:
    for where, field, choice in options(exchange):
        if field.value.get('required') is True and choice.get('minItems') == 0:
            yield Fault(where, 'the property is required, and minItems is 0')


@RULES.should('HF-PREFILLED', CORE, 'A prefilled value satisfies the constraints of its own form.')
def check_prefilled(exchange: Exchange) -> Iterator[Fault]:
    for field in properties(exchange):
        value = field.value.get('value')
        if isinstance(value, str) and value and field.value.get('templated') is not True:
            for broken in broken_constraints(field.value, value):
                yield Fault(field.where, f'its value violates its own {broken}')


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
