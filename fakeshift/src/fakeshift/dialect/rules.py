"""Rewrites every expression from the leaves up; the only list of rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from fakeshift.dialect import casts, dates, functions, intervals, operators, strings, typed, zones
from fakeshift.dialect.scope import Scope
from fakeshift.errors import RedshiftError, syntax_error, unsupported

Rule = Callable[[Any], exp.Expr]

_BY_CLASS: dict[type[exp.Expr], Rule] = {
    exp.Cast: casts.cast,
    exp.TryCast: casts.try_cast,
    exp.DPipe: operators.concatenate,
    exp.Case: operators.eager_case,
    exp.Extract: dates.extract,
    exp.Interval: intervals.interval,
    exp.AtTimeZone: zones.at_time_zone,
    exp.CurrentDate: dates.current_date,
    exp.SimilarTo: operators.similar_to,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), operators.comparison),
    **dict.fromkeys((exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike), operators.like),
    exp.Escape: operators.escape,
    exp.Between: operators.between,
    exp.In: operators.among,
    exp.Substring: strings.substring,
    exp.StrPosition: strings.position,
    exp.Trim: strings.trim,
    exp.Add: operators.add,
    **dict.fromkeys((exp.Sub, exp.Mul, exp.Div, exp.Mod), operators.arithmetic),
    exp.WithinGroup: functions.within_group,
    exp.Window: functions.window,
}

_REFUSED: dict[type[exp.Expr], str] = {
    exp.Array: "ARRAY constructor",
    exp.Bracket: "array subscript",
    exp.Lateral: "LATERAL",
    exp.Pivot: "PIVOT",
    exp.Lock: "FOR UPDATE",
    exp.Lambda: "a lambda",
    exp.Struct: "STRUCT",
    exp.Collate: "COLLATE",
}


def apply(tree: exp.Expr, scope: Scope | None) -> exp.Expr:
    """The tree in DuckDB's terms. ``scope`` is None for a column's default, which may
    not use the session. Raises RedshiftError for what Redshift or this server does not support.
    """
    nodes = list(tree.walk(bfs=True))
    for node in reversed(nodes):
        changed = _rewrite(node, scope)
        if changed is node:
            continue
        if node is tree:
            tree = changed
        else:
            node.replace(changed)
    typed.settle(tree)
    return tree


_NOT_THERE: dict[type[exp.Expr], str] = {
    exp.TableSample: "TABLESAMPLE",
    exp.Filter: "(",
    exp.Values: "VALUES",
    exp.Fetch: "FETCH",
}
"""What Redshift's grammar does not have, and the word in its syntax error.

https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
"""


def _rewrite(node: exp.Expr, scope: Scope | None) -> exp.Expr:
    refused = next((what for kind, what in _REFUSED.items() if isinstance(node, kind)), "")
    if refused:
        raise unsupported(refused)
    near = _NOT_THERE.get(type(node))
    if near and not (isinstance(node, exp.Values) and isinstance(node.parent, exp.Insert)):
        raise syntax_error(near)
    if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)):
        raise RedshiftError("IS DISTINCT FROM is not supported", sqlstate="0A000")
    if isinstance(node, (exp.Except, exp.Intersect)) and not node.args.get("distinct"):
        word = type(node).__name__.upper()
        raise RedshiftError(f"{word} ALL is not supported", sqlstate="0A000")
    if isinstance(node, exp.SetOperation):
        _refuse_inner_limit(node)
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        raise RedshiftError("SELECT DISTINCT ON is not supported", sqlstate="0A000")
    if isinstance(node, exp.Anonymous):
        return functions.call(node, scope)
    if isinstance(node, exp.CurrentSchema):
        return functions.call(exp.Anonymous(this="current_schema"), scope)
    if isinstance(node, (exp.CurrentUser, exp.SessionUser)):
        return functions.call(exp.Anonymous(this="current_user"), scope)
    rule = _BY_CLASS.get(type(node))
    return rule(node) if rule else node


def _refuse_inner_limit(node: exp.SetOperation) -> None:
    """``(SELECT ... LIMIT 10) UNION SELECT ...`` fails.

    https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html#r_UNION-usage-notes
    """
    for side in (node.this, node.expression):
        query = side.this if isinstance(side, exp.Subquery) else side
        if isinstance(query, exp.Query) and (query.args.get("limit") or query.args.get("offset")):
            raise RedshiftError(
                "LIMIT may not be used within input to set operations.", sqlstate="0A000"
            )
