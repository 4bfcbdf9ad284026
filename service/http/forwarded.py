"""Forwarding headers: the trusted proxies of a request, and its original client."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from service import urls
from service.config import UNIX, normal_path

_PAIR = re.compile(r'\s*+(?:([A-Za-z]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s",;]*+)))?+\s*+([;,]|$)')
_NODE = re.compile(r'\[([0-9a-f:.]+)\](?::\d+)?|([0-9.]+)(?::\d+)?|([0-9a-f:.]+)', re.ASCII | re.IGNORECASE)
_PORT = re.compile(r':[0-9]*$')
_ROOTS = [url.split('/')[1:2] for url in (urls.ENTRY, urls.ASSET, urls.LIVE, urls.METRICS, urls.API_CATALOG)]
SITE_BITS = 64  # the prefix length of the smallest network that an IPv6 subscriber gets (RFC 6177 §2)


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

    The list is empty for a malformed header: an unclosed quote of a client could hide what the proxy added.
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


class Forwarding(NamedTuple):
    """A request as the outermost trusted proxy received it: the client's address, scheme, authority, prefix.

    Scheme and authority are None where no proxy names them. The `prefix` is the path that proxies removed.
    """

    address: str
    scheme: str | None = None
    authority: str | None = None
    prefix: str = ''


def forwarding(environ: Mapping[str, Any], networks: tuple[Any, ...]) -> Forwarding:
    """Return a request as its trusted proxies describe it; raises ValueError for a malformed port or prefix.

    It walks back from the peer through the trusted proxies, by Forwarded (RFC 7239 §4), else by
    X-Forwarded-*. Each element was added by the proxy that the next element names. `*` trusts only the peer,
    because a client could invent a chain; a chain of proxies must be listed. A proxy that does not name its
    client, or names it by something other than an IP address, counts as the client.
    """
    peer = environ.get('REMOTE_ADDR') or ''
    if not networks or not is_trusted(peer, networks):
        return Forwarding(peer)
    is_standard = 'HTTP_FORWARDED' in environ
    elements = read_forwarded(environ['HTTP_FORWARDED']) if is_standard else []
    hops = [element.get('for', '') for element in elements] if is_standard else _elements(environ, 'FOR')
    address, proxies = _find_client(peer, hops, tuple(network for network in networks if network != '*'))
    prefix = ''.join(map(normal_path, _elements(environ, 'PREFIX')[-proxies:]))
    if is_standard:
        parameters: dict[str, str] = {}
        for element in reversed(elements[-proxies:]):  # the outermost proxy that has a parameter decides
            parameters |= element
        return Forwarding(address, parameters.get('proto'), parameters.get('host'), prefix)
    scheme, authority, port = (_outermost(environ, name, proxies) for name in ('PROTO', 'HOST', 'PORT'))
    if port is not None:
        host = authority if authority is not None else environ.get('HTTP_HOST', '')
        authority = f'{_PORT.sub("", host)}:{port}'
    return Forwarding(address, scheme, authority, prefix)


def client_address(environ: Mapping[str, Any], networks: tuple[Any, ...]) -> str:
    """Return the client by which rate limits count: an IPv4 address, or the /64 network of an IPv6 one."""
    return _network_of(forwarding(environ, networks).address)


def without_prefix(path: str, prefix: str) -> str:
    """Return the path of a request without the prefix, which a proxy may have left in it.

    A prefix can look like a path of the API. A path of the API is therefore kept as it is, unless the rest is
    a path of the API as well.
    """
    rest = path.removeprefix(prefix)
    if rest == path or not (rest or '/').startswith('/') or (_is_api_path(path) and not _is_api_path(rest)):
        return path
    return rest or '/'


def _is_api_path(path: str) -> bool:
    return path.split('/')[1:2] in _ROOTS


def _find_client(address: str, hops: Sequence[str], networks: tuple[Any, ...]) -> tuple[str, int]:
    """Return the address of the client, and the number of trusted proxies."""
    proxies = 1
    for hop in reversed(hops):
        client = _read_node(hop)
        if client is None:
            break
        address = client
        if not is_trusted(address, networks):
            break
        proxies += 1
    return address, min(proxies, max(1, len(hops)))


def _elements(environ: Mapping[str, Any], name: str) -> list[str]:
    """Return the elements of an X-Forwarded header, the nearest proxy's last."""
    value = environ.get(f'HTTP_X_FORWARDED_{name}')
    return [] if value is None else [element.strip() for element in value.split(',')]


def _outermost(environ: Mapping[str, Any], name: str, proxies: int) -> str | None:
    """Return the element of the outermost trusted proxy, or the first one of a shorter list."""
    elements = _elements(environ, name)[-proxies:]
    return elements[0] if elements else None


def _read_node(text: str) -> str | None:
    """Return the IP address of a node without its port (RFC 7239 §6), None if it has none."""
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
