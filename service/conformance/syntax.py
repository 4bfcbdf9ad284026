"""Grammars of the standards: URIs and templates, media types, tags, dates, lists."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urldefrag, urljoin, urlsplit

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')  # RFC 9110 §8.8.3
_URI_CHARACTER = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_URI_REFERENCE = re.compile(_URI_CHARACTER + '*')  # RFC 3986 §4.1, with the characters that it allows
_SCHEME = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:')
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t -\x7e\x80-\xff])*"'
_PARAMETER = re.compile(rf'\s*;\s*(?:({TOKEN.pattern})=({TOKEN.pattern}|{_QUOTED}))?')
_RANGE = re.compile(rf'({TOKEN.pattern})/({TOKEN.pattern})')
_EXPRESSION = re.compile(r'\{([+#./;?&]?)([^{}]*)\}')
_VARIABLE = re.compile(
    r'(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:[A-Za-z0-9_.]|%[0-9A-Fa-f]{2})*(?::[1-9][0-9]{0,3}|\*)?'
)
_LIST_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|<[^>]*>|.')
_JSON_POINTER = re.compile(r'(?:/(?:[^~]|~[01])*)?')
_LANGUAGE = re.compile(r'[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*')
_DIRECTIVE = re.compile(rf'({TOKEN.pattern})(?:=({TOKEN.pattern}|{_QUOTED}))?')
_LINK_PARAMETER = re.compile(rf'\s*;\s*({TOKEN.pattern})\s*(?:=\s*({TOKEN.pattern}|{_QUOTED}))?')
_OPERATORS = {  # RFC 6570 §A: first character, separator, whether names are written, characters not escaped
    '': ('', ',', False, ''),
    '+': ('', ',', False, ":/?#[]@!$&'()*+,;="),
    '#': ('#', ',', False, ":/?#[]@!$&'()*+,;="),
    '.': ('.', '.', False, ''),
    '/': ('/', '/', False, ''),
    ';': (';', ';', True, ''),
    '?': ('?', '&', True, ''),
    '&': ('&', '&', True, ''),
}


def is_uri_reference(value: object) -> bool:
    """Return whether it is a URI reference (RFC 3986 §4.1)."""
    if not isinstance(value, str) or not _URI_REFERENCE.fullmatch(value):
        return False
    try:
        return bool(urlsplit(value)) and urlsplit(value).port != -1
    except ValueError:
        return False


def join(base: str, reference: str) -> str | None:
    """Return the URL of a reference without its fragment; None if it is not a URI reference."""
    return urldefrag(urljoin(base, reference)).url if is_uri_reference(reference) else None


def parameters_of(url: str | None) -> list[tuple[str, str]]:
    """Return the query parameters of a URL; [] if it is not a URI reference."""
    return parse_qsl(urlsplit(url).query, keep_blank_values=True) if url and is_uri_reference(url) else []


def is_absolute_uri(value: object) -> bool:
    """Return whether it is a URI reference with a scheme."""
    return is_uri_reference(value) and isinstance(value, str) and _SCHEME.match(value) is not None


def is_template(value: str) -> bool:
    """Return whether it is a URI Template (RFC 6570 §2)."""
    names = [name for match in _EXPRESSION.finditer(value) for name in match[2].split(',')]
    rest = _EXPRESSION.sub('', value)
    return is_uri_reference(rest) and all(_VARIABLE.fullmatch(name) for name in names)


def has_expression(value: str) -> bool:
    return _EXPRESSION.search(value) is not None


def variables(template: str) -> list[str]:
    """Return the names of a template's variables."""
    listed = (name for match in _EXPRESSION.finditer(template) for name in match[2].split(','))
    return [re.sub(r':\d+$|\*$', '', name) for name in listed]


def expand(template: str, values: dict[str, str]) -> str:
    """Return the URI of a template with string values; other variables are left out (RFC 6570 §3)."""

    def replace(match: re.Match[str]) -> str:
        first, separator, is_named, unescaped = _OPERATORS[match[1]]
        parts = []
        for name in variables(match[0]):
            if name in values:
                text = quote(values[name], safe=unescaped + '~')
                parts.append(f'{name}={text}' if is_named else text)
        return first + separator.join(parts) if parts else ''

    return _EXPRESSION.sub(replace, template)


def parse_media_type(value: object) -> tuple[str, dict[str, str]] | None:
    """Return type and parameters, names in lower case; None if it is malformed (RFC 9110 §8.3.1)."""
    match = _RANGE.match(value) if isinstance(value, str) else None
    if match is None or not isinstance(value, str):
        return None
    parameters: dict[str, str] = {}
    position = match.end()
    while position < len(value.rstrip()):
        parameter = _PARAMETER.match(value, position)
        if parameter is None:
            return None
        if parameter[1]:
            parameters[parameter[1].lower()] = re.sub(r'\\(.)', r'\1', parameter[2].strip('"'))
        position = parameter.end()
    return match[0].lower(), parameters


def is_language(value: object) -> bool:
    """Return whether it has the form of a language tag (RFC 5646 §2.1)."""
    return isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None


def is_token_list(value: str) -> bool:
    """Return whether it is a list of tokens; empty members are allowed (RFC 9110 §5.6.1)."""
    return all(TOKEN.fullmatch(member.strip()) for member in value.split(',') if member.strip())


def is_json_pointer(value: object) -> bool:
    """Return whether it is a JSON Pointer (RFC 6901 §3)."""
    return isinstance(value, str) and _JSON_POINTER.fullmatch(value) is not None


def parse_date(value: str) -> datetime | None:
    """Return the time of an IMF-fixdate; None if it is malformed (RFC 9110 §5.6.7)."""
    try:
        return datetime.strptime(value, '%a, %d %b %Y %H:%M:%S GMT').replace(tzinfo=UTC)
    except ValueError:
        return None


def split_list(value: str) -> list[str]:
    """Return the members of a list whose members may contain quoted strings and `<…>`."""
    parts = ['']
    for token in _LIST_TOKEN.findall(value):
        if token == ',':
            parts.append('')
        else:
            parts[-1] += token
    return [part.strip() for part in parts if part.strip()]


def parse_directives(value: str) -> dict[str, str] | None:
    """Return the directives of Cache-Control; None if it is malformed (RFC 9111 §5.2)."""
    directives = {}
    for member in split_list(value):
        match = _DIRECTIVE.fullmatch(member)
        if match is None:
            return None
        directives[match[1].lower()] = (match[2] or '').strip('"')
    return directives


def parse_links(value: str) -> list[tuple[str, dict[str, str]]] | None:
    """Return target and parameters of each link of a Link field; None if malformed (RFC 8288 §3)."""
    links = []
    for member in split_list(value):
        target = re.match(r'<([^>]*)>', member)
        if target is None or not is_uri_reference(target[1]):
            return None
        parameters: dict[str, str] = {}
        position = target.end()
        while position < len(member):
            match = _LINK_PARAMETER.match(member, position)
            if match is None:
                return None
            parameters.setdefault(match[1].lower(), (match[2] or '').strip('"'))
            position = match.end()
        links.append((target[1], parameters))
    return links
