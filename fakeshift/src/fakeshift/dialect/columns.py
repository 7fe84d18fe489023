"""The Redshift types of a query's columns, where DuckDB's types say less: lengths, CHAR.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_AS.html: a new table's columns are those
of the query
"""

from __future__ import annotations

from sqlglot import exp

from fakeshift.catalog.model import Relation
from fakeshift.dialect.scope import Scope
from fakeshift.dialect.supers import Finder, Source
from fakeshift.sql.datatypes import MAX_CHAR, MAX_VARCHAR, DataType

Types = tuple[DataType | None, ...]
"""One for each column; None if only DuckDB knows."""

_CHAR = (exp.DataType.Type.CHAR, exp.DataType.Type.NCHAR)
_VARCHAR = (exp.DataType.Type.VARCHAR, exp.DataType.Type.NVARCHAR)


def result_types(tree: exp.Expr, scope: Scope) -> Types:
    """The types of a query before its names are translated; () if the columns are unknown."""
    while isinstance(tree, exp.Subquery):
        tree = tree.this
    return tuple(_select(tree, Finder(scope)) or ())


def _select(tree: exp.Expr, finder: Finder) -> list[DataType | None] | None:
    if not isinstance(tree, exp.Select):
        return None
    found: list[DataType | None] = []
    for item in tree.expressions:
        inner = item.this if isinstance(item, exp.Alias) else item
        star = isinstance(inner, exp.Star) or isinstance(inner.this, exp.Star)
        if not star:
            found.append(type_of(inner, finder))
            continue
        columns = _star(tree, inner, finder)
        if columns is None:
            return None
        found += columns
    return found


def _star(select: exp.Select, star: exp.Expr, finder: Finder) -> list[DataType | None] | None:
    excludes = star.args.get("except_") or star.args.get("replace")
    joins = select.args.get("joins") or []
    if excludes or any(join.args.get("using") or join.args.get("method") for join in joins):
        return None
    sources = finder.sources(select)
    table = star.table if isinstance(star, exp.Column) else ""
    named = [sources.get(table)] if table else list(sources.values())
    found: list[DataType | None] = []
    for source in named:
        columns = _source(source, finder)
        if columns is None:
            return None
        found += columns
    return found


def _source(source: Source, finder: Finder) -> list[DataType | None] | None:
    if isinstance(source, Relation):
        return [column.type for column in source.columns] or None
    if isinstance(source, exp.Query):
        return _select(source, finder)
    return None


def type_of(node: exp.Expr, finder: Finder) -> DataType | None:
    """The type of a table's column, or of a cast to a character type with a length."""
    if isinstance(node, exp.Column):
        return _column(node, finder)
    if isinstance(node, exp.Cast):
        sizes = [size.name for size in node.to.expressions]
        size = int(sizes[0]) if sizes and sizes[0].isdigit() else 0
        if node.to.this in _CHAR and size <= MAX_CHAR:
            return DataType("bpchar", size or 1)
        if node.to.this in _VARCHAR and 0 < size <= MAX_VARCHAR:
            return DataType("varchar", size)
    return None  # a literal's length is unknown: it may be a parameter's value (``cache``)


def _column(node: exp.Column, finder: Finder) -> DataType | None:
    for block in finder.blocks(node):
        sources = finder.sources(block)
        named = [sources[node.table]] if node.table in sources else list(sources.values())
        if node.table and node.table not in sources:
            continue
        for source in named:
            found = _named(source, node.name, finder)
            if found is not None:
                return found
    return None


def _named(source: Source, name: str, finder: Finder) -> DataType | None:
    if isinstance(source, Relation):
        column = source.column(name)
        return column.type if column else None
    if isinstance(source, exp.Select):
        for item in source.expressions:
            if item.alias_or_name == name:
                return type_of(item.this if isinstance(item, exp.Alias) else item, finder)
    return None
