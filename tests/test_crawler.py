"""A crawler: from `/api` it follows every link, template and CURIE, and checks every document strictly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import uritemplate

from tests.client import HAL, HAL_FORMS, ORIGIN, Client
from tests.routes import World

VARIABLES = {'page': 1, 'per_page': 2, 'q': 'a'}
# What no GET answers with 200: a password cannot be read, and a relation may not be there.
OTHERWISE = {'hc:password': {405}, 'hc:follow': {200, 404}}


def links_of(document: dict[str, Any], curies: dict[str, str], user_id: int) -> Iterator[tuple[str, str]]:
    """Yield relation and address of every link of a document and of what it embeds."""
    for rel, what in document['_links'].items():
        for link in what if isinstance(what, list) else [what]:
            if rel == 'curies':
                continue
            values = VARIABLES | {'id': user_id}
            yield rel, uritemplate.expand(link['href'], values) if link.get('templated') else link['href']
        prefix, colon, reference = rel.partition(':')
        if colon:
            yield 'curies', uritemplate.expand(curies[prefix], rel=reference)
    for what in document.get('_embedded', {}).values():
        for embedded in what if isinstance(what, list) else [what]:
            yield from links_of(embedded, curies, user_id)


def crawl(client: Client, accept: str, user_id: int) -> set[str]:
    """Get everything that can be reached, check how it answers, and return the relations that were met."""
    seen, met, waiting = set(), set(), [('self', f'{ORIGIN}/api')]
    while waiting:
        rel, address = waiting.pop()
        met.add(rel)
        if address in seen:
            continue
        seen.add(address)
        if not address.startswith(ORIGIN):
            assert rel == 'hc:avatar'
            continue
        answer = client.get(address, accept=accept)  # the client checks the document
        assert answer.status in OTHERWISE.get(rel, {200}), f'{rel} {address} {answer.text}'
        if answer.status != 200:
            continue
        assert answer.content_type in (HAL, HAL_FORMS)
        curies = {curie['name']: curie['href'] for curie in answer.state['_links'].get('curies', [])}
        waiting += links_of(answer.state, curies, user_id)
    return met


@pytest.mark.parametrize('accept', [HAL, HAL_FORMS, f'{HAL_FORMS}, {HAL}'])
def test_every_link_leads_somewhere(ada: Client, bob: Client, accept: str) -> None:
    world = World(ada, bob)
    for number in range(3):
        bob.publish(f'post {number}')
    met = crawl(ada, accept, world.values['user_id'])
    expected = {
        'hc:users',
        'hc:me',
        'hc:feed',
        'hc:tokens',
        'hc:follow',
        'hc:password',
        'hc:avatar',
        'next',
        'curies',
    }
    assert expected <= met


@pytest.mark.parametrize('accept', [HAL, HAL_FORMS, f'{HAL_FORMS}, {HAL}'])
def test_who_is_not_signed_in_is_led_to_signing_in(client: Client, ada: Client, accept: str) -> None:
    entry = client.get('/api', accept=accept)
    assert {rel for rel in entry.state['_links'] if rel.startswith('hc:')} == {'hc:users', 'hc:tokens'}
    curie = entry.state['_links']['curies'][0]['href']
    for rel in ('users', 'tokens'):
        assert client.get(uritemplate.expand(curie, rel=rel), accept=accept).status == 200


def test_what_is_embedded_is_what_its_address_answers(ada: Client, bob: Client) -> None:
    World(ada, bob)
    for rel in ('hc:users', 'hc:posts', 'hc:feed', 'hc:tokens'):
        for item in ada.follow(rel).items:
            whole = ada.get(item['_links']['self']['href']).state
            whole['_links'].pop('curies')
            assert item == whole
