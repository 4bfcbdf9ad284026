"""Settings: parsed from environment variables; an invalid one is reported in one line."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_network

import pytest

from service.config import SettingError, Settings

VALID = {
    'DATABASE_URL': {'sqlite:///x.db': 'sqlite:///x.db', 'postgresql://u:p@a,b/d': 'postgresql://u:p@a,b/d'},
    'PORT': {'1': 1, '65535': 65535},
    'WEB_CONCURRENCY': {'0': 0, '8': 8},
    'TOKEN_LIFETIME': {'60': 60},
    'TOKEN_MAX_AGE': {'60': 60},
    'BCRYPT_COST': {'4': 4, '20': 20},
    'BASE_URL': {'https://A.test:443/': 'https://a.test', 'http://a.test:8080': 'http://a.test:8080'},
    'CORS_ORIGINS': {'*': ('*',), 'https://a.test, http://b.test:80': ('https://a.test', 'http://b.test')},
    'FORWARDED_ALLOW_IPS': {
        '*': ('*',),
        '10.0.0.1, ::1/128': (ip_network('10.0.0.1'), ip_network('::1')),
    },
    'LOG_FORMAT': {'JSON': 'json', 'text': 'text'},
    'DRAIN_SECONDS': {'0': 0, '30': 30},
    'AVATARS': {'on': True, 'OFF': False, '1': True, 'no': False},
    'SQLITE_SYNCHRONOUS': {'NORMAL': 'normal', 'full': 'full'},
    'METRICS': {'on': True, 'Off': False},
}
INVALID = {
    'DATABASE_URL': ['x', 'oracle://x', 'sqlite://', 'sqlite:/x'],
    'PORT': ['0', '65536', 'x', '-1', '1.5', '٣'],
    'WEB_CONCURRENCY': ['x', '1001', '-1'],
    'TOKEN_LIFETIME': ['0', 'x', '1h'],
    'TOKEN_MAX_AGE': ['0', '1d'],
    'BCRYPT_COST': ['3', '21', 'x'],
    'BASE_URL': [
        'a.test',
        'ftp://a.test',
        'http://a.test/path',
        'http://u@a.test',
        'http://a.test:x',
        'http://[x]',
    ],
    'CORS_ORIGINS': ['a.test', 'https://a.test/x', 'null'],
    'FORWARDED_ALLOW_IPS': ['proxy', '10.0.0.0/99', '10.0.0', '10.0.0.1/8', '10.0.0.1 10.0.0.2', '10.0.0.1,'],
    'LOG_FORMAT': ['xml'],
    'DRAIN_SECONDS': ['-1', '3601', 'x'],
    'AVATARS': ['maybe', '2'],
    'SQLITE_SYNCHRONOUS': ['sometimes'],
    'METRICS': ['prometheus'],
}


@pytest.mark.parametrize(
    ('name', 'text', 'value'), [(n, t, v) for n, cases in VALID.items() for t, v in cases.items()]
)
def test_a_setting_is_read_from_its_variable(name: str, text: str, value: object) -> None:
    assert getattr(Settings.from_environment({name: f' {text} '}), name.lower()) == value


@pytest.mark.parametrize(
    ('name', 'text'), [(name, text) for name, texts in INVALID.items() for text in texts]
)
def test_an_invalid_value_is_reported_in_one_line(name: str, text: str) -> None:
    with pytest.raises(SettingError) as error:
        Settings.from_environment({name: text})
    line = str(error.value)
    assert line.startswith(f'{name}: ')
    assert '\n' not in line


def test_every_setting_is_tested_with_invalid_values() -> None:
    assert set(INVALID) == {field.name.upper() for field in dataclasses.fields(Settings)}


def test_an_empty_variable_has_the_default() -> None:
    names = [field.name.upper() for field in dataclasses.fields(Settings)]
    assert Settings.from_environment(dict.fromkeys(names, ' ')) == Settings()


def test_the_defaults_are_as_documented() -> None:
    settings = Settings()
    assert (settings.database_url, settings.port) == ('sqlite:///halcyon.db', 8000)
    assert (settings.token_lifetime, settings.token_max_age) == (3600, 30 * 24 * 3600)
    assert (settings.bcrypt_cost, settings.drain_seconds, settings.sqlite_synchronous) == (12, 2, 'full')
    assert settings.forwarded_allow_ips == ()
    assert not settings.metrics


def test_an_invalid_url_with_a_password_is_not_printed() -> None:
    with pytest.raises(SettingError) as error:
        Settings.from_environment({'DATABASE_URL': 'oracle://user:secret@host/db'})
    assert 'secret' not in str(error.value)
