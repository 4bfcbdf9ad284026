"""Schemas of documents in HAL and JSON:API, generated from the declared members of their kinds."""

from collections.abc import Mapping

from service.representation.document import member
from service.representation.json_schema import Schema, schema_of_member
from service.representation.kind import Kind, Presence
from service.representation.query import PAGE_RELATIONS
from service.resources.openapi.components import Components, reference

_TEXT: Schema = {'type': 'string'}
_URI: Schema = {'type': 'string', 'format': 'uri'}
_NUMBER: Schema = {'type': 'number'}


def _object(properties: Mapping[str, Schema], *required: str, description: str = '') -> Schema:
    """Return the schema of an object, with the names of the members that are required."""
    members: Schema = {'required': list(required), 'description': description}
    optional = {name: value for name, value in members.items() if value}
    return {'type': 'object', 'properties': dict(properties), **optional}


def _array(items: Schema) -> Schema:
    return {'type': 'array', 'items': items}


def _map(values: Schema, description: str = '') -> Schema:
    schema: Schema = {'type': 'object', 'additionalProperties': values}
    return schema | ({'description': description} if description else {})


def _closed_map(*names: str) -> Schema:
    """Return the schema of a links object that may have these links, and no others (JSON:API §7.6).

    With the Cursor Pagination profile, `prev` and `next` are null where there is no such page.
    """
    return {**_map({**_URI, 'type': ['string', 'null']}), 'propertyNames': {'enum': [*names]}}


_LINK = reference('schemas', 'Link')
_PROBLEM_LINKS = {
    **_object(
        {'help': _LINK, 'self': _LINK, 'start': _LINK, 'hc:tokens': _LINK, 'curies': _array(_LINK)}, 'help'
    ),
    'description': 'HAL links to the documentation of the problem, and to resources that may help.',
}
_IDENTIFIER = reference('schemas', 'ResourceIdentifier')
_RELATIONSHIP = reference('schemas', 'Relationship')
_PAGE_META = reference('schemas', 'PageMeta')
_DOCUMENT_META = reference('schemas', 'DocumentMeta')
_RESOURCE_LINKS = reference('schemas', 'ResourceLinks')
_RESOURCE_META = reference('schemas', 'ResourceMeta')
_ERROR_LOCATION = {
    'detail': _TEXT,
    'pointer': {'type': 'string', 'description': 'A JSON Pointer (RFC 6901).'},
}
_PAGE_NUMBER = {
    'type': 'integer',
    'description': 'The number of the page, from 1; absent if only a cursor was requested.',
}


def _page_meta(page: Schema) -> Schema:
    return _object(
        {
            'page': page,
            'per_page': {'type': 'integer', 'description': 'The maximum number of entries of a page.'},
            'total_pages': {
                'type': 'integer',
                'description': 'The number of pages; 0 if the collection is empty.',
            },
            'total_items': {'type': 'integer', 'description': 'The number of entries of the collection.'},
        },
        *('per_page', 'total_pages', 'total_items'),
        description='The position of a page in its collection.',
    )


# The schemas that documents of all kinds share, and those of errors.
SHARED: dict[str, Schema] = {
    'HtmlPage': {**_TEXT, 'description': 'An HTML page for people.', 'examples': ['<!doctype html>…']},
    'Link': _object(
        {
            'href': {'type': 'string', 'description': 'A URI, or a URI template (RFC 6570).'},
            'templated': {'type': 'boolean', 'description': 'Whether `href` is a URI template.'},
            'name': {'type': 'string', 'description': 'The prefix of a CURIE.'},
            'type': {
                'type': 'string',
                'description': 'The media type of a target that is not a document of this API.',
            },
        },
        'href',
        description='A link (HAL §5).',
    ),
    'PageLinks': _object(
        {
            'self': _LINK,
            'curies': _array(_LINK),
            'first': _LINK,
            'prev': _LINK,
            'next': _LINK,
            'last': _LINK,
            'hc:page': _LINK,
            'search': _LINK,
            'item': _array(_LINK),
        },
        *('self', 'first', 'last', 'hc:page', 'item'),
        description='The links of a page of a collection.',
    ),
    'PageMeta': _page_meta(_PAGE_NUMBER),
    'DocumentMeta': _page_meta(
        {
            'oneOf': [_PAGE_NUMBER, _object({'total': {'type': 'integer'}}, 'total')],
            'description': 'With the Cursor Pagination profile, the number of entries of the collection.',
        }
    ),
    'Templates': _map(
        reference('schemas', 'Template'),
        'In HAL-FORMS: the forms that this client can submit now, by name.',
    ),
    'Template': _object(
        {
            'title': _TEXT,
            'method': _TEXT,
            'target': _URI,
            'contentType': _TEXT,
            'properties': _array(reference('schemas', 'TemplateProperty')),
        },
        *('title', 'method', 'target', 'properties'),
        description='A form (HAL-FORMS, "The _templates Element").',
    ),
    'TemplateProperty': _object(
        {
            'name': _TEXT,
            'prompt': _TEXT,
            'type': _TEXT,
            'required': {'type': 'boolean'},
            'minLength': {'type': 'integer'},
            'maxLength': {'type': 'integer'},
            'regex': _TEXT,
            'placeholder': _TEXT,
            'rows': {'type': 'integer'},
            'min': _NUMBER,
            'max': _NUMBER,
            'step': _NUMBER,
            'options': _object({'inline': _array(_TEXT)}, 'inline'),
            'value': _TEXT,
        },
        *('name', 'prompt', 'type'),
        description='One input of a form, with the rules that the server enforces.',
    ),
    'JsonApiVersion': _object({'version': {'const': '1.1'}, 'profile': _array(_URI)}, 'version'),
    'ResourceIdentifier': _object({'type': _TEXT, 'id': _TEXT}, 'type', 'id'),
    'DocumentLinks': _closed_map('self', 'related', 'describedby', *PAGE_RELATIONS),
    'ResourceLinks': {**_object({'self': _URI}, 'self'), 'additionalProperties': False},
    'ResourceMeta': _object(
        {
            'links': _map(
                _object({'href': _URI, 'rel': _TEXT}, 'href', 'rel'),
                'Links that are not relationships, by name, with their relation types.',
            )
        },
        description='The other links of a resource.',
    ),
    'Relationship': _object(
        {
            'links': _closed_map('self', 'related', *PAGE_RELATIONS),
            'data': {'oneOf': [_IDENTIFIER, _array(_IDENTIFIER)]},
            'meta': _DOCUMENT_META,
        },
        'links',
        description='The links of a relationship, and its linkage if it is included (JSON:API §7.2.2.2).',
    ),
    'IncludedResource': _object(
        {
            'type': _TEXT,
            'id': _TEXT,
            'attributes': {'type': 'object', 'additionalProperties': True},
            'relationships': _map(_RELATIONSHIP),
            'links': _RESOURCE_LINKS,
            'meta': _RESOURCE_META,
        },
        *('type', 'id'),
        description='An included resource of any type.',
    ),
    'Problem': _object(
        {
            'type': {**_URI, 'description': 'The problem type; the page at this URL explains it.'},
            'title': _TEXT,
            'status': {'type': 'integer'},
            'detail': {'type': 'string', 'description': 'What is wrong with this request.'},
            'instance': {**_URI, 'description': 'The target of the request.'},
            'errors': {
                **_array(_object(_ERROR_LOCATION, 'detail', 'pointer')),
                'description': 'The invalid fields.',
            },
            'parameter': {'type': 'string', 'description': 'The invalid query parameter.'},
            'reference': {'type': 'string', 'description': 'Identifies the error in the log.'},
            '_links': _PROBLEM_LINKS,
        },
        *('type', 'title', 'status', 'detail', 'instance', '_links'),
        description='Problem details (RFC 9457).',
    ),
    'Error': _object(
        {'error': _TEXT, 'message': _TEXT}, 'error', 'message', description='An error in its short form.'
    ),
    'JsonApiErrors': _object(
        {
            'jsonapi': reference('schemas', 'JsonApiVersion'),
            'errors': _array(
                _object(
                    {
                        'status': _TEXT,
                        'code': _TEXT,
                        'title': _TEXT,
                        'detail': _TEXT,
                        'source': _object({'pointer': _TEXT, 'parameter': _TEXT, 'header': _TEXT}),
                        'links': _map(_URI),
                        'meta': {'type': 'object', 'additionalProperties': True},
                    },
                    *('status', 'code', 'title', 'detail', 'links'),
                )
            ),
        },
        *('jsonapi', 'errors'),
        description='JSON:API errors (§11.2).',
    ),
}


class KindSchemas:
    """Adds the schemas of documents, and of the kinds that they embed, to the components."""

    def __init__(self, kinds: Mapping[str, Kind], components: Components) -> None:
        self._kinds = kinds
        self._components = components

    def hal(self, kind: Kind, *, is_new: bool = False) -> Schema:
        """Return the schema of one document in HAL and HAL-FORMS."""
        members = _members(kind, is_new=is_new)
        links: dict[str, Schema] = {'self': _LINK, 'curies': _array(_LINK)}
        links |= dict.fromkeys((*kind.links, *kind.optional_links), _LINK)
        all_links = _object(links, 'self', *kind.links)
        if kind.has_more_links:
            all_links['additionalProperties'] = _LINK
        properties: dict[str, Schema] = {'_links': all_links, **members}
        required = ['_links', *(name for name in members if name == 'id')]  # `fields` can omit the others
        embedded = {rel: self.hal(self._kinds[name]) for rel, name in kind.embedded.items()}
        embedded |= {rel: self._included(kind, rel) for rel in kind.relationships if rel not in embedded}
        if embedded:
            properties['_embedded'] = _object(embedded)
        properties['_templates'] = reference('schemas', 'Templates')
        return self._components.refer('schemas', _title(kind, members), _object(properties, *required))

    def _included(self, kind: Kind, rel: str) -> Schema:
        """Return a reference to the schema of included documents, which their own operations describe."""
        title = self._kinds[kind.relationships[rel]].title
        return reference('schemas', f'{title}Page' if rel in kind.to_many else title)

    def hal_page(self, kind: Kind) -> Schema:
        """Return the schema of a page of documents in HAL and HAL-FORMS."""
        page = _object(
            {
                '_links': reference('schemas', 'PageLinks'),
                '_meta': _PAGE_META,
                '_embedded': _object({'item': _array(self.hal(kind))}, 'item'),
                '_templates': reference('schemas', 'Templates'),
            },
            *('_links', '_meta', '_embedded'),
        )
        return self._components.refer('schemas', f'{kind.title}Page', page)

    def json_api(self, kind: Kind, *, is_new: bool = False) -> Schema:
        """Return the schema of one document in JSON:API."""
        members = _members(kind, is_new=is_new)
        document = self._json_api_document(data=self._resource(kind, members))
        return self._components.refer('schemas', f'{_title(kind, members)}Document', document)

    def json_api_page(self, kind: Kind) -> Schema:
        """Return the schema of a page of documents in JSON:API."""
        resource = self._resource(kind, _members(kind))
        document = self._json_api_document(data=_array(resource), meta=_DOCUMENT_META)
        return self._components.refer('schemas', f'{kind.title}DocumentPage', document)

    def identifier(self) -> Schema:
        """Return the schema of a to-one relationship at its own URL (JSON:API §8.2)."""
        document = self._json_api_document(data=_IDENTIFIER)
        return self._components.refer('schemas', 'ToOneLinkage', document)

    def linkage(self) -> Schema:
        """Return the schema of a to-many relationship at its own URL (JSON:API §8.2)."""
        document = self._json_api_document(data=_array(_IDENTIFIER), meta=_DOCUMENT_META)
        return self._components.refer('schemas', 'Linkage', document)

    def _json_api_document(self, **members: Schema) -> Schema:
        properties = {
            'jsonapi': reference('schemas', 'JsonApiVersion'),
            'links': reference('schemas', 'DocumentLinks'),
            **members,
            'included': _array(reference('schemas', 'IncludedResource')),
        }
        return _object(properties, 'jsonapi', 'links', *members)

    def _resource(self, kind: Kind, members: Mapping[str, Schema]) -> Schema:
        """Return the schema of a resource object (JSON:API §7.2); sparse fieldsets can omit its members."""
        properties: dict[str, Schema] = {'type': {'const': kind.name}, 'id': _TEXT}
        attributes = {
            name: {keyword: value for keyword, value in schema.items() if keyword != 'description'}
            for name, schema in members.items()
            if name != 'id'
        }
        relationships = {member(rel): _RELATIONSHIP for rel in kind.relationships}
        if attributes:
            title = _title(kind, members)
            properties['attributes'] = _object(attributes, description=f'They are described in {title}.')
        if kind.has_more_links:
            properties['relationships'] = _map(_RELATIONSHIP)
        elif relationships:
            properties['relationships'] = _object(relationships)
        properties |= {'links': _RESOURCE_LINKS, 'meta': _RESOURCE_META}
        resource = _object(properties, 'type', 'id', 'links')
        return self._components.refer('schemas', f'{_title(kind, members)}Resource', resource)


def _members(kind: Kind, *, is_new: bool = False) -> dict[str, Schema]:
    return {
        member.name: schema_of_member(member)
        for member in kind.members
        if is_new or member.presence is not Presence.CREATION
    }


def _title(kind: Kind, members: Mapping[str, Schema]) -> str:
    """Return the title of a document with these members: a new token has more members than a token."""
    return kind.title if members == _members(kind) else f'New{kind.title}'
