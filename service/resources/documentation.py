"""Documentation pages for link relations and problem types."""

from collections.abc import Iterable
from typing import ClassVar

import falcon

from service import urls
from service.domain.errors import NotFound
from service.http.conditional import PUBLIC
from service.http.operation import Access, Operation, Samples
from service.http.request import Request
from service.representation.addresses import AddressBook
from service.representation.document import Document
from service.representation.examples import example_of, example_of_problem
from service.representation.problem import PROBLEMS, ProblemType
from service.representation.queries import QueryOptions
from service.resources.module import LinkRelation


def represent_relation(relation: LinkRelation, book: AddressBook) -> Document:
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
        | ({'example': example_of(relation.sample(book))} if relation.sample else {}),
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
            'example': example_of_problem(name, book),
        },
        links={'self': book.link(urls.PROBLEM, name=name), 'curies': book.curies},
        title=problem.title,
    )


class RelationResource:
    """What one link relation means."""

    tag = 'explanations'
    operation_name = 'Relation'
    description = 'What one link relation means.'

    def __init__(self, relations: Iterable[LinkRelation]) -> None:
        self._relations = {relation.name: relation for relation in relations}
        samples = Samples('relation', self._samples)
        self.operations = {'GET': Operation({200: samples}, Access.ANYONE, query=QueryOptions('relations'))}

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

    tag = 'explanations'
    operation_name = 'Problem'
    description = 'What one type of problem means.'
    operations: ClassVar = {
        'GET': Operation(
            {200: Samples('problem-type', _sample_problem_types)},
            Access.ANYONE,
            query=QueryOptions('problems'),
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, name: str) -> None:
        problem = PROBLEMS.get(name)
        if problem is None:
            raise NotFound('There is no such type of problem.')
        resp.media = represent_problem_type(name, problem, req.book)
        resp.set_header('Cache-Control', PUBLIC)
