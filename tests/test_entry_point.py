"""The entry point: the only URL that a client needs to know."""

import pytest

from tests.client import Client

pytestmark = pytest.mark.above_databases

PUBLIC_LINKS = {'self', 'curies', 'hc:users', 'hc:tokens'}
PRIVATE_LINKS = {'hc:me', 'hc:posts', 'hc:feed', 'hc:user'}


def test_an_anonymous_client_gets_forms_to_register_and_sign_in(client: Client) -> None:
    entry = client.entry()
    assert set(entry.json['_links']) >= PUBLIC_LINKS
    assert not PRIVATE_LINKS & set(entry.json['_links'])
    assert list(entry.json['_templates']) == ['register', 'login']


def test_a_signed_in_client_gets_links_to_its_resources(ada: Client) -> None:
    entry = ada.entry()
    assert set(entry.json['_links']) >= PUBLIC_LINKS | PRIVATE_LINKS
    assert 'publish' in entry.json['_templates']
    assert not {'register', 'login'} & set(entry.json['_templates'])


def test_the_user_link_is_a_template_with_the_id(ada: Client) -> None:
    me = ada.me()
    assert ada.follow('hc:user', id=me.json['id']).text == me.text
