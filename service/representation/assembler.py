"""The protocol of the functions that represent domain objects."""

from typing import Protocol, TypeVar

from service.domain.viewer import Viewer
from service.representation.document import Document
from service.representation.url_builder import UrlBuilder

Record_contra = TypeVar('Record_contra', contravariant=True)


class Assembler(Protocol[Record_contra]):
    """Makes the Document of a domain object: `represent_user`, `represent_post`, …

    The Document is complete and depends on the three arguments only: it is what one viewer may see of the
    record and do with it, at one origin. `viewer` is None for an anonymous client. The record is immutable
    and contains everything that the Document needs: an assembler reads no database and no clock. Documents
    are not cached; what those of a kind have in common is in a Template, which has nothing of a record.
    """

    def __call__(self, record: Record_contra, viewer: Viewer | None, builder: UrlBuilder, /) -> Document: ...
