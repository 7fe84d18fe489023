"""The rows of each system view. ``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb

from local.redshift.catalog import store as catalog
from local.redshift.catalog.model import Relation
from local.redshift.sql.nodes import Column
from local.redshift.system.records import COLUMNS, SystemRecords

Row = Sequence[Any]
Columns = tuple[tuple[str, str], ...]


class SystemSession(Protocol):
    """What the views show depends on who looks."""

    con: duckdb.DuckDBPyConnection
    user: str

    @property
    def database_name(self) -> str:
        """The connected database."""

    @property
    def records(self) -> SystemRecords:
        """The records of loads and queries."""

    @property
    def visible_user_id(self) -> int | None:
        """Whose rows are shown: the user's own, everybody's (None) to a superuser."""

    def schemas_in_path(self) -> list[str]:
        """The search path."""

    def may_see(self, relation: Relation) -> bool:
        """Whether svv_tables and the like show a relation to this user."""


@dataclass(frozen=True)
class Provider:
    """A view: (name, DuckDB type) of its columns, and a function that makes its rows or the name of
    the recorded rows.
    """

    columns: Columns
    make: Callable[[SystemSession], list[Row]]
    recorded: str = ""

    def rows(self, session: SystemSession, query_id: int | None) -> list[Row]:
        """The rows that the session may see; of one query where ``query_id`` is given."""
        if not self.recorded:
            return self.make(session)
        names = [name for name, _ in self.columns]
        padded = _PADDED.get(self.recorded, ())
        found = session.records.rows(self.recorded, session.visible_user_id, query_id)
        return [
            [_shown(name, value, padded) for name, value in zip(names, row, strict=True)]
            for row in found
        ]


_TIMES = ("start_time", "end_time", "record_time", "file_last_modified")
_CHAR = {"file_name": 256, "file_etag": 256, "column_name": 127, "column_type": 10,
         "column_length": 10, "error_message": 512, "database_name": 50}  # fmt: skip
_TEXT = ("query_label", "database_name", "query_type", "status", "table_name", "data_source",
         "file_format", "file_name", "file_etag", "column_name", "column_type", "column_length",
         "error_message", "query_text", "redshift_version", "usage_limit", "compute_type")  # fmt: skip
_PADDED = {
    "load_detail": ("file_name", "file_etag"),
    "load_error_detail": ("file_name", "column_name", "column_type", "column_length",
                          "error_message"),
}  # fmt: skip


def _recorded(table: str) -> Provider:
    """A SYS_ view of recorded rows; CHAR columns are blank-padded, as a client sees them."""
    kinds = {"result_cache_hit": "BOOLEAN"}
    columns = tuple(
        (
            name,
            "TIMESTAMP"
            if name in _TIMES
            else "VARCHAR"
            if name in _TEXT
            else kinds.get(name, "BIGINT"),
        )
        for name in COLUMNS[table]
    )
    return Provider(columns, lambda _: [], recorded=table)


def _shown(name: str, value: Any, padded: Sequence[str]) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return dt.datetime.fromtimestamp(value, dt.UTC).replace(tzinfo=None)
    if name in padded:
        size = _CHAR[name]
        return value.encode()[:size].decode(errors="ignore").ljust(size)
    return value


def _tables(session: SystemSession) -> list[Relation]:
    return [r for r in catalog.all_relations(session.con) if session.may_see(r)]


def _kind(relation: Relation) -> str:
    return "VIEW" if relation.is_view else "BASE TABLE"


def _svv_tables(session: SystemSession) -> list[Row]:
    """dg/r_SVV_TABLES.html"""
    name = session.database_name
    return [(name, r.schema, r.name, _kind(r), r.comment or None) for r in _tables(session)]


def _information_tables(session: SystemSession) -> list[Row]:
    name = session.database_name
    return [(name, r.schema, r.name, _kind(r)) for r in _tables(session)]


def _column_row(relation: Relation, number: int, column: Column) -> list[Any]:
    kind = column.type
    default = column.default
    if column.identity:
        default = f"\"identity\"({relation.oid}, {number - 1}, '{column.identity[0]},{column.identity[1]}'::text)"
    sizes = {"int2": (16, 0), "int4": (32, 0), "int8": (64, 0)}
    precision, scale = sizes.get(kind.name, (kind.precision or None, kind.scale))
    return [
        relation.schema, relation.name, column.name, number, default,
        "NO" if column.not_null else "YES", kind.spoken.split("(")[0], kind.length or None,
        precision, scale if precision else None,
        relation.column_comments.get(column.name),
    ]  # fmt: skip


def _svv_columns(session: SystemSession) -> list[Row]:
    """dg/r_SVV_COLUMNS.html"""
    return [
        [session.database_name, *_column_row(relation, number, column)]
        for relation in _tables(session)
        for number, column in enumerate(relation.columns, 1)
    ]


def _information_columns(session: SystemSession) -> list[Row]:
    return [row[:-1] for row in _svv_columns(session)]


def _pg_table_def(session: SystemSession) -> list[Row]:
    """dg/r_PG_TABLE_DEF.html: only tables of the search path's schemas"""
    path = session.schemas_in_path()
    found: list[Row] = []
    for relation in _tables(session):
        if relation.schema not in path or relation.is_view:
            continue
        keys = list(relation.attributes.sortkeys)
        for column in relation.columns:
            place = keys.index(column.name) + 1 if column.name in keys else int(column.sortkey)
            found.append(
                (
                    relation.schema, relation.name, column.name, column.type.spoken,
                    column.encoding or "none",
                    column.distkey or relation.attributes.distkey == column.name,
                    place, column.not_null,
                )
            )  # fmt: skip
    return found


_COLUMN_COLUMNS: Columns = (
    ("table_catalog", "VARCHAR"), ("table_schema", "VARCHAR"), ("table_name", "VARCHAR"),
    ("column_name", "VARCHAR"), ("ordinal_position", "INTEGER"), ("column_default", "VARCHAR"),
    ("is_nullable", "VARCHAR"), ("data_type", "VARCHAR"), ("character_maximum_length", "INTEGER"),
    ("numeric_precision", "INTEGER"), ("numeric_scale", "INTEGER"),
)  # fmt: skip
_TABLE_COLUMNS: Columns = (
    ("table_catalog", "VARCHAR"), ("table_schema", "VARCHAR"), ("table_name", "VARCHAR"),
    ("table_type", "VARCHAR"),
)  # fmt: skip


def _pg_tables(session: SystemSession) -> list[Row]:
    """The catalogue's pg_tables, as far as it is documented: dg/c_join_PG.html"""
    return [(r.schema, r.name, r.owner) for r in _tables(session) if not r.is_view]


def _pg_views(session: SystemSession) -> list[Row]:
    return [(r.schema, r.name, r.owner, r.query) for r in _tables(session) if r.is_view]


def _pg_user(session: SystemSession) -> list[Row]:
    """dg/c_join_PG.html, dg/r_PG_USER... users that CREATE USER or a connection made"""
    users = catalog.all_grantees(session.con, "user")
    return [(user.name, user.oid, False, user.superuser) for user in users]


def _pg_group(session: SystemSession) -> list[Row]:
    return [(group.name, group.oid) for group in catalog.all_grantees(session.con, "group")]


def _svv_all_schemas(session: SystemSession) -> list[Row]:
    """dg/r_SVV_ALL_SCHEMAS.html"""
    return [
        (session.database_name, schema.name, 100, "local", None, None, None)
        for schema in catalog.all_schemas(session.con)
    ]


def _pg_namespace(session: SystemSession) -> list[Row]:
    return [(schema.oid, schema.name, 100) for schema in catalog.all_schemas(session.con)]


def _information_schemata(session: SystemSession) -> list[Row]:
    return [
        (session.database_name, schema.name, schema.owner)
        for schema in catalog.all_schemas(session.con)
    ]


def _svv_table_info(session: SystemSession) -> list[Row]:
    """dg/r_SVV_TABLE_INFO.html: only tables with rows; sizes in MB are not known here"""
    found: list[Row] = []
    for relation in _tables(session):
        if relation.is_view:
            continue
        counted = session.con.execute(
            f"SELECT count(*) FROM {catalog.physical(*relation.key)}"  # noqa: S608
        ).fetchone()
        count = counted[0] if counted else 0
        if count:
            style = relation.attributes.diststyle or "AUTO"
            found.append(
                (session.database_name, relation.schema, relation.oid, relation.name,
                 "Y", style, next(iter(relation.attributes.sortkeys), None), 1, 0, count)
            )  # fmt: skip
    return found


def _svv_relation_privileges(session: SystemSession) -> list[Row]:
    """dg/r_SVV_RELATION_PRIVILEGES.html"""
    return [
        (schema, name, privilege, *_identity(grantee), option)
        for grantee, kind, schema, name, privilege, _, option in catalog.all_privileges(session.con)
        if kind == "TABLE"
    ]


def _svv_schema_privileges(session: SystemSession) -> list[Row]:
    """dg/r_SVV_SCHEMA_PRIVILEGES.html"""
    return [
        (schema, privilege, *_identity(grantee), option)
        for grantee, kind, schema, _, privilege, _, option in catalog.all_privileges(session.con)
        if kind == "SCHEMA"
    ]


def _identity(grantee: str) -> tuple[str, str]:
    kind, _, name = (
        grantee.rpartition(":") if grantee.startswith(("group:", "role:")) else ("", "", "")
    )
    if kind:
        return name, kind
    return grantee, "public" if grantee == "public" else "user"


def _text(*names: str) -> Columns:
    return tuple((name, "VARCHAR") for name in names)


PROVIDERS: dict[str, Provider] = {
    "sys_query_history": _recorded("query_history"),
    "sys_load_history": _recorded("load_history"),
    "sys_load_detail": _recorded("load_detail"),
    "sys_load_error_detail": _recorded("load_error_detail"),
    "svv_tables": Provider((*_TABLE_COLUMNS, ("remarks", "VARCHAR")), _svv_tables),
    "information_schema.tables": Provider(_TABLE_COLUMNS, _information_tables),
    "svv_columns": Provider((*_COLUMN_COLUMNS, ("remarks", "VARCHAR")), _svv_columns),
    "information_schema.columns": Provider(_COLUMN_COLUMNS, _information_columns),
    "information_schema.schemata": Provider(
        _text("catalog_name", "schema_name", "schema_owner"), _information_schemata
    ),
    "pg_table_def": Provider(
        (*_text("schemaname", "tablename", "column", "type", "encoding"),
         ("distkey", "BOOLEAN"), ("sortkey", "INTEGER"), ("notnull", "BOOLEAN")),
        _pg_table_def,
    ),
    "pg_tables": Provider(_text("schemaname", "tablename", "tableowner"), _pg_tables),
    "pg_views": Provider(_text("schemaname", "viewname", "viewowner", "definition"), _pg_views),
    "pg_user": Provider(
        (("usename", "VARCHAR"), ("usesysid", "INTEGER"), ("usecreatedb", "BOOLEAN"),
         ("usesuper", "BOOLEAN")),
        _pg_user,
    ),
    "pg_group": Provider((("groname", "VARCHAR"), ("grosysid", "INTEGER")), _pg_group),
    "pg_namespace": Provider(
        (("oid", "BIGINT"), ("nspname", "VARCHAR"), ("nspowner", "INTEGER")), _pg_namespace
    ),
    "svv_all_schemas": Provider(
        (("database_name", "VARCHAR"), ("schema_name", "VARCHAR"), ("schema_owner", "INTEGER"),
         *_text("schema_type", "schema_acl", "source_database", "schema_option")),
        _svv_all_schemas,
    ),
    "svv_table_info": Provider(
        (("database", "VARCHAR"), ("schema", "VARCHAR"), ("table_id", "BIGINT"),
         ("table", "VARCHAR"), ("encoded", "VARCHAR"), ("diststyle", "VARCHAR"),
         ("sortkey1", "VARCHAR"), ("size", "BIGINT"), ("unsorted", "DOUBLE"),
         ("tbl_rows", "BIGINT")),
        _svv_table_info,
    ),
    "svv_relation_privileges": Provider(
        (*_text("namespace_name", "relation_name", "privilege_type", "identity_name",
                "identity_type"), ("admin_option", "BOOLEAN")),
        _svv_relation_privileges,
    ),
    "svv_schema_privileges": Provider(
        (*_text("namespace_name", "privilege_type", "identity_name", "identity_type"),
         ("admin_option", "BOOLEAN")),
        _svv_schema_privileges,
    ),
}  # fmt: skip
