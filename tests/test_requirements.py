"""What the server is made of: every package is pinned, also those that only others need."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import files, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.server import ROOT


def read(part: str) -> dict[str, Requirement]:
    """Return the requirements in a part of a file, by name."""
    several = [Requirement(line) for line in part.splitlines() if line and not line.startswith('#')]
    return {canonicalize_name(requirement.name): requirement for requirement in several}


OWN, IN_TURN = map(read, (ROOT / 'requirements.txt').read_text().split('# What these need in turn.\n'))


def needed_by(several: Iterable[Requirement]) -> set[str]:
    """Return the names of all packages that these lead to, on this machine."""
    waiting = list(several)
    found: set[tuple[str, str]] = set()
    while waiting:
        one = waiting.pop()
        for extra in {'', *one.extras} - {extra for name, extra in found if name == one.name}:
            found.add((one.name, extra))
            others = [Requirement(line) for line in requires(one.name) or ()]
            waiting += [
                other for other in others if other.marker is None or other.marker.evaluate({'extra': extra})
            ]
    return {canonicalize_name(name) for name, _ in found}


def test_whatever_the_server_is_made_of_is_pinned_exactly() -> None:
    assert needed_by(OWN.values()) <= {*OWN, *IN_TURN}
    for name, requirement in (OWN | IN_TURN).items():
        assert str(requirement.specifier) == f'=={version(name)}'


def test_every_installed_file_has_the_hash_that_its_package_was_published_with() -> None:
    checked = 0
    for name in needed_by(OWN.values()):
        for file in files(name) or ():
            if file.hash is not None and file.hash.mode == 'sha256':
                digest = sha256(file.locate().read_bytes()).digest()
                assert urlsafe_b64encode(digest).decode().rstrip('=') == file.hash.value, file
                checked += 1
    assert checked > 500
