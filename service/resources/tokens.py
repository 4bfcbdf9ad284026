"""Tokens: signing in, renewing, listing and revoking."""

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

import falcon

from service import urls
from service.database.clock import iso_time
from service.database.pagination import PageRequest
from service.domain.errors import Invalid, Unauthenticated
from service.domain.throttle import SIGN_IN
from service.domain.tokens import (
    MAX_LIFETIME,
    MAX_NAME_LENGTH,
    MIN_LIFETIME,
    PREFIX,
    Issuer,
    NewToken,
    TokenOptions,
    TokenRecord,
    VerifiedAccount,
    find_token,
    is_signed,
    issue_token,
    list_tokens,
    renew_token,
    revoke_other_tokens,
    revoke_token,
    verify_account,
)
from service.domain.users import find_user
from service.domain.viewer import SCOPES, WRITE, Viewer, require_permission, require_write_scope
from service.http.cache_control import NO_STORE
from service.http.conditional import creation_check, precondition, target_precondition
from service.http.credentials import audience, authenticate, read_basic
from service.http.operation import Access, Operation, Route, Samples
from service.http.request import Expansions, Find, Request
from service.http.request_body import read_body
from service.representation.action import Action, Field, Form
from service.representation.display import ActionDisplay, Column, Crumb, Display, Note
from service.representation.document import Document
from service.representation.kind import Kind, Member, Presence, id_member, time_member
from service.representation.query import Query
from service.representation.query_parameters import QueryOptions
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import represent_listing
from service.resources.module import EntryPointPart, LinkRelation
from service.resources.relationships import to_many_route
from service.resources.response_samples import sample_collection, sample_pages
from service.resources.responses import add_invalidation_links, respond_no_content
from service.resources.signing_keys import KeysResource

# The format of a new token: a random secret, or a signed JWT that other services can verify (RFC 9068).
_FORMAT = Field('format', 'Format', type='hidden', regex=None, options=('opaque', 'jwt'))
# The properties of a new token that a program can choose when it signs in, also with Basic credentials.
_TOKEN_FIELDS = (
    Field('name', 'Name of the token', max_length=MAX_NAME_LENGTH, trim=True, nullable=True, on_pages=False),
    Field('scope', 'Scope', regex=None, options=SCOPES, on_pages=False),
    Field(
        'expires_in',
        'Seconds until it expires',
        type='number',
        min=str(MIN_LIFETIME),
        max=str(MAX_LIFETIME),
        step='1',
        on_pages=False,
    ),
    _FORMAT,
)
LOGIN = Action(
    'login',
    'POST',
    'Sign in',
    (
        Field('username', 'User name', required=True, autocomplete='username'),
        Field('password', 'Password', type='password', required=True, autocomplete='current-password'),
        *_TOKEN_FIELDS,
    ),
)
BASIC_LOGIN = Action('login', 'POST', 'Sign in', _TOKEN_FIELDS)
RENEW = Action('renew', 'POST', 'Renew', (_FORMAT,))
REVOKE = Action('revoke', 'DELETE', 'Revoke')
REVOKE_OTHERS = Action('revoke-others', 'DELETE', 'Sign out everywhere else')


KIND = Kind(
    'tokens',
    'Token',
    (
        id_member('Identifies the token; it is not the secret.'),
        time_member('created_at', 'When the token was issued.'),
        time_member('expires_at', 'When the token expires.'),
        time_member('last_used_at', 'When the token was last used to change something.', nullable=True),
        Member('user_agent', 'The User-Agent of the request by which the token was issued.', nullable=True),
        Member('name', 'The name that the client chose for the token.', nullable=True),
        Member('scope', 'The scope of the token: `write` permits everything, `read` permits no changes.'),
        Member('current', 'Whether it is the token in the request.', 'boolean'),
        Member('token', 'The secret, to be sent as a Bearer token.', presence=Presence.CREATION),
        Member(
            'token_type', 'The authentication scheme of the secret: `Bearer`.', presence=Presence.CREATION
        ),
        Member('expires_in', 'Seconds until the token expires.', 'integer', presence=Presence.CREATION),
    ),
    links=('collection',),
    display=Display(
        plural='Sign-ins',
        columns=(
            Column(
                'user_agent',
                'Device',
                is_device=True,
                name='name',
                notes=(Note('current', True, 'this one'), Note('scope', 'read', 'read only')),
            ),
            Column('created_at', 'Since'),
            Column('last_used_at', 'Last change'),
            Column('expires_at', 'Until'),
        ),
        actions={
            'renew': ActionDisplay(is_hidden=True),
            'revoke': ActionDisplay('The sign-in is revoked.', is_in_rows=True),
            'revoke-others': ActionDisplay(
                'You are signed out everywhere else.', question='This signs you out everywhere but here.'
            ),
        },
    ),
)


def represent_token(token: TokenRecord, viewer: Viewer | None, builder: UrlBuilder) -> Document:
    """Return the token without its secret."""
    self_link = builder.link_to(urls.TOKEN, token_id=token.id)
    is_current = viewer is not None and viewer.token_id == token.id
    forms: tuple[Form, ...] = ()
    if viewer is None or viewer.can_write:
        forms = (REVOKE.at(self_link.href),)
        if is_current:
            renew = RENEW if builder.features.signed_tokens else RENEW.without('format')
            forms += (renew.at(builder.url_for(urls.TOKENS)),)
    return Document(
        kind='tokens',
        id=str(token.id),
        properties={
            'id': token.id,
            'created_at': iso_time(token.created_at),
            'expires_at': iso_time(token.expires_at),
            'last_used_at': None if token.last_used_at is None else iso_time(token.last_used_at),
            'user_agent': token.user_agent,
            'name': token.name,
            'scope': token.scope,
            'current': is_current,
        },
        links={'self': self_link, 'curies': builder.curies, 'collection': builder.link_to(urls.TOKENS)},
        forms=forms,
        display=KIND.display,
        parents=(Crumb('Sign-ins', builder.url_for(urls.TOKENS)),),
    )


def represent_new_token(new: NewToken, builder: UrlBuilder) -> Document:
    """Return a newly issued token with its secret, which no later response contains (RFC 6750 §4)."""
    document = represent_token(new.token, None, builder)
    secret = {
        'token': new.secret,
        'token_type': 'Bearer',
        'expires_in': max(1, (new.token.expires_at - new.token.created_at) // 1000),
    }
    return Document(document.kind, document.id, {**document.properties, **secret}, document.links)


SAMPLES = Samples(
    KIND,
    lambda builder: {
        'presented': represent_token(sample_data.TOKEN, sample_data.OWNER, builder),
        'other': represent_token(
            sample_data.TOKEN._replace(last_used_at=None, user_agent=None), sample_data.OTHER_USER, builder
        ),
    },
)
NEW_SAMPLES = Samples(
    KIND,
    lambda builder: {
        'first': represent_new_token(
            NewToken(sample_data.TOKEN._replace(last_used_at=None, user_agent=None), PREFIX + 'A' * 43),
            builder,
        ),
        'renewed': represent_new_token(NewToken(sample_data.TOKEN, PREFIX + 'B' * 43), builder),
    },
)
_PAGE = QueryOptions('tokens', paginated=True)
_ONE = _PAGE.of_one()


class TokensResource:
    """The viewer's tokens; POST issues one for a password, or renews the one presented."""

    tag = 'tokens'
    operation_name = 'Tokens'
    operations: ClassVar = {
        'GET': Operation(
            'List tokens',
            'Your own valid tokens, without their secrets.',
            {200: sample_pages(urls.TOKENS, SAMPLES, (REVOKE_OTHERS, urls.OTHER_TOKENS))},
            query=_PAGE,
        ),
        'POST': Operation(
            'Sign in',
            'Issues a token for a user name and a password, in the body or as Basic credentials, or for a '
            'token to be renewed. Only this response contains the secret.',
            {200: NEW_SAMPLES},
            Access.CREDENTIALS,
            LOGIN,
            _ONE,
            limits=SIGN_IN,
        ),
        'DELETE': Operation(
            'Sign out',
            'Revokes the token that is presented.',
            {204: None},
            query=_PAGE,
            changes_own_token=True,
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.media = _represent_tokens(req, req.query)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        resp.set_header('Cache-Control', NO_STORE)
        resp.media = represent_new_token(_issue(req), req.builder)
        add_invalidation_links(resp, req.builder.url_for(urls.TOKENS))

    def on_delete(self, req: Request, resp: falcon.Response) -> None:
        revoke_token(req.db, req.user.token_id, by=req.user, precondition=target_precondition(req))
        respond_no_content(resp, req.builder.url_for(urls.TOKEN, token_id=req.user.token_id))


class OtherTokensResource:
    """All of the viewer's tokens but the presented one."""

    tag = 'tokens'
    operation_name = 'OtherTokens'
    operations: ClassVar = {
        'DELETE': Operation(
            'Sign out everywhere else',
            'Revokes all of your tokens but the one that is presented.',
            {204: None},
            query=_PAGE,
        ),
    }

    def on_delete(self, req: Request, resp: falcon.Response) -> None:
        require_write_scope(req.viewer)
        target_precondition(req)()
        revoke_other_tokens(req.db, by=req.user)
        respond_no_content(resp, req.builder.url_for(urls.TOKENS))


class UserTokensResource:
    """The viewer's tokens, at a URL with the viewer's id."""

    tag = 'tokens'
    operation_name = 'Tokens'
    operations: ClassVar = {'GET': dataclasses.replace(TokensResource.operations['GET'], access=Access.OWNER)}

    def on_get(self, req: Request, resp: falcon.Response, user_id: int) -> None:
        require_permission(find_user(req.db, user_id, req.viewer).is_own(req.viewer))
        resp.media = _represent_tokens(req, req.query)


class TokenResource:
    """One of the viewer's tokens."""

    tag = 'tokens'
    operation_name = 'Token'
    operations: ClassVar = {
        'GET': Operation(
            'Get a token',
            'One of your own tokens, without its secret.',
            {200: SAMPLES},
            Access.OWNER,
            query=_ONE,
        ),
        'DELETE': Operation(
            'Revoke a token',
            'Revokes one of your own tokens immediately.',
            {204: None},
            Access.OWNER,
            query=_ONE,
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, token_id: int) -> None:
        resp.media = represent_token(find_token(req.db, token_id, req.user), req.viewer, req.builder)

    def on_delete(self, req: Request, resp: falcon.Response, token_id: int) -> None:
        revoke_token(req.db, token_id, by=req.user, precondition=precondition(req, represent_token))
        respond_no_content(resp, req.builder.url_for(urls.TOKENS))


def _represent_tokens(req: Request, query: Query) -> Document:
    page = list_tokens(req.db, query.page_request, req.user)
    url = req.builder.url_for(urls.TOKENS)
    forms = (REVOKE_OTHERS.at(req.builder.url_for(urls.OTHER_TOKENS)),) if req.user.can_write else ()
    return represent_listing(req, KIND, url, page, represent_token, query=query, forms=forms)


def _expand_tokens(req: Request, user_ids: Sequence[int], query: Query) -> dict[int, Document]:
    return {user_id: _represent_tokens(req, query) for user_id in user_ids}


def _find_tokens(req: Request, token_ids: Sequence[int]) -> dict[int, Document]:
    if req.viewer is None or not token_ids:
        return {}
    page = list_tokens(req.db, PageRequest(per_page=len(token_ids), ids=token_ids), req.user)
    return {token.id: represent_token(token, req.viewer, req.builder) for token in page.entries}


def _issue(req: Request) -> NewToken:
    """Issue a token for the credentials in the body, or else for those in the Authorization header.

    Wrong credentials in the header are reported before an invalid body. That does not help attackers: hashing
    a password costs as much with a valid body, and counts against the same limits.
    """
    try:
        body = read_body(req)
    except Exception:
        _verify_header(req)
        raise
    if 'username' in body or 'password' in body:
        target_precondition(req)()
        values = LOGIN.read(body)
        account = _verify_password(req, values.pop('username'), values.pop('password'))
        return issue_token(req.db, account, req.user_agent, _options(req, **values))
    verified = _verify_header(req)
    if verified is None:
        raise Unauthenticated('Send a user name and a password, or a token to be renewed.')
    target_precondition(req)()
    if isinstance(verified, VerifiedAccount):
        return issue_token(req.db, verified, req.user_agent, _options(req, **BASIC_LOGIN.read(body)))
    current_format = 'jwt' if is_signed(req.credentials.value) else 'opaque'
    issuer = _issuer(req, RENEW.read(body).get('format', current_format))
    return renew_token(req.db, verified, req.user_agent, issuer, creation_check(req))


def _verify_header(req: Request) -> VerifiedAccount | Viewer | None:
    """Verify the password or the token in the Authorization header; return None without credentials."""
    scheme, value = req.credentials
    if scheme == 'bearer':
        return authenticate(req, value)
    return _verify_password(req, *read_basic(value)) if scheme == 'basic' else None


def _verify_password(req: Request, username: str, password: str) -> VerifiedAccount:
    return verify_account(req.db, username, password, client_address=req.client_address, quotas=req.quotas)


def _options(
    req: Request,
    name: str = '',
    scope: str = WRITE,
    expires_in: Decimal | None = None,
    format: str = 'opaque',
) -> TokenOptions:
    lifetime = None if expires_in is None else int(expires_in)
    return TokenOptions(name or None, scope, lifetime, _issuer(req, format))


def _issuer(req: Request, format: str) -> Issuer | None:
    """Return the issuer of a signed token, None for an opaque one; raises Invalid without BASE_URL."""
    if format != 'jwt':
        return None
    if req.db.settings.base_url is None:
        raise Invalid([('format', 'can be jwt only on servers with BASE_URL')])
    return Issuer(req.db.settings.base_url, audience(req.db.settings))


def entry_point(viewer: Viewer | None, builder: UrlBuilder) -> EntryPointPart:
    """Return the links and forms of tokens on the entry point."""
    tokens = builder.link_to(urls.TOKENS)
    login = LOGIN if builder.features.signed_tokens else LOGIN.without('format')
    return EntryPointPart({'hc:tokens': tokens}, (login.at(tokens.href),) if viewer is None else ())


def _sample_token(builder: UrlBuilder) -> Document:
    return represent_token(sample_data.TOKEN, sample_data.OWNER, builder)


RELATIONS = (
    LinkRelation(
        'tokens',
        'Your tokens. POST issues one, by Basic credentials, by `username` and `password` in the body, or by '
        'a token to be renewed. GET lists your valid tokens; DELETE revokes the one that you present.',
        ('GET', 'POST', 'DELETE'),
        'a collection of tokens',
        sample_collection(urls.TOKENS, _sample_token),
        (BASIC_LOGIN.without(_FORMAT.name),),
    ),
)
EXPANSIONS: Expansions = {('users', 'hc:tokens'): _expand_tokens}
RESOURCES: Mapping[str, Find] = {'tokens': _find_tokens}
ROUTES: tuple[Route, ...] = (
    (urls.TOKENS, TokensResource()),
    (urls.OTHER_TOKENS, OtherTokensResource()),
    (urls.TOKEN, TokenResource()),
    (urls.KEYS, KeysResource()),
    to_many_route(urls.TOKENS_RELATIONSHIP, urls.TOKENS, UserTokensResource(), SAMPLES),
)
