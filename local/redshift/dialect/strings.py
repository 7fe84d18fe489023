"""String functions. https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from local.redshift.engine.errors import unsupported

Args = list[exp.Expr]


def _f(name: str, *args: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(args))


def _length(args: Args) -> exp.Expr:
    """``len(a)``, ``length(a)``: characters, not bytes. .../dg/r_LEN.html"""
    (value,) = args
    return _f("length", _f("rs_text", value))


def _concat(args: Args) -> exp.Expr:
    """``concat(a, b)`` -> ``rs_text(a) || rs_text(b)``: NULL if either is. .../dg/r_CONCAT.html"""
    first, second = args
    return exp.Paren(this=exp.DPipe(this=_f("rs_text", first), expression=_f("rs_text", second)))


def _btrim(args: Args) -> exp.Expr:
    """``btrim(a [, chars])`` -> ``trim(a [, chars])``. .../dg/r_BTRIM.html"""
    return _f("trim", *args)


def _position_of(args: Args) -> exp.Expr:
    """``strpos(a, b)`` as in DuckDB; .../dg/r_STRPOS.html"""
    return _f("strpos", args[0], args[1])


def _charindex(args: Args) -> exp.Expr:
    """``charindex(b, a)`` -> ``strpos(a, b)``. .../dg/r_CHARINDEX.html"""
    return _f("strpos", args[1], args[0])


def _substr(args: Args) -> exp.Expr:
    """``substr(a, start [, length])``. .../dg/r_SUBSTRING.html"""
    return _f("substring", *args)


def _split_part(args: Args) -> exp.Expr:
    """``split_part(a, ',', n)``: '' past the end, as in DuckDB. .../dg/SPLIT_PART.html"""
    value, delimiter, part = args
    return _f("split_part", value, delimiter, part)


def _pad(name: str) -> Callable[[Args], exp.Expr]:
    """``lpad(a, n [, fill])``: the fill is a blank by default. .../dg/r_LPAD.html"""

    def build(args: Args) -> exp.Expr:
        fill = args[2] if len(args) > 2 else exp.Literal.string(" ")
        return _f(name, args[0], args[1], fill)

    return build


def _sha(args: Args) -> exp.Expr:
    """``sha(a)``, ``sha1(a)``, ``func_sha1(a)`` -> ``sha1(a)``. .../dg/SHA1.html"""
    (value,) = args
    return _f("sha1", value)


def _sha2(args: Args) -> exp.Expr:
    """``sha2(a, 256)`` or 0 -> ``sha256(a)``. .../dg/SHA2.html"""
    value, bits = args
    if bits.name not in ("0", "256"):
        raise unsupported(f"sha2 with {bits.name} bits")
    return _f("sha256", value)


def _regexp_replace(args: Args) -> exp.Expr:
    """``regexp_replace(a, pattern [, by])`` replaces all, not the first. .../dg/REGEXP_REPLACE.html"""
    if len(args) > 3:
        raise unsupported("regexp_replace with a position")
    by = args[2] if len(args) > 2 else exp.Literal.string("")
    return _f("regexp_replace", args[0], args[1], by, exp.Literal.string("g"))


def _regexp_substr(args: Args) -> exp.Expr:
    """``regexp_substr(a, pattern)``: '' where nothing matches. .../dg/REGEXP_SUBSTR.html"""
    if len(args) > 2:
        raise unsupported("regexp_substr with a position")
    return _f("regexp_extract", args[0], args[1])


def _json_extract_path_text(args: Args) -> exp.Expr:
    """``json_extract_path_text(a, 'b', 'c')`` -> ``a ->> '$."b"."c"'``, '' for a missing key... NULL.

    .../dg/JSON_EXTRACT_PATH_TEXT.html
    """
    value, keys = args[0], args[1:]
    last_flag = keys and isinstance(keys[-1], exp.Boolean)
    if last_flag:
        keys = keys[:-1]
    if not keys or not all(key.is_string for key in keys):
        raise unsupported("json_extract_path_text with a computed path")
    path = "$" + "".join(f'."{key.name}"' for key in keys)
    return _f("json_extract_string", value, exp.Literal.string(path))


def _is_valid_json(args: Args) -> exp.Expr:
    """.../dg/IS_VALID_JSON.html"""
    (value,) = args
    return _f("json_valid", value)


BUILT: dict[str, Callable[[Args], exp.Expr]] = {
    "len": _length,
    "length": _length,
    "char_length": _length,
    "character_length": _length,
    "textlen": _length,
    "concat": _concat,
    "btrim": _btrim,
    "strpos": _position_of,
    "charindex": _charindex,
    "substr": _substr,
    "split_part": _split_part,
    "lpad": _pad("lpad"),
    "rpad": _pad("rpad"),
    "sha": _sha,
    "sha1": _sha,
    "func_sha1": _sha,
    "sha2": _sha2,
    "regexp_replace": _regexp_replace,
    "regexp_substr": _regexp_substr,
    "json_extract_path_text": _json_extract_path_text,
    "is_valid_json": _is_valid_json,
}
