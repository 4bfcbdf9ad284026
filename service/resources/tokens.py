"""Tokens: signing in, renewing, listing and revoking."""

from typing import Any, ClassVar

import falcon

from service import urls
from service.domain.errors import Unauthenticated
from service.domain.tokens import (
    PREFIX,
    NewToken,
    Token,
    find_token,
    find_viewer,
    list_tokens,
    renew_token,
    revoke_token,
    sign_in,
)
from service.domain.viewer import Viewer
from service.middleware.authentication import read_authorization, read_basic, token_of
from service.middleware.body import read_body
from service.middleware.conditional import NO_STORE, precondition
from service.middleware.links import invalidates
from service.middleware.request import Request
from service.representation.action import Action, Field, Form
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.queries import read_page_query
from service.resources.answers import MOMENT, VIEWER, Answers, Samples, sample_pages
from service.resources.collections import represent_page
from service.resources.relation import Entry, Relation
from service.resources.times import represent_time

LOGIN = Action(
    'login',
    'POST',
    'Sign in',
    (
        Field('username', 'User name', required=True, autocomplete='username'),
        Field('password', 'Password', type='password', required=True, autocomplete='current-password'),
    ),
)
RENEW = Action('renew', 'POST', 'Renew')
REVOKE = Action('revoke', 'DELETE', 'Revoke')


def represent_token(token: Token, viewer: Viewer | None, book: AddressBook) -> Document:
    """Return the token without its secret."""
    here = book.link(urls.TOKEN, token_id=token.id)
    forms: tuple[Form, ...] = (REVOKE.at(here.href),)
    if viewer is not None and viewer.token_id == token.id:
        forms += (RENEW.at(book.href(urls.TOKENS)),)
    return Document(
        kind='tokens',
        id=str(token.id),
        properties={
            'id': token.id,
            'created_at': represent_time(token.created_at),
            'expires_at': represent_time(token.expires_at),
            'last_used_at': None if token.last_used_at is None else represent_time(token.last_used_at),
            'user_agent': token.user_agent,
        },
        links={'self': here, 'curies': book.curies, 'collection': book.link(urls.TOKENS)},
        forms=forms,
    )


def represent_new_token(new: NewToken, book: AddressBook) -> Document:
    """Return a token that was just made, with the secret that is shown this once (RFC 6750 §4)."""
    document = represent_token(new.token, None, book)
    secret = {
        'token': new.secret,
        'token_type': 'Bearer',
        'expires_in': (new.token.expires_at - new.token.created_at) // 1000,
    }
    return Document(document.kind, document.id, {**document.properties, **secret}, document.links)


_OWN_TOKEN = Token(
    VIEWER.token_id, VIEWER.user_id, MOMENT, MOMENT + 3_600_000, MOMENT, MOMENT, 'HTTPie/3.2.4'
)
SAMPLES = Samples(
    'token',
    lambda book: {
        'presented': represent_token(_OWN_TOKEN, VIEWER, book),
        'other': represent_token(
            _OWN_TOKEN._replace(id=_OWN_TOKEN.id + 4096, last_used_at=None, user_agent=None), VIEWER, book
        ),
    },
)
NEW_SAMPLE = Samples(
    'new-token',
    lambda book: {
        'issued': represent_new_token(
            NewToken(_OWN_TOKEN._replace(last_used_at=None), PREFIX + 'A' * 43), book
        )
    },
)


class TokensResource:
    """The viewer's tokens; one is issued for a password, or for a token that is to be renewed."""

    own_credentials = frozenset(('POST',))
    reads: ClassVar = {'POST': LOGIN}
    answers: ClassVar[Answers] = {
        'GET': {200: sample_pages(urls.TOKENS, SAMPLES)},
        'POST': {200: NEW_SAMPLE},
        'DELETE': {204: None},
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.media = _represent_tokens(req)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        resp.set_header('Cache-Control', NO_STORE)
        resp.media = represent_new_token(_issue(req), req.book)
        invalidates(resp, req.book.href(urls.TOKENS))

    def on_delete(self, req: Request, resp: falcon.Response) -> None:
        given = precondition(req, lambda *_: _represent_tokens(req))
        revoke_token(req.db, req.caller.token_id, by=req.caller, given=given)
        resp.status = falcon.HTTP_204
        invalidates(resp, req.book.href(urls.TOKEN, token_id=req.caller.token_id))


class TokenResource:
    """One token of the viewer's."""

    for_owner = frozenset(('GET', 'DELETE'))
    answers: ClassVar[Answers] = {'GET': {200: SAMPLES}, 'DELETE': {204: None}}

    def on_get(self, req: Request, resp: falcon.Response, token_id: int) -> None:
        resp.media = represent_token(find_token(req.db, token_id, req.caller), req.viewer, req.book)

    def on_delete(self, req: Request, resp: falcon.Response, token_id: int) -> None:
        revoke_token(req.db, token_id, by=req.caller, given=precondition(req, represent_token))
        resp.status = falcon.HTTP_204
        invalidates(resp, req.book.href(urls.TOKENS))


def _represent_tokens(req: Request) -> Document:
    query = read_page_query(req.params)
    page = list_tokens(req.db, query.position, req.caller)
    items = [represent_token(token, req.viewer, req.book) for token in page.entries]
    return represent_page('tokens', req.book.href(urls.TOKENS), query, page, items, req.book)


def _issue(req: Request) -> NewToken:
    """Issue a token for what the request shows: a name and a password in its body, else its Authorization."""
    user_agent = req.user_agent
    body = read_body(req)
    if 'username' in body or 'password' in body:
        return sign_in(req.db, **LOGIN.read(body), user_agent=user_agent)
    scheme, value = read_authorization(req)
    if scheme == 'bearer':
        req.viewer = find_viewer(req.db, token_of(value))
        return renew_token(req.db, req.viewer, user_agent)
    if scheme == 'basic':
        username, password = read_basic(value)
        return sign_in(req.db, username=username, password=password, user_agent=user_agent)
    raise Unauthenticated('Send a user name and a password, or a token that is to be renewed.')


def enter(viewer: Viewer | None, book: AddressBook) -> Entry:
    """Return what the entry point says of tokens."""
    tokens = book.link(urls.TOKENS)
    return Entry({'hc:tokens': tokens}, (LOGIN.at(tokens.href),) if viewer is None else ())


RELATIONS = (
    Relation(
        'tokens',
        'Where a token is had: post with Basic credentials, with `username` and `password` in the body, or '
        'with a token that is to be renewed. Getting it lists your live tokens, deleting it revokes the '
        'one you show.',
        ('GET', 'POST', 'DELETE'),
    ),
)
ROUTES: tuple[tuple[str, Any], ...] = ((urls.TOKENS, TokensResource()), (urls.TOKEN, TokenResource()))
