"""The declared types of a query's columns, if they are plain columns of tables.

DuckDB's VARCHAR has no length and no CHAR; a verbose manifest shows both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from fakeshift.catalog.model import Relation
from fakeshift.engine.session import Session
from fakeshift.sql.datatypes import DataType

Tables = Mapping[str, Sequence[tuple[str, DataType]]]


def declared_types(session: Session, tree: exp.Expr) -> list[DataType | None]:
    """One for each column of the query, None for a computed one; [] for a query that is not plain."""
    if not isinstance(tree, exp.Select):
        return []
    tables: dict[str, Sequence[tuple[str, DataType]]] = {}
    sources = [tree.args.get("from_"), *(tree.args.get("joins") or [])]
    for source in sources:
        table = source.this if source is not None else None
        if not isinstance(table, exp.Table):
            return []
        relation = _relation(session, table)
        if relation is None:
            return []
        tables[table.alias_or_name.lower()] = [(c.name, c.type) for c in relation.columns]
    return [kind for projection in tree.expressions for kind in _of(projection, tables)]


def _relation(session: Session, table: exp.Table) -> Relation | None:
    parts = [table.args.get(part) for part in ("catalog", "db", "this")]
    found = session.find_relation(tuple(part.name.lower() for part in parts if part is not None))
    return found if found is not None and not found.is_view else None


def _of(projection: exp.Expr, tables: Tables) -> list[DataType | None]:
    inner = projection.this if isinstance(projection, exp.Alias) else projection
    if isinstance(inner, exp.Star):
        return [kind for columns in tables.values() for _, kind in columns]
    if not isinstance(inner, exp.Column):
        return [None]
    of_table = inner.table.lower()
    among = [tables[of_table]] if of_table in tables else list(tables.values())
    if isinstance(inner.this, exp.Star):
        return [kind for columns in among for _, kind in columns]
    name = inner.name.lower()
    return [next((kind for columns in among for n, kind in columns if n == name), None)]
