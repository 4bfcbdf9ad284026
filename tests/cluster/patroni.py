"""PostgreSQL with Patroni, which replaces a failed primary, and etcd, with which Patroni elects a new one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tests.cluster.programs import Program, find_program, get_status, make_folder, wait_until
from tests.server import free_port


class Etcd(Program):
    """An etcd server."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        clients, peers = f'http://127.0.0.1:{self.port}', f'http://127.0.0.1:{free_port()}'
        command = (
            find_program('etcd'),
            *('--data-dir', str(folder / 'etcd'), '--initial-cluster', f'default={peers}'),
            *('--listen-client-urls', clients, '--advertise-client-urls', clients),
            *('--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers),
        )
        super().__init__(command, folder / 'etcd.log')

    def start(self, *more: str) -> None:
        """Start etcd, and wait until it is healthy."""
        super().start(*more)
        wait_until(lambda: get_status(f'http://127.0.0.1:{self.port}/health') == 200, 'etcd is healthy')


class PatroniNode(Program):
    """A PostgreSQL server that Patroni runs: the primary, the synchronous standby, or another standby."""

    def __init__(self, number: int, folder: Path, etcd: Etcd) -> None:
        directory = folder / f'patroni{number}'
        make_folder(directory, 'postgres')
        self.port = free_port()
        self._api = f'http://127.0.0.1:{free_port()}'
        self._postmaster = directory / 'data' / 'postmaster.pid'
        file = folder / f'patroni{number}.yml'
        server = Path(find_program('/usr/lib/postgresql/*/bin/postgres'))
        file.write_text(
            PATRONI.format(
                number=number, directory=directory, port=self.port, api=self._api.removeprefix('http://'),
                etcd=etcd.port, bin=server.parent,
            )
        )  # fmt: skip
        super().__init__(
            (find_program('patroni'), str(file)),
            folder / f'patroni{number}.log',
            environment={'HOME': str(directory), 'TMPDIR': str(directory)},
            user='postgres',
        )

    def has_role(self, role: str) -> bool:
        """Return whether PostgreSQL runs in the role `primary`, `replica` or `synchronous`."""
        return get_status(f'{self._api}/{role}') == 200

    def kill(self) -> None:
        """Kill Patroni and PostgreSQL (SIGKILL)."""
        if self.is_running:
            super().kill()
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int(self._postmaster.read_text().split()[0]), 9)


PATRONI = """
scope: halcyon
name: n{number}
restapi: {{listen: '{api}', connect_address: '{api}'}}
etcd3: {{host: '127.0.0.1:{etcd}'}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    synchronous_mode: true
    postgresql: {{use_pg_rewind: true, parameters: {{wal_log_hints: 'on'}}}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}]
postgresql:
  listen: '127.0.0.1:{port}'
  connect_address: '127.0.0.1:{port}'
  data_dir: '{directory}/data'
  bin_dir: '{bin}'
  pgpass: '{directory}/pgpass'
  pg_hba: [host all all 127.0.0.1/32 trust, host replication all 127.0.0.1/32 trust]
  authentication:
    superuser: {{username: postgres, password: postgres}}
    replication: {{username: replication, password: replication}}
    rewind: {{username: rewind, password: rewind}}
  parameters: {{unix_socket_directories: '{directory}'}}
"""
