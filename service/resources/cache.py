"""A cache of documents by object, viewer and origin."""

from functools import lru_cache
from typing import TypeVar

from service.representation.assembler import Assembler

Record = TypeVar('Record')

MAX_DOCUMENTS = 256  # of each kind; about 10 KB each, including their renderings


def cached(represent: Assembler[Record]) -> Assembler[Record]:
    """Return the assembler with a cache of its most recent documents.

    The cache key is everything that a document depends on: the object, the viewer and the URL builder. An
    entry is never shared between viewers, or between versions of the object.
    """
    return lru_cache(maxsize=MAX_DOCUMENTS)(represent)
