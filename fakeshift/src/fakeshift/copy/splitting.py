"""Splits lines into records and records into fields: delimited text, CSV, fixed width.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
"""

from __future__ import annotations

import csv as csv_module
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Field = str | None
"""A field's text, None if it is the null string."""

NextLine = Callable[[], str | None]
"""The next line of a record that continues, None at the end."""


@dataclass(frozen=True)
class Record:
    """``fields``, and ``starts``: where each starts, in characters from the record's start."""

    fields: Sequence[Field]
    starts: Sequence[int]
    text: str

    def position(self, number: int) -> int:
        """The byte of the record at which a field starts; a missing one starts at its end."""
        at = self.starts[number] if number < len(self.starts) else len(self.text)
        return len(self.text[:at].encode(errors="surrogateescape"))


class Broken(Exception):
    """A record that cannot be split: the ``number`` and ``start`` of the broken field."""

    def __init__(self, message: str, number: int, start: int):
        super().__init__(message)
        self.message = message
        self.number = number
        self.start = start


Split = Callable[[str, NextLine], Record]
"""Splits a line, and following ones if needed, into a record. Raises Broken."""


Plain = Callable[[Sequence[str], int], Sequence[Sequence[str]] | None]
"""Splits lines into fields, column by column; None if a line is not plain."""


def plain(delimiter: str, special: str, quote: str = "") -> Plain:
    """Splits lines without ``special`` characters and NUL that have as many fields as columns.

    A blank line is not plain: it may have to be ignored. Either all lines end with a delimiter or none. A line
    with a ``quote`` is plain if its quoted fields start and end with it on that line.
    """

    def split(lines: Sequence[str], columns: int) -> Sequence[Sequence[str]] | None:
        text = "\n".join(lines)
        if any(char in text for char in not_plain):
            return None
        if "\r" in text:
            lines = [_without_return(line) for line in lines]
        if "" in lines:
            return None
        if quote and quote in text:
            rows = quoted(lines) if quoted else None
            if rows is None:
                return None
        else:
            rows = [line.split(delimiter) for line in lines]
        counts = set(map(len, rows))
        if counts == {columns + 1}:
            *built, last = zip(*rows, strict=True)
            return None if any(last) else built
        return list(zip(*rows, strict=True)) if counts == {columns} else None

    not_plain = f"\0{special}"
    for_python = quote and len(delimiter) == 1 and delimiter != quote
    quoted = _quoted_lines(delimiter, quote) if for_python else None
    return split


def _quoted_lines(
    delimiter: str, quote: str
) -> Callable[[Sequence[str]], Sequence[Sequence[str]] | None]:
    """Splits lines of CSV with Python's reader, only where it cannot misread them."""
    apart, mark = re.escape(delimiter), re.escape(quote)
    one = f"(?:{mark}(?:[^{mark}]|{mark}{mark})*+{mark}|[^{mark}{apart}]*+)"
    fullmatch = re.compile(f"(?:{one}{apart})*+{one}").fullmatch

    def split(lines: Sequence[str]) -> Sequence[Sequence[str]] | None:
        rows = [[] if quote in line else line.split(delimiter) for line in lines]
        with_quotes = [number for number, row in enumerate(rows) if not row]
        if not all(fullmatch(lines[number]) for number in with_quotes):
            return None
        lines_with_quotes = (lines[number] for number in with_quotes)
        try:
            reader = csv_module.reader(lines_with_quotes, delimiter=delimiter, quotechar=quote)
            for number, row in zip(with_quotes, reader, strict=True):
                rows[number] = row
        except (csv_module.Error, TypeError, ValueError):
            return None  # a long field, or a character that it does not accept
        return rows

    return split


def delimited(delimiter: str, null: str, *, escape: bool, removequotes: bool) -> Split:
    r"""``1|a`` -> ``["1", "a"]``; with ESCAPE ``A \| B`` -> ``A | B``; with REMOVEQUOTES
    ``"a|b"`` -> ``a|b``. The null string is compared as written; the default one (``\N``) also escaped:
    "\N and \\N produce the same results".
    """
    special = ("\\" if escape else "") + ("'\"" if removequotes else "")
    found = re.compile(f"[{re.escape(special)}]") if special else None
    unescaped_null = null if null == "\\N" else None

    def split(line: str, next_line: NextLine) -> Record:
        if escape:
            line = _with_escaped_newlines(line, next_line)
        line = _without_return(line, escape=escape)
        if found is None or not found.search(line):
            parts = line.split(delimiter)
            starts_of = _Starts(parts, len(delimiter))
            return Record([None if part == null else part for part in parts], starts_of, line)
        fields: list[Field] = []
        starts = [0]
        at = 0
        while True:
            value, end = _field(line, at, len(fields))
            raw = line[at:end]
            is_null = raw == null or value == null == unescaped_null
            fields.append(None if is_null else value)
            if end >= len(line):
                return Record(fields, starts, line)
            at = end + len(delimiter)
            starts.append(at)

    def _field(line: str, at: int, number: int) -> tuple[str, int]:
        """A field's value, and where it ends: at a delimiter or the record's end."""
        quote = line[at : at + 1] if removequotes and line[at : at + 1] in ("'", '"') else ""
        out: list[str] = []
        place = at + len(quote)
        while place < len(line):
            char = line[place]
            if escape and char == "\\" and place + 1 < len(line):
                out.append(line[place + 1])
                place += 2
                continue
            if quote:
                closes = line.startswith(delimiter, place + 1) or place + 1 == len(line)
                if char == quote and closes:
                    return "".join(out), place + 1
            elif line.startswith(delimiter, place):
                return "".join(out), place
            out.append(char)
            place += 1
        if quote:
            raise Broken("Delimited value missing end quote", number, at)
        return "".join(out), place

    return split


@dataclass(frozen=True)
class _Starts(Sequence[int]):
    """Where fields with a delimiter of ``width`` characters start; needed for errors only."""

    parts: Sequence[str]
    width: int

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, number: int) -> int:  # type: ignore[override]
        return sum(len(part) + self.width for part in self.parts[:number])


def _with_escaped_newlines(line: str, next_line: NextLine) -> str:
    """A line that ends with an escape character continues on the next one."""
    pieces = [line]
    while _ends_escaped(pieces[-1]):
        following = next_line()
        if following is None:
            break
        pieces.append(following)
    return "\n".join(pieces)


def _ends_escaped(line: str) -> bool:
    return line.endswith("\\") and (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _without_return(line: str, *, escape: bool = False) -> str:
    """Without the carriage return of a Windows line end."""
    if line.endswith("\r") and not (escape and _ends_escaped(line[:-1])):
        return line[:-1]
    return line


def csv(delimiter: str, quote: str, null: str) -> Split:
    """``1,"a ""b"", c"`` -> ``["1", 'a "b", c']``; a quoted field may span several lines.

    "When a field is enclosed in quotes, white space between the delimiters and the quote characters
    is ignored. If the delimiter is a white space character, such as a tab, the delimiter is not
    treated as white space." A quote character in an unquoted field is an error.
    """
    blanks = re.compile("[" + " \t".replace(delimiter, "") + "]*")

    def split(line: str, next_line: NextLine) -> Record:
        if quote not in line:
            line = _without_return(line)
            parts = line.split(delimiter)
            starts = _Starts(parts, len(delimiter))
            return Record([None if part == null else part for part in parts], starts, line)
        return _Csv(delimiter, quote, null, blanks, line, next_line).record()

    return split


@dataclass
class _Csv:
    """One CSV record being read; ``before`` has the previous lines, ``line`` the current one."""

    delimiter: str
    quote: str
    null: str
    blanks: re.Pattern[str]
    line: str
    next_line: NextLine
    before: list[str] = field(default_factory=list)
    behind: int = 0
    fields: list[Field] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def record(self) -> Record:
        at = 0
        while True:
            self.starts.append(self.behind + at)
            opening = self._skip(at)
            if self.line.startswith(self.quote, opening):
                value, at = self._quoted(opening + 1)
            else:
                value, at = self._plain(at)
            self.fields.append(None if value == self.null else value)
            if at >= len(self.line):
                text = "\n".join([*self.before, self.line])
                return Record(self.fields, self.starts, text)
            at += len(self.delimiter)

    def _skip(self, at: int) -> int:
        blank = self.blanks.match(self.line, at)
        return blank.end() if blank else at

    def _broken(self) -> Broken:
        number = len(self.fields)
        return Broken("Invalid quote formatting for CSV", number, self.starts[number])

    def _plain(self, at: int) -> tuple[str, int]:
        end = self.line.find(self.delimiter, at)
        if end < 0:
            self.line = _without_return(self.line)
            end = len(self.line)
        value = self.line[at:end]
        if self.quote in value:
            raise self._broken()
        return value, end

    def _quoted(self, at: int) -> tuple[str, int]:
        """The value whose opening quote is just before ``at``, and the position of its delimiter."""
        out: list[str] = []
        while True:
            end = self.line.find(self.quote, at)
            if end < 0:
                out.append(self.line[at:])
                following = self.next_line()
                if following is None:
                    raise self._broken()
                out.append("\n")
                self.before.append(self.line)
                self.behind += len(self.line) + 1
                self.line, at = following, 0
            elif self.line.startswith(self.quote, end + 1):
                out.append(self.line[at : end + 1])
                at = end + 2
            else:
                out.append(self.line[at:end])
                break
        closed = self._skip(end + 1)
        if self.line[closed:] in ("", "\r"):
            self.line = self.line[:closed]
        elif not self.line.startswith(self.delimiter, closed):
            raise self._broken()
        return "".join(out), closed


def fixed_width(widths: Sequence[int], null: str) -> Split:
    """``1  Toyota`` by 3 and 25 -> ``["1  ", "Toyota"]``: "based on the number of characters"."""
    starts = [sum(widths[:number]) for number in range(len(widths) + 1)]

    def split(line: str, _: NextLine) -> Record:
        line = _without_return(line)
        parts = [line[at:end] for at, end in itertools.pairwise(starts)]
        present = [part for at, part in zip(starts, parts, strict=False) if at < len(line)]
        if len(line) > starts[-1]:
            present.append(line[starts[-1] :])
        return Record([None if part == null else part for part in present], starts, line)

    return split
