"""The measured requests, which a client finds by following links."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from email.message import Message
from typing import Any

import uritemplate

from service.domain.demo.generator import CELEBRITY, PASSWORD, DemoData
from service.representation.formats import FORMATS
from service.representation.media_types import HAL
from tests.bench.data import NEIGHBOUR, READER, VISITOR, WRITER
from tests.bench.load import VIEWER, Case

JSON_BODY = {'Content-Type': 'application/json'}
SIGN_INS = 4  # connections of POST token: each occupies a core for the duration of bcrypt


class Visitor:
    """A signed-in client of one origin, which follows links."""

    def __init__(self, origin: str, username: str) -> None:
        self.headers = {'Accept': HAL}
        tokens = self.get(f'{origin}/api')['_links']['hc:tokens']['href']
        body = json.dumps({'username': username, 'password': PASSWORD})
        self.sign_in = Case('POST token', tokens, 200, 'POST', JSON_BODY, body, SIGN_INS)
        token = json.loads(send(self.sign_in)[1])['token']
        self.headers['Authorization'] = f'Bearer {token}'
        self.entry = self.get(f'{origin}/api')

    def get(self, href: str) -> Any:
        """Return the document at the URL."""
        return json.loads(send(Case('GET', href, headers=self.headers))[1])

    def follow(self, document: Any, rel: str, **variables: Any) -> Any:
        """Return the target of a link."""
        return self.get(href(document, rel, **variables))


def href(document: Any, rel: str, **variables: Any) -> str:
    """Return the URL of a link, with its template expanded."""
    link = document['_links'][rel]
    return uritemplate.expand(link['href'], variables) if link.get('templated') else link['href']


def send(case: Case) -> tuple[Message, bytes]:
    """Send a case once and return headers and body; exits if the status is wrong."""
    body = case.body.replace('{n}', 'once').encode() if case.body is not None else None
    href, headers = case.href, dict(case.headers)
    if case.viewers:
        token, user_id = case.viewers[0]
        href, headers['Authorization'] = href.replace(VIEWER, str(user_id)), f'Bearer {token}'
    request = urllib.request.Request(href, body, headers, method=case.method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, headers, text = response.status, response.headers, response.read()
    except urllib.error.HTTPError as response:
        status, headers, text = response.code, response.headers, response.read()
    if status != case.status:
        raise SystemExit(f'{case.name}: {case.method} {case.href}: status {status}: {text[:500]!r}')
    return headers, text


def baseline_cases(origin: str) -> Iterator[Case]:
    """Yield the request that the baselines serve; they ignore its token."""
    headers = {'Accept': HAL, 'Authorization': f'Bearer hc_{"x" * 43}'}
    yield Case('constant', f'{origin}/api/users/1', headers=headers)


def growing_cases(origin: str, data: DemoData) -> Iterator[Case]:
    """Yield the cases whose cost must not depend on the size of the data."""
    reader = Visitor(origin, data.username(READER))
    celebrity = reader.follow(reader.entry, 'hc:user', id=data.user_id(CELEBRITY))
    users = reader.follow(reader.entry, 'hc:users')
    followers = reader.follow(celebrity, 'hc:followers')
    posts = href(reader.entry, 'hc:posts')
    by_price = reader.get(f'{href(reader.entry, "hc:items")}?sort=price')
    for name, url in (
        ('GET user', href(reader.entry, 'hc:user', id=data.user_id(NEIGHBOUR))),
        ('GET celebrity', href(celebrity, 'self')),
        ('page of 10', href(users, 'hc:page', page=1, per_page=10)),
        ('last page of 10', href(users, 'last')),
        ('newest posts', posts),
        ('followers, first page', href(followers, 'first')),
        ('followers, last page', href(followers, 'last')),
        ('feed of 10, follows 200', href(reader.entry, 'hc:feed')),
        ('items by price, second page', href(by_price, 'next')),
        ('items by price, last page', href(by_price, 'last')),
        ('posts of an author', f'{posts}?filter[author]={data.user_id(NEIGHBOUR)}&sort=created_at'),
    ):
        yield Case(name, url, headers=reader.headers)


def all_cases(origin: str, data: DemoData) -> Iterator[Case]:
    """Yield all cases of one server."""
    reader, writer = Visitor(origin, data.username(READER)), Visitor(origin, data.username(WRITER))
    user, *others = growing_cases(origin, data)
    tag = send(user)[0]['ETag']
    yield user
    yield user._replace(name='GET user, 304', status=304, headers={**user.headers, 'If-None-Match': tag})
    yield from others
    users = reader.follow(reader.entry, 'hc:users')
    page = user._replace(name='page of 100', href=href(users, 'hc:page', page=1, per_page=100))
    yield page
    yield page._replace(name='page of 100, gzip', headers={**page.headers, 'Accept-Encoding': 'gzip'})
    for media_type in FORMATS:
        if media_type != HAL:
            yield user._replace(
                name=f'GET user, {media_type}', headers={**user.headers, 'Accept': media_type}
            )
    writing = {**writer.headers, **JSON_BODY}
    yield Case('PUT user', href(writer.entry, 'hc:me'), 200, 'PUT', writing, '{"about_me": "now {n}"}')
    yield Case('POST post', href(writer.entry, 'hc:posts'), 201, 'POST', writing, '{"body": "news {n}"}')
    # Not the writer, whose token would be revoked after 100 sign-ins.
    yield Visitor(origin, data.username(VISITOR)).sign_in


def compared_cases(origin: str, data: DemoData, viewers: Sequence[tuple[str, int]]) -> Iterator[Case]:
    """Yield the cases that peers can handle, sent by the first viewer, and then by all viewers in turn."""
    users = f'{origin}/api/users'
    body, news = '{"about_me": "now {n}"}', '{"body": "news {n}"}'
    for suffix, senders in (('', viewers[:1]), (f', {len(viewers)} viewers', viewers)):
        reading = Case('', users, headers={'Accept': HAL}, viewers=senders)
        writing = reading._replace(headers={**reading.headers, **JSON_BODY})
        yield reading._replace(name=f'GET user{suffix}', href=f'{users}/{data.user_id(NEIGHBOUR)}')
        for size in (10, 100):
            yield reading._replace(name=f'page of {size}{suffix}', href=f'{users}?page=1&per_page={size}')
        yield writing._replace(name=f'PUT user{suffix}', href=f'{users}/{VIEWER}', method='PUT', body=body)
        yield writing._replace(
            name=f'POST post{suffix}', href=f'{origin}/api/posts', method='POST', status=201, body=news
        )
