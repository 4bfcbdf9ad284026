"""The Cursor Pagination profile of JSON:API, for clients that request it in Accept."""

from collections.abc import Iterable
from typing import Any

from service.representation.document import Document
from service.representation.json_api import VERSION, json_api, json_api_errors
from service.representation.media_types import JSON_API, MediaType
from service.representation.problem import Problem

# The URL at which the profile is published, then other spellings that clients send.
PROFILES = tuple(
    f'{scheme}://jsonapi.org/profiles/ethanresnick/cursor-pagination{end}'
    for scheme in ('https', 'http')
    for end in ('/', '')
)
_ERRORS = PROFILES[0]


def requested_profile(ranges: Iterable[MediaType]) -> str | None:
    """Return the URL of the profile as the client spells it, or None if the client does not request it.

    `ranges` are those of JSON:API in Accept; the ones with the highest quality decide. Their parameter
    `profile` is a list of URLs; those of other profiles are ignored (JSON:API 1.1 §5.4, §6.3).
    """
    usable = [
        media_range for media_range in ranges if all(name == 'profile' for name, _ in media_range.parameters)
    ]
    best = max((media_range.quality for media_range in usable), default=0.0)
    preferred = (media_range for media_range in usable if media_range.quality == best > 0)
    urls = {url for media_range in preferred for _, value in media_range.parameters for url in value.split()}
    return next((profile for profile in PROFILES if profile in urls), None)


def profiled_type(profile: str) -> str:
    """Return the media type of documents to which the profile is applied."""
    return f'{JSON_API};profile="{profile}"'


def cursor_pagination(document: Document, profile: str) -> dict[str, Any]:
    """Return the document as JSON:API with the profile, whose URL is spelled as requested.

    Pages always have `prev` and `next`, null if there is no such page, and `meta.page.total`.
    """
    body = json_api(document) | {'jsonapi': {**VERSION, 'profile': [profile]}}
    if document.is_collection:
        _describe_page(body)
    data = body['data'] if document.is_collection else [body['data']]
    for resource in (*data, *body.get('included', ())):
        if isinstance(resource, dict):  # a Fragment, which a Template rendered, contains no pages
            for relationship in resource.get('relationships', {}).values():
                if 'first' in relationship.get('links', {}):
                    _describe_page(relationship)
    return body


def cursor_pagination_errors(problem: Problem, profile: str) -> dict[str, Any]:
    """Return the problem as JSON:API errors, with the type that the profile defines for it, if any."""
    body = json_api_errors(problem) | {'jsonapi': {**VERSION, 'profile': [profile]}}
    if problem.pagination_error is not None:
        for error in body['errors']:
            error['links'] = {'type': _ERRORS + problem.pagination_error}
    return body


def _describe_page(page: dict[str, Any]) -> None:
    page['links'] = {'prev': None, 'next': None} | page['links']
    page['meta'] |= {'page': {'total': page['meta']['total_items']}}
