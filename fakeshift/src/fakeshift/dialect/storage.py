"""Converts a value for storing it in a column."""

from __future__ import annotations

from sqlglot import exp

from fakeshift.dialect.grammar import call
from fakeshift.sql.nodes import Column


def store(value: exp.Expr, column: Column) -> exp.Expr:
    """``value`` as its column stores it: ``rs_store_varchar(CAST(x AS VARCHAR), 10)``.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html: too long is an error,
    unless only blanks exceed the length.
    """
    kind = column.type
    if kind.is_text:
        text = exp.Anonymous(this="rs_text", expressions=[value])
        size = exp.Literal.number(kind.length)
        verb = "keep" if isinstance(value, (exp.Column, exp.Literal)) else "store"
        return exp.Anonymous(this=f"rs_{verb}_{kind.name}", expressions=[text, size])
    if kind.name in ("int2", "int4", "int8", "float4", "float8"):
        return exp.Anonymous(this=f"rs_{kind.name}", expressions=[value])
    if kind.name in ("date", "timestamp", "timestamptz") and not isinstance(value, exp.Column):
        return call(f"rs_{kind.name}", value)
    if kind.name == "super":
        return call("rs_super", value)
    return exp.Cast(this=value, to=exp.DataType.build(kind.duckdb, dialect="duckdb"))
