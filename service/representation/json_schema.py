"""JSON Schemas (draft 2020-12) of the bodies that Actions read, and of the members of documents."""

import re
from typing import Any

from service.representation.action import TEXT, Action, Field
from service.representation.kind import Member

Schema = dict[str, Any]

NO_CONTROL_CHARACTERS = r'^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$'
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00', re.ASCII)


def schema_of_member(member: Member) -> Schema:
    """Return the schema of the values that a member of a document has."""
    sentences = filter(None, (member.description, member.presence.value))
    schema: Schema = {
        'type': [member.type, 'null'] if member.nullable else member.type,
        'description': ' '.join(sentences),
    }
    return schema | ({'format': member.format} if member.format else {})


def schema_of_action(action: Action) -> Schema:
    """Return the schema of a body that the Action reads; unknown members are ignored."""
    schema: Schema = {
        'type': 'object',
        'properties': {field.name: schema_of_field(field) for field in action.fields},
    }
    required = [field.name for field in action.fields if field.required]
    return schema | ({'required': required} if required else {})


def schema_of_resource(attributes: Schema, kind: str, *, is_new: bool, is_optional: bool) -> Schema:
    """Return the schema of a JSON:API body: a resource object with these attributes (§9.1, §9.2).

    The attributes may be absent if `is_optional`.
    """
    members: Schema = {'type': {'const': kind}, 'attributes': attributes}
    if not is_new:
        members['id'] = {'type': 'string', 'description': 'The id in the URL.'}
    required = ['type', *([] if is_optional else ['attributes']), *([] if is_new else ['id'])]
    data: Schema = {'type': 'object', 'properties': members, 'required': required}
    if is_new:
        data['not'] = {'required': ['id']}
    return {'type': 'object', 'properties': {'data': data}, 'required': ['data']}


def schema_of_linkage(kind: str) -> Schema:
    """Return the schema of a JSON:API body of resource identifiers of a kind (§9.3.2)."""
    identifier = {
        'type': 'object',
        'properties': {'type': {'const': kind}, 'id': {'type': 'string'}},
        'required': ['type', 'id'],
    }
    data = {'type': 'array', 'items': identifier}
    return {'type': 'object', 'properties': {'data': data}, 'required': ['data']}


def schema_of_field(field: Field) -> Schema:
    """Return the schema of the field's values; rules for which there is no keyword are in its description."""
    return _schema_of_number(field) if field.type == 'number' else _schema_of_text(field)


def _schema_of_number(field: Field) -> Schema:
    """Return the schema of a decimal number, which may be a string so that it is exact."""
    minimum, maximum, step = field.bounds
    digits, places = len(str(int(maximum))), -int(step.as_tuple().exponent)
    whole, fraction = rf'0*[0-9]{{1,{digits}}}', rf'\.[0-9]{{1,{places}}}0*'
    positive = rf'^0*([1-9][0-9]{{0,{digits - 2}}}|{maximum})$'  # numbers with fewer digits than the maximum
    pattern = rf'^({whole}({fraction})?|{fraction})$' if places else positive
    text = {'type': 'string', 'pattern': pattern}
    number = {
        'type': 'number',
        'minimum': float(minimum),
        'maximum': float(maximum),
        'multipleOf': float(step),
    }
    description = f'A number from {minimum} to {maximum}, in steps of {step}.'
    return {'title': field.prompt, 'description': description, 'anyOf': [text, number]}


def _schema_of_text(field: Field) -> Schema:
    rules: Schema = {
        'type': ['string', 'null'] if field.nullable else 'string',
        'title': field.prompt,
        'minLength': field.min_length or None,
        'maxLength': field.max_length,
        'pattern': field.regex or NO_CONTROL_CHARACTERS,
        'format': 'password' if field.type == 'password' else None,
        'description': _in_words(field) or None,
        'enum': list(field.options) or None,
    }
    if field.regex not in (None, TEXT):
        rules['allOf'] = [{'pattern': NO_CONTROL_CHARACTERS}]
    if field.type == 'password':
        rules['writeOnly'] = True
    return {name: value for name, value in rules.items() if value is not None}


def _in_words(field: Field) -> str:
    words = [f'It {field.rule}.'] if field.rule else []
    if field.trim:
        words.append('Leading and trailing white space is removed.')
    return ' '.join(words)
