"""Sample responses of collections, built by the functions that build real ones."""

from service.database.pagination import Page, PageRequest
from service.http.operation import Samples
from service.representation.action import Action
from service.representation.document import Document, Link
from service.representation.query_parameters import HalDialect, PageNames, Query
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.collection_pages import represent_page


def sample_pages(
    template: str, entries: Samples, *forms: tuple[Action, str], related: str | None = None
) -> Samples:
    """Return a page between two others, with the last of the entries, of the collection at a URL template.

    `forms` are Actions with the URL templates that they are sent to. A relationship by itself leads to what
    is `related`.
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

    return Samples(entries.kind, lambda builder: pages(builder, HalDialect.names), pages)


def _query(names: PageNames, page: Page) -> Query:
    given = {names.number: str(page.page), names.size: str(page.per_page)}
    return Query(names, PageRequest(page.page, page.per_page), given=given)


def _href(builder: UrlBuilder, template: str) -> str:
    """Return the address that belongs to the owner of all samples."""
    return builder.url_for(template, user_id=sample_data.USER.id, store_id=sample_data.STORE_ID)
