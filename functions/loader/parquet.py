"""The columns of a Parquet file, from its footer: the names, and of which type each is.

COPY takes columns of Parquet by position, converts no type, and fails for all files of a batch without naming a line,
often without naming a file. The footer says beforehand what would not go. It is at the end of the file: FileMetaData in
Thrift's compact protocol, its length in four bytes, and PAR1. The schema is at the start of it, so that a footer with
many row groups is not read whole. A reader of our own because the libraries for it (pyarrow, fastparquet with pandas)
take most of the 250 MB that a function may have, and read the whole footer.

Source: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html,
github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (FileMetaData, SchemaElement),
github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

END = 8  # bytes: the footer's length, PAR1
MOST_COLUMNS = 10_000  # of a schema, with those inside of others; a table of Redshift has 1,600
MOST_NAME = 65_535  # bytes of a name
DEEPEST = 20  # structs inside of each other
_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
# Thrift's types in the compact protocol.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_PHYSICAL = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED")
# ConvertedType, of files without LogicalType.
_CONVERTED = {
    0: "STRING", 4: "STRING", 6: "DATE", 7: "TIME", 8: "TIME", 9: "TIMESTAMP", 10: "TIMESTAMP",
    11: "UINT8", 12: "UINT16", 13: "UINT32", 14: "UINT64", 15: "INT32", 16: "INT32", 17: "INT32", 18: "INT64",
    19: "STRING", 20: "BSON", 21: "INTERVAL",
}  # fmt: skip
_DECIMAL = 5
# The fields of the union LogicalType.
_LOGICAL = {
    1: "STRING", 4: "STRING", 6: "DATE", 7: "TIME", 11: "NULL", 12: "STRING", 13: "BSON", 14: "UUID", 15: "FLOAT16",
    16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY",
}  # fmt: skip
_OF_DECIMAL, _OF_TIMESTAMP, _OF_INTEGER = 5, 8, 10
_NANOS = 3


class NotParquet(Exception):
    """Why a file is no Parquet file that can be loaded, as a sentence's end: ``does not end in PAR1``."""


class Incomplete(Exception):
    """More of the footer is needed to read its schema."""


@dataclass(frozen=True)
class Field:
    """A column of a file. type: INT32, INT64, FLOAT, DOUBLE, BOOLEAN, STRING, DATE, TIMESTAMP, DECIMAL(12,2), NESTED (a
    struct, list or map), or another that no column takes but SUPER: UINT64, TIME, TIMESTAMP(nanos).
    """

    name: str
    type: str


def footer_of(end: bytes, size: int) -> int:
    """Where the footer of a file of ``size`` bytes begins, by its last bytes. Raises NotParquet."""
    magic = end[-4:]
    if magic == _ENCRYPTED:
        raise NotParquet("has an encrypted footer, which COPY does not read")
    if magic != _MAGIC or size < END + 4 or len(end) < END:
        raise NotParquet(
            "does not end in PAR1: it is no Parquet file, or was not written or uploaded to its end"
        )
    (length,) = struct.unpack("<I", end[-END:-4])
    start = size - END - int(length)
    if start < 4 or not length:
        raise NotParquet(f"has a broken end: a footer of {length:,} bytes in a file of {size:,}")
    return start


def schema(footer: bytes, *, whole: bool) -> list[Field]:
    """The top-level columns, by the start of a footer. Raises Incomplete if the schema goes on, or NotParquet.

    ``whole``: there is no more of it.
    """
    try:
        return _columns(_Thrift(footer).schema())
    except IndexError:
        if whole:
            raise NotParquet("has a footer that ends in its schema") from None
        raise Incomplete from None
    except UnicodeDecodeError:
        raise NotParquet("has a column whose name is not UTF-8") from None


def _columns(elements: list[Any]) -> list[Field]:
    if not elements or not all(isinstance(element, dict) for element in elements):
        raise NotParquet("has a footer without a schema")
    found: list[Field] = []
    at = 1  # the first is the root
    for _ in range(_children(elements[0])):
        if at >= len(elements):
            raise NotParquet("has a schema with fewer columns than it says")
        found.append(Field(_name(elements[at]), _type(elements[at])))
        left = 1  # what follows belongs to this column, as many as each says
        while left and at < len(elements):
            left += _children(elements[at]) - 1
            at += 1
    if not found:
        raise NotParquet("has no columns")
    return found


def _children(element: Mapping[int, Any]) -> int:
    return max(_number(element, 5), 0)


def _name(element: Mapping[int, Any]) -> str:
    said = element.get(4, b"")
    return said.decode() if isinstance(said, bytes) else ""


def _type(element: Mapping[int, Any]) -> str:
    physical, converted = _number(element, 1), _number(element, 6)
    repeated = _number(element, 3) == 2
    if physical < 0 or _children(element) or repeated:
        return "NESTED"
    for kind, said in _struct(element, 10).items():
        inner = said if isinstance(said, dict) else {}
        if kind == _OF_DECIMAL:
            return f"DECIMAL({_number(inner, 2)},{max(_number(inner, 1), 0)})"
        if kind == _OF_TIMESTAMP:
            return "TIMESTAMP(nanos)" if _NANOS in _struct(inner, 2) else "TIMESTAMP"
        if kind == _OF_INTEGER:
            bits = _number(inner, 1)
            return f"UINT{bits}" if inner.get(2) is False else "INT64" if bits > 32 else "INT32"
        return _LOGICAL.get(kind, f"of Parquet's logical type {kind}")
    if converted == _DECIMAL:
        return f"DECIMAL({_number(element, 8)},{max(_number(element, 7), 0)})"
    if converted >= 0:
        return _CONVERTED.get(converted, f"of Parquet's converted type {converted}")
    name = _PHYSICAL[physical] if physical < len(_PHYSICAL) else f"type {physical}"
    # Spark and Impala write times as INT96, and texts without saying that they are.
    return {"INT96": "TIMESTAMP", "BYTE_ARRAY": "STRING"}.get(name, name)


def _number(of: Mapping[int, Any], field: int) -> int:
    """A number that is not negative; -1 for none."""
    said = of.get(field)
    return said if isinstance(said, int) and said >= 0 else -1


def _struct(of: Mapping[int, Any], field: int) -> Mapping[int, Any]:
    said = of.get(field)
    return said if isinstance(said, dict) else {}


class _Thrift:
    """Reads Thrift's compact protocol. IndexError: the bytes end. All sizes are bounded by the bytes that are there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def schema(self) -> list[Any]:
        """The field 2 of FileMetaData, a list of SchemaElement as field -> value; [] if it is not there."""
        for field, kind in self._fields():
            if field == 2 and kind == _LIST:
                return self._list(0)
            self._value(kind, 0)
        return []

    def _fields(self) -> Iterator[tuple[int, int]]:
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._zigzag()
            yield field, head & 0x0F

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind == _BYTE:
            return self._byte()
        if kind in (_I16, _I32, _I64):
            return self._zigzag()
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _BINARY:
            size = self._varint()
            if size > MOST_NAME:
                raise NotParquet("has a broken schema: a name of more than 65,535 bytes")
            return self._take(size)
        if depth > DEEPEST:
            raise NotParquet("has a broken schema: too many levels")
        if kind in (_LIST, _SET):
            return self._list(depth + 1)
        if kind == _STRUCT:
            return {field: self._value(inner, depth + 1) for field, inner in self._fields()}
        raise NotParquet("has a footer that is no Thrift")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = head >> 4
        if size == 15:
            size = self._varint()
        if size > MOST_COLUMNS:
            raise NotParquet(
                f"has a schema of {size:,} columns; more than {MOST_COLUMNS:,} are not read"
            )
        kind = head & 0x0F
        if kind in (_TRUE, _FALSE):
            return [self._byte() == _TRUE for _ in range(size)]
        return [self._value(kind, depth) for _ in range(size)]

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise IndexError
        self._at += size
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        found = 0
        for place in range(0, 70, 7):
            byte = self._byte()
            found |= (byte & 0x7F) << place
            if byte < 0x80:
                return found
        raise NotParquet("has a broken schema: a number of more than 64 bits")

    def _zigzag(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)
