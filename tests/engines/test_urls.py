"""DATABASE_URL: hosts, parameters, and invalid values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.config import SettingError, Settings
from service.database.connect import open_engine
from service.database.mariadb import MariadbEngine
from service.database.mariadb_drivers import Mysqlclient, Pymysql
from service.database.postgresql import PostgresqlEngine
from service.database.session import Session


def engine_of(url: str) -> Any:
    return open_engine(Settings.from_environment({'DATABASE_URL': url}))


def test_postgresql_urls_accept_hosts_and_libpq_parameters() -> None:
    engine = engine_of(
        'postgresql://u:p%40ss@h1:1,h2:2/db?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3'
    )
    assert isinstance(engine, PostgresqlEngine)
    assert engine.database == 'db'
    expected = {'host': 'h1,h2', 'port': '1,2', 'user': 'u', 'password': 'p@ss', 'sslmode': 'verify-full'}
    assert expected.items() <= engine.connect_params.items()
    assert engine.connect_params['connect_timeout'] == '3'


def test_the_postgresql_host_that_accepts_writes_is_selected() -> None:
    assert engine_of('postgresql://h1,h2/db').connect_params['target_session_attrs'] == 'read-write'
    parameters = engine_of('postgresql://h1,h2/db?target_session_attrs=any').connect_params
    assert parameters['target_session_attrs'] == 'any'


def test_mariadb_urls_accept_hosts_and_tls_parameters(tmp_path: Path) -> None:
    ca_file = tmp_path / 'ca.pem'
    ca_file.touch()
    engine = engine_of(f'mysql://u:p%40ss@h1:4401,[::1]:4402,h3/db?ssl_ca={ca_file}')
    assert isinstance(engine, MariadbEngine)
    assert engine.hosts == [
        {'host': 'h1', 'port': 4401},
        {'host': '::1', 'port': 4402},
        {'host': 'h3', 'port': 3306},
    ]
    expected = {'user': 'u', 'password': 'p@ss', 'ssl_ca': str(ca_file), 'ssl_verify_cert': True}
    expected |= {'ssl_verify_identity': True}
    assert expected.items() <= engine.connect_params.items()
    engine = engine_of(f'mysql://h/db?ssl_ca={ca_file}&ssl_verify_cert=false&ssl_verify_identity=0')
    assert not engine.connect_params['ssl_verify_cert']
    assert not engine.connect_params['ssl_verify_identity']


def test_pymysql_is_used_where_mysqlclient_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    assert isinstance(engine_of('mysql://h/db').driver, Pymysql)
    with pytest.raises(SettingError, match='mysqlclient is not installed'):
        engine_of('mysql://h/db?driver=mysqlclient')


def test_the_driver_that_the_url_names_is_used(networked_db: Session) -> None:
    if isinstance(networked_db.engine, MariadbEngine):
        is_pymysql = 'driver=pymysql' in networked_db.settings.database_url
        assert type(networked_db.engine.driver) is (Pymysql if is_pymysql else Mysqlclient)
        url = networked_db.settings.database_url.replace('driver=mysqlclient', 'ssl_key_password=secret')
        assert type(engine_of(url).driver) is Pymysql


@pytest.mark.parametrize(
    'url',
    [
        'postgresql://host',
        'postgresql://host/db?nonsense=1',
        'mysql://host',
        'mysql:///db',
        'mysql://host:port/db',
        'mysql://host/db?nonsense=1',
        'mysql://host/db?read_timeout=soon',
        'mysql://host/db?ssl_ca=/missing.pem',
        'mysql://host/db?driver=odbc',
        'mysql://host/db?driver=mysqlclient&ssl_key_password=secret',
        'postgresql://host/db?prepared_statements=maybe',
        'sqlite://relative.db',
        'sqlite:///',
        'sqlite:///:memory:',
        'sqlite:////tmp',
        'sqlite:////nowhere/at/all.db',
    ],
)
def test_an_invalid_database_url_is_reported_in_one_line(url: str) -> None:
    with pytest.raises(SettingError) as error:
        engine_of(url)
    assert str(error.value).startswith('DATABASE_URL: ')
    assert len(str(error.value).splitlines()) == 1


def test_an_unreachable_host_is_skipped(networked_url: str) -> None:
    if networked_url.startswith('postgresql'):
        url = networked_url.replace('127.0.0.1:', '127.0.0.1:1,127.0.0.1:')
    else:
        url = networked_url.replace('127.0.0.1:', '127.0.0.1:1,127.0.0.1:2,127.0.0.1:')
    engine = engine_of(url)
    assert engine.execute_sql('SELECT 1').fetchone()[0] == 1
    engine.close_all()


def test_prepared_statements_can_be_switched_off(networked_url: str) -> None:
    if not networked_url.startswith('postgresql'):
        pytest.skip('only PostgreSQL has prepared statements')
    engine = engine_of(f'{networked_url}&prepared_statements=off')
    assert engine.execute_sql('SELECT 1').fetchone()[0] == 1
    assert engine.connection().prepare_threshold is None
    engine.close_all()


def test_timeouts_follow_the_setting() -> None:
    settings = {'DATABASE_TIMEOUT': '3', 'DATABASE_URL': 'postgresql://h/db'}
    engine = open_engine(Settings.from_environment(settings))
    assert isinstance(engine, PostgresqlEngine)
    assert (engine.connect_params['connect_timeout'], engine.connect_params['tcp_user_timeout']) == (3, 3000)
    engine = open_engine(Settings.from_environment(settings | {'DATABASE_URL': 'mysql://h/db'}))
    assert isinstance(engine, MariadbEngine)
    timeouts = {'connect_timeout': 3, 'read_timeout': 3, 'write_timeout': 3}
    assert timeouts.items() <= engine.connect_params.items()
