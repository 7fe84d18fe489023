"""Receives a statement's rows as they are fetched, in pages of about a megabyte."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from fakeshift.engine.results import ResultColumn, fields, text
from fakeshift.errors import RedshiftError

PAGE_BYTES = 1_000_000
MAX_RESULT_BYTES = 500_000_000
MAX_ROW_BYTES = 64 * 1024
CHUNK_ROWS = 1000

PutPage = Callable[[int, dict[str, Any]], None]
"""Keeps page n."""


class Sink(Protocol):
    """Where a session sends a statement's rows; ``rows`` and ``bytes`` count them."""

    rows: int
    bytes: int

    @property
    def columns(self) -> list[ResultColumn]:
        """The columns of the result set."""

    def start(self, columns: list[ResultColumn]) -> None:
        """Starts a result set."""

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Adds rows."""

    def finish(self) -> None:
        """All rows were added."""


class ResultSink:
    """Splits rows into pages and passes them to ``put``; counts rows and bytes.

    Limits: a row of 64 KB, a result of 500 MB
    (https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-troubleshooting.html).
    """

    def __init__(self, put: PutPage, result_format: str = "JSON"):
        self._put = put
        self._csv = result_format == "CSV"
        self._rows: list[Any] = []
        self._page_bytes = 0
        self._pages = 0
        self.columns: list[ResultColumn] = []
        self.rows = 0
        self.bytes = 0

    def start(self, columns: list[ResultColumn]) -> None:
        """Starts a result set."""
        self.columns = columns
        if self._csv:
            self._rows.append(_csv_line([column.name for column in columns]))

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Adds rows."""
        for row in rows:
            size = _ROW_BYTES + sum(map(_size, row))
            if size > MAX_ROW_BYTES:
                raise RedshiftError(
                    f"Packet for query is too large: a row of {size} bytes, {MAX_ROW_BYTES} at most"
                )
            if self.bytes + size > MAX_RESULT_BYTES:
                raise RedshiftError("Database response exceeded size limit: 500 MB at most")
            self.rows += 1
            self.bytes += size
            self._rows.append(_csv_line(row) if self._csv else row)
            self._page_bytes += size + 20 * len(row)
            if self._page_bytes >= PAGE_BYTES:
                self._flush(last=False)

    def finish(self) -> None:
        """Writes the last page."""
        self._flush(last=True)

    def _flush(self, *, last: bool) -> None:
        records: Any = fields(self._rows)
        if self._csv:
            records = [{"CSVRecords": "".join(self._rows)}]
        page = {
            "Records": records,
            "ColumnMetadata": [column.metadata() for column in self.columns],
            "TotalNumRows": self.rows,
            "last": last,
        }
        self._put(self._pages, page)
        self._pages += 1
        self._rows, self._page_bytes = [], 0


_ROW_BYTES = 6
_VALUE_BYTES = 4


def _size(value: Any) -> int:
    """The size of a value in PostgreSQL's protocol: its length and its text.

    So ``select 1`` has 11 bytes, as DescribeStatement shows in
    https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling-cli-describe-statement.html
    """
    if value is None:
        return _VALUE_BYTES
    shown = value if isinstance(value, str) else text(value)
    return _VALUE_BYTES + (len(shown) if shown.isascii() else len(shown.encode()))


def _csv_line(values: Sequence[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow("" if v is None else text(v) for v in values)
    return out.getvalue()
