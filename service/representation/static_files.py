"""The script, style sheet and icon of the HTML pages, each at a URL that changes with its content."""

import hashlib
from importlib.resources import files
from typing import NamedTuple

from service import urls

_TYPES = {
    'css': 'text/css; charset=utf-8',
    'js': 'text/javascript; charset=utf-8',
    'svg': 'image/svg+xml; charset=utf-8',
}


class Asset(NamedTuple):
    """A static file; `name` contains a fingerprint of the content, so that it can be cached forever."""

    name: str
    content_type: str
    content: bytes


def _read(file_name: str) -> Asset:
    content = (files('service.representation') / 'static' / file_name).read_bytes()
    stem, _, extension = file_name.partition('.')
    fingerprint = hashlib.blake2b(content, digest_size=8).hexdigest()
    return Asset(f'{stem}.{fingerprint}.{extension}', _TYPES[extension], content)


_FILES = {file_name: _read(file_name) for file_name in ('page.css', 'page.js', 'icon.svg')}
ASSETS = {asset.name: asset for asset in _FILES.values()}


def asset_path(file_name: str) -> str:
    """Return the path at which the file is served; raises KeyError if there is no such file."""
    return urls.ASSET.format(name=_FILES[file_name].name)
