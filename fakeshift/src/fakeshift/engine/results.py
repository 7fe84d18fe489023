"""Result sets: DuckDB's columns and values as the Data API's ColumnMetadata and Field.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ColumnMetadata.html
https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Field.html
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fakeshift.catalog.model import Origin
from fakeshift.sql.datatypes import MAX_VARCHAR, OF_CATALOGUE, DataType

_NAMES = {
    "BOOLEAN": "bool",
    "TINYINT": "int2",
    "SMALLINT": "int2",
    "INTEGER": "int4",
    "BIGINT": "int8",
    "HUGEINT": "int8",  # DuckDB's SUM of integers; BIGINT in Redshift
    "UBIGINT": "int8",
    "FLOAT": "float4",
    "DOUBLE": "float8",
    "VARCHAR": "varchar",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "INTERVAL": "interval",
    "JSON": "super",
    "NULL": "varchar",
    '"NULL"': "varchar",
}
_PRECISION = {"int2": 5, "int4": 10, "int8": 19, "float4": 8, "float8": 17, "bool": 1, "date": 13,
              "timestamp": 29, "timestamptz": 35, "time": 15}  # fmt: skip
_TEXTS = frozenset({"varchar", "bpchar"})
_SIGNED = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric"})
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result set: ``type_name`` as ColumnMetadata.typeName has it."""

    name: str
    type_name: str
    precision: int = 0
    scale: int = 0
    schema: str = ""
    table: str = ""
    nullable: int = 1

    @property
    def kind(self) -> DataType:
        """Its type."""
        if self.type_name == "numeric":
            return DataType("numeric", precision=self.precision, scale=self.scale)
        return DataType(self.type_name, self.precision if self.type_name in _TEXTS else 0)

    def metadata(self) -> dict[str, Any]:
        """ColumnMetadata."""
        return {
            "name": self.name,
            "label": self.name,
            "typeName": self.type_name,
            "precision": self.precision,
            "scale": self.scale,
            "length": 0,
            "nullable": self.nullable,
            "schemaName": self.schema,
            "tableName": self.table,
            "isCaseSensitive": self.type_name in ("varchar", "bpchar", "super"),
            "isCurrency": False,
            "isSigned": self.type_name in _SIGNED,
        }


def result_columns(
    description: Sequence[tuple[Any, ...]],
    types: Sequence[DataType | None] = (),
    origins: Sequence[Origin | None] = (),
) -> list[ResultColumn]:
    """The columns of a DuckDB cursor's ``description``; ``types`` define the character ones.

    Columns of a table, by ``origins``, have its name and schema, and may be NOT NULL.
    """
    found = [_result_column(entry[0], str(entry[1])) for entry in description]
    if len(types) == len(found):
        found = list(map(_typed, found, types))
    return list(map(_placed, found, origins)) if len(origins) == len(found) else found


def _typed(column: ResultColumn, known: DataType | None) -> ResultColumn:
    if known is None:
        return column
    if known.is_text and column.type_name == "varchar":
        return replace(column, type_name=known.name, precision=known.length)
    return replace(column, type_name=known.name) if known.name in OF_CATALOGUE else column


def _placed(column: ResultColumn, origin: Origin | None) -> ResultColumn:
    if origin is None:
        return column
    return replace(
        _typed(column, origin.type),
        schema=origin.schema,
        table=origin.table,
        nullable=0 if origin.not_null else 1,
    )


def _result_column(name: str, duckdb_type: str) -> ResultColumn:
    decimals = _DECIMAL.fullmatch(duckdb_type)
    if decimals:
        return ResultColumn(name, "numeric", int(decimals[1]), int(decimals[2]))
    type_name = _NAMES.get(duckdb_type, "varchar")
    precision = _PRECISION.get(type_name, MAX_VARCHAR)
    scale = 6 if type_name.startswith("time") else 0
    return ResultColumn(name, type_name, precision, scale)


_NOT_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""As the JSON protocol writes them: https://smithy.io/2.0/spec/protocols/aws-json-1_1-protocol.html"""


def field(value: Any) -> dict[str, Any]:
    """A value as the Data API's union: numbers, booleans, everything else as text.

    ``Decimal('1.50')`` -> ``{"stringValue": "1.50"}``, ``None`` -> ``{"isNull": True}``.
    """
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _NOT_NUMBERS[str(value)]}
    return {"stringValue": text(value)}


def text(value: Any) -> str:
    """A value as Redshift writes it: ``2018-11-01 21:01:46.796``, ``t`` and ``f`` in CSV."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, dt.datetime):
        return _timestamp(value)
    if isinstance(value, dt.time):
        return value.isoformat().rstrip("0") if value.microsecond else value.isoformat()
    if isinstance(value, (dt.date, decimal.Decimal)):
        return format(value, "f") if isinstance(value, decimal.Decimal) else value.isoformat()
    if isinstance(value, list):
        return "{" + ",".join(map(_item, value)) + "}"
    return str(value)


_PLAIN_ITEM = re.compile(r"[^\s{},\"\\]+")


def _item(value: Any) -> str:
    """An element of an array, in quotes where the array's text needs them."""
    if value is None:
        return "NULL"
    shown = text(value)
    if _PLAIN_ITEM.fullmatch(shown) and shown.upper() != "NULL":
        return shown
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _timestamp(value: dt.datetime) -> str:
    shown = (
        value.strftime("%Y-%m-%d %H:%M:%S")
        if value.year >= 1000
        else value.isoformat(" ", "seconds")[:19]
    )
    if value.microsecond:
        shown += f".{value.microsecond:06d}".rstrip("0")
    return f"{shown}+00" if value.tzinfo else shown


_INTERVAL_PART = re.compile(r"(-?\d+) (year|month|day)s?")
_INTERVAL_CLOCK = re.compile(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?")
_HOURS_OF_A_DAY = 24


def interval(written: str) -> str:
    """DuckDB's text of an interval in the style "postgres": ``1 year 2 months 36:00:00`` -> ``1 year 2
    mons 1 day 12:00:00``.

    https://docs.aws.amazon.com/redshift/latest/dg/r_interval_data_types.html
    """
    parts = {name: int(number) for number, name in _INTERVAL_PART.findall(written)}
    clock = _INTERVAL_CLOCK.search(written)
    time = ""
    if clock is not None:
        days, hours = divmod(int(clock[2]), _HOURS_OF_A_DAY)
        parts["day"] = parts.get("day", 0) + (-days if clock[1] else days)
        fraction = (clock[5] or "").rstrip("0")
        if hours or int(clock[3]) or int(clock[4]) or fraction:
            time = f"{clock[1]}{hours:02d}:{clock[3]}:{clock[4]}" + (
                f".{fraction}" if fraction else ""
            )
    words = {"year": "year", "month": "mon", "day": "day"}
    shown = [
        f"{parts[name]} {word}{'' if parts[name] == 1 else 's'}"
        for name, word in words.items()
        if parts.get(name)
    ]
    return " ".join([*shown, time] if time else shown) or "00:00:00"


def with_intervals(rows: Iterable[Sequence[Any]], places: Sequence[int]) -> list[list[Any]]:
    """Rows with DuckDB's texts of intervals in Redshift's style."""
    built = [list(row) for row in rows]
    for row in built:
        for place in places:
            if row[place] is not None:
                row[place] = interval(row[place])
    return built


def fields(rows: Iterable[Sequence[Any]]) -> list[list[dict[str, Any]]]:
    """Rows as Records."""
    return [[field(value) for value in row] for row in rows]
