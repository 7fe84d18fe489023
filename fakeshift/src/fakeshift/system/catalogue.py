"""The views of the catalogue: SVV_, PG_, information_schema.

``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import TEMP_SCHEMA, Relation
from fakeshift.sql.nodes import Column
from fakeshift.system.view import INFORMATION, Row, SystemSession, SystemView, catalogue, columns

_RDSDB = 100
"""The id of the first user, who owns everything without another owner."""


def temp_schema(session: SystemSession) -> str:
    """The name of the schema of the session's temporary tables."""
    return f"pg_temp_{session.pid % 1_000_000}"


def _tables(session: SystemSession) -> list[Relation]:
    """The tables and views that the user may see, with the session's temporary tables."""
    found = [r for r in catalog.all_relations(session.con) if session.may_see(r)]
    if not session.has_temporary:
        return found
    name = temp_schema(session)
    return found + [replace(r, schema=name) for r in catalog.temporary_relations(session.con)]


def _stored(session: SystemSession) -> list[Relation]:
    return [r for r in _tables(session) if not r.is_view]


def _kind(relation: Relation) -> str:
    if relation.is_view:
        return "VIEW"
    return "LOCAL TEMPORARY" if relation.schema.startswith(TEMP_SCHEMA) else "BASE TABLE"


# -- tables --------------------------------------------------------------------------------------


def _svv_tables(session: SystemSession) -> list[Row]:
    """dg/r_SVV_TABLES.html"""
    name = session.database_name
    return [(name, r.schema, r.name, _kind(r), r.comment or None) for r in _tables(session)]


def _information_tables(session: SystemSession) -> list[Row]:
    name = session.database_name
    return [(name, r.schema, r.name, _kind(r), *[None] * 5) for r in _tables(session)]


def _svv_redshift_tables(session: SystemSession) -> list[Row]:
    """dg/r_SVV_REDSHIFT_TABLES.html, dg/r_SVV_ALL_TABLES.html"""
    return [
        (
            session.database_name,
            r.schema,
            r.name,
            "VIEW" if r.is_view else "TABLE",
            None,
            r.comment or None,
        )
        for r in _tables(session)
    ]


def _pg_tables(session: SystemSession) -> list[Row]:
    """dg/c_join_PG.html"""
    return [(r.schema, r.name, r.owner) for r in _stored(session)]


def _pg_views(session: SystemSession) -> list[Row]:
    return [(r.schema, r.name, r.owner, r.query) for r in _tables(session) if r.is_view]


def _svv_table_info(session: SystemSession) -> list[Row]:
    """dg/r_SVV_TABLE_INFO.html: only tables with rows. Columns about blocks and slices are NULL."""
    found: list[Row] = []
    for relation in _stored(session):
        if relation.schema == temp_schema(session):
            continue
        counted = session.con.execute(
            f"SELECT count(*) FROM {catalog.physical(*relation.key)}"  # noqa: S608
        ).fetchone()
        count = counted[0] if counted else 0
        if not count:
            continue
        keys = sort_keys(relation)
        first = keys[0] if keys else None
        found.append(
            (
                session.database_name,
                relation.schema,
                relation.oid,
                relation.name,
                _encoded(relation),
                _diststyle(relation),
                first or "AUTO(SORTKEY)",
                max(
                    (c.type.length for c in relation.columns if c.type.name == "varchar"), default=0
                ),
                encoding(relation, first) if first else None,
                len(keys),
                None,
                None,
                0,
                0,
                0,
                count,
                None,
                None,
                count,
                None,
                0,
                None,
            )
        )
    return found


def _diststyle(relation: Relation) -> str:
    """EVEN, ALL, KEY(column), AUTO(ALL): AUTO's choice for a small table"""
    key = relation.attributes.distkey or next((c.name for c in relation.columns if c.distkey), "")
    if key:
        return f"KEY({key})"
    style = relation.attributes.diststyle.upper()
    return style if style in ("EVEN", "ALL") else "AUTO(ALL)"


def _encoded(relation: Relation) -> str:
    given = [column.encoding.lower() for column in relation.columns]
    if not any(given):
        return "Y, AUTO(ENCODE)"
    return "N" if all(code in ("raw", "none") for code in given) else "Y"


# -- columns -------------------------------------------------------------------------------------

_INTEGERS = {"int2": 16, "int4": 32, "int8": 64}
_FLOATS = {"float4": 24, "float8": 53}


class _Shape:
    """One column in the views of columns."""

    def __init__(self, relation: Relation, number: int, column: Column):
        kind = column.type
        self.number = number
        self.name = column.name
        self.data_type = kind.spoken.split("(")[0]
        self.nullable = "NO" if column.not_null else "YES"
        self.length = kind.length or None
        self.default = column.default
        if column.identity:
            start, step = column.identity
            self.default = f"\"identity\"({relation.oid}, {number - 1}, '{start},{step}'::text)"
        self.precision: int | None = None
        self.radix: int | None = None
        self.scale: int | None = None
        if kind.name in _INTEGERS:
            self.precision, self.radix, self.scale = _INTEGERS[kind.name], 2, 0
        elif kind.name in _FLOATS:
            self.precision, self.radix = _FLOATS[kind.name], 2
        elif kind.name == "numeric":
            self.precision, self.radix, self.scale = kind.precision, 10, kind.scale
        self.udt = kind.name
        self.remarks = relation.column_comments.get(column.name)


def _shapes(session: SystemSession) -> list[tuple[Relation, Column, _Shape]]:
    return [
        (relation, column, _Shape(relation, number, column))
        for relation in _tables(session)
        for number, column in enumerate(relation.columns, 1)
    ]


def _svv_columns(session: SystemSession) -> list[Row]:
    """dg/r_SVV_COLUMNS.html"""
    return [
        (session.database_name, r.schema, r.name, s.name, s.number, s.default, s.nullable,
         s.data_type, s.length, s.precision, s.radix, s.scale, *[None] * 10, s.remarks)
        for r, _, s in _shapes(session)
    ]  # fmt: skip


def _information_columns(session: SystemSession) -> list[Row]:
    name = session.database_name
    return [
        (name, r.schema, r.name, s.name, s.number, s.default, s.nullable, s.data_type, s.length,
         s.length, s.precision, s.radix, s.scale, *[None] * 12, name, "pg_catalog", s.udt,
         *[None] * 4, str(s.number), "NO")
        for r, _, s in _shapes(session)
    ]  # fmt: skip


def _svv_all_columns(session: SystemSession) -> list[Row]:
    """dg/r_SVV_ALL_COLUMNS.html"""
    return [
        (session.database_name, r.schema, r.name, s.name, s.number, s.default, s.nullable,
         s.data_type, s.length, s.precision, s.scale, s.remarks)
        for r, _, s in _shapes(session)
    ]  # fmt: skip


def _svv_redshift_columns(session: SystemSession) -> list[Row]:
    """dg/r_SVV_REDSHIFT_COLUMNS.html"""
    return [
        (session.database_name, r.schema, r.name, s.name, s.number, c.type.spoken, s.default,
         s.nullable, encoding(r, c.name), is_distkey(r, c), sort_place(r, c), None, s.remarks)
        for r, c, s in _shapes(session)
    ]  # fmt: skip


def _pg_table_def(session: SystemSession) -> list[Row]:
    """dg/r_PG_TABLE_DEF.html: only tables of the search path's schemas"""
    path = [*session.schemas_in_path(), temp_schema(session)]
    return [
        (r.schema, r.name, c.name, c.type.spoken, encoding(r, c.name), is_distkey(r, c),
         sort_place(r, c), c.not_null)
        for r in _stored(session)
        if r.schema in path
        for c in r.columns
    ]  # fmt: skip


def sort_keys(relation: Relation) -> list[str]:
    """The columns of the sort key, in its order, in either syntax."""
    return list(relation.attributes.sortkeys) or [c.name for c in relation.columns if c.sortkey]


def sort_place(relation: Relation, column: Column) -> int:
    """The place from 1, 0 for other columns; every second one is negative for an interleaved key."""
    keys = sort_keys(relation)
    if column.name not in keys:
        return 0
    place = keys.index(column.name) + 1
    interleaved = relation.attributes.sortstyle.lower() == "interleaved"
    return -place if interleaved and place % 2 else place


def is_distkey(relation: Relation, column: Column) -> bool:
    """Whether a column is the distribution key, in either syntax."""
    return column.distkey or relation.attributes.distkey == column.name


_AZ64 = ("int2", "int4", "int8", "numeric", "date", "timestamp", "timestamptz")


def encoding(relation: Relation, name: str) -> str:
    """A column's compression, ``none`` for RAW: as given, else Redshift's default.

    dg/r_CREATE_TABLE_NEW.html, ENCODE: RAW for sort keys, BOOLEAN, REAL and DOUBLE PRECISION, LZO for
    CHAR and VARCHAR, AZ64 for the others; columns of a table that has any ENCODE are RAW without one.
    """
    column = relation.column(name)
    if column is None:
        return "none"
    given = column.encoding.lower()
    if given not in ("", "auto"):
        return "none" if given == "raw" else given
    if name in sort_keys(relation) or any(c.encoding for c in relation.columns):
        return "none"
    if column.type.name in _AZ64:
        return "az64"
    return "lzo" if column.type.is_text else "none"


# -- schemas, databases, users -------------------------------------------------------------------


def owner_ids(session: SystemSession) -> dict[str, int]:
    """The users' ids by name."""
    return {user.name: user.oid for user in catalog.all_grantees(session.con, "user")}


def _svv_all_schemas(session: SystemSession) -> list[Row]:
    """dg/r_SVV_ALL_SCHEMAS.html"""
    owners = owner_ids(session)
    return [
        (session.database_name, s.name, owners.get(s.owner, _RDSDB), "local", None, None, None)
        for s in catalog.all_schemas(session.con)
    ]


def _svv_redshift_schemas(session: SystemSession) -> list[Row]:
    """dg/r_SVV_REDSHIFT_SCHEMAS.html"""
    return [(*row[:5], row[6]) for row in _svv_all_schemas(session)]


def _svv_redshift_databases(session: SystemSession) -> list[Row]:
    """dg/r_SVV_REDSHIFT_DATABASES.html"""
    return [(session.database_name, _RDSDB, "local", None, None, None)]


def _information_schemata(session: SystemSession) -> list[Row]:
    return [(session.database_name, s.name, s.owner) for s in catalog.all_schemas(session.con)]


# -- privileges ----------------------------------------------------------------------------------


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


# -- all of them ---------------------------------------------------------------------------------


def _view(name: str, make: Any, text: str, **more: Any) -> SystemView:
    return SystemView(name, columns(text), catalogue(make), **more)


_OF_COLUMN = (
    "table_catalog text, table_schema text, table_name text, column_name text, "
    "ordinal_position int4, column_default text, is_nullable text, data_type text, "
    "character_maximum_length int4, "
)
_NUMERIC = "numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, "
_NAMED = (
    "datetime_precision int4, interval_type text, interval_precision text, "
    "character_set_catalog text, character_set_schema text, character_set_name text, "
    "collation_catalog text, collation_schema text, collation_name text, "
)
_ALL_TABLES = (
    "database_name text, schema_name text, table_name text, table_type text, table_acl text, "
    "remarks text"
)

VIEWS: list[SystemView] = [
    _view(
        "svv_tables",
        _svv_tables,
        "table_catalog text, table_schema text, table_name text, table_type text, remarks text",
    ),
    _view("svv_all_tables", _svv_redshift_tables, _ALL_TABLES),
    _view("svv_redshift_tables", _svv_redshift_tables, _ALL_TABLES),
    _view(
        "tables",
        _information_tables,
        "table_catalog text, table_schema text, table_name text, table_type text, "
        "self_referencing_column_name text, reference_generation text, "
        "user_defined_type_catalog text, user_defined_type_schema text, user_defined_type_name text",
        schema=INFORMATION,
    ),
    _view(
        "svv_columns", _svv_columns, f"{_OF_COLUMN}{_NUMERIC}{_NAMED}domain_name text, remarks text"
    ),
    _view(
        "columns",
        _information_columns,
        f"{_OF_COLUMN}character_octet_length int4, {_NUMERIC}{_NAMED}domain_catalog text, "
        "domain_schema text, domain_name text, udt_catalog text, udt_schema text, udt_name text, "
        "scope_catalog text, scope_schema text, scope_name text, maximum_cardinality int4, "
        "dtd_identifier text, is_self_referencing text",
        schema=INFORMATION,
    ),
    _view(
        "svv_all_columns",
        _svv_all_columns,
        "database_name text, schema_name text, table_name text, column_name text, "
        "ordinal_position int4, column_default text, is_nullable text, data_type text, "
        "character_maximum_length int4, numeric_precision int4, numeric_scale int4, remarks text",
    ),
    _view(
        "svv_redshift_columns",
        _svv_redshift_columns,
        "database_name text, schema_name text, table_name text, column_name text, "
        "ordinal_position int4, data_type text, column_default text, is_nullable text, "
        "encoding text, distkey bool, sortkey int4, column_acl text, remarks text",
    ),
    _view(
        "pg_table_def",
        _pg_table_def,
        "schemaname text, tablename text, column text, type text, encoding text, distkey bool, "
        "sortkey int4, notnull bool",
        is_view=False,
    ),
    _view(
        "svv_table_info",
        _svv_table_info,
        "database text, schema text, table_id int8, table text, encoded text, diststyle text, "
        "sortkey1 text, max_varchar int4, sortkey1_enc bpchar(32), sortkey_num int4, size int8, "
        "pct_used numeric(10,4), empty int8, unsorted numeric(5,2), stats_off numeric(5,2), "
        "tbl_rows numeric(38,0), skew_sortkey1 numeric(19,2), skew_rows numeric(19,2), "
        "estimated_visible_rows numeric(38,0), risk_event text, "
        "vacuum_sort_benefit numeric(12,2), create_time timestamp",
        superuser=True,
    ),
    _view(
        "svv_all_schemas",
        _svv_all_schemas,
        "database_name text, schema_name text, schema_owner int4, schema_type text, "
        "schema_acl text, source_database text, schema_option text",
    ),
    _view(
        "svv_redshift_schemas",
        _svv_redshift_schemas,
        "database_name text, schema_name text, schema_owner int4, schema_type text, "
        "schema_acl text, schema_option text",
    ),
    _view(
        "svv_redshift_databases",
        _svv_redshift_databases,
        "database_name text, database_owner int4, database_type text, database_acl text, "
        "database_options text, database_isolation_level text",
    ),
    _view(
        "schemata",
        _information_schemata,
        "catalog_name text, schema_name text, schema_owner text",
        schema=INFORMATION,
    ),
    _view("pg_tables", _pg_tables, "schemaname text, tablename text, tableowner text"),
    _view("pg_views", _pg_views, "schemaname text, viewname text, viewowner text, definition text"),
    _view(
        "svv_relation_privileges",
        _svv_relation_privileges,
        "namespace_name text, relation_name text, privilege_type text, identity_name text, "
        "identity_type text, admin_option bool",
    ),
    _view(
        "svv_schema_privileges",
        _svv_schema_privileges,
        "namespace_name text, privilege_type text, identity_name text, identity_type text, "
        "admin_option bool",
    ),
]
