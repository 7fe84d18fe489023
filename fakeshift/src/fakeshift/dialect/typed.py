"""Calls of overloaded macros with values whose type DuckDB does not know yet.

DuckDB selects an overload before it knows the types of aggregates and windows: any overload fits
them, and it uses the first. A lambda's parameter has a type.
"""

from __future__ import annotations

import re

from sqlglot import exp

from fakeshift.dialect.grammar import Call, Settled
from fakeshift.engine.macros import MACROS

_AGGREGATES = frozenset(
    {"count", "sum", "min", "max", "string_agg", "list", "any_value", "median", "quantile_cont",
     "quantile_disc", "stddev_samp", "stddev_pop", "var_samp", "var_pop", "bool_and", "bool_or",
     "bit_and", "bit_or", "grouping"}
)  # fmt: skip
_HEAD = re.compile(r"MACRO\s+(\w+)\((\w+)( [A-Z]+)?")


def _overloaded() -> frozenset[str]:
    """The macros that depend on their first argument's type, directly or not."""
    heads = [(match, macro) for macro in MACROS if (match := _HEAD.search(macro))]
    found = {match[1] for match, _ in heads if match[3]}
    while True:
        calls = re.compile(rf"\b({'|'.join(found)})\((\w+)\b")
        more = {
            head[1]
            for head, macro in heads
            if any(call[2] == head[2] for call in calls.finditer(macro, head.end()))
        }
        if more <= found:
            return frozenset(found)
        found |= more


_NAMES = _overloaded()


def settle(tree: exp.Expr) -> None:
    """``rs_int4(max(x))`` -> ``list_extract(list_transform([max(x)], lambda rs_v: rs_int4(rs_v)), 1)``.

    Changes the tree, which is in DuckDB's terms.
    """
    for node in reversed(list(tree.walk(bfs=True))):
        if not isinstance(node, (exp.Anonymous, Call)) or node is tree:
            continue
        name = str(node.args["this"])
        if name in _NAMES and node.expressions and _is_open(node.expressions[0]):
            first, *others = node.expressions
            node.replace(Settled(this=name, value=first, expressions=others))


def _is_open(value: exp.Expr) -> bool:
    """Whether a value contains an aggregate or a window."""
    for node in value.walk(prune=lambda inner: isinstance(inner, exp.Query)):
        if isinstance(node, exp.Window):
            return True
        if isinstance(node, exp.Anonymous) and str(node.this).lower() in _AGGREGATES:
            return True
    return False
