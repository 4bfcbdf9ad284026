"""A clock that is stepped on one node."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from pathlib import Path

from tests.cluster.deployment import on_postgresql
from tests.cluster.load import RETRY_SECONDS, Load, Row, VirtualUser
from tests.cluster.programs import Node

HOUR = 3600
PAGE = 50


class TwoNodeUser:
    """A user who sends each write to both nodes, and reads the pages of a collection from them in turn.

    `lost` counts published posts that are on no page, `duplicated` posts that were created or listed twice.
    """

    def __init__(self, *nodes: Node) -> None:
        name = f'two_nodes_{time.time_ns():x}'
        self._users = [VirtualUser(node.origin, name, RETRY_SECONDS) for node in nodes]
        self._users[0].sign_up()
        for user in self._users[1:]:
            user.links = self._users[0].links
            user.sign_in()
        self._published: list[str] = []
        self.lost = self.duplicated = 0

    def publish(self) -> None:
        """Publish a post by sending the same request to both nodes."""
        key = uuid.uuid4().hex
        for user in self._users:
            status, post = user.client.request('POST', user.href('hc:posts'), {'body': key}, key)
            assert status == 201, (status, post)
            if user is self._users[0]:
                self._published.append(post['id'])
            self.duplicated += post['id'] != self._published[-1]
        self._users.reverse()

    def read(self) -> None:
        """Read all pages of posts, each from another node than the page before."""
        published, listed = set(self._published), []
        href: str | None = f'{self._users[0].href("hc:posts")}?per_page={PAGE}'
        while href:
            page = self._users[0].client.get(href)
            listed += [post['id'] for post in page['_embedded']['item']]
            href = page['_links'].get('next', {}).get('href')
            self._users.reverse()
        self.lost += len(published.difference(listed))
        self.duplicated += len(listed) - len(set(listed))

    def close(self) -> None:
        """Close the connections to the nodes."""
        for user in self._users:
            user.client.close()


def stepped_clock(folder: Path, seconds: float) -> Row:
    """Set the clock of one of three nodes an hour ahead, back, an hour behind, and back again."""
    with on_postgresql(folder, has_own_clock=True) as (deployment, _):
        node, other, _ = deployment.nodes
        with closing(TwoNodeUser(node, other)) as visitor, Load(deployment.balancer.origin) as load:
            for offset in (0, HOUR, 0, -HOUR, 0):
                node.step_clock(offset)
                visitor.publish()
                time.sleep(seconds / 5)
                visitor.publish()
                visitor.read()
        rejected = sum(user.client.rejected_tokens for user in load.users)
        row = load.evaluate(f'clock stepped by 1 h ({rejected} times signed in again)')
        return row._replace(lost=row.lost + visitor.lost, duplicated=row.duplicated + visitor.duplicated)
