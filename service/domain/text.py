"""Text normalization: NFC, no control characters, case folding; and digests of texts."""

import hashlib
import unicodedata

MAX_NORMALIZED_LENGTH = 1024  # code points: no text that is stored or compared is longer
# JavaScript's \s (ECMA-262, WhiteSpace and LineTerminator), so that a form's pattern and this rule agree.
WHITE_SPACE = (
    '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'
    '\u2028\u2029\u202f\u205f\u3000\ufeff'
)


# Default_Ignorable_Code_Point (Unicode 15), interlinear annotations, and the braille pattern without a dot.
_INVISIBLE = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
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


def has_surrogates(text: str) -> bool:
    """Return whether the text has lone surrogates, which are not characters."""
    return not text.isprintable() and any('\ud800' <= character <= '\udfff' for character in text)


def is_blank(text: str) -> bool:
    """Return whether the text has no visible character (White_Space, Default_Ignorable_Code_Point)."""
    return all(character.isspace() or _is_invisible(ord(character)) for character in text)


def _is_invisible(code_point: int) -> bool:
    return code_point >= _INVISIBLE[0][0] and any(first <= code_point <= last for first, last in _INVISIBLE)


def casefolded(text: str) -> str:
    """Return the case-folded text, by which texts are compared ignoring case."""
    return normalize(text).casefold()


def digest_of(text: str) -> str:
    """Return the hexadecimal SHA-256 of the text, which is stored instead of it."""
    return hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()
