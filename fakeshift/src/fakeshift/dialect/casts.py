"""CAST, ``::`` and typed literals.

https://docs.aws.amazon.com/redshift/latest/dg/r_CAST_function.html
https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

from __future__ import annotations

import re

from sqlglot import exp

from fakeshift.dialect import intervals
from fakeshift.dialect.grammar import Value, call, fits, is_word
from fakeshift.errors import RedshiftError, unsupported

_Type = exp.DataType.Type

_MACROS = {
    _Type.SMALLINT: "rs_int2",
    _Type.INT: "rs_int4",
    _Type.BIGINT: "rs_int8",
    _Type.FLOAT: "rs_float4",
    _Type.DOUBLE: "rs_float8",
}
_TRIED = {
    **{kind: name.replace("rs_", "rs_try_") for kind, name in _MACROS.items()},
    _Type.BOOLEAN: "rs_bool",
    _Type.DATE: "rs_try_date",
    _Type.TIMESTAMP: "rs_try_timestamp",
    _Type.TIMESTAMPTZ: "rs_try_timestamptz",
}
_PLAIN = frozenset({_Type.DATE, _Type.TIME, _Type.TIMESTAMP, _Type.TIMESTAMPTZ, _Type.INTERVAL})
_MOMENTS = {_Type.DATE: "rs_date", _Type.TIMESTAMP: "rs_timestamp"}
_ISO = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}")
_ZONE = re.compile(r":.*[A-Za-z+-]")
"""A time with a zone: TIMESTAMP ignores it."""
_LONG_FRACTION = re.compile(r"\.\d{7}")
_TEXT = frozenset({_Type.VARCHAR, _Type.TEXT, _Type.NVARCHAR})
_CHAR = frozenset({_Type.CHAR, _Type.NCHAR, _Type.BPCHAR})
_EPOCH = "1970-01-01 00:00:00"


def cast(node: exp.Cast) -> exp.Expr:
    """``CAST(x AS INT)`` -> ``rs_int4(x)``, ``x::VARCHAR(3)`` -> ``rs_cast_left_bytes(x, 3)``,
    ``TIMESTAMP 'epoch'`` -> ``CAST('1970-01-01 00:00:00' AS TIMESTAMP)``.

    A cast to a character type truncates silently, unlike storing. NUMERIC without a scale is (18, 0).
    """
    kind = node.to.this
    if kind in _MACROS:
        return exp.Anonymous(this=_MACROS[kind], expressions=[node.this])
    if kind in _TEXT or kind in _CHAR:
        return _to_text(node)
    if kind == _Type.DECIMAL:
        return _to_numeric(node)
    if kind == _Type.BOOLEAN:
        return node if _is_literal(node.this) else call("rs_bool", node.this)
    if kind in (_Type.TIMESTAMP, _Type.TIMESTAMPTZ) and is_word(node.this, "epoch"):
        node.set("this", exp.Literal.string(_EPOCH))
        return node
    if kind == _Type.TIMESTAMPTZ and not _is_iso(node.this):
        return call("rs_timestamptz", node.this)
    if kind == _Type.INTERVAL and node.this.is_string:
        return intervals.literal(node.this.name)
    if kind in _MOMENTS and not _is_iso(node.this):
        return call(_MOMENTS[kind], node.this)
    if kind in _PLAIN:
        return node
    if kind == _Type.USERDEFINED:
        raise RedshiftError(f'type "{node.to.args.get("kind")}" does not exist', sqlstate="42704")
    raise unsupported(f"a cast to {node.to.sql('redshift')}")


def _is_iso(node: exp.Expr) -> bool:
    """Whether a literal is also a date for DuckDB."""
    if isinstance(node, Value) or not isinstance(node, exp.Literal):
        return False
    return (
        bool(_ISO.match(node.name))
        and not _ZONE.search(node.name)
        and not _LONG_FRACTION.search(node.name)
    )


def try_cast(node: exp.TryCast) -> exp.Expr:
    """``TRY_CAST(x AS INT)`` -> ``rs_try_int4(x)``: NULL where the cast would fail.

    https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html
    """
    kind = node.to.this
    if kind in _TRIED:
        return call(_TRIED[kind], node.this)
    if kind in _TEXT or kind in _CHAR:
        return _to_text(node)
    if kind == _Type.DECIMAL:
        node.set("to", _numeric_type(node.to))
        return node
    if kind == _Type.TIME:
        return node
    raise unsupported(f"TRY_CAST to {node.to.sql('redshift')}")


def _is_literal(node: exp.Expr) -> bool:
    """Whether a value is a constant, whose type the cast decides: ``'true'::bool``."""
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, (exp.Literal, exp.Null))


def _to_text(node: exp.Cast) -> exp.Expr:
    sizes = node.to.expressions
    size = int(sizes[0].name) if sizes and sizes[0].name.isdigit() else 0
    if node.to.this in _CHAR and node.to.this != _Type.BPCHAR:
        size = size or 1
    if not size:
        return exp.Anonymous(this="rs_cast_text", expressions=[node.this])
    if node.to.this in _CHAR:
        return exp.Anonymous(this="rs_cast_char", expressions=[node.this, exp.Literal.number(size)])
    if fits(node.this, size):
        return exp.Cast(this=node.this, to=exp.DataType.build("TEXT"))
    return exp.Anonymous(
        this="rs_cast_left_bytes", expressions=[node.this, exp.Literal.number(size)]
    )


def _to_numeric(node: exp.Cast) -> exp.Expr:
    node.set("to", _numeric_type(node.to))
    return node


def _numeric_type(to: exp.DataType) -> exp.DataType:
    sizes = [size.name for size in to.expressions]
    precision, scale = (*sizes, "18", "0")[:2] if not sizes else (sizes[0], (*sizes, "0")[1])
    return exp.DataType(
        this=_Type.DECIMAL,
        expressions=[
            exp.DataTypeParam(this=exp.Literal.number(precision)),
            exp.DataTypeParam(this=exp.Literal.number(scale)),
        ],
    )
