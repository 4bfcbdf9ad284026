"""Settings, read once from the environment; an invalid one aborts startup."""

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

AUTHORITY = re.compile(
    r'(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{0,5}))?', re.ASCII | re.IGNORECASE
)
ORIGIN = re.compile(r'(?P<scheme>https?)://(?P<authority>[^/?#@\s]+)/?', re.ASCII | re.IGNORECASE)
DEFAULT_PORTS = {'http': 80, 'https': 443}
DATABASES = ('sqlite', 'postgresql', 'mysql')


class SettingError(ValueError):
    """A setting is invalid; the text is one line for the operator."""


def normal_origin(scheme: str, authority: str) -> str:
    """Return the canonical origin: in lower case, without a default port (RFC 3986 §6.2.2.1, §6.2.3).

    Raises ValueError if the authority is invalid (§3.2.2, §3.2.3) or has user information (RFC 9110 §4.2.4).
    """
    match = AUTHORITY.fullmatch(authority)
    scheme = scheme.lower()
    port = int((match and match['port']) or DEFAULT_PORTS[scheme])
    if match is None or port not in range(1, 65536):
        raise ValueError('must be a host, optionally with a port')
    host = match['host'].lower()
    if host.startswith('['):
        ipaddress.IPv6Address(host[1:-1])
    return f'{scheme}://{host}' if port == DEFAULT_PORTS[scheme] else f'{scheme}://{host}:{port}'


def _integer(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r'[0-9]{1,12}', value) or not minimum <= int(value) <= maximum:
            raise ValueError(f'must be an integer from {minimum} to {maximum}')
        return int(value)

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(f'must be one of {", ".join(choices)}')
        return value.lower()

    return parse


def _on_or_off(value: str) -> bool:
    if value.lower() not in ('1', 'on', 'true', 'yes', '0', 'off', 'false', 'no'):
        raise ValueError('must be on or off')
    return value.lower() in ('1', 'on', 'true', 'yes')


def _database_url(value: str) -> str:
    scheme, separator, rest = value.partition('://')
    if scheme not in DATABASES or not separator or not rest:
        raise ValueError(
            f'must start with one of {", ".join(f"{name}://" for name in DATABASES)} and name a database'
        )
    return value


def _origin(value: str) -> str:
    match = ORIGIN.fullmatch(value)
    if match is None:
        raise ValueError('must be an origin: http:// or https://, a host, and optionally a port')
    return normal_origin(match['scheme'], match['authority'])


def _optional_origin(value: str) -> str | None:
    return _origin(value) if value else None


def _origins(value: str) -> tuple[str, ...]:
    return tuple(item if item == '*' else _origin(item) for item in value.replace(',', ' ').split())


def _networks(value: str) -> tuple[Any, ...]:
    """Parse IP addresses, networks and '*', separated by commas: gunicorn's syntax."""
    names = (name.strip() for name in value.split(','))
    return tuple('*' if name == '*' else ipaddress.ip_network(name) for name in names)


def _setting(default: Any, parse: Callable[[str], Any]) -> Any:
    return dataclasses.field(default=default, metadata={'parse': parse})


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The settings that README.md documents; environment variables have the same names in upper case."""

    database_url: str = _setting('sqlite:///halcyon.db', _database_url)
    port: int = _setting(8000, _integer(1, 65535))
    web_concurrency: int = _setting(0, _integer(0, 1000))  # worker processes; 0: one for each core
    token_lifetime: int = _setting(3600, _integer(1, 10**9))  # seconds
    token_max_age: int = _setting(2592000, _integer(1, 10**9))  # seconds since sign-in, renewals included
    bcrypt_cost: int = _setting(12, _integer(4, 20))
    base_url: str | None = _setting(None, _optional_origin)  # overrides the Host header
    cors_origins: tuple[str, ...] | None = _setting(None, _origins)  # None: pages on localhost
    forwarded_allow_ips: tuple[Any, ...] = _setting((), _networks)  # trusted proxies
    log_format: str = _setting('text', _one_of('text', 'json'))
    drain_seconds: int = _setting(2, _integer(0, 3600))
    avatars: bool = _setting(True, _on_or_off)
    sqlite_synchronous: str = _setting('full', _one_of('full', 'normal', 'off', 'extra'))
    metrics: bool = _setting(False, _on_or_off)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> 'Settings':
        """Return the settings; an empty variable has the default.

        Raises SettingError with the name of the variable, its value, and what is valid.
        """
        values = {}
        for setting in dataclasses.fields(cls):
            name = setting.name.upper()
            value = environment.get(name, '').strip()
            if value:
                try:
                    values[setting.name] = setting.metadata['parse'](value)
                except ValueError as error:
                    may_have_password = '://' in value and '@' in value
                    quoted = 'the value' if may_have_password else repr(value)
                    raise SettingError(f'{name}: {quoted} is invalid: {error}') from None
        return cls(**values)
