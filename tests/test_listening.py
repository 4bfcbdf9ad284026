"""The limit of open files, and how many connections a worker holds."""

from __future__ import annotations

import resource

import pytest

from service.listening import MAX_OPEN_FILES, raise_open_files


@pytest.mark.parametrize(
    ('soft', 'hard', 'raised', 'connections'),
    [
        (1024, 524288, MAX_OPEN_FILES, 1000),
        (1024, 1024, None, 824),
        (256, 4096, 4096, 1000),
        (256, 256, None, 56),
        (100, 100, None, 20),
        (1024, resource.RLIM_INFINITY, MAX_OPEN_FILES, 1000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 1000),
    ],
)
def test_the_limit_of_open_files_is_raised(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int | None, connections: int
) -> None:
    changes: list[tuple[int, int]] = []
    monkeypatch.setattr('resource.getrlimit', lambda _: (soft, hard))
    monkeypatch.setattr('resource.setrlimit', lambda _, limits: changes.append(limits))
    assert raise_open_files() == connections
    assert changes == ([] if raised is None else [(raised, hard)])
