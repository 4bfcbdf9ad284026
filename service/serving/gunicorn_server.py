"""Running gunicorn, with gunicorn.conf.py, in place of this process."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from service.config import UNIX, Settings
from service.serving.start import workers_of

CONFIGURATION = Path(__file__).parents[2] / 'gunicorn.conf.py'


def run(settings: Settings) -> NoReturn:
    """Replace this process with gunicorn."""
    command = [sys.executable, '-m', 'gunicorn', '--config', str(CONFIGURATION)]
    os.execve(command[0], command, os.environ | _variables_of_gunicorn(settings))  # noqa: S606 (no shell)


def _variables_of_gunicorn(settings: Settings) -> dict[str, str]:
    """Return the two settings that gunicorn reads, too, without the values that it rejects: empty, `unix`."""
    networks = settings.forwarded_allow_ips
    if UNIX in networks and settings.host.startswith('unix:'):
        networks = ('*',)
    return {
        'WEB_CONCURRENCY': str(workers_of(settings)),
        'FORWARDED_ALLOW_IPS': ','.join(str(network) for network in networks if network != UNIX),
    }
