"""Preferences of clients: the Prefer header (RFC 7240)."""

import re

from service.representation.media_types import split_list

_RETURN = re.compile(r'\s*return\s*=\s*"?(minimal|representation)"?\s*(?:;.*)?', re.IGNORECASE)


def prefers_minimal(header: str) -> bool:
    """Return whether a Prefer header prefers a response without content; the first of several wins (§2)."""
    matches = (_RETURN.fullmatch(preference) for preference in split_list(header))
    return next((match[1].lower() == 'minimal' for match in matches if match), False)
