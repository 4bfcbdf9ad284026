"""Operations: the declaration of what each method of a resource accepts, requires and responds with."""

import dataclasses
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from service.domain.rate_limits import RateLimit
from service.representation.action import Action
from service.representation.document import Document, Identifier
from service.representation.json_schema import Schema
from service.representation.kind import Kind
from service.representation.query import PageNames
from service.representation.query_parameters import NO_QUERY, QueryOptions
from service.representation.url_builder import UrlBuilder

HTTP_METHODS = frozenset(
    ('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY')
)
SERVED_METHODS = sorted(HTTP_METHODS - {'CONNECT', 'TRACE'})
SAFE_METHODS = frozenset(('GET', 'HEAD', 'OPTIONS', 'QUERY'))
_MEMBERS = ('tag', 'operation_name', 'operations')
_RESPONDERS = frozenset(f'on_{method.lower()}' for method in HTTP_METHODS)


class Access(enum.Enum):
    """The clients that may use an operation."""

    PUBLIC = enum.auto()
    """Anyone: credentials are ignored, even invalid ones."""
    ANYONE = enum.auto()
    """Anyone, but invalid credentials are rejected."""
    SHARED = enum.auto()
    """Anyone, with one response for all: browser sessions are ignored, invalid tokens rejected."""
    TOKEN = enum.auto()
    """Anyone with a valid token."""
    OWNER = enum.auto()
    """The owner of the resource, with a valid token; the domain decides who that is."""
    SECRET = enum.auto()
    """Anyone with the secret in the URL: browser sessions are ignored, invalid tokens rejected."""
    CREDENTIALS = enum.auto()
    """Anyone with a password or a token, which the responder verifies itself."""


class Formats(enum.Enum):
    """The representations among which the Accept header of a request chooses."""

    DOCUMENT = enum.auto()
    """Every format of documents."""
    RELATIONSHIP = enum.auto()
    """Every format that can represent a relationship."""
    OWN = enum.auto()
    """The formats that the responder itself negotiates."""
    FIXED = enum.auto()
    """None: there is one representation, whatever Accept says (RFC 9110 §12.4.1), or no content at all."""


class Samples(NamedTuple):
    """Labelled sample documents of one kind, e.g. as their owner and as another user see them.

    They are examples; the kind declares the members of such a document. `pages` makes them if they
    depend on how a format names the parameters of pages.
    """

    kind: Kind
    documents: Callable[[UrlBuilder], Mapping[str, Document]]
    pages: Callable[[UrlBuilder, PageNames], Mapping[str, Document]] | None = None

    def in_dialect(self, builder: UrlBuilder, names: PageNames) -> Mapping[str, Document]:
        """Return the documents as a format with these names of parameters represents them."""
        return self.pages(builder, names) if self.pages else self.documents(builder)


class RawResponse(NamedTuple):
    """A response that is not a Document: its possible Content-Types, its schema, and an example of it."""

    name: str
    content_types: tuple[str, ...]
    schema: Schema
    example: Callable[[UrlBuilder], Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """The declaration of one method of a resource: what it accepts, requires and responds with.

    Middleware enforces it, and the OpenAPI document is generated from it.

    `summary` and `description` explain it in the OpenAPI document. `responses` has the content of each
    successful response by status, None for one without content. `form` validates the body, or the query of
    a GET. `query` declares the query parameters. GET responds with 304 only if it is `cacheable`. A
    `deprecated` operation has a successor. An unsafe method needs a token with the scope `write`, unless it
    `changes_own_token` and nothing else. `limits` are rate limits; every response below 500 has the remaining
    quotas. `linkage` returns the identifiers of the documents that a new resource will be related to, by
    relation. `errors` are the statuses of problems that do not follow from the rest of the declaration.
    """

    summary: str
    description: str
    responses: Mapping[int, Samples | RawResponse | None]
    access: Access = Access.TOKEN
    form: Action | None = None
    query: QueryOptions = NO_QUERY
    formats: Formats = Formats.DOCUMENT
    cacheable: bool = True
    deprecated: bool = False
    changes_own_token: bool = False
    limits: tuple[RateLimit, ...] = ()
    errors: tuple[int, ...] = ()
    linkage: Callable[[Any], Mapping[str, Identifier]] | None = None

    @property
    def is_relationship(self) -> bool:
        """Whether it represents or changes a relationship, not a resource."""
        return self.formats is Formats.RELATIONSHIP

    def needs_write_scope(self, method: str) -> bool:
        """Return whether the method requires a token that permits writes."""
        needs_token = self.access in (Access.TOKEN, Access.OWNER)
        return method not in SAFE_METHODS and needs_token and not self.changes_own_token

    @property
    def accepts_idempotency_key(self) -> bool:
        """Whether it accepts an Idempotency-Key as a POST.

        It does not if the response, which is stored, has a secret, nor if it is a redirect.
        """
        return self.access is not Access.CREDENTIALS and not self.deprecated


class Resource(Protocol):
    """A falcon resource: its operations by method, and its names in the OpenAPI document.

    A resource with an empty `tag` is not in the OpenAPI document.
    """

    tag: str
    operation_name: str

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by method; HEAD and OPTIONS are added to every resource."""


Route = tuple[str, Resource]


def operation_of(resource: Resource, method: str) -> Operation | None:
    """Return the operation of a method.

    HEAD has that of GET, and so has QUERY if GET lists a collection. Every resource has OPTIONS.
    """
    if method == 'OPTIONS':
        return options_of(resource)
    if method == 'QUERY' and has_query(resource):
        method = 'GET'
    return resource.operations.get('GET' if method == 'HEAD' else method)


def options_of(resource: Resource) -> Operation:
    """Return the operation of OPTIONS, which ignores credentials if all others do."""
    is_public = all(operation.access is Access.PUBLIC for operation in resource.operations.values())
    return _PUBLIC_OPTIONS if is_public else _OPTIONS


def kinds_of(resources: Iterable[Resource]) -> dict[str, dict[str, str]]:
    """Return the kinds of all documents that the resources respond with, by name.

    Each maps relations to the kinds of the documents that can be included.
    """
    operations = [operation for resource in resources for operation in resource.operations.values()]
    names = (operation.query.kind for operation in operations)
    kinds: dict[str, dict[str, str]] = {name: {} for name in names if name}
    for content in (content for operation in operations for content in operation.responses.values()):
        if isinstance(content, Samples):
            kinds[content.kind.name] = dict(content.kind.relationships)
    return kinds


def methods_of(resource: Resource) -> tuple[str, ...]:
    """Return the methods of a resource in alphabetical order, HEAD and OPTIONS included."""
    return tuple(sorted(method for method in HTTP_METHODS if operation_of(resource, method)))


def has_query(resource: Resource) -> bool:
    """Return whether the resource supports QUERY (RFC 10008): collections and their former URLs do."""
    get = resource.operations.get('GET')
    return get is not None and (get.query.paginated or get.deprecated)


def has_patch(resource: Resource) -> bool:
    """Return whether the resource, and not only a relationship, can be patched."""
    patch = resource.operations.get('PATCH')
    return patch is not None and not patch.is_relationship


_OPTIONS = Operation('List methods', 'Allow lists them.', {204: None}, Access.ANYONE, formats=Formats.FIXED)
_PUBLIC_OPTIONS = dataclasses.replace(_OPTIONS, access=Access.PUBLIC)
UNROUTED = Operation('', '', {}, Access.PUBLIC, formats=Formats.FIXED)  # of a request that matches no route


class DeclarationError(TypeError):
    """A resource does not match its declaration; the text is one sentence for the developer."""


def check_declaration(resource: Resource) -> None:
    """Raise DeclarationError unless each responder has its Operation and each Operation its responder.

    The query of an operation with a form names the kind of the document that has the form. The resource must
    not have other public members, because a misspelt one would have no effect.
    """
    name, members = type(resource).__name__, {name for name in dir(resource) if not name.startswith('_')}
    for member in _MEMBERS:
        if member not in members:
            raise DeclarationError(f'{name} has no {member}.')
    expected = {f'on_{method.lower()}' for method in resource.operations}
    for responder in sorted(expected - members):
        raise DeclarationError(f'{name} has an Operation without the responder {responder}.')
    for method, operation in resource.operations.items() if resource.tag else ():
        if operation.form is not None and not operation.query.kind:
            raise DeclarationError(f'{name}: the Operation of {method} has a form, so it needs a query.')
    for member in sorted(members - expected - set(_MEMBERS)):
        if member in _RESPONDERS:
            raise DeclarationError(f'{name}.{member} has no Operation.')
        raise DeclarationError(f'{name}.{member} is not a member that a resource can have.')
