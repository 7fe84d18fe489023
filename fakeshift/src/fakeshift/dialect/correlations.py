"""Correlated subqueries that Redshift cannot turn into joins, and therefore refuses.

The documented patterns:
https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html

Redshift refuses more than those. Reported queries are also refused here, by their shape. It is unknown
which plans of such a shape Redshift accepts, so each of these is approximate:

- EXISTS or IN, correlated by several columns with a derived table or WITH, or from one, or with a
  subquery that joins (https://github.com/ScalefreeCOM/datavault4dbt/pull/394 is two columns from WITH)
- correlated with the nullable side of an outer join (the same)
- NOT EXISTS in an arm of a UNION (https://github.com/embulk/embulk-output-jdbc/issues/155)
- EXISTS under OR, correlated by several columns

Queries that AWS publishes are accepted: one column of equality with WITH, one column with a subquery that joins,
several columns between two tables, EXISTS under OR by one column (queries 1, 16, 10 and 35 of
https://github.com/awslabs/amazon-redshift-utils/tree/master/src/CloudDataWarehouseBenchmark).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from fakeshift.dialect.names import is_cte, table_name
from fakeshift.dialect.plan import AGGREGATES
from fakeshift.dialect.scope import Scope
from fakeshift.errors import RedshiftError, correlated_subquery
from fakeshift.system import views

_BLOCKS = (exp.Select, exp.Update, exp.Delete)


@dataclass(frozen=True)
class _Source:
    """An item of FROM. ``columns`` is None if unknown."""

    columns: frozenset[str] | None
    is_table: bool
    is_nullable: bool


@dataclass(frozen=True)
class _Reference:
    """A column inside a block that belongs to the block around it."""

    name: tuple[str, str]
    source: _Source


def refuse(tree: exp.Expr, scope: Scope) -> None:
    """Raises RedshiftError for a correlation that Redshift cannot decorrelate."""
    blocks = list(tree.find_all(*_BLOCKS))
    if len(blocks) > 1:
        finder = _Finder(scope)
        found = finder.references(tree)
        for block in blocks:
            _refuse_block(block, found.get(id(block), []), finder)


def _refuse_block(block: exp.Expr, references: list[_Reference], finder: _Finder) -> None:
    if not references:
        return
    outer = block_around(block)
    connection = _connection(block)
    if outer is None or connection is None:
        return
    documented = (
        _has_window(block)
        or _in_outer_join(block, outer)
        or _is_grouped_by(block, outer)
        or (isinstance(connection, exp.In) and _sums_groups(block))
    )
    if documented or (
        isinstance(connection, (exp.Exists, exp.In))
        and _is_reported(block, outer, connection, references, finder)
    ):
        raise correlated_subquery()


def _is_reported(
    block: exp.Expr,
    outer: exp.Expr,
    connection: exp.Expr,
    references: list[_Reference],
    finder: _Finder,
) -> bool:
    several = len({reference.name for reference in references}) > 1
    inside = list(finder.sources(block).values())
    return (
        any(reference.source.is_nullable for reference in references)
        or isinstance(_top(outer).parent, exp.SetOperation)
        or (several and len(inside) > 1)
        or (several and not all(source.is_table for source in inside))
        or (several and not all(reference.source.is_table for reference in references))
        or (several and _is_under_or(connection, outer))
    )


# -- names -------------------------------------------------------------------------------------


class _Finder:
    """Finds the source of a column, as far as the catalogue knows it."""

    def __init__(self, scope: Scope):
        self._scope = scope
        self._sources: dict[int, dict[str, _Source]] = {}

    def references(self, tree: exp.Expr) -> dict[int, list[_Reference]]:
        """For each block (its ``id``), the columns it uses from the outer block.

        Raises RedshiftError for a reference that skips a block.
        """
        found: dict[int, list[_Reference]] = {}
        for column in tree.find_all(exp.Column):
            block: exp.Expr | None = column.find_ancestor(*_BLOCKS)
            levels: list[exp.Expr] = []
            while block is not None:
                source = self._owner(block, column)
                if source is not None:
                    break
                levels.append(block)
                block = block_around(block)
            if block is None or not levels or _is_beside(levels[-1], block):
                continue
            if len(levels) > 1:
                raise correlated_subquery()
            if source is not None and not source.is_unknown:
                found.setdefault(id(levels[0]), []).append(
                    _Reference((column.table, column.name), source.source)
                )
        return found

    def _owner(self, block: exp.Expr, column: exp.Column) -> _Owner | None:
        """The item of the block's FROM with this column; an unknown item may have any."""
        sources = self.sources(block)
        if column.table:
            found = sources.get(column.table)
            return _Owner(found) if found is not None else None
        for source in sources.values():
            if source.columns is not None and column.name in source.columns:
                return _Owner(source)
        if any(source.columns is None for source in sources.values()):
            return _Owner(next(iter(sources.values())), is_unknown=True)
        named = {item.alias for item in block.expressions if isinstance(item, exp.Alias)}
        if isinstance(block, exp.Select) and column.name in named:
            return _Owner(_Source(None, is_table=True, is_nullable=False), is_unknown=True)
        return None

    def sources(self, block: exp.Expr) -> dict[str, _Source]:
        """The items of a block's FROM by their names, also of an UPDATE or DELETE."""
        if id(block) not in self._sources:
            self._sources[id(block)] = self._items(block)
        return self._sources[id(block)]

    def _items(self, block: exp.Expr) -> dict[str, _Source]:
        found: dict[str, _Source] = {}
        for item, side in _from_items(block):
            if side in ("RIGHT", "FULL"):
                found = {
                    name: _Source(one.columns, one.is_table, is_nullable=True)
                    for name, one in found.items()
                }
            columns, is_table = self._columns(item)
            found[item.alias_or_name] = _Source(columns, is_table, side in ("LEFT", "FULL"))
        return found

    def _columns(self, item: exp.Expr) -> tuple[frozenset[str] | None, bool]:
        if isinstance(item, exp.Subquery):
            return _selected(item.this), False
        if not isinstance(item, exp.Table) or not isinstance(item.this, exp.Identifier):
            return None, True
        name = table_name(item)
        if len(name) == 1 and is_cte(item, name[0]):
            return None, False
        if views.system_name(name) is not None:
            return None, True
        try:
            relation = self._scope.relation(name)
        except RedshiftError:
            return None, True  # a missing table is reported later
        known = frozenset(column.name for column in relation.columns)
        return known if not relation.late_binding else None, not relation.is_view


@dataclass(frozen=True)
class _Owner:
    """Where a name was found; ``is_unknown``: it may also belong to an outer block."""

    source: _Source
    is_unknown: bool = False


def _selected(query: exp.Expr) -> frozenset[str] | None:
    while isinstance(query, (exp.SetOperation, exp.Subquery)):
        query = query.this
    if not isinstance(query, exp.Select) or query.is_star:
        return None
    return frozenset(item.alias_or_name for item in query.expressions)


def _from_items(block: exp.Expr) -> list[tuple[exp.Expr, str]]:
    """Each item of FROM, and the side of its outer join: LEFT, RIGHT, FULL or nothing."""
    first: list[exp.Expr] = []
    if isinstance(block, (exp.Update, exp.Delete)):
        first.append(block.this)
    using = block.args.get("using")
    first += using if isinstance(using, list) else []
    source = block.args.get("from_")
    if source is not None:
        first.append(source.this)
    found: list[tuple[exp.Expr, str]] = []
    for item in [one for one in first if isinstance(one, exp.Expr)]:
        found.append((item, ""))
        found += [(j.this, j.args.get("side") or "") for j in item.args.get("joins") or []]
    found += [(j.this, j.args.get("side") or "") for j in block.args.get("joins") or []]
    return found


# -- blocks ------------------------------------------------------------------------------------


def block_around(block: exp.Expr) -> exp.Expr | None:
    """The query block around a block, None for the outermost; WITH cannot see outer names."""
    node = block.parent
    while node is not None and not isinstance(node, _BLOCKS):
        if isinstance(node, exp.CTE):
            return None
        node = node.parent
    return node


def _top(block: exp.Expr) -> exp.Expr:
    """A block with its parentheses."""
    while isinstance(block.parent, exp.Subquery) and not block.parent.alias:
        block = block.parent
    return block


def _connection(block: exp.Expr) -> exp.Expr | None:
    """The parent of a subquery: Exists, In, or an expression; None for an item of FROM."""
    node = block
    while isinstance(node.parent, (exp.Subquery, exp.SetOperation, exp.Paren)):
        node = node.parent
    around = node.parent
    beside = isinstance(around, (exp.From, exp.Join)) and node.arg_key == "this"
    return None if beside or node.arg_key == "using" else around


def _is_beside(block: exp.Expr, outer: exp.Expr) -> bool:
    """Whether a block is a derived table in the outer FROM, which cannot see outer names."""
    return block is not outer and _connection(block) is None


def _between(node: exp.Expr, outer: exp.Expr) -> list[exp.Expr]:
    found = []
    parent = node.parent
    while parent is not None and parent is not outer:
        found.append(parent)
        parent = parent.parent
    return found


# -- shapes ------------------------------------------------------------------------------------


def _has_window(block: exp.Expr) -> bool:
    return any(window.find_ancestor(*_BLOCKS) is block for window in block.find_all(exp.Window))


def _in_outer_join(block: exp.Expr, outer: exp.Expr) -> bool:
    return any(isinstance(n, exp.Join) and n.args.get("side") for n in _between(block, outer))


def _is_under_or(connection: exp.Expr, outer: exp.Expr) -> bool:
    return any(isinstance(node, exp.Or) for node in _between(connection, outer))


def _sums_groups(block: exp.Expr) -> bool:
    """Whether there are aggregates other than MIN and MAX over groups."""
    called = {
        str(node.this).lower()
        for item in block.expressions
        for node in item.find_all(exp.Anonymous)
        if node.find_ancestor(*_BLOCKS) is block
    }
    return block.args.get("group") is not None and bool(called & (AGGREGATES - {"min", "max"}))


def _is_grouped_by(block: exp.Expr, outer: exp.Expr) -> bool:
    """Whether GROUP BY of the outer block names the select item that contains the block."""
    group = outer.args.get("group")
    inside = [block, *_between(block, outer)]
    for number, item in enumerate(outer.expressions, 1):
        if group is None or not any(node is item for node in inside):
            continue
        for key in group.expressions:
            ordinal = isinstance(key, exp.Literal) and key.this == str(number)
            if ordinal or (isinstance(key, exp.Column) and key.name == item.alias):
                return True
    return group is not None and any(node is group for node in inside)
