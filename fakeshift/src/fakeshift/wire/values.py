"""Values on the wire: types' ids, text and binary forms of results, and parameters as SQL.

The ids are pg_type's, and for SUPER those of
https://github.com/aws/amazon-redshift-python-driver/blob/master/redshift_connector/utils/oids.py
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
import struct
from collections.abc import Callable
from typing import Any

from fakeshift.engine.results import ResultColumn, text
from fakeshift.errors import RedshiftError, unsupported
from fakeshift.sql.datatypes import MAX_VARCHAR
from fakeshift.sql.parameters import Literal, quote
from fakeshift.wire.codec import Field

TEXT, BINARY = 0, 1

OIDS = {"bool": 16, "int8": 20, "int2": 21, "int4": 23, "float4": 700, "float8": 701, "bpchar": 1042,
        "varchar": 1043, "date": 1082, "time": 1083, "timestamp": 1114, "timestamptz": 1184,
        "interval": 1186, "numeric": 1700, "super": 4000, "oid": 26, "name": 19, "char": 18,
        "_int2": 1005, "_int4": 1007, "_text": 1009, "_acl": 1034}  # fmt: skip
UNKNOWN = 705
_SIZES = {"bool": 1, "int8": 8, "int2": 2, "int4": 4, "float4": 4, "float8": 8, "date": 4, "time": 8,
          "timestamp": 8, "timestamptz": 8, "interval": 16, "oid": 4, "name": 64, "char": 1}  # fmt: skip

Encode = Callable[[Any], bytes]


def field(column: ResultColumn, format_: int, catalog: str) -> Field:
    """A result's column for RowDescription; ``catalog`` is the database's name."""
    oid = OIDS.get(column.type_name, OIDS["varchar"])
    modifier = -1
    if column.type_name in ("varchar", "bpchar"):
        modifier = (column.precision or MAX_VARCHAR) + 4
    elif column.type_name == "numeric":
        modifier = (column.precision << 16 | column.scale) + 4
    nullable = 1 if column.nullable else 0
    return Field(
        column.name,
        oid,
        _SIZES.get(column.type_name, -1),
        modifier,
        format_,
        column.schema,
        column.table,
        column.name if column.table else "",
        catalog if column.table else "",
        nullable | 1 << 12,  # searchable
    )


def encoder(column: ResultColumn, format_: int, *, redshift: bool, digits: int = 0) -> Encode:
    """How a column's values are sent. ``redshift``: the client knows Redshift's binary form of NUMERIC
    (its protocol version 2), which is not PostgreSQL's; ``digits`` is extra_float_digits.
    """
    kind = column.type_name
    if format_ not in (TEXT, BINARY):
        raise RedshiftError(f"unsupported format code: {format_}", sqlstate="22023")
    if format_ == TEXT or kind in ("varchar", "bpchar", "super", "name", "char"):
        return _float(kind, digits) if kind in ("float4", "float8") else _shown
    if kind == "numeric":
        return _redshift_numeric(column) if redshift else _numeric
    if kind == "interval":
        return _interval
    if kind in _ITEMS:
        return _array(*_ITEMS[kind])
    return _BINARY[kind]


def _shown(value: Any) -> bytes:
    return text(value).encode()


def _float(kind: str, digits: int) -> Encode:
    """PostgreSQL's float4out and float8out: FLT_DIG or DBL_DIG digits and extra_float_digits more."""
    form = f".{max((6 if kind == 'float4' else 15) + digits, 1)}g"

    def encode(value: Any) -> bytes:
        shown = format(value, form)
        return {"nan": b"NaN", "inf": b"Infinity", "-inf": b"-Infinity"}.get(shown, shown.encode())

    return encode


_EPOCH = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - PostgreSQL's, without a zone
_EPOCH_UTC = _EPOCH.replace(tzinfo=dt.UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_MICROSECOND = dt.timedelta(microseconds=1)
_DAY_MICROSECONDS = 86_400_000_000
_int2, _int4, _int8 = struct.Struct("!h").pack, struct.Struct("!i").pack, struct.Struct("!q").pack


def _whole(pack: Callable[[int], bytes], size: int) -> Encode:
    def encode(value: Any) -> bytes:
        try:
            return pack(value)
        except struct.error as error:
            raise RedshiftError(
                f"Value out of range for {size} bytes.", sqlstate="22003"
            ) from error

    return encode


def _time(value: Any) -> bytes:
    since = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    return _int8(since)


_BINARY: dict[str, Encode] = {
    "bool": lambda value: b"\1" if value else b"\0",
    "int2": _whole(_int2, 2),
    "int4": _whole(_int4, 4),
    "int8": _whole(_int8, 8),
    "oid": lambda value: struct.pack("!I", value),
    "float4": struct.Struct("!f").pack,
    "float8": struct.Struct("!d").pack,
    "date": lambda value: _int4(value.toordinal() - _EPOCH_DAY),
    "time": _time,
    "timestamp": lambda value: _int8((value - _EPOCH) // _MICROSECOND),
    "timestamptz": lambda value: _int8((value - _EPOCH_UTC) // _MICROSECOND),
}


_ITEMS = {
    "_int2": ("int2", 21),
    "_int4": ("int4", 23),
    "_text": ("varchar", 25),
    "_acl": ("varchar", 25),
}


def _array(kind: str, oid: int) -> Encode:
    """PostgreSQL's array_send: one dimension that begins at 1."""
    item = _BINARY.get(kind, _shown)

    def encode(value: Any) -> bytes:
        items = [None if one is None else item(one) for one in value]
        head = struct.pack("!iii", 1 if items else 0, int(None in items), oid)
        if items:
            head += struct.pack("!ii", len(items), 1)
        cells = (b"\xff\xff\xff\xff" if one is None else _int4(len(one)) + one for one in items)
        return head + b"".join(cells)

    return encode


def _redshift_numeric(column: ResultColumn) -> Encode:
    """The number without its point, in 8 bytes up to 18 digits, else in 16."""
    size = 8 if column.precision <= 18 else 16

    def encode(value: Any) -> bytes:
        return int(decimal.Decimal(value).scaleb(column.scale)).to_bytes(size, "big", signed=True)

    return encode


def _numeric(value: Any) -> bytes:
    """PostgreSQL's numeric_send: base 10000, with weight, sign and scale."""
    sign, digits, exponent = decimal.Decimal(value).as_tuple()
    if not isinstance(exponent, int):
        return struct.pack("!hhHh", 0, 0, 0xC000, 0)  # NaN
    scale = max(-exponent, 0)
    number = "".join(map(str, digits)) + "0" * max(exponent, 0)
    whole, part = (number[:-scale], number[-scale:].zfill(scale)) if scale else (number, "")
    whole = whole.zfill(-(-len(whole) // 4) * 4)
    part += "0" * (-len(part) % 4)
    groups = [int((whole + part)[at : at + 4]) for at in range(0, len(whole + part), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        del groups[0]
        weight -= 1
    while groups and groups[-1] == 0:
        del groups[-1]
    weight = weight if groups else 0
    head = struct.pack("!hhHh", len(groups), weight, 0x4000 if sign else 0, scale)
    return head + struct.pack(f"!{len(groups)}h", *groups)


_PART = re.compile(r"(-?\d+) (year|mon|day)s?")
_CLOCK = re.compile(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?")


def _parts(written: str) -> tuple[int, int, int]:
    """``1 year 2 mons 3 days 04:05:06.5`` -> months, days, microseconds."""
    found = {name: int(number) for number, name in _PART.findall(written)}
    micros = 0
    if clock := _CLOCK.search(written):
        seconds = (int(clock[2]) * 60 + int(clock[3])) * 60 + int(clock[4])
        micros = seconds * 1_000_000 + int((clock[5] or "").ljust(6, "0") or 0)
        micros = -micros if clock[1] else micros
    return found.get("year", 0) * 12 + found.get("mon", 0), found.get("day", 0), micros


def _interval(value: Any) -> bytes:
    """8.0's interval_send, and so Redshift's: microseconds and months, a day being 24 hours."""
    months, days, micros = _parts(value)
    return struct.pack("!qi", micros + days * _DAY_MICROSECONDS, months)


# -- parameters --------------------------------------------------------------------------------

_NAMES = {oid: name for name, oid in OIDS.items()} | {25: "varchar", UNKNOWN: "", 0: ""}
_TYPES = {"bool": "BOOLEAN", "int8": "BIGINT", "int2": "SMALLINT", "int4": "INTEGER",
          "float4": "REAL", "float8": "DOUBLE PRECISION", "numeric": "NUMERIC", "date": "DATE",
          "time": "TIME", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ", "super": "SUPER",
          "interval": "INTERVAL"}  # fmt: skip
_INTEGER = re.compile(r"\s*([+-]?\d+)\s*")


def parameter(value: bytes | None, oid: int, format_: int) -> str:
    """A bound value for ``Query.values``: text without a type, or an SQL expression (``Literal``).

    Raises RedshiftError for bytes that are no value of the type.
    """
    kind = _NAMES.get(oid, "")
    if value is None:
        return Literal("NULL")
    written = _written(value, kind, oid) if format_ == BINARY else value.decode(errors="replace")
    if "\0" in written:
        raise RedshiftError('invalid byte sequence for encoding "UTF8": 0x00', sqlstate="22021")
    if kind in ("", "varchar", "bpchar", "name", "super"):
        return written
    if kind in ("int2", "int4", "int8", "oid"):
        whole = _INTEGER.fullmatch(written)
        if whole is None:
            raise RedshiftError(f'invalid input syntax for integer: "{written}"', sqlstate="22P02")
        return Literal(f"CAST({whole[1]} AS {_TYPES.get(kind, 'BIGINT')})")
    if kind == "interval":
        return Literal(f"INTERVAL {quote(written)}")
    if kind == "bool":
        return Literal(
            "true" if written.strip().lower() in ("t", "true", "1", "y", "on") else "false"
        )
    if kind == "numeric":
        return Literal(_numeric_literal(written))
    return Literal(f"CAST({quote(written)} AS {_TYPES[kind]})")


def null(oid: int) -> str:
    """A parameter whose value is not there yet, for Describe."""
    kind = _TYPES.get(_NAMES.get(oid, ""), "")
    if not kind or kind in ("INTERVAL", "SUPER"):
        return Literal("NULL")
    return Literal(f"CAST(NULL AS {'NUMERIC(38,10)' if kind == 'NUMERIC' else kind})")


def _numeric_literal(written: str) -> str:
    try:
        value = decimal.Decimal(written)
    except decimal.InvalidOperation as error:
        raise RedshiftError(
            f'invalid input syntax for type numeric: "{written}"', sqlstate="22P02"
        ) from error
    if not value.is_finite():
        raise RedshiftError(f'invalid input syntax for type numeric: "{written}"', sqlstate="22P02")
    shown = format(value, "f")
    return f"({shown})" if shown.startswith("-") else shown


def _written(value: bytes, kind: str, oid: int) -> str:
    """A binary value as text."""
    try:
        if kind in ("", "varchar", "bpchar", "name", "super"):
            return value.decode()
        if kind in _UNPACK:
            return _UNPACK[kind](value)
    except (struct.error, ValueError, OverflowError, IndexError) as error:
        raise RedshiftError(
            "incorrect binary data format in bind parameter", sqlstate="22P03"
        ) from error
    raise unsupported(f"a binary parameter of the type with id {oid}")


def _one(form: str) -> Callable[[bytes], Any]:
    return lambda value: struct.unpack(form, value)[0]


def _timestamp(value: bytes) -> str:
    return str(_EPOCH + dt.timedelta(microseconds=_one("!q")(value)))


def _clock(value: bytes) -> str:
    return str((_EPOCH + dt.timedelta(microseconds=_one("!q")(value))).time())


def _interval_text(value: bytes) -> str:
    """PostgreSQL's 16 bytes, or the 12 of 8.0 and of redshift_connector."""
    if len(value) == 16:
        micros, days, months = struct.unpack("!qii", value)
    else:
        micros, months = struct.unpack("!qi", value)
        days = 0
    return f"{months} months {days} days {micros / 1_000_000:.6f} seconds"


def _numeric_text(value: bytes) -> str:
    count, weight, sign, scale = struct.unpack_from("!hhHh", value)
    groups = struct.unpack_from(f"!{count}h", value, 8)
    if sign not in (0, 0x4000):
        return "NaN"
    number = sum(
        decimal.Decimal(group).scaleb(4 * (weight - at)) for at, group in enumerate(groups)
    )
    with decimal.localcontext(prec=200):
        return format((-number if sign else number) + decimal.Decimal(0).scaleb(-scale), "f")


_UNPACK: dict[str, Callable[[bytes], str]] = {
    "bool": lambda value: "true" if value[0] else "false",
    "int2": lambda value: str(_one("!h")(value)),
    "int4": lambda value: str(_one("!i")(value)),
    "int8": lambda value: str(_one("!q")(value)),
    "oid": lambda value: str(_one("!I")(value)),
    "float4": lambda value: repr(_one("!f")(value)),
    "float8": lambda value: repr(_one("!d")(value)),
    "date": lambda value: str(dt.date.fromordinal(_EPOCH_DAY + _one("!i")(value))),
    "time": _clock,
    "timestamp": _timestamp,
    "timestamptz": lambda value: _timestamp(value) + "+00",
    "interval": _interval_text,
    "numeric": _numeric_text,
}
