"""The API catalog (RFC 9727), from which a client that knows only the origin can start."""

from typing import Any

import pytest

from tests.client import ORIGIN, Client

pytestmark = pytest.mark.above_databases

CATALOG = '/.well-known/api-catalog'
PROFILE = 'https://www.rfc-editor.org/info/rfc9727'


def context(response: Any, anchor: str) -> dict[str, Any]:
    """Return the links of one context of a linkset."""
    (links,) = (links for links in response.json['linkset'] if links['anchor'] == anchor)
    return links


def test_the_catalog_is_a_linkset_with_the_profile(client: Client) -> None:
    response = client.get(CATALOG)
    assert response.status == 200
    assert response.headers['content-type'] == f'application/linkset+json; profile="{PROFILE}"'


def test_the_item_of_the_catalog_is_the_entry_point(client: Client) -> None:
    response = client.get(CATALOG)
    (item,) = context(response, ORIGIN + CATALOG)['item']
    assert item['href'] == client.entry().href('self')


def test_the_catalog_and_the_entry_point_have_the_same_links(client: Client) -> None:
    entry = client.entry()
    links = context(client.get(CATALOG), entry.href('self'))
    for rel in ('service-desc', 'service-doc'):
        assert [link['href'] for link in links[rel]] == [entry.href(rel)]


def test_every_link_target_is_available_in_the_type_of_the_link(client: Client) -> None:
    links = context(client.get(CATALOG), client.entry().href('self'))
    for rel in ('service-desc', 'service-doc', 'status'):
        (link,) = links[rel]
        response = client.get(link['href'], accept=link['type'])
        assert response.status == 200
        assert response.headers['content-type'].startswith(link['type'])


def test_a_response_to_head_has_the_links_in_its_link_header(client: Client) -> None:
    response = client.request('HEAD', CATALOG)
    assert response.status == 200
    assert '<http://halcyon.test/.well-known/api-catalog>; rel="api-catalog"' in response.headers['link']
    assert '<http://halcyon.test/api>; rel="item"' in response.headers['link']


def test_the_entry_point_links_to_the_catalog(client: Client) -> None:
    link = client.entry().headers['link']
    assert link == '<http://halcyon.test/.well-known/api-catalog>; rel="api-catalog"'


def test_the_catalog_ignores_credentials(client: Client) -> None:
    assert client.get(CATALOG, headers={'Authorization': 'Bearer nonsense'}).status == 200
