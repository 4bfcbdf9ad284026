"""Unsafe requests: forms, and the creation, change and deletion of resources.

Only resources that the kit has created are changed or deleted. A signed-in client does not write to resources
that are named like sign-ins, because a new token may replace the one that it uses. The rules are in
writes.py.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from service.conformance.client import BudgetSpent, Client
from service.conformance.exchange import HAL_FORMS, JSON_API, Exchange, Invalid, members
from service.conformance.filling import beyond, fill
from service.conformance.hal_forms import Template, is_hal_forms, templates
from service.conformance.json_api import is_json_api, is_resource, primary, top
from service.conformance.syntax import join
from service.conformance.transport import TransportError

MAX_FORMS = 5
SIGN_IN = re.compile(r'tokens?|sessions?|credentials?|passwords?|keys?|log-?in|logout', re.IGNORECASE)
MAX_COLLECTIONS = 4
MAX_BEYOND = 8
MAX_ATTEMPTS = 3
MERGE_PATCH = 'application/merge-patch+json'
UNKNOWN_TYPE = 'application/x-no-such-type'
UNKNOWN_METHOD = 'CONFORM'
CHANGING = ('PUT', 'PATCH', 'DELETE', 'POST')


class Writer:
    """Sends unsafe requests, and records the resources that they create."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.created: dict[str, str] = {}  # URL to the Accept field that it is fetched with
        self.left_behind: list[str] = []

    def run(self, record: Sequence[Exchange]) -> None:
        """Send all forms and all JSON:API writes, and delete the created resources."""
        try:
            for exchange, template in forms_to_send(record):
                url = target_of(exchange, template)
                if self.client.is_on_origin(url) and not self.may_sign_out(url):
                    self.send_form(exchange, template)
            for exchange in collections_to_write(record):
                if not self.may_sign_out(exchange.request.url):
                    self.write_collection(exchange)
        except BudgetSpent:
            pass  # created resources are still deleted
        finally:
            self.clean_up()

    def may_sign_out(self, url: str) -> bool:
        """Return whether a write may invalidate the credentials of the client."""
        steps = urlsplit(url).path.split('/')
        return self.client.is_signed_in and any(SIGN_IN.fullmatch(step) for step in steps)

    def post(
        self, purpose: str, url: str, origin: Exchange, body: bytes, headers: dict[str, str], **context: Any
    ) -> Exchange:
        """Send a POST request, and record the resource that it creates."""
        sent = self.client.send('POST', url, purpose, origin, headers=headers, body=body, **context)
        location = sent.response.header('Location')
        target = self.client.resolve(url, location) if location else None
        if sent.response.status == 201 and target is not None:
            if urlsplit(target).path.rstrip('/') == urlsplit(url).path.rstrip('/'):
                self.left_behind.append(target)  # not deleted: that might delete the whole collection
            else:
                self.created.setdefault(target, headers['Accept'])
        return sent

    def send_form(self, exchange: Exchange, template: Template) -> None:
        """Send a form with invalid and with valid values, malformed, and twice with an idempotency key."""
        url = target_of(exchange, template)
        filled = fill(template.value)
        headers = {'Accept': exchange.request.header('Accept'), 'Content-Type': filled.content_type}
        context: dict[str, Any] = {'key': template.key}
        for name, broken, wrong in list(beyond(template.value, filled))[:MAX_BEYOND]:
            self.post('form-beyond', url, exchange, wrong.body, headers, field=name, broken=broken, **context)
        unknown = headers | {'Content-Type': UNKNOWN_TYPE}
        self.post('write-unknown-type', url, exchange, filled.body, unknown, **context)
        if filled.content_type.endswith('json'):
            self.post('write-malformed', url, exchange, b'{"', headers, **context)
        sent = self.post('form-within', url, exchange, filled.body, headers, values=filled.values, **context)
        if sent.response.status == 201:
            self.send_with_key(url, exchange, template, headers)
            self.exercise(sent)

    def send_with_key(
        self, url: str, exchange: Exchange, template: Template, headers: dict[str, str]
    ) -> None:
        """Send a form twice with one idempotency key, and the key with another form."""
        filled, other = fill(template.value), fill(template.value)
        keyed = headers | {'Idempotency-Key': f'"{secrets.token_hex(16)}"'}
        first = self.post('key-first', url, exchange, filled.body, keyed)
        second = self.post('key-again', url, first, filled.body, keyed)
        is_supported = first.response.header('Location') == second.response.header('Location')
        if is_supported and other.body != filled.body:
            self.post('key-reused', url, second, other.body, keyed)

    def exercise(self, created: Exchange) -> None:
        """Fetch a new resource, PUT it back, violate preconditions, send other methods, and delete it."""
        url = self.client.resolve(created.request.url, created.response.header('Location'))
        if url is None or url not in self.created:
            return
        accept = {'Accept': created.request.header('Accept')}
        fetched = self.client.get(url, 'created', created, headers=accept, values=created.context['values'])
        if not fetched.is_fetch:
            return
        allowed = self.client.send('OPTIONS', url, 'created-options', fetched, headers=accept)
        methods = [method.upper() for method in allowed.response.elements('Allow')]
        if 'PUT' in methods:
            self.put(fetched)
        if 'PATCH' in methods:
            self.patch(fetched, allowed)
        self.client.send(UNKNOWN_METHOD, url, 'unknown-method', fetched, headers=accept)
        for method in CHANGING:
            if methods and method not in methods:
                self.client.send(method, url, 'not-allowed', allowed, headers=accept)
                break
        if 'DELETE' in methods or not methods:
            self.delete(url, fetched)

    def put(self, fetched: Exchange) -> None:
        """PUT the content of a GET, and with preconditions that fail."""
        url, response = fetched.request.url, fetched.response
        accept = {'Accept': fetched.request.header('Accept')}

        def send(purpose: str, media_type: str, fields: dict[str, str]) -> Exchange:
            headers = accept | {'Content-Type': media_type} | fields
            return self.client.send('PUT', url, purpose, fetched, headers=headers, body=response.body)

        media_type = response.header('Content-Type')
        sent = send('put-same', media_type, if_match(fetched))
        if sent.response.status == 415:
            media_type = 'application/json'
            sent = send('put-same', media_type, if_match(fetched))
        after = self.client.get(url, 'after-put', sent, headers=accept)
        if not sent.response.is_success:
            return
        if response.header('ETag'):
            stale = send('put-stale', media_type, {'If-Match': '"conform-no-such-tag"'})
            self.client.get(url, 'after-stale', stale, headers=accept, before=after)
            send('put-none-match', media_type, {'If-None-Match': '*'})
        send('put-range', media_type, {'Content-Range': 'bytes 0-0/1'})

    def patch(self, fetched: Exchange, allowed: Exchange) -> None:
        """Send a patch of an unknown type, and a merge patch that changes nothing."""
        url = fetched.request.url
        accept = {'Accept': fetched.request.header('Accept')}
        unknown = accept | {'Content-Type': UNKNOWN_TYPE}
        self.client.send('PATCH', url, 'patch-unknown-type', fetched, headers=unknown, body=b'{}')
        if MERGE_PATCH in allowed.response.elements('Accept-Patch'):
            before = self.client.get(url, 'before-merge', fetched, headers=accept)
            headers = accept | {'Content-Type': MERGE_PATCH} | if_match(before)
            sent = self.client.send('PATCH', url, 'merge-nothing', fetched, headers=headers, body=b'{}')
            self.client.get(url, 'after-merge', sent, headers=accept, before=before)

    def delete(self, url: str, origin: Exchange) -> None:
        """Delete a created resource, and check that it is gone."""
        accept = {'Accept': self.created[url]}
        current = self.client.get(url, 'before-delete', origin, headers=accept)
        headers = accept | if_match(current)
        prefix = 'ja-' if accept['Accept'] == JSON_API else ''
        sent = self.client.send('DELETE', url, f'{prefix}delete', origin, headers=headers)
        if sent.response.is_success:
            del self.created[url]
            self.client.get(url, f'{prefix}deleted', sent, headers=accept)
            if prefix:
                self.client.send('DELETE', url, f'{prefix}delete-again', sent, headers=accept)

    def write_collection(self, exchange: Exchange) -> None:
        """Send invalid resources to a JSON:API collection, and create a copy of one of its resources."""
        url = exchange.request.url.partition('?')[0]
        template = next(entry.value for entry in primary(exchange) if is_resource(entry.value))
        headers = {'Accept': JSON_API, 'Content-Type': JSON_API}
        kind = template.get('type')
        data = {'type': kind, 'attributes': new_attributes(template)}

        def send(purpose: str, body: Any, media_type: str = JSON_API) -> Exchange:
            content = json.dumps({'data': body}).encode()
            return self.post(
                purpose, url, exchange, content, headers | {'Content-Type': media_type}, data=body
            )

        send('ja-type-conflict', data | {'type': 'no-such-type'})
        send('ja-type-parameter', data, f'{JSON_API}; charset=utf-8')
        send('ja-type-ext', data, f'{JSON_API}; ext="https://example.org/no-such-extension"')
        send('ja-create-empty', {'type': kind, 'attributes': {}})
        names = [name for name, value in data['attributes'].items() if is_free_text(value)]
        for changed in (names, *([name] for name in names[:MAX_ATTEMPTS])):
            data = {'type': kind, 'attributes': new_attributes(template, changed)}
            sent = send('ja-create', data)
            if sent.response.is_success:
                break
        else:
            return
        if sent.response.status != 201:
            return
        fresh = {'type': kind, 'attributes': new_attributes(template, changed)}
        send('ja-client-id', fresh | {'id': 'f8ae1c4e-4711-4711-8711-0123456789ab'})
        related = to_one(template)
        if related:
            send('ja-create-related', fresh | {'relationships': related})
        self.exercise_json_api(sent, data)

    def exercise_json_api(self, created: Exchange, data: dict[str, Any]) -> None:
        """Update and delete a JSON:API resource that was created."""
        resource = top(created).get('data')
        url = self.client.resolve(created.request.url, created.response.header('Location'))
        if not isinstance(resource, dict) or url is None or url not in self.created:
            return
        fetched = self.client.get(url, 'ja-created', created, headers={'Accept': JSON_API})
        headers = {'Accept': JSON_API, 'Content-Type': JSON_API}
        changed = next(
            ((name, value) for name, value in data['attributes'].items() if is_free_text(value)), None
        )
        if changed is not None and fetched.is_fetch:
            attributes = {changed[0]: changed[1] + 'x'}
            own = {'type': resource.get('type'), 'id': resource.get('id')}

            def send(purpose: str, body: dict[str, Any], target: str = url) -> Exchange:
                content = json.dumps({'data': body | {'attributes': attributes}}).encode()
                return self.client.send('PATCH', target, purpose, fetched, headers=headers, body=content)

            sent = send('ja-update', own)
            self.client.get(
                url, 'ja-updated', sent, headers={'Accept': JSON_API}, before=fetched, name=changed[0]
            )
            if sent.response.is_success:
                send('ja-update-other-id', own | {'id': '0'})
                send('ja-update-other-type', own | {'type': 'no-such-type'})
        self.delete(url, created)

    def clean_up(self) -> None:
        """Delete the remaining created resources, even if the maximum number of requests has been sent."""
        for url, accept in list(self.created.items()):
            self.client.left = max(self.client.left, 2)
            try:
                current = self.client.get(url, 'clean-up', headers={'Accept': accept})
                headers = {'Accept': accept} | if_match(current)
                sent = self.client.send('DELETE', url, 'clean-up', headers=headers)
                is_gone = sent.response.is_success or sent.response.status in (404, 410)
            except TransportError:
                is_gone = False
            if not is_gone:
                self.left_behind.append(url)
            del self.created[url]


def if_match(fetched: Exchange) -> dict[str, str]:
    """Return the If-Match field for the response, none if it has no strong tag."""
    tag = fetched.response.header('ETag')
    return {'If-Match': tag} if tag.startswith('"') else {}


def target_of(exchange: Exchange, template: Template) -> str:
    return join(exchange.request.url, str(template.value.get('target') or exchange.request.url)) or ''


def forms_to_send(record: Sequence[Exchange]) -> Iterator[tuple[Exchange, Template]]:
    """Yield forms that create something: POST with at least one field, each target once."""
    targets: set[str] = set()
    for exchange in record:
        if exchange.purpose != 'crawl' or not is_hal_forms(exchange):
            continue
        for template in templates(exchange):
            url = target_of(exchange, template)
            is_new = template.method == 'POST' and fill(template.value).values and url not in {'', *targets}
            if is_new and exchange.request.header('Accept') == HAL_FORMS and len(targets) < MAX_FORMS:
                targets.add(url)
                yield exchange, template


def collections_to_write(record: Sequence[Exchange]) -> Iterator[Exchange]:
    """Yield fetched JSON:API collections that have a resource, one for each type."""
    types: set[str] = set()
    for exchange in record:
        data = top(exchange).get('data')
        if (
            exchange.purpose == 'crawl'
            and exchange.is_fetch
            and is_json_api(exchange)
            and isinstance(data, list)
        ):
            entry_types = [str(entry.get('type')) for entry in data if is_resource(entry)]
            if entry_types and entry_types[0] not in types and len(types) < MAX_COLLECTIONS:
                types.add(entry_types[0])
                yield exchange


def is_free_text(value: Any) -> bool:
    """Return whether the value is text that stays valid when it is changed: no date, URL or number."""
    return isinstance(value, str) and re.fullmatch(r'[^\W\d][\w ,;!?-]*', value) is not None


def new_attributes(resource: dict[str, Any], changed: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the attributes of a resource for a new one, with other texts in all or the named ones."""
    suffix = secrets.token_hex(3)
    return {
        name: f'{value} {suffix}' if is_free_text(value) and (changed is None or name in changed) else value
        for name, value in members(resource.get('attributes'))
        if value is not None
    }


def to_one(resource: dict[str, Any]) -> dict[str, Any]:
    """Return one of the resource's to-one relationships, changed to a resource that does not exist."""
    for name, value in members(resource.get('relationships')):
        data = value.get('data') if isinstance(value, dict) else None
        if isinstance(data, dict):
            return {name: {'data': {'type': data.get('type'), 'id': '999999999999'}}}
    return {}


def state_of(exchange: Exchange) -> Any:
    """Return the document without members that may change on their own: times, versions, links, forms."""
    document = exchange.response.document
    if not isinstance(document, dict) or isinstance(document, Invalid):
        return document
    return {
        name: value
        for name, value in document.items()
        if not name.startswith('_')
        and not re.search(r'(?:_at|At|modified|updated|seen|etag|version)$', name, re.I)
    }
