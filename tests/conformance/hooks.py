"""What schemathesis cannot know: how one signs in, which things are one's own, and what no schema can say."""

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
# A 400 that says one of these answers a body or a query that the schemas allow: each is a rule about what
# is there already, or about two values, or about bytes, and JSON Schema has words for none of them.
BEYOND_SCHEMAS = (
    'is taken',
    'is not your password',
    'is no position that the server gave',
    'cannot stand beside',
    'must have at most 72 bytes',
    'stands twice in one object',
    'stands more than once',
)

turns = itertools.count()
own: dict[str, str] = {}
session = requests.Session()


class SomebodyNew:
    """Signs somebody up and in, so that there are things of their own."""

    def get(self, case: Case, context: Any) -> str:
        """Return the token of somebody new: the one before may have been renamed or deleted."""
        session.headers.pop('Authorization', None)
        links = ask('GET', API)['_links']
        ada, other = sign_up(links['hc:users']['href']), sign_up(links['hc:users']['href'])
        sign_in = {'username': ada['username'], 'password': PASSWORD}
        token = ask('POST', links['hc:tokens']['href'], sign_in)
        own.update(user_id=str(ada['id']), other_id=str(other['id']), token_id=str(token['id']))
        session.headers['Authorization'] = f'Bearer {token["token"]}'
        make_things()
        return str(token['token'])

    def set(self, case: Case, data: str, context: Any) -> None:
        """Send the token along."""
        case.headers['Authorization'] = f'Bearer {data}'


def ask(method: str, href: str, values: dict[str, Any] | None = None) -> Any:
    """Return the document that answers, as whoever is signed in here."""
    answer = session.request(method, href, json=values, timeout=10)
    answer.raise_for_status()
    return answer.json()


def sign_up(users: str) -> dict[str, Any]:
    """Return a new user, whose name nothing generated is likely to take."""
    name = f'person-{secrets.token_hex(8)}'
    answer: dict[str, Any] = ask(
        'POST', users, {'username': name, 'email': f'{name}@example.org', 'password': PASSWORD}
    )
    return answer


def make_things() -> None:
    """Follow the other user, publish a post, and open a store with an item."""
    links = ask('GET', API)['_links']
    other = ask('GET', links['hc:user']['href'].replace('{id}', own['other_id']))
    ask('PUT', other['_links']['hc:follow']['href'])
    post = ask('POST', links['hc:posts']['href'], {'body': 'x'})
    store = ask('POST', links['hc:stores']['href'], {'name': secrets.token_hex(8)})
    item = ask('POST', store['_links']['hc:items']['href'], {'name': 'x', 'price': 1})
    own.update(post_id=str(post['id']), store_id=str(store['id']), item_id=str(item['id']))


if os.environ.get('HALCYON_SIGNED_IN'):
    schemathesis.auth(refresh_interval=2, retry_on=[401])(SomebodyNew)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Lead most requests to what is one's own, and ask for one format after another."""
    is_stateful = case.meta is not None and case.meta.phase.name == 'stateful'
    turn = 1 if is_stateful else next(turns)  # the same steps have to lead to the same answers
    if own and case.meta is not None and turn % 4:
        if not is_stateful and not case.meta.is_negative_at(ParameterLocation.PATH):
            case.path_parameters.update({name: own[name] for name in case.path_parameters if name in own})
        if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
            case.body = fitting(copy.deepcopy(case.body), case)
    if 'Accept' not in case.headers:
        case.headers['Accept'] = accepted(case, turn, is_stateful=is_stateful)


def fitting(body: dict[str, Any], case: Case) -> dict[str, Any]:
    """Return the body with values that fit what is there: names that are free, one's password, ids."""
    values, data = body, body.get('data')
    if case.media_type == JSON_API:
        if isinstance(data, list):
            return {**body, 'data': [{**one, 'id': own['other_id']} for one in data]}
        values = data.get('attributes', {})
        if 'id' in data:
            data['id'] = '-'.join(str(value) for value in case.path_parameters.values())
    name = secrets.token_hex(8)
    fit = {'username': name, 'email': f'{name}@example.org', 'name': name, 'current_password': PASSWORD}
    values.update({member: value for member, value in fit.items() if member in values})
    return body


def accepted(case: Case, turn: int, *, is_stateful: bool) -> str:
    """Return the media type to ask for, of those that there are; what counts in others alone is not asked.

    Which parameters count depends on the format, and OpenAPI has no word for that: `x-media-types` says it.
    """
    had = media_types_at(case)
    query: MutableMapping[str, Any] = case.query if isinstance(case.query, MutableMapping) else {}
    of_few = {
        parameter.name: parameter.definition['x-media-types']
        for parameter in case.operation.query
        if parameter.name in query and 'x-media-types' in parameter.definition
    }
    if is_stateful and len(had) > 1:  # the next step is taken out of the answer, where HAL has it
        had = [one for one in had if one not in (JSON_API, HTML)]
    elif of_few:
        had = list(of_few.values())[turn % len(of_few)]
    chosen = had[turn % len(had)]
    for name, media_types in of_few.items():
        if chosen not in media_types:
            del query[name]
    return chosen


def media_types_at(case: Case) -> list[str]:
    """Return the media types that answers at the address can be had in, anything where there are none."""
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
    """Make things anew where one was deleted; after an account or a token there will be somebody new."""
    own_things = {'post_id', 'store_id', 'item_id', 'other_id'}
    if (
        case.method == 'DELETE'
        and response.status_code < 300
        and own_things & set(case.path_parameters or ())
    ):
        make_things()


@schemathesis.hook
def filter_failure(context: HookContext, failure: Any, case: Case, response: Any) -> bool:
    """Keep every failure but those of valid values that break a rule beyond schemas.

    OPTIONS looks nothing up: it says what an address can do, to anyone, whether the thing is there or not.
    """
    if type(failure).__name__ == 'UseAfterFree' and case.method == 'OPTIONS':
        return False
    if type(failure).__name__ != 'RejectedPositiveData' or response.status_code != 400:
        return True
    if case.method == 'HEAD':  # which says nothing, but GET would
        return not {'page[after]', 'page[before]'} & set(case.query or ())
    return not any(rule in response.text for rule in BEYOND_SCHEMAS)
