"""EXPLAIN: a plan in Redshift's format, from the statement and the tables' sizes.

https://docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html
https://docs.aws.amazon.com/redshift/latest/dg/c_data_redistribution.html

Approximate: the steps follow the statement, with joins in its order, always by hash if there is an
equality; costs grow with the rows and have no other meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from fakeshift.catalog.model import Relation

Table = Callable[[exp.Table], tuple[Relation | None, int]]
"""A table's relation (None for WITH, system views and views) and its number of rows."""

_WIDTHS = {"int2": 2, "int4": 4, "int8": 8, "float4": 4, "float8": 8, "bool": 1, "date": 4, "time": 8,
           "timestamp": 8, "timestamptz": 8, "numeric": 8}  # fmt: skip
_SORT_COST = 1_000_000_000_000.0


@dataclass
class Step:
    """One line of the plan with the lines below it."""

    name: str
    rows: int
    width: int
    cost: float
    start: float = 0.0
    details: list[str] = field(default_factory=list)
    inputs: list[Step] = field(default_factory=list)
    relation: Relation | None = None


def lines(step: Step, depth: int = 0) -> list[str]:
    """``XN Seq Scan on t  (cost=0.00..0.02 rows=2 width=4)``, and the lines below it."""
    arrow = "  " + "      " * (depth - 1) + "->  " if depth else ""
    inset = " " * len(arrow)
    size = f"rows={step.rows} width={step.width}"
    shown = [f"{arrow}{step.name}  (cost={step.start:.2f}..{step.cost:.2f} {size})"]
    shown += [f"{inset}  {detail}" for detail in step.details]
    for below in step.inputs:
        shown += lines(below, depth + 1)
    return shown


def plan(tree: exp.Expr, table: Table) -> Step:
    """The plan of a parsed SELECT, INSERT, UPDATE or DELETE."""
    if isinstance(tree, exp.Insert):
        inner = tree.expression
        return plan(inner, table) if isinstance(inner, exp.Query) else _result()
    if isinstance(tree, (exp.Update, exp.Delete)):
        return _change(tree, table)
    if isinstance(tree, exp.Subquery):
        return plan(tree.this, table)
    if isinstance(tree, exp.SetOperation):
        return _set_operation(tree, table)
    return _select(tree, table)


def _result() -> Step:
    return Step("XN Result", 1, 0, 0.01)


def _select(tree: exp.Expr, table: Table) -> Step:
    source = tree.args.get("from_")
    if source is None:
        return _ordered(tree, _result())
    step = _source(source.this, table)
    conditions = _conditions(tree.args.get("where"))
    for join in tree.args.get("joins") or []:
        step = _join(join, step, _source(join.this, table), conditions)
    if conditions:
        _filter(step, conditions)
    step = _aggregated(tree, step)
    if tree.find(exp.Window) is not None:
        step = _windowed(tree, step)
    if tree.args.get("distinct") is not None:
        step = _above("XN Unique", step)
    return _ordered(tree, step)


def _above(name: str, below: Step, *details: str, rows: int | None = None) -> Step:
    return Step(
        name, below.rows if rows is None else rows, below.width, below.cost + 0.01 * below.rows,
        below.cost, list(details), [below],
    )  # fmt: skip


def _source(item: exp.Expr, table: Table) -> Step:
    if isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
        relation, rows = table(item)
        shown = item.name + (f" {item.alias}" if item.alias and item.alias != item.name else "")
        width = sum(_width(c.type.name, c.type.length) for c in relation.columns) if relation else 8
        return Step(f"XN Seq Scan on {shown}", rows, width, 0.01 * rows, relation=relation)
    if isinstance(item, exp.Subquery):
        return _above(f"XN Subquery Scan {item.alias}".rstrip(), plan(item.this, table))
    return Step(f"XN Function Scan {item.alias_or_name}".rstrip(), 1000, 8, 10.0)


def _width(name: str, length: int) -> int:
    return _WIDTHS.get(name, max(1, min(length, 64) // 2) if length else 32)


def _conditions(where: exp.Expr | None) -> list[exp.Expr]:
    if where is None:
        return []
    return list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]


def _filter(step: Step, conditions: list[exp.Expr]) -> None:
    shown = " AND ".join(_shown(condition) for condition in conditions)
    step.details.append(f"Filter: {shown}")
    step.rows = max(1, step.rows // 3)


def _shown(node: exp.Expr) -> str:
    text = node.sql(dialect="redshift").replace('"', "")
    return text if text.startswith("(") and text.endswith(")") else f"({text})"


def _join(join: exp.Expr, left: Step, right: Step, where: list[exp.Expr]) -> Step:
    on = join.args.get("on")
    conditions = list(on.flatten()) if isinstance(on, exp.And) else [on] if on is not None else []
    names = join.this.alias_or_name
    if not conditions:
        conditions = [c for c in where if _joins(c, names)]
        for condition in conditions:
            where.remove(condition)
    side = {"LEFT": "Left ", "RIGHT": "Right ", "FULL": "Full "}.get(
        join.args.get("side") or "", ""
    )
    equal = [c for c in conditions if isinstance(c, exp.EQ) and _joins(c, names)]
    rows = max(left.rows, right.rows) if equal else left.rows * right.rows
    width = left.width + right.width
    if not equal:
        name = f"XN Nested Loop {side}Join DS_BCAST_INNER"
        details = [f"Join Filter: {_shown(c)}" for c in conditions]
        cost = left.cost + right.cost + 1_000_000.0 + 0.01 * rows
        return Step(name, rows, width, cost, 0.0, details, [left, right])
    hashed = Step("XN Hash", right.rows, right.width, right.cost, right.cost, [], [right])
    shown = " AND ".join(_hash_condition(c, names) for c in equal)
    rest = [c for c in conditions if c not in equal]
    details = [f"Hash Cond: {shown}"] + [f"Join Filter: {_shown(c)}" for c in rest]
    name = f"XN Hash {side}Join {_distribution(left, right, equal)}"
    cost = left.cost + right.cost + 0.01 * rows
    return Step(name, rows, width, cost, right.cost, details, [left, hashed])


def _joins(condition: exp.Expr, name: str) -> bool:
    tables = {column.table for column in condition.find_all(exp.Column)}
    return isinstance(condition, exp.EQ) and name in tables and len(tables) > 1


def _hash_condition(condition: exp.Expr, inner: str) -> str:
    left, right = condition.this, condition.expression
    if isinstance(left, exp.Column) and left.table == inner:
        left, right = right, left
    return f'("outer".{left.name or _shown(left)} = "inner".{right.name or _shown(right)})'


def _distribution(left: Step, right: Step, equal: Sequence[exp.Expr]) -> str:
    """DS_DIST_NONE for two tables joined by their DISTKEYs, DS_DIST_ALL_NONE for an inner ALL."""
    inner = right.relation
    if inner is not None and inner.attributes.diststyle == "ALL":
        return "DS_DIST_ALL_NONE"
    outer_key, inner_key = _distkey(left.relation), _distkey(inner)
    for condition in equal:
        names = {column.name for column in condition.find_all(exp.Column)}
        if outer_key and inner_key and names == {outer_key, inner_key}:
            return "DS_DIST_NONE"
    return "DS_BCAST_INNER" if right.rows < left.rows else "DS_DIST_BOTH"


def _distkey(relation: Relation | None) -> str:
    if relation is None:
        return ""
    marked = next((c.name for c in relation.columns if c.distkey), "")
    return relation.attributes.distkey or marked


def _aggregated(tree: exp.Expr, step: Step) -> Step:
    group = tree.args.get("group")
    if group is not None:
        step = _above("XN HashAggregate", step, rows=max(1, step.rows // 10))
    elif any(_is_aggregate(call) for item in tree.expressions for call in _calls(item)):
        step = _above("XN Aggregate", step, rows=1)
    having = tree.args.get("having")
    if having is not None:
        _filter(step, _conditions(having))
    return step


AGGREGATES = frozenset(
    {"count", "sum", "avg", "min", "max", "listagg", "median", "stddev", "variance", "any_value",
     "bool_and", "bool_or", "stddev_samp", "stddev_pop", "var_samp", "var_pop"}
)  # fmt: skip


def _calls(item: exp.Expr) -> list[exp.Anonymous]:
    return [
        call for call in item.find_all(exp.Anonymous) if not isinstance(call.parent, exp.Window)
    ]


def _is_aggregate(call: exp.Anonymous) -> bool:
    return str(call.this).lower() in AGGREGATES


def _windowed(tree: exp.Expr, step: Step) -> Step:
    window = tree.find(exp.Window)
    details = []
    if window is not None and window.args.get("partition_by"):
        keys = ", ".join(item.sql(dialect="redshift") for item in window.args["partition_by"])
        details.append(f"Partition: {keys}".replace('"', ""))
    if window is not None and window.args.get("order"):
        details.append(f"Order: {_keys(window.args['order'])}")
    return _above("XN Window", step, *details)


def _keys(order: exp.Expr) -> str:
    return ", ".join(item.this.sql(dialect="redshift") for item in order.expressions).replace(
        '"', ""
    )


def _ordered(tree: exp.Expr, step: Step) -> Step:
    order = tree.args.get("order")
    if order is not None:
        keys = _keys(order)
        start = _SORT_COST + step.cost
        cost = start + 0.01 * step.rows
        sort = Step("XN Sort", step.rows, step.width, cost, start, [f"Sort Key: {keys}"], [step])
        send = Step("XN Network", step.rows, step.width, cost, start, ["Send to leader"], [sort])
        step = Step("XN Merge", step.rows, step.width, cost, start, [f"Merge Key: {keys}"], [send])
    limit = tree.args.get("limit")
    if limit is not None and limit.expression is not None and limit.expression.name.isdigit():
        step = _above("XN Limit", step, rows=min(step.rows, int(limit.expression.name)))
    return step


def _set_operation(tree: exp.Expr, table: Table) -> Step:
    sides = [plan(tree.this, table), plan(tree.expression, table)]
    rows = sum(side.rows for side in sides)
    cost = sum(side.cost for side in sides)
    appended = Step("XN Append", rows, sides[0].width, cost, 0.0, [], sides)
    if isinstance(tree, exp.Union) and not tree.args.get("distinct"):
        return _ordered(tree, appended)
    name = "XN Unique"
    if isinstance(tree, (exp.Except, exp.Intersect)):
        name = f"XN SetOp {type(tree).__name__}"
    return _ordered(tree, _above(name, appended))


def _change(tree: exp.Expr, table: Table) -> Step:
    step = _source(tree.this, table)
    conditions = _conditions(tree.args.get("where"))
    sources = [tree.args.get("from_")] if isinstance(tree, exp.Update) else tree.args.get("using")
    for source in sources if isinstance(sources, list) else []:
        item = source.this if isinstance(source, exp.From) else source
        if isinstance(item, exp.Expr):
            join = exp.Join(this=item.copy())
            step = _join(join, step, _source(item, table), conditions)
    if conditions:
        _filter(step, conditions)
    return step
