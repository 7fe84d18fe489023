"""One function for each kind of statement: ``(session, statement) -> Outcome``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fakeshift.commands import append, cursors, ddl, explain, grants, misc, query, tables, unload
from fakeshift.copy import load
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.results import ResultColumn
from fakeshift.engine.session import Session
from fakeshift.engine.sink import ResultSink
from fakeshift.errors import unsupported
from fakeshift.sql import nodes
from fakeshift.sql.parser import parse_statement

Command = Callable[[Session, Any], Outcome]

_COMMANDS: dict[type, Command] = {
    nodes.Query: query.run,
    nodes.CopyFrom: load.run,
    nodes.Unload: unload.run,
    nodes.CreateTable: tables.create,
    nodes.AlterTable: tables.alter,
    nodes.Append: append.run,
    nodes.CreateView: ddl.create_view,
    nodes.CreateSchema: ddl.create_schema,
    nodes.AlterSchema: ddl.alter_schema,
    nodes.CreateUser: ddl.create_user,
    nodes.CreateGroup: ddl.create_group,
    nodes.AlterGroup: ddl.alter_group,
    nodes.Drop: ddl.drop,
    nodes.Comment: ddl.comment,
    nodes.Truncate: misc.truncate,
    nodes.Lock: misc.lock,
    nodes.Analyze: misc.analyze,
    nodes.Vacuum: misc.vacuum,
    nodes.SetParameter: misc.set_parameter,
    nodes.Show: misc.show,
    nodes.Refused: misc.refused,
    nodes.Explain: explain.run,
    nodes.Grant: grants.grant,
    nodes.Declare: cursors.declare,
    nodes.Fetch: cursors.fetch,
    nodes.CloseCursor: cursors.close,
    nodes.DefaultPrivileges: grants.default_privileges,
}


def columns_of(session: Session, sql: str, values: Mapping[str, str]) -> list[ResultColumn] | None:
    """The columns of a statement's result, without its rows; None if it returns none.

    Raises RedshiftError. SHOW and EXPLAIN are run and their rows are dropped.
    """
    statement = parse_statement(sql, values)
    if not isinstance(statement, (nodes.Commit, nodes.Rollback)):
        session.refuse_after_failure()
    if isinstance(statement, nodes.Query):
        return query.columns(session, statement)
    if isinstance(statement, nodes.Fetch):
        return cursors.columns(session, statement.name)
    if not isinstance(statement, (nodes.Show, nodes.Explain)):
        return None
    sink = ResultSink(lambda _number, _page: None)
    outcome = session.run(sql, values, sink, session.query_id)
    return sink.columns if outcome.has_result else None


def execute(session: Session, statement: object) -> Outcome:
    """Runs a parsed statement in the session's open transaction; raises RedshiftError."""
    command = _COMMANDS.get(type(statement))
    if command is None:
        raise unsupported(type(statement).__name__)
    return command(session, statement)
