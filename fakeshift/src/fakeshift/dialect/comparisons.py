"""Comparisons of numbers with text.

https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html#r_Type_conversion: "If you
compare numeric values with character strings, the numeric values are converted to character strings"
"""

from __future__ import annotations

from sqlglot import exp

from fakeshift.dialect.columns import type_of
from fakeshift.dialect.scope import Scope
from fakeshift.dialect.supers import Finder

_BINARY = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})
_TEXT, _NUMBER = "text", "number"


def convert(tree: exp.Expr, scope: Scope) -> None:
    """``varchar_column = 2`` -> ``varchar_column = 2::varchar``. Changes the tree.

    Only if both sides are columns, casts or numbers; a string literal gets the number's type.
    """
    if tree.find(exp.Unnest):  # of SUPER, whose names ``supers`` resolves
        return
    finder = Finder(scope)
    for node in list(tree.find_all(*_BINARY, exp.In, exp.Between)):
        compared = sides(node)
        if not isinstance(node.parent, exp.Update) and all(compared):
            kinds = [_kind(side, finder) for side in compared]
            if _TEXT in kinds and _NUMBER in kinds:
                _as_text([s for s, k in zip(compared, kinds, strict=True) if k == _NUMBER])


def sides(node: exp.Expr) -> list[exp.Expr]:
    """The operands of a comparison, the value of IN and BETWEEN first."""
    if isinstance(node, exp.In):
        return [node.this, *node.expressions]
    keys = ("this", "low", "high") if isinstance(node, exp.Between) else ("this", "expression")
    return [node.args[key] for key in keys]


def _kind(node: exp.Expr, finder: Finder) -> str:
    if isinstance(node, (exp.Literal, exp.Neg)):
        inner = node.this if isinstance(node, exp.Neg) else node
        return _NUMBER if isinstance(inner, exp.Literal) and not inner.is_string else ""
    known = type_of(node, finder)
    if known is None:
        return ""
    return _TEXT if known.is_text else _NUMBER if known.name in _NUMBERS else ""


def _as_text(sides: list[exp.Expr]) -> None:
    for side in sides:
        side.replace(exp.Cast(this=side.copy(), to=exp.DataType.build("TEXT")))
