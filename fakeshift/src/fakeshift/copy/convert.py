"""From a JSON value to a column's: the conversions of COPY, with their codes and messages.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

import decimal
import json
import re
import sys
from collections.abc import Callable
from typing import Any

from fakeshift.copy import timeformats
from fakeshift.copy.errors import RowError
from fakeshift.copy.objects import JsonFloat
from fakeshift.errors import RedshiftError
from fakeshift.sql.copy_options import CopyOptions
from fakeshift.sql.nodes import Column

Convert = Callable[[Any], Any]
"""A JSON value in; what DuckDB's JSON reader accepts for the column out. Raises RowError."""

_INTEGERS = {"int2": (16, "Short"), "int4": (32, "Integer"), "int8": (64, "Long")}
_DIGITS = re.compile(r"\s*[+-]?[0-9]+\s*")
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
_SURROGATES = re.compile("[\ud800-\udfff]+")
_NO_CHARACTERS = re.compile(
    "[\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)
""" "These code points are not valid characters. You can use the ACCEPTINVCHARS option to replace" them, and
else "COPY operations don't return an error" (dg/multi-byte-character-load-errors.html).
"""
_TRUE = frozenset({"t", "true", "y", "yes", "1"})
_FALSE = frozenset({"f", "false", "n", "no", "0"})
_LARGEST_REAL = 3.4028235677973362e38
"""Rounds to the largest 4-byte floating-point number; larger ones overflow."""
_EXACT = decimal.Context(prec=100)
MAX_SUPER_STRING = 65535
EIGHT_BYTES_PRECISION = 19
"""Not all values of 19 digits fit such a DECIMAL: "the largest string ... is 9223372036854775807", regardless of
its scale (dg/r_Numeric_types201.html).
"""


def converter(column: Column, options: CopyOptions) -> Convert:
    """The conversion of one column under a COPY's options."""
    kind = column.type.name
    if kind in _INTEGERS:
        inner = _integer(kind)
    elif kind in ("float4", "float8"):
        inner = _float(kind)
    elif kind == "numeric":
        inner = _numeric(column, options)
    elif kind == "bool":
        inner = _boolean
    elif kind in ("timestamp", "timestamptz"):
        inner = _timestamp(options, zoned=kind == "timestamptz")
    elif kind == "date":
        inner = _date(options)
    elif kind == "time":
        inner = _time
    elif kind == "super":
        return _checked(column, _super)
    else:
        return _checked(column, _text(column, options))
    return _checked(column, _blank_is_null(inner))


def _checked(column: Column, inner: Convert) -> Convert:
    """Adds NOT NULL, and the column's name to every error."""
    length = str(column.type.length or 0)

    def convert(value: Any) -> Any:
        try:
            built = None if value is None else inner(value)
        except RowError as error:
            raise RowError(
                error.code, error.message, column.name, column.type.name, length
            ) from error
        if built is None and column.not_null:
            raise RowError(
                1213, "Missing data for not-null field", column.name, column.type.name, length
            )
        return built

    return convert


def _blank_is_null(inner: Convert) -> Convert:
    """ "Empty strings for other data types, such as INT, are always loaded with NULL"; blanks too."""

    def convert(value: Any) -> Any:
        if isinstance(value, str) and not value.strip(" "):
            return None
        return inner(value)

    return convert


def _written(value: Any) -> str:
    """A JSON value as the text that COPY converts."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return _json(value)
    return str(value)


def _json(value: Any) -> str:
    """An object or array "is loaded as a string, including the braces or brackets", numbers as written."""
    if isinstance(value, JsonFloat):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, dict):
        members = (f"{json.dumps(key, ensure_ascii=False)}:{_json(v)}" for key, v in value.items())
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)


def _invalid_digit(text: str, spoken: str) -> RowError:
    start = 1 if text[:1] in ("+", "-") else 0
    allowed = "0123456789" + ("." if spoken == "Decimal" else "")
    place = next((i for i in range(start, len(text)) if text[i] not in allowed), len(text) - 1)
    shown = text[place : place + 1]
    return RowError(1207, f"Invalid digit, Value '{shown}', Pos {place}, Type: {spoken}")


def _integer(kind: str) -> Convert:
    """``"39"``, ``39``, ``1540344794796.0`` (a JSON number without a fraction) are integers.

    The last is field experience, not documentation. Nothing is known of other fractions, so they
    are refused as in text: ``Invalid digit, Value '.', ...``.
    """
    bits, spoken = _INTEGERS[kind]
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1

    def convert(value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif isinstance(value, JsonFloat):
            floating = float(value)
            if not floating.is_integer():
                raise _invalid_digit(value, spoken)
            number = int(floating)
        else:
            text = _written(value)
            if not _DIGITS.fullmatch(text):
                raise _invalid_digit(text, spoken)
            number = int(text)
        if not low <= number <= high:
            raise RowError(1222, f"Overflow, Value '{number}', Type: {spoken}")
        return number

    return convert


def _float(kind: str) -> Convert:
    largest = _LARGEST_REAL if kind == "float4" else sys.float_info.max

    def convert(value: Any) -> float:
        text = _written(value)
        if isinstance(value, bool) or not _NUMBER.fullmatch(text):
            raise RowError(1208, f"Invalid float value '{text[:50]}'")
        number = float(text)
        if abs(number) > largest:
            spoken = "Real" if kind == "float4" else "Double"
            raise RowError(1208, f"Overflow, Value '{text[:50]}', Type: {spoken}")
        return number

    return convert


def _numeric(column: Column, options: CopyOptions) -> Convert:
    """Truncates to the scale; ROUNDEC rounds. A JSON number with a fraction is a floating-point number first.

    .../dg/copy-usage_notes-copy-from-json.html#copy-usage-json-rounding
    """
    unit = decimal.Decimal(1).scaleb(-column.type.scale)
    rounding = decimal.ROUND_HALF_UP if options.roundec else decimal.ROUND_DOWN
    limit = decimal.Decimal(10) ** (column.type.precision - column.type.scale)
    if column.type.precision == EIGHT_BYTES_PRECISION:
        limit = decimal.Decimal(1 << 63).scaleb(-column.type.scale)

    def convert(value: Any) -> str:
        text = _written(value)
        if isinstance(value, bool) or not _NUMBER.fullmatch(text):
            raise _invalid_digit(text, "Decimal")
        exact = repr(float(text)) if isinstance(value, JsonFloat) else text.strip()
        try:
            number = decimal.Decimal(exact).quantize(unit, rounding=rounding, context=_EXACT)
        except decimal.InvalidOperation:
            number = limit
        if number.copy_abs() >= limit:  # abs() would round to 28 digits
            raise RowError(1209, f"Numeric data overflow (result precision), Value '{text[:50]}'")
        return format(number, "f")

    return convert


def _boolean(value: Any) -> bool:
    text = _written(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise RowError(1210, f"Unknown boolean format '{text[:50]}'")


def _moments(given: str, what: str, *, zoned: bool = False) -> tuple[timeformats.Parse, str]:
    """The parser of a TIMEFORMAT or DATEFORMAT and the format's name in messages.

    "The 'auto', 'epochsecs', and 'epochmillisecs' keywords are case-sensitive."
    """
    if given == "auto":
        return timeformats.automatic(zoned=zoned), "auto"
    if what == "TIMEFORMAT" and given in ("epochsecs", "epochmillisecs"):
        return timeformats.epoch(milliseconds=given == "epochmillisecs"), given
    if not given:
        spoken = "YYYY-MM-DD" + (" HH24:MI:SS" if what == "TIMEFORMAT" else "")
        return timeformats.default(zoned=zoned), spoken
    try:
        return timeformats.compile_format(given), given
    except ValueError as error:
        raise RedshiftError(f"Invalid {what} string: {given}") from error


def _timestamp(options: CopyOptions, *, zoned: bool) -> Convert:
    """``1541105830796`` under TIMEFORMAT 'epochmillisecs' -> ``2018-11-01 20:57:10.796``."""
    parse, spoken = _moments(options.timeformat, "TIMEFORMAT", zoned=zoned)

    def convert(value: Any) -> str | None:
        try:
            return parse(_written(value)).isoformat(" ")
        except (ValueError, OverflowError):
            if options.acceptanydate:
                return None
            raise RowError(1206, f"Invalid timestamp format or value [{spoken}]") from None

    return convert


def _date(options: CopyOptions) -> Convert:
    parse, spoken = _moments(options.dateformat, "DATEFORMAT")

    def convert(value: Any) -> str | None:
        try:
            return parse(_written(value)).date().isoformat()
        except (ValueError, OverflowError):
            if options.acceptanydate:
                return None
            raise RowError(1205, f"Invalid date format or value [{spoken}]") from None

    return convert


def _time(value: Any) -> str:
    text = _written(value)
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?", text):
        raise RowError(1206, "Invalid time format or value [HH24:MI:SS]")
    return text


def _super(value: Any) -> Any:
    """ "A single string value loaded to SUPER is limited to the maximum VARCHAR length of 65535 bytes", where the
    database has not opted in to large strings (dg/limitations-super.html, dg/r_enable_large_strings_opt_in.html).
    """
    if isinstance(value, str) and len(value) > MAX_SUPER_STRING // 4:
        size = len(value.encode(errors="surrogatepass"))
        if size > MAX_SUPER_STRING:
            raise RowError(1224, f"String value exceeds the max size of {MAX_SUPER_STRING} bytes")
    if isinstance(value, JsonFloat):
        return float(value)
    if isinstance(value, str):
        return value if value.isascii() else _valid_utf8(value, "", False)
    if isinstance(value, list):
        return [_super(item) for item in value]
    if isinstance(value, dict):
        return {_super(key): _super(item) for key, item in value.items()}
    return value


def _text(column: Column, options: CopyOptions) -> Convert:
    """Length in bytes; invalid UTF-8 and text that is too long are errors, unless an option fixes them.

    A string is not too long if "the extra characters are all spaces (blanks), in which case the string
    is truncated to the maximum length" (dg/r_Character_types.html).
    """
    size, is_char = column.type.length, column.type.name == "bpchar"
    by = options.acceptinvchars

    def convert(value: Any) -> str | None:
        text = _written(value)
        if text == "" and options.emptyasnull:
            return None
        if options.blanksasnull and text != "" and not text.strip():
            return None
        if options.trimblanks and not is_char:
            text = text.rstrip()
        if not text.isascii():
            text = _valid_utf8(text, by, is_char)
        if "\0" in text:
            raise RowError(1218, "Invalid NUL character in a text field")
        if is_char:
            text = text.rstrip(" ")
        if len(text) > size or (not text.isascii() and len(text.encode()) > size):
            raw = text.encode()
            if raw[size:].strip(b" ") and not options.truncatecolumns:
                what = "Char" if is_char else "String"
                raise RowError(1204, f"{what} length exceeds DDL length")
            text = raw[:size].decode(errors="ignore")
        return text

    return convert


def _valid_utf8(text: str, by: str, is_char: bool) -> str:
    found = _SURROGATES.search(text)
    if found:
        raw = _bytes_of(found[0])
        if is_char or not by:
            raise RowError(
                1220,
                "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: "
                f"{raw.hex(' ')} (error {_what_is_wrong(raw, at_end=found.end() == len(text))})",
            )
        text = _SURROGATES.sub(lambda m: by * len(_bytes_of(m[0])), text)
    if by and not is_char:
        return _NO_CHARACTERS.sub(lambda m: by * len(m[0].encode()), text)
    if is_char:
        first = next(c for c in text if not c.isascii())
        raise RowError(
            1215,
            "Multibyte character not supported for CHAR (Hint: try using VARCHAR). Invalid char: "
            f"{first.encode().hex(' ')}",
        )
    return text


def _bytes_of(surrogates: str) -> bytes:
    """For invalid bytes (0xDC80 to 0xDCFF), or for what ``\\ud800`` in the JSON would be in UTF-8."""
    escaped = any(not "\udc80" <= char <= "\udcff" for char in surrogates)
    return surrogates.encode("utf-8", "surrogatepass" if escaped else "surrogateescape")


def _what_is_wrong(raw: bytes, *, at_end: bool) -> int:
    """The error code in the message: 1 more than four bytes, 2 incomplete at the string's end, 3 no first
    byte, 4 no continuation byte, 5 a surrogate.

    https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
    """
    first = raw[0]
    if first == 0xED and len(raw) > 1 and raw[1] >= 0xA0:
        return 5
    if 0xF8 <= first <= 0xFD:
        return 1
    if 0xC2 <= first <= 0xF4:
        return 2 if at_end else 4
    return 3
