"""Examples as explanations show them: made-up things, said by the real renderers."""

from typing import Any

import orjson

from service import urls
from service.representation.document import Document
from service.representation.hal_forms import hal_forms
from service.representation.problem import PROBLEMS, Problem, problem_details
from service.representation.url_builder import UrlBuilder

SAMPLE_MEMBERS: dict[str, dict[str, Any]] = {
    'invalid-values': {'errors': (('username', 'is required'), ('email', 'must be an e-mail address'))},
    'invalid-parameter': {'parameter': 'page'},
    'internal-error': {'reference': '5f0c1d2e3a4b5968'},
}


def example_of(document: Document) -> str:
    """Return the document as HAL-FORMS for people to read."""
    return _shown(hal_forms(document))


def example_of_problem(name: str, builder: UrlBuilder) -> str:
    """Return a problem of that name, at the entry point, for people to read."""
    return _shown(problem_details(sample_problem(name, f'{PROBLEMS[name].title}.', builder, urls.ENTRY)))


def sample_problem(name: str, detail: str, builder: UrlBuilder, path: str) -> Problem:
    """Return a problem of that name, as if it had happened at the path."""
    members = SAMPLE_MEMBERS.get(name, {})
    return Problem(name, detail, **members, origin=builder.origin, instance=builder.origin + path)


def _shown(example: dict[str, Any]) -> str:
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
