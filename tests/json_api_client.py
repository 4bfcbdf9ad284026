"""A generic JSON:API client, which knows `/api`, resource objects and relationships."""

from __future__ import annotations

import json
from typing import Any

from tests.client import JSON_API, ApiResponse, Client

Resource = dict[str, Any]


class JsonApiClient:
    """A JSON:API client with the token of another client."""

    def __init__(self, client: Client) -> None:
        self.client = Client(client.app, client.token, accept=JSON_API)

    def send(
        self,
        method: str,
        href: str,
        data: Any = None,
        *,
        body: Any = None,
        accept: str = JSON_API,
        **headers: str,
    ) -> ApiResponse:
        """Send a document with this primary data, or with this body, to a URL."""
        all_headers = {'Content-Type': JSON_API} | {
            name.replace('_', '-'): value for name, value in headers.items()
        }
        text = json.dumps({'data': data} if body is None else body)
        return self.client.request(method, href, accept=accept, headers=all_headers, body=text)

    def get(self, href: str, **options: Any) -> ApiResponse:
        return self.client.get(href, **options)

    def delete(self, href: str, **options: Any) -> ApiResponse:
        return self.client.delete(href, **options)

    def get_related(self, *names: str, query: str = '') -> ApiResponse:
        """Get the related resources at the end of a path of relationships from the entry point."""
        response = self.get('/api')
        for name in names[:-1]:
            response = self.get(related_url(response.json['data'], name))
        return self.get(related_url(response.json['data'], names[-1]) + query)

    def me(self, query: str = '') -> ApiResponse:
        return self.get_related('me', query=query)

    def create(self, href: str, kind: str, **attributes: Any) -> ApiResponse:
        return self.send('POST', href, {'type': kind, 'attributes': attributes})

    def publish(self, body: str) -> Resource:
        """Publish a post and return it."""
        url = related_url(self.get('/api').json['data'], 'posts')
        response = self.create(url, 'posts', body=body)
        assert response.status == 201, response.text
        post: Resource = response.json['data']
        return post

    def change(self, resource: Resource, **attributes: Any) -> ApiResponse:
        """Change attributes of the resource at its URL."""
        return self.send(
            'PATCH', resource['links']['self'], identifier_of(resource) | {'attributes': attributes}
        )


def related_url(resource: Resource, name: str) -> str:
    """Return the URL of the related resources."""
    href: str = resource['relationships'][name]['links']['related']
    return href


def relationship_url(resource: Resource, name: str) -> str:
    """Return the URL of a relationship, where its linkage can be read and changed."""
    href: str = resource['relationships'][name]['links']['self']
    return href


def meta_link_url(resource: Resource, name: str) -> str:
    """Return the URL of a link in the meta object of a resource."""
    href: str = resource['meta']['links'][name]['href']
    return href


def identifier_of(resource: Resource) -> Resource:
    """Return the resource identifier object of a resource."""
    return {'type': resource['type'], 'id': resource['id']}


def assert_rejected(response: ApiResponse, status: int, *sources: str) -> None:
    """Assert that the response has JSON:API errors with the status and exactly these sources."""
    assert response.status == status, response.text
    assert response.content_type == JSON_API
    errors = response.json['errors']
    assert all(error['status'] == str(status) and error['title'] and error['detail'] for error in errors)
    actual_sources = [source for error in errors for source in error.get('source', {}).values()]
    assert actual_sources == list(sources)
