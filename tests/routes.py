"""All routes of the application, taken from falcon's router, and the methods of their resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.client import Client, href_of

STANDARD = ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')


def routes(app: Any) -> Iterator[tuple[str, Any]]:
    """Yield every URL template with its resource."""
    nodes = list(app._router._roots)
    while nodes:
        node = nodes.pop()
        nodes += node.children
        if node.resource is not None:
            yield node.uri_template.replace(':id}', '}'), node.resource


def methods_at(app: Any) -> dict[str, tuple[str, ...]]:
    """Return the standard methods of the resource at every URL template."""
    return {
        template: tuple(name for name in STANDARD if name in resource.operations)
        for template, resource in routes(app)
    }


def populate(ada: Client, bob: Client) -> dict[str, Any]:
    """Let Ada publish a post, create a store and follow Bob; return the variables of the URL templates."""
    me, other = ada.me().json, bob.me().json
    ada.put(href_of(ada.get(other['_links']['self']['href']).json, 'hc:follow'))
    post = ada.publish('Hello').json
    token = ada.follow('hc:tokens').items[0]
    store = ada.follow('hc:stores').submit('create', name='Looms')
    item = ada.get(store.href('hc:items')).submit('create', name='Shuttle', price='1.50').json
    return {
        'user_id': me['id'],
        'other_id': other['id'],
        'post_id': post['id'],
        'token_id': token['id'],
        'store_id': store.json['id'],
        'item_id': item['id'],
        'rel': 'users',
        'name': 'not-found',
    }


class World:
    """Ada and Bob after `populate`, and the values that it returned."""

    def __init__(self, ada: Client, bob: Client, values: dict[str, Any]) -> None:
        self.ada, self.bob, self.values = ada, bob, values

    def url(self, template: str) -> str:
        """Return the URL of a template with the values of this world."""
        return template.format_map(self.values)
