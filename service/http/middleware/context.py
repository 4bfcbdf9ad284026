"""The context of a request: the database session, and the URLs of its origin."""

import re
from functools import lru_cache
from typing import Any

import falcon

from service.config import Settings, normal_origin
from service.database.session import Session
from service.http.forwarded import forwarding, without_prefix
from service.http.request import REQUEST, Home, Request
from service.representation.url_builder import Features, UrlBuilder

_ABSOLUTE = re.compile(r'([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)')


class ContextMiddleware:
    """Sets what every request needs, before routing; rejects an invalid Host or target (RFC 9112 §3.2).

    It is first in the list, so it processes responses last, and then returns the database connection.
    """

    def __init__(self, settings: Settings, db: Session, home: Home) -> None:
        self._home = home
        base_url = settings.base_url
        self._features = Features.of(settings)
        self._base_builder = UrlBuilder(base_url, self._features) if base_url else None
        self._trusted = settings.forwarded_allow_ips
        self._db = db

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Set what later middleware and resources rely on.

        Raises HTTPBadRequest for an invalid Host or target.
        """
        req.env[REQUEST] = req
        req.db = self._db
        req.home = self._home
        req.quotas = {}
        environ = req.env
        scheme = environ['wsgi.url_scheme']
        target_scheme, authority = _target(environ)
        try:
            _check_fragment(environ)
            builder = _builder(scheme, authority, '', self._features)
            if self._trusted:
                _, proto, host, prefix = forwarding(environ, self._trusted)
                authority = authority if host is None else host
                builder = _builder(proto or scheme, authority, prefix, self._features)
            _check_scheme(target_scheme, scheme, self._base_builder or builder)
        except ValueError as error:
            req.builder = self._base_builder or UrlBuilder(f'{scheme}://localhost')
            raise falcon.HTTPBadRequest(
                description=f'The URL of the request, from Host or a proxy header, is invalid: it {error}.'
            ) from None
        req.builder = self._base_builder or builder
        if req.builder.path:
            req.path = without_prefix(req.path, req.builder.path)

    def process_response(
        self, req: Request, resp: falcon.Response, resource: Any, req_succeeded: bool
    ) -> None:
        """Return the connection: a Document needs nothing more from the database."""
        self._db.release()


def _target(environ: dict[str, Any]) -> tuple[str | None, str]:
    """Return the scheme and the authority of an absolute target, else None and Host (RFC 9112 §3.2.2).

    Only HTTP/1.0 allows a request without an authority.
    """
    absolute = _ABSOLUTE.match(environ.get('RAW_URI', ''))
    if absolute is not None:
        return absolute[1].lower(), absolute[2]
    if 'HTTP_HOST' not in environ and environ.get('SERVER_PROTOCOL') == 'HTTP/1.0':
        return None, f'{environ["SERVER_NAME"]}:{environ["SERVER_PORT"]}'
    return None, str(environ.get('HTTP_HOST', ''))


def _check_fragment(environ: dict[str, Any]) -> None:
    """Raise ValueError for a target with a fragment, which servers cut off (RFC 9112 §3.2)."""
    if '#' in environ.get('RAW_URI', ''):
        raise ValueError('must not have a fragment')


def _check_scheme(named: str | None, used: str, builder: UrlBuilder) -> None:
    """Raise ValueError for a target with a scheme that the client cannot have used (RFC 9110 §7.4).

    It can have used that of the connection, or that of our URLs, which a proxy before the server speaks.
    """
    public = builder.origin.partition(':')[0]
    if named not in (None, used, public):
        raise ValueError(f'must have the scheme {public}')


@lru_cache(maxsize=256)
def _builder(scheme: str, authority: str, prefix: str, features: Features) -> UrlBuilder:
    return UrlBuilder(normal_origin(scheme, authority) + prefix, features)
