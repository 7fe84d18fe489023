"""Column aliases that are used in the same select list.

https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html: "You can reference a column alias
immediately after you define it", and a column of that name in FROM comes first.
"""

from __future__ import annotations

from sqlglot import exp

from fakeshift.catalog.model import Relation
from fakeshift.dialect.scope import Scope
from fakeshift.dialect.supers import Finder, Source

_VOLATILE = frozenset({"random"})


def expand(tree: exp.Expr, scope: Scope) -> None:
    """``SELECT f + 1 AS m, m::int FROM t`` -> ``SELECT f + 1 AS m, (f + 1)::int FROM t``.

    DuckDB knows such aliases too, but not their types when it picks a macro (``typed``). Changes the
    tree; expressions over unknown sources stay unchanged.
    """
    finder = Finder(scope)
    for select in tree.find_all(exp.Select):
        if select.find(exp.Unnest):  # of SUPER, whose names ``supers`` resolves
            continue
        if any(isinstance(item, exp.Alias) for item in select.expressions[:-1]):
            _expand(select, finder)


def _expand(select: exp.Select, finder: Finder) -> None:
    taken = _names(list(finder.sources(select).values()), finder)
    if taken is None:
        return
    known: dict[str, exp.Expr] = {}
    for item in select.expressions:
        inner = item.this if isinstance(item, exp.Alias) else item
        for column in list(inner.find_all(exp.Column)):
            if column is inner or column.table or column.name not in known:
                continue
            if column.find_ancestor(exp.Select) is select:
                column.replace(exp.Paren(this=known[column.name].copy()))
        if isinstance(item, exp.Alias) and item.alias not in taken and not _volatile(item):
            known.setdefault(item.alias, item.this)


def _volatile(item: exp.Expr) -> bool:
    calls = item.find_all(exp.Anonymous)
    return any(str(call.this).lower() in _VOLATILE for call in calls)


def _names(sources: list[Source], finder: Finder) -> list[str] | None:
    """The columns of all sources, None if those of one are unknown."""
    found: list[str] = []
    for source in sources:
        names = columns_of(source, finder)
        if names is None:
            return None
        found += names
    return found


def columns_of(source: Source, finder: Finder) -> list[str] | None:
    """The names of a table's or query's columns, None if they are unknown."""
    if isinstance(source, Relation):
        return [column.name for column in source.columns] or None
    if not isinstance(source, exp.Query):
        return None
    query: exp.Query = source
    while isinstance(query, (exp.SetOperation, exp.Subquery)):
        query = query.this
    found: list[str] = []
    for item in query.selects:
        if item.is_star:
            inner = _names(list(finder.sources(query).values()), finder)
            if inner is None:
                return None
            found += inner
        else:
            found.append(item.alias_or_name)
    return found
