"""ListDatabases, ListSchemas, ListTables, DescribeTable: the catalogue as a JDBC driver reports it.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListTables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fakeshift.api import paging
from fakeshift.api.submit import check_target
from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import TEMP_SCHEMA, Relation
from fakeshift.commands import execute
from fakeshift.engine.database import Database
from fakeshift.engine.session import Session
from fakeshift.principal import Principal
from fakeshift.refusals import connection_failed
from fakeshift.sql.datatypes import DataType
from fakeshift.sql.nodes import Column
from fakeshift.system.view import SystemView
from fakeshift.system.views import system_views

LARGEST_PAGE = 1000
SYSTEM_SCHEMAS = ("information_schema", "pg_catalog", "pg_internal")

Request = dict[str, Any]
Response = dict[str, Any]


class Metadata:
    """Answers from its own session, which sees what the caller's database user sees."""

    def __init__(self, database: Database):
        self._database = database
        self.operations = {
            "ListDatabases": self.list_databases,
            "ListSchemas": self.list_schemas,
            "ListTables": self.list_tables,
            "DescribeTable": self.describe_table,
        }

    def list_databases(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_ListDatabases.html"""
        with self._session(request, principal):
            names = [self._database.settings.database]
        return _names(request, "ListDatabases", "Databases", names)

    def list_schemas(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_ListSchemas.html"""
        wanted = _like(request.get("SchemaPattern"))
        with self._session(request, principal) as session:
            names = {*SYSTEM_SCHEMAS, *(s.name for s in catalog.all_schemas(session.con))}
        found = sorted(name for name in names if wanted(name))
        return _names(request, "ListSchemas", "Schemas", found)

    def list_tables(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_ListTables.html: by type, schema and name, system tables too."""
        in_schema, named = _like(request.get("SchemaPattern")), _like(request.get("TablePattern"))
        with self._session(request, principal) as session:
            tables = [
                *(_table(relation) for relation in _relations(session)),
                *(_system_table(view) for view in system_views(self._database.settings.kind)),
            ]
        found = [t for t in tables if in_schema(t["schema"]) and named(t["name"])]

        def place(table: Response) -> paging.Place:
            return [table["type"], table["schema"], table["name"]]

        found.sort(key=place)
        return paging.page(request, "ListTables", "Tables", found, place, LARGEST_PAGE, dict)

    def describe_table(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_DescribeTable.html: no columns if the table does not exist."""
        schema, table = request.get("Schema"), request.get("Table")
        with self._session(request, principal) as session:
            tables = [
                [_column(relation, column) for column in relation.columns]
                for relation in _relations(session)
            ]
        tables += [_system_columns(view) for view in system_views(self._database.settings.kind)]
        found = [
            ([column["schemaName"], column["tableName"], number], column)
            for columns in tables
            for number, column in enumerate(columns)
            if schema in (None, column["schemaName"]) and table in (None, column["tableName"])
        ]
        found.sort(key=_first)
        response = paging.page(
            request, "DescribeTable", "ColumnList", found, _first, LARGEST_PAGE, _second
        )
        return response if table is None else {"TableName": table, **response}

    @contextmanager
    def _session(self, request: Request, principal: Principal) -> Iterator[Session]:
        """A session in the connected database, which is the only one."""
        check_target(request)
        for key in ("ConnectedDatabase", "Database"):
            name = request.get(key)
            if name is not None and name != self._database.settings.database:
                raise connection_failed(f'FATAL: database "{name}" does not exist')
        user = request.get("DbUser") or principal.db_user
        session = Session(self._database, user, execute, superuser=principal.superuser)
        try:
            yield session
        finally:
            session.close()


def _first(pair: tuple[paging.Place, Response]) -> paging.Place:
    return pair[0]


def _second(pair: tuple[paging.Place, Response]) -> Response:
    return pair[1]


def _names(request: Request, what: str, member: str, names: list[str]) -> Response:
    """A page of sorted names."""
    return paging.page(request, what, member, names, lambda name: [name], LARGEST_PAGE, str)


def _like(pattern: str | None) -> Any:
    """An API pattern as a test: ``%`` matches any text, ``_`` any character; ``\\`` escapes them."""
    if pattern is None:
        return lambda _: True
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    regex = "".join(wild.get(part) or re.escape(part.removeprefix("\\") or part) for part in parts)
    return re.compile(regex, re.DOTALL).fullmatch


def _relations(session: Session) -> list[Relation]:
    found = [r for r in catalog.all_relations(session.con) if session.may_see(r)]
    return [relation for relation in found if relation.schema != TEMP_SCHEMA]


def _table(relation: Relation) -> Response:
    return {
        "name": relation.name,
        "schema": relation.schema,
        "type": "VIEW" if relation.is_view else "TABLE",
    }


def _system_table(view: SystemView) -> Response:
    kind = "SYSTEM VIEW" if view.is_view else "SYSTEM TABLE"
    return {"name": view.name, "schema": view.schema, "type": kind}


_SIZES = {"int2": 5, "int4": 10, "int8": 19, "float4": 8, "float8": 17, "bool": 1, "date": 13,
          "timestamp": 29, "timestamptz": 35, "time": 15, "super": 0}  # fmt: skip
_SCALES = {"float4": 8, "float8": 17, "timestamp": 6, "timestamptz": 6, "time": 6}


def _column(relation: Relation, column: Column) -> Response:
    kind = column.type
    shown = _described(relation.schema, relation.name, column.name, kind)
    shown["nullable"] = 0 if column.not_null or column.primary_key else 1
    if column.identity:
        start, step = column.identity
        shown["columnDefault"] = f"\"identity\"({relation.oid}, 0, '{start},{step}'::text)"
    elif column.default is not None:
        shown["columnDefault"] = column.default
    return shown


def _described(schema: str, table: str, name: str, kind: DataType) -> Response:
    size = kind.length or kind.precision or _SIZES.get(kind.name, 0)
    return {
        "name": name,
        "schemaName": schema,
        "tableName": table,
        "typeName": kind.name,
        "length": size,
        "precision": size,
        "scale": kind.scale or _SCALES.get(kind.name, 0),
        "nullable": 1,
        "isCaseSensitive": False,
        "isCurrency": False,
        "isSigned": False,
    }


def _system_columns(view: SystemView) -> list[Response]:
    return [_described(view.schema, view.name, name, kind) for name, kind in view.columns]
