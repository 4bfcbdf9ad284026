"""Rules of JSON:API 1.1 about error objects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.conformance.checks import is_a, requires_valid, requires_valid_members
from service.conformance.exchange import Exchange, Located, members
from service.conformance.json_api import (
    ERROR_MEMBERS,
    SPECIFICATION,
    error_objects,
    is_error,
    requires_defined,
    top,
    undefined_members,
)
from service.conformance.rules import Fault, Rules
from service.conformance.syntax import is_json_pointer

RULES = Rules('json-api', SPECIFICATION, is_error)


@RULES.must('JA-ERRORS-ARRAY', '#error-objects', '`errors` is an array of objects.')
def check_errors_array(exchange: Exchange) -> Iterator[Fault]:
    value = top(exchange).get('errors', [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        yield Fault('/errors', 'is not an array of objects')


@RULES.should('JA-ERRORS-USED', '#errors-processing', 'A failure is described by error objects.')
def check_errors_used(exchange: Exchange) -> Iterator[Fault]:
    if not top(exchange).get('errors'):
        yield Fault('', 'has no errors')


RULES.must('JA-ERROR-MEMBER', '#error-objects', 'An error object has at least one of its members.')(
    requires_valid(error_objects, lambda value: ERROR_MEMBERS & set(value), 'has none of them')
)
RULES.must('JA-ERROR-UNDEFINED', '#document-structure', 'An error object has no undefined members.')(
    requires_defined(error_objects, ERROR_MEMBERS)
)


@RULES.must('JA-ERROR-STATUS', '#error-objects', 'The status of an error is an HTTP status as a string.')
def check_error_status(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        if 'status' in value and not re.fullmatch(r'[45]\d\d', str(value['status'])):
            yield Fault(where + '/status', 'is not an HTTP status')
        elif not isinstance(value.get('status', ''), str):
            yield Fault(where + '/status', 'is not a string')


@RULES.should(
    'JA-ERROR-STATUS-SAME', '#errors-processing', 'If all errors have the same status, so has the response.'
)
def check_error_status_same(exchange: Exchange) -> Iterator[Fault]:
    statuses = {str(value['status']) for _, value in error_objects(exchange) if 'status' in value}
    if len(statuses) == 1 and statuses != {str(exchange.response.status)}:
        yield Fault('status', f'the errors say {statuses.pop()}')


RULES.must('JA-ERROR-TEXT', '#error-objects', '`id`, `code`, `title` and `detail` of an error are strings.')(
    requires_valid_members(error_objects, is_a(str), 'is not a string', 'id', 'code', 'title', 'detail')
)


@RULES.must('JA-ERROR-LINKS', '#error-objects', 'The only links of an error are about and type.')
def check_error_links(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        yield from undefined_members(Located(where + '/links', value.get('links')), {'about', 'type'})


@RULES.must('JA-ERROR-SOURCE', '#error-objects', '`source` is an object of pointer, parameter and header.')
def check_error_source(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        source = value.get('source', {})
        if not isinstance(source, dict):
            yield Fault(where + '/source', 'is not an object')
        yield from undefined_members(Located(where + '/source', source), {'pointer', 'parameter', 'header'})


@RULES.must('JA-ERROR-POINTER', '#error-objects', '`source.pointer` is a JSON Pointer.')
def check_error_pointer(exchange: Exchange) -> Iterator[Fault]:
    for where, value in error_objects(exchange):
        for name, reference in members(value.get('source')):
            if name == 'pointer' and not is_json_pointer(reference):
                yield Fault(where + '/source/pointer', 'is not a JSON Pointer')
