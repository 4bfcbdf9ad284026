"""The documentation page's content: the operations of an OpenAPI document, prepared for the template."""

import json
import shlex
from typing import Any, NamedTuple

from service.representation.media_types import HAL, HTML, JSON

_PLACES = ('path', 'query', 'header')  # of parameters, in the order of the page
_DERIVED = frozenset(('head', 'options'))  # the same for every resource, so they are omitted


class Entry(NamedTuple):
    """One operation with its rules, and examples of its request and response.

    `members` are the schemas of the members of its body. `page` is the URL of a page with the response, empty
    if there is none, or if its URL has variables.
    """

    method: str
    path: str
    operation: dict[str, Any]
    parameters: list[dict[str, Any]]
    members: dict[str, Any]
    required: list[str]
    curl: str
    page: str
    response: str
    responses: dict[str, str]


def component(value: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    """Return the component that a Reference Object references, or the value if it is not a reference."""
    if '$ref' not in value:
        return value
    section, name = value['$ref'].split('/')[-2:]
    referenced: dict[str, Any] = description['components'][section][name]
    return referenced


def entries_by_tag(description: dict[str, Any]) -> dict[str, list[Entry]]:
    """Return the operations in the order of the description's tags and paths, without HEAD and OPTIONS."""
    groups: dict[str, list[Entry]] = {tag['name']: [] for tag in description['tags']}
    for path, item in description['paths'].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and method not in _DERIVED:
                references = [*item.get('parameters', ()), *operation.get('parameters', ())]
                entry = _entry(path, method, operation, references, description)
                groups[operation['tags'][0]].append(entry)
    return groups


def _entry(
    path: str,
    method: str,
    operation: dict[str, Any],
    references: list[dict[str, Any]],
    description: dict[str, Any],
) -> Entry:
    parameters = [component(reference, description) for reference in references]
    parameters.sort(key=lambda parameter: _PLACES.index(parameter['in']))
    content = operation.get('requestBody', {}).get('content', {})
    schema = component(content[JSON]['schema'], description) if JSON in content else {}
    responses = {
        status: component(response, description).get('description', '')
        for status, response in operation['responses'].items()
    }
    return Entry(
        method,
        path,
        operation,
        parameters,
        schema.get('properties', {}),
        schema.get('required', []),
        _curl(path, method, operation, parameters, _example(content.get(JSON), description), description),
        _page(path, method, operation, description),
        _response(operation, description),
        responses,
    )


def _example(content: dict[str, Any] | None, description: dict[str, Any]) -> Any:
    """Return the example of a Media Type Object, or else that of its schema; None without one."""
    if not content:
        return None
    if 'example' in content:
        return content['example']
    examples = component(content['schema'], description).get('examples', [None])
    return examples[0]


def _curl(
    path: str,
    method: str,
    operation: dict[str, Any],
    parameters: list[dict[str, Any]],
    body: Any,
    description: dict[str, Any],
) -> str:
    for parameter in parameters:
        if parameter['in'] == 'path':
            name = parameter['name']
            value = parameter.get('example', f'${name.upper()}')
            path = path.replace(f'{{{name}}}', str(value))
    words = ['curl', *(['-X', method.upper()] if method != 'get' else [])]
    url = description['servers'][0]['url'] + path
    words.append(f'"{url}"')  # the shell expands variables, but not the brackets of an IPv6 address
    lines = [' '.join(words)]
    if operation.get('security') and {} not in operation['security']:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if body is not None:
        lines += ["-H 'Content-Type: application/json'", f'-d {shlex.quote(json.dumps(body))}']
    return ' \\\n  '.join(lines)


def _page(path: str, method: str, operation: dict[str, Any], description: dict[str, Any]) -> str:
    success = component(operation['responses'].get('200', {}), description)
    is_page = method == 'get' and '{' not in path and HTML in success.get('content', {})
    return f'{description["servers"][0]["url"]}{path}' if is_page else ''


def _response(operation: dict[str, Any], description: dict[str, Any]) -> str:
    """Return the example of the first successful response, in HAL if available."""
    for status, reference in operation['responses'].items():
        content = component(reference, description).get('content', {})
        media_type = next((name for name in (HAL, JSON, *content) if name in content), None)
        if status < '300' and media_type is not None:
            example = _example(content[media_type], description)
            if isinstance(example, dict):
                return f'{status}  {media_type}\n\n{json.dumps(example, indent=1, ensure_ascii=False)}'
    return ''
