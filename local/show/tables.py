"""Query results as text: aligned columns for people, JSON or CSV for programs."""

import csv
import io
import json
from dataclasses import dataclass, field

from local.show.terminal import visible, width

FORMATS = ("table", "json", "csv")
NULL = "NULL"
WIDEST = 200

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Result:
    """The result of a statement: its rows, or only the number of rows it changed."""

    columns: list[str] = field(default_factory=list)
    rows: list[list[Value]] = field(default_factory=list)
    has_rows: bool = False
    affected: int = 0


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
    """Aligned columns: numbers to the right, the rest to the left, NULL as NULL."""
    texts = [[_text(value) for value in row] for row in rows]
    right = [_is_number(index, rows) for index in range(len(columns))]
    widths = [
        max([width(name), *(width(row[index]) for row in texts)])
        for index, name in enumerate(columns)
    ]
    lines = [_line(columns, widths, right), "  ".join("-" * wide for wide in widths)]
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
    text = visible(str(value))
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _is_number(index: int, rows: list[list[Value]]) -> bool:
    values = [row[index] for row in rows if row[index] is not None]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = []
    for cell, wide, to_the_right in zip(cells, widths, right, strict=True):
        space = " " * (wide - width(cell))
        padded.append(space + cell if to_the_right else cell + space)
    return "  ".join(padded).rstrip()
