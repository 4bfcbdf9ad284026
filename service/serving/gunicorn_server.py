"""Running gunicorn with gunicorn.conf.py."""

import os
import runpy
import sys
from pathlib import Path

from service.config import UNIX, Settings
from service.serving.start import workers_of

PROGRAM = Path(sys.executable).with_name('gunicorn')
CONFIGURATION = Path(__file__).parents[2] / 'gunicorn.conf.py'


def run(settings: Settings) -> None:
    """Run the program gunicorn in this process until it is stopped."""
    os.environ.update(_variables_of_gunicorn(settings))
    sys.argv[1:] = ['--config', str(CONFIGURATION)]
    runpy.run_path(str(PROGRAM), run_name='__main__')


def _variables_of_gunicorn(settings: Settings) -> dict[str, str]:
    """Return the two settings that gunicorn also reads, without the values that it rejects: empty, `unix`."""
    networks = settings.forwarded_allow_ips
    if UNIX in networks and settings.socket_path:
        networks = ('*',)
    return {
        'WEB_CONCURRENCY': str(workers_of(settings)),
        'FORWARDED_ALLOW_IPS': ','.join(str(network) for network in networks if network != UNIX),
    }
