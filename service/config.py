"""The settings: read once from the environment; a wrong value stops the start."""

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
    """A setting has a value that cannot be used; the text is one line for the operator."""


def normal_origin(scheme: str, authority: str) -> str:
    """Return the origin in its one spelling: lower case, without a default port.

    Raises ValueError where the authority is none (RFC 3986 §3.2.2, §3.2.3, §6.2.2.1, §6.2.3; user
    information is refused, RFC 9110 §4.2.4).
    """
    match = AUTHORITY.fullmatch(authority)
    scheme = scheme.lower()
    port = int((match and match['port']) or DEFAULT_PORTS[scheme])
    if match is None or port not in range(1, 65536):
        raise ValueError('is not a host with an optional port')
    host = match['host'].lower()
    if host.startswith('['):
        ipaddress.IPv6Address(host[1:-1])
    return f'{scheme}://{host}' if port == DEFAULT_PORTS[scheme] else f'{scheme}://{host}:{port}'


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r'[0-9]{1,12}', value) or not least <= int(value) <= most:
            raise ValueError(f'must be a whole number from {least} to {most}')
        return int(value)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(f'must be one of {", ".join(choices)}')
        return value.lower()

    return read


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
        raise ValueError('must be an origin: http or https, a host, and a port if need be')
    return normal_origin(match['scheme'], match['authority'])


def _optional_origin(value: str) -> str | None:
    return _origin(value) if value else None


def _origins(value: str) -> tuple[str, ...]:
    return tuple(item if item == '*' else _origin(item) for item in value.replace(',', ' ').split())


def _networks(value: str) -> tuple[Any, ...]:
    """Addresses and networks, or '*' for whoever it is; as gunicorn reads them, which does so before us."""
    names = (name.strip() for name in value.split(','))
    return tuple('*' if name == '*' else ipaddress.ip_network(name) for name in names)


def _setting(default: Any, read: Callable[[str], Any], meaning: str) -> Any:
    return dataclasses.field(default=default, metadata={'read': read, 'meaning': meaning})


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator can set, under the environment variable of the same name in capitals."""

    database_url: str = _setting('sqlite:///halcyon.db', _database_url, 'where the data is')
    port: int = _setting(8000, _whole_number(1, 65535), 'the TCP port')
    web_concurrency: int = _setting(
        0, _whole_number(0, 1000), 'worker processes; 0 makes it one for each core'
    )
    token_lifetime: int = _setting(3600, _whole_number(1, 10**9), 'seconds that a token lives')
    token_max_age: int = _setting(
        2592000, _whole_number(1, 10**9), 'seconds that renewals can stretch a sign-in to'
    )
    bcrypt_cost: int = _setting(12, _whole_number(4, 20), 'bcrypt rounds, as a power of two')
    base_url: str | None = _setting(
        None, _optional_origin, 'the origin of every address, where the request may not say it'
    )
    cors_origins: tuple[str, ...] | None = _setting(
        None, _origins, 'origins whose pages may call; default: local pages'
    )
    forwarded_allow_ips: tuple[Any, ...] = _setting(
        (), _networks, 'proxies whose forwarding headers are believed'
    )
    log_format: str = _setting('text', _one_of('text', 'json'), 'how a log line is written')
    drain_seconds: int = _setting(
        2, _whole_number(0, 3600), 'seconds to go on serving after SIGTERM, while not ready'
    )
    avatars: bool = _setting(True, _on_or_off, 'whether users have an avatar at Gravatar')
    sqlite_synchronous: str = _setting(
        'full', _one_of('full', 'normal', 'off', 'extra'), "SQLite's synchronous"
    )
    metrics: bool = _setting(False, _on_or_off, 'whether /metrics is there for Prometheus')

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> 'Settings':
        """Read the settings; raises SettingError that names the variable, its value and what it must be.

        A variable that is set but empty counts as not set.
        """
        values = {}
        for setting in dataclasses.fields(cls):
            name = setting.name.upper()
            value = environment.get(name, '').strip()
            if value:
                try:
                    values[setting.name] = setting.metadata['read'](value)
                except ValueError as wrong:
                    shown = 'its value' if '://' in value and '@' in value else repr(value)
                    raise SettingError(f'{name}: {shown} cannot be used: {wrong}') from None
        return cls(**values)
