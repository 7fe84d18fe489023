"""What the tables of a contract must hold for a set of files, worked out in plain Python.

    judge(contract, key, body)       why the file is rejected, "" if it loads
    tables(contract, [File(…), …])   {"orders": [(…), …], "order_items": […], "orders_history": […]}

The rules are those of the page on contracts, and nothing is taken of the generator: of the product it reads only the
contract's model. Rows have the columns that a reader sees, without the loader's own (load_id, batch, row_no).

- A value that is there and does not fit its type is bad, and so is a row without its key or its newest.
- The winner of a key is its newest version; of several, the one that a reload brought last; then the smaller content:
  the columns in their order, NULL first, SUPER by its text; then the hash of the arrays.
- A winner that says that it is deleted is not in the table. History has one version for each key and newest.
- Without a key every row of every file is there.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import re
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from functools import cmp_to_key
from hashlib import sha256
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb

from contracts.conditions import Condition
from contracts.model import Child, Column, Contract

Row = tuple[Any, ...]
Tables = dict[str, list[Row]]

_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?(?: ?(Z|[-+]\d\d(?::?\d\d)?))?)?",
    re.ASCII,
)
_NOTHING = object()
_EXACT = Context(prec=100)  # more digits than any value has


class Bad(ValueError):
    """A file that is rejected, and why."""


@dataclass(frozen=True)
class File:
    """A file that is loaded. reload: the id of the reload that brought it, '' for any other load."""

    key: str
    body: bytes
    reload: str = ""


@dataclass(frozen=True)
class Version:
    """A row of a file: its values by column, the elements of its arrays by table, and what their hash is."""

    values: Mapping[str, Any]
    elements: Mapping[str, Sequence[Row]]
    arrays: str
    reload: str


def judge(contract: Contract, key: str, body: bytes) -> str:
    """Why the file is rejected; "" for one that loads. "unique", which is of a batch, is left out."""
    try:
        for version in _versions(contract, File(key, body)):
            _check(contract, version)
    except Bad as bad:
        return str(bad)
    return ""


def keys(contract: Contract, key: str, body: bytes) -> set[Row]:
    """The versions in a good file: the key of each row, and its newest."""
    newest = [contract.newest] if contract.newest else []
    found = _versions(contract, File(key, body))
    return {(contract.name, *_key(contract, v), *(v.values[one] for one in newest)) for v in found}


def tables(contract: Contract, files: Sequence[File]) -> Tables:
    """Every table (and the view of the history) that these files make; raises Bad."""
    versions = [version for file in files for version in _versions(contract, file)]
    shown = [column.name for column in contract.kept]
    found: Tables = {contract.name: [], **{child.name: [] for child in contract.children}}
    if not contract.key:
        winners = versions
    else:

        def compared(one: Version, other: Version) -> int:
            return _compared(contract, one, other)

        order = cmp_to_key(compared)
        by_key: dict[Row, list[Version]] = {}
        for version in versions:
            by_key.setdefault(_key(contract, version), []).append(version)
        ranked = [sorted(group, key=order) for group in by_key.values()]
        winners = [group[0] for group in ranked if not _deleted(contract, group[0])]
        if contract.history:
            found[f"{contract.name}_history"] = [
                row for group in ranked for row in _history(contract, shown, group)
            ]
    for version in winners:
        found[contract.name].append(tuple(version.values[name] for name in shown))
        for child in contract.children:
            found[child.name] += [
                (*_key(contract, version), *element) for element in version.elements[child.name]
            ]
    return found


def columns_of(contract: Contract) -> dict[str, list[str]]:
    """The columns of each table's rows, in their order."""
    shown = [column.name for column in contract.kept]
    found = {contract.name: shown}
    for child in contract.children:
        kept = [column.name for column in child.columns if column.mask != "drop"]
        found[child.name] = [*contract.key, "position", *kept]
    if contract.history:
        found[f"{contract.name}_history"] = [*shown, "valid_from", "valid_to"]
    return found


def read(
    contract: Contract, query: Callable[..., list[list[Row]]], schema: str = "sparkify"
) -> Tables:
    """The same tables as they are in a warehouse: ``query`` returns the rows of each of its statements."""
    every = columns_of(contract)
    listed = [
        f"SELECT {', '.join(_quoted(name) for name in names)} FROM {schema}.{table}"
        for table, names in every.items()
    ]
    kinds = {
        column.name: column.stored.name
        for column in [
            *contract.columns,
            *(c for child in contract.children for c in child.columns),
        ]
    }
    found: Tables = {}
    for (table, names), rows in zip(every.items(), query(*listed), strict=True):
        of_child = next((c for c in contract.children if c.name == table), None)
        types = dict(kinds)
        if of_child:
            types = {c.name: c.stored.name for c in (*contract.columns, *of_child.columns)}
        if contract.newest:
            types |= dict.fromkeys(
                ("valid_from", "valid_to"), contract.column(contract.newest).stored.name
            )
        found[table] = [
            tuple(
                _answered(value, types.get(name, ""))
                for value, name in zip(row, names, strict=True)
            )
            for row in rows
        ]
    return found


def diff(expected: Tables, actual: Tables) -> str:
    """'' if the tables have the same rows, each as often; else the first rows that differ, in words."""
    told = []
    for table in sorted(expected.keys() | actual.keys()):
        wanted, there = (sorted(map(repr, tables.get(table, []))) for tables in (expected, actual))
        if wanted != there:
            missing, more = list(wanted), []
            for row in there:
                if row in missing:
                    missing.remove(row)
                else:
                    more.append(row)
            told.append(
                f"{table}: {len(there)} rows, not {len(wanted)}; missing {missing[:3]}; too many {more[:3]}"
            )
    return "\n".join(told)


# -- versions and winners ----------------------------------------------------------------------


def _key(contract: Contract, version: Version) -> Row:
    return tuple(version.values[name] for name in contract.key)


def _compared(contract: Contract, one: Version, other: Version) -> int:
    """Below zero if ``one`` wins."""
    if contract.newest:
        a, b = (version.values[contract.newest] for version in (one, other))
        if _ordered(a) != _ordered(b):
            return -1 if _ordered(a) > _ordered(b) else 1
    if one.reload != other.reload:
        return -1 if one.reload > other.reload else 1
    for column in contract.kept:
        if column.name in (*contract.key, contract.newest):
            continue
        a, b = (_ordered(version.values[column.name]) for version in (one, other))
        if a != b:
            return -1 if b is not None and (a is None or a < b) else 1
    return -1 if one.arrays < other.arrays else int(one.arrays > other.arrays)


def _ordered(value: Any) -> Any:
    """A value as Redshift orders it: texts by their bytes, SUPER by its text."""
    if isinstance(value, _Super):
        return value.text.encode()
    return value.encode() if isinstance(value, str) else value


def _deleted(contract: Contract, version: Version) -> bool:
    """Whether a column has one of the values that say so; they are SQL literals in the contract."""
    for name, literals in contract.deleted:
        value = version.values[name]
        if value is None:
            continue
        said = {True: "TRUE", False: "FALSE"}.get(value) if isinstance(value, bool) else value
        for literal in literals:
            plain = literal[1:-1].replace("''", "'") if literal.startswith("'") else literal
            if str(said) == plain or (
                isinstance(said, int | Decimal | float) and Decimal(str(said)) == Decimal(plain)
            ):
                return True
    return False


def _check(contract: Contract, version: Version) -> None:
    for test in contract.tests:
        child = next((one for one in contract.children if one.name == test.child), None)
        if child:
            names = ["", *(column.name for column in child.columns if column.mask != "drop")]
            found = [element[names.index(test.column)] for element in version.elements[child.name]]
        else:
            found = [version.values[test.column]]
        if any(_violates(test.condition, value) for value in found):
            raise Bad(f"{test.column}: a check")


def _violates(condition: Condition, value: Any) -> bool:
    """Of numbers and texts, whose SQL literals are those of Python but for the quotes."""
    if condition.operator == "not null" or value is None:
        return condition.operator == "not null" and value is None
    wanted = [
        one[1:-1].replace("''", "'") if one.startswith("'") else Decimal(one)
        for one in condition.operands
    ]
    if condition.operator == "between":
        return not wanted[0] <= value <= wanted[1]
    if condition.operator in ("in", "not in"):
        return (value in wanted) == (condition.operator == "not in")
    holds = {"<=": le, ">=": ge, "!=": ne, "<": lt, ">": gt, "=": eq}[condition.operator]
    return condition.operator != "unique" and not holds(value, wanted[0])


def _history(contract: Contract, shown: Sequence[str], ranked: Sequence[Version]) -> Iterator[Row]:
    """The best version of each newest, with the time from which and to which it was the newest."""
    later: Any = None
    last: Any = _NOTHING
    for version in ranked:  # the newest first
        at = version.values[contract.newest]
        if at != last:
            yield (*(version.values[name] for name in shown), at, later)
            later = last = at


# -- files -------------------------------------------------------------------------------------


def _versions(contract: Contract, file: File) -> Iterator[Version]:
    in_key = _of_key(contract, file.key)
    records: Iterator[tuple[dict[str, Any], list[list[Any] | None]]]
    if contract.format == "json":
        records = (_of_json(contract, record) for record in _objects(_text(file)))
    elif contract.format == "parquet":
        records = _of_parquet(contract, file.body)
    else:
        records = _of_csv(contract, _text(file))
    for values, arrays in records:
        values |= in_key
        values = {column.name: values[column.name] for column in contract.columns}
        for name in (*contract.key, *([contract.newest] if contract.newest else [])):
            if isinstance(values[name], str):
                values[name] = values[name].rstrip(" ")
            if values[name] is None or (
                isinstance(values[name], str) and not values[name].strip(" ")
            ):
                raise Bad(f"{name} is missing")
        elements = {
            child.name: [_element(child, n, one) for n, one in enumerate(array or [])]
            for child, array in zip(contract.children, arrays, strict=True)
        }
        hashes = [sha256(("" if a is None else _dumped(a)).encode()).hexdigest() for a in arrays]
        hashed = hashes[0] if len(hashes) == 1 else sha256("".join(hashes).encode()).hexdigest()
        yield Version(values, elements, hashed if hashes else "", file.reload)


def _text(file: File) -> str:
    try:
        if file.key.endswith(".gz"):
            return gzip.decompress(file.body).decode()
        if file.key.endswith(".bz2"):
            return bz2.decompress(file.body).decode()
        return file.body.decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Bad(f"cannot be read: {error}") from error


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, one after another; numbers with a point are Decimal, so that no digit is lost."""
    decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=lambda name: _not_json(name))
    place = 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        try:
            record, place = decoder.raw_decode(text, place)
        except ValueError as error:
            raise Bad(f"not JSON: {error}") from error
        if not isinstance(record, dict):
            raise Bad("not an object")
        yield record


def _not_json(name: str) -> Any:
    raise ValueError(name)


def _of_key(contract: Contract, key: str) -> dict[str, Any]:
    parts = (part.partition("=") for part in key.split("/")[:-1])
    folders = {name: unquote(value) for name, is_there, value in parts if is_there}
    found = {}
    for column in contract.columns:
        if column.from_key:
            if column.from_key not in folders:
                raise Bad(f"the key has no {column.from_key}=")
            said = folders[column.from_key]
            found[column.name] = _converted(
                column, None if said in ("", "__HIVE_DEFAULT_PARTITION__") else said
            )
    return found


def _of_json(
    contract: Contract, record: dict[str, Any]
) -> tuple[dict[str, Any], list[list[Any] | None]]:
    values: dict[str, Any] = {}
    for column in contract.columns:
        if not column.from_key:
            found = [_member(record, path.steps) for path in column.paths]
            values[column.name] = _value(column, next((v for v in found if v is not None), None))
    arrays = []
    for child in contract.children:
        array = _member(record, child.each.steps)
        if array is not None and not isinstance(array, list):
            raise Bad(f"{child.each} is no array")
        arrays.append(array)
    return values, arrays


def _member(record: Any, steps: Sequence[str | int]) -> Any:
    """The value at a path that COPY reads: it rejects what has no keys where a key should be."""
    for step in steps:
        if record is not None and not isinstance(record, dict):
            raise Bad(f"{record!r} is no object")
        record = _at(record, [step])
    return record


def _first(record: Any, column: Column) -> Any:
    """The value at the first of the column's paths that has one."""
    found = (_at(record, path.steps) for path in column.paths)
    return next((value for value in found if value is not None), None)


def _at(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _of_csv(
    contract: Contract, text: str
) -> Iterator[tuple[dict[str, Any], list[list[Any] | None]]]:
    said = contract.csv
    lines = list(
        csv.reader(io.StringIO(text, newline=""), delimiter=said.delimiter, quotechar=said.quote, doublequote=True)
    )  # fmt: skip
    of_file = [column for column in contract.columns if not column.from_key]
    names = [str(column.paths[0].steps[0]).strip().lower() for column in of_file]
    if said.header and lines:
        header = [name.strip().lower() for name in lines.pop(0)]
        if sorted(header) != sorted(names):
            raise Bad(f"the header is {header}, not {names}")
        of_file = [of_file[names.index(name)] for name in header]
    for line in lines:
        if not line:
            continue
        if len(line) != len(of_file):
            raise Bad(f"{len(line)} values, not {len(of_file)}")
        values = {}
        for column, value in zip(of_file, line, strict=True):
            is_null = value == said.null or (value == "" and not column.type.is_text)
            values[column.name] = _value(column, None if is_null else value)
        yield values, []


def _of_parquet(
    contract: Contract, body: bytes
) -> Iterator[tuple[dict[str, Any], list[list[Any] | None]]]:
    """The rows as DuckDB reads them. What is nested is read as JSON."""
    of_file = [column for column in contract.columns if not column.from_key]
    names = [str(column.paths[0].steps[0]) for column in of_file]
    lists = [str(child.each.steps[0]) for child in contract.children]
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        path = Path(folder) / "a.parquet"
        path.write_bytes(body)
        con.execute("SET TimeZone = 'UTC'")
        try:
            described = con.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
            kinds = {name.lower(): kind for name, kind, *_ in described}
            if missing := {name.lower() for name in (*names, *lists)} - {*kinds}:
                raise Bad(f"the columns {missing} are missing")
            if contract.unknown == "reject" and len(kinds) > len(names) + len(lists):
                raise Bad(f"the file has {list(kinds)}")
            picked = []
            for column, name in zip(of_file, names, strict=True):
                wanted = _in_parquet(column)
                if wanted and not re.fullmatch(wanted, kinds[name.lower()]):
                    raise Bad(f"{name} is {kinds[name.lower()]}, not {wanted}")
                is_time = column.type.name == "timestamp" and column.format == "auto"
                picked.append(
                    f'CAST("{name}" AS TIMESTAMP)' if is_time
                    else f'CAST(to_json("{name}") AS VARCHAR)' if not wanted
                    else f'"{name}"'
                )  # fmt: skip
            picked += [f'CAST(to_json("{name}") AS VARCHAR)' for name in lists]
            rows = con.execute(f"SELECT {', '.join(picked)} FROM '{path}'").fetchall()
        except duckdb.Error as error:
            raise Bad(f"no Parquet: {error}") from error
    for row in rows:
        values = {
            column.name: None if value is None else _of_typed(column, value)
            for column, value in zip(of_file, row, strict=False)
        }
        arrays = [one and json.loads(one, parse_float=Decimal) for one in row[len(of_file) :]]
        if any(one is not None and not isinstance(one, list) for one in arrays):
            raise Bad("no array")
        yield values, arrays


def _in_parquet(column: Column) -> str:
    """DuckDB's types of what COPY takes for the column; "" for any."""
    kind = column.type
    if column.mask == "drop" or kind.name == "super":
        return ""
    if kind.name == "decimal":
        return re.escape(f"DECIMAL({kind.precision},{kind.scale})")
    if column.format in ("epoch_seconds", "epoch_milliseconds"):
        return "BIGINT"
    return {
        "smallint": "(TINY|SMALL)INT|INTEGER", "integer": "(TINY|SMALL)INT|INTEGER", "bigint": "BIGINT",
        "real": "FLOAT", "double precision": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
        "timestamp": "TIMESTAMP( WITH TIME ZONE)?", "varchar": "VARCHAR|JSON|BLOB", "char": "VARCHAR|JSON|BLOB",
    }[kind.name]  # fmt: skip


def _of_typed(column: Column, value: Any) -> Any:
    """A value of a Parquet file, as it is in the column. Raises Bad."""
    if not _in_parquet(column):
        return _Super(json.loads(value, parse_float=Decimal))
    if column.type.is_text:
        return _converted(column, value.decode() if isinstance(value, bytes) else value)
    if column.type.name == "smallint" or column.format != "auto":
        return _converted(column, str(value))
    return value


# -- values ------------------------------------------------------------------------------------


class _Super:
    """A value of a SUPER column; equal to another of the same JSON."""

    def __init__(self, value: Any) -> None:
        self.text = _dumped(value)

    def __repr__(self) -> str:
        return f"SUPER {json.dumps(json.loads(self.text), sort_keys=True)}"

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def _dumped(value: Any) -> str:
    """JSON as a SUPER value is written; numbers without zeros at their end."""

    def plain(one: Any) -> Any:
        if isinstance(one, Decimal):
            return float(one)
        if isinstance(one, dict):
            return {name: plain(each) for name, each in one.items()}
        return [plain(each) for each in one] if isinstance(one, list) else one

    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))


def _value(column: Column, value: Any) -> Any:
    """The value of a column of a record, which COPY reads: None is NULL. Raises Bad."""
    if value is None:
        return None
    if column.type.name == "super":
        return _Super(value)
    if isinstance(value, dict | list) and not column.type.is_text:
        raise Bad(f"{column.name}: an object or array")
    text = value if isinstance(value, str) else _dumped_scalar(value)
    if column.type.is_whole and not re.fullmatch(r" *[-+]?\d+ *", text or "0", re.ASCII):
        raise Bad(f"{column.name}: {text!r} is no whole number")
    if column.type.name == "decimal" and re.fullmatch(
        r" *[-+]?[\d.]+[eE][-+]?\d+ *", text, re.ASCII
    ):
        text = f"{Decimal(text.strip()):f}"
    return _converted(column, text)


def _element(child: Child, number: int, element: Any) -> Row:
    """The row of an array's element: its position and its columns."""
    found: list[Any] = [number]
    for column in child.columns:
        if column.mask == "drop":
            continue
        value = _first(element, column)
        if column.type.name == "super":
            found.append(None if value is None else _Super(value))
        elif value is None:
            found.append(None)
        else:
            found.append(
                _converted(column, value if isinstance(value, str) else _dumped_scalar(value))
            )
    return tuple(found)


def _dumped_scalar(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    return _dumped(value)


def _converted(column: Column, text: str | None) -> Any:
    """The typed value of a text; raises Bad for one that does not fit."""
    kind = column.type
    if text is None:
        return None
    if kind.is_text:
        size = len(text.encode())
        if size > kind.length and column.truncate:
            return text.encode()[: kind.length].decode(errors="ignore")
        if size > kind.length or (kind.name == "char" and not text.isascii()):
            raise Bad(f"{column.name}: {text[:20]!r} is too long")
        return text.rstrip(" ") if kind.name == "char" else text
    text = text.strip(" ")
    if not text:
        return None
    value = _of_type(column, text)
    if value is None:
        raise Bad(f"{column.name}: {text!r} is no {kind}")
    return value


def _of_type(column: Column, text: str) -> Any:
    """The value, or None if it does not fit."""
    kind = column.type
    if kind.is_whole:
        if not re.fullmatch(r"[-+]?\d+(\.0+)?", text, re.ASCII):
            return None
        whole, limit = int(text.partition(".")[0]), 2 ** _BITS[kind.name]
        return whole if -limit <= whole < limit else None
    if kind.name == "decimal":
        if not re.fullmatch(r"[-+]?\d*(\.\d*)?", text, re.ASCII) or not re.search(r"\d", text):
            return None
        number = Decimal(text)
        scaled = number.scaleb(kind.scale, _EXACT)
        if scaled != scaled.to_integral_value() or abs(scaled) >= 10**kind.precision:
            return None
        return number.quantize(Decimal(1).scaleb(-kind.scale), context=_EXACT)
    if kind.is_number:
        if not re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", text, re.ASCII):
            return None
        number_ = float(text)
        return struct.unpack("f", struct.pack("f", number_))[0] if kind.name == "real" else number_
    if kind.name == "boolean":
        return _WORDS.get(text.lower())
    return _time(column, text)


def _time(column: Column, text: str) -> datetime | date | None:
    is_date = column.type.name == "date"
    if column.format in ("epoch_seconds", "epoch_milliseconds"):
        digits, divisor = (11, 1) if column.format == "epoch_seconds" else (14, 1000)
        if not re.fullmatch(rf"-?\d{{1,{digits}}}(\.\d+)?", text, re.ASCII):
            return None
        micros = int(Decimal(text) * 1_000_000 / divisor)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        return moment.date() if is_date else moment.replace(tzinfo=None)
    try:
        if column.format != "auto":
            moment = datetime.strptime(text, _strptime(column.format)).replace(tzinfo=UTC)
            return moment.date() if is_date else moment.replace(tzinfo=None)
        if is_date:
            return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
        found = _MOMENT.fullmatch(text)
        if not found:
            return None
        day, minute, second, fraction, zone = found.groups()
        moment = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}+00:00")
    except ValueError:
        return None
    if fraction:
        moment += timedelta(microseconds=round(Decimal(f"0.{fraction}") * 1_000_000))
    if zone and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
        offset = timedelta(hours=hours, minutes=minutes)
        moment += -offset if zone[0] == "+" else offset
    return moment.replace(tzinfo=None)


def _strptime(form: str) -> str:
    for said, one in (
        ("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH24", "%H"), ("MI", "%M"), ("SS", "%S"),
    ):  # fmt: skip
        form = form.replace(said, one)
    return form


def _answered(value: Any, kind: str) -> Any:
    """A value as the Data API answers it, as the value that it stands for."""
    if value is None:
        return None
    if kind == "decimal":
        return Decimal(value)
    if kind == "timestamp":
        return datetime.fromisoformat(value)
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "super":
        return None if value == "null" else _Super(json.loads(value))  # a null of JSON is none
    if kind == "char":
        return value.rstrip(" ")
    return value


def _quoted(name: str) -> str:
    return f'"{name}"'
