"""Text of HTML pages: names, values and rules in words, escaped."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from service.representation.action import Field
from service.representation.json_schema import TIME

_LABELS = {
    'prev': 'Previous',
    'hc:page': 'Go to page',
    'hc:me': 'My profile',
    'service-desc': 'API description',
    'service-doc': 'API documentation',
}
_WEB_LINK = re.compile(r'https?://[^\s<>"\'`]+', re.IGNORECASE)
# In indented JSON: a member's name, and a string that is a URL, but not the target of a form, to which a
# link could send only GET.
_JSON = re.compile(
    r'^ *(?P<name>"(?:[^"\\]|\\.)*")(?=:)|(?<!"target": ")(?<=")(?P<url>https?://[^\s"\\{}]+)(?=")',
    re.MULTILINE,
)
_AFTER_LINK = '.,;:!?)]}…\u2019\u201d'
_LINK = Markup('<a href="%s" rel="nofollow ugc noopener">%s</a>')
_NONE = Markup('<span class="none" aria-hidden="true">\u2013</span><span class="unseen">none</span>')
_YES, _NO = Markup('yes'), Markup('no')
_TEXT = Markup('<span class="text" dir="auto">%s</span>')
_NAME = Markup('<b>%s</b>')
_CODE = Markup('<code>%s</code>')
_TIME, _CLASS = Markup('<time datetime="%s"%s>%s</time>'), Markup(' class="%s"')
_SYSTEMS = ('iPhone', 'iPad', 'Android', 'Windows', 'Macintosh', 'CrOS', 'Linux')
_PROGRAMS = (
    ('Edg', 'Edge'),
    ('OPR', 'Opera'),
    ('Firefox', 'Firefox'),
    ('Chrom', 'Chrome'),
    ('Safari', 'Safari'),
)
_OBVIOUS = ('must not contain control characters', 'must not be blank')


@lru_cache(maxsize=1024)
def words(name: str) -> str:
    """Return the name of a relation, a member or a form in words: `Member since` for `member_since`."""
    plain = _LABELS.get(name) or name.removeprefix('hc:').replace('_', ' ').replace('-', ' ')
    return plain[:1].upper() + plain[1:]


def format_time(value: Any, *, name: str = '') -> Markup | None:
    """Return a time like `22 Nov 2026, 15:04 UTC`, or None if the value is not a time.

    `name` is the class of its element: with `day`, only the date is shown, also by the script, which shows
    local times; with `ago`, the script shows how long ago it was.
    """
    return _format_time(value, name) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _format_time(value: str, name: str) -> Markup | None:
    if not TIME.fullmatch(value):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    text = time.strftime('%-d %b %Y' if name == 'day' else '%-d %b %Y, %H:%M UTC')
    return _TIME % (value, _CLASS % (name,) if name else '', text)


def device(user_agent: str | None) -> str:
    """Return the program and the system in a User-Agent header: `Firefox on Linux`."""
    if not user_agent:
        return 'Unknown device'
    program = next((name for mark, name in _PROGRAMS if mark in user_agent), '')
    system = next((name for name in _SYSTEMS if name in user_agent), '')
    if program and system:
        return f'{program} on {"Mac" if system == "Macintosh" else system}'
    return user_agent.partition(' ')[0].replace('/', ' ')[:40]


def link_text(text: str) -> Markup:
    """Return the text with its web addresses as links (http and https only)."""
    if '://' not in text:
        return escape(text)
    urls = ((match.start(), match[0].rstrip(_AFTER_LINK)) for match in _WEB_LINK.finditer(text))
    # URI templates, which contain {, do not become links.
    return _mark_up(text, ((start, url, _LINK % (url, url)) for start, url in urls if '{' not in url))


def highlight_json(text: str, *, has_links: bool = False) -> Markup:
    """Return an indented JSON text with its names marked, and with links if its URLs can be followed.

    The URLs of forms and URI templates do not become links.
    """
    return _mark_up(text, _json_marks(text, has_links=has_links))


def _json_marks(text: str, *, has_links: bool) -> Iterator[tuple[int, str, Markup]]:
    for match in _JSON.finditer(text):
        name, url = match['name'], match['url']
        if name is not None:
            yield match.start('name'), name, _NAME % (name,)
        elif has_links:
            yield match.start(), url, _LINK % (url, url)


def _mark_up(text: str, marks: Iterable[tuple[int, str, Markup]]) -> Markup:
    """Return the text with parts of it, each at its position, replaced by elements."""
    pieces, end = [], 0
    for start, part, element in marks:
        pieces += [escape(text[end:start]), element]
        end = start + len(part)
    return Markup('').join([*pieces, escape(text[end:])])


def prose(text: str) -> Markup:
    """Return a text of the API's own, in which code is between backticks, as HTML."""
    parts = text.split('`')
    return Markup('').join(
        _CODE % (part,) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def format_value(value: Any, *, is_day: bool = False) -> Markup:
    """Return the value of a member as HTML for people; with `is_day`, only the date of a time."""
    if value is None or value == '':
        return _NONE
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, int):
        return escape(value)
    time = format_time(value, name='day' if is_day else '')
    return _TEXT % (value,) if time is None else time


def is_number(value: Any) -> bool:
    """Return whether a value is a number, or a decimal as text."""
    return isinstance(value, (int, float)) or (
        isinstance(value, str) and re.fullmatch(r'-?\d+\.\d+', value, re.ASCII) is not None
    )


def attributes(field: Field) -> Markup:
    """Return the attributes of a field's input that follow from its declaration."""
    is_text_area = field.type == 'textarea'
    values = {
        'name': field.name,
        'dir': 'auto',
        'type': None if is_text_area else field.type,
        'required': '' if field.required else None,
        'minlength': field.min_length if field.min_length > 1 else None,
        'data-max': field.max_length,  # the script counts characters as the server does, maxlength does not
        'min': field.min,
        'max': field.max,
        'step': field.step,
        'pattern': field.regex if not is_text_area and field.type != 'email' else None,
        'title': f'{field.prompt} {field.rule}' if field.rule and field.type == 'text' else None,
        'placeholder': field.placeholder,
        'autocomplete': field.autocomplete,
        'autocapitalize': 'none' if field.autocomplete else None,
        'rows': field.rows or 3 if is_text_area else None,
    }
    pairs = (Markup(' {}="{}"').format(name, value) for name, value in values.items() if value is not None)
    return Markup('').join(pairs)


def hint(field: Field) -> str:
    """Return the rules of a field in words, without those that are obvious."""
    sentences = []
    if field.min_length > 1:
        sentences.append(f'{field.min_length} to {field.max_length} characters.')
    elif field.max_length is not None and field.type not in ('email', 'search'):
        sentences.append(f'At most {field.max_length} characters.')
    if field.rule and field.type == 'text' and field.rule not in _OBVIOUS:
        sentences.append(f'{field.rule[0].upper()}{field.rule[1:]}.')
    return ' '.join(sentences)
