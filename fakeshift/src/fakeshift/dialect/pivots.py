"""PIVOT and UNPIVOT in FROM, written out.

https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html
"""

from __future__ import annotations

from sqlglot import exp

from fakeshift.dialect.aliases import columns_of
from fakeshift.dialect.scope import Scope
from fakeshift.dialect.supers import Finder
from fakeshift.errors import RedshiftError, undefined_column, unsupported

_AGGREGATES = frozenset({"count", "sum", "min", "max", "avg"})


def rewrite(tree: exp.Expr, scope: Scope) -> None:
    """``FROM t PIVOT (...)`` -> ``FROM (SELECT ... FROM t GROUP BY ...)``. Changes the tree."""
    for item in reversed(list(tree.find_all(exp.Table, exp.Subquery))):
        pivots = item.args.get("pivots")
        if not pivots:
            continue
        (pivot, *others) = pivots
        if others:
            raise unsupported("PIVOT of PIVOT or UNPIVOT")
        item.set("pivots", None)
        (source,) = Finder(scope).source_of(item).values()
        names = columns_of(source, Finder(scope))
        if names is None:
            raise unsupported("PIVOT of what is no table or query")
        query = _unpivoted if pivot.args.get("unpivot") else _pivoted
        built = exp.Subquery(this=query(item.copy(), pivot, names), alias=pivot.args.get("alias"))
        for key in ("joins", "laterals"):
            built.set(key, item.args.get(key))
        item.replace(built)


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _named(value: exp.Expr, name: str) -> exp.Alias:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def _checked(used: set[str], names: list[str]) -> None:
    for name in sorted(used - set(names)):
        raise undefined_column(name)


def _pivoted(item: exp.Expr, pivot: exp.Pivot, names: list[str]) -> exp.Query:
    """``t PIVOT (sum(a) FOR k IN (1, 2 AS two))`` -> ``SELECT b, sum(CASE WHEN k = 1 THEN a END) AS
    "1", sum(CASE WHEN k = 2 THEN a END) AS two FROM t GROUP BY b``.
    """
    (aggregate,), (field,) = pivot.expressions, pivot.args["fields"]
    call, suffix = aggregate, ""
    if isinstance(aggregate, exp.Alias):
        call, suffix = aggregate.this, f"_{aggregate.alias}"
    if not isinstance(call, exp.Anonymous) or str(call.this).lower() not in _AGGREGATES:
        raise RedshiftError("PIVOT takes COUNT, SUM, MIN, MAX or AVG", sqlstate="0A000")
    used = {column.name for column in (*call.find_all(exp.Column), field.this)}
    _checked(used, names)
    kept = [name for name in names if name not in used]
    select = exp.Select(expressions=[_column(name) for name in kept])
    for member in field.expressions:
        value = member.this if isinstance(member, exp.PivotAlias) else member
        name = member.args["alias"].name if isinstance(member, exp.PivotAlias) else _shown(value)
        select.append("expressions", _named(_where(call, field.this, value), name + suffix))
    select.set("from_", exp.From(this=item))
    if kept:
        select.set("group", exp.Group(expressions=[_column(name) for name in kept]))
    return select


def _shown(value: exp.Expr) -> str:
    if isinstance(value, exp.Null):
        return "null"
    if isinstance(value, exp.Neg):
        return f"-{_shown(value.this)}"
    return value.name if isinstance(value, exp.Literal) else "?column?"


def _where(call: exp.Anonymous, key: exp.Expr, value: exp.Expr) -> exp.Expr:
    """``sum(a)`` -> ``sum(CASE WHEN k = 1 THEN a END)``."""
    if isinstance(value, exp.Null):
        condition: exp.Expr = exp.Is(this=key.copy(), expression=exp.Null())
    elif isinstance(value, exp.Column) or value.find(exp.Query):
        raise RedshiftError("PIVOT takes constants in IN", sqlstate="0A000")
    else:
        condition = exp.EQ(this=key.copy(), expression=value.copy())
    built = call.copy()
    (argument,) = built.expressions
    inner = argument.expressions[0] if isinstance(argument, exp.Distinct) else argument
    counted = exp.Literal.number(1) if isinstance(inner, exp.Star) else inner.copy()
    inner.replace(exp.Case(ifs=[exp.If(this=condition, true=counted)]))
    return built


def _unpivoted(item: exp.Expr, pivot: exp.Pivot, names: list[str]) -> exp.Query:
    """``t UNPIVOT (v FOR k IN (a, b AS z))`` -> ``SELECT * FROM (SELECT c, 'a' AS k, a AS v FROM t UNION
    ALL SELECT c, 'z' AS k, b AS v FROM t) WHERE v IS NOT NULL``.
    """
    (value,), (field,) = pivot.expressions, pivot.args["fields"]
    members = [
        (m.this.name, m.args["alias"].name) if isinstance(m, exp.PivotAlias) else (m.name, m.name)
        for m in field.expressions
    ]
    _checked({name for name, _ in members}, names)
    kept = [name for name in names if name not in {name for name, _ in members}]
    union: exp.Query | None = None
    for name, shown in members:
        listed: list[exp.Expr] = [_column(other) for other in kept]
        listed.append(_named(exp.Literal.string(shown), field.this.name))
        listed.append(_named(_column(name), value.name))
        select = exp.Select(expressions=listed).from_(item.copy())
        union = exp.Union(this=union, expression=select, distinct=False) if union else select
    built = exp.Select(expressions=[exp.Star()])
    built.set("from_", exp.From(this=exp.Subquery(this=union)))
    if not pivot.args.get("include_nulls"):
        missing = exp.Is(this=_column(value.name), expression=exp.Null())
        built.set("where", exp.Where(this=exp.Not(this=missing)))
    return built
