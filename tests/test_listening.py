"""Addresses on which the server cannot listen, the limit on open files, and the connections of a worker."""

from __future__ import annotations

import errno
import os
import resource
import socket
from pathlib import Path
from typing import Any

import pytest

from service.config import SettingError
from service.serving.listening import MAX_OPEN_FILES, check_addresses, raise_open_files


class PrivilegedSocket(socket.socket):
    """A socket that this user is not permitted to bind."""

    def bind(self, address: Any, /) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_the_error_for_a_privileged_port_suggests_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('socket.socket', PrivilegedSocket)
    with pytest.raises(
        SettingError, match=r'PORT: 127\.0\.0\.1:80 may not be used by this user; choose a PORT'
    ):
        check_addresses([('127.0.0.1', 80)])


def test_a_unix_socket_needs_an_existing_folder() -> None:
    with pytest.raises(SettingError, match="HOST: the folder '/nowhere' of the unix socket does not exist"):
        check_addresses(['/nowhere/x.sock'])


def test_a_file_at_the_path_of_a_unix_socket_is_kept(tmp_path: Path) -> None:
    path = tmp_path / 'socket'
    path.write_text('mine')
    with pytest.raises(SettingError, match='exists and is not a socket'):
        check_addresses([str(path)])
    assert path.read_text() == 'mine'


@pytest.mark.parametrize(
    ('soft', 'hard', 'raised', 'connections'),
    [
        (1024, 524288, MAX_OPEN_FILES, 1000),
        (1024, 1024, None, 824),
        (256, 4096, 4096, 1000),
        (256, 256, None, 56),
        (100, 100, None, 20),
        (1024, resource.RLIM_INFINITY, MAX_OPEN_FILES, 1000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 1000),
    ],
)
def test_the_limit_on_open_files_is_raised(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int | None, connections: int
) -> None:
    changes: list[tuple[int, int]] = []
    monkeypatch.setattr('resource.getrlimit', lambda _: (soft, hard))
    monkeypatch.setattr('resource.setrlimit', lambda _, limits: changes.append(limits))
    assert raise_open_files() == connections
    assert changes == ([] if raised is None else [(raised, hard)])
