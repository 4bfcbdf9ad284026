"""Preparing to listen: checking the address, and raising the limit on open files."""

import errno
import os
import resource
import socket
import stat
from collections.abc import Iterable
from contextlib import closing

from service.config import SettingError, Settings, host_and_port

MAX_OPEN_FILES = 65536
RESERVED_FILES = 200  # open files of a worker that are not connections of clients
MIN_WORKER_CONNECTIONS = 20
MAX_WORKER_CONNECTIONS = 1000  # gunicorn's default
REASONS = {
    errno.EADDRINUSE: 'is in use by another program; stop it, or choose another PORT',
    errno.EACCES: 'may not be used by this user; choose a PORT of 1024 or above',
    errno.EADDRNOTAVAIL: 'is not an address of this machine; choose another HOST',
    errno.EAFNOSUPPORT: 'has an address family that this machine does not support; choose another HOST',
}

Address = tuple[str, int] | str


def address_of(settings: Settings) -> Address:
    """Return the address to listen on: a host and a port, or the path of a unix socket."""
    return settings.socket_path or (settings.host, settings.port)


def accepts_connections(address: Address) -> bool:
    """Return whether a server listens on the address."""
    family = socket.AF_UNIX if isinstance(address, str) else _family(address[0])
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False
        return True


def check_addresses(addresses: Iterable[Address | int]) -> None:
    """Raise SettingError for the first address that is not available; ints are open sockets."""
    for address in addresses:
        if isinstance(address, str):
            _check_path(address)
        elif isinstance(address, tuple):
            _check_port(*address)


def _check_port(host: str, port: int) -> None:
    try:
        with closing(socket.socket(_family(host), socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)  # two sockets that do not listen can be bound to one port
    except OSError as error:
        reason = REASONS.get(error.errno or 0, f'cannot be used: {error.strerror or error}')
        name = 'HOST' if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) else 'PORT'
        raise SettingError(f'{name}: {host_and_port(host, port)} {reason}') from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ':' in host else socket.AF_INET


def _check_path(path: str) -> None:
    """Check a unix socket: gunicorn would replace one that another server uses."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise SettingError(f'HOST: the folder {folder!r} of the unix socket does not exist')
    if not os.access(folder, os.W_OK):
        raise SettingError(f'HOST: this user may not create a unix socket in {folder!r}')
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise SettingError(f'HOST: {path!r} exists and is not a socket')
    if accepts_connections(path):
        raise SettingError(f'HOST: unix:{path} is in use by another program; stop it, or choose another path')


def raise_open_files() -> int:
    """Raise the limit on open files as far as allowed, and return how many connections a worker can hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    if soft == resource.RLIM_INFINITY:
        return MAX_WORKER_CONNECTIONS
    return max(MIN_WORKER_CONNECTIONS, min(MAX_WORKER_CONNECTIONS, soft - RESERVED_FILES))
