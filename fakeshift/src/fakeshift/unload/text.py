"""Rows as lines: delimited text, CSV, fixed width, JSON.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import decimal
import json
import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

from fakeshift.engine.results import ResultColumn, text
from fakeshift.errors import RedshiftError
from fakeshift.sql.unload_options import UnloadOptions

Line = Callable[[Sequence[Any]], str]
"""Formats a row's values as a line, with the line feed."""

_CHARACTERS = ("varchar", "bpchar")


def shown(value: Any, column: ResultColumn) -> str:
    """A value as text: ``t``, ``2018-11-01 21:01:46.796``, ``1.5``, ``nan``."""
    if isinstance(value, float):
        return _float(value, column)
    return text(value)


def _float(value: float, column: ResultColumn) -> str:
    """``nan``, ``inf``, ``-inf``: as UNLOAD writes them (databricks/spark-redshift#269)."""
    if column.type_name == "float4" and math.isfinite(value):
        return _real(value)
    return repr(value).removesuffix(".0")


def _real(value: float) -> str:
    """The fewest digits that identify a 4-byte number: ``0.1``, not ``0.10000000149011612``."""
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if _as_real(short) == value:
            return repr(short).removesuffix(".0")
    return repr(float(f"{value:.9g}")).removesuffix(".0")


def _as_real(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.inf


def lines(columns: Sequence[ResultColumn], options: UnloadOptions) -> tuple[Line, str]:
    """The function that formats a row, and the header line ("" without HEADER). Raises RedshiftError."""
    names = [column.name for column in columns]
    if options.format == "json":
        return _json(columns), ""
    if options.widths:
        return _fixed_width(columns, options), ""
    if options.format == "csv":
        line = _csv(columns, options.delimiter or ",", options.null or "")
    else:
        line = _delimited(columns, options)
    as_text = [ResultColumn(name, "varchar") for name in names]
    header = ""
    if options.header:
        of_names = (
            _csv(as_text, options.delimiter or ",", "")
            if options.format == "csv"
            else _delimited(as_text, options)
        )
        header = of_names(names)
    return line, header


def _null(column: ResultColumn, null: str) -> str:
    """A SUPER column's NULL is "null as determined by the JSON format", regardless of NULL AS.

    https://docs.aws.amazon.com/redshift/latest/dg/unload-super-csv.html
    """
    return "null" if column.type_name == "super" else null


def _csv(columns: Sequence[ResultColumn], delimiter: str, null: str) -> Line:
    """ "If a field contains delimiters, double quotation marks, newline characters, or carriage
    returns, then the field ... is enclosed in double quotation marks. A double quotation mark
    within a data field is escaped by an additional double quotation mark."
    """
    special = re.compile(f'[{re.escape(delimiter)}"\n\r]')

    def cell(value: Any, column: ResultColumn) -> str:
        if value is None:
            return _null(column, null)
        built = shown(value, column)
        if special.search(built):
            return '"' + built.replace('"', '""') + '"'
        return built

    def line(row: Sequence[Any]) -> str:
        return delimiter.join(map(cell, row, columns)) + "\n"

    return line


def _delimited(columns: Sequence[ResultColumn], options: UnloadOptions) -> Line:
    """ESCAPE is for "CHAR and VARCHAR columns"; so does ADDQUOTES' example.

    A SUPER column's JSON is treated the same way.
    """
    delimiter = options.delimiter or "|"
    quotes = "'\"" if options.addquotes else ""
    escaped = re.compile(f"[\n\r{re.escape(delimiter)}\\\\{quotes}]")
    null = options.null or ""

    def cell(value: Any, column: ResultColumn) -> str:
        is_super = column.type_name == "super"
        if value is None:
            return _null(column, null)
        built = shown(value, column)
        if is_super or column.type_name in _CHARACTERS:
            if options.escape:
                built = escaped.sub(lambda found: "\\" + found[0], built)
            if options.addquotes:
                built = f'"{built}"'
        return built

    def line(row: Sequence[Any]) -> str:
        return delimiter.join(map(cell, row, columns)) + "\n"

    return line


def _fixed_width(columns: Sequence[ResultColumn], options: UnloadOptions) -> Line:
    """ "FIXEDWIDTH doesn't truncate data": text that is too long is an error. A null string that is too
    long is an empty field of non-character columns and an error of character columns.
    """
    if len(options.widths) != len(columns):
        raise RedshiftError(
            f"Fixed width specification has {len(options.widths)} columns, the query {len(columns)}"
        )
    null = options.null or ""

    def cell(value: Any, column: ResultColumn, width: int) -> str:
        built = _null(column, null) if value is None else shown(value, column)
        if len(built) > width:
            if value is None and column.type_name not in _CHARACTERS:
                built = ""
            else:
                raise RedshiftError(
                    f"Value of column {column.name} is longer than its fixed width of {width}"
                )
        return built.ljust(width)

    def line(row: Sequence[Any]) -> str:
        return "".join(map(cell, row, columns, options.widths)) + "\n"

    return line


def _json(columns: Sequence[ResultColumn]) -> Line:
    """ "Each line containing a JSON object ... boolean values are unloaded as t or f, and NULL values
    are unloaded as null"; "the name of each column in the query must be unique".
    """
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RedshiftError(f'column "{twice[0]}" specified more than once', sqlstate="42701")
    keys = [json.dumps(name, ensure_ascii=False) + ":" for name in names]

    def cell(value: Any, column: ResultColumn) -> str:
        if value is None:
            return "null"
        if column.type_name == "super":
            return str(value)
        if isinstance(value, bool):
            return '"t"' if value else '"f"'
        if isinstance(value, (int, decimal.Decimal)):
            return text(value)
        if isinstance(value, float) and math.isfinite(value):
            return _float(value, column)
        return json.dumps(shown(value, column), ensure_ascii=False)

    def line(row: Sequence[Any]) -> str:
        cells = map(cell, row, columns)
        return "{" + ",".join(map(str.__add__, keys, cells)) + "}\n"

    return line
