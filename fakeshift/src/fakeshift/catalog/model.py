"""What Redshift knows of schemas, tables, views and users, and DuckDB does not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from fakeshift.sql.datatypes import DataType
from fakeshift.sql.nodes import Column, Constraint, TableAttributes

Key = tuple[str, str]
"""(schema, name): a relation, and the key of its lock."""

TEMP_SCHEMA = "pg_temp"


@dataclass(frozen=True)
class Relation:
    """A table or a view. ``query`` and ``depends_on`` are for views."""

    schema: str
    name: str
    oid: int
    owner: str
    kind: str = "table"
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    attributes: TableAttributes = field(default_factory=TableAttributes)
    query: str = ""
    late_binding: bool = False
    depends_on: tuple[Key, ...] = ()
    comment: str = ""
    column_comments: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """(schema, name)."""
        return (self.schema, self.name)

    @property
    def is_view(self) -> bool:
        """Whether it is a view, late-binding or not."""
        return self.kind == "view"

    @property
    def is_temporary(self) -> bool:
        """Whether it is a temporary table, visible only to its session."""
        return self.schema == TEMP_SCHEMA

    def column(self, name: str) -> Column | None:
        """The column with that name, or None."""
        return next((c for c in self.columns if c.name == name), None)

    def with_column(self, changed: Column, *, old: str = "") -> Relation:
        """A copy with one column replaced (the one named ``old``, or ``changed.name``)."""
        wanted = old or changed.name
        columns = tuple(changed if c.name == wanted else c for c in self.columns)
        return replace(self, columns=columns)

    def to_json(self) -> str:
        """JSON for the catalogue's table."""
        return json.dumps(vars(self), default=vars)

    @classmethod
    def from_json(cls, text: str) -> Relation:
        """The inverse of ``to_json``."""
        data: dict[str, Any] = json.loads(text)
        data["columns"] = tuple(_column(c) for c in data["columns"])
        data["constraints"] = tuple(
            Constraint(c["kind"], tuple(c["columns"]), c["references"], c.get("name", ""))
            for c in data["constraints"]
        )
        attributes = data["attributes"]
        attributes["sortkeys"] = tuple(attributes["sortkeys"])
        data["attributes"] = TableAttributes(**attributes)
        data["depends_on"] = tuple((schema, name) for schema, name in data["depends_on"])
        return cls(**data)


def _column(data: dict[str, Any]) -> Column:
    data["type"] = DataType(**data["type"])
    if data["identity"]:
        data["identity"] = tuple(data["identity"])
    return Column(**data)


@dataclass(frozen=True)
class Schema:
    """A schema and its owner."""

    name: str
    oid: int
    owner: str
    quota: str = ""


@dataclass(frozen=True)
class Grantee:
    """A user, group or role of the catalogue (``kind`` user, group, role)."""

    name: str
    kind: str
    oid: int
    superuser: bool = False


@dataclass(frozen=True)
class Origin:
    """A column of a table or view. A system view has an empty schema, as in the API."""

    schema: str
    table: str
    type: DataType
    not_null: bool = False
