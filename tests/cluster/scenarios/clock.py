"""Steps of the clock of one node."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from pathlib import Path

from tests.cluster.deployment import on_postgresql
from tests.cluster.load import RETRY_SECONDS, Load, Person, Row
from tests.cluster.programs import Node

HOUR = 3600
PAGE = 50


class TwoNodeUser:
    """A user who sends the same writes to two nodes, and reads the pages of a collection from both.

    `lost` counts published posts that are on no page, `duplicated` posts that were created or read twice.
    """

    def __init__(self, *nodes: Node) -> None:
        name = f'two_nodes_{time.time_ns():x}'
        self._people = [Person(node.origin, name, RETRY_SECONDS) for node in nodes]
        self._people[0].sign_up()
        for person in self._people[1:]:
            person.links = self._people[0].links
            person.sign_in()
        self._published: list[str] = []
        self.lost = self.duplicated = 0

    def publish(self) -> None:
        """Publish a post by the same request to both nodes."""
        key = uuid.uuid4().hex
        for person in self._people:
            status, post = person.caller.request('POST', person.href('hc:posts'), {'body': key}, key)
            assert status == 201, (status, post)
            if person is self._people[0]:
                self._published.append(post['id'])
            self.duplicated += post['id'] != self._published[-1]
        self._people.reverse()

    def read(self) -> None:
        """Read all posts, and change the node after each page."""
        published, listed = set(self._published), []
        href: str | None = f'{self._people[0].href("hc:posts")}?per_page={PAGE}'
        while href:
            page = self._people[0].caller.get(href)
            listed += [post['id'] for post in page['_embedded']['item']]
            href = page['_links'].get('next', {}).get('href')
            self._people.reverse()
        self.lost += len(published.difference(listed))
        self.duplicated += len(listed) - len(set(listed))

    def close(self) -> None:
        """Close the connections to the nodes."""
        for person in self._people:
            person.caller.close()


def stepped_clock(folder: Path, seconds: float) -> Row:
    """Set the clock of one of three nodes an hour ahead, back, an hour behind, and back again."""
    with on_postgresql(folder, has_own_clock=True) as (deployment, _):
        node, other, _ = deployment.nodes
        with closing(TwoNodeUser(node, other)) as user, Load(deployment.balancer.origin) as load:
            for ahead in (0, HOUR, 0, -HOUR, 0):
                node.step_clock(ahead)
                user.publish()
                time.sleep(seconds / 5)
                user.publish()
                user.read()
        rejected = sum(person.caller.rejected_tokens for person in load.people)
        row = load.evaluate(f'clock stepped by 1 h ({rejected} times signed in again)')
        return row._replace(lost=row.lost + user.lost, duplicated=row.duplicated + user.duplicated)
