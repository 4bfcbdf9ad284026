"""Settings: their environment variables, their defaults, and one-line errors for invalid values."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from service.config import SettingError, Settings, misspelt_variables, parse_mail_url
from service.database.connect import open_engine

VALID = {
    'DATABASE_URL': {
        'sqlite:///x.db': 'sqlite:///x.db',
        'postgresql://u:p@a,b/d': 'postgresql://u:p@a,b/d',
        'postgres://u:p@a/d': 'postgresql://u:p@a/d',
        'mariadb://u:p@a/d': 'mysql://u:p@a/d',
        'POSTGRESQL://u:p@a/D': 'postgresql://u:p@a/D',
    },
    'DATABASE_TIMEOUT': {'1': 1, '30': 30},
    'DATABASE_POOL': {'1': 1, '100': 100},
    'HOST': {
        '0.0.0.0': '0.0.0.0',
        '::1': '::1',
        '[::1]': '::1',
        'unix:/run/halcyon.sock': 'unix:/run/halcyon.sock',
    },
    'KEEP_ALIVE': {'1': 1, '75': 75},
    'PORT': {'1': 1, '65535': 65535},
    'WEB_CONCURRENCY': {'0': 0, '8': 8},
    'TOKEN_LIFETIME': {'60': 60},
    'TOKEN_MAX_AGE': {'60': 60},
    'BCRYPT_COST': {'4': 4, '20': 20},
    'BASE_URL': {
        'https://A.test:443/': 'https://a.test',
        'http://a.test:8080': 'http://a.test:8080',
        'http://a.test/A/b.c/': 'http://a.test/A/b.c',
    },
    'CORS_ORIGINS': {'*': ('*',), 'https://a.test, http://b.test:80': ('https://a.test', 'http://b.test')},
    'FORWARDED_ALLOW_IPS': {
        '*': ('*',),
        '10.0.0.1, ::1/128': (ip_network('10.0.0.1'), ip_network('::1')),
        'unix': ('unix',),
    },
    'LOG_FORMAT': {'JSON': 'json', 'text': 'text'},
    'DRAIN_SECONDS': {'0': 0, '30': 30},
    'AVATARS': {'on': True, 'OFF': False, '1': True, 'no': False},
    'SQLITE_SYNCHRONOUS': {'NORMAL': 'normal', 'full': 'full'},
    'METRICS': {'on': True, 'Off': False},
    'REGISTRATION': {'OPEN': 'open', 'closed': 'closed'},
    'MAIL_FROM': {
        text: text for text in ('a@b.example', 'Halcyon <a@b.example>', '"Halcyon, Inc." <a@b.example>')
    },
}
INVALID = {
    'DATABASE_URL': ['x', 'oracle://x', 'sqlite://', 'sqlite:/x', 'sqlite:////x\0', 'sqlite:////x\ny'],
    'DATABASE_TIMEOUT': ['0', '-1', '3601', '1.5', '10s'],
    'DATABASE_POOL': ['0', '101', 'x'],
    'HOST': [
        'localhost',
        'example.org',
        '256.0.0.1',
        '[127.0.0.1]',
        ':::',
        'unix:',
        'unix:/',
        'unix:x.sock',
        f'unix:/{"a" * 107}',
        'fe80::1%eth0',
    ],
    'KEEP_ALIVE': ['0', '-1', '3601', 'x'],
    'PORT': ['0', '65536', 'x', '-1', '1.5', '٣'],
    'WEB_CONCURRENCY': ['x', '1001', '-1'],
    'TOKEN_LIFETIME': ['0', 'x', '1h'],
    'TOKEN_MAX_AGE': ['0', '1d'],
    'BCRYPT_COST': ['3', '21', 'x'],
    'BASE_URL': [
        'a.test',
        'ftp://a.test',
        'http://a.test/a b',
        'http://a.test/a/../b',
        'http://a.test//b',
        'http://a.test/?x',
        'http://a.test/{a}',
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
    'REGISTRATION': ['on', 'invite'],
    'MAIL_URL': [
        'mail.example',
        'http://mail.example',
        'smtp://',
        'smtp://h:0',
        'smtp://h:99999',
        'smtp://user@h',
        'smtp://:secret@h',
        'smtp://h/path',
    ],
    'MAIL_FROM': ['nobody', 'a@b\r\nBcc: x@y', 'A <a@b', 'a@b, c@d', 'A, B <a@b>', 'a@[', '<>'],
}


@pytest.mark.parametrize(
    ('name', 'text', 'value'),
    [(name, text, value) for name, values in VALID.items() for text, value in values.items()],
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


MAIL = {'MAIL_URL': 'smtp://ada:s%40cret@mail.example', 'MAIL_FROM': 'a@b.example', 'BASE_URL': 'http://h'}


@pytest.mark.parametrize(
    ('url', 'server'),
    [
        ('smtp://mail.example', ('mail.example', 587, '', '', False)),
        ('smtp://ada:s%40cret@mail.example:25', ('mail.example', 25, 'ada', 's@cret', False)),
        ('smtps://mail.example/', ('mail.example', 465, '', '', True)),
        ('SMTPS://mail.example', ('mail.example', 465, '', '', True)),
        ('smtp://[::1]:1025', ('::1', 1025, '', '', False)),
    ],
)
def test_a_mail_url_is_parsed(url: str, server: tuple[Any, ...]) -> None:
    assert parse_mail_url(url) == server


@pytest.mark.parametrize('missing', ['BASE_URL', 'MAIL_FROM'])
def test_mail_requires_other_settings(missing: str) -> None:
    environment = {name: value for name, value in MAIL.items() if name != missing}
    with pytest.raises(SettingError, match=f'^{missing}: is required for mail, because MAIL_URL is set$'):
        Settings.from_environment(environment)


def test_the_password_of_the_mail_server_is_not_disclosed(tmp_path: Path) -> None:
    assert Settings.from_environment(MAIL).printable()['MAIL_URL'] == 'smtp://mail.example:587'
    with pytest.raises(SettingError) as error:
        Settings.from_environment(MAIL | {'MAIL_URL': 'smtp://ada:secret@mail.example/x'})
    assert 'secret' not in str(error.value)
    path = tmp_path / 'mail'
    path.write_text(f'{MAIL["MAIL_URL"]}\n')
    environment = {'MAIL_FROM': 'a@b.example', 'BASE_URL': 'http://h', 'MAIL_URL_FILE': str(path)}
    assert Settings.from_environment(environment).mail_url == MAIL['MAIL_URL']


def test_an_empty_variable_has_no_effect() -> None:
    names = [field.name.upper() for field in dataclasses.fields(Settings)]
    assert Settings.from_environment(dict.fromkeys(names, ' ')) == Settings()


def test_the_defaults_are_as_documented() -> None:
    settings = Settings()
    assert (settings.database_url, settings.port) == ('sqlite:///halcyon.db', 8000)
    assert (settings.token_lifetime, settings.token_max_age) == (3600, 30 * 24 * 3600)
    assert (settings.bcrypt_cost, settings.drain_seconds, settings.sqlite_synchronous) == (12, 2, 'full')
    assert settings.forwarded_allow_ips == ()
    assert not settings.metrics


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('DATABASE_URL', 'oracle://user:secret@host/db'),
        ('DATABASE_URL', 'postgresql:/user:secret@host/db'),
        ('DATABASE_URL', 'host=db password=secret'),
        ('DATABASE_URL', 'secret'),
        ('MAIL_URL', 'user:secret@mail.example'),
        ('MAIL_URL', 'smtp://user:secret/top@mail.example'),
        ('MAIL_URL', 'smtp://user:25#secret@mail.example'),
        ('MAIL_URL', 'smtp://user:secret℀@mail.example/x'),
    ],
)
def test_an_invalid_secret_is_not_quoted(tmp_path: Path, name: str, value: str) -> None:
    file = tmp_path / 'secret-file'
    file.write_text(value)
    for environment in ({name: value}, {f'{name}_FILE': str(file)}):
        with pytest.raises(SettingError, match=f'^{name}: ') as error:
            Settings.from_environment(environment)
        assert 'secret' not in str(error.value)


@pytest.mark.parametrize(
    'url',
    [
        'postgresql://user:top@secret@host/db',
        'postgresql://user:secret/top@host/db',
        'mysql://user:secret/top@host/db',
        'mysql://user:secret?top@host/db',
        'sqlite:////tmp/x.db?mode=ro&key=secret',
    ],
)
def test_a_password_that_is_not_percent_encoded_is_not_quoted(url: str) -> None:
    with pytest.raises(SettingError, match=r'^DATABASE_URL: ') as error:
        open_engine(Settings.from_environment({'DATABASE_URL': url}))
    assert 'secret' not in str(error.value)


def test_the_scheme_of_an_invalid_secret_is_quoted() -> None:
    with pytest.raises(SettingError, match=r'^DATABASE_URL: oracle://… is invalid: '):
        Settings.from_environment({'DATABASE_URL': 'oracle://user:secret@host/db'})


def test_a_long_invalid_value_is_truncated_in_the_message() -> None:
    with pytest.raises(SettingError) as error:
        Settings.from_environment({'PORT': '1' * 10**6})
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ('host', 'bind'),
    [('127.0.0.1', '127.0.0.1:8000'), ('[::1]', '[::1]:8000'), ('unix:/run/x.sock', 'unix:/run/x.sock')],
)
def test_the_bind_address_has_the_syntax_of_gunicorn(host: str, bind: str) -> None:
    assert Settings.from_environment({'HOST': host}).bind == bind


@pytest.mark.parametrize('frame', ['{}\n', '{}', '\ufeff{}\r\n'])
def test_a_secret_is_read_from_a_file(tmp_path: Path, frame: str) -> None:
    file = tmp_path / 'url'
    file.write_bytes(frame.format('postgres://ada:secret@db/halcyon').encode())
    settings = Settings.from_environment({'DATABASE_URL_FILE': str(file)})
    assert settings.database_url == 'postgresql://ada:secret@db/halcyon'


@pytest.mark.parametrize(
    ('content', 'environment', 'message'),
    [
        (None, {}, 'cannot read'),
        (b'\xff\xfe', {}, 'cannot read'),
        (b' \n', {}, 'is empty'),
        (b'sqlite:///x.db', {'DATABASE_URL': 'sqlite:///y.db'}, 'not both'),
    ],
)
def test_an_unusable_secret_file_is_reported_in_one_line(
    tmp_path: Path, content: bytes | None, environment: dict[str, str], message: str
) -> None:
    file = tmp_path / 'url'
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError, match=f'^DATABASE_URL.*{message}'):
        Settings.from_environment({'DATABASE_URL_FILE': str(file)} | environment)


def test_only_secrets_are_read_from_files(tmp_path: Path) -> None:
    assert Settings.from_environment({'PORT_FILE': str(tmp_path / 'missing')}) == Settings()


def test_a_maximum_age_below_the_lifetime_is_an_error() -> None:
    with pytest.raises(SettingError, match=r'^TOKEN_MAX_AGE: 60 is less than TOKEN_LIFETIME \(61\)'):
        Settings.from_environment({'TOKEN_LIFETIME': '61', 'TOKEN_MAX_AGE': '60'})
    for name in ('TOKEN_LIFETIME', 'TOKEN_MAX_AGE'):
        value = {'TOKEN_LIFETIME': '9000000', 'TOKEN_MAX_AGE': '60'}[name]
        settings = Settings.from_environment({name: value})
        assert settings.token_lifetime == settings.token_max_age == int(value)


@pytest.mark.parametrize(
    ('name', 'setting'),
    [
        ('DATABSE_URL', 'DATABASE_URL'),
        ('database_url', 'DATABASE_URL'),
        ('DATABASE_URL_FIEL', 'DATABASE_URL_FILE'),
        ('PORT_FILE', 'PORT'),
        ('PROT', 'PORT'),
        ('BCRYPT_COSTS', 'BCRYPT_COST'),
        ('TOKEN_LIFETIM', 'TOKEN_LIFETIME'),
    ],
)
def test_a_misspelt_setting_is_recognised(name: str, setting: str) -> None:
    assert misspelt_variables([name, 'PATH', setting]) == {name: setting}


def test_ordinary_variables_are_not_misspelt_settings() -> None:
    ordinary = (
        'HOME HOSTNAME HOSTTYPE LOGNAME PATH PWD SHELL TERM TMPDIR USER LANG MAIL PROMETHEUS_MULTIPROC_DIR'
    )
    assert misspelt_variables([*ordinary.split(), 'DATABASE_URL_FILE', 'PORT']) == {}


@pytest.mark.parametrize(
    ('url', 'printable'),
    [
        ('postgresql://ada:s3cret@a:1,b:2/db?password=s3cret', 'postgresql://a:1,b:2/db'),
        ('mysql://ada:s3c@ret@db/halcyon', 'mysql://db/halcyon'),
        ('sqlite:///x.db', 'sqlite:///x.db'),
    ],
)
def test_settings_are_printed_without_secrets(url: str, printable: str) -> None:
    settings = Settings.from_environment(
        {'DATABASE_URL': url, 'METRICS': 'on', 'CORS_ORIGINS': 'http://a.test'}
    )
    assert settings.database == settings.printable()['DATABASE_URL'] == printable
    assert settings.printable()['METRICS'] == 'on'
    assert settings.printable()['CORS_ORIGINS'] == 'http://a.test'
    assert set(settings.printable()) == {field.name.upper() for field in dataclasses.fields(Settings)}
