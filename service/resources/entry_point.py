"""The entry point: the only URL that a client needs to know."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

import falcon

from service import urls
from service.domain.viewer import Viewer
from service.http.cache_control import NO_STORE
from service.http.operation import Access, Formats, Operation, Samples
from service.http.request import Home, Request
from service.representation.display import ActionDisplay, Display, NavigationLink
from service.representation.document import Document, Relationship
from service.representation.kind import Kind
from service.representation.media_types import HTML, OPENAPI
from service.representation.query_parameters import QueryOptions
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.module import EntryPointPart

EntryPoint = Callable[[Viewer | None, UrlBuilder], EntryPointPart]

# The actions of the entry point, and those after which its page is shown.
ACTIONS = {
    'publish': ActionDisplay('Your post is published.', label='Publish', is_prominent=True),
    'login': ActionDisplay(is_prominent=True, begins_session=True),
    'register': ActionDisplay('Your account is ready. Sign in.', is_prominent=True),
    'delete': ActionDisplay('Your account is deleted.'),
    'forgot-password': ActionDisplay(
        'If the address belongs to an account, an email with a link is on its way.'
    ),
    'reset-password': ActionDisplay(
        'Your password is changed. Sign in with it.', is_prominent=True, ends_session=True
    ),
    'verify-email': ActionDisplay('Your email address is verified.', is_prominent=True, ends_session=True),
}

KIND = Kind(
    'entry-points',
    'EntryPoint',
    links=('service-desc', 'service-doc'),
    has_more_links=True,
    display=Display(
        lead='Short posts, and people to follow. Each page is also available through an API.',
        actions=ACTIONS,
        includes={'hc:feed': 'Feed'},
        navigation=(
            NavigationLink('hc:feed', 'Feed'),
            NavigationLink('hc:posts', 'Posts'),
            NavigationLink('hc:users', 'People'),
            NavigationLink('hc:stores', 'Stores'),
        ),
        account=(NavigationLink('hc:me', 'Profile'), NavigationLink('hc:tokens', 'Sign-ins')),
        session='hc:tokens',
    ),
)

_CLOSED_DISPLAY = replace(
    KIND.display, lead=f'{KIND.display.lead} Registration is closed; the operator can add an account for you.'
)


class EntryPointResource:
    """The links and forms with which a viewer starts."""

    tag = 'entry-point'
    operation_name = 'EntryPoint'

    def __init__(self, represent: Home) -> None:
        self._represent = represent
        samples = Samples(KIND, self._samples)
        self.operations = {
            'GET': Operation(
                'Get the entry point',
                'The only URL that a client needs to know: links and forms for everything that it can do.',
                {200: samples},
                Access.ANYONE,
                query=QueryOptions('entry-points'),
            )
        }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.media = self._represent(req.viewer, req.builder)
        resp.append_header('Link', f'<{req.builder.url_for(urls.API_CATALOG)}>; rel="api-catalog"')

    def _samples(self, builder: UrlBuilder) -> dict[str, Document]:
        return {
            'signed-in': self._represent(sample_data.OWNER, builder),
            'anonymous': self._represent(None, builder),
        }


def represent_entry_point(
    entry_points: Sequence[EntryPoint], viewer: Viewer | None, builder: UrlBuilder
) -> Document:
    """Return the entry point, assembled from the contributions of the modules."""
    parts = [entry_point(viewer, builder) for entry_point in entry_points]
    links = {rel: link for part in parts for rel, link in part.links.items()}
    return Document(
        kind='entry-points',
        id='api',
        properties={},
        links={
            'self': builder.link_to(urls.ENTRY),
            'curies': builder.curies,
            **links,
            'service-desc': builder.link_to(urls.OPENAPI)._replace(type=OPENAPI),
            'service-doc': builder.link_to(urls.DOCS)._replace(type=HTML),
        },
        forms=tuple(form for part in parts for form in part.forms),
        relationships={
            rel: Relationship() for rel, link in links.items() if ':' in rel and not link.templated
        },
        title='Halcyon',
        display=KIND.display if builder.features.registration else _CLOSED_DISPLAY,
    )


class RootResource:
    """The root of the origin, which redirects to the entry point."""

    tag = 'entry-point'
    operation_name = 'Root'
    operations: ClassVar = {
        'GET': Operation(
            'Find the entry point',
            'Redirects to the entry point.',
            {308: None},
            Access.PUBLIC,
            formats=Formats.FIXED,
        )
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.status = falcon.HTTP_308
        resp.location = req.builder.url_for(urls.ENTRY)
        # If browsers stored the redirect, it would affect other servers on localhost.
        resp.set_header('Cache-Control', NO_STORE)
