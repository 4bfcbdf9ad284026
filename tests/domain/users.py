"""Signed-in users without HTTP, and a precondition that every state satisfies."""

from __future__ import annotations

from service.database.session import Session
from service.domain.tokens import find_viewer, sign_in
from service.domain.users import register_user
from service.domain.viewer import Viewer
from tests.client import PASSWORD, new_user


def register(db: Session, name: str) -> Viewer:
    """Register a user and sign them in."""
    register_user(db, **new_user(name))
    return find_viewer(db, sign_in(db, username=name, password=PASSWORD, user_agent=None).secret)


def no_precondition(_: object) -> None:
    """Accept any state."""
