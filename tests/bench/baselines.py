"""The baselines: one user's document as a constant, served by plain WSGI and by bare falcon."""

from collections.abc import Callable, Iterable
from typing import Any

import falcon
import orjson
from falcon.media import JSONHandler

HREF = 'http://localhost:8000/api/users/890802396781952'
DOCUMENT = {
    '_links': {
        'self': {'href': HREF},
        'curies': [{'href': 'http://localhost:8000/api/rels/{rel}', 'templated': True, 'name': 'hc'}],
        'collection': {'href': 'http://localhost:8000/api/users'},
        'hc:followers': {'href': f'{HREF}/followers'},
        'hc:following': {'href': f'{HREF}/following'},
        'hc:posts': {'href': f'{HREF}/posts'},
        'hc:avatar': {'href': f'https://www.gravatar.com/avatar/{"0" * 64}?d=identicon&s=128'},
        'hc:follow': {'href': f'{HREF}/following/890802396781953'},
    },
    'id': 890802396781952,
    'username': 'ada',
    'about_me': 'Countess of Lovelace',
    'last_seen': '2026-11-22T15:04:27.123+00:00',
    'member_since': '2026-11-22T15:04:27.123+00:00',
    'post_count': 3,
    'follower_count': 2,
    'following_count': 1,
}
_BODY = orjson.dumps(DOCUMENT)
_HEADERS = [('Content-Type', 'application/json'), ('Content-Length', str(len(_BODY)))]


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Respond to every request with the constant; no Python application under this server can be faster."""
    start_response('200 OK', _HEADERS)
    return [_BODY]


class ConstantResource:
    """The constant, serialized for each request as any document is."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, user_id: str) -> None:
        resp.media = DOCUMENT


def bare_falcon() -> Any:
    """Return the smallest falcon application that serves the constant with orjson."""
    app: Any = falcon.App()
    handler = JSONHandler(dumps=orjson.dumps, loads=orjson.loads)
    app.resp_options.media_handlers['application/json'] = handler
    app.add_route('/api/users/{user_id}', ConstantResource())
    return app
