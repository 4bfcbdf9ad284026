"""A cache of documents by object, viewer and origin."""

from functools import lru_cache
from typing import TypeVar

from service.representation.assembler import Assembler

Thing = TypeVar('Thing')

MAX_DOCUMENTS = 256  # of each kind; some 10 KB each, with what is rendered of them


def cached(represent: Assembler[Thing]) -> Assembler[Thing]:
    """Return an assembler that keeps the last documents that it made.

    The key is all that a document depends on, (object, viewer, URLs), so an entry is never shared between
    viewers, nor between versions of the object.
    """
    return lru_cache(maxsize=MAX_DOCUMENTS)(represent)
