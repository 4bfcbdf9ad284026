"""HAL-FORMS: HAL with a template in `_templates` for each available Action."""

from collections.abc import Mapping
from typing import Any

import orjson

from service.representation.action import Field, Form
from service.representation.document import Document, json_part
from service.representation.hal import hal_members, to_json


def hal_forms(document: Document) -> dict[str, Any]:
    """Return the document as HAL-FORMS; `_templates` is present even if it is empty."""
    rendered: dict[str, Any] = orjson.loads(to_json(document, hal_forms_members))
    return rendered


def hal_forms_members(document: Document, *, is_outermost: bool = False) -> dict[str, Any]:
    """Return the members of the document in HAL-FORMS: those in HAL, and a template for each form."""
    members = hal_members(document, is_outermost=is_outermost)
    forms = document.outline.forms
    if any(form.action.fields for form in forms):  # fields have values, which differ between documents
        members['_templates'] = _templates(document)
    elif forms or is_outermost:
        members['_templates'] = orjson.Fragment(document.render(_TEMPLATES))
    return members


def _templates(document: Document) -> dict[str, Any]:
    return {form.action.name: template(form) for form in document.forms}


_TEMPLATES = json_part(_templates)


def template(form: Form) -> dict[str, Any]:
    """Return the form as a template (HAL-FORMS, "The _templates Element")."""
    members: dict[str, Any] = {
        'title': form.action.title,
        'method': form.action.method,
        'target': form.target,
    }
    if form.action.method != 'GET':
        members['contentType'] = 'application/json'
    members['properties'] = [_property(field, form.values) for field in form.action.fields]
    return members


def _property(field: Field, values: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {
        'name': field.name,
        'prompt': field.prompt,
        'type': field.type,
        'required': field.required or None,
        'minLength': field.min_length or None,
        'maxLength': field.max_length,
        'regex': field.regex,
        'placeholder': field.placeholder,
        'rows': field.rows,
        'min': _number(field.min),
        'max': _number(field.max),
        'step': _number(field.step),
        'options': {'inline': list(field.options)} if field.options else None,
        'value': None if (value := values.get(field.name)) is None else str(value),
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _number(bound: str | None) -> float | None:
    return None if bound is None else float(bound)
