"""Settings of Django."""

import os
from urllib.parse import urlsplit

_URL = urlsplit(os.environ['DATABASE_URL'])
_DATABASE = (
    {
        'ENGINE': 'django.db.backends.sqlite3',
        'NAME': _URL.path.removeprefix('/'),
        'OPTIONS': {
            'transaction_mode': 'IMMEDIATE',
            'timeout': 10,
            'init_command': 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL',
        },
    }
    if _URL.scheme == 'sqlite'
    else {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': _URL.path.removeprefix('/'),
        'USER': _URL.username,
        'PASSWORD': _URL.password,
        'HOST': _URL.hostname,
        'PORT': _URL.port or 5432,
    }
)
ALLOWED_HOSTS = ['*']
DATABASES = {'default': {**_DATABASE, 'CONN_MAX_AGE': None}}
INSTALLED_APPS = ['rest_framework', 'django_peer']
MIDDLEWARE = ['django.middleware.http.ConditionalGetMiddleware', 'django.middleware.common.CommonMiddleware']
REST_FRAMEWORK = {
    'DEFAULT_AUTHENTICATION_CLASSES': ['django_peer.http.BearerAuthentication'],
    'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAuthenticated'],
    'DEFAULT_RENDERER_CLASSES': ['django_peer.http.HalRenderer'],
    'DEFAULT_PARSER_CLASSES': ['rest_framework.parsers.JSONParser'],
    'UNAUTHENTICATED_USER': None,
}
ROOT_URLCONF = 'django_peer.urls'
USE_TZ = True
