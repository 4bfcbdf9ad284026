"""Text normalization: NFC, no control characters, case folding."""

import unicodedata

MAX_NORMALIZED_LENGTH = 1024  # code points: no text that is stored or compared is longer
# JavaScript's \s (ECMA-262, WhiteSpace and LineTerminator), so that a form's pattern and this rule agree.
WHITE_SPACE = (
    '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'
    '\u2028\u2029\u202f\u205f\u3000\ufeff'
)


def normalize(text: str) -> str:
    """Return the text in Unicode normalization form C (UAX #15), or unchanged if it is too long to be stored.

    Canonical ordering is quadratic in the number of combining marks: 64 KiB of them would take seconds.
    """
    return unicodedata.normalize('NFC', text) if len(text) <= MAX_NORMALIZED_LENGTH else text


def has_control_characters(text: str) -> bool:
    """Return whether the text has control characters other than newline, or lone surrogates."""
    return not text.isprintable() and any(
        unicodedata.category(character) in ('Cc', 'Cs') and character != '\n' for character in text
    )


def casefolded(text: str) -> str:
    """Return the text by which it is compared ignoring case."""
    return normalize(text).casefold()
