"""Operations: a resource that does not match its declared operations aborts startup with one sentence."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from service.app import create_app
from service.database.session import Session
from service.http.operation import Access, DeclarationError, Formats, Operation
from service.representation.action import Action
from service.resources import stores

pytestmark = pytest.mark.above_databases

READ = Operation(
    'Get lamp', 'Tells whether the lamp is on.', {204: None}, Access.PUBLIC, formats=Formats.FIXED
)


class Lamp:
    """A resource with a correct declaration."""

    tag = 'lamps'
    operation_name = 'Lamp'
    operations: ClassVar[Any] = {'GET': READ}

    def on_get(self, req: Any, resp: Any) -> None:
        resp.status = 204


class WithoutOperation(Lamp):
    def on_put(self, req: Any, resp: Any) -> None:
        resp.status = 204


class WithoutResponder(Lamp):
    operations: ClassVar[Any] = {'GET': READ, 'PATCH': READ}


class UnknownMethod(Lamp):
    operations: ClassVar[Any] = {'GET': READ, 'GTE': READ}


class Misspelt(Lamp):
    acces = 'anyone'


class MisspeltResponder(Lamp):
    def on_pst(self, req: Any, resp: Any) -> None:
        resp.status = 204


class WithoutQuery(Lamp):
    operations: ClassVar[Any] = {
        'GET': Operation('Find lamps', 'Finds lamps.', {204: None}, form=Action('search', 'GET', 'Search'))
    }


class Undeclared:
    tag = 'lamps'
    operation_name = 'Lamp'


@pytest.fixture
def start_with(db: Session, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that creates an application with an additional resource."""

    def start_with(resource: Any) -> Any:
        monkeypatch.setattr(stores, 'ROUTES', (*stores.ROUTES, ('/api/lamps', resource)))
        return create_app(db.settings, db=db)

    return start_with


def test_a_correct_declaration_is_accepted(start_with: Any) -> None:
    assert start_with(Lamp())


@pytest.mark.parametrize(
    ('resource', 'sentence'),
    [
        (WithoutOperation, 'WithoutOperation.on_put has no Operation.'),
        (WithoutResponder, 'WithoutResponder has an Operation without the responder on_patch.'),
        (UnknownMethod, 'UnknownMethod has an Operation without the responder on_gte.'),
        (Misspelt, 'Misspelt.acces is not a member that a resource can have.'),
        (MisspeltResponder, 'MisspeltResponder.on_pst is not a member that a resource can have.'),
        (WithoutQuery, 'WithoutQuery: the Operation of GET has a form, so it needs a query.'),
        (Undeclared, 'Undeclared has no operations.'),
    ],
)
def test_a_wrong_declaration_aborts_startup(start_with: Any, resource: Any, sentence: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        start_with(resource())
    assert str(raised.value) == sentence


def test_an_unknown_member_of_an_operation_is_rejected() -> None:
    with pytest.raises(TypeError, match='acces'):
        Operation('Get lamp', 'Tells whether the lamp is on.', {204: None}, acces=Access.PUBLIC)  # type: ignore[call-arg]
