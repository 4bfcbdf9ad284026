"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ['DJANGO_SETTINGS_MODULE'] = 'django_peer.settings'
app = get_wsgi_application()
