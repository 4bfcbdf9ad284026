"""The database servers of a deployment."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pymysql

from tests.cluster.programs import THIS_HOST, Host, Program, find_program, make_folder, wait_until
from tests.server import free_port

RESPONSE_SECONDS = 2.0


def accepts_connections(url: str) -> bool:
    """Return whether PostgreSQL, or a pooler of it, accepts connections at the URL."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


class Postgresql(Program):
    """A PostgreSQL server."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f'postgresql://postgres@127.0.0.1:{self.port}/postgres'
        data = folder / 'postgresql'
        installer = Program(
            (
                find_program('initdb', '/usr/lib/postgresql/*/bin/initdb'),
                *('-D', str(data), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale', 'C.UTF-8'),
            ),
            folder / 'initdb.log',
            user='postgres',
        )
        make_folder(data, 'postgres')
        installer.start()
        installer.wait()
        command = (
            find_program('/usr/lib/postgresql/*/bin/postgres', 'postgres'),
            *('-D', str(data), '-p', str(self.port), '-k', str(data), '-c', 'listen_addresses=127.0.0.1'),
        )
        super().__init__(command, folder / 'postgresql.log', user='postgres')

    def start(self, *more: str) -> None:
        """Start the server, and wait until it accepts connections."""
        super().start(*more)
        wait_until(lambda: accepts_connections(self.url), 'PostgreSQL accepts connections')


class PgBouncer(Program):
    """PgBouncer in transaction mode: the transactions of a client run on changing server connections."""

    def __init__(self, folder: Path, postgresql: Postgresql) -> None:
        self.port = free_port()
        self.url = f'postgresql://postgres@127.0.0.1:{self.port}/postgres?prepared_statements=off'
        file = folder / 'pgbouncer.ini'
        file.write_text(PGBOUNCER.format(server=postgresql.port, port=self.port))
        command = (find_program('pgbouncer', '/usr/sbin/pgbouncer'), str(file))
        super().__init__(command, folder / 'pgbouncer.log', user='postgres')

    def start(self, *more: str) -> None:
        """Start PgBouncer, and wait until it accepts connections."""
        super().start(*more)
        wait_until(lambda: accepts_connections(self.url.partition('?')[0]), 'PgBouncer accepts connections')


PGBOUNCER = """
[databases]
postgres = host=127.0.0.1 port={server} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""


class GaleraNode(Program):
    """A MariaDB server in a Galera cluster of three, each on one of the hosts."""

    def __init__(self, number: int, folder: Path, hosts: Sequence[Host] = (THIS_HOST,) * 3) -> None:
        host = hosts[number - 1]
        self.host = host
        self.port = 4400 + number
        self.address = f'{host.address}:{self.port}'
        directory = folder / f'galera{number}'
        self._socket = str(directory / 's.sock')
        make_folder(directory, 'mysql')
        file = folder / f'galera{number}.cnf'
        members = ','.join(f'{other.address}:45{index}1' for index, other in enumerate(hosts, 1))
        file.write_text(
            GALERA.format(
                directory=directory, port=self.port, number=number, host=host.address, base=f'45{number}',
                members=members, provider=find_program('/usr/lib/galera/libgalera_smm.so'),
            )
        )  # fmt: skip
        installer = Program(
            (
                find_program('mariadb-install-db'),
                *(f'--defaults-file={file}', '--auth-root-authentication-method=normal', '--skip-test-db'),
            ),
            folder / f'install{number}.log',
            user='mysql',
        )
        installer.start()
        installer.wait()
        super().__init__(
            (find_program('mariadbd', '/usr/sbin/mariadbd'), f'--defaults-file={file}'),
            folder / f'galera{number}.log',
            user='mysql',
            host=host,
        )

    def start(self, *more: str) -> None:
        """Start the node, and wait until it is synchronized."""
        super().start(*more)
        wait_until(lambda: self.status() == 'Synced', f'{self.log} is synced')

    def status(self) -> str:
        """Return the state of the node in the cluster."""
        try:
            return str(self.run("SHOW STATUS LIKE 'wsrep_local_state_comment'")[0][1])
        except (OSError, pymysql.Error):
            return ''

    def count_connections(self) -> int:
        """Return the number of connections to the node."""
        return int(str(self.run("SHOW STATUS LIKE 'Threads_connected'")[0][1]))

    def run(self, *statements: str) -> Sequence[Sequence[object]]:
        """Run statements as the administrator, and return the rows of the last one."""
        # If PyMySQL cannot connect, it leaves its own socket open.
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(RESPONSE_SECONDS)
            channel.connect(self._socket)
            server = pymysql.Connection(user='root', defer_connect=True)
            server.connect(channel)
            with server, server.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                rows: Sequence[Sequence[object]] = cursor.fetchall()
            return rows


GALERA = """
[mysqld]
datadir={directory}/data
socket={directory}/s.sock
pid-file={directory}/pid
bind-address={host}
skip-name-resolve
port={port}
binlog_format=ROW
default_storage_engine=InnoDB
innodb_autoinc_lock_mode=2
innodb_flush_log_at_trx_commit=2
innodb_buffer_pool_size=64M
innodb_log_file_size=48M
wsrep_on=ON
wsrep_provider={provider}
wsrep_cluster_name=halcyon
wsrep_cluster_address=gcomm://{members}
wsrep_node_name=n{number}
wsrep_node_address={host}:{base}1
wsrep_provider_options="base_port={base}1;ist.recv_addr={host}:{base}2;\
gmcast.listen_addr=tcp://{host}:{base}1;gcache.size=64M"
wsrep_sst_method=rsync
wsrep_sst_receive_address={host}:{base}4
"""
