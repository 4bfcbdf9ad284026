"""Forwarding headers: which peers are believed, and which client a request really comes from."""

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


class Forwarding(NamedTuple):
    """A request as the outermost trusted proxy received it: the client's address, scheme, authority, prefix.

    Scheme and authority are None where no proxy names them. The `prefix` is the path that proxies removed.
    """

    address: str
    scheme: str | None = None
    authority: str | None = None
    prefix: str = ''


def forwarding(environ: Mapping[str, Any], networks: tuple[Any, ...]) -> Forwarding:
    """Return what the trusted proxies of a request say; raises ValueError for a malformed port or prefix.

    It walks from the peer back through proxies that are trusted, by Forwarded (RFC 7239 §4), else by
    X-Forwarded-*. Each element was added by the proxy that the next one names. `*` trusts the peer alone, for
    a chain could be made up: name the proxies of one. A proxy that hides its client, or has an unreadable
    one, counts as the client.
    """
    peer = environ.get('REMOTE_ADDR') or ''
    if not networks or not is_trusted(peer, networks):
        return Forwarding(peer)
    is_standard = 'HTTP_FORWARDED' in environ
    elements = read_forwarded(environ['HTTP_FORWARDED']) if is_standard else []
    hops = [element.get('for', '') for element in elements] if is_standard else _list(environ, 'FOR')
    address, proxies = _walk(peer, hops, tuple(network for network in networks if network != '*'))
    prefix = ''.join(map(normal_path, _list(environ, 'PREFIX')[-proxies:]))
    if is_standard:
        named: dict[str, str] = {}
        for element in reversed(elements[-proxies:]):  # a proxy that says nothing passed it on as it was
            named |= element
        return Forwarding(address, named.get('proto'), named.get('host'), prefix)
    scheme, authority, port = (_outermost(environ, name, proxies) for name in ('PROTO', 'HOST', 'PORT'))
    if port is not None:
        host = authority if authority is not None else environ.get('HTTP_HOST', '')
        authority = f'{_PORT.sub("", host)}:{port}'
    return Forwarding(address, scheme, authority, prefix)


def client_address(environ: Mapping[str, Any], networks: tuple[Any, ...]) -> str:
    """Return where a request comes from, as what is counted: an IPv4 address, or the /64 of an IPv6 one."""
    return _network_of(forwarding(environ, networks).address)


def without_prefix(path: str, prefix: str) -> str:
    """Return the path of a request without the prefix, which a proxy may have left in it.

    A prefix can be like a path of the API: what is one by itself stays, unless it is one without, too.
    """
    rest = path.removeprefix(prefix)
    if rest == path or not (rest or '/').startswith('/') or (_is_ours(path) and not _is_ours(rest)):
        return path
    return rest or '/'


def _is_ours(path: str) -> bool:
    return path.split('/')[1:2] in _ROOTS


def _walk(address: str, hops: Sequence[str], networks: tuple[Any, ...]) -> tuple[str, int]:
    """Return the address of the client, and the number of trusted proxies."""
    proxies = 1
    for hop in reversed(hops):
        found = _read_node(hop)
        if found is None:
            break
        address = found
        if not is_trusted(address, networks):
            break
        proxies += 1
    return address, min(proxies, max(1, len(hops)))


def _list(environ: Mapping[str, Any], name: str) -> list[str]:
    """Return the elements of an X-Forwarded header, the nearest proxy's last."""
    value = environ.get(f'HTTP_X_FORWARDED_{name}')
    return [] if value is None else [element.strip() for element in value.split(',')]


def _outermost(environ: Mapping[str, Any], name: str, proxies: int) -> str | None:
    """Return the element of the outermost trusted proxy; a shorter list was passed on as it was."""
    elements = _list(environ, name)[-proxies:]
    return elements[0] if elements else None


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
