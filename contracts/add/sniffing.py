"""How CSV files are written: delimiter, quote and header, from the start of each file."""

import csv
import re
from collections import Counter
from typing import Any

from contracts.model import Csv

DELIMITERS = ",;\t|"
ROWS = 200
_VALUE = re.compile(
    r"[-+]?[\d.,:/ TZ%€$()+-]*\d[\d.,:/ TZ%€$()+-]*|true|false|null|[^@\s]+@[^@\s]+\.\w+|[0-9a-f-]{32,36}",
    re.IGNORECASE,
)


def reading(said: Csv) -> dict[str, Any]:
    """The arguments of csv.reader."""
    return {"delimiter": said.delimiter, "quotechar": said.quote}


def dialect(starts: list[str]) -> Csv:
    """The delimiter that splits the lines of the files alike, the quote, and whether the first line has names."""
    best, delimiter, quote = (-1.0, 0), ",", '"'
    for one in DELIMITERS:
        for mark in "\"'":
            score = _score(starts, one, mark)
            if score > best:
                best, delimiter, quote = score, one, mark
    firsts = [_rows(start, delimiter, quote) for start in starts]
    return Csv(delimiter, quote, header=_has_header([rows for rows in firsts if rows]))


def _rows(start: str, delimiter: str, quote: str) -> list[list[str]]:
    csv.field_size_limit(1 << 24)
    lines = start.splitlines(True)
    whole = lines[:-1] if len(lines) > 1 and not start.endswith("\n") else lines
    found = []
    try:
        for row in csv.reader(whole, delimiter=delimiter, quotechar=quote):
            if row:
                found.append(row)
            if len(found) == ROWS:
                break
    except csv.Error:
        pass
    return found


def _score(starts: list[str], delimiter: str, quote: str) -> tuple[float, int]:
    """Which part of the rows has as many fields as most rows (0 if that is one), and how many fields that are.

    A quote that is inside of a field, where it cannot open one, counts against the quote.
    """
    rows = [row for start in starts for row in _rows(start, delimiter, quote)]
    if not rows:
        return 0.0, 0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    if width == 1:
        return 0.0, 1
    other = "'" if quote == '"' else '"'
    framed = sum(len(f) > 1 and f[0] == f[-1] == other for row in rows for f in row)
    return count / len(rows) - framed / (len(rows) * width), width


def _has_header(files: list[list[list[str]]]) -> bool:
    """Whether the first lines are names: no value among them is empty, twice, or a number, a time or the like."""
    first = [rows[0] for rows in files]
    names = first[0]
    if any(not name.strip() or _VALUE.fullmatch(name.strip()) for name in names):
        return False
    if len(set(names)) < len(names):
        return False
    if len(files) > 1 and all(row == names for row in first):
        return True
    below = [row for rows in files for row in rows[1:] if len(row) == len(names)]
    valued = any(_VALUE.fullmatch(field.strip()) for row in below for field in row)
    wordy = all(re.fullmatch(r"[^\W\d][\w .()/%-]{0,60}", name.strip()) for name in names)
    repeated = any(row[n] == name for row in below for n, name in enumerate(names))
    return wordy and not repeated and (valued or not below or _like_names(names))


def _like_names(names: list[str]) -> bool:
    """Texts over texts: names are short, and in one style."""
    return all(re.fullmatch(r"[a-z][a-z0-9_]*|[A-Z][A-Z0-9_]*", name.strip()) for name in names)


def names(first: list[str], header: bool) -> list[str]:
    """The names of a file's columns: of its first line, or column_1, column_2 …"""
    if not header:
        return [f"column_{number}" for number in range(1, len(first) + 1)]
    return [name.strip() or f"column_{number}" for number, name in enumerate(first, 1)]
