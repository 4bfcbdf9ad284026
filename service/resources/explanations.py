"""Pages that explain: what a link relation of ours means, and what a type of problem does."""

from collections.abc import Iterable

import falcon

from service import urls
from service.domain.errors import NotFound
from service.middleware.conditional import PUBLIC
from service.middleware.request import Request
from service.representation.document import Document
from service.representation.examples import example_of, example_of_problem
from service.representation.problem import PROBLEMS
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
            | ({'example': example_of(relation.sample(req.book))} if relation.sample else {}),
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
                'example': example_of_problem(name, req.book),
            },
            links={'self': req.book.link(urls.PROBLEM, name=name), 'curies': req.book.curies},
            title=problem.title,
        )
        resp.set_header('Cache-Control', PUBLIC)
