"""Examples for documentation pages, rendered by the real renderers."""

from typing import Any

import orjson

from service import urls
from service.representation.document import Document
from service.representation.hal_forms import hal_forms
from service.representation.problem import PROBLEMS, Problem, problem_details
from service.representation.url_builder import UrlBuilder

SAMPLE_MEMBERS: dict[str, dict[str, Any]] = {
    'invalid-values': {'errors': (('username', 'is required'), ('email', 'must be an email address'))},
    'invalid-parameter': {'parameter': 'page'},
    'internal-error': {'reference': '5f0c1d2e3a4b5968'},
}


def example_of(document: Document) -> str:
    """Return the document as indented HAL-FORMS."""
    return _indented(hal_forms(document))


def example_of_problem(name: str, builder: UrlBuilder) -> str:
    """Return an example of a problem type, at the entry point, as indented JSON."""
    return _indented(problem_details(sample_problem(name, f'{PROBLEMS[name].title}.', builder, urls.ENTRY)))


def sample_problem(name: str, detail: str, builder: UrlBuilder, path: str) -> Problem:
    """Return an example of a problem type, as if it had occurred at the path."""
    members = SAMPLE_MEMBERS.get(name, {})
    return Problem(name, detail, **members, origin=builder.origin, instance=builder.origin + path)


def _indented(example: dict[str, Any]) -> str:
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
