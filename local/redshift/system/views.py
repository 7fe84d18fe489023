"""The system views by name, and how their rows get into a query.

A view's rows come from Python (``providers``) into a temporary table of the session when a
statement names it, so that they follow no transaction: what SYS_LOAD_ERROR_DETAIL shows does not
roll back. ``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from local.redshift.engine.errors import RedshiftError
from local.redshift.system.providers import PROVIDERS, SystemSession

_PREFIXES = ("stl_", "stv_", "svl_", "svcs_")
_SCHEMAS = ("pg_catalog", "information_schema")


def system_name(name: tuple[str, ...]) -> str | None:
    """``("sys_load_history",)`` -> ``sys_load_history``; None for a user's table.

    Raises RedshiftError for STL_, STV_, SVL_ and SVCS_: serverless does not let anybody read them
    (dg/r_STL_LOAD_ERRORS.html), and for system views that we do not have.
    """
    schema, last = (name[-2], name[-1]) if len(name) > 1 else ("", name[-1])
    if schema not in ("", *_SCHEMAS):
        return None
    full = f"information_schema.{last}" if schema == "information_schema" else last
    if full in PROVIDERS:
        return full
    if schema != "information_schema" and last.startswith(_PREFIXES):
        raise RedshiftError(f"permission denied for relation {last}", sqlstate="42501")
    ours = last.startswith(("sys_", "svv_", "pg_"))
    if schema in _SCHEMAS or (not schema and ours and last != "pg_temp"):
        raise RedshiftError(
            f"system view {full} is not supported by the local Redshift", sqlstate="0A000"
        )
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
    """Fills the temporary tables of these views for the statement that is about to run.

    With a ``query_id``, rows of other queries may be left out.
    """
    for name in names:
        provider = PROVIDERS[name]
        rows = provider.rows(session, query_id)
        table = f'temp.main."{temp_name(name)}"'
        columns = ", ".join(f'"{column}" {kind}' for column, kind in provider.columns)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
        if rows:
            lists = [[row[i] for row in rows] for i in range(len(provider.columns))]
            cells = ", ".join(f"unnest(?::{kind}[])" for _, kind in provider.columns)
            con.execute(f"INSERT INTO {table} SELECT {cells}", lists)
