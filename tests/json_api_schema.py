"""A JSON Schema of what a server may answer in JSON:API 1.1, written from the specification's text."""

from typing import Any

MEMBER = r'^[A-Za-z0-9\u0080-\uffff]([A-Za-z0-9\u0080-\uffff _-]*[A-Za-z0-9\u0080-\uffff])?$'  # §7.8


def _closed(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object with these members and no others: most objects may have none that are not defined (§7)."""
    return {
        'type': 'object',
        'properties': properties,
        'required': required,
        'additionalProperties': False,
    }


def _ref(name: str) -> dict[str, str]:
    return {'$ref': f'#/$defs/{name}'}


SCHEMA: dict[str, Any] = {
    '$schema': 'https://json-schema.org/draft/2020-12/schema',
    'oneOf': [_ref('success'), _ref('failure'), _ref('information')],
    '$defs': {
        'success': _closed(
            ['data'],
            data={
                'oneOf': [
                    {'type': 'null'},
                    _ref('resource'),
                    _ref('identifier'),
                    {'type': 'array', 'items': _ref('resource'), 'minItems': 1},
                    {'type': 'array', 'items': _ref('identifier'), 'uniqueItems': True},
                ]
            },
            included={'type': 'array', 'items': _ref('resource'), 'uniqueItems': True},
            jsonapi=_ref('jsonapi'),
            links=_closed(
                [],
                self=_ref('link'),
                related=_ref('link'),
                describedby=_ref('link'),
                first=_ref('link'),
                prev=_ref('link'),
                next=_ref('link'),
                last=_ref('link'),
            ),
            meta=_ref('meta'),
        ),
        'failure': _closed(
            ['errors'],
            errors={'type': 'array', 'items': _ref('error'), 'minItems': 1},
            jsonapi=_ref('jsonapi'),
            links=_ref('links'),
            meta=_ref('meta'),
        ),
        'information': _closed(['meta'], meta=_ref('meta'), jsonapi=_ref('jsonapi'), links=_ref('links')),
        'jsonapi': _closed(
            [],
            version={'enum': ['1.0', '1.1']},
            ext={'type': 'array', 'items': {'type': 'string', 'format': 'uri'}},
            profile={'type': 'array', 'items': {'type': 'string', 'format': 'uri'}},
            meta=_ref('meta'),
        ),
        'meta': {'type': 'object', 'propertyNames': {'pattern': MEMBER}},
        'links': {
            'type': 'object',
            'propertyNames': {'pattern': MEMBER},
            'additionalProperties': _ref('link'),
        },
        'link': {
            'oneOf': [
                {'type': 'string', 'format': 'uri-reference', 'pattern': r'^[^{}\s]+$'},
                {'type': 'null'},
                _closed(
                    ['href'],
                    href={'type': 'string', 'pattern': r'^[^{}\s]+$'},
                    rel={'type': 'string'},
                    describedby=_ref('link'),
                    title={'type': 'string'},
                    type={'type': 'string'},
                    hreflang={'type': ['string', 'array']},
                    meta=_ref('meta'),
                ),
            ]
        },
        'identifier': _closed(
            ['type', 'id'],
            type={'type': 'string', 'pattern': MEMBER},
            id={'type': 'string', 'minLength': 1},
            meta=_ref('meta'),
        ),
        'resource': {
            **_closed(
                ['type', 'id', 'links'],  # without `links` it might be an identifier; ours always have them
                type={'type': 'string', 'pattern': MEMBER},
                id={'type': 'string', 'minLength': 1},
                attributes={
                    'type': 'object',
                    'propertyNames': {'pattern': MEMBER, 'not': {'enum': ['id', 'type']}},
                    'additionalProperties': _ref('attribute'),
                },
                relationships={
                    'type': 'object',
                    'propertyNames': {'pattern': MEMBER, 'not': {'enum': ['id', 'type']}},
                    'additionalProperties': _ref('relationship'),
                },
                links=_closed(['self'], self=_ref('link')),  # §7.2.3 defines no other
                meta={
                    **_ref('meta'),
                    'properties': {
                        'links': {
                            'type': 'object',
                            'propertyNames': {'pattern': MEMBER},
                            'additionalProperties': {
                                **_ref('link'),
                                'type': 'object',
                                'required': ['href', 'rel'],
                            },
                        }
                    },
                },
            ),
        },
        'attribute': {
            'if': {'type': 'object'},
            'then': {
                'propertyNames': {'pattern': MEMBER},
                'properties': {'relationships': False, 'links': False},
                'additionalProperties': _ref('attribute'),
            },
            'else': {'items': _ref('attribute')},
        },
        'relationship': {
            **_closed(
                [],
                links={
                    **_closed(
                        [],
                        self=_ref('link'),
                        related=_ref('link'),
                        first=_ref('link'),
                        prev=_ref('link'),
                        next=_ref('link'),
                        last=_ref('link'),
                    ),
                    'anyOf': [{'required': ['self']}, {'required': ['related']}],
                },
                data={
                    'oneOf': [
                        {'type': 'null'},
                        _ref('identifier'),
                        {'type': 'array', 'items': _ref('identifier'), 'uniqueItems': True},
                    ]
                },
                meta=_ref('meta'),
            ),
            'minProperties': 1,
        },
        'error': {
            **_closed(
                [],
                id={'type': 'string'},
                links=_closed([], about=_ref('link'), type=_ref('link')),
                status={'type': 'string', 'pattern': '^[45][0-9]{2}$'},
                code={'type': 'string'},
                title={'type': 'string'},
                detail={'type': 'string'},
                source=_closed(
                    [],
                    pointer={'type': 'string', 'pattern': '^(/|$)'},
                    parameter={'type': 'string'},
                    header={'type': 'string'},
                ),
                meta=_ref('meta'),
            ),
            'minProperties': 1,
        },
    },
}
