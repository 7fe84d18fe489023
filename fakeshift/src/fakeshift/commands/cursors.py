"""DECLARE, FETCH, CLOSE: a query's rows in portions, until its transaction ends.

https://docs.aws.amazon.com/redshift/latest/dg/declare.html
"""

from __future__ import annotations

from fakeshift.commands import query
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.results import ResultColumn
from fakeshift.engine.session import Cursor, Session
from fakeshift.errors import RedshiftError
from fakeshift.sql import nodes


def declare(session: Session, statement: nodes.Declare) -> Outcome:
    """Runs the query. "Only one cursor at a time can be open per session": the page."""
    transaction = session.open_transaction
    if not transaction.explicit:
        raise RedshiftError(
            "DECLARE CURSOR may only be used in transaction blocks", sqlstate="25P01"
        )
    if statement.name in transaction.cursors:
        raise RedshiftError(f'cursor "{statement.name}" already exists', sqlstate="42P03")
    if transaction.cursors:
        raise RedshiftError("only one cursor at a time can be open per session", sqlstate="0A000")
    cursor = Cursor()
    sink, session.sink = session.sink, cursor
    try:
        query.run(session, nodes.Query(statement.query))
    finally:
        session.sink = sink
    transaction.cursors[statement.name] = cursor
    return Outcome()


def fetch(session: Session, statement: nodes.Fetch) -> Outcome:
    """The next rows."""
    cursor = _cursor(session, statement.name)
    session.sink.start(cursor.columns)
    rows = cursor.take(statement.count)
    session.sink.add(rows)
    session.sink.finish()
    return Outcome(len(rows), has_result=True)


def columns(session: Session, name: str) -> list[ResultColumn]:
    """What ``fetch`` returns, without taking rows."""
    return _cursor(session, name).columns


def close(session: Session, statement: nodes.CloseCursor) -> Outcome:
    """Ends a cursor."""
    _cursor(session, statement.name)
    del session.open_transaction.cursors[statement.name]
    return Outcome()


def _cursor(session: Session, name: str) -> Cursor:
    cursor = session.transaction.cursors.get(name) if session.transaction else None
    if cursor is None:
        raise RedshiftError(f'cursor "{name}" does not exist', sqlstate="34000")
    return cursor
