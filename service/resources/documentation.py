"""Documentation pages for link relations and problem types."""

from collections.abc import Iterable
from typing import ClassVar

import falcon

from service import urls
from service.domain.errors import NotFound
from service.http.cache_control import PUBLIC
from service.http.operation import Access, Operation, Samples
from service.http.request import Request
from service.representation.action import Action
from service.representation.display import Column, Crumb, Display
from service.representation.document import Document
from service.representation.examples import example_of, example_of_problem
from service.representation.kind import Kind, Member, Presence
from service.representation.problem import PROBLEMS, ProblemType
from service.representation.query_parameters import QueryOptions
from service.representation.url_builder import UrlBuilder
from service.resources.module import LinkRelation

RELATION = Kind(
    'relations',
    'LinkRelation',
    (
        Member('name', 'The name of the link relation, with its prefix.'),
        Member('meaning', 'What the target of the link is, and what the bodies of its methods contain.'),
        Member('methods', 'The methods of the target, separated by commas.'),
        Member('leads_to', 'The kind of document at the target.'),
        Member('example', 'An example of the target in HAL-FORMS, as text.', presence=Presence.OPTIONAL),
    ),
    display=Display(
        explanation='meaning', summary=(Column('methods', 'Methods'), Column('leads_to', 'Leads to'))
    ),
)
PROBLEM_TYPE = Kind(
    'problems',
    'ProblemType',
    (
        Member('name', 'The last segment of the problem type, which is its URI.'),
        Member('status', 'The HTTP status of the response.', 'integer'),
        Member('title', 'A short summary.'),
        Member('meaning', 'What it means, and what to do.'),
        Member('example', 'An example, as text.'),
    ),
    display=Display(explanation='meaning', summary=(Column('status', 'Status'),)),
)


def _parents(builder: UrlBuilder) -> tuple[Crumb, ...]:
    return (Crumb('API documentation', builder.url_for(urls.DOCS)),)


def represent_relation(relation: LinkRelation, builder: UrlBuilder) -> Document:
    """Return the documentation of a link relation."""
    return Document(
        kind='relations',
        id=relation.name,
        properties={
            'name': f'hc:{relation.name}',
            'meaning': ' '.join([relation.meaning, *map(_describe, relation.actions)]),
            'methods': ', '.join(relation.methods),
            'leads_to': relation.leads_to,
        }
        | ({'example': example_of(relation.sample(builder))} if relation.sample else {}),
        links={'self': builder.link_to(urls.RELATION, rel=relation.name), 'curies': builder.curies},
        title=f'hc:{relation.name}',
        display=RELATION.display,
        parents=_parents(builder),
    )


def _describe(action: Action) -> str:
    """Return the members of the body of an Action, with their rules, as a sentence."""
    members = (
        f'`{field.name}` ({"; ".join(field.rules)})' if field.rules else f'`{field.name}`'
        for field in action.fields
    )
    return f'{action.method} takes {", ".join(members)}.'


def represent_problem_type(name: str, problem: ProblemType, builder: UrlBuilder) -> Document:
    """Return the documentation of a problem type."""
    return Document(
        kind='problems',
        id=name,
        properties={
            'name': name,
            'status': problem.status,
            'title': problem.title,
            'meaning': problem.meaning,
            'example': example_of_problem(name, builder),
        },
        links={'self': builder.link_to(urls.PROBLEM, name=name), 'curies': builder.curies},
        title=problem.title,
        display=PROBLEM_TYPE.display,
        parents=_parents(builder),
    )


class RelationResource:
    """The documentation page of one link relation."""

    tag = 'explanations'
    operation_name = 'Relation'

    def __init__(self, relations: Iterable[LinkRelation]) -> None:
        self._relations = {relation.name: relation for relation in relations}
        samples = Samples(RELATION, self._samples)
        self.operations = {
            'GET': Operation(
                'Explain a link relation',
                'The meaning of a link relation of this API, and its target.',
                {200: samples},
                Access.SHARED,
                query=QueryOptions('relations'),
            )
        }

    def on_get(self, req: Request, resp: falcon.Response, rel: str) -> None:
        relation = self._relations.get(rel)
        if relation is None:
            raise NotFound('There is no such link relation.')
        resp.media = represent_relation(relation, req.builder)
        resp.set_header('Cache-Control', PUBLIC)

    def _samples(self, builder: UrlBuilder) -> dict[str, Document]:
        """Return the shortest document: one without an example, and with a short meaning."""
        relations = self._relations.values()
        relation = min(relations, key=lambda relation: (relation.sample is not None, len(relation.meaning)))
        return {relation.name: represent_relation(relation, builder)}


def _sample_problem_types(builder: UrlBuilder) -> dict[str, Document]:
    return {name: represent_problem_type(name, problem, builder) for name, problem in PROBLEMS.items()}


class ProblemResource:
    """The documentation page of one problem type."""

    tag = 'explanations'
    operation_name = 'Problem'
    operations: ClassVar = {
        'GET': Operation(
            'Explain a problem type',
            'The meaning of a problem type, and what to do.',
            {200: Samples(PROBLEM_TYPE, _sample_problem_types)},
            Access.SHARED,
            query=QueryOptions('problems'),
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, name: str) -> None:
        problem = PROBLEMS.get(name)
        if problem is None:
            raise NotFound('There is no such problem type.')
        resp.media = represent_problem_type(name, problem, req.builder)
        resp.set_header('Cache-Control', PUBLIC)
