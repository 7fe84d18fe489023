"""Text formats of COPY: records to converted rows, with the error, its column and its position.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fakeshift.copy.bulk import Bulk, bulk
from fakeshift.copy.convert import Convert, converter
from fakeshift.copy.errors import RowError
from fakeshift.copy.lines import Lines
from fakeshift.copy.pipeline import Accept, Check, Reject, Scanned
from fakeshift.copy.splitting import (
    Broken,
    Field,
    Plain,
    Record,
    Split,
    csv,
    delimited,
    fixed_width,
    plain,
)
from fakeshift.errors import RedshiftError
from fakeshift.sql.copy_options import CopyOptions
from fakeshift.sql.nodes import Column

EXTRA_COLUMNS = 1202
FEWER_COLUMNS = 1203
DELIMITER_NOT_FOUND = 1214
INVALID_LINE = 1216
NUL_AND_MORE = 1218
NOT_JSON = 1224

_MANY = 1000
_FEW = 16
_NOT_PRINTED = re.compile(r"[^\x20-\x7e\t\r\n]")


class _Following:
    """The lines of an object, one after another or many at a time; ``number`` is that of the last one, from 1."""

    def __init__(self, blocks: Iterator[list[str]]):
        self._blocks = blocks
        self._held: list[str] = []
        self._at = 0
        self.number = 0

    def _hold(self) -> bool:
        while self._at >= len(self._held):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._held, self._at = block, 0
        return True

    def next(self) -> str | None:
        """The next line, None after the last."""
        if not self._hold():
            return None
        self._at += 1
        self.number += 1
        return self._held[self._at - 1]

    def peek(self, most: int) -> list[str]:
        """Some of the next lines; [] after the last."""
        return self._held[self._at : self._at + most] if self._hold() else []

    def skip(self, count: int) -> None:
        """Skips lines that were peeked at."""
        self._at += count
        self.number += count


@dataclass(frozen=True)
class TextRows:
    """Reads one object's records (``pipeline.ObjectRows``) for one COPY.

    Reads ``_MANY`` lines at a time if they are plain (``splitting.plain``, ``bulk``), else fewer or one by one,
    with the same rows and errors.
    """

    columns: Sequence[Column]
    converts: Sequence[Convert]
    bulks: Sequence[Bulk | None]
    options: CopyOptions
    split: Split
    plain: Plain | None
    check_cancelled: Check

    def read(self, chunks: Iterator[bytes], url: str, accept: Accept, reject: Reject) -> Scanned:
        """See ``pipeline.ObjectRows``."""
        lines = Lines(chunks, url, self.options.encoding)
        following = _Following(lines.blocks())
        rows = 0
        try:
            for _ in range(self.options.ignoreheader):
                following.next()
            count = _MANY
            while many := following.peek(count):
                self.check_cancelled()
                built = self._many(many)
                if built is not None:
                    following.skip(len(many))
                    for values in built:
                        accept(values)
                    rows += len(many)
                    count = min(2 * count, _MANY)
                elif count > _FEW:
                    count = max(count // 4, _FEW)
                else:
                    end = following.number + len(many)
                    while following.number < end:
                        rows += self._one(lines, following, accept, reject)
        except RowError as error:  # the whole file is skipped
            reject(error)
        return Scanned(rows, following.number, lines.bytes)

    def _many(self, lines: list[str]) -> Iterator[Sequence[Any]] | None:
        """The lines' rows; None if one of them is not plain or has an error."""
        columns = self.plain(lines, len(self.columns)) if self.plain else None
        if columns is None:
            return None
        built = []
        try:
            for number, fields in enumerate(columns):
                values = self._column(number, fields)
                if None in values and self.columns[number].not_null:
                    return None
                built.append(values)
        except (RowError, RedshiftError):
            return None
        return zip(*built, strict=True)

    def _column(self, number: int, fields: Sequence[str]) -> Sequence[Any]:
        null, convert, bulk = self.options.null_as, self.converts[number], self.bulks[number]
        has_nulls = null in fields
        if bulk is not None:
            present = ["" if f == null else f for f in fields] if has_nulls else fields
            values = bulk(present, "\n".join(present))
            if values is not None:
                if has_nulls:
                    pairs = zip(fields, values, strict=True)
                    return [None if field == null else value for field, value in pairs]
                return values
        return [convert(None if field == null else field) for field in fields]

    def _one(self, lines: Lines, following: _Following, accept: Accept, reject: Reject) -> bool:
        """Reads the next record; returns whether it was accepted."""
        line = following.next() or ""
        if self.options.ignoreblanklines and line in ("", "\r"):
            return False
        began = following.number
        try:
            values = self._row(line, lines, following)
        except RowError as error:
            reject(replace(error, line=began, raw_line=_raw(error.raw_line or line)))
            return False
        accept(values)
        return True

    def _row(self, line: str, lines: Lines, following: _Following) -> list[Any]:
        if "\0" in line and not self._takes_nul:
            raise _ends_early(line)
        began = following.number
        try:
            record = self.split(line, following.next)
        except Broken as error:
            column = self.columns[min(error.number, len(self.columns) - 1)]
            raise _of(column, DELIMITER_NOT_FOUND, error.message, error.start) from None
        if following.number > began:
            lines.check_size(record.text)
        fields = self._complete(record)
        values = []
        has_nul = "\0" in record.text
        for number, (convert, field) in enumerate(zip(self.converts, fields, strict=False)):
            try:
                if has_nul and field is not None and "\0" in field:
                    raise _nul_and_more(self.columns[number])
                values.append(convert(field))
            except RowError as error:
                raise replace(
                    error,
                    position=self._position(record, number),
                    raw_line=record.text,
                    raw_field=_raw(field or ""),
                ) from error
        if len(values) < len(self.columns):
            column = self.columns[len(values)]
            raise _of(column, FEWER_COLUMNS, "Fewer columns than defined in the DDL", -1)
        return values

    @property
    def _takes_nul(self) -> bool:
        """NULL AS '\\0': "If a field contains only NUL, you can use NULL AS to replace" it."""
        return self.options.null_as == "\0"

    def _complete(self, record: Record) -> Sequence[Field]:
        """As many fields as columns: "This [last] field can be a delimiter" (t_preparing-input-data),
        FILLRECORD fills missing fields at the end.
        """
        fields, wanted = record.fields, len(self.columns)
        if len(fields) == wanted:
            return fields
        if len(fields) > wanted:
            if (
                len(fields) == wanted + 1
                and (fields[-1] == "" or (fields[-1] is None and self.options.null_as == ""))
                and self.options.format != "fixedwidth"
            ):
                return fields[:-1]
            raise RowError(EXTRA_COLUMNS, "Extra column(s) found")
        if self.options.fillrecord:
            return [*fields, *(self._filling(column) for column in self.columns[len(fields) :])]
        if self.options.format == "fixedwidth":
            return fields
        last = len(fields) - 1
        column = self.columns[last]
        raise _of(column, DELIMITER_NOT_FOUND, "Delimiter not found", record.position(last))

    def _filling(self, column: Column) -> Field:
        """ "zero-length strings or NULLs, as appropriate for the data types of the columns"; CHAR
        columns of the documentation's example become NULL.
        """
        empty = column.type.name == "varchar" and not self.options.emptyasnull
        return "" if empty else None

    def _position(self, record: Record, number: int) -> int:
        """The byte at which the field starts; for fixed width the one before, as tutorial-loading-run-
        copy.html shows: -1 for the first field.
        """
        return record.position(number) - (1 if self.options.format == "fixedwidth" else 0)


def _of(column: Column, code: int, message: str, position: int) -> RowError:
    length = str(column.type.length or 0)
    return RowError(code, message, column.name, column.type.name, length, position=position)


def _raw(text: str) -> str:
    """ "Multibyte characters in the load data are replaced with a period" (r_STL_LOAD_ERRORS.html)."""
    return _NOT_PRINTED.sub(".", text)[:1024]


def _ends_early(line: str) -> RowError:
    """ "By default, COPY treats a NUL terminator character as an EOR character": the record ends
    there, not at a line feed (tutorial-loading-run-copy.html; code 1216: snowplow#259).
    """
    raw = line[: line.index("\0")].encode(errors="surrogateescape")
    last = raw[-1] if raw else 0
    place = max(len(raw) - 1, 0)
    return RowError(
        INVALID_LINE, f"Missing newline: Unexpected character 0x{last:x} found at location {place}"
    )


def _nul_and_more(column: Column) -> RowError:
    return _of(column, NUL_AND_MORE, "Invalid null byte - field longer than 1 byte", 0)


def _converter(column: Column, options: CopyOptions) -> Convert:
    """ "SUPER columns in text and CSV formats [are] serialized JSON" (dg/copy_json.html)."""
    inner = converter(column, options)
    if column.type.name != "super":
        return inner

    def convert(field: Any) -> Any:
        if not field:
            return inner(None)
        try:
            return inner(json.loads(field, parse_constant=_no_constant))
        except ValueError:
            message = "Input data is not well-formed JSON for the SUPER data type"
            raise _of(column, NOT_JSON, message, 0) from None

    return convert


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def rows(columns: Sequence[Column], options: CopyOptions, check_cancelled: Check) -> TextRows:
    """The reader of options.format csv, text or fixedwidth. Raises RedshiftError."""
    null, quickly = options.null_as, None
    if options.format == "csv":
        split = csv(options.delimiter or ",", options.quote or '"', null)
        quickly = plain(options.delimiter or ",", "", options.quote or '"')
    elif options.format == "fixedwidth":
        if len(options.widths) != len(columns):
            raise RedshiftError(
                f"Fixed width specification has {len(options.widths)} columns, the table or column "
                f"list {len(columns)}"
            )
        split = fixed_width(options.widths, null)
    else:
        split = delimited(
            options.delimiter or "|", null, escape=options.escape, removequotes=options.removequotes
        )
        special = ("\\" if options.escape else "") + ("'\"" if options.removequotes else "")
        quickly = plain(options.delimiter or "|", special)
    converts = [_converter(column, options) for column in columns]
    fast = not options.exact_only("text")
    bulks = [bulk(column, options) if fast else None for column in columns]
    return TextRows(columns, converts, bulks, options, split, quickly, check_cancelled)
