"""The dependencies of the server: all are pinned, including transitive ones."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import files, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.server import ROOT


def parse(section: str) -> dict[str, Requirement]:
    """Return the requirements in a section of the file, by name."""
    requirements = [Requirement(line) for line in section.splitlines() if line and not line.startswith('#')]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


DIRECT, TRANSITIVE = map(parse, (ROOT / 'requirements.txt').read_text().split('# Transitive dependencies.\n'))


def dependencies_of(requirements: Iterable[Requirement]) -> set[str]:
    """Return the names of these packages and of all their dependencies on this platform."""
    pending = list(requirements)
    required: set[tuple[str, str]] = set()
    while pending:
        requirement = pending.pop()
        for extra in {'', *requirement.extras} - {
            extra for name, extra in required if name == requirement.name
        }:
            required.add((requirement.name, extra))
            others = [Requirement(line) for line in requires(requirement.name) or ()]
            pending += [
                other for other in others if other.marker is None or other.marker.evaluate({'extra': extra})
            ]
    return {canonicalize_name(name) for name, _ in required}


def test_every_runtime_dependency_is_pinned() -> None:
    assert dependencies_of(DIRECT.values()) <= {*DIRECT, *TRANSITIVE}
    for name, requirement in (DIRECT | TRANSITIVE).items():
        assert str(requirement.specifier) == f'=={version(name)}'


def test_installed_files_have_their_published_hashes() -> None:
    checked = 0
    for name in dependencies_of(DIRECT.values()):
        for file in files(name) or ():
            if file.hash is not None and file.hash.mode == 'sha256':
                digest = sha256(file.locate().read_bytes()).digest()
                assert urlsafe_b64encode(digest).decode().rstrip('=') == file.hash.value, file
                checked += 1
    assert checked > 500
