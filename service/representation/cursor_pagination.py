"""The Cursor Pagination profile of JSON:API, for clients that request it in Accept."""

from typing import Any

from service.representation.document import Document
from service.representation.json_api import VERSION, json_api, json_api_errors
from service.representation.media_types import JSON_API, MediaType
from service.representation.problem import Problem

PROFILE = 'http://jsonapi.org/profiles/ethanresnick/cursor-pagination/'
CURSOR_PAGINATION_TYPE = f'{JSON_API};profile="{PROFILE}"'
_APPLIED = {**VERSION, 'profile': [PROFILE]}


def requests_profile(media_range: MediaType) -> bool:
    """Return whether the media range has this URL in its parameter `profile` (JSON:API 1.1 §5.4)."""
    profiles = (value.split() for name, value in media_range.parameters if name == 'profile')
    return media_range.name == JSON_API and any(PROFILE in urls for urls in profiles)


def cursor_pagination(document: Document) -> dict[str, Any]:
    """Return the document as JSON:API with the profile.

    Pages always have `prev` and `next`, null if there is no such page, and `meta.page.total`.
    """
    body = json_api(document) | {'jsonapi': _APPLIED}
    if document.is_collection:
        _describe_page(body)
    data = body['data'] if document.is_collection else [body['data']]
    for resource in (*data, *body.get('included', ())):
        if isinstance(resource, dict):  # a Fragment, rendered by a Template, has no pages in it
            for relationship in resource.get('relationships', {}).values():
                if 'first' in relationship.get('links', {}):
                    _describe_page(relationship)
    return body


def cursor_pagination_errors(problem: Problem) -> dict[str, Any]:
    """Return the problem as JSON:API errors, with the type that the profile defines for it, if any."""
    body = json_api_errors(problem) | {'jsonapi': _APPLIED}
    if problem.pagination_error is not None:
        for error in body['errors']:
            error['links'] = {'type': PROFILE + problem.pagination_error}
    return body


def _describe_page(page: dict[str, Any]) -> None:
    page['links'] = {'prev': None, 'next': None} | page['links']
    page['meta'] |= {'page': {'total': page['meta']['total_items']}}
