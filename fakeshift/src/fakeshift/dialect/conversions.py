"""Casts between types that Redshift does not convert, where the types are known before the query runs.

https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html lists the conversions of TRY_CAST. For CAST there is
no such list: ``_NO_CAST`` has what is reported (https://github.com/fivetran/dbt_stripe/issues/79,
https://github.com/dbt-labs/dbt-utils/issues/1016). ``engine.macros`` refuses the same casts of other expressions
when a row has such a value.
"""

from __future__ import annotations

from sqlglot import exp

from fakeshift.dialect.columns import type_of
from fakeshift.dialect.scope import Scope
from fakeshift.dialect.supers import Finder
from fakeshift.errors import RedshiftError
from fakeshift.sql.datatypes import DataType

_Type = exp.DataType.Type
_TARGETS = {
    _Type.BOOLEAN: "bool",
    _Type.SMALLINT: "int2",
    _Type.INT: "int4",
    _Type.BIGINT: "int8",
    _Type.DECIMAL: "numeric",
    _Type.FLOAT: "float4",
    _Type.DOUBLE: "float8",
    _Type.DATE: "date",
    _Type.TIME: "time",
    _Type.TIMESTAMP: "timestamp",
    _Type.TIMESTAMPTZ: "timestamptz",
    **dict.fromkeys((_Type.VARCHAR, _Type.TEXT, _Type.NVARCHAR), "varchar"),
    **dict.fromkeys((_Type.CHAR, _Type.NCHAR, _Type.BPCHAR), "bpchar"),
}
_INTEGERS = frozenset({"int2", "int4", "int8"})
_NUMBERS = _INTEGERS | {"numeric", "float4", "float8"}
_TEXT = frozenset({"varchar", "bpchar"})
_MOMENTS = frozenset({"date", "time", "timestamp", "timestamptz"})

_NO_CAST = {"bool": _TEXT, **dict.fromkeys(_TEXT, frozenset({"bool"}))}
_TRIED = {
    "bool": _INTEGERS,
    **dict.fromkeys(_INTEGERS, _NUMBERS | _TEXT | {"bool"}),
    **dict.fromkeys(_NUMBERS - _INTEGERS, _NUMBERS | _TEXT),
    **dict.fromkeys(_TEXT, _NUMBERS | _TEXT | _MOMENTS),
    "date": _TEXT | {"timestamp", "timestamptz"},
    "time": _TEXT | {"time"},
    "timestamp": _TEXT | {"timestamptz", "date", "time"},
    "timestamptz": _TEXT | {"timestamp", "date", "time"},
}


def refuse(tree: exp.Expr, scope: Scope) -> None:
    """Raises RedshiftError for ``varchar_column::boolean``, ``TRY_CAST(boolean_column AS VARCHAR)``."""
    finder = Finder(scope)
    for node in tree.find_all(exp.Cast):
        target = _TARGETS.get(node.to.this)
        source = _source(node.this, finder) if target else None
        if source is None or source.name == target:
            continue
        if isinstance(node, exp.TryCast):
            refused = target not in _TRIED.get(source.name, {target})
        else:
            refused = target in _NO_CAST.get(source.name, ())
        if refused:
            kinds = (source, DataType(str(target)))
            from_, to = (kind.spoken.split("(")[0] for kind in kinds)  # without a length
            raise RedshiftError(f"cannot cast type {from_} to {to}", sqlstate="42846")


def _source(node: exp.Expr, finder: Finder) -> DataType | None:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Cast) and node.to.this in _TARGETS:
        return DataType(_TARGETS[node.to.this])
    if isinstance(node, exp.Boolean):
        return DataType("bool")
    return type_of(node, finder)
