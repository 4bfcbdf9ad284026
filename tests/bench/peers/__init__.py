"""The peers: idiomatic programs in Django REST framework and in Flask with SQLAlchemy.

They serve the measured requests, have a virtual environment of their own, and use the schema of the service.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
REQUIREMENTS = FOLDER / 'requirements.txt'
PEERS = {'Django REST framework': 'django_peer.wsgi:app', 'Flask and SQLAlchemy': 'flask_peer:app'}
_VENV = FOLDER / '.venv'
_PYTHON = _VENV / 'bin' / 'python'


def install_peers() -> None:
    """Install the requirements of the peers into their virtual environment, unless they are installed."""
    installed = _VENV / REQUIREMENTS.name
    if not installed.exists() or installed.read_text() != REQUIREMENTS.read_text():
        subprocess.run([sys.executable, '-m', 'venv', _VENV], check=True)
        subprocess.run([_PYTHON, '-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS], check=True)
        installed.write_text(REQUIREMENTS.read_text())


def peer_command(app: str, address: str) -> list[str]:
    """Return the command that runs a peer under gunicorn, with the same settings as the service."""
    config = str(FOLDER / 'gunicorn_config.py')
    return [str(_PYTHON), '-m', 'gunicorn', '-c', config, '--bind', address, app]
