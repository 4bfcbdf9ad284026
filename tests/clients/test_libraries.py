"""Third-party client libraries use every feature.

Ketting and traverson start from /api and use only link relations and forms. Orbit and WarpDrive use JSON:API.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.clients.conftest import HERE
from tests.server import Server

# The default modules of WarpDrive need a bundler; those under this condition do not.
CONDITION = '--conditions=unpkg'


@pytest.mark.parametrize('client', ['ketting', 'traverson', 'orbit', 'warp_drive'])
def test_every_feature_works_with_generic_clients(client: str, node: str, server: Server) -> None:
    result = subprocess.run(
        [node, CONDITION, HERE / f'{client}.js', f'{server.origin}/api'],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ''
    assert result.stdout.splitlines()[-1] == 'signed out'
