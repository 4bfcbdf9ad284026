"""The request: falcon's, with the database, the URLs, the viewer, the operation, the format and the query."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import falcon

from service.database.session import Session
from service.domain.rate_limits import Quotas
from service.domain.viewer import Viewer
from service.http.forwarded import client_address, without_prefix
from service.http.operation import Operation
from service.representation.document import Document
from service.representation.formats import Format
from service.representation.query_parameters import Kinds, Query
from service.representation.url_builder import UrlBuilder

REQUEST = 'halcyon.request'  # where the WSGI environment has this object
REQUEST_ID = 'halcyon.request_id'
_AUTHORITY = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*')  # of a target in absolute form
_SENT = "%/:@!$&'()*+,;=-._~"  # what stands in a path as it is (RFC 3986 §3.3), and what is escaped already

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


class SubmittedForm(NamedTuple):
    """A form that a page posted: the target, the fields, and the URL to which it leads once it succeeded."""

    target: str
    fields: Mapping[str, Any]
    back: str


class PageParts(NamedTuple):
    """What pages have around and below a document: the entry point, and documents by kind and relation."""

    home: Callable[[Viewer | None, UrlBuilder], Document]
    sections: Expansions


class Request(falcon.Request):
    """falcon's request with what middleware finds out about it; ContextMiddleware sets all of it first.

    `db` and `builder` are the database and the URLs of the request's origin. `viewer` is None until a token
    was presented. `operation` is UNROUTED until a resource is found. `format` is what a Document in the
    response is rendered in, `query` what the parameters ask, and `related` finds the documents that are
    related to others. `submitted` is the form that a page posted, if one did; `page_parts` is what pages
    need besides a document. `resource` is the target of the request, None until one is found; `path_values`
    are the variables of its URL, and `resource_id` is the id among them. `json_api_body` is the body once it
    was read as JSON:API, else None. `is_counted` tells whether the request counts against the limit of its
    client already, and `quotas` are what is left of the limits that apply. `queried` are the parameters of a
    QUERY, once its body is read.
    """

    __slots__ = (
        'builder',
        'db',
        'format',
        'is_counted',
        'json_api_body',
        'operation',
        'page_parts',
        'path_values',
        'queried',
        'query',
        'quotas',
        'related',
        'resource',
        'resource_id',
        'submitted',
        'viewer',
    )

    db: Session
    builder: UrlBuilder
    viewer: Viewer | None
    operation: Operation
    format: Format
    query: Query
    related: Related
    json_api_body: Mapping[str, Any] | None
    is_counted: bool
    quotas: Quotas
    queried: Mapping[str, str | list[str]] | None
    resource: Any  # a Resource, with its responders
    path_values: Mapping[str, Any]
    resource_id: str
    submitted: SubmittedForm | None
    page_parts: PageParts

    @property
    def id(self) -> str:
        """What the log and the answer call the request."""
        return str(self.env[REQUEST_ID])

    @property
    def params(self) -> Mapping[str, str | list[str]]:
        """The query parameters: those of the target, and in a QUERY those in the body, too."""
        return super().params if self.queried is None else self.queried

    @property
    def raw_path(self) -> str:
        """The path of the target as it was sent, percent-encoding included, without the prefix."""
        target = self.env.get('RAW_URI') or quote(self.path)
        path = quote(_AUTHORITY.sub('', target).partition('?')[0] or '/', safe=_SENT)
        return without_prefix(path, self.builder.path)

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
