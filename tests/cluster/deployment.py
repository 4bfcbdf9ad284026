"""Deployments: nodes behind a balancer, on the databases that service/OPERATIONS.md describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.cluster.databases import GaleraNode, Postgresql
from tests.cluster.patroni import Etcd, PatroniNode
from tests.cluster.programs import THIS_HOST, Balancer, Host, Node, Program, get_status, wait_until


class Deployment(NamedTuple):
    """Running nodes behind a balancer."""

    nodes: list[Node]
    balancer: Balancer


def run(stack: ExitStack, *programs: Program) -> None:
    """Start the programs, and stop them with the stack."""
    for program in programs:
        stack.callback(program.kill)
        stack.callback(program.stop)
        program.start()


@contextmanager
def three_nodes(folder: Path, url: str, **options: Any) -> Iterator[Deployment]:
    """Run three nodes on one database behind a balancer; the options are those of Node."""
    nodes = [Node(name, folder, url, **options) for name in 'abc']
    with ExitStack() as stack:
        run(stack, *nodes)
        for node in nodes:
            node.wait_until_ready()
        balancer = Balancer(folder, nodes)
        run(stack, balancer)
        assert get_status(f'{nodes[0].origin}/metrics') == 200
        for spelling in ('metrics', 'metrics/', '%6Detrics', '/metrics', '%2Fmetrics'):
            assert get_status(f'{balancer.origin}/{spelling}') == 404, f'/{spelling} is exposed'
        yield Deployment(nodes, balancer)


@contextmanager
def on_postgresql(folder: Path, **options: Any) -> Iterator[tuple[Deployment, Postgresql]]:
    """Run three nodes on PostgreSQL; the options are those of Node."""
    with ExitStack() as stack:
        postgresql = Postgresql(folder)
        run(stack, postgresql)
        yield stack.enter_context(three_nodes(folder, postgresql.url, **options)), postgresql


@contextmanager
def on_patroni(folder: Path) -> Iterator[tuple[Deployment, list[PatroniNode]]]:
    """Run three nodes on three PostgreSQL servers, a primary with two standbys, one of them synchronous."""
    with ExitStack() as stack:
        etcd = Etcd(folder)
        run(stack, etcd)
        servers = [PatroniNode(number, folder, etcd) for number in (1, 2, 3)]
        for server in servers:
            run(stack, server)
            role = 'primary' if server is servers[0] else 'replica'
            wait_until(lambda server=server, role=role: server.has_role(role), f'{server.log} is {role}')  # type: ignore[misc]
        wait_until(
            lambda: any(server.has_role('synchronous') for server in servers), 'synchronous replication'
        )
        hosts = ','.join(f'127.0.0.1:{server.port}' for server in servers)
        url = f'postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write'
        yield stack.enter_context(three_nodes(folder, url)), servers


@contextmanager
def on_galera(
    folder: Path, hosts: Sequence[Host] = (THIS_HOST,) * 3
) -> Iterator[tuple[Deployment, list[GaleraNode]]]:
    """Run three nodes on a Galera cluster of three, each on one of the hosts."""
    with ExitStack() as stack:
        galera = [GaleraNode(number, folder, hosts) for number in (1, 2, 3)]
        for member in galera:
            stack.callback(member.kill)
            stack.callback(member.stop)
            member.start(*(['--wsrep-new-cluster'] if member is galera[0] else []))
        galera[0].run(
            'CREATE DATABASE app',
            "CREATE USER app IDENTIFIED BY 'app'",
            'GRANT ALL ON app.* TO app',
        )
        addresses = ','.join(member.address for member in galera)
        yield stack.enter_context(three_nodes(folder, f'mysql://app:app@{addresses}/app')), galera
