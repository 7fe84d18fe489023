"""One function for each kind of statement: ``(session, statement) -> Outcome``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeshift.commands import append, ddl, explain, grants, misc, query, tables, unload
from fakeshift.copy import load
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.errors import unsupported
from fakeshift.sql import nodes

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
    nodes.DefaultPrivileges: grants.default_privileges,
}


def execute(session: Session, statement: object) -> Outcome:
    """Runs a parsed statement in the session's open transaction; raises RedshiftError."""
    command = _COMMANDS.get(type(statement))
    if command is None:
        raise unsupported(type(statement).__name__)
    return command(session, statement)
