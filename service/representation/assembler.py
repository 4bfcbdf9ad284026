"""The protocol of the functions that represent domain objects."""

from typing import Protocol, TypeVar

from service.domain.viewer import Viewer
from service.representation.document import Document
from service.representation.url_builder import UrlBuilder

Thing_contra = TypeVar('Thing_contra', contravariant=True)


class Assembler(Protocol[Thing_contra]):
    """Makes the Document of a domain object: `represent_user`, `represent_post`, …

    The Document is complete, and depends on the three arguments alone: what one viewer may see of the
    object and do with it, at one origin. `viewer` is None for an anonymous client. The object, which is
    immutable, must have all that the Document holds: an assembler reads no database and no clock, so equal
    arguments give equal Documents, which may be cached.
    """

    def __call__(self, thing: Thing_contra, viewer: Viewer | None, builder: UrlBuilder, /) -> Document: ...
