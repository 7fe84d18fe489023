"""The system views by name, and how their rows get into a query.

A view's rows come from Python (``recorded``, ``catalogue``) into a temporary table of the session
when a statement uses it, so they are not transactional: SYS_LOAD_ERROR_DETAIL is not rolled back. ``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from fakeshift.config import Kind
from fakeshift.errors import RedshiftError
from fakeshift.system import catalogue, pg_catalog, recorded
from fakeshift.system.view import CATALOG, INFORMATION, SystemSession, SystemView

_CLUSTERS_ONLY = ("stl_", "stv_", "svl_", "svcs_")
_OURS = ("sys_", "svv_", "pg_", *_CLUSTERS_ONLY)

VIEWS: dict[str, SystemView] = {
    view.full_name: view for view in [*recorded.VIEWS, *catalogue.VIEWS, *pg_catalog.VIEWS]
}


def system_views(kind: Kind) -> list[SystemView]:
    """The views that a warehouse of this kind has."""
    return [
        view
        for view in VIEWS.values()
        if not view.internal and (kind == "provisioned" or not view.provisioned)
    ]


def system_name(name: tuple[str, ...]) -> str | None:
    """``("sys_load_history",)`` -> ``sys_load_history``; None for a user's table.

    Also an unsupported view, or one that not every user may read: ``materialise`` refuses it.
    """
    schema, last = (name[-2], name[-1]) if len(name) > 1 else ("", name[-1])
    if schema == INFORMATION:
        return f"{INFORMATION}.{last}"
    if schema == CATALOG or (not schema and last.startswith(_OURS) and last != "pg_temp"):
        return last
    return None


def temp_name(name: str) -> str:
    """The temporary table that holds a view's rows."""
    return "rs_system_" + name.replace(".", "_")


def materialise(
    con: duckdb.DuckDBPyConnection,
    names: Iterable[str],
    session: SystemSession,
    query_id: int | None = None,
) -> None:
    """Fills the temporary tables of these views for the next statement.

    With a ``query_id``, rows of other queries may be omitted. Raises RedshiftError for a view that
    does not exist or that the session may not read.
    """
    for name in names:
        view = _permitted(name, session)
        rows = view.make(session, query_id)
        table = f'temp.main."{temp_name(name)}"'
        columns = ", ".join(f'"{column}" {kind.duckdb}' for column, kind in view.columns)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
        if rows:
            lists = [[row[i] for row in rows] for i in range(len(view.columns))]
            cells = ", ".join(f"unnest(?::{kind.duckdb}[])" for _, kind in view.columns)
            con.execute(f"INSERT INTO {table} SELECT {cells}", lists)
        if name == recorded.LOAD_DETAIL and not session.load_detail.has_etag:
            for column in recorded.OF_NEWER_PATCHES:
                con.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _permitted(name: str, session: SystemSession) -> SystemView:
    """The view. STL_ and the like cannot be read on serverless (dg/r_STL_LOAD_ERRORS.html)."""
    serverless = session.kind == "serverless"
    view = VIEWS.get(name)
    denied = serverless and name.startswith(_CLUSTERS_ONLY)
    if denied or (view is not None and view.superuser and session.enforced):
        raise RedshiftError(f"permission denied for relation {name}", sqlstate="42501")
    if view is None:
        raise RedshiftError(
            f"system view {name} is not supported by the local Redshift", sqlstate="0A000"
        )
    return view
