"""The routes of an application and the methods of their resources, and data at every URL."""

from __future__ import annotations

import re
from typing import Any

from falcon.inspect import inspect_routes

from service.app import make_routes
from tests.client import Client, href_of

STANDARD_METHODS = ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')


def routes(app: Any) -> list[tuple[str, Any]]:
    """Return every URL template of the application with a resource like its own."""
    templates = {re.sub(r':id(?=})', '', route.path) for route in inspect_routes(app)}
    routes = [
        (template, resource) for template, resource in make_routes(has_mail=True) if template in templates
    ]
    assert {template for template, _ in routes} == templates
    return routes


def methods_at(app: Any) -> dict[str, tuple[str, ...]]:
    """Return the methods that every URL template supports, except HEAD, OPTIONS and QUERY."""
    return {
        template: tuple(name for name in STANDARD_METHODS if name in resource.operations)
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
    """Ada and Bob after `populate`, and the values of the variables of URL templates."""

    def __init__(self, ada: Client, bob: Client, values: dict[str, Any]) -> None:
        self.ada, self.bob, self.values = ada, bob, values

    def url(self, template: str) -> str:
        """Return the path of a template with these values."""
        return template.format_map(self.values)
