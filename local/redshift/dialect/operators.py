"""Operators and CASE."""

from __future__ import annotations

import re

from sqlglot import exp

from local.redshift.dialect.grammar import Value, to_duckdb

_NUMBER_OR_DATE = re.compile(r"\s*[+-]?\d")
_MAY_FAIL = ("rs_int2", "rs_int4", "rs_int8", "rs_float4", "rs_float8", "rs_date", "rs_timestamp")


def concatenate(node: exp.DPipe) -> exp.Expr:
    """``'n: ' || 1.0`` -> ``'n: ' || rs_text(1.0)``: numbers are written as Redshift writes them.

    https://docs.aws.amazon.com/redshift/latest/dg/r_concat_op.html
    """
    for side in ("this", "expression"):
        operand = node.args[side]
        if not isinstance(operand, (exp.Literal, exp.DPipe)) or (
            isinstance(operand, exp.Literal) and not operand.is_string
        ):
            node.set(side, exp.Anonymous(this="rs_text", expressions=[operand]))
    return node


def add(node: exp.Add) -> exp.Expr:
    """``firstname + ' ' + lastname`` -> ``firstname || ' ' || lastname``: + joins strings too.

    Known by a literal that is neither number nor interval; the example of dg/r_NVL2.html.
    """
    if any(_is_text(node.args[side]) for side in ("this", "expression")):
        return concatenate(exp.DPipe(this=node.this, expression=node.expression))
    return node


def _is_text(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren):
        return _is_text(node.this)
    if isinstance(node, Value):
        return False
    if isinstance(node, exp.Literal):
        return bool(node.is_string) and not _NUMBER_OR_DATE.match(node.name)
    return isinstance(node, exp.DPipe)


def eager_case(node: exp.Case) -> exp.Expr:
    """``CASE WHEN c THEN CAST(x AS INT) ELSE 0 END`` evaluates the cast for every row.

    -> ``CASE WHEN hash(CAST(x AS INT)) IS NULL THEN NULL WHEN c THEN CAST(x AS INT) ELSE 0 END``:
    hash is never NULL, but has to be computed. Redshift fails on branches that are not taken
    (seen on real clusters, exmergo/dex#307). Approximate: what has a subquery, a window or another
    CASE inside stays lazy.
    """
    branches = [when.args["true"] for when in node.args["ifs"]]
    if node.args.get("default") is not None:
        branches.append(node.args["default"])
    risky = {to_duckdb(call): call for branch in branches for call in _may_fail(branch)}
    if not risky or node.args.get("this") is not None:
        return node
    hashed = exp.Anonymous(this="hash", expressions=[call.copy() for call in risky.values()])
    first = exp.If(this=exp.Is(this=hashed, expression=exp.Null()), true=exp.Null())
    node.set("ifs", [first, *node.args["ifs"]])
    return node


def _may_fail(branch: exp.Expr) -> list[exp.Expr]:
    """The casts and divisions of a branch."""
    found: list[exp.Expr] = []
    for node in branch.find_all(exp.Anonymous, exp.Div, exp.Mod):
        cast = isinstance(node, exp.Anonymous) and str(node.this).lower() in _MAY_FAIL
        fails = cast or isinstance(node, (exp.Div, exp.Mod))
        if fails and not node.find(exp.Query, exp.Window, exp.Case):
            found.append(node)
    return found


def similar_to(node: exp.SimilarTo) -> exp.Expr:
    """``a SIMILAR TO 'x%(b|c)_'`` -> ``regexp_full_match(a, 'x.*(b|c).')``.

    https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions-similar-to.html
    """
    pattern = node.expression
    if not pattern.is_string:
        return node
    converted = pattern.name.replace("%", ".*").replace("_", ".")
    return exp.Anonymous(
        this="regexp_full_match", expressions=[node.this, exp.Literal.string(converted)]
    )
