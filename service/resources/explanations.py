"""Pages that explain: what a link relation of ours means, and what a type of problem does."""

from collections.abc import Iterable
from typing import Any, ClassVar

import falcon
import orjson

from service import urls
from service.domain.errors import NotFound
from service.middleware.conditional import PUBLIC
from service.middleware.request import Request
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.hal_forms import hal_forms
from service.representation.problem import PROBLEMS, Problem, ProblemType, problem_details
from service.representation.queries import Vocabulary
from service.resources.answers import Answers, Samples
from service.resources.relation import Relation


def represent_relation(relation: Relation, book: AddressBook) -> Document:
    """Return what the link relation means."""
    return Document(
        kind='relations',
        id=relation.name,
        properties={
            'name': f'hc:{relation.name}',
            'meaning': relation.meaning,
            'methods': ', '.join(relation.methods),
            'leads_to': relation.leads_to,
        }
        | ({'example': _shown(hal_forms(relation.sample(book)))} if relation.sample else {}),
        links={'self': book.link(urls.RELATION, rel=relation.name), 'curies': book.curies},
        title=f'hc:{relation.name}',
    )


def represent_problem_type(name: str, problem: ProblemType, book: AddressBook) -> Document:
    """Return what the type of problem means."""
    return Document(
        kind='problems',
        id=name,
        properties={
            'name': name,
            'status': problem.status,
            'title': problem.title,
            'meaning': problem.meaning,
            'example': _shown(_sample_problem(name, book)),
        },
        links={'self': book.link(urls.PROBLEM, name=name), 'curies': book.curies},
        title=problem.title,
    )


class RelationResource:
    """What one link relation means."""

    public = frozenset(('GET',))
    vocabulary = Vocabulary('relations')

    def __init__(self, relations: Iterable[Relation]) -> None:
        self._relations = {relation.name: relation for relation in relations}
        self.answers: Answers = {'GET': {200: Samples('relation', self._samples)}}

    def on_get(self, req: Request, resp: falcon.Response, rel: str) -> None:
        relation = self._relations.get(rel)
        if relation is None:
            raise NotFound('There is no such link relation.')
        resp.media = represent_relation(relation, req.book)
        resp.set_header('Cache-Control', PUBLIC)

    def _samples(self, book: AddressBook) -> dict[str, Document]:
        return {name: represent_relation(relation, book) for name, relation in self._relations.items()}


def _sample_problem_types(book: AddressBook) -> dict[str, Document]:
    return {name: represent_problem_type(name, problem, book) for name, problem in PROBLEMS.items()}


class ProblemResource:
    """What one type of problem means."""

    public = frozenset(('GET',))
    vocabulary = Vocabulary('problems')
    answers: ClassVar[Answers] = {'GET': {200: Samples('problem-type', _sample_problem_types)}}

    def on_get(self, req: Request, resp: falcon.Response, name: str) -> None:
        problem = PROBLEMS.get(name)
        if problem is None:
            raise NotFound('There is no such type of problem.')
        resp.media = represent_problem_type(name, problem, req.book)
        resp.set_header('Cache-Control', PUBLIC)


SAMPLE_MEMBERS: dict[str, dict[str, Any]] = {
    'invalid-values': {'errors': (('username', 'is required'), ('email', 'must be an e-mail address'))},
    'invalid-parameter': {'parameter': 'page'},
    'internal-error': {'reference': '5f0c1d2e3a4b5968'},
}


def _sample_problem(name: str, book: AddressBook) -> dict[str, Any]:
    problem = Problem(name, f'{PROBLEMS[name].title}.', **SAMPLE_MEMBERS.get(name, {}))
    return problem_details(problem, book.origin, book.href(urls.ENTRY))


def _shown(example: dict[str, Any]) -> str:
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
