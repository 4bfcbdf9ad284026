"""What schemathesis cannot know: how one signs in, which things are one's own, and what no schema can say."""

import itertools
import os
import secrets
from typing import Any

import requests
import schemathesis
from schemathesis import Case, HookContext

API = os.environ['HALCYON_API']
PASSWORD = 'correct horse battery staple'
# A 400 that says one of these answers a body or a query that the schemas allow: each is a rule about what
# is there already, or about two values, or about bytes, and JSON Schema has words for none of them.
BEYOND_SCHEMAS = (
    'is taken by another user',
    'is not your password',
    'is no position that the server gave',
    'cannot stand beside',
    'must have at most 72 bytes',
    'stands twice in one object',
    'stands more than once',
)

ACCEPTED = (
    'application/hal+json',
    'application/prs.hal-forms+json',
    'application/json',
    'text/html',
    'application/vnd.oai.openapi+json, */*;q=0.1',
)

numbers = itertools.count()
formats = itertools.cycle(ACCEPTED)
own: dict[str, str] = {}


class SomebodyNew:
    """Signs somebody up and in, who publishes a post, so that there are things of their own."""

    def get(self, case: Case, context: Any) -> str:
        """Return the token of somebody new: the one before may have been renamed or deleted."""
        entry = requests.get(API, timeout=10).json()['_links']
        users, tokens = entry['hc:users']['href'], entry['hc:tokens']['href']
        ada, other = sign_up(users), sign_up(users)
        token = requests.post(tokens, auth=(ada['username'], PASSWORD), timeout=10).json()
        signed_in = {'Authorization': f'Bearer {token["token"]}'}
        links = requests.get(API, headers=signed_in, timeout=10).json()['_links']
        post = requests.post(links['hc:posts']['href'], json={'body': 'x'}, headers=signed_in, timeout=10)
        things = {'user_id': ada, 'other_id': other, 'post_id': post.json(), 'token_id': token}
        own.update({name: str(thing['id']) for name, thing in things.items()})
        return str(token['token'])

    def set(self, case: Case, data: str, context: Any) -> None:
        """Send the token along."""
        case.headers['Authorization'] = f'Bearer {data}'


def sign_up(users: str) -> dict[str, Any]:
    """Return a new user, whose name nothing generated is likely to take."""
    name = f'person-{secrets.token_hex(8)}'
    values = {'username': name, 'email': f'{name}@example.org', 'password': PASSWORD}
    answer: dict[str, Any] = requests.post(users, json=values, timeout=10).json()
    return answer


if os.environ.get('HALCYON_SIGNED_IN'):
    schemathesis.auth(refresh_interval=2, retry_on=[401])(SomebodyNew)


@schemathesis.hook
def map_path_parameters(context: HookContext, path_parameters: dict[str, Any] | None) -> Any:
    """Lead every other request to things that are one's own."""
    if path_parameters and own and next(numbers) % 2:
        return {
            name: own.get(name, value) if is_id(value) else value for name, value in path_parameters.items()
        }
    return path_parameters


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Ask for one format after another, but for HAL where the next step is taken out of the answer."""
    is_stateful = case.meta is not None and case.meta.phase.name == 'stateful'
    case.headers.setdefault('Accept', ACCEPTED[0] if is_stateful else next(formats))


@schemathesis.hook
def filter_failure(context: HookContext, failure: Any, case: Case, response: Any) -> bool:
    """Keep every failure but those of valid values that break a rule beyond schemas."""
    if type(failure).__name__ != 'RejectedPositiveData' or response.status_code != 400:
        return True
    if case.method == 'HEAD':  # which says nothing, but GET would
        return not {'page[after]', 'page[before]'} & set(case.query or ())
    return not any(rule in response.text for rule in BEYOND_SCHEMAS)


def is_id(value: Any) -> bool:
    """Whether the value is one that the schema of ids allows: what breaks it must stay broken."""
    return str(value).isdigit() and 0 < int(value) < 2**53
