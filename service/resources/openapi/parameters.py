"""Request parameters: in the path, in the query and in headers."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from service.database.ids import MAX_ID
from service.http.idempotency import KEY
from service.representation.formats import FORMATS
from service.representation.json_schema import Schema, schema_of_field
from service.representation.kind import Kind
from service.representation.query_parameters import QueryOptions
from service.resources.openapi.components import Components
from service.resources.openapi.endpoints import Endpoint
from service.resources.openapi.samples import SampleDocuments

_TEXT: Schema = {'type': 'string'}
_ID: Schema = {'type': 'integer', 'format': 'int64', 'minimum': 1, 'maximum': MAX_ID}
_VARIABLES = {
    'other_id': 'The id of the other user.',
    'rel': 'The name of a link relation of this API, without its prefix.',
    'name': 'The name of a problem type.',
    'secret': 'The secret in the link of an email.',
}
PRECONDITIONS = ('If-Match', 'If-None-Match')  # of every operation
_HEADERS: dict[str, tuple[str, Schema]] = {
    'If-Match': ('Handle the request only if one of these entity tags is current.', _TEXT),
    'If-None-Match': ('Handle the request only if none of these entity tags is current.', _TEXT),
    'Prefer': ('`return=minimal` omits the content of the response (RFC 7240 §4.2).', _TEXT),
    'Idempotency-Key': (
        'Identifies this request: repeated with the same key, it takes effect only once.',
        {'type': 'string', 'pattern': KEY},
    ),
}
# The descriptions of query parameters, by a pattern that their names match.
_DESCRIPTIONS = {
    r'page|page\[number\]': 'The number of the page, from 1.',
    r'per_page|page\[size\]': 'The maximum number of entries of a page: 10 by default, at most 100.',
    r'page\[after\]': 'The cursor after which the page starts, from a `next` link.',
    r'page\[before\]': 'The cursor before which the page ends, from a `prev` or `last` link.',
    r'sort': 'The members to sort by, with `-` for descending order.',
    r'include': 'The relationships whose resources are included, separated by commas.',
    r'filter\[id\]': 'Only the entries with these ids, separated by commas.',
    r'filter\[q\]|q': 'Only entries whose name starts with this text, ignoring case.',
    r'filter\[(.+)\]': 'Only entries with this `{}`.',
    r'fields\[(.+)\]': 'The attributes and relationships of `{}` to return, separated by commas.',
}


def path_parameters(
    endpoint: Endpoint, samples: SampleDocuments, components: Components
) -> list[dict[str, str]]:
    """Return the parameters in the path, with values from the samples."""
    return [
        components.refer(
            'parameters',
            name,
            {
                'name': name,
                'in': 'path',
                'required': True,
                'description': _VARIABLES.get(name) or f'The id of the {name.removesuffix("_id")}.',
                'schema': _ID if name.endswith('_id') else _TEXT,
                'example': samples.variables[name],
            },
        )
        for name in endpoint.variables
    ]


def query_parameters(
    endpoint: Endpoint, samples: SampleDocuments, components: Components
) -> list[dict[str, str]]:
    """Return the query parameters; `x-media-types` lists the formats of one that is not in all of them."""
    options = endpoint.operation.query
    if not endpoint.document_formats:
        return []
    kinds = _kinds_in(options, samples.kinds)
    schemas: dict[str, Schema] = {}
    media_types: dict[str, list[str]] = {}
    for format in FORMATS.values():
        for name, schema in format.dialect.parameters(options, kinds).items():
            schemas.setdefault(name, schema)
            media_types.setdefault(name, []).append(format.media_type)
    form = endpoint.operation.form if endpoint.method == 'GET' else None
    schemas |= {field.name: schema_of_field(field) for field in (form.fields if form else ())}
    return [
        components.refer(
            'parameters',
            _component_name(name, options.kind),
            _query_parameter(
                name,
                components.refer('schemas', 'Fields', schema) if name.startswith('fields[') else schema,
                media_types[name],
            ),
        )
        for name, schema in schemas.items()
        if endpoint.document_formats & set(media_types[name])
    ]


def _kinds_in(options: QueryOptions, kinds: Mapping[str, Kind]) -> dict[str, dict[str, str]]:
    """Return the kinds of a document, of what it embeds, and of what can be included with it at any depth.

    Each maps the relations whose documents can be included to the kinds of these documents.
    """
    relations_of: dict[str, dict[str, str]] = {}
    waiting = [options.kind]
    while waiting:
        kind = kinds[waiting.pop()]
        if kind.name not in relations_of:
            relations_of[kind.name] = dict(kind.relationships)
            waiting += kind.embedded.values()
            waiting += relations_of[kind.name].values() if options.can_include else ()
    return relations_of


def _component_name(name: str, kind: str) -> str:
    """Return the component name of the parameter, which begins with the kind if it depends on the kind."""
    plain = name.replace('[', '.').replace(']', '')
    return f'{kind}.{plain}' if re.fullmatch(r'sort|include|q|filter\..+', plain) else plain


def _query_parameter(name: str, schema: Schema, media_types: list[str]) -> dict[str, Any]:
    """Return the Parameter Object (OpenAPI 3.1 §4.8.12)."""
    matches = ((re.fullmatch(pattern, name), text) for pattern, text in _DESCRIPTIONS.items())
    description = next(text.format(*match.groups()) for match, text in matches if match)
    parameter = {'name': name, 'in': 'query', 'description': description, 'schema': schema}
    return parameter | ({} if len(media_types) == len(FORMATS) else {'x-media-types': media_types})


def header_parameters(names: Iterable[str], components: Components) -> list[dict[str, str]]:
    """Return the header parameters with these names."""
    return [
        components.refer(
            'parameters',
            name,
            {'name': name, 'in': 'header', 'description': description, 'schema': schema},
        )
        for name in names
        for description, schema in (_HEADERS[name],)
    ]
