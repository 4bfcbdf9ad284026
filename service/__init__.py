"""Halcyon: a microblog served as hypermedia."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # `python3 -c 'import service'` reports this before anything is installed
    sys.exit('Halcyon needs Python 3.11 or newer.')

VERSION = '1.0.0'
