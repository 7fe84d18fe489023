"""UNLOAD: its query is prepared like any other; ``fakeshift.unload`` writes the rows."""

from __future__ import annotations

from fakeshift.commands import query
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.sql.nodes import Query, Unload
from fakeshift.unload import command


def run(session: Session, statement: Unload) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html"""
    tree = command.checked(statement.query)
    translated = query.prepare(session, Query(statement.query))
    return command.run(session, statement, tree, translated.sql)
