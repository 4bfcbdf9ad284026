"""Content codings: whether a client accepts gzip, and compressing a body."""

import re
import zlib

from service.representation.media_types import cached_by_header

MIN_BYTES = 1024  # smaller bodies take as many round trips uncompressed
_GZIP_WINDOW = 31  # zlib: 15 bits, with the header and trailer of gzip
_CODING = re.compile(
    r'\s*+([!#$%&\x27*+.^_\x60|~0-9A-Za-z-]++)\s*+(?:;\s*q\s*=\s*([0-9.]++)\s*)?', re.IGNORECASE
)


@cached_by_header(maxsize=256)
def accepts_gzip(accept_encoding: str | None) -> bool:
    """Return whether an Accept-Encoding field accepts gzip, and does not prefer identity (RFC 9110 §12.5.3).

    Without the field, it does not accept gzip.
    """
    qualities = {}
    for element in (accept_encoding or '').split(','):
        match = _CODING.fullmatch(element)
        if match:
            qualities[match[1].lower()] = _quality(match[2])
    gzip = qualities.get('gzip', qualities.get('x-gzip', qualities.get('*', 0.0)))
    return 0 < gzip >= qualities.get('identity', 0.0)


def is_compressed(body: bytes, accept_encoding: str | None) -> bool:
    """Return whether a body is sent in the content coding gzip: if it is long, and the client accepts it."""
    return len(body) >= MIN_BYTES and accepts_gzip(accept_encoding)


def compress(body: bytes, level: int) -> bytes:
    """Return the body in the content coding gzip, the same bytes each time (RFC 1952)."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()


def _quality(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 0.0
