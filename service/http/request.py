"""The request: falcon's, with the database, the URLs, the viewer, the operation, the format and the query."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import falcon

from service.database.session import Session
from service.domain.viewer import Viewer
from service.http.forwarded import client_address
from service.http.operation import Operation
from service.representation.document import Document
from service.representation.formats import Format
from service.representation.query_parameters import Kinds, Query
from service.representation.url_builder import UrlBuilder

REQUEST = 'halcyon.request'  # where the WSGI environment has this object
REQUEST_ID = 'halcyon.request_id'

Expand = Callable[['Request', Sequence[int], Query], Mapping[int, Document]]
Expansions = Mapping[tuple[str, str], Expand]
Find = Callable[['Request', Sequence[int]], Mapping[int, Document]]


class Related(NamedTuple):
    """How related documents are found, for many at once.

    `kinds` has by kind the relations whose documents can be included, with the kind of these. `pages`
    has by kind and relation what finds the first page of those that belong to each of several owners,
    `resources` has by kind what finds the documents with these ids, as far as they exist.
    """

    kinds: Kinds
    pages: Expansions
    resources: Mapping[str, Find]


NOTHING_RELATED = Related({}, {}, {})


class Request(falcon.Request):
    """falcon's request with what middleware finds out about it; ContextMiddleware sets all of it first.

    `db` and `builder` are the database and the URLs of the request's origin. `viewer` is None until a token
    was presented. `operation` is UNROUTED until a resource is found. `format` is what a Document in the
    response is rendered in, `query` what the parameters ask, and `related` finds the documents that are
    related to others. `resource_id` is the id in the path. `json_api_body` is the body once it was read as
    JSON:API, else None.
    """

    __slots__ = (
        'builder',
        'db',
        'format',
        'json_api_body',
        'operation',
        'query',
        'related',
        'resource_id',
        'viewer',
    )

    db: Session
    builder: UrlBuilder
    viewer: Viewer | None
    operation: Operation
    format: Format
    query: Query
    json_api_body: Mapping[str, Any] | None
    related: Related
    resource_id: str

    @property
    def id(self) -> str:
        """What the log and the answer call the request."""
        return str(self.env[REQUEST_ID])

    @property
    def user(self) -> Viewer:
        """The viewer of a request whose operation needs a token."""
        assert self.viewer is not None
        return self.viewer

    @property
    def body_content_type(self) -> str | None:
        """The Content-Type of the body, None without a body (RFC 9112 §6.3)."""
        has_body = (
            self.env.get('CONTENT_LENGTH') not in (None, '', '0') or 'HTTP_TRANSFER_ENCODING' in self.env
        )
        return self.env.get('CONTENT_TYPE') if has_body else None

    @property
    def client_address(self) -> str:
        """The network address that the request comes from, as it is counted."""
        return client_address(self.env, self.db.settings.forwarded_allow_ips)
