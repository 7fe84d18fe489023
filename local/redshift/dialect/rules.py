"""Every expression rewritten from the leaves up: the one place that knows the list of rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local.redshift.dialect import casts, dates, functions, operators, strings
from local.redshift.dialect.scope import Scope
from local.redshift.engine.errors import RedshiftError, syntax_error, unsupported

Rule = Callable[[Any], exp.Expr]

_BY_CLASS: dict[type[exp.Expr], Rule] = {
    exp.Cast: casts.cast,
    exp.TryCast: casts.try_cast,
    exp.DPipe: operators.concatenate,
    exp.Case: operators.eager_case,
    exp.Extract: dates.extract,
    exp.CurrentDate: dates.current_date,
    exp.SimilarTo: operators.similar_to,
    exp.Substring: strings.substring,
    exp.StrPosition: strings.position,
    exp.Add: operators.add,
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
}


def apply(tree: exp.Expr, scope: Scope | None) -> exp.Expr:
    """The tree in DuckDB's terms. ``scope`` is None for a column's default, which may
    not ask the session anything. Raises RedshiftError for what Redshift or we do not have.
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
    return tree


_NOT_THERE: dict[type[exp.Expr], str] = {
    exp.TableSample: "TABLESAMPLE",
    exp.Filter: "(",
    exp.Values: "VALUES",
    exp.Fetch: "FETCH",
}
"""What Redshift's grammar does not have, and the word at which it stops.

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
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        raise RedshiftError("SELECT DISTINCT ON is not supported", sqlstate="0A000")
    if isinstance(node, exp.Anonymous):
        return functions.call(node, scope)
    if isinstance(node, (exp.CurrentUser, exp.SessionUser)):
        return functions.call(exp.Anonymous(this="current_user"), scope)
    rule = _BY_CLASS.get(type(node))
    return rule(node) if rule else node
