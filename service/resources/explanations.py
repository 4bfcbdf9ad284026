"""Pages that explain: what a link relation of ours means, and what a type of problem does."""

from collections.abc import Iterable
from typing import Any

import falcon
import orjson

from service import urls
from service.domain.errors import NotFound
from service.middleware.conditional import PUBLIC
from service.middleware.request import Request
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.hal_forms import hal_forms
from service.representation.problem import PROBLEMS, Problem, problem_details
from service.representation.queries import Vocabulary
from service.resources.relation import Relation


class RelationResource:
    """What one link relation means."""

    public = frozenset(('GET',))
    vocabulary = Vocabulary('relations')

    def __init__(self, relations: Iterable[Relation]) -> None:
        self._relations = {relation.name: relation for relation in relations}

    def on_get(self, req: Request, resp: falcon.Response, rel: str) -> None:
        relation = self._relations.get(rel)
        if relation is None:
            raise NotFound('There is no such link relation.')
        resp.media = Document(
            kind='relations',
            id=relation.name,
            properties={
                'name': f'hc:{relation.name}',
                'meaning': relation.meaning,
                'methods': ', '.join(relation.methods),
                'leads_to': relation.leads_to,
            }
            | ({'example': _shown(hal_forms(relation.sample(req.book)))} if relation.sample else {}),
            links={'self': req.book.link(urls.RELATION, rel=rel), 'curies': req.book.curies},
            title=f'hc:{relation.name}',
        )
        resp.set_header('Cache-Control', PUBLIC)


class ProblemResource:
    """What one type of problem means."""

    public = frozenset(('GET',))
    vocabulary = Vocabulary('problems')

    def on_get(self, req: Request, resp: falcon.Response, name: str) -> None:
        problem = PROBLEMS.get(name)
        if problem is None:
            raise NotFound('There is no such type of problem.')
        resp.media = Document(
            kind='problems',
            id=name,
            properties={
                'name': name,
                'status': problem.status,
                'title': problem.title,
                'meaning': problem.meaning,
                'example': _shown(_sample_problem(name, req.book)),
            },
            links={'self': req.book.link(urls.PROBLEM, name=name), 'curies': req.book.curies},
            title=problem.title,
        )
        resp.set_header('Cache-Control', PUBLIC)


_BROKEN: dict[str, dict[str, Any]] = {
    'invalid-values': {'errors': (('username', 'is required'), ('email', 'must be an e-mail address'))},
    'invalid-parameter': {'parameter': 'page'},
    'internal-error': {'reference': '5f0c1d2e3a4b5968'},
}


def _sample_problem(name: str, book: AddressBook) -> dict[str, Any]:
    problem = Problem(name, f'{PROBLEMS[name].title}.', **_BROKEN.get(name, {}))
    return problem_details(problem, book.origin, book.href(urls.ENTRY))


def _shown(example: dict[str, Any]) -> str:
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
