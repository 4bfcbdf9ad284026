"""Authorization of what a server with mail offers in addition: every method, for every kind of client."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.client import ORIGIN, Client
from tests.clock import MovableClock
from tests.preparation import Preparation
from tests.routes import methods_at
from tests.test_authorization import CLIENTS, sign_in_again

ANYONE = (200, 200, 200, 401, 401, 401)
OTHER_SECRET = (404, 404, 404, 401, 401, 401)
MATRIX = {
    ('GET', '/api/password-resets'): ANYONE,
    ('POST', '/api/password-resets'): (400, 400, 400, 401, 401, 401),
    ('GET', '/api/password-resets/{secret}'): OTHER_SECRET,
    ('PUT', '/api/password-resets/{secret}'): OTHER_SECRET,
    ('POST', '/api/email-verifications'): (401, 202, 202, 401, 401, 401),
    ('GET', '/api/email-verifications/{secret}'): OTHER_SECRET,
    ('POST', '/api/email-verifications/{secret}'): OTHER_SECRET,
}


@pytest.fixture
def app(start: Any) -> Any:
    """The application with mail, of which none is sent."""
    return start(BASE_URL=ORIGIN, MAIL_URL='smtp://127.0.0.1:1', MAIL_FROM='halcyon@example.org')


def test_every_method_that_mail_adds_has_a_row(start: Any, app: Any) -> None:
    without, served = (
        {(method, template) for template, methods in methods_at(one).items() for method in methods}
        for one in (start(), app)
    )
    assert served - without == set(MATRIX)


@pytest.mark.usefixtures('bob')
@pytest.mark.parametrize(('method', 'template'), MATRIX)
def test_only_permitted_clients_succeed(
    app: Any, ada: Client, clock: MovableClock, preparation: Preparation, method: str, template: str
) -> None:
    _, tokens = preparation.run('sign in again', partial(sign_in_again, ada, clock))
    tokens |= {'anonymous': None, 'malformed': 'no token'}
    url = template.replace('{secret}', 'x' * 43)
    statuses = tuple(Client(app, tokens[name]).request(method, url).status for name in CLIENTS)
    assert statuses == MATRIX[method, template]
