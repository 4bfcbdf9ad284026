"""Failures of nodes that send mail."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from service.domain.outbox import LEASE_SECONDS
from tests.cluster.deployment import on_postgresql
from tests.cluster.load import Load, Registrar, Row
from tests.cluster.programs import children_of, wait_until
from tests.mail_server import mail_server

ROUNDS = 6
WORKERS = 2
MESSAGE_SECONDS = 0.05  # that the mail server takes for each message, so that most kills interrupt one
GRACE_SECONDS = 30.0
SETTINGS = {
    'MAIL_FROM': 'halcyon@example.org',
    'BASE_URL': 'http://halcyon.test',
    'WEB_CONCURRENCY': str(WORKERS),
}


def killed_senders(folder: Path, seconds: float) -> Row:
    """Kill workers while they send the emails of registrations; an email that is not sent counts as lost."""
    with mail_server() as server, on_postgresql(folder, MAIL_URL=server.url, **SETTINGS) as (deployment, _):
        server.seconds = MESSAGE_SECONDS
        with Load(deployment.balancer.origin, Registrar) as load:
            for _ in range(ROUNDS):
                time.sleep(seconds / ROUNDS)
                node = random.choice(deployment.nodes)
                os.kill(random.choice(children_of(node.pid)), signal.SIGKILL)
                wait_until(lambda node=node: len(children_of(node.pid)) == WORKERS, 'all workers')  # type: ignore[misc]
        missing = {email for user in load.users for email in user.registered}
        end = time.monotonic() + LEASE_SECONDS + GRACE_SECONDS
        while missing and time.monotonic() < end:
            time.sleep(0.5)
            missing.difference_update(server.recipients)
        row = load.evaluate('mail, workers killed -9')
        return row._replace(lost=row.lost + len(missing))
