"""The entry point: the only URL that a client needs to know."""

import pytest

from tests.client import HAL_FORMS, Client

pytestmark = pytest.mark.above_databases

ANYONE = {'self', 'curies', 'hc:users', 'hc:tokens'}
SIGNED_IN = {'hc:me', 'hc:posts', 'hc:feed', 'hc:user'}


def test_an_anonymous_client_gets_forms_to_register_and_sign_in(client: Client) -> None:
    entry = client.entry()
    assert set(entry.json['_links']) >= ANYONE
    assert not SIGNED_IN & set(entry.json['_links'])
    assert list(entry.json['_templates']) == ['register', 'login']


def test_a_signed_in_client_gets_links_to_its_resources(ada: Client) -> None:
    entry = ada.entry()
    assert set(entry.json['_links']) >= ANYONE | SIGNED_IN
    assert 'publish' in entry.json['_templates']
    assert not {'register', 'login'} & set(entry.json['_templates'])


def test_the_user_link_is_a_template_with_the_id(ada: Client) -> None:
    me = ada.me()
    assert ada.follow('hc:user', id=me.json['id']).text == me.text


def test_forms_have_method_target_and_content_type(client: Client) -> None:
    entry = client.entry()
    assert entry.content_type == HAL_FORMS
    for form in entry.json['_templates'].values():
        assert form['method'] == 'POST'
        assert form['target'].startswith('http://halcyon.test/api/')
