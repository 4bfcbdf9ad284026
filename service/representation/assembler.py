"""The protocol of the functions that represent domain objects."""

from typing import Protocol, TypeVar

from service.domain.viewer import Viewer
from service.representation.document import Document
from service.representation.url_builder import UrlBuilder

Record_contra = TypeVar('Record_contra', contravariant=True)


class Assembler(Protocol[Record_contra]):
    """Makes the Document of a domain object: `represent_user`, `represent_post`, …

    The Document depends only on the three arguments: it describes what this viewer may see of the record and
    do with it, at one origin. `viewer` is None for an anonymous client. The record is immutable and contains
    everything that the Document needs, so an assembler reads neither the database nor the clock. Documents
    are not cached; what all documents of a kind have in common is in a Template.
    """

    def __call__(self, record: Record_contra, viewer: Viewer | None, builder: UrlBuilder, /) -> Document: ...
