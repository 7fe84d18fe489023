"""Functions that the session answers: they become literals.

https://docs.aws.amazon.com/redshift/latest/dg/r_System_information_functions.html
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from fakeshift.dialect.scope import Scope
from fakeshift.errors import unsupported

Args = list[exp.Expr]
Build = Callable[[Scope], exp.Expr]

VERSION = (
    "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 "
    "(Red Hat 3.4.2-6.fc3), Redshift 1.0.99999 (local, over DuckDB)"
)


def _number(name: str, kind: str) -> Build:
    return lambda scope: exp.Cast(this=scope.number(name), to=exp.DataType.build(kind))


def _current_database(scope: Scope) -> exp.Expr:
    return exp.Literal.string(scope.database_name)


def _current_schema(scope: Scope) -> exp.Expr:
    """.../dg/r_CURRENT_SCHEMA.html: the first schema of the search path that exists"""
    path = scope.existing_schemas_in_path()
    return exp.Literal.string(path[0]) if path else exp.Null()


def _collation(scope: Scope) -> exp.Expr:
    """.../dg/r_DB_COLLATION.html"""
    return exp.Literal.string(scope.collation)


def _user(scope: Scope) -> exp.Expr:
    return exp.Literal.string(scope.user)


def has_privilege(args: Args, kind: str, scope: Scope) -> exp.Expr:
    """``has_schema_privilege([user,] schema, privilege)``, ``has_table_privilege``.

    .../dg/r_HAS_SCHEMA_PRIVILEGE.html, .../dg/r_HAS_TABLE_PRIVILEGE.html
    """
    if len(args) not in (2, 3):
        raise ValueError
    if not all(arg.is_string for arg in args):
        raise unsupported(f"has_{kind.lower()}_privilege with computed arguments")
    answer = scope.has_privilege(tuple(arg.name for arg in args), kind)
    return exp.true() if answer else exp.false()


PRIVILEGE_KINDS = {
    "has_schema_privilege": "SCHEMA",
    "has_table_privilege": "TABLE",
    "has_database_privilege": "DATABASE",
}

BUILT: dict[str, Build] = {
    "pg_last_copy_id": _number("last_copy_id", "INT"),  # .../dg/PG_LAST_COPY_ID.html
    "pg_last_copy_count": _number("last_copy_count", "BIGINT"),  # .../dg/PG_LAST_COPY_COUNT.html
    "pg_last_unload_id": _number("last_unload_id", "INT"),  # .../dg/PG_LAST_UNLOAD_ID.html
    "pg_last_unload_count": _number(
        "last_unload_count", "BIGINT"
    ),  # .../dg/PG_LAST_UNLOAD_COUNT.html
    "pg_last_query_id": _number("last_query_id", "INT"),  # .../dg/PG_LAST_QUERY_ID.html
    "current_database": _current_database,
    "current_schema": _current_schema,
    "current_user": _user,
    "db_collation": _collation,
    "version": lambda _: exp.Literal.string(VERSION),
    "pg_backend_pid": _number("pid", "INT"),
}
