"""Hooks of schemathesis: signing in, resources of the user, and rules that JSON Schema cannot express."""

import copy
import itertools
import os
import secrets
from collections.abc import MutableMapping
from typing import Any

import requests
import schemathesis
from schemathesis import Case, HookContext
from schemathesis.core.parameters import ParameterLocation

API = os.environ['HALCYON_API']
PASSWORD = 'correct horse battery staple'
JSON_API = 'application/vnd.api+json'
HTML = 'text/html'
# The messages of rules that JSON Schema cannot express, about existing data, two values or bytes: a request
# that is valid by the schemas may get a 400 with one of them.
BEYOND_SCHEMAS = (
    'is taken',
    'is not your password',
    'is not a valid cursor',
    'cannot be combined with',
    'must not be repeated',
    'must be an email address',  # which letters a domain may have is a table (RFC 5892)
    'can be jwt only on servers with BASE_URL',
)

turns = itertools.count()  # choose the format and the resources of each request
own_ids: dict[str, str] = {}
session = requests.Session()


class NewUser:
    """Registers and signs in a user who owns resources."""

    def get(self, case: Case, context: Any) -> str:
        """Return the token of a new user, since the previous one may have been renamed or deleted."""
        session.headers.pop('Authorization', None)
        links = request_json('GET', API)['_links']
        ada, other = sign_up(links['hc:users']['href']), sign_up(links['hc:users']['href'])
        sign_in = {'username': ada['username'], 'password': PASSWORD}
        token = request_json('POST', links['hc:tokens']['href'], sign_in)
        own_ids.update(user_id=str(ada['id']), other_id=str(other['id']), token_id=str(token['id']))
        session.headers['Authorization'] = f'Bearer {token["token"]}'
        create_resources()
        return str(token['token'])

    def set(self, case: Case, data: str, context: Any) -> None:
        """Send the token."""
        case.headers['Authorization'] = f'Bearer {data}'


def request_json(method: str, href: str, values: dict[str, Any] | None = None) -> Any:
    """Return the document of a response to the current user."""
    response = session.request(method, href, json=values, timeout=10)
    response.raise_for_status()
    return response.json()


def sign_up(users: str) -> dict[str, Any]:
    """Return a new user with a name that generated data is unlikely to take."""
    name = f'user-{secrets.token_hex(8)}'
    response: dict[str, Any] = request_json(
        'POST', users, {'username': name, 'email': f'{name}@example.org', 'password': PASSWORD}
    )
    return response


def create_resources() -> None:
    """Follow the other user, publish a post, and open a store with an item."""
    links = request_json('GET', API)['_links']
    other = request_json('GET', links['hc:user']['href'].replace('{id}', own_ids['other_id']))
    request_json('PUT', other['_links']['hc:follow']['href'])
    post = request_json('POST', links['hc:posts']['href'], {'body': 'x'})
    store = request_json('POST', links['hc:stores']['href'], {'name': secrets.token_hex(8)})
    item = request_json('POST', store['_links']['hc:items']['href'], {'name': 'x', 'price': 1})
    own_ids.update(post_id=str(post['id']), store_id=str(store['id']), item_id=str(item['id']))


if os.environ.get('HALCYON_SIGNED_IN'):
    schemathesis.auth(refresh_interval=2, retry_on=[401])(NewUser)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Direct most requests to resources of the user, and request each format in turn."""
    is_stateful = case.meta is not None and case.meta.phase.name == 'stateful'
    turn = 1 if is_stateful else next(turns)  # the same steps must get the same responses
    if own_ids and case.meta is not None and turn % 4:
        if not is_stateful and not case.meta.is_negative_at(ParameterLocation.PATH):
            case.path_parameters.update(
                {name: own_ids[name] for name in case.path_parameters if name in own_ids}
            )
        if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
            case.body = with_valid_values(copy.deepcopy(case.body), case)
    if 'Accept' not in case.headers:
        case.headers['Accept'] = choose_media_type(case, turn, is_stateful=is_stateful)


def with_valid_values(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return the body with values that fit the data: unused names, the correct password, existing ids."""
    values, data = body, body.get('data')
    if case.media_type == JSON_API:
        if isinstance(data, list):
            return {**body, 'data': [{**identifier, 'id': own_ids['other_id']} for identifier in data]}
        values = data.get('attributes', {})
        if 'id' in data:
            data['id'] = '-'.join(str(value) for value in case.path_parameters.values())
    name = secrets.token_hex(8)
    valid = {'username': name, 'email': f'{name}@example.org', 'name': name, 'current_password': PASSWORD}
    values.update({member: value for member, value in valid.items() if member in values})
    return body


def choose_media_type(case: Case, turn: int, *, is_stateful: bool) -> str:
    """Return the media type to request, and remove query parameters that it does not support.

    Supported parameters depend on the format. OpenAPI cannot express that; `x-media-types` does.
    """
    available = media_types_at(case)
    query: MutableMapping[str, Any] = case.query if isinstance(case.query, MutableMapping) else {}
    limited = {
        parameter.name: parameter.definition['x-media-types']
        for parameter in case.operation.query
        if parameter.name in query and 'x-media-types' in parameter.definition
    }
    if is_stateful and len(available) > 1:  # the next step uses links of the response, which HAL has
        available = [media_type for media_type in available if media_type not in (JSON_API, HTML)]
    elif limited:
        available = list(limited.values())[turn % len(limited)]
    chosen = available[turn % len(available)]
    for name, media_types in limited.items():
        if chosen not in media_types:
            del query[name]
    return chosen


def media_types_at(case: Case) -> list[str]:
    """Return the media types of responses at the URL, */* if there are none."""
    operations = case.operation.schema.raw_schema['paths'][case.operation.path]
    return list(
        dict.fromkeys(
            media_type
            for operation in operations.values()
            if isinstance(operation, dict)
            for status, response in operation['responses'].items()
            if status < '300'
            for media_type in response.get('content', ())
        )
    ) or ['*/*']


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Any) -> None:
    """Create resources again after one was deleted; a deleted account or token leads to a new user."""
    own_resources = {'post_id', 'store_id', 'item_id', 'other_id'}
    if (
        case.method == 'DELETE'
        and response.status_code < 300
        and own_resources & set(case.path_parameters or ())
    ):
        create_resources()


@schemathesis.hook
def filter_failure(context: HookContext, failure: Any, case: Case, response: Any) -> bool:
    """Ignore failures of rules that schemas cannot express.

    OPTIONS describes a URL, whether or not the resource exists. OpenAPI 3.1 cannot describe QUERY.
    """
    if type(failure).__name__ == 'AllowHeaderMismatch':
        return bool(failure.missing_methods) or failure.undocumented_methods != ['QUERY']
    if type(failure).__name__ == 'UseAfterFree' and case.method == 'OPTIONS':
        return False
    if type(failure).__name__ != 'RejectedPositiveData' or response.status_code != 400:
        return True
    if case.method == 'HEAD':  # which has no body to search
        return not {'page[after]', 'page[before]'} & set(case.query or ())
    return not any(rule in response.text for rule in BEYOND_SCHEMAS)
