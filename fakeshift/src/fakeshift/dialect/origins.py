"""Where a result's columns come from: the part of ColumnMetadata that only columns of tables have.

``SELECT p.name, p.id + 1 FROM plays p`` -> the column ``name`` of ``plays``, and None.

The example of https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html: schemaName,
tableName, nullable, and of a VARCHAR its length; other columns do not have these.
"""

from __future__ import annotations

from sqlglot import exp

from fakeshift.catalog.model import Origin, Relation
from fakeshift.dialect.names import is_cte, table_name
from fakeshift.dialect.scope import Scope
from fakeshift.sql.nodes import Column
from fakeshift.system import views

Source = dict[str, Origin]
"""The columns of one table of FROM, by name."""


def origins_of(tree: exp.Expr, scope: Scope) -> tuple[Origin | None, ...]:
    """The origin of each column of a query before its translation; empty if unknown.

    Raises RedshiftError, for example for a missing table.
    """
    while isinstance(tree, exp.Subquery):
        tree = tree.this
    if not isinstance(tree, exp.Select):
        return ()
    sources = _sources(tree, scope)
    found: list[Origin | None] = []
    for projection in tree.expressions:
        column = projection.unalias()
        if projection.is_star:
            whole = _star(projection, sources)
            if whole is None:
                return ()
            found += whole
        elif isinstance(column, exp.Column):
            found.append(_origin(column, sources))
        else:
            found.append(None)
    return tuple(found)


def _sources(tree: exp.Select, scope: Scope) -> dict[str, Source | None]:
    """The sources by their names in the query; None for one that is not a table."""
    found: dict[str, Source | None] = {}
    joins = tree.args.get("joins") or []
    first = tree.args.get("from_")
    for node in [first, *joins, *(tree.args.get("laterals") or [])]:
        if node is None:
            continue
        source = node.this
        if isinstance(node, exp.Join) and (node.args.get("using") or node.args.get("method")):
            source = None  # its columns belong to two tables
        name = source.alias_or_name if isinstance(source, exp.Expr) else f"?{len(found)}"
        found[name] = _columns(source, scope) if isinstance(source, exp.Table) else None
    return found


def _columns(table: exp.Table, scope: Scope) -> Source | None:
    name = table_name(table)
    if isinstance(table.this, exp.Func) or (len(name) == 1 and is_cte(table, name[0])):
        return None
    alias = table.args.get("alias")
    if table.args.get("joins") or (alias is not None and alias.columns):
        return None
    system = views.system_name(name)
    if system is not None:
        view = views.VIEWS.get(system)
        return {c: Origin("", view.name, kind) for c, kind in view.columns} if view else None
    relation = scope.relation(name)
    return {column.name: _of_table(relation, column) for column in relation.columns}


def _of_table(relation: Relation, column: Column) -> Origin:
    return Origin(relation.schema, relation.name, column.type, column.not_null)


def _star(projection: exp.Expr, sources: dict[str, Source | None]) -> list[Origin | None] | None:
    """``*`` or ``t.*``; None if a column is unknown."""
    star = projection.this if isinstance(projection, exp.Column) else projection
    if not isinstance(star, exp.Star) or any(star.args.values()):
        return None
    table = projection.table if isinstance(projection, exp.Column) else ""
    wanted = [sources.get(table)] if table else list(sources.values())
    if any(source is None for source in wanted):
        return None
    return [origin for source in wanted if source is not None for origin in source.values()]


def _origin(column: exp.Column, sources: dict[str, Source | None]) -> Origin | None:
    if column.table:
        source = sources.get(column.table)
        return source.get(column.name) if source else None
    found = [source[column.name] for source in sources.values() if source and column.name in source]
    return found[0] if len(found) == 1 else None
