"""Validation of email addresses, internationalised ones included (RFC 5321, 5890, 6531)."""

import re

import idna

MAX_LOCAL_OCTETS = 64  # RFC 5321 §4.5.3.1.1
# Dot-atom (RFC 5322 §3.2.3) with the characters that RFC 6531 §3.3 adds, and dots between them.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff]++"
_LOCAL = re.compile(rf'{_ATOM}(?:\.{_ATOM})*+')
_LABEL = re.compile(r'[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?', re.ASCII | re.IGNORECASE)


def is_email(text: str) -> bool:
    """Return whether the text is one email address."""
    local, _, domain = text.rpartition('@')
    return bool(_LOCAL.fullmatch(local)) and len(local.encode()) <= MAX_LOCAL_OCTETS and _is_domain(domain)


def _is_domain(domain: str) -> bool:
    try:
        encoded = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return False
    return len(encoded) <= 253 and all(_LABEL.fullmatch(label) for label in encoded.split('.'))
