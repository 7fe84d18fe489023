"""Functions for JSON text and for SUPER values.

https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html
https://docs.aws.amazon.com/redshift/latest/dg/c_Type_Info_Functions.html
https://docs.aws.amazon.com/redshift/latest/dg/Array_Functions.html
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from fakeshift.dialect.grammar import call
from fakeshift.errors import RedshiftError

Args = list[exp.Expr]
Build = Callable[[Args], exp.Expr]

_MAX_PATH = 5


def _literal(text: str) -> exp.Expr:
    return exp.Literal.string(text)


def _flag(args: Args, count: int) -> tuple[Args, exp.Expr]:
    """The arguments without ``null_if_invalid``, and its value, FALSE by default."""
    if len(args) > count and isinstance(args[-1], exp.Boolean):
        return args[:-1], args[-1]
    return args, exp.false()


def _path_text(args: Args) -> exp.Expr:
    """``json_extract_path_text(a, 'b', 'c' [, true])`` -> ``rs_json_path_text(a, '$."b"."c"', true)``:
    NULL for a missing key; at most five keys. .../dg/JSON_EXTRACT_PATH_TEXT.html
    """
    args, lax = _flag(args, 1)
    value, keys = args[0], args[1:]
    if not keys:
        raise ValueError
    if len(keys) > _MAX_PATH:
        raise RedshiftError("JSON path can be nested up to five levels deep", sqlstate="22023")
    if all(key.is_string for key in keys):
        path: exp.Expr = _literal("$" + "".join(f'."{key.name}"' for key in keys))
    else:
        path = _literal("$")
        for key in keys:
            step = exp.DPipe(this=_literal('."'), expression=exp.Paren(this=key))
            path = exp.DPipe(this=exp.DPipe(this=path, expression=step), expression=_literal('"'))
        path = exp.Paren(this=path)
    return call("rs_json_path_text", value, path, lax)


def _array_text(args: Args) -> exp.Expr:
    """``json_extract_array_element_text(a, 2 [, true])``: NULL out of bounds.

    .../dg/JSON_EXTRACT_ARRAY_ELEMENT_TEXT.html
    """
    (value, position), lax = _flag(args, 2)
    if isinstance(position, exp.Neg):
        return exp.Null()
    shown = exp.Cast(this=position, to=exp.DataType.build("TEXT"))
    path = exp.DPipe(this=_literal("$["), expression=shown)
    whole = exp.Paren(this=exp.DPipe(this=path, expression=_literal("]")))
    return call("rs_json_array_text", value, whole, lax)


def _array_length(args: Args) -> exp.Expr:
    """.../dg/JSON_ARRAY_LENGTH.html"""
    (value,), lax = _flag(args, 1)
    return call("rs_json_length", value, lax)


def _one(macro: str, *more: exp.Expr) -> Build:
    def build(args: Args) -> exp.Expr:
        (value,) = args
        return call(macro, value, *(argument.copy() for argument in more))

    return build


def _integral(*sizes: int) -> Build:
    kinds = exp.Array(expressions=[exp.Literal.number(size) for size in sizes])
    return _one("rs_is_integral", kinds)


def _serialize(args: Args) -> exp.Expr:
    """``json_serialize(a)``: the value's JSON as text. .../dg/JSON_SERIALIZE.html"""
    (value,) = args
    return call("rs_json_serialize", exp.Cast(this=value, to=exp.DataType.build("TEXT")))


def _size(args: Args) -> exp.Expr:
    """``json_size(a)``: the bytes of the value's JSON. .../dg/r_json_size.html"""
    (value,) = args
    text = exp.Cast(this=value, to=exp.DataType.build("TEXT"))
    return exp.Cast(this=call("strlen", text), to=exp.DataType.build("INT"))


def _array(args: Args) -> exp.Expr:
    """``array(1, 'a')`` -> ``json_array(1, 'a')``. .../dg/r_array.html"""
    return call("json_array", *args)


def _object(args: Args) -> exp.Expr:
    """``object('a', 1)`` -> ``json_object('a', 1)``. .../dg/r_object_function.html"""
    if len(args) % 2:
        raise ValueError
    return call("json_object", *args)


def _two(macro: str) -> Build:
    def build(args: Args) -> exp.Expr:
        first, second = args
        return call(macro, first, second)

    return build


def _subarray(args: Args) -> exp.Expr:
    """``subarray(a, start [, length])``, from 0. .../dg/r_subarray.html"""
    value, start = args[0], args[1]
    size = args[2] if len(args) > 2 else exp.Literal.number(2**31)
    return call("rs_subarray", value, start, size)


def _split(args: Args) -> exp.Expr:
    """``split_to_array(text [, ','])``. .../dg/split_to_array.html"""
    value = args[0]
    delimiter = args[1] if len(args) > 1 else _literal(",")
    return call("rs_split_to_array", value, delimiter)


BUILT: dict[str, Build] = {
    "json_extract_path_text": _path_text,
    "json_extract_array_element_text": _array_text,
    "json_array_length": _array_length,
    "is_valid_json": _one("rs_is_json", _literal("OBJECT")),
    "is_valid_json_array": _one("rs_is_json", _literal("ARRAY")),
    "can_json_parse": _one("rs_json_valid"),
    "json_parse": _one("rs_json_parse"),
    "json_serialize": _serialize,
    "json_size": _size,
    "json_typeof": _one("rs_json_typeof"),
    "is_array": _one("rs_is_kind", _literal("ARRAY")),
    "is_object": _one("rs_is_kind", _literal("OBJECT")),
    "is_varchar": _one("rs_is_kind", _literal("VARCHAR")),
    "is_char": _one("rs_is_kind", _literal("VARCHAR")),
    "is_boolean": _one("rs_is_kind", _literal("BOOLEAN")),
    "is_float": _one("rs_is_float"),
    "is_decimal": _one("rs_is_decimal"),
    "is_scalar": _one("rs_is_scalar"),
    "is_smallint": _integral(2),
    "is_integer": _integral(2, 4),
    "is_bigint": _integral(2, 4, 8),
    "get_array_length": _one("rs_array_length"),
    "get_number_attributes": _one("rs_attribute_count"),
    "array": _array,
    "object": _object,
    "array_concat": _two("rs_array_concat"),
    "array_flatten": _one("rs_array_flatten"),
    "subarray": _subarray,
    "split_to_array": _split,
}
