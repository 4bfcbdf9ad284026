"""What a request carries on its way: the database, the address book, who asks, and what they want to get."""

import falcon

from service.domain.database import Database
from service.domain.viewer import Viewer
from service.middleware.forwarded import client_address
from service.representation.addresses import AddressBook
from service.representation.formats import Format


class Request(falcon.Request):
    """falcon's request with what the middleware finds out about it.

    `db` and `book` are always there, `viewer` is None for who shows no token, `format` is what a
    Document in the response is rendered in.
    """

    __slots__ = ('book', 'db', 'format', 'viewer')

    db: Database
    book: AddressBook
    viewer: Viewer | None
    format: Format

    @property
    def caller(self) -> Viewer:
        """The viewer, where a token is needed and therefore was there."""
        assert self.viewer is not None
        return self.viewer

    @property
    def client_address(self) -> str:
        """The network address that the request comes from, as it is counted."""
        return client_address(self.env, self.db.settings.forwarded_allow_ips)
