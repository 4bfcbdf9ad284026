"""A network of hosts, each in a network namespace, that can be partitioned."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.cluster.programs import Host, find_program

PREFIX = '198.18.77'  # of a network for benchmarks (RFC 2544)
BRIDGE = 'halcyon'


@contextmanager
def three_hosts() -> Iterator[list[Host]]:
    """Connect three hosts with each other and with this machine, by a bridge."""
    find_program('ip', '/usr/sbin/ip')
    hosts = [Host(f'{PREFIX}.{number}', f'{BRIDGE}{number}') for number in (1, 2, 3)]
    with ExitStack() as stack:
        _ip('link', 'add', BRIDGE, 'type', 'bridge')
        stack.callback(_ip, 'link', 'delete', BRIDGE)
        _ip('address', 'add', f'{PREFIX}.254/24', 'dev', BRIDGE)
        _ip('link', 'set', BRIDGE, 'up')
        for host in hosts:
            name = str(host.namespace)
            _ip('netns', 'add', name)
            stack.callback(_ip, 'netns', 'delete', name)
            _ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
            _ip('link', 'set', name, 'master', BRIDGE, 'up')
            _ip('-n', name, 'address', 'add', f'{host.address}/24', 'dev', 'eth0')
            _ip('-n', name, 'link', 'set', 'eth0', 'up')
            _ip('-n', name, 'link', 'set', 'lo', 'up')
        yield hosts


@contextmanager
def separated(host: Host, hosts: list[Host]) -> Iterator[None]:
    """Drop all packets between a host and the others; this machine still reaches all of them."""
    with ExitStack() as stack:
        for other in hosts:
            if other == host:
                continue
            route = ('blackhole', f'{other.address}/32')
            _ip('-n', str(host.namespace), 'route', 'add', *route)
            stack.callback(_ip, '-n', str(host.namespace), 'route', 'delete', *route)
        yield


@contextmanager
def unplugged(host: Host) -> Iterator[None]:
    """Drop all packets from and to a host."""
    _ip('link', 'set', str(host.namespace), 'down')
    try:
        yield
    finally:
        _ip('link', 'set', str(host.namespace), 'up')


def _ip(*arguments: str) -> None:
    subprocess.run(['ip', *arguments], check=True)
