"""What text is here: NFC, without control characters, trimmed and compared as said on this page."""

import unicodedata

LONGEST = 1024  # code points, composed or not: no text that is kept or compared has more
# What JavaScript's \s is (ECMA-262, WhiteSpace and LineTerminator), so that a form's rule and this one agree.
WHITE_SPACE = (
    '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'
    '\u2028\u2029\u202f\u205f\u3000\ufeff'
)


def normalize(text: str) -> str:
    """Return the text in Unicode normalization form C (UAX #15), one that is too long to be kept as it is.

    Putting marks in order takes the square of their number: 64 KiB of them would take seconds.
    """
    return unicodedata.normalize('NFC', text) if len(text) <= LONGEST else text


def has_control_characters(text: str) -> bool:
    """Whether the text has control characters other than newline, or halves of surrogate pairs."""
    return not text.isprintable() and any(
        unicodedata.category(character) in ('Cc', 'Cs') and character != '\n' for character in text
    )


def fold(text: str) -> str:
    """Return what the text is compared by where case is of no regard."""
    return normalize(text).casefold()
