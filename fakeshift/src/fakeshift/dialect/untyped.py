"""A string without a type gets the type of the number beside it, in arithmetic and comparisons.

So does a parameter's value, which the Data API passes as text: "the parameter values are implicitly cast"
(https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations-parameters).
"""

from __future__ import annotations

import re

from sqlglot import exp

from fakeshift.dialect.columns import type_of
from fakeshift.dialect.comparisons import sides
from fakeshift.dialect.grammar import Value, is_whole
from fakeshift.dialect.scope import Scope
from fakeshift.dialect.supers import Finder
from fakeshift.errors import RedshiftError
from fakeshift.sql.datatypes import DataType

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between)
_WHOLE = {"int2": "SMALLINT", "int4": "INT", "int8": "BIGINT"}
_FLOAT = {"float4": "FLOAT", "float8": "DOUBLE"}
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*")


def convert(tree: exp.Expr, scope: Scope) -> None:
    """``n + '1'`` -> ``n + '1'::int``, ``price * '1.5'`` -> ``price * 1.5``, ``n = '1.5'`` -> ``n = '1.5'::int``,
    which fails. Changes the tree.

    Only beside a column, a cast or a number, which have a known type.
    """
    if tree.find(exp.Unnest):  # of SUPER, whose names ``supers`` resolves
        return
    finder = Finder(scope)
    for node in list(tree.find_all(*_ARITHMETIC)):
        this, other = node.this, node.args["expression"]
        for text, number in ((this, other), (other, this)):
            if isinstance(text, exp.Literal) and text.is_string:
                _make_number(text, _type_name(number, finder))
    for compared in tree.find_all(*_COMPARISONS):
        if not isinstance(compared.parent, exp.Update):  # an assignment
            first, *others = sides(compared)
            for text, number in [(first, each) for each in others] + [
                (each, first) for each in others
            ]:
                if isinstance(text, exp.Literal) and text.is_string:
                    _refuse_others(text, _type_name(number, finder))


def _type_name(node: exp.Expr, finder: Finder) -> str:
    if isinstance(node, exp.Literal) and not isinstance(node, Value) and not node.is_string:
        return "int4" if node.name.isdigit() and int(node.name) < 2**31 else "numeric"
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.INT:
        return "int4"
    known = type_of(node, finder)
    return known.name if known else ""


def _make_number(text: exp.Literal, name: str) -> None:
    _refuse_others(text, name)
    if name in _WHOLE or name in _FLOAT:
        kind = exp.DataType.build({**_WHOLE, **_FLOAT}[name])
        text.replace(exp.Cast(this=text.copy(), to=kind))
    elif name == "numeric" and _NUMBER.fullmatch(text.name):
        text.replace(exp.Literal.number(text.name.strip()))


def _refuse_others(text: exp.Literal, name: str) -> None:
    """DuckDB would round '1.5' to a whole number."""
    if name in _WHOLE and not is_whole(text):
        spoken = DataType(name).spoken
        message = f'invalid input syntax for type {spoken}: "{text.name}"'
        raise RedshiftError(message, sqlstate="22P02")
