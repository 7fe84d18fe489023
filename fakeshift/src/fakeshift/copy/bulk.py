"""Converts a column's fields of many lines at once, where ``convert`` would certainly return the same one by one.

Whatever is not plain (a sign, blanks, an exponent, a number near the type's edge, a string near the column's length) is
left to ``convert``, which knows the rules; nothing is decided here only.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any

from fakeshift.sql.copy_options import CopyOptions
from fakeshift.sql.nodes import Column

Bulk = Callable[[Sequence[str], str], Sequence[Any] | None]
"""Fields, and the same joined by line feeds, to values; None if one of them is not plain. "" has no value."""

_DIGITS = {"int2": 4, "int4": 9, "int8": 18}
"""This many digits always fit."""
_DAY = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
_BOOLEANS = {"": None, "t": True, "true": True, "1": True, "f": False, "false": False, "0": False}


def bulk(column: Column, options: CopyOptions) -> Bulk | None:
    """For a column under a COPY's options; None if it would not be faster."""
    kind = column.type.name
    if kind in _DIGITS:
        return _matching(rf"-?[0-9]{{1,{_DIGITS[kind]}}}", int)
    if kind in ("float4", "float8"):
        return _matching(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", float)
    if kind == "numeric":
        return _numeric(column)
    if kind == "bool":
        return _booleans
    if kind == "date" and options.dateformat in ("", "auto"):
        return _days(_DAY)
    if kind in ("timestamp", "timestamptz") and options.timeformat in ("", "auto"):
        return _days(f"{_DAY} {_CLOCK}")
    if kind == "time":
        return _matching(_CLOCK, None)
    if column.type.is_text:
        return _texts(column, options)
    return None


def _all(pattern: str) -> re.Pattern[str]:
    """Matches fields joined by line feeds, if each matches the pattern or is empty."""
    one = f"(?:{pattern})?+"
    return re.compile(rf"{one}(?:\n{one})*+", re.ASCII)


def _matching(pattern: str, make: Callable[[str], Any] | None) -> Bulk:
    fullmatch = _all(pattern).fullmatch

    def convert(fields: Sequence[str], joined: str) -> Sequence[Any] | None:
        if fullmatch(joined) is None:
            return None
        if make is None:
            return [field or None for field in fields]
        if "" in fields:
            return [make(field) if field else None for field in fields]
        return list(map(make, fields))

    return convert


def _numeric(column: Column) -> Bulk | None:
    """As it is written, with no more digits than the column, so it cannot overflow."""
    before, after = min(column.type.precision, 18) - column.type.scale, column.type.scale
    if before < 1:
        return None
    fraction = rf"(?:\.[0-9]{{1,{after}}})?" if after else ""
    return _matching(rf"-?(?:0|[1-9][0-9]{{0,{before - 1}}}){fraction}", None)


def _booleans(fields: Sequence[str], _: str) -> Sequence[Any] | None:
    try:
        return [_BOOLEANS[field] for field in fields]
    except KeyError:
        return None


def _days(pattern: str) -> Bulk:
    """Times as they are written, if the days exist."""
    fullmatch = _all(pattern).fullmatch

    def convert(fields: Sequence[str], joined: str) -> Sequence[Any] | None:
        if fullmatch(joined) is None:
            return None
        try:
            for day in {field[:10] for field in fields}:
                if day:
                    dt.date.fromisoformat(day)
        except ValueError:
            return None
        return [field or None for field in fields]

    return convert


def _texts(column: Column, options: CopyOptions) -> Bulk:
    """Strings that are short enough and have valid characters; for CHAR, ASCII."""
    size, is_char = column.type.length, column.type.name == "bpchar"
    empty, blank = options.emptyasnull, options.blanksasnull

    def convert(given: Sequence[str], joined: str) -> Sequence[Any] | None:
        fields = given
        if options.trimblanks and not is_char:
            fields = [field.rstrip() for field in fields]
        if joined.isascii():
            longest = max(map(len, fields))
        elif is_char or options.acceptinvchars:
            return None
        else:
            try:
                longest = max(len(field.encode()) for field in fields)
            except UnicodeEncodeError:  # not UTF-8
                return None
        if longest > size:
            return None
        if is_char and (" \n" in joined or joined.endswith(" ")):
            fields = [field.rstrip(" ") for field in fields]
        if blank:
            pairs = zip(given, fields, strict=True)
            return [None if g.isspace() or (empty and not g) else field for g, field in pairs]
        if empty:
            pairs = zip(given, fields, strict=True)
            return [field if g else None for g, field in pairs]
        return fields

    return convert
