"""HTML: a page for every document and every error; all escaping is the templates' own."""

from typing import Any

import jinja2

from service.representation.document import Document
from service.representation.problem import Problem

_PAGES = jinja2.Environment(
    loader=jinja2.PackageLoader('service.representation'),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(document: Document) -> str:
    """Return the document as a page."""
    return _PAGES.get_template('document.html').render(document=document, entry=None)


def docs_page(description: dict[str, Any]) -> str:
    """Return the description of the API (OpenAPI) as a page."""
    return _PAGES.get_template('docs.html').render(description=description)


def problem_page(problem: Problem, origin: str) -> str:
    """Return the problem as a page that leads back to the entry point."""
    values: dict[str, Any] = {'problem': problem, 'origin': origin}
    return _PAGES.get_template('problem.html').render(values)
