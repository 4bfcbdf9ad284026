"""Actions: one declaration is both the form that is rendered and the validator that is enforced."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import idna

from service.domain.errors import Invalid
from service.domain.text import WHITE_SPACE, has_control_characters, has_surrogates, is_blank, normalize

# The pattern of an email address, valid in JavaScript (with any flag) and in Python. _is_email checks what it
# cannot express: lengths in octets, and internationalised domains. Matching takes linear time: every
# repetition is bounded, or ends at a character that it does not repeat.
_ATEXT = r'[^\x00-\x20"\(\),.:;<>@\[\\\]\x7f-\xa0]'
_LETTER = r'[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\xa0]'  # or a digit, or any character beyond ASCII
_LABEL = rf'{_LETTER}(?:[^\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x60\x7b-\xa0]{{0,61}}{_LETTER})?'
EMAIL = rf'^{_ATEXT}(?:{_ATEXT}|\.(?={_ATEXT})){{0,63}}@{_LABEL}(?:\.{_LABEL})*$'
# A dot-atom (RFC 5322 §3.2.3) with the characters that RFC 6531 §3.3 adds, and a label of a domain.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff]++"
_LOCAL_PART = re.compile(rf'{_ATOM}(?:\.{_ATOM})*+')
_MAX_LOCAL_OCTETS = 64  # RFC 5321 §4.5.3.1.1
_DOMAIN_LABEL = re.compile(r'[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?', re.ASCII | re.IGNORECASE)
# A valid floating-point number (HTML Living Standard §2.3.4.3), with an exponent of at most four digits.
NUMBER = re.compile(r'-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?', re.ASCII)
# Text as in domain/text.py: no control characters except newline. NOT_BLANK is text with a visible character.
_TEXT = r'[^\x00-\x09\x0b-\x1f\x7f-\x9f]*'
TEXT = rf'^{_TEXT}$'
_INVISIBLE = (  # those of the Basic Multilingual Plane (domain/text.py has all)
    r'\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164'
    r'\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb'
)
NOT_BLANK = rf'^{_TEXT}[^\s\x00-\x1f\x7f-\x9f{_INVISIBLE}]{_TEXT}$'


@dataclass(frozen=True, slots=True)
class Field:
    """One input of an Action: its prompt, and the rules for its value.

    Lengths are in characters after normalization. `regex` matches the whole value and is valid in both
    JavaScript and Python; `rule` states it in words. `type` is an input type of HTML, or `textarea`, which is
    `rows` lines high; a `number` has `min`, `max` and `step`. With `trim`, leading and trailing white space
    is removed first; with `nullable`, null is read as an empty string. If there are `options`, the value must
    be one of them. Pages show the field only if it is `on_pages`; other fields are for programs.
    """

    name: str
    prompt: str
    type: str = 'text'
    required: bool = False
    min_length: int = 0
    max_length: int | None = None
    regex: str | None = TEXT
    rule: str = ''
    trim: bool = False
    nullable: bool = False
    placeholder: str | None = None
    autocomplete: str | None = None
    rows: int | None = None
    min: str | None = None
    max: str | None = None
    step: str | None = None
    options: tuple[str, ...] = ()
    on_pages: bool = True

    @property
    def bounds(self) -> tuple[Decimal, Decimal, Decimal]:
        """The minimum, the maximum and the step of a number."""
        return Decimal(self.min or 0), Decimal(self.max or 0), Decimal(self.step or 1)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules for the value, in words."""
        minimum, maximum, step = self.bounds
        rules = {
            'required': self.required,
            f'one of {", ".join(self.options)}': self.options,
            f'a number from {minimum} to {maximum}, in steps of {step}': self.type == 'number',
            f'{self.min_length} to {self.max_length} characters': self.min_length,
            f'at most {self.max_length} characters': self.max_length and not self.min_length,
            self.rule: self.rule,
        }
        return tuple(rule for rule, applies in rules.items() if applies)

    def read(self, value: Any) -> Any:
        """Return the normalized value; raises ValueError with the rule that it breaks."""
        return self._read_number(value) if self.type == 'number' else self._read_text(value)

    def _read_number(self, value: Any) -> Decimal:
        """Return the number as an exact Decimal; it may be text, which is what forms send."""
        minimum, maximum, step = self.bounds
        rule = f'must be a number from {minimum} to {maximum}, in steps of {step}'
        if isinstance(value, str) and NUMBER.fullmatch(value):
            value = Decimal(value)
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, Decimal))
            or not minimum <= value <= maximum
        ):
            raise ValueError(rule)
        number = Decimal(value)
        if number.quantize(step) != number:
            raise ValueError(rule)
        return number.quantize(step)

    def _read_text(self, value: Any) -> str:
        if value is None and self.nullable:
            value = ''
        if not isinstance(value, str):
            raise ValueError('must be text')
        if self.type == 'textarea':
            value = value.replace('\r\n', '\n')  # forms submit CRLF (HTML Living Standard §4.10.22.4)
        value = normalize(value.strip(WHITE_SPACE) if self.trim else value)
        self._check_characters(value)
        self._check_length(value)
        if self.options and value not in self.options:
            raise ValueError(f'must be one of {", ".join(self.options)}')
        if not self._matches(value):
            raise ValueError(self.rule)
        return str(value)

    def _check_characters(self, value: str) -> None:
        if has_surrogates(value):
            raise ValueError('must not contain a lone surrogate')
        if has_control_characters(value):
            raise ValueError('must not contain control characters')

    def _check_length(self, value: str) -> None:
        if len(value) < self.min_length:
            raise ValueError(
                f'must have at least {self.min_length} characters' if value else 'must not be empty'
            )
        if self.max_length is not None and len(value) > self.max_length:
            raise ValueError(f'must have at most {self.max_length} characters')

    def _matches(self, value: str) -> bool:
        """Return whether the value matches the regex, and the rules that a regex cannot express."""
        if self.regex is not None and not re.fullmatch(self.regex, value):
            return False
        if self.type == 'email':
            return _is_email(value)
        return self.regex != NOT_BLANK or not is_blank(value)


@dataclass(frozen=True, slots=True)
class Action:
    """An operation that a client can perform: its form and its validator. `method` is in upper case."""

    name: str
    method: str
    title: str
    fields: tuple[Field, ...] = ()

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the normalized values of the fields that are present; unknown members are ignored.

        Raises Invalid, which names every invalid field.
        """
        values, errors = {}, []
        for field in self.fields:
            try:
                if field.name in body:
                    values[field.name] = field.read(body[field.name])
                elif field.required:
                    raise ValueError('is required')
            except ValueError as error:
                errors.append((field.name, str(error)))
        if errors:
            raise Invalid(errors)
        return values

    def at(self, target: str, values: Mapping[str, Any] | None = None) -> 'Form':
        """Return the form with this absolute URL as its target and with these current values."""
        return Form(self, target, values or {})

    def without(self, name: str) -> 'Action':
        """Return the Action without one of its fields."""
        return dataclasses.replace(self, fields=tuple(field for field in self.fields if field.name != name))

    def optional(self, *names: str) -> tuple[Field, ...]:
        """Return the named fields for another Action, none of them required."""
        return tuple(
            dataclasses.replace(field, required=False) for field in self.fields if field.name in names
        )


@dataclass(frozen=True, slots=True)
class Form:
    """An Action that the viewer can perform now, with the absolute URL that it is sent to."""

    action: Action
    target: str
    values: Mapping[str, Any]


def _is_email(text: str) -> bool:
    """Return whether the text is one email address, possibly internationalised (RFC 5321, 5890, 6531)."""
    local, _, domain = text.rpartition('@')
    if not _LOCAL_PART.fullmatch(local) or len(local.encode()) > _MAX_LOCAL_OCTETS:
        return False
    try:
        encoded = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return False
    return len(encoded) <= 253 and all(_DOMAIN_LABEL.fullmatch(label) for label in encoded.split('.'))
