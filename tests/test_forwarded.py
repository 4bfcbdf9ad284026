"""Client IP addresses: only forwarding headers of trusted proxies are used."""

from ipaddress import ip_network

import pytest

from service.config import Settings
from service.http.forwarded import client_address, is_trusted

PROXY, OUTER_PROXY, CLIENT = '10.0.0.1', '10.0.0.2', '203.0.113.7'


def client_ip(peer: str, allowed: str = '10.0.0.0/24', **headers: str) -> str:
    """Return the client IP address of a request from `peer` if the proxies in `allowed` are trusted."""
    settings = Settings.from_environment({'FORWARDED_ALLOW_IPS': allowed})
    environ = {'REMOTE_ADDR': peer} | {f'HTTP_{name.upper()}': value for name, value in headers.items()}
    return client_address(environ, settings.forwarded_allow_ips)


@pytest.mark.parametrize(
    ('header', 'expected'),
    [
        ('for=203.0.113.7', CLIENT),
        ('For="203.0.113.7:4711";proto=https', CLIENT),
        ('for="[2001:db8:1:2:3::4]:4711"', '2001:db8:1:2::/64'),
        ('for="[2001:db8:1:2:3::4]"', '2001:db8:1:2::/64'),
        ('for="[::ffff:203.0.113.7]"', CLIENT),
        ('for=198.51.100.1, for=203.0.113.7', CLIENT),
        ('for=203.0.113.7, for=10.0.0.2', CLIENT),
        ('for=203.0.113.7;by=10.0.0.2;host="a,b", for=10.0.0.2', CLIENT),
    ],
)
def test_forwarded_from_a_trusted_proxy_names_the_client(header: str, expected: str) -> None:
    assert client_ip(PROXY, forwarded=header) == expected


@pytest.mark.parametrize(
    'header',
    [
        '',
        'for=unknown',
        'for=_hidden',
        'for=',
        'proto=https',
        'for="',
        'for=999.1.1.1',
        'for=[::1',
        'for=a b',
    ],
)
def test_a_proxy_that_names_no_client_counts_as_the_client(header: str) -> None:
    assert client_ip(PROXY, forwarded=header) == PROXY


def test_an_unclosed_quote_does_not_hide_the_next_hop() -> None:
    header = 'for=198.51.100.1;by=", for="[2001:db8::1]"'
    assert client_ip(PROXY, forwarded=header) == PROXY


def test_entries_before_the_first_untrusted_hop_are_ignored() -> None:
    assert client_ip(PROXY, x_forwarded_for='198.51.100.1, 203.0.113.7, 10.0.0.2') == CLIENT


def test_x_forwarded_for_may_have_ports() -> None:
    assert client_ip(PROXY, x_forwarded_for='203.0.113.7:4711') == CLIENT
    assert client_ip(PROXY, x_forwarded_for='[2001:db8::1]:4711') == '2001:db8::/64'
    assert client_ip(PROXY, x_forwarded_for='2001:db8::1') == '2001:db8::/64'


def test_forwarded_takes_precedence_over_x_forwarded_for() -> None:
    assert client_ip(PROXY, forwarded='for=203.0.113.7', x_forwarded_for='198.51.100.1') == CLIENT


def test_an_untrusted_peer_is_the_client() -> None:
    assert client_ip(CLIENT, forwarded='for=198.51.100.1', x_forwarded_for='198.51.100.1') == CLIENT


def test_no_proxy_is_trusted_by_default() -> None:
    assert client_ip('127.0.0.1', allowed='', x_forwarded_for=CLIENT) == '127.0.0.1'


def test_an_asterisk_trusts_only_the_peer() -> None:
    assert client_ip(OUTER_PROXY, allowed='*', x_forwarded_for='198.51.100.1, 203.0.113.7') == CLIENT


def test_the_client_of_a_fully_trusted_chain_is_its_first_hop() -> None:
    assert client_ip(PROXY, x_forwarded_for='10.0.0.3, 10.0.0.2') == '10.0.0.3'


def test_a_peer_without_an_ip_address_has_an_empty_address() -> None:
    assert client_ip('') == ''


def test_a_peer_on_a_unix_socket_is_trusted_only_by_name() -> None:
    assert is_trusted('', ('unix',))
    assert is_trusted('', ('*',))
    assert not is_trusted('', (ip_network('0.0.0.0/0'),))
    assert not is_trusted('10.0.0.1', ('unix',))
    assert is_trusted('10.0.0.1', ('unix', ip_network('10.0.0.1')))
