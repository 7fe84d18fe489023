"""DROP of a table or view, and of the views that depend on it."""

from __future__ import annotations

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Relation
from fakeshift.dialect.defaults import identity_sequence
from fakeshift.engine.locks import Mode
from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError


def remove(session: Session, relation: Relation, *, cascade: bool) -> None:
    """Drops a table or view. Views that depend on it are dropped with ``cascade``, else they prevent it."""
    dependents = catalog.dependents(session.con, relation.key)
    if dependents and not cascade:
        kind = "view" if relation.is_view else "table"
        raise RedshiftError(
            f"cannot drop {kind} {relation.name} because other objects depend on it",
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
            sqlstate="2BP01",
        )
    for view in dependents:
        session.lock(view.key, Mode.EXCLUSIVE)
        if catalog.find(session.con, *view.key) is not None:
            remove(session, view, cascade=True)
    catalog.drop(session.con, relation)
    if not relation.is_view:
        session.execute(f"DROP TABLE {catalog.physical(*relation.key)}")
        if any(column.identity for column in relation.columns):
            session.execute(f"DROP SEQUENCE {identity_sequence(relation.oid)}")
