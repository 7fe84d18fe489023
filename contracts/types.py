"""The SQL types that a contract's columns may have.

Source: docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

import re
from dataclasses import dataclass

ALIASES = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "numeric": "decimal",
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "double": "double precision",
    "bool": "boolean",
    "character varying": "varchar",
    "character": "char",
    "timestamp without time zone": "timestamp",
}
PLAIN = (
    *("smallint", "integer", "bigint", "real", "double precision"),
    *("boolean", "date", "timestamp", "super"),
)
ALLOWED = (
    "varchar(n), char(n), smallint, integer, bigint, decimal(p,s), real, double precision, boolean, date, timestamp, "
    "super"
)
LONGEST_VARCHAR = 65535
LONGEST_CHAR = 4096
MOST_DIGITS = 38
MOST_SCALE = 37
_FORM = re.compile(r"([a-z][a-z0-9 ]*?)\s*(?:\(\s*(\d{1,5})\s*(?:,\s*(\d{1,3})\s*)?\))?")
_ADVICE = {
    "text": "varchar(n), with the most bytes that a value has: Redshift makes varchar(256) of text",
    "string": "varchar(n)",
    "timestamptz": "timestamp: times are stored in UTC, whatever zone a file has",
    "timestamp with time zone": "timestamp: times are stored in UTC, whatever zone a file has",
    "json": "super",
    "jsonb": "super",
    "object": "super",
    "array": "super",
    "number": "integer, bigint, decimal(p,s) or double precision",
    "datetime": "timestamp",
}


class TypeRefused(ValueError):
    """A type that a column cannot have; the message says which can."""


@dataclass(frozen=True)
class Type:
    """A SQL type. length: bytes of varchar and char; precision, scale: digits of decimal; 0 for the others."""

    name: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.length:
            return f"{self.name.upper()}({self.length})"
        if self.precision:
            return f"DECIMAL({self.precision}, {self.scale})"
        return self.name.upper()

    @property
    def is_text(self) -> bool:
        return self.name in ("varchar", "char")

    @property
    def is_whole(self) -> bool:
        return self.name in ("smallint", "integer", "bigint")

    @property
    def is_number(self) -> bool:
        return self.is_whole or self.name in ("decimal", "real", "double precision")

    @property
    def is_time(self) -> bool:
        return self.name in ("date", "timestamp")

    @classmethod
    def parse(cls, text: str) -> "Type":
        """The type that a contract says, such as 'varchar(64)' or 'Decimal(12, 2)'. Raises TypeRefused."""
        found = _FORM.fullmatch(" ".join(text.lower().split()))
        name = ALIASES.get(found[1], found[1]) if found else ""
        if found and (advice := _ADVICE.get(name)):
            raise TypeRefused(f"{text!r} is not allowed; use {advice}")
        length, scale = (int(digits or 0) for digits in found.groups()[1:]) if found else (0, 0)
        if found and name in PLAIN and not found[2]:
            return cls(name)
        if found and name in ("varchar", "char") and not found[3]:
            most = LONGEST_VARCHAR if name == "varchar" else LONGEST_CHAR
            if not 1 <= length <= most:
                raise TypeRefused(f"{text!r}: the length of {name} must be from 1 to {most} bytes")
            return cls(name, length=length)
        if found and name == "decimal":
            if not found[2]:
                raise TypeRefused(
                    f"{text!r}: decimal needs its digits, such as decimal(12,2): 12 in all, 2 of them after the point"
                )
            if not 1 <= length <= MOST_DIGITS or scale > min(length, MOST_SCALE):
                raise TypeRefused(
                    f"{text!r}: decimal(p,s) has p from 1 to {MOST_DIGITS}, and s from 0 to p (at most {MOST_SCALE})"
                )
            return cls(name, precision=length, scale=scale)
        raise TypeRefused(f"{text!r} is not a type that a column may have; these are {ALLOWED}")

    def is_wider_than(self, other: "Type") -> bool:
        """Whether every value of the other type fits this one, and ALTER COLUMN TYPE may change it: a longer VARCHAR.

        Source: docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
        """
        return self.name == other.name == "varchar" and self.length > other.length
