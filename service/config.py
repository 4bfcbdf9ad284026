"""Settings, read once from the environment; an invalid one aborts startup."""

import dataclasses
import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

AUTHORITY = re.compile(
    r'(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{0,5}))?', re.ASCII | re.IGNORECASE
)
PATH = re.compile(r'(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~@:+-]++)*/?')
BASE_URL = re.compile(
    r'(?P<scheme>https?)://(?P<authority>[^/?#@\s]+)(?P<path>/[^?#]*)?', re.ASCII | re.IGNORECASE
)
DEFAULT_PORTS = {'http': 80, 'https': 443}
DATABASES = ('sqlite', 'postgresql', 'mysql')
DATABASE_ALIASES = {'postgres': 'postgresql', 'mariadb': 'mysql'}
FILE_SUFFIX = '_FILE'
MAIL_PORTS = {'smtp': 587, 'smtps': 465}
MAIL_URL = re.compile(
    r'(?P<scheme>smtps?)://((?P<user>[^/?#@:]+):(?P<password>[^/?#@]+)@)?(?P<authority>[^/?#@]+)/?',
    re.IGNORECASE,
)
SCHEME = re.compile(r'[A-Za-z][A-Za-z0-9+.-]{0,20}')
MAX_HOST_LENGTH = 253  # characters (RFC 1035 §2.3.4); every URL in a response repeats the host
MAX_QUOTED_LENGTH = 200  # of an invalid value in an error message
MIN_SIMILARITY = 0.8  # between a variable and the setting that it probably misspells
MAX_SOCKET_PATH = 107  # bytes (Linux, unix(7))
UNIX = 'unix'  # among the trusted proxies: every peer on a unix socket


class SettingError(ValueError):
    """A setting is invalid; the text is one line for the operator."""


def normal_origin(scheme: str, authority: str) -> str:
    """Return the canonical origin: in lower case, without a default port (RFC 3986 §6.2.2.1, §6.2.3).

    Raises ValueError if the authority is invalid (§3.2.2, §3.2.3) or has user information (RFC 9110 §4.2.4).
    """
    match = AUTHORITY.fullmatch(authority)
    scheme = scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise ValueError('must have the scheme http or https')
    port = int((match and match['port']) or DEFAULT_PORTS[scheme])
    if match is None or port not in range(1, 65536) or len(match['host']) > MAX_HOST_LENGTH:
        raise ValueError('must be a host, optionally with a port')
    host = match['host'].lower()
    if host.startswith('['):
        ipaddress.IPv6Address(host[1:-1])
    return f'{scheme}://{host}' if port == DEFAULT_PORTS[scheme] else f'{scheme}://{host}:{port}'


def host_and_port(host: str, port: int) -> str:
    """Return a host and a port as in a URL (RFC 3986 §3.2)."""
    return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'


def normal_path(path: str) -> str:
    """Return the path of a base URL without its trailing slash.

    Raises ValueError if a character would have to be escaped.
    """
    if not PATH.fullmatch(path):
        raise ValueError('must be a path of letters, digits and the characters ._~@:+-')
    return path.rstrip('/')


def _check_characters(value: str) -> None:
    if re.search(r'[\x00-\x1f\x7f]', value):
        raise ValueError('must be one line without control characters')


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
    scheme = DATABASE_ALIASES.get(scheme.lower(), scheme.lower())
    if scheme not in DATABASES or not separator or not rest:
        schemes = ', '.join(f'{name}://' for name in (*DATABASES, *DATABASE_ALIASES))
        raise ValueError(f'must start with one of {schemes} and name a database')
    return f'{scheme}://{rest}'


def _host(value: str) -> str:
    path = value.removeprefix('unix:')
    if path != value:
        if path.startswith('/') and path != '/':
            if len(os.fsencode(path)) > MAX_SOCKET_PATH:
                raise ValueError(f'must be a path of at most {MAX_SOCKET_PATH} bytes')
            return value
    elif '%' not in value:
        bare = value[1:-1] if value.startswith('[') and value.endswith(']') else value
        try:
            address = ipaddress.ip_address(bare)
        except ValueError:
            pass
        else:
            if address.version == 6 or bare == value:
                return str(address)
    raise ValueError('must be an IPv4 or IPv6 address, or unix: with the absolute path of a socket')


def _origin(value: str) -> str:
    match = BASE_URL.fullmatch(value)
    if match is None or match['path'] not in (None, '/'):
        raise ValueError('must be an origin: http:// or https://, a host, and optionally a port')
    return normal_origin(match['scheme'], match['authority'])


def _base_url(value: str) -> str | None:
    if not value:
        return None
    match = BASE_URL.fullmatch(value)
    if match is None:
        raise ValueError('must be http:// or https://, a host, optionally a port, and optionally a path')
    return normal_origin(match['scheme'], match['authority']) + normal_path(match['path'] or '')


def _origins(value: str) -> tuple[str, ...]:
    return tuple(item if item == '*' else _origin(item) for item in value.replace(',', ' ').split())


def _networks(value: str) -> tuple[Any, ...]:
    """Parse IP addresses, networks, `unix` and '*', separated by commas: gunicorn's syntax."""
    names = (name.strip() for name in value.split(','))
    return tuple(name if name in ('*', UNIX) else ipaddress.ip_network(name) for name in names)


class MailServer(NamedTuple):
    """A mail server: `is_tls` tells whether the connection begins with TLS."""

    host: str
    port: int
    user: str
    password: str
    is_tls: bool


def parse_mail_url(value: str) -> MailServer:
    """Return the mail server of a URL like smtp://user:password@host:587; raises ValueError."""
    match = MAIL_URL.fullmatch(value)
    host = match and AUTHORITY.fullmatch(match['authority'])
    scheme = match['scheme'].lower() if match else ''
    port = int(host['port'] or MAIL_PORTS[scheme]) if host else 0
    if not match or not host or port not in range(1, 65536):
        raise ValueError(
            'must be smtp:// or smtps://, optionally user:password@ (both, percent-encoded), a host, '
            'and optionally a port'
        )
    user, password = unquote(match['user'] or ''), unquote(match['password'] or '')
    return MailServer(host['host'].strip('[]'), port, user, password, scheme == 'smtps')


def _mail_url(value: str) -> str:
    parse_mail_url(value)
    return value


def _mail_from(value: str) -> str:
    from email.policy import SMTP  # only servers with mail need the package

    try:
        groups: Any = SMTP.header_factory('From', value)
        ((name, (address,)),) = [(group.display_name, group.addresses) for group in groups.groups]
        is_valid = not groups.defects and name is None and address.username and address.domain
    except Exception:  # the parser raises various exceptions for malformed addresses
        is_valid = False
    if not is_valid:
        raise ValueError('must be an email address, or a name and an address in angle brackets')
    return value


def _setting(default: Any, parse: Callable[[str], Any], *, is_secret: bool = False) -> Any:
    return dataclasses.field(default=default, metadata={'parse': parse, 'is_secret': is_secret})


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The settings that README.md documents; environment variables have the same names in upper case."""

    database_url: str = _setting('sqlite:///halcyon.db', _database_url, is_secret=True)
    database_timeout: int = _setting(10, _integer(1, 3600))  # seconds to wait for one response
    database_pool: int = _setting(8, _integer(1, 100))  # connections of one worker process
    host: str = _setting('127.0.0.1', _host)
    port: int = _setting(8000, _integer(1, 65535))
    web_concurrency: int = _setting(0, _integer(0, 1000))  # worker processes; 0: one for each core
    token_lifetime: int = _setting(3600, _integer(1, 10**9))  # seconds
    token_max_age: int = _setting(2592000, _integer(1, 10**9))  # seconds since sign-in, renewals included
    bcrypt_cost: int = _setting(12, _integer(4, 20))
    base_url: str | None = _setting(None, _base_url)  # overrides the Host header
    cors_origins: tuple[str, ...] | None = _setting(None, _origins)  # None: pages on localhost
    forwarded_allow_ips: tuple[Any, ...] = _setting((), _networks)  # trusted proxies
    log_format: str = _setting('text', _one_of('text', 'json'))
    drain_seconds: int = _setting(2, _integer(0, 3600))
    keep_alive: int = _setting(15, _integer(1, 3600))  # seconds that an idle connection stays open
    avatars: bool = _setting(True, _on_or_off)
    sqlite_synchronous: str = _setting('full', _one_of('full', 'normal', 'off', 'extra'))
    metrics: bool = _setting(False, _on_or_off)
    registration: str = _setting('open', _one_of('open', 'closed'))
    mail_url: str | None = _setting(None, _mail_url, is_secret=True)  # None: no mail
    mail_from: str | None = _setting(None, _mail_from)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> 'Settings':
        """Return the settings; an empty variable has the default.

        A secret can also be in a file, which NAME_FILE names. Raises SettingError with the name of the
        variable, its value, and what is valid.
        """
        values = {}
        for setting in dataclasses.fields(cls):
            name = setting.name.upper()
            value = environment.get(name, '').strip()
            if setting.metadata['is_secret']:
                value = _secret(name, value, environment.get(name + FILE_SUFFIX, '').strip())
            if value:
                try:
                    _check_characters(value)
                    values[setting.name] = setting.metadata['parse'](value)
                except ValueError as error:
                    quoted = _quoted(value, is_secret=setting.metadata['is_secret'])
                    raise SettingError(f'{name}: {quoted} is invalid: {error}') from None
        return _consistent(cls(**values), values)

    @property
    def is_https(self) -> bool:
        """Whether BASE_URL has the scheme https."""
        return (self.base_url or '').startswith('https://')

    @property
    def allows_all_origins(self) -> bool:
        """Whether the pages of every origin may read responses."""
        return '*' in (self.cors_origins or ())

    @property
    def socket_path(self) -> str:
        """The path of the unix socket to listen on, empty for a TCP port."""
        return self.host.removeprefix('unix:') if self.host.startswith('unix:') else ''

    @property
    def bind(self) -> str:
        """The address to listen on, as gunicorn spells it."""
        return self.host if self.socket_path else host_and_port(self.host, self.port)

    @property
    def database(self) -> str:
        """The database URL without the parts that may be secret: user, password and parameters."""
        scheme, _, rest = self.database_url.partition('://')
        if scheme == 'sqlite':
            return self.database_url
        return f'{scheme}://{rest.rpartition("@")[2].partition("?")[0]}'

    @property
    def mail_server(self) -> str:
        """The URL of the mail server without user and password, empty without mail."""
        if self.mail_url is None:
            return ''
        server = parse_mail_url(self.mail_url)
        return f'{"smtps" if server.is_tls else "smtp"}://{server.host}:{server.port}'

    def printable(self) -> dict[str, str]:
        """Return the value of each setting by the name of its variable, as it may be printed."""
        values = {field.name.upper(): getattr(self, field.name) for field in dataclasses.fields(self)}
        printable = {'DATABASE_URL': self.database, 'MAIL_URL': self.mail_server}
        return {name: _text(value) for name, value in values.items()} | printable


def _consistent(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return the settings with TOKEN_LIFETIME no greater than TOKEN_MAX_AGE.

    If only one of them is set and contradicts the default of the other, both get its value. Raises
    SettingError for settings that contradict each other, or that require one that is not set.
    """
    if settings.mail_url is not None:
        for name, value in (('BASE_URL', settings.base_url), ('MAIL_FROM', settings.mail_from)):
            if value is None:
                raise SettingError(f'{name}: is required for mail, because MAIL_URL is set')
    lifetime, max_age = settings.token_lifetime, settings.token_max_age
    if lifetime <= max_age:
        return settings
    if 'token_lifetime' in values and 'token_max_age' in values:
        raise SettingError(
            f'TOKEN_MAX_AGE: {max_age} is less than TOKEN_LIFETIME ({lifetime}): it must be at least as long'
        )
    seconds = max_age if 'token_max_age' in values else lifetime
    return dataclasses.replace(settings, token_lifetime=seconds, token_max_age=seconds)


def misspelt_variables(names: Iterable[str]) -> dict[str, str]:
    """Return the setting that each variable probably misspells, by the name of the variable."""
    settings = {field.name.upper(): field.metadata['is_secret'] for field in dataclasses.fields(Settings)}
    valid_names = [*settings, *(name + FILE_SUFFIX for name, is_secret in settings.items() if is_secret)]
    misspelt = {}
    for name in sorted(set(names).difference(valid_names)):
        upper = name.upper()
        anagrams = [setting for setting in valid_names if sorted(setting) == sorted(upper)]
        without_file = [setting for setting in settings if setting + FILE_SUFFIX == upper]
        close = without_file or anagrams or difflib.get_close_matches(upper, valid_names, 1, MIN_SIMILARITY)
        if close:
            misspelt[name] = close[0]
    return misspelt


def _secret(name: str, value: str, path: str) -> str:
    if not path:
        return value
    if value:
        raise SettingError(f'{name}: set either {name} or {name}{FILE_SUFFIX}, not both')
    try:
        content = Path(path).read_text('utf-8-sig').strip()  # some editors write a byte order mark
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or 'it is not text'
        raise SettingError(f'{name}{FILE_SUFFIX}: cannot read {path!r}: {reason}') from None
    if not content:
        raise SettingError(f'{name}{FILE_SUFFIX}: {path!r} is empty')
    return content


def _quoted(value: str, *, is_secret: bool) -> str:
    """Return the value for an error message; if it may contain a password, at most the scheme of its URL."""
    scheme, separator, _ = value.partition('://')
    if is_secret or (separator and '@' in value):
        return f'{scheme}://…' if separator and SCHEME.fullmatch(scheme) else 'the value'
    return repr(value) if len(value) <= MAX_QUOTED_LENGTH else f'{value[:MAX_QUOTED_LENGTH]!r}…'


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return 'on' if value else 'off'
    if isinstance(value, tuple):
        return ','.join(map(str, value))
    return '' if value is None else str(value)
