"""One deliberate fault for each rule, with which the reference server violates the rule.

A fault is a function that responds in place of the server; most change the server's response.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from service.conformance.exchange import HAL, HAL_FORMS, HTML, JSON_API, PROBLEM, Request, Response
from tests.conformance_kit.reference_server import ORIGIN, ReferenceServer, dump

Fault = Callable[[ReferenceServer, Request], Response]
Edit = Callable[[Any], Any]
Predicate = Callable[[Request], bool]

ROOT, THINGS, THING, PERSON = '/api', '/api/things', '/api/things/1', '/api/people/1'
SECOND_PAGE = '?page=2'
SECOND_JSON_API_PAGE = 'page%5Bnumber%5D=2'


def always(request: Request) -> bool:
    return True


def on(method: str = '', at: str = '', **fields: str) -> Predicate:
    """Return a predicate: true for the method, this end of the URL, and fields with these beginnings."""

    def applies(request: Request) -> bool:
        has_fields = all(
            request.header(name.replace('_', '-')).startswith(value)
            and request.header(name.replace('_', '-'))
            for name, value in fields.items()
        )
        return method in ('', request.method) and request.url.endswith(at) and has_fields

    return applies


def with_changes(response: Response, **changes: Any) -> Response:
    """Return the response with another status, other headers or other content."""
    values = {'status': response.status, 'headers': response.headers, 'body': response.body}
    return Response(**(values | changes))


def with_header(response: Response, name: str, value: str | None) -> Response:
    """Return the response with another value of a field, or without the field if the value is None."""
    others = tuple((other, text) for other, text in response.headers if other != name)
    return with_changes(response, headers=others if value is None else (*others, (name, value)))


def with_body(response: Response, body: bytes) -> Response:
    """Return the response with other content and the Content-Length of it."""
    return with_header(with_changes(response, body=body), 'Content-Length', str(len(body)))


def header(name: str, value: str | None, when: Predicate = always, status: int = 0) -> Fault:
    """Return the fault of a wrong or missing field, in responses with the status, or with any if it is 0."""

    def fault(server: ReferenceServer, request: Request) -> Response:
        response = server(request)
        applies = when(request) and status in (0, response.status)
        return with_header(response, name, value) if applies else response

    return fault


def status(code: int, when: Predicate = always, original: int = 0) -> Fault:
    """Return the fault of a wrong status in place of the original one, or of any if that is 0."""

    def fault(server: ReferenceServer, request: Request) -> Response:
        response = server(request)
        return (
            with_changes(response, status=code)
            if when(request) and original in (0, response.status)
            else response
        )

    return fault


def content(edit: Callable[[bytes], bytes], when: Predicate = always, original: int = 200) -> Fault:
    """Return the fault of wrong content, as bytes, in responses with the original status."""

    def fault(server: ReferenceServer, request: Request) -> Response:
        response = server(request)
        applies = when(request) and response.status == original and response.body
        return with_body(response, edit(response.body)) if applies else response

    return fault


def document(edit: Edit, *media_types: str, when: Predicate = always, is_error: bool = False) -> Fault:
    """Return the fault of a wrong document; `edit` changes it in place, or returns a list instead."""

    def fault(server: ReferenceServer, request: Request) -> Response:
        response = server(request)
        applies = response.media_type in media_types and response.is_whole and when(request)
        if not applies or is_error == response.is_success:
            return response
        value = json.loads(response.body)
        other = edit(value)
        return with_body(response, dump(other if isinstance(other, list) else value))

    return fault


def ignoring(name: str, when: Predicate = always) -> Fault:
    """Return the fault of ignoring a field of requests."""

    def fault(server: ReferenceServer, request: Request) -> Response:
        if not when(request):
            return server(request)
        fields = tuple((other, value) for other, value in request.headers if other != name)
        return server(Request(request.method, request.url, fields, request.body))

    return fault


def override(response: Callable[[ReferenceServer, Request], Response], when: Predicate) -> Fault:
    """Return the fault of responding to some requests with another function."""
    return lambda server, request: response(server, request) if when(request) else server(request)


def hal(edit: Edit, at: str = THING) -> Fault:
    """Return the fault of a wrong HAL document at a URL."""
    return document(edit, HAL, HAL_FORMS, when=on(at=at))


def link(rel: str = 'author', **changes: Any) -> Fault:
    """Return the fault of a link with other members; None removes a member."""

    def edit(value: Any) -> None:
        link_object = value['_links'][rel]
        link_object.update({'href': f'{ORIGIN}/api'} | changes)
        value['_links'][rel] = {name: member for name, member in link_object.items() if member is not None}

    return hal(edit)


def set_value(*path: Any, value: Any) -> Edit:
    """Return the edit that sets the value at a path of a document."""

    def edit(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return edit


def delete_value(*path: Any) -> Edit:
    """Return the edit that deletes the value at a path of a document."""

    def edit(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return edit


def form(**changes: Any) -> Fault:
    """Return the fault of a template with other members; None removes a member."""

    def edit(value: Any) -> None:
        template = value['_templates']['default'] | changes
        value['_templates']['default'] = {
            name: member for name, member in template.items() if member is not None
        }

    return document(edit, HAL_FORMS, when=on(at=ROOT))


def field(number: int = 0, **changes: Any) -> Fault:
    """Return the fault of a property with other members."""
    return document(
        lambda value: value['_templates']['default']['properties'][number].update(changes),
        HAL_FORMS,
        when=on(at=ROOT),
    )


def choice(**changes: Any) -> Fault:
    """Return the fault of options with other members."""
    return document(
        lambda value: value['_templates']['default']['properties'][2]['options'].update(changes),
        HAL_FORMS,
        when=on(at=ROOT),
    )


def json_api(edit: Edit, at: str = THING) -> Fault:
    """Return the fault of a wrong JSON:API document at a URL."""
    return document(edit, JSON_API, when=on(at=at))


def json_api_link(**changes: Any) -> Fault:
    """Return the fault of a link of a resource with other members."""
    return json_api(lambda value: value['data']['links']['self'].update(changes))


def json_api_error(**changes: Any) -> Fault:
    """Return the fault of an error object with other members."""
    return document(lambda value: value['errors'][0].update(changes), JSON_API, is_error=True)


def problem(**changes: Any) -> Fault:
    """Return the fault of a problem document with other members."""
    return document(lambda value: value.update(changes), PROBLEM, is_error=True)


def html(old: str, new: str) -> Fault:
    """Return the fault of a page with other text."""
    return content(lambda body: body.replace(old.encode(), new.encode()), on(Accept=HTML))


def change_thing(server: ReferenceServer, request: Request, **changes: Any) -> Response:
    """Respond as usual, and change the thing at the URL."""
    id = request.url.rpartition('/')[2]
    response = server(request)
    if id in server.things:
        server.things[id] |= changes
    return response


def do_nothing(server: ReferenceServer, request: Request) -> Response:
    """Respond to any write with success, without performing it."""
    return Response(204, (('Date', 'Wed, 25 Nov 2026 12:00:00 GMT'),))


def replacing(text: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(text, new)


def keep_deleted(server: ReferenceServer, request: Request) -> Response:
    """Respond to DELETE as usual, but keep the thing."""
    id = request.url.rpartition('/')[2]
    thing = server.things.get(id)
    response = server(request)
    if thing is not None:
        server.things[id] = thing
    return response


def change_tag(server: ReferenceServer, request: Request) -> Response:
    """Respond with a different ETag to each request."""
    server.next_id += 1
    response = server(request)
    return with_header(response, 'ETag', f'"{server.next_id}"') if response.values('ETag') else response


def change_content(server: ReferenceServer, request: Request) -> Response:
    """Respond with different content to each request, but with the same ETag."""
    server.next_id += 1
    response = server(request)
    return with_body(response, response.body + b' ' * server.next_id) if response.status == 200 else response


def forget_key(server: ReferenceServer, request: Request) -> Response:
    """Respond to a repeated idempotency key with another status than to the first request."""
    is_repeated = request.header('Idempotency-Key') in server.results
    response = server(request)
    return with_changes(response, status=200) if is_repeated and response.status == 201 else response


def ignore_other_body(server: ReferenceServer, request: Request) -> Response:
    """Respond to a repeated idempotency key with the first response, although the body differs."""
    key = request.header('Idempotency-Key')
    return server.results[key][1] if key in server.results else server(request)


def change_despite_precondition(server: ReferenceServer, request: Request) -> Response:
    """Change the thing although a precondition fails."""
    response = server(request)
    return change_thing(server, request, colour='red', name='changed') if response.status == 412 else response


def reset_colour(server: ReferenceServer, request: Request) -> Response:
    """Respond to an update as usual, but reset a value that it does not contain."""
    response = server(request)
    server.things[request.url.rpartition('/')[2]]['colour'] = None  # type: ignore[assignment]
    return response


def repeat_first(value: Any) -> None:
    """Add the first resource of a collection a second time."""
    if isinstance(value['data'], list):
        value['data'].append(value['data'][0])


def ignore_query(server: ReferenceServer, request: Request) -> Response:
    """Respond as if the URL had no query."""
    return server(Request(request.method, request.url.partition('?')[0], request.headers, request.body))


def is_new(request: Request) -> bool:
    """Return whether the request fetches a thing that was created."""
    id = request.url.rpartition('/')[2]
    return request.method == 'GET' and id.isdigit() and int(id) > 3


def change_name(server: ReferenceServer, request: Request) -> Response:
    """Create a thing, but store another name than the submitted one."""
    response = server(request)
    server.things[str(server.next_id - 1)] |= {'name': 'another'}
    return response


def is_unknown_method(request: Request) -> bool:
    return request.method == 'CONFORM'


IDENTIFIER = {'type': 'people', 'id': '1'}
UNSUPPORTED_METHOD = on('POST', '/api/things/4')
UNDECODABLE = b'\xff'

FAULTS: dict[str, Fault] = {
    'HAL-MEDIA-TYPE': header('Content-Type', 'application/json', on(Accept=HAL)),
    'HAL-ROOT': hal(lambda value: [value]),
    'HAL-LINKS-OBJECT': hal(set_value('_links', value=[])),
    'HAL-LINK-OBJECT': hal(set_value('_links', 'author', value=PERSON)),
    'HAL-LINK-HREF': link(href=None),
    'HAL-HREF-URI': link(href='http://reference.test/a b'),
    'HAL-HREF-TEMPLATE': link(href='/a{?b c}', templated=True),
    'HAL-TEMPLATED': link(href='/a{?b}'),
    'HAL-TEMPLATED-BOOLEAN': link(templated='false'),
    'HAL-TEMPLATED-NEEDLESS': link(templated=True),
    'HAL-LINK-TYPE': link(type='html'),
    'HAL-LINK-DEPRECATION': link(deprecation=True),
    'HAL-LINK-NAME': link(name=1),
    'HAL-LINK-NAME-UNIQUE': hal(set_value('_links', 'author', value=[{'href': PERSON, 'name': 'a'}] * 2)),
    'HAL-LINK-PROFILE': link(profile='a b'),
    'HAL-LINK-TITLE': link(title=['Author']),
    'HAL-LINK-HREFLANG': link(hreflang='en us'),
    'HAL-EMBEDDED-OBJECT': hal(set_value('_embedded', value=[])),
    'HAL-EMBEDDED-RESOURCE': hal(set_value('_embedded', 'author', value='ada')),
    'HAL-RELATION-NAME': hal(set_value('_links', 'two words', value={'href': ROOT})),
    'HAL-RELATION-REGISTERED': hal(set_value('_links', 'maker', value={'href': ROOT})),
    'HAL-SELF': hal(delete_value('_links', 'self')),
    'HAL-SELF-TEMPLATED': link('self', href='/api/things/{id}', templated=True),
    'HAL-CURIES-ARRAY': hal(lambda value: value['_links'].update(curies=value['_links']['curies'][0]), ROOT),
    'HAL-CURIE-NAME': hal(delete_value('_links', 'curies', 0, 'name'), ROOT),
    'HAL-CURIE-TEMPLATE': hal(set_value('_links', 'curies', 0, 'href', value='/api/rels/{name}'), ROOT),
    'HAL-CURIES-ROOT': hal(set_value('_embedded', 'author', '_links', 'curies', value=[])),
    'HAL-CURIE-DEFINED': hal(delete_value('_links', 'curies'), ROOT),
    'HAL-CURIE-DOCUMENTED': status(404, on(at='/rels/things')),
    'HAL-EMBEDDED-LINKED': hal(delete_value('_links', 'author')),
    'HAL-EMBEDDED-SELF': link(href=f'{ORIGIN}/api/people/2'),
    'HAL-LINK-DEAD': link(href=f'{ORIGIN}/api/nothing'),
    'HAL-LINK-TYPE-HINT': hal(set_value('_links', 'help', 'type', value='text/plain'), ROOT),
    'HAL-SELF-TARGET': hal(set_value('_links', 'self', 'href', value='/api/people/one'), PERSON),
    'HAL-PAGE-PREV': hal(delete_value('_links', 'prev'), SECOND_PAGE),
    'HAL-PAGE-REPEATS': hal(
        set_value('_embedded', 'item', 0, '_links', 'self', 'href', value=f'{ORIGIN}/api/things/1'),
        SECOND_PAGE,
    ),
    'HF-TEMPLATES': document(delete_value('_templates'), HAL_FORMS, when=on(at=ROOT)),
    'HF-TEMPLATES-OBJECT': document(set_value('_templates', value=[]), HAL_FORMS, when=on(at=ROOT)),
    'HF-TEMPLATE-OBJECT': document(set_value('_templates', 'find', value=[]), HAL_FORMS, when=on(at=ROOT)),
    'HF-KEY-DEFAULT': document(
        lambda value: value.update(_templates={'edit': value['_templates']['default']}),
        HAL_FORMS,
        when=on(at=THING),
    ),
    'HF-METHOD': form(method=None),
    'HF-TARGET': form(target='a b'),
    'HF-CONTENT-TYPE': form(contentType='json'),
    'HF-CONTENT-TYPE-USUAL': form(contentType='application/xml'),
    'HF-TITLE': form(title=1),
    'HF-PROPERTIES': form(properties={}),
    'HF-NAME': field(name=''),
    'HF-NAME-UNIQUE': field(name='size'),
    'HF-PROMPT': field(prompt=1),
    'HF-BOOLEANS': field(required='true'),
    'HF-VALUE': field(value=1),
    'HF-VALUE-TEMPLATE': field(value='{a b}', templated=True),
    'HF-REGEX': field(regex='('),
    'HF-TYPE': field(type='string'),
    'HF-LENGTHS': field(minLength=3, maxLength=2),
    'HF-BOUNDS': field(1, min='1'),
    'HF-STEP': field(1, step=0),
    'HF-ROWS-COLS': field(rows=0),
    'HF-PLACEHOLDER': field(placeholder=1),
    'HF-OPTIONS': field(2, options={}),
    'HF-OPTIONS-INLINE': choice(inline=[1], selectedValues=[]),
    'HF-OPTIONS-LINK': choice(link={}),
    'HF-OPTIONS-SELECTED': choice(selectedValues=['green']),
    'HF-OPTIONS-ITEMS': choice(minItems=2),
    'HF-OPTIONS-REQUIRED': choice(minItems=0),
    'HF-PREFILLED': field(value='x'),
    'HF-TARGET-METHOD': form(method='PUT'),
    'HF-GET': status(400, on(at='?page=1')),
    'FORM-WITHIN': status(422, on('POST'), original=201),
    'FORM-BEYOND': status(201, on('POST'), original=422),
    'JA-MEDIA-TYPE': header('Content-Type', 'application/json', on(Accept=JSON_API)),
    'JA-MEDIA-PARAMETERS': header('Content-Type', f'{JSON_API}; charset=utf-8', on(Accept=JSON_API)),
    'JA-ROOT': json_api(lambda value: [value]),
    'JA-TOP-MEMBER': json_api(lambda value: [value.pop(name) for name in ('data', 'meta')] and None),
    'JA-DATA-ERRORS': json_api(set_value('errors', value=[{'status': '400'}])),
    'JA-TOP-UNDEFINED': json_api(set_value('next', value='/')),
    'JA-INCLUDED-DATA': json_api(lambda value: value.update(included=[value.pop('data')])),
    'JA-INCLUDED-ARRAY': json_api(lambda value: value.update(included=value['data'])),
    'JA-PRIMARY-DATA': json_api(set_value('data', 0, value=IDENTIFIER), THINGS),
    'JA-JSONAPI-OBJECT': json_api(set_value('jsonapi', value='1.1')),
    'JA-JSONAPI-VERSION': json_api(set_value('jsonapi', 'version', value=1.1)),
    'JA-JSONAPI-EXT': json_api(set_value('jsonapi', 'ext', value='https://example.org')),
    'JA-RESOURCE-TYPE': json_api(delete_value('data', 'type')),
    'JA-RESOURCE-ID': json_api(set_value('data', 'id', value=1)),
    'JA-RESOURCE-UNDEFINED': json_api(set_value('data', 'name', value='thing')),
    'JA-TYPE-NAME': json_api(set_value('data', 'type', value='thing+')),
    'JA-ATTRIBUTES-OBJECT': json_api(set_value('data', 'attributes', value=[])),
    'JA-ATTRIBUTE-LINKS': json_api(set_value('data', 'attributes', 'facts', 'links', value={})),
    'JA-FIELD-RESERVED': json_api(set_value('data', 'attributes', 'id', value='1')),
    'JA-FIELD-TWICE': json_api(set_value('data', 'attributes', 'owner', value='ada')),
    'JA-FOREIGN-KEY': json_api(set_value('data', 'attributes', 'owner_id', value='1')),
    'JA-RELATIONSHIPS-OBJECT': json_api(set_value('data', 'relationships', value=[])),
    'JA-RELATIONSHIP': json_api(set_value('data', 'relationships', 'owner', value={})),
    'JA-RELATIONSHIP-UNDEFINED': json_api(set_value('data', 'relationships', 'owner', 'id', value='1')),
    'JA-RELATIONSHIP-LINKS': json_api(set_value('data', 'relationships', 'owner', 'links', value={})),
    'JA-LINKAGE': json_api(set_value('data', 'relationships', 'owner', 'data', value='1')),
    'JA-IDENTIFIER': json_api(set_value('data', 'relationships', 'owner', 'data', value={'id': '1'})),
    'JA-IDENTIFIER-UNDEFINED': json_api(
        set_value('data', 'relationships', 'owner', 'data', 'name', value='ada')
    ),
    'JA-FULL-LINKAGE': json_api(
        set_value('included', value=[{'type': 'people', 'id': '9', 'attributes': {}}])
    ),
    'JA-RESOURCE-ONCE': json_api(repeat_first, THINGS),
    'JA-META-OBJECT': json_api(set_value('data', 'meta', value=[])),
    'JA-LINKS-OBJECT': json_api(set_value('data', 'links', value=THING)),
    'JA-LINK': json_api(set_value('data', 'links', 'self', value=1)),
    'JA-LINK-HREF': json_api(delete_value('data', 'links', 'self', 'href')),
    'JA-LINK-URI': json_api_link(href='/a b'),
    'JA-LINK-UNDEFINED': json_api_link(templated=False),
    'JA-LINK-REL': json_api_link(rel=['self']),
    'JA-LINK-TITLE': json_api_link(title=1),
    'JA-LINK-HREFLANG': json_api_link(hreflang='en us'),
    'JA-TOP-LINKS': json_api(set_value('links', 'up', value=ROOT)),
    'JA-RESOURCE-LINKS': json_api(set_value('data', 'links', 'up', value=ROOT)),
    'JA-RELATIONSHIP-LINK-NAMES': json_api(
        set_value('data', 'relationships', 'owner', 'links', 'up', value=ROOT)
    ),
    'JA-MEMBER-NAME': json_api(set_value('data', 'attributes', 'a.b', value=1)),
    'JA-MEMBER-NAME-SAFE': json_api(set_value('data', 'attributes', 'a b', value=1)),
    'JA-ERRORS-ARRAY': document(
        lambda value: value.update(errors=value['errors'][0]), JSON_API, is_error=True
    ),
    'JA-ERRORS-USED': document(lambda value: value.update(errors=[]), JSON_API, is_error=True),
    'JA-ERROR-MEMBER': document(set_value('errors', 0, value={}), JSON_API, is_error=True),
    'JA-ERROR-UNDEFINED': json_api_error(message='No.'),
    'JA-ERROR-STATUS': json_api_error(status=400),
    'JA-ERROR-STATUS-SAME': json_api_error(status='418'),
    'JA-ERROR-TEXT': json_api_error(code=7),
    'JA-ERROR-LINKS': json_api_error(links={'self': '/'}),
    'JA-ERROR-SOURCE': json_api_error(source={'field': 'name'}),
    'JA-ERROR-POINTER': json_api_error(source={'pointer': 'name'}),
    'JA-FETCH-LINK': json_api_link(href=f'{ORIGIN}/api/nothing'),
    'JA-SELF-PRIMARY': json_api_link(href=f'{ORIGIN}/api/people/2'),
    'JA-RELATIONSHIP-FETCH': json_api(set_value('data', 'attributes', value={}), '/relationships/owner'),
    'JA-RELATED-KIND': json_api(lambda value: value.update(data=[value['data']]), '/things/1/owner'),
    'JA-IDENTITY': json_api_link(href=f'{ORIGIN}/api/things/1/'),
    'JA-PAGE-REPEATS': json_api(set_value('data', 0, 'id', value='1'), SECOND_JSON_API_PAGE),
    'JA-PAGE-PARAMETERS': json_api(set_value('links', 'next', value=f'{THINGS}?offset=2'), THINGS),
    'JA-406-PARAMETER': ignoring('Accept', on(Accept=f'{JSON_API}; charset=utf-8')),
    'JA-406-EXT': ignoring('Accept', on(Accept=f'{JSON_API}; ext')),
    'JA-INCLUDE-UNKNOWN': status(200, on(at='include=noSuchThing')),
    'JA-SORT-UNKNOWN': status(200, on(at='sort=noSuchThing')),
    'JA-QUERY-UNKNOWN': status(200, on(at='nosuchparameter=1')),
    'JA-404': status(200, on(at='/relationships/noSuchThing')),
    'JA-PROFILE-IGNORED': status(406, on(Accept=f'{JSON_API}; profile')),
    'JA-ACCEPT-MIXED': status(406, on(Accept=f'{JSON_API}; charset=utf-8, ')),
    'JA-VARY': header('Vary', 'Origin'),
    'JA-INCLUDE-KEY': json_api(delete_value('included'), 'include=owner'),
    'JA-INCLUDE-EMPTY': json_api(set_value('included', value=[{'type': 'people', 'id': '1'}]), 'include='),
    'JA-INCLUDE-ONLY': json_api(
        lambda value: value['included'].append({'type': 'people', 'id': '2'}), 'include=owner'
    ),
    'JA-FIELDS': ignore_query,
    'JA-SORT': json_api(lambda value: value['data'].reverse(), 'sort=-name'),
    'JA-CREATE-TYPE': override(do_nothing, on('POST', Content_Type=JSON_API)),
    'JA-415-PARAMETER': status(400, on(Content_Type=f'{JSON_API}; charset')),
    'JA-415-EXT': status(400, on(Content_Type=f'{JSON_API}; ext')),
    'JA-CREATE-RELATED': status(201, on('POST', Content_Type=JSON_API), original=404),
    'JA-UPDATE-CONFLICT': status(200, on('PATCH'), original=409),
    'JA-CREATE-201': status(200, on('POST', Content_Type=JSON_API), original=201),
    'JA-CREATE-DOCUMENT': content(lambda body: b'{"meta": {}}', on('POST'), original=201),
    'JA-CREATE-LOCATION': header('Location', None, status=201),
    'JA-CREATE-SELF': content(replacing(b'"http://reference.test/api/', b'"/api/'), on('POST'), original=201),
    'JA-CLIENT-ID': status(400, on('POST'), original=403),
    'JA-ERROR-POINTER-VALUE': json_api_error(source={'pointer': '/data/attributes/none'}),
    'JA-UPDATE-STATUS': status(201, on('PATCH', Content_Type=JSON_API), original=200),
    'JA-UPDATE-PARTIAL': override(reset_colour, on('PATCH', Content_Type=JSON_API)),
    'JA-UPDATE-APPLIED': override(do_nothing, on('PATCH', Content_Type=JSON_API)),
    'JA-DELETE-STATUS': status(205, on('DELETE'), original=204),
    'JA-DELETED': override(keep_deleted, on('DELETE', Accept=JSON_API)),
    'JA-DELETE-AGAIN': status(204, on('DELETE'), original=404),
    'JA-CREATED-FETCH': document(set_value('data', 'id', value='77'), JSON_API, when=is_new),
    'PROBLEM-ROOT': document(lambda value: [value], PROBLEM, is_error=True),
    'PROBLEM-TYPE': problem(type='a b'),
    'PROBLEM-TYPE-ABSOLUTE': problem(type='/api/problems/404'),
    'PROBLEM-TYPE-DOCUMENTED': status(404, on(at='/api/problems/404')),
    'PROBLEM-STATUS': problem(status='404'),
    'PROBLEM-STATUS-SAME': problem(status=499),
    'PROBLEM-TEXT': problem(title=['Not found']),
    'PROBLEM-INSTANCE': problem(instance='a b'),
    'PROBLEM-EXTENSION-NAME': problem(x=1),
    'PROBLEM-BLANK-TITLE': problem(type='about:blank', title='Oh no'),
    'PROBLEM-TITLE-SAME': document(
        lambda value: value.update(type=f'{ORIGIN}/api/problems/404', title=value['instance']),
        PROBLEM,
        is_error=True,
    ),
    'PROBLEM-NO-INTERNALS': problem(detail='Traceback (most recent call last):\n'),
    'HTTP-DATE': header('Date', None),
    'HTTP-DATE-FORMAT': header('Date', '2026-11-25T12:00:00Z'),
    'HTTP-LAST-MODIFIED-PAST': header('Last-Modified', 'Thu, 26 Nov 2026 12:00:00 GMT'),
    'HTTP-FIELD-ONCE': lambda server, request: with_changes(
        server(request), headers=(*server(request).headers, ('ETag', '"a"'), ('ETag', '"b"'))
    ),
    'HTTP-FIELD-NAME': header('Not a token', '1'),
    'HTTP-CONTENT-TYPE': header('Content-Type', None, on(Accept=HTML)),
    'HTTP-MEDIA-TYPE': header('Content-Type', 'html', on(Accept=HTML)),
    'HTTP-ETAG': header('ETag', 'abc'),
    'HTTP-NO-CONTENT': lambda server, request: (
        with_changes(server(request), body=b'no') if request.header('If-None-Match') else server(request)
    ),
    'HTTP-204-LENGTH': header('Content-Length', '0', status=204),
    'HTTP-CONTENT-LENGTH': header('Content-Length', '1', on('GET')),
    'HTTP-401-CHALLENGE': header('WWW-Authenticate', None),
    'HTTP-CHALLENGE': header('WWW-Authenticate', '"things"', status=401),
    'HTTP-405-ALLOW': header('Allow', None, status=405),
    'HTTP-405-METHOD': header('Allow', 'GET, POST', status=405),
    'HTTP-ALLOW': header('Allow', 'GET; HEAD', on('OPTIONS')),
    'HTTP-REDIRECT-LOCATION': header('Location', None, status=308),
    'HTTP-LOCATION': header('Location', 'a b', status=308),
    'HTTP-CONTENT-LOCATION': header('Content-Location', 'a b'),
    'HTTP-VARY': header('Vary', 'Accept; Origin'),
    'HTTP-CACHE-CONTROL': header('Cache-Control', 'max-age: 60'),
    'HTTP-MAX-AGE': header('Cache-Control', 'max-age=never'),
    'HTTP-CACHE-CONFLICT': header('Cache-Control', 'public, private'),
    'HTTP-LINK': header('Link', 'http://reference.test/api; rel="start"'),
    'HTTP-LINK-REL': header('Link', '</api>; title="Start"'),
    'HTTP-RETRY-AFTER': header('Retry-After', 'soon', status=503),
    'HTTP-SUNSET': header('Sunset', '2026-12-31', status=308),
    'HTTP-DEPRECATION': header('Deprecation', 'true', status=308),
    'HTTP-SERVER-ERROR': status(500, on(at=PERSON)),
    'HTTP-CONTENT-ENCODING': header('Content-Encoding', 'br', on(Accept_Encoding='gzip'), status=200),
    'HTTP-JSON': content(lambda body: body + b',', on(Accept=HAL)),
    'HTTP-JSON-UTF8': content(replacing(b'Things', UNDECODABLE), on(at=ROOT)),
    'HTTP-JSON-NUMBER': content(replacing(b'"Things"', b'NaN'), on(at=ROOT)),
    'HTTP-JSON-NAMES': content(lambda body: b'{"title": 1, ' + body[1:], on(at=ROOT, Accept=HAL)),
    'HEAD-CONTENT': override(lambda server, request: with_changes(server(request), body=b'no'), on('HEAD')),
    'HEAD-STATUS': status(404, on('HEAD')),
    'HEAD-FIELDS': header('Cache-Control', None, on('HEAD')),
    'OPTIONS-ALLOW': header('Allow', None, on('OPTIONS')),
    'OPTIONS-GET': header('Allow', 'POST', on('OPTIONS')),
    'OPTIONS-ACCEPT-PATCH': header('Accept-Patch', None, on('OPTIONS')),
    'ETAG-STRONG': change_content,
    'ETAG-STABLE': change_tag,
    'ETAG-VARIANTS': header('ETag', '"one"', status=200),
    'COND-304': ignoring('If-None-Match'),
    'COND-WEAK': ignoring('If-None-Match', on(If_None_Match='W/')),
    'COND-LIST': ignoring('If-None-Match', lambda request: ',' in request.header('If-None-Match')),
    'COND-ANY': ignoring('If-None-Match', on(If_None_Match='*')),
    'COND-DATE': ignoring('If-Modified-Since'),
    'COND-MODIFIED': status(304, on(If_None_Match='"conform')),
    'COND-TAG-OVER-DATE': ignoring('If-None-Match', on(If_Modified_Since='W')),
    'COND-304-FIELDS': header('Cache-Control', None, status=304),
    'COND-IF-MATCH': ignoring('If-Match', on('GET')),
    'COND-IF-MATCH-TRUE': status(412, on('GET', If_Match='"')),
    'ACCEPT-406': content(lambda body: b'', on(Accept='application/x-no'), original=406),
    'ACCEPT-CASE': status(406, lambda request: request.header('Accept').isupper()),
    'ACCEPT-ZERO': lambda server, request: server(
        Request(request.method, request.url, (('Accept', request.header('Accept').partition(';q=0,')[0]),))
    ),
    'ACCEPT-PREFERENCE': lambda server, request: server(
        Request(request.method, request.url, (('Accept', request.header('Accept').partition(';q=0.2')[0]),))
    ),
    'ACCEPT-SPECIFIC': lambda server, request: server(
        Request(
            request.method,
            request.url,
            (('Accept', request.header('Accept').partition('*/*;q=0.9, ')[2].partition(';')[0]),)
            if '0.9' in request.header('Accept')
            else request.headers,
        )
    ),
    'ACCEPT-SENT': header('Content-Type', HTML, on(Accept=JSON_API)),
    'VARY-ACCEPT': header('Vary', 'Origin'),
    'MISSING-404': status(200, on(at='/no-such-resource-4711')),
    'GZIP-DECODES': content(lambda body: body[:9], on(Accept_Encoding='gzip')),
    'GZIP-VARY': header('Vary', 'Accept', on(Accept_Encoding='gzip')),
    'RANGE-UNIT': status(416, on(Range='conform')),
    'RANGE-206': header('Content-Range', None),
    'RANGE-416': header('Content-Range', None, status=416),
    'CORS-ORIGIN': header('Access-Control-Allow-Origin', 'https://other.example.org', on(Origin='h')),
    'CORS-CREDENTIALS': lambda server, request: with_header(
        with_header(server(request), 'Access-Control-Allow-Origin', '*'),
        'Access-Control-Allow-Credentials',
        'true',
    ),
    'CORS-VARY': header('Vary', 'Accept'),
    'CORS-PREFLIGHT': status(401, on('OPTIONS', Origin='h')),
    'WRITE-415': status(400, on('POST'), original=415),
    'WRITE-MALFORMED': status(409, on('POST'), original=400),
    'CREATED-FETCH': status(404, is_new),
    'CREATED-STATE': override(change_name, on('POST', Content_Type='application/json')),
    'PUT-ROUNDTRIP': status(422, on('PUT'), original=200),
    'PUT-KEEPS': override(lambda server, request: change_thing(server, request, colour='blue'), on('PUT')),
    'PUT-VALIDATOR': lambda server, request: (
        with_header(change_thing(server, request, size='7'), 'ETag', '"new"')
        if request.method == 'PUT' and server(request).is_success
        else server(request)
    ),
    'PUT-STALE': ignoring('If-Match', on('PUT')),
    'PUT-STALE-KEEPS': override(change_despite_precondition, on('PUT', If_Match='"conform')),
    'PUT-NONE-MATCH': ignoring('If-None-Match', on('PUT')),
    'PUT-RANGE': ignoring('Content-Range', on('PUT')),
    'PATCH-415': status(400, on('PATCH'), original=415),
    'PATCH-415-ACCEPT': header('Accept-Patch', None, on('PATCH')),
    'MERGE-NOTHING': override(
        lambda server, request: change_thing(server, request, colour='blue'),
        on('PATCH', Content_Type='application/merge'),
    ),
    'METHOD-501': status(405, is_unknown_method),
    'METHOD-405': status(404, UNSUPPORTED_METHOD),
    'DELETE-STATUS': status(205, on('DELETE'), original=204),
    'DELETE-GONE': override(keep_deleted, on('DELETE')),
    'KEY-REPLAY': override(forget_key, on('POST', Idempotency_Key='"')),
    'KEY-REUSED': override(ignore_other_body, on('POST', Idempotency_Key='"')),
    'HTML-TAGS': html('</form>', ''),
    'HTML-ATTRIBUTE-ONCE': html('<h1>', '<h1 class="a" class="b">'),
    'HTML-ID-UNIQUE': html('<h1>', '<h1 id="q">'),
    'HTML-LABEL-FOR': html('for="q"', 'for="p"'),
    'HTML-ARIA-REFERENCE': html('id="hint"', ''),
    'HTML-FIELD-LABEL': html('<label for="q">Name</label>', ''),
    'HTML-LANGUAGE': html(' lang="en"', ''),
}
