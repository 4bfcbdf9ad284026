"""Documents that many ask for: made once, and kept while they are asked for."""

from functools import lru_cache
from typing import TypeVar

from service.http.conditional import Represent

Thing = TypeVar('Thing')

KEPT = 256  # documents of each kind; some 10 KB each, with what is rendered of them


def remembered(represent: Represent[Thing]) -> Represent[Thing]:
    """Return a representation that remembers what it made.

    A Document depends on the thing as it was read, the viewer and the origin, and on nothing else, so it
    is the same where these are. It is found by all of them together, thus never for another viewer, and
    never after the thing has changed.
    """
    return lru_cache(maxsize=KEPT)(represent)
