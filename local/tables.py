"""Rows for a person (aligned columns), or for a program (JSON, CSV)."""

import csv
import io
import json
import unicodedata

from local.queries import Result, Value

FORMATS = ("table", "json", "csv")
NULL = "NULL"
WIDEST = 200


def render(result: Result, how: str) -> str:
    """A result as text, one of FORMATS."""
    if not result.has_rows:
        return f"{result.affected:,} rows affected" if how == "table" else ""
    if how == "json":
        objects = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        return json.dumps(objects, indent=2, ensure_ascii=False)
    if how == "csv":
        return _csv(result)
    count = len(result.rows)
    body = aligned(result.columns, result.rows)
    return f"{body}\n({count:,} row{'' if count == 1 else 's'})"


def aligned(columns: list[str], rows: list[list[Value]]) -> str:
    """Columns beside each other: numbers to the right, the rest to the left, NULL as NULL."""
    texts = [[_text(value) for value in row] for row in rows]
    right = [_is_number(index, rows) for index in range(len(columns))]
    widths = [
        max([_width(name), *(_width(row[index]) for row in texts)])
        for index, name in enumerate(columns)
    ]
    lines = [_line(columns, widths, right), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, right) for row in texts]
    return "\n".join(lines)


def _csv(result: Result) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(["" if value is None else value for value in row] for row in result.rows)
    return out.getvalue().rstrip("\n")


def _text(value: Value) -> str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _is_number(index: int, rows: list[list[Value]]) -> bool:
    values = [row[index] for row in rows if row[index] is not None]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def _width(text: str) -> int:
    """How many columns of the terminal a text takes: wide letters two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = []
    for cell, width, to_the_right in zip(cells, widths, right, strict=True):
        space = " " * (width - _width(cell))
        padded.append(space + cell if to_the_right else cell + space)
    return "  ".join(padded).rstrip()
