"""Reads a data file record by record, with the line of each as COPY reports it.

Only to say what is wrong with a record, and where: what COPY loads is COPY's to decide. Streams, so that the size of a
file does not matter. Of JSON, records are separated by white space only: several may be on a line, and one over many
lines. Its line is the last one (docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html).
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from loader.datasets import Dataset

LONGEST = 4 << 20  # characters of a record: COPY fails for an object of more than 4 MB
_BLANKS = re.compile(r"[ \t\r\n]*")
_OPENS = re.compile(r"[{\[]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Record:
    """A record. value: what is in it, for CSV by the columns of COPY; None if it cannot be parsed."""

    line: int
    value: Any
    text: str


class Number(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_refuse)


def records(chunks: Iterable[bytes], dataset: Dataset) -> Iterator[Record]:
    """The records of a file, whose decompressed bytes come in chunks. Ends early where it can no longer follow."""
    texts = codecs.iterdecode(chunks, "utf-8", errors="replace")
    return _of_csv(texts, dataset) if dataset.layout.format == "csv" else _Json(texts).records()


class _Json:
    """The records of a JSON text that comes in parts."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._text = ""
        self._at = 0
        self._line = 1  # of the character at _at

    def _more(self, count: int = 1) -> bool:
        """Reads at least so many characters more, if there are so many; drops what was used."""
        parts = [self._text[self._at :]]
        read = 0
        while read < count and (part := next(self._texts, None)) is not None:
            parts.append(part)
            read += len(part)
        self._text, self._at = "".join(parts), 0
        return read > 0

    def _advance(self, to: int) -> str:
        passed = self._text[self._at : to]
        self._line += passed.count("\n")
        self._at = to
        return passed

    def records(self) -> Iterator[Record]:
        while True:
            if blank := _BLANKS.match(self._text, self._at):
                self._advance(blank.end())
            if self._at >= len(self._text):
                if not self._more():
                    return
            elif self._text[self._at] in "{[":
                yield self._structure()
            else:
                yield self._between()

    def _structure(self) -> Record:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated string") or (
                    error.pos >= len(self._text) - 16
                )
                length = len(self._text) - self._at
                # Twice as much each time: so a long record is not parsed again for each part.
                if is_cut and length <= LONGEST and self._more(length):
                    continue
                return self._broken(error.pos)
            except (ValueError, RecursionError):
                return self._broken(self._at + 1)
            text = self._advance(end)
            return Record(self._line, value, text)

    def _broken(self, where: int) -> Record:
        """A record that is no JSON ends where its braces close, or with its line; and before a line that begins another
        one, if that is the error. The documentation of COPY does not say it.
        """
        where = min(where, len(self._text) - 1)
        opens = self._text[where] in "{["
        if opens and self._text.rfind("\n", self._at, where) >= 0:
            text = self._advance(where)
            return Record(max(self._line - 1, 1), None, text.rstrip())
        begun = where - self._at
        while self._text.find("\n", self._at + begun) < 0 and len(self._text) - self._at <= LONGEST:
            if not self._more():
                break
        end = self._text.find("\n", self._at + begun)
        end = len(self._text) if end < 0 else end
        text = self._advance(_closes(self._text, self._at, end) or end)
        return Record(self._line, None, text.rstrip())

    def _between(self) -> Record:
        """Text between records: up to the next one on the line, or the line's end."""
        while self._text.find("\n", self._at) < 0 and len(self._text) - self._at <= LONGEST:
            if not self._more():
                break
        newline = self._text.find("\n", self._at)
        end = len(self._text) if newline < 0 else newline
        opens = _OPENS.search(self._text, self._at, end)
        text = self._advance(opens.start() if opens else end)
        return Record(self._line, None, text.rstrip())


def _closes(text: str, start: int, stop: int) -> int:
    """Where the braces that open at ``start`` close, if they do before ``stop``; or 0."""
    depth = 0
    for token in _TOKEN.finditer(text, start, stop):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return 0


def _of_csv(texts: Iterator[str], dataset: Dataset) -> Iterator[Record]:
    layout = dataset.layout
    lines = _Lines(texts)
    names = layout.columns
    for number in range(layout.header_lines):
        header = next(lines, None)
        if header is not None and number == 0 and dataset.header:
            names = _in_order(header, dataset)
    reader = csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote)
    while True:
        lines.taken.clear()
        line = lines.number + 1
        try:
            fields = next(reader, None)
        except csv.Error:  # a field of more than 128 kB: a quote that does not end
            return
        if fields is None:
            return
        text = "".join(lines.taken).rstrip("\r\n")
        whole = len(fields) == len(names) or (len(fields) == len(names) + 1 and not fields[-1])
        yield Record(line, dict(zip(names, fields, strict=False)) if whole else None, text)


def _in_order(header: str, dataset: Dataset) -> tuple[str, ...]:
    """The columns of COPY in the header's order."""
    layout = dataset.layout
    columns = dict(
        zip((name.strip().lower() for name in dataset.header), layout.columns, strict=True)
    )
    names = next(csv.reader([header], delimiter=layout.delimiter, quotechar=layout.quote), [])
    said = [name.removeprefix("\ufeff").strip().lower() for name in names]
    return tuple(columns.get(name, name) for name in said)


class _Lines:
    """The lines of a text that comes in parts, with their ends. taken: those since it was cleared."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._ready: Iterator[str] = iter(())
        self._rest = ""
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        while (line := next(self._ready, None)) is None:
            part = next(self._texts, None)
            if part is None:
                line, self._rest = self._rest, ""
                if not line:
                    raise StopIteration
                break
            lines = io.StringIO(self._rest + part, newline="\n").readlines()
            self._rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
            if len(self._rest) > LONGEST:
                raise StopIteration
            self._ready = iter(lines)
        self.number += 1
        self.taken.append(line)
        return line
