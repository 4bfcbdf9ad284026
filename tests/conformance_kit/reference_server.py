"""The reference server, which satisfies every rule of the kit: things and their owners, in memory.

It serves HAL, HAL-FORMS, JSON:API and HTML. It is called directly, not through HTTP.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from service.conformance.exchange import HAL, HAL_FORMS, HTML, JSON_API, PROBLEM, Request, Response
from service.conformance.syntax import parse_media_type

ORIGIN = 'http://reference.test'
START = f'{ORIGIN}/api'
MODIFIED = 'Wed, 25 Nov 2026 10:00:00 GMT'
DATE = 'Wed, 25 Nov 2026 12:00:00 GMT'
PAGE_SIZE = 2
READ_METHODS = ['GET', 'HEAD', 'OPTIONS']
METHODS = ('GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE')
JSON_TYPES = ('application/json', HAL, HAL_FORMS, 'application/merge-patch+json')
PRINTABLE = '^[^\\x00-\\x1f]*$'

Headers = dict[str, str]


class Rejection(Exception):
    """The status, the detail and the header fields of an error response."""

    def __init__(self, status: int, detail: str, headers: Headers | None = None, **source: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.source = status, detail, headers or {}, source


class ReferenceServer:
    """The reference server; each instance starts with the same state."""

    def __init__(self) -> None:
        self.people = {str(number): name for number, name in enumerate(('ada', 'bob'), 1)}
        self.things = {str(number): self.thing(f'thing {number}', 'red', '3') for number in range(1, 4)}
        self.results: dict[str, tuple[bytes, Response]] = {}
        self.next_id = 4

    @staticmethod
    def thing(name: str, colour: str, size: str) -> dict[str, str]:
        return {'name': name, 'colour': colour, 'size': size, 'owner': '1'}

    def __call__(self, request: Request) -> Response:
        media_type = JSON_API if JSON_API in request.header('Accept') else PROBLEM
        try:
            response = self.respond(request)
        except Rejection as rejection:
            response = self.describe_error(request, rejection, media_type)
        except (ValueError, KeyError, TypeError, AttributeError):
            response = self.describe_error(request, Rejection(400, 'The request is malformed.'), media_type)
        return finish(request, response)

    def describe_error(self, request: Request, rejection: Rejection, media_type: str) -> Response:
        status, title = rejection.status, HTTPStatus(rejection.status).phrase
        if media_type == JSON_API:
            error: dict[str, Any] = {'status': str(status), 'title': title, 'detail': rejection.detail}
            error |= {'source': rejection.source} if rejection.source else {}
            document: Any = {'errors': [error], 'jsonapi': {'version': '1.1'}}
        else:
            kind = f'{ORIGIN}/api/problems/{status}'
            document = {'type': kind, 'title': title, 'status': status, 'detail': rejection.detail}
            document |= {'instance': urlsplit(request.url).path}
        headers = {'Content-Type': media_type, 'Vary': 'Accept', **rejection.headers}
        return Response(status, tuple(headers.items()), dump(document))

    def respond(self, request: Request) -> Response:
        if request.method not in METHODS:
            raise Rejection(501, 'The method is unknown.')
        base, *path = urlsplit(request.url).path.strip('/').split('/')
        if base != 'api':
            raise Rejection(404, 'There is no such resource.')
        match path:
            case []:
                return self.fetch(request, self.root(request), READ_METHODS)
            case ['things']:
                return self.serve_things(request)
            case ['things', id, *rest] if id in self.things:
                return self.serve_thing(request, id) if not rest else self.serve_owner(request, id, rest)
            case ['people', id, *rest] if id in self.people:
                return self.serve_person(request, id, rest)
        return self.serve_page(request, path)

    def serve_page(self, request: Request, path: list[str]) -> Response:
        match path:
            case ['old']:
                headers = {'Location': f'{ORIGIN}/api/things', 'Deprecation': '@1790000000'}
                return Response(308, tuple({**headers, 'Sunset': 'Thu, 31 Dec 2026 00:00:00 GMT'}.items()))
            case ['private']:
                raise Rejection(401, 'Sign in.', {'WWW-Authenticate': 'Bearer realm="things"'})
            case ['busy']:
                raise Rejection(503, 'Try again later.', {'Retry-After': '10'})
            case ['rels' | 'problems', name]:
                return self.fetch(request, {HTML: page(name)}, READ_METHODS)
        raise Rejection(404, 'There is no such resource.')

    def serve_owner(self, request: Request, id: str, rest: list[str]) -> Response:
        if rest == ['relationships', 'owner']:
            return self.fetch(request, {JSON_API: self.linkage(id)}, READ_METHODS)
        if rest == ['owner']:
            document = self.json_api(
                request, self.person(self.things[id]['owner']), f'/api/things/{id}/owner'
            )
            return self.fetch(request, {JSON_API: document}, READ_METHODS)
        raise Rejection(404, 'There is no such resource.')

    def serve_person(self, request: Request, id: str, rest: list[str]) -> Response:
        if not rest:
            document = self.json_api(request, self.person(id), f'/api/people/{id}')
            return self.fetch(request, {JSON_API: document, HAL: self.hal_person(id)}, READ_METHODS)
        if rest == ['things']:
            owned = [
                self.resource(thing) for thing in sorted(self.things) if self.things[thing]['owner'] == id
            ]
            document = self.json_api(request, owned, f'/api/people/{id}/things')
            return self.fetch(request, {JSON_API: document}, READ_METHODS)
        raise Rejection(404, 'There is no such resource.')

    def fetch(self, request: Request, variants: dict[str, Any], methods: list[str]) -> Response:
        """Respond to a safe method: negotiate, evaluate preconditions, compress, select a range."""
        negotiated = {'Vary': 'Accept, Accept-Encoding, Origin'}
        allow = {'Allow': ', '.join(methods)} | ({'Accept-Patch': PATCH_TYPES} if 'PATCH' in methods else {})
        if request.method == 'OPTIONS':
            return Response(204, tuple((negotiated | allow).items()))
        if request.method not in methods:
            raise Rejection(405, 'This method is not allowed.', allow)
        media_type = negotiate(request, list(variants))
        content = variants[media_type]
        body = content.encode() if isinstance(content, str) else dump(content)
        tag = tag_of(media_type, body)
        headers = negotiated | {
            'Content-Type': media_type + ('; charset=utf-8' if media_type == HTML else ''),
            'ETag': tag,
            'Cache-Control': 'public, max-age=60',
            'Last-Modified': MODIFIED,
            'Content-Location': request.url,
            'Link': f'<{ORIGIN}/api>; rel="start"',
        }
        self.evaluate(request, [tag_of(kind, encode(other)) for kind, other in variants.items()])
        matched = request.header('If-None-Match')
        is_current = matches(matched, tag) if matched else request.header('If-Modified-Since') == MODIFIED
        if is_current:
            names = ('ETag', 'Vary', 'Cache-Control', 'Content-Location')
            return Response(304, tuple((name, headers[name]) for name in names))
        return select_range(request, compress(request, headers, body))

    def evaluate(self, request: Request, tags: list[str]) -> None:
        """Evaluate If-Match, and If-None-Match of unsafe methods."""
        field = request.header('If-Match')
        if field and field != '*' and not any(tag in field for tag in tags):
            raise Rejection(412, 'The entity tag does not match.')
        if request.header('If-None-Match') == '*' and request.method not in ('GET', 'HEAD'):
            raise Rejection(412, 'The resource exists.')

    def root(self, request: Request) -> dict[str, Any]:
        links = {
            'self': {'href': f'{ORIGIN}/api'},
            'curies': [{'name': 'ex', 'href': f'{ORIGIN}/api/rels/{{rel}}', 'templated': True}],
            'ex:things': {'href': f'{ORIGIN}/api/things{{?page}}', 'templated': True, 'title': 'Things'},
            'ex:old': {'href': f'{ORIGIN}/api/old', 'deprecation': f'{ORIGIN}/api/rels/old'},
            'ex:private': {'href': f'{ORIGIN}/api/private'},
            'ex:busy': {'href': f'{ORIGIN}/api/busy'},
            'ex:find': {'href': f'{ORIGIN}/api/things/{{id}}', 'templated': True},
            'help': {'href': f'{ORIGIN}/api/rels/things', 'type': HTML, 'hreflang': 'en'},
        }
        state = {'_links': links, 'title': 'Things'}
        related = {'links': {'related': f'{ORIGIN}/api/things'}}
        data = {
            'type': 'roots',
            'id': 'api',
            'attributes': {'title': 'Things'},
            'relationships': {'things': related},
        }
        document = self.json_api(request, data, '/api')
        find = {'title': 'Find', 'method': 'GET', 'target': f'{ORIGIN}/api/things', 'properties': FIND_FIELDS}
        add = {'title': 'Add', 'method': 'POST', 'target': f'{ORIGIN}/api/things', 'properties': ADD_FIELDS}
        add |= {'contentType': 'application/json'}
        forms = state | {'_templates': {'default': add, 'find': find}}
        return {HAL: state, HAL_FORMS: forms, JSON_API: document, HTML: page('Things')}

    def hal_person(self, id: str) -> dict[str, Any]:
        links = {
            'self': {'href': f'{ORIGIN}/api/people/{id}', 'name': 'person', 'profile': f'{ORIGIN}/api/rels/p'}
        }
        return {'_links': links, 'name': self.people[id]}

    def hal_thing(self, id: str) -> dict[str, Any]:
        thing = self.things[id]
        links = {
            'self': {'href': f'{ORIGIN}/api/things/{id}'},
            'collection': {'href': f'{ORIGIN}/api/things'},
            'author': {'href': f'{ORIGIN}/api/people/{thing["owner"]}'},
        }
        embedded = {'author': self.hal_person(thing['owner'])}
        return {
            '_links': links,
            '_embedded': embedded,
            **{name: thing[name] for name in ('name', 'colour', 'size')},
        }

    def serve_thing(self, request: Request, id: str) -> Response:
        edit = {'method': 'PUT', 'target': f'{ORIGIN}/api/things/{id}', 'contentType': 'application/json'}
        edit |= {'properties': [field | {'value': self.things[id][field['name']]} for field in ADD_FIELDS]}
        state = self.hal_thing(id)
        document = self.json_api(request, self.resource(id), f'/api/things/{id}')
        variants = {HAL: state, HAL_FORMS: state | {'_templates': {'default': edit}}, JSON_API: document}
        variants |= {HTML: page(self.things[id]['name'])}
        methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']
        if request.method in ('PUT', 'PATCH', 'DELETE'):
            self.evaluate(request, [tag_of(kind, encode(content)) for kind, content in variants.items()])
            return self.change(request, id)
        return self.fetch(request, variants, methods)

    def change(self, request: Request, id: str) -> Response:
        if request.method == 'DELETE':
            del self.things[id]
            return Response(204)
        if request.header('Content-Range'):
            raise Rejection(400, 'A partial PUT is not supported.')
        values = self.read(request, id)
        self.things[id] |= self.validate(values, self.things[id])
        if request.header('Content-Type') == JSON_API:
            document = self.json_api(request, self.resource(id), f'/api/things/{id}')
            return Response(200, (('Content-Type', JSON_API), ('Vary', 'Accept')), dump(document))
        media_type = negotiate(request, [HAL, HAL_FORMS])
        headers = (
            {'Content-Type': HAL, 'Vary': 'Accept'} if media_type == HAL else {'Content-Type': HAL_FORMS}
        )
        state = self.hal_thing(id)
        return Response(
            200, tuple(headers.items()), dump(state if media_type == HAL else state | {'_templates': {}})
        )

    def read(self, request: Request, id: str = '') -> dict[str, Any]:
        """Return the values in the content of a request."""
        parsed = parse_media_type(request.header('Content-Type')) or ('', {})
        if parsed[0] not in (*JSON_TYPES, JSON_API) or (
            parsed[0] == JSON_API and parsed[1].keys() - {'profile'}
        ):
            raise Rejection(415, 'This media type is not supported.', {'Accept-Patch': PATCH_TYPES})
        try:
            document = json.loads(request.body or b'')
        except ValueError:
            raise Rejection(400, 'This is not JSON.') from None
        if parsed[0] != JSON_API:
            return {name: value for name, value in document.items() if not name.startswith('_')}
        data = document['data']
        if data['type'] != 'things' or (id and data.get('id') != id):
            raise Rejection(409, 'The type or the id does not match.')
        if 'id' in data and not id:
            raise Rejection(403, 'The server generates ids.')
        owner = data.get('relationships', {}).get('owner', {}).get('data', {'id': '1'})
        if owner['id'] not in self.people:
            raise Rejection(404, 'There is no such owner.')
        if not id and not data['attributes']:
            raise Rejection(422, 'The attributes are missing.', pointer='/data/attributes')
        return data['attributes']

    def validate(self, values: dict[str, Any], current: dict[str, str] | None = None) -> dict[str, str]:
        """Return the values; raises Rejection if they violate the rules of the form."""
        merged = (current or {}) | values
        name, size, colour = (str(merged.get(key, '')) for key in ('name', 'size', 'colour'))
        is_valid_name = 2 <= len(name) <= 40 and not any(character < ' ' for character in name)
        if (
            not is_valid_name
            or not size.isdecimal()
            or not 1 <= int(size) <= 9
            or colour not in ('red', 'blue')
        ):
            raise Rejection(422, 'A value breaks a rule.')
        return {'name': name, 'size': size, 'colour': colour}

    def serve_things(self, request: Request) -> Response:
        if request.method == 'POST':
            return self.add(request)
        query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
        number = int(query.get('page', query.get('page[number]', '1')) or 1)
        ids = sorted(self.things, key=int)
        last = -(-len(ids) // PAGE_SIZE)
        on_page = ids[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        pages = {'first': 1, 'last': last}
        pages |= {'prev': number - 1} if number > 1 else {}
        pages |= {'next': number + 1} if number < last else {}
        links: dict[str, Any] = {'self': {'href': page_url(number)}}
        links |= {rel: {'href': page_url(target)} for rel, target in pages.items()}
        links['item'] = [{'href': f'{ORIGIN}/api/things/{id}'} for id in on_page]
        items = [self.hal_thing(id) for id in on_page]
        state = {'_links': links, '_embedded': {'item': items}}
        key = query.get('sort', 'name').lstrip('-')
        if key not in ('name', 'colour'):
            raise Rejection(400, 'The sort key is not supported.', parameter='sort')
        on_page.sort(key=lambda thing: self.things[thing][key], reverse=query.get('sort', '').startswith('-'))
        document = self.json_api(request, [self.resource(id) for id in on_page], '/api/things')
        document['links'] |= {
            rel: f'{ORIGIN}/api/things?page%5Bnumber%5D={target}' for rel, target in pages.items()
        }
        add = {'method': 'POST', 'properties': ADD_FIELDS, 'contentType': 'application/json'}
        forms = state | {'_templates': {'default': add}}
        methods = ['GET', 'HEAD', 'OPTIONS', 'POST']
        return self.fetch(
            request, {HAL: state, HAL_FORMS: forms, JSON_API: document, HTML: page('All things')}, methods
        )

    def add(self, request: Request) -> Response:
        key = request.header('Idempotency-Key')
        if key in self.results:
            body, response = self.results[key]
            if body != request.body:
                raise Rejection(422, 'The key belongs to another request.')
            return response
        values = self.validate(self.read(request))
        id = str(self.next_id)
        self.next_id += 1
        self.things[id] = values | {'owner': '1'}
        location = f'{ORIGIN}/api/things/{id}'
        if request.header('Content-Type') == JSON_API:
            media_type, document = JSON_API, self.json_api(request, self.resource(id), f'/api/things/{id}')
        else:
            media_type, document = HAL, self.hal_thing(id)
        headers = (('Content-Type', media_type), ('Location', location), ('Vary', 'Accept'))
        response = Response(201, headers, dump(document))
        if key:
            self.results[key] = (request.body or b'', response)
        return response

    def resource(self, id: str) -> dict[str, Any]:
        thing, url = self.things[id], f'{ORIGIN}/api/things/{id}'
        owner = {'type': 'people', 'id': thing['owner']}
        links = {'self': f'{url}/relationships/owner', 'related': f'{url}/owner'}
        return {
            'type': 'things',
            'id': id,
            'attributes': {name: thing[name] for name in ('name', 'colour', 'size')}
            | {'facts': {'old': True}},
            'relationships': {'owner': {'data': owner, 'links': links, 'meta': {'since': 2026}}},
            'links': {
                'self': {'href': url, 'title': 'Thing', 'type': JSON_API, 'hreflang': 'en', 'rel': 'self'}
            },
            'meta': {'shelf': 1},
        }

    def person(self, id: str) -> dict[str, Any]:
        links = {'related': f'{ORIGIN}/api/people/{id}/things'}
        owned = [thing for thing in sorted(self.things) if self.things[thing]['owner'] == id]
        return {
            'type': 'people',
            'id': id,
            'attributes': {'name': self.people[id]},
            'relationships': {
                'things': {'links': links, 'data': [{'type': 'things', 'id': thing} for thing in owned]}
            },
            'links': {'self': f'{ORIGIN}/api/people/{id}'},
        }

    def linkage(self, id: str) -> dict[str, Any]:
        url = f'{ORIGIN}/api/things/{id}'
        links = {'self': f'{url}/relationships/owner', 'related': f'{url}/owner'}
        return {'data': {'type': 'people', 'id': self.things[id]['owner']}, 'links': links}

    def json_api(self, request: Request, data: Any, path: str) -> dict[str, Any]:
        """Return a JSON:API document, with the inclusions and fields that the query requests."""
        query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
        resources = data if isinstance(data, list) else [data]
        document = {
            'data': data,
            'jsonapi': {'version': '1.1', 'ext': [], 'profile': []},
            'meta': {'count': 1},
        }
        document['links'] = {'self': f'{ORIGIN}{path}', 'describedby': f'{ORIGIN}/api/rels/things'}
        for name, value in query.items():
            is_defined = name.partition('[')[0] in ('fields', 'include', 'page', 'sort')
            if not is_defined and JSON_API in request.header('Accept'):
                raise Rejection(400, 'The parameter is unknown.', parameter=name)
            if name == 'include' and value not in ('', 'owner', 'things'):
                raise Rejection(400, 'The path is unknown.', parameter='include')
        if query.get('include') == 'owner':
            document['included'] = [
                self.person(id) for id in sorted({self.things[item['id']]['owner'] for item in resources})
            ]
        elif 'include' in query:
            people = [item['id'] for item in resources if item['type'] == 'people' and query['include']]
            owned = [id for id in sorted(self.things) if self.things[id]['owner'] in people]
            document['included'] = [self.resource(id) for id in owned]
        for resource in [*resources, *document.get('included', [])]:
            requested = query.get(f'fields[{resource["type"]}]')
            if requested is not None:
                for group in ('attributes', 'relationships'):
                    resource[group] = {
                        name: value for name, value in resource[group].items() if name in requested.split(',')
                    }
        return document


PATCH_TYPES = 'application/merge-patch+json, application/vnd.api+json'
ADD_FIELDS = [
    {
        'name': 'name',
        'prompt': 'Name',
        'type': 'text',
        'required': True,
        'minLength': 2,
        'maxLength': 40,
        'regex': PRINTABLE,
    },
    {'name': 'size', 'prompt': 'Size', 'type': 'number', 'min': 1, 'max': 9, 'step': 1},
    {
        'name': 'colour',
        'prompt': 'Colour',
        'required': True,
        'options': {
            'inline': [{'prompt': 'Red', 'value': 'red'}, {'prompt': 'Blue', 'value': 'blue'}],
            'selectedValues': ['red'],
            'minItems': 1,
            'maxItems': 1,
        },
    },
]
FIND_FIELDS = [
    {'name': 'page', 'type': 'number', 'value': '1', 'min': 1, 'placeholder': '1'},
    {'name': 'note', 'type': 'textarea', 'rows': 3, 'cols': 20, 'options': {'link': {'href': '/api/things'}}},
    {'name': 'from', 'type': 'hidden', 'readOnly': True, 'templated': True, 'value': '{from}'},
]


def page_url(number: int) -> str:
    return f'{ORIGIN}/api/things?page={number}' if number > 1 else f'{ORIGIN}/api/things'


def page(title: str) -> str:
    """Return an HTML page with a form."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{title}</title></head><body><h1>{title}</h1>'
        '<form><label for="q">Name</label><input id="q" name="q" aria-describedby="hint"><p id="hint">Any'
        '<button>Find</button></form></body></html>'
    )


def dump(document: Any) -> bytes:
    return json.dumps(document).encode()


def encode(content: Any) -> bytes:
    return content.encode() if isinstance(content, str) else dump(content)


def tag_of(media_type: str, body: bytes) -> str:
    return f'"{hashlib.sha256(media_type.encode() + body).hexdigest()[:16]}"'


def matches(field: str, tag: str) -> bool:
    """Return whether If-None-Match has the tag, compared weakly."""
    return field == '*' or tag in [other.strip().removeprefix('W/') for other in field.split(',')]


def negotiate(request: Request, available: list[str]) -> str:
    """Return the media type that the request prefers."""
    accept = request.header('Accept') or '*/*'
    qualities: dict[str, tuple[int, float]] = {}
    for media_range in accept.split(', '):
        parsed = parse_media_type(media_range)
        if parsed is None or (parsed[0] == JSON_API and parsed[1].keys() - {'profile', 'q'}):
            continue
        is_any = parsed[0] == '*/*'
        for media_type in available:
            if is_any or parsed[0] == media_type:
                quality = (0 if is_any else 1, float(parsed[1].get('q', '1')))
                qualities[media_type] = max(qualities.get(media_type, (-1, 0.0)), quality)
    acceptable = [media_type for media_type in available if qualities.get(media_type, (0, 0.0))[1] > 0]
    if not acceptable:
        raise Rejection(406, f'Available: {", ".join(available)}')
    return max(acceptable, key=lambda media_type: qualities[media_type][1])


def compress(request: Request, headers: Headers, body: bytes) -> Response:
    if 'gzip' in request.header('Accept-Encoding') and 'gzip;q=0' not in request.header('Accept-Encoding'):
        tag = headers['ETag'][:-1] + '-gzip"'
        return Response(
            200,
            tuple((headers | {'ETag': tag, 'Content-Encoding': 'gzip'}).items()),
            gzip.compress(body, mtime=0),
        )
    return Response(200, tuple(headers.items()), body)


def select_range(request: Request, response: Response) -> Response:
    """Return the part of the content that a Range field requests."""
    length = len(response.body)
    if request.header('Range') == 'bytes=0-0':
        headers = (*response.headers, ('Content-Range', f'bytes 0-0/{length}'))
        return Response(206, headers, response.body[:1])
    if request.header('Range').startswith('bytes='):
        raise Rejection(416, 'There is no such part.', {'Content-Range': f'bytes */{length}'})
    return response


def finish(request: Request, response: Response) -> Response:
    """Add the fields of every response, and remove the content of a response to HEAD."""
    headers = [*response.headers, ('Date', DATE)]
    if response.status not in (204, 304):
        headers.append(('Content-Length', str(len(response.body))))
    if request.header('Origin'):
        headers.append(('Access-Control-Allow-Origin', request.header('Origin')))
        if not any(name == 'Vary' for name, _ in headers):
            headers.append(('Vary', 'Origin'))
        elif 'Origin' not in response.header('Vary'):
            headers = [(name, value + ', Origin' if name == 'Vary' else value) for name, value in headers]
    return Response(response.status, tuple(headers), b'' if request.method == 'HEAD' else response.body)
