"""Failures of a node on SQLite."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.cluster.deployment import run
from tests.cluster.load import Load, Row
from tests.cluster.programs import Node, children_of, wait_until

ROUNDS = 12
SPACE_BYTES = 3 * 1024 * 1024
BALLAST_BYTES = 1024 * 1024


@contextmanager
def node_on_sqlite(folder: Path, disk: Path) -> Iterator[Node]:
    """Run one node with two workers, and its database on the disk."""
    with ExitStack() as stack:
        node = Node('a', folder, f'sqlite:///{disk}/halcyon.db', WEB_CONCURRENCY='2')
        run(stack, node)
        node.wait_until_ready()
        yield node


def killed_sqlite_workers(folder: Path, seconds: float) -> Row:
    """Kill one of two workers on SQLite, twelve times."""
    with node_on_sqlite(folder, folder) as node:
        with Load(node.origin) as load:
            for _ in range(ROUNDS):
                time.sleep(seconds / ROUNDS)
                os.kill(random.choice(children_of(node.pid)), signal.SIGKILL)
                wait_until(lambda: len(children_of(node.pid)) == 2, 'two workers')
            time.sleep(seconds / ROUNDS)
        return load.evaluate('SQLite workers killed -9')


def full_disk(folder: Path, seconds: float) -> Row:
    """Fill the disk of SQLite, and free space again."""
    disk = folder / 'disk'
    disk.mkdir()
    with ExitStack() as stack:
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SPACE_BYTES}', 'tmpfs', str(disk)], check=True)
        stack.callback(subprocess.run, ['umount', str(disk)], check=True)
        ballast = disk / 'ballast'
        ballast.write_bytes(bytes(BALLAST_BYTES))
        node = stack.enter_context(node_on_sqlite(folder, disk))
        with Load(node.origin, retry_seconds=0) as load:
            wait_until(lambda: sum(user.client.failed for user in load.users) > 20, 'the disk is full')
            time.sleep(seconds / 3)
            ballast.unlink()
            time.sleep(seconds / 3)
        return load.evaluate('disk full')
