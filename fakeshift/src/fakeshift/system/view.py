"""A system view: columns with Redshift's types, and rows that Python creates."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb

from fakeshift.catalog.model import Relation
from fakeshift.config import Kind
from fakeshift.sql.datatypes import DataType
from fakeshift.sql.nodes import Column
from fakeshift.system.records import SystemRecords

Row = Sequence[Any]
Columns = tuple[tuple[str, DataType], ...]

CATALOG = "pg_catalog"
INFORMATION = "information_schema"


@dataclass(frozen=True)
class LoadDetail:
    """How SYS_LOAD_DETAIL looks to a statement: see ``Settings`` and ``faults``."""

    has_etag: bool = True
    seconds: float = 0.0
    encoded: bool = False
    empty: bool = False


class SystemSession(Protocol):
    """What the views need to know of the session that reads them."""

    con: duckdb.DuckDBPyConnection
    user: str
    pid: int
    has_temporary: bool

    @property
    def kind(self) -> Kind:
        """Serverless, or a provisioned cluster, which has the STL_ and SVL_ views."""

    @property
    def database_name(self) -> str:
        """The connected database."""

    @property
    def records(self) -> SystemRecords:
        """The records of loads and queries."""

    @property
    def visible_user_id(self) -> int | None:
        """Whose rows are shown: the user's own, or all (None) to a superuser."""

    @property
    def enforced(self) -> bool:
        """Whether this user's privileges are enforced."""

    @property
    def load_detail(self) -> LoadDetail:
        """How SYS_LOAD_DETAIL looks to it."""

    def system_views(self) -> list[SystemView]:
        """The views that the warehouse has."""

    def columns_of_view(self, relation: Relation) -> Sequence[Column]:
        """The columns of a late-binding view now; none if what it reads is not there."""

    def schemas_in_path(self) -> list[str]:
        """The search path."""

    def may_see(self, relation: Relation) -> bool:
        """Whether svv_tables and the like show a relation to this user."""


Make = Callable[[SystemSession, int | None], list[Row]]
"""The rows that a session may see; rows of other queries than the given one may be omitted."""


@dataclass(frozen=True)
class SystemView:
    """A view of pg_catalog or information_schema.

    ``is_view`` is False for a table of the catalogue (the type in ListTables); ``provisioned``: only
    on a cluster; ``superuser``: only for superusers; ``internal``: not Redshift's, and in no list.
    """

    name: str
    columns: Columns
    make: Make
    schema: str = CATALOG
    is_view: bool = True
    provisioned: bool = False
    superuser: bool = False
    internal: bool = False

    @property
    def full_name(self) -> str:
        """The name to find it by: ``svv_tables``, ``information_schema.tables``."""
        return self.name if self.schema == CATALOG else f"{self.schema}.{self.name}"


def columns(text: str) -> Columns:
    """``"user_id int4, file_name bpchar(256), tbl_rows numeric(38,0)"`` -> columns."""
    found = re.findall(r"(\w+) (\w+)(?:\((\d+)(?:,(\d+))?\))?(?:,|$)", text)
    return tuple((name, _type(kind, int(a or 0), int(b or 0))) for name, kind, a, b in found)


def _type(kind: str, first: int, second: int) -> DataType:
    if kind == "text":
        return DataType("varchar", 65535)
    if kind == "numeric":
        return DataType(kind, precision=first, scale=second)
    return DataType(kind, first)


def catalogue(make: Callable[[SystemSession], list[Row]]) -> Make:
    """A view whose rows do not belong to a query."""
    return lambda session, _: make(session)
