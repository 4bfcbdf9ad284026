"""Forwarding headers: which peers are believed, and which client a request really comes from."""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from service.config import UNIX

_PAIR = re.compile(r'\s*+(?:([A-Za-z]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s",;]*+)))?+\s*+([;,]|$)')
_NODE = re.compile(r'\[([0-9a-f:.]+)\](?::\d+)?|([0-9.]+)(?::\d+)?|([0-9a-f:.]+)', re.ASCII | re.IGNORECASE)
SITE_BITS = 64  # what one IPv6 subscriber has at least (RFC 6177 §2)


@lru_cache(maxsize=1024)
def is_trusted(address: str, networks: tuple[Any, ...]) -> bool:
    """Return whether a peer's forwarding headers are used; `*` among the networks trusts every peer.

    A peer on a unix socket has no address; `unix` trusts it.
    """
    if '*' in networks or (not address and UNIX in networks):
        return True
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(peer in network for network in networks if network != UNIX)


def read_forwarded(header: str) -> list[dict[str, str]]:
    """Return the elements of a Forwarded header, the nearest proxy's last (RFC 7239 §4).

    A malformed one has none: a client's open quote must not swallow what the proxy added.
    """
    elements: list[dict[str, str]] = [{}]
    end = 0
    while pair := _PAIR.match(header, end):
        name, quoted, token, separator = pair.groups()
        if name:
            elements[-1][name.lower()] = token or re.sub(r'\\(.)', r'\1', quoted or '')
        if not separator:
            return elements
        if separator == ',':
            elements.append({})
        end = pair.end()
    return []


def client_address(environ: Mapping[str, Any], networks: tuple[Any, ...]) -> str:
    """Return where a request comes from, as what is counted: an IPv4 address, or the /64 of an IPv6 one.

    It walks from the peer back through proxies that are trusted, by Forwarded (RFC 7239 §5.2), else by
    X-Forwarded-For. `*` trusts the peer alone, for a chain could be made up: name the proxies of one. A
    proxy that hides its client, or has an unreadable one, counts as the client.
    """
    address = environ.get('REMOTE_ADDR') or ''
    if networks and is_trusted(address, networks):
        named = tuple(network for network in networks if network != '*')
        for hop in reversed(_hops(environ)):
            found = _read_node(hop)
            if found is None:
                break
            address = found
            if not is_trusted(address, named):
                break
    return _network_of(address)


def _hops(environ: Mapping[str, Any]) -> list[str]:
    if 'HTTP_FORWARDED' in environ:
        return [element.get('for', '') for element in read_forwarded(environ['HTTP_FORWARDED'])]
    return [hop.strip() for hop in environ.get('HTTP_X_FORWARDED_FOR', '').split(',')]


def _read_node(text: str) -> str | None:
    """Return the address of a node, its port left off (RFC 7239 §6), or None where it is none."""
    match = _NODE.fullmatch(text)
    try:
        return str(ipaddress.ip_address(match[1] or match[2] or match[3])) if match else None
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _network_of(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition('%')[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, SITE_BITS), strict=False))
