"""What a request carries on its way: the database, the address book, who asks, and what they want to get."""

from collections.abc import Callable, Mapping, Sequence

import falcon

from service.database.session import Session
from service.domain.viewer import Viewer
from service.middleware.forwarded import client_address
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.formats import Format
from service.representation.queries import Query, Vocabulary

REQUEST = 'halcyon.request'  # where the WSGI environment has this object
REQUEST_ID = 'halcyon.request_id'

Expand = Callable[['Request', Sequence[int], Query], Mapping[int, Document]]
Expansions = Mapping[tuple[str, str], Expand]


class Request(falcon.Request):
    """falcon's request with what the middleware finds out about it.

    `db` and `book` are always there, `viewer` is None for who shows no token, `format` is what a
    Document in the response is rendered in. Of a request that has a resource, `vocabulary` is what can be
    asked of it, `target_id` the id that the address names, `query` what is asked; `expansions` has, by
    kind and relation, what makes the documents there, by the ids of those that lead there.
    """

    __slots__ = (
        'book',
        'db',
        'expansions',
        'format',
        'kinds',
        'read_query',
        'target_id',
        'viewer',
        'vocabulary',
    )

    db: Session
    book: AddressBook
    viewer: Viewer | None
    format: Format
    vocabulary: Vocabulary | None
    target_id: str
    kinds: frozenset[str]
    expansions: Expansions
    read_query: Query | None

    @property
    def id(self) -> str:
        """What the log and the answer call the request."""
        return str(self.env[REQUEST_ID])

    @property
    def caller(self) -> Viewer:
        """The viewer, where a token is needed and therefore was there."""
        assert self.viewer is not None
        return self.viewer

    @property
    def query(self) -> Query:
        """What the parameters ask of the resource; raises InvalidParameter."""
        if self.read_query is None:
            self.read_query = self.format.dialect.read(self.params, self.vocabulary, self.kinds)
        return self.read_query

    @property
    def sent(self) -> str | None:
        """The Content-Type of the body, None without a body (RFC 9112 §6.3)."""
        has_body = (
            self.env.get('CONTENT_LENGTH') not in (None, '', '0') or 'HTTP_TRANSFER_ENCODING' in self.env
        )
        return self.env.get('CONTENT_TYPE') if has_body else None

    @property
    def client_address(self) -> str:
        """The network address that the request comes from, as it is counted."""
        return client_address(self.env, self.db.settings.forwarded_allow_ips)
