"""String functions. https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from fakeshift.errors import RedshiftError, unsupported

Args = list[exp.Expr]
Build = Callable[[Args], exp.Expr]


def _f(name: str, *args: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(args))


def _text(value: exp.Expr) -> exp.Expr:
    """Any value as text, a string unchanged: other types are converted implicitly.

    https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html#r_Type_conversion
    """
    if isinstance(value, exp.Literal) and value.is_string:
        return value
    return _f("rs_text", value)


def _of_text(name: str, least: int, most: int, *, texts: tuple[int, ...] = (0,)) -> Build:
    """``upper(a)`` -> ``upper(rs_text(a))``; ``texts`` are the positions of text arguments."""

    def build(args: Args) -> exp.Expr:
        if not least <= len(args) <= most:
            raise ValueError
        return _f(name, *(_text(a) if n in texts else a for n, a in enumerate(args)))

    return build


def _integer(value: exp.Expr) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build("INT"))


def _length(args: Args) -> exp.Expr:
    """``len(a)``, ``length(a)``: characters, not bytes. .../dg/r_LEN.html"""
    (value,) = args
    return _integer(_f("length", _f("rs_text", value)))


def _concat(args: Args) -> exp.Expr:
    """``concat(a, b)`` -> ``rs_text(a) || rs_text(b)``: NULL if either is. .../dg/r_CONCAT.html"""
    first, second = args
    return exp.Paren(this=exp.DPipe(this=_f("rs_text", first), expression=_f("rs_text", second)))


def _btrim(args: Args) -> exp.Expr:
    """``btrim(a [, chars])`` -> ``trim(a [, chars])``. .../dg/r_BTRIM.html"""
    return _f("trim", _text(args[0]), *args[1:])


def _position_of(args: Args) -> exp.Expr:
    """``strpos(a, b)`` as in DuckDB; .../dg/r_STRPOS.html"""
    return _integer(_f("strpos", _text(args[0]), _text(args[1])))


def _charindex(args: Args) -> exp.Expr:
    """``charindex(b, a)`` -> ``strpos(a, b)``. .../dg/r_CHARINDEX.html"""
    return _integer(_f("strpos", _text(args[1]), _text(args[0])))


def substring(node: exp.Substring) -> exp.Expr:
    """``SUBSTRING(a FROM 2 FOR 3)`` -> ``rs_substring(rs_text(a), 2, 3)``."""
    return _substr([node.this, *(node.args[k] for k in ("start", "length") if node.args.get(k))])


def _substr(args: Args) -> exp.Expr:
    """``substr(a, start [, length])``: positions before the first character count.

    .../dg/r_SUBSTRING.html
    """
    value, place = _f("rs_text", args[0]), args[1:]
    return _f("rs_substring" if len(place) > 1 else "rs_substring_from", value, *place)


def _split_part(args: Args) -> exp.Expr:
    """``split_part(a, ',', n)``: '' past the end, counted from 1. .../dg/SPLIT_PART.html"""
    value, delimiter, part = args
    return _f("rs_split_part", _text(value), delimiter, part)


def _pad(name: str) -> Callable[[Args], exp.Expr]:
    """``lpad(a, n [, fill])``: the fill is a blank by default. .../dg/r_LPAD.html"""

    def build(args: Args) -> exp.Expr:
        fill = args[2] if len(args) > 2 else exp.Literal.string(" ")
        return _f(name, _text(args[0]), args[1], _text(fill))

    return build


def _sha(args: Args) -> exp.Expr:
    """``sha(a)``, ``sha1(a)``, ``func_sha1(a)`` -> ``sha1(a)``. .../dg/SHA1.html"""
    (value,) = args
    return _f("sha1", _text(value))


def _sha2(args: Args) -> exp.Expr:
    """``sha2(a, 256)`` or 0 -> ``sha256(a)``; '' for other numbers of bits. .../dg/SHA2.html"""
    value, bits = args
    if bits.name.isdigit() and bits.name not in ("0", "224", "256", "384", "512"):
        return _f("left", _f("rs_text", value), exp.Literal.number(0))
    if bits.name not in ("0", "256"):
        raise unsupported(f"sha2 with {bits.name} bits")
    return _f("sha256", _text(value))


def _options(args: Args, place: int) -> tuple[str, str]:
    """The ``parameters`` of a regular expression's function, and DuckDB's options for them.

    Raises RedshiftError for a PCRE pattern with lookaround, which RE2 does not have.
    """
    given = args[place].name if len(args) > place else ""
    pattern = args[1]
    if pattern.is_string and re.search(r"\(\?<?[=!]", pattern.name):
        raise unsupported("a regular expression that looks ahead or behind")
    if set(given) - set("ceip"):
        raise RedshiftError(f"invalid regular expression parameters: {given}", sqlstate="22023")
    return given, "i" if "i" in given else "c"


def _at(args: Args, place: int) -> exp.Expr:
    return args[place] if len(args) > place else exp.Literal.number(1)


def _regexp_replace(args: Args) -> exp.Expr:
    """``regexp_replace(a, pattern [, by [, position [, parameters]]])`` replaces all, not the first.

    .../dg/REGEXP_REPLACE.html
    """
    _, options = _options(args, 4)
    by = args[2] if len(args) > 2 else exp.Literal.string("")
    if by.is_string and re.search(r"[\\$]\d", by.name) and "(" in args[1].name:
        raise unsupported("a back-reference in regexp_replace")  # its form is not documented
    flags = exp.Literal.string("g" + options)
    if len(args) < 4:
        return _f("regexp_replace", _text(args[0]), args[1], by, flags)
    return _f("rs_regexp_replace", _text(args[0]), args[1], by, args[3], flags)


def _regexp_substr(args: Args) -> exp.Expr:
    """``regexp_substr(a, pattern [, position [, occurrence [, parameters]]])``: '' if nothing
    matches. .../dg/REGEXP_SUBSTR.html
    """
    given, options = _options(args, 4)
    group = exp.Literal.number(1 if "e" in given and "(" in args[1].name else 0)
    place, occurrence = _at(args, 2), _at(args, 3)
    flags = exp.Literal.string(options)
    return _f("rs_regexp_substr", _text(args[0]), args[1], place, occurrence, group, flags)


def _regexp_count(args: Args) -> exp.Expr:
    """``regexp_count(a, pattern [, position [, parameters]])``. .../dg/REGEXP_COUNT.html"""
    _, options = _options(args, 3)
    value = _text(args[0])
    value = _f("rs_substring_from", value, args[2]) if len(args) > 2 else value
    return _integer(_f("rs_regexp_count", value, args[1], exp.Literal.string(options)))


def _regexp_instr(args: Args) -> exp.Expr:
    """``regexp_instr(a, pattern [, position [, occurrence [, option [, parameters]]]])``: 0 if nothing
    matches; option 1 gives the position after the match. .../dg/REGEXP_INSTR.html
    """
    _, options = _options(args, 5)
    after = args[4] if len(args) > 4 else exp.Literal.number(0)
    places = [_at(args, 2), _at(args, 3), after, exp.Literal.string(options)]
    return _integer(_f("rs_regexp_instr", _text(args[0]), args[1], *places))


def _to_hex(args: Args) -> exp.Expr:
    """``to_hex(n)``: in lower case. .../dg/r_TO_HEX.html"""
    (value,) = args
    return _f("lower", _f("to_hex", value))


def _strtol(args: Args) -> exp.Expr:
    """``strtol('abcd', 16)``. .../dg/r_STRTOL.html"""
    value, base = args
    return _f("rs_strtol", _text(value), base)


def _octet_length(args: Args) -> exp.Expr:
    """``octet_length(a)``: bytes. .../dg/r_OCTET_LENGTH.html"""
    (value,) = args
    return _integer(_f("strlen", _text(value)))


def position(node: exp.StrPosition) -> exp.Expr:
    """``POSITION('a' IN b)``. .../dg/r_POSITION.html"""
    return _integer(_f("strpos", _text(node.this), _text(node.args["substr"])))


def _fnv_hash(args: Args) -> exp.Expr:
    """``fnv_hash(a [, seed])``: of a value's bytes in its type. .../dg/r_FNV_HASH.html"""
    value, seed = args[0], args[1] if len(args) > 1 else exp.Literal.number(-3750763034362895579)
    return _f("rs_fnv", _f("rs_bytes", value), seed)


def _crc32(args: Args) -> exp.Expr:
    """``crc32(a)``: CRC-32C, eight hexadecimal digits. .../dg/crc32-function.html"""
    (value,) = args
    return _f("rs_crc32", _f("rs_bytes", _text(value)))


def _soundex(args: Args) -> exp.Expr:
    """.../dg/SOUNDEX.html"""
    (value,) = args
    return _f("rs_soundex", _text(value))


def _difference(args: Args) -> exp.Expr:
    """``difference(a, b)``: the number of equal positions in their Soundex codes. .../dg/DIFFERENCE.html"""
    first, second = args
    codes = [_f("rs_soundex", _text(one)) for one in (first, second)]
    return _integer(_f("rs_difference", *codes))


def trim(node: exp.Trim) -> exp.Expr:
    """``TRIM(BOTH 'x' FROM n)`` -> ``TRIM(BOTH 'x' FROM rs_text(n))``. .../dg/r_TRIM.html"""
    node.set("this", _text(node.this))
    return node


BUILT: dict[str, Build] = {
    "upper": _of_text("upper", 1, 1),
    "lower": _of_text("lower", 1, 1),
    "initcap": _of_text("rs_initcap", 1, 1),
    "reverse": _of_text("reverse", 1, 1),
    "ascii": _of_text("ascii", 1, 1),
    "md5": _of_text("md5", 1, 1),
    "left": _of_text("left", 2, 2),
    "right": _of_text("right", 2, 2),
    "repeat": _of_text("repeat", 2, 2),
    "replicate": _of_text("repeat", 2, 2),
    "ltrim": _of_text("ltrim", 1, 2, texts=(0, 1)),
    "rtrim": _of_text("rtrim", 1, 2, texts=(0, 1)),
    "replace": _of_text("replace", 3, 3, texts=(0, 1, 2)),
    "translate": _of_text("translate", 3, 3, texts=(0, 1, 2)),
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
    "quote_ident": _of_text("rs_quote_ident", 1, 1),
    "quote_literal": _of_text("rs_quote_literal", 1, 1),
    "fnv_hash": _fnv_hash,
    "crc32": _crc32,
    "soundex": _soundex,
    "difference": _difference,
    "regexp_replace": _regexp_replace,
    "regexp_substr": _regexp_substr,
    "regexp_count": _regexp_count,
    "regexp_instr": _regexp_instr,
    "to_hex": _to_hex,
    "octet_length": _octet_length,
    "strtol": _strtol,
}
