"""A contract, checked: what reading.py makes of a dataset.yaml, and what generate/ makes SQL of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from contracts.conditions import Condition
from contracts.paths import Path
from contracts.types import Type

COMPRESSED = (".gz", ".bz2", ".zst")
HASHED = Type("varchar", length=64)


@dataclass(frozen=True)
class Column:
    """A column and where its value is.

    paths     of the keys in a record (JSON), or the names in the header (CSV) or schema (Parquet), of one step: the
              first that is there
    format    of a date or timestamp: auto, epoch_seconds, epoch_milliseconds, or one of Redshift's datetime formats
    mask      hash: the keyed hash of the value; drop: never in a table of results; '' for neither
    truncate  whether a text that is too long is cut (and counted) instead of being a bad row
    from_key  the name in the object's key (dt=2026-11-28/) whose value this is; '' for a column of the file
    """

    name: str
    type: Type
    paths: tuple[Path, ...] = ()
    format: str = "auto"
    mask: Literal["", "hash", "drop"] = ""
    truncate: bool = False
    from_key: str = ""

    @property
    def stored(self) -> Type:
        """The type in the tables of results: a hash is 64 hexadecimal digits."""
        return HASHED if self.mask == "hash" else self.type


@dataclass(frozen=True)
class Child:
    """A table of the elements of an array. each: the array's path in the parent's record."""

    name: str
    each: Path
    columns: tuple[Column, ...]

    @property
    def kept(self) -> tuple[Column, ...]:
        """The columns of the table: all but those that are dropped."""
        return tuple(column for column in self.columns if column.mask != "drop")


@dataclass(frozen=True)
class Csv:
    """The format of CSV files. null: the text that means NULL. header: whether the first line names the columns."""

    delimiter: str = ","
    quote: str = '"'
    null: str = ""
    header: bool = True


@dataclass(frozen=True)
class BadRows:
    """What happens to a file with bad rows: with neither limit, the file is rejected.

    most, percent: the bad rows that a file may have; it is rejected if it has more than the smaller of the two. raw:
    whether their text is kept.
    """

    most: int | None = None
    percent: float | None = None
    raw: bool = True

    @property
    def by_row(self) -> bool:
        return self.most is not None or self.percent is not None


@dataclass(frozen=True)
class Test:
    """A check of a contract on a column of the dataset's table ('' as child) or of a child table."""

    child: str
    column: str
    condition: Condition


@dataclass(frozen=True)
class Contract:
    """What a dataset.yaml says.

    prefix, endings  of the objects' keys, without the endings of compressed files
    format           json, csv or parquet
    key              the columns that identify a row; (): rows are appended
    newest           the column that says which version of a key wins; '' for none (or no key)
    deleted          column -> SQL literals: a winner with one of these values leaves the table
    every            how often a file should come; None if nothing is expected
    """

    name: str
    description: str
    prefix: str
    endings: tuple[str, ...]
    format: Literal["json", "csv", "parquet"]
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    newest: str = ""
    children: tuple[Child, ...] = ()
    csv: Csv = field(default_factory=Csv)
    deleted: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unknown: Literal["report", "reject"] = "report"
    bad_rows: BadRows = field(default_factory=BadRows)
    history: bool = False
    tests: tuple[Test, ...] = ()
    every: timedelta | None = None

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of the objects' keys, compressed or not. Parquet is compressed inside."""
        packed = () if self.format == "parquet" else COMPRESSED
        return tuple(e + c for e in self.endings for c in ("", *packed))

    @property
    def kept(self) -> tuple[Column, ...]:
        """The columns of the tables of results: all but those that are dropped."""
        return tuple(column for column in self.columns if column.mask != "drop")

    @property
    def is_masked(self) -> bool:
        """Whether a column is masked."""
        tables = (self.columns, *(child.columns for child in self.children))
        return any(column.mask for columns in tables for column in columns)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class HandWritten:
    """A dataset.yaml that says ``sql: true``: its SQL is in the files beside it.

    header   as functions/loader/datasets.py accepts it (None: not said)
    further  other fields of dataset.json, as they are
    """

    name: str
    description: str
    prefix: str
    endings: tuple[str, ...]
    stage_table: str
    fact_table: str = ""
    header: bool | tuple[str, ...] | None = None
    further: Mapping[str, Any] = field(default_factory=dict)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return tuple(e + c for e in self.endings for c in ("", *COMPRESSED))
