"""The request class: falcon's, with the database, URLs, viewer, operation, format and query."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import falcon

from service.database.session import Session
from service.domain.rate_limits import Quotas
from service.domain.viewer import Viewer
from service.http.forwarded import client_address, without_prefix
from service.http.operation import UNROUTED, Operation
from service.representation.document import Document
from service.representation.formats import DEFAULT, FORMATS, Format
from service.representation.query import Query
from service.representation.selection_parameters import Kinds
from service.representation.url_builder import UrlBuilder

REQUEST = 'halcyon.request'  # the key of the Request in the WSGI environment
REQUEST_ID = 'halcyon.request_id'
_AUTHORITY = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*')  # of a target in absolute form
_UNESCAPED = "%/:@!$&'()*+,;=-._~"  # characters that a path may contain (RFC 3986 §3.3), and `%`

Expand = Callable[['Request', Sequence[int], Query], Mapping[int, Document]]
Expansions = Mapping[tuple[str, str], Expand]
Find = Callable[['Request', Sequence[int]], Mapping[int, Document]]
Home = Callable[[Viewer | None, UrlBuilder], Document]


class Related(NamedTuple):
    """The functions that find related documents, for many resources at once.

    `kinds` maps each kind and relation to the kind of the documents that can be included. `pages` maps kinds
    and relations to the function that finds the first page for each owner. `resources` maps kinds to the
    function that finds the documents with the given ids; those that do not exist are missing from its result.
    """

    kinds: Kinds
    pages: Expansions
    resources: Mapping[str, Find]


NOTHING_RELATED = Related({}, {}, {})


class Credentials(NamedTuple):
    """The parts of an Authorization header; the scheme is in lower case, empty without the header."""

    scheme: str
    value: str


class SubmittedForm(NamedTuple):
    """A form that a page posted: the target, the fields, and the URL to redirect to on success."""

    target: str
    fields: Mapping[str, Any]
    back: str


class Request(falcon.Request):
    """falcon's request with attributes that middleware sets.

    ContextMiddleware sets those without a value here.
    """

    db: Session
    builder: UrlBuilder
    """Builds URLs of the request's origin."""
    home: Home
    """Represents the entry point, to which pages link."""
    quotas: Quotas
    """The remaining quotas of the rate limits that apply."""
    viewer: Viewer | None = None
    """None until a token is verified."""
    operation: Operation = UNROUTED
    resource: Any = None
    """The Resource with its responders, None until a route matches."""
    path_values: Mapping[str, Any] = {}
    """The values of the variables in the URL."""
    format: Format = FORMATS[DEFAULT]
    """Renders the Document of the response."""
    query: Query = FORMATS[DEFAULT].dialect.no_parameters
    queried: Mapping[str, str | list[str]] | None = None
    """The parameters of a QUERY, once its body is read."""
    related: Related = NOTHING_RELATED
    """Finds related documents."""
    deferred_error: Exception | None = None
    """An error in the query or the Idempotency-Key, raised once the resource is found and may be used."""
    json_api_body: Mapping[str, Any] | None = None
    """The body, if it was read as JSON:API."""
    submitted: SubmittedForm | None = None
    """The form that a page posted, if any."""
    is_counted: bool = False
    """Whether the request already counts against a rate limit."""
    is_session_invalid: bool = False
    """Whether the session cookie has a token that has expired or was revoked."""

    @property
    def id(self) -> str:
        """The id of the request in the log and in the response."""
        return str(self.env[REQUEST_ID])

    @property
    def credentials(self) -> Credentials:
        """The credentials in the Authorization header (RFC 9110 §11.4)."""
        scheme, _, value = self.env.get('HTTP_AUTHORIZATION', '').strip().partition(' ')
        return Credentials(scheme.lower(), value.strip())

    @property
    def params(self) -> Mapping[str, str | list[str]]:
        """The query parameters of the target, and for QUERY those of the body, too."""
        return super().params if self.queried is None else self.queried

    @property
    def raw_path(self) -> str:
        """The path of the target as it was sent, still percent-encoded, without the prefix."""
        target = self.env.get('RAW_URI') or quote(self.path)
        path = quote(_AUTHORITY.sub('', target).partition('?')[0] or '/', safe=_UNESCAPED)
        return without_prefix(path, self.builder.path)

    @property
    def uncounted_address(self) -> str | None:
        """The client's IP address, or None if the request already counts against its rate limits."""
        return None if self.is_counted else self.client_address

    @property
    def resource_id(self) -> str:
        """The id of the resource in JSON:API: the variables of its URL, joined by hyphens."""
        return '-'.join(str(value) for value in self.path_values.values())

    @property
    def user(self) -> Viewer:
        """The viewer of a request whose operation needs a token."""
        assert self.viewer is not None
        return self.viewer

    @property
    def viewer_id(self) -> int | None:
        """The id of the viewer, None for an anonymous client."""
        return self.viewer.user_id if self.viewer else None

    @property
    def body_content_type(self) -> str | None:
        """The Content-Type of the body, None without a body (RFC 9112 §6.3)."""
        has_body = (
            self.env.get('CONTENT_LENGTH') not in (None, '', '0') or 'HTTP_TRANSFER_ENCODING' in self.env
        )
        return self.env.get('CONTENT_TYPE') if has_body else None

    @property
    def client_address(self) -> str:
        """The client's IP address or network, by which rate limits count."""
        return client_address(self.env, self.db.settings.forwarded_allow_ips)
