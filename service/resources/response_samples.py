"""Samples of collections, built by the functions that build real ones."""

from service.database.pagination import Page, PageRequest
from service.http.operation import Samples
from service.representation.action import Action
from service.representation.document import Document, Link
from service.representation.query import PageNames, Query
from service.representation.query_parameters import HAL_DIALECT
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import represent_page
from service.resources.module import Sample


def sample_pages(
    template: str, entries: Samples, *forms: tuple[Action, str], related: str | None = None
) -> Samples:
    """Return a sample of the second of three pages of a collection, with the last of the entries.

    `template` is its URL template, and `forms` are Actions with the URL templates of their targets. `related`
    is the URL template of the related collection, if the page is part of a relationship.
    """

    def pages(builder: UrlBuilder, names: PageNames) -> dict[str, Document]:
        entry = [*entries.documents(builder).values()][-1]
        key = int(entry.id or 0)
        page = Page([entry], 2, 1, 3, key, key)
        document = represent_page(
            entry.kind,
            _href(builder, template),
            _query(names, page),
            page,
            [entry],
            builder,
            links={'related': Link(_href(builder, related))} if related else {},
            forms=tuple(action.at(_href(builder, target)) for action, target in forms),
        )
        return {'page': document}

    return Samples(entries.kind, lambda builder: pages(builder, HAL_DIALECT.names), pages)


def sample_collection(template: str, sample: Sample, **ids: int) -> Sample:
    """Return a function that makes a collection of one sample; its URL is the template with these ids."""

    def collection(builder: UrlBuilder) -> Document:
        item, query = sample(builder), Query(HAL_DIALECT.names)
        page = Page([item], 1, query.page_request.per_page, 1, None, None)
        return represent_page(item.kind, builder.url_for(template, **ids), query, page, [item], builder)

    return collection


def _query(names: PageNames, page: Page) -> Query:
    params = {names.number: str(page.page), names.size: str(page.per_page)}
    return Query(names, PageRequest(page.page, page.per_page), params=params)


def _href(builder: UrlBuilder, template: str) -> str:
    """Return the URL for the user and the store of the sample data."""
    return builder.url_for(template, user_id=sample_data.USER.id, store_id=sample_data.STORE_ID)
