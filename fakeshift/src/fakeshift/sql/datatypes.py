"""Redshift's data types: how they are written, stored in DuckDB and named in results.

https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fakeshift.errors import RedshiftError, unsupported
from fakeshift.sql.lexer import Tokens

MAX_VARCHAR = 65535
MAX_CHAR = 4096

_SIMPLE = {
    "SMALLINT": "int2",
    "INT2": "int2",
    "INTEGER": "int4",
    "INT": "int4",
    "INT4": "int4",
    "BIGINT": "int8",
    "INT8": "int8",
    "REAL": "float4",
    "FLOAT4": "float4",
    "FLOAT8": "float8",
    "BOOLEAN": "bool",
    "BOOL": "bool",
    "DATE": "date",
    "TIMESTAMPTZ": "timestamptz",
    "SUPER": "super",
}
NOT_IN_REDSHIFT = frozenset(
    {"BIT", "BYTEA", "JSON", "JSONB", "UUID", "XML", "MONEY", "INET", "CIDR", "MACADDR", "POINT", "LINE",
     "LSEG", "BOX", "PATH", "POLYGON", "CIRCLE", "TSVECTOR", "TSQUERY", "TXID_SNAPSHOT", "SERIAL",
     "BIGSERIAL", "SERIAL4", "SERIAL8", "SMALLSERIAL", "SERIAL2", "HSTORE", "OID", "REGCLASS"}
)  # fmt: skip
"""PostgreSQL's types that Redshift's columns cannot have.

https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-datatypes.html
"""

_UNSUPPORTED = ("GEOMETRY", "GEOGRAPHY", "HLLSKETCH", "VARBYTE", "VARBINARY", "TIMETZ", "INTERVAL")

_DUCKDB = {
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "bool": "BOOLEAN",
    "bpchar": "VARCHAR",
    "varchar": "VARCHAR",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "super": "JSON",
    "oid": "BIGINT",  # from here on: of the catalogue only
    "name": "VARCHAR",
    "char": "VARCHAR",
    "_int2": "SMALLINT[]",
    "_int4": "INTEGER[]",
    "_text": "VARCHAR[]",
    "_acl": "VARCHAR[]",
}
OF_CATALOGUE = ("oid", "name", "char", "_int2", "_int4", "_text", "_acl")
"""The types that only columns of the catalogue have."""

_SPOKEN = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "bpchar": "character",
    "varchar": "character varying",
    "date": "date",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "super": "super",
    "numeric": "numeric",
    "oid": "oid",
    "name": "name",
    "char": '"char"',
    "_int2": "smallint[]",
    "_int4": "integer[]",
    "_text": "text[]",
    "_acl": "aclitem[]",
}


@dataclass(frozen=True)
class DataType:
    """A type: PostgreSQL's short ``name``; ``length`` in bytes of the two character types."""

    name: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    @property
    def duckdb(self) -> str:
        """The type of the DuckDB column that stores it."""
        if self.name == "numeric":
            return f"DECIMAL({self.precision},{self.scale})"
        return _DUCKDB[self.name]

    @property
    def spoken(self) -> str:
        """As error messages and svv_columns name it: ``character varying(10)``."""
        base = _SPOKEN[self.name]
        if self.length:
            return f"{base}({self.length})"
        return f"{base}({self.precision},{self.scale})" if self.name == "numeric" else base

    @property
    def is_text(self) -> bool:
        """CHAR or VARCHAR."""
        return self.name in ("varchar", "bpchar")


def parse(tokens: Tokens) -> DataType:
    """Reads a type. Raises RedshiftError: an unknown one, a length or precision out of range."""
    if tokens.accept("DOUBLE", "PRECISION"):
        return DataType("float8")
    if tokens.accept("FLOAT"):
        return DataType("float4" if _optional_number(tokens, 53) <= 24 else "float8")
    if tokens.accept("CHARACTER", "VARYING") or tokens.accept_any("VARCHAR", "NVARCHAR"):
        return _text("varchar", _length(tokens, 256, MAX_VARCHAR), MAX_VARCHAR)
    if tokens.accept("TEXT"):
        return DataType("varchar", 256)
    if tokens.accept("BPCHAR"):
        return DataType("bpchar", 256)
    if tokens.accept_any("CHAR", "CHARACTER", "NCHAR"):
        return _text("bpchar", _length(tokens, 1, MAX_CHAR), MAX_CHAR)
    if tokens.accept_any("DECIMAL", "NUMERIC"):
        return _numeric(tokens)
    if tokens.accept("TIMESTAMP"):
        if tokens.accept("WITH", "TIME", "ZONE"):
            return DataType("timestamptz")
        tokens.accept("WITHOUT", "TIME", "ZONE")
        return DataType("timestamp")
    if tokens.accept("TIME"):
        if tokens.accept("WITH", "TIME", "ZONE"):
            raise unsupported("type TIMETZ")
        tokens.accept("WITHOUT", "TIME", "ZONE")
        return DataType("time")
    word = tokens.word()
    if word in _SIMPLE:
        tokens.take()
        return DataType(_SIMPLE[word])
    if word in _UNSUPPORTED:
        raise unsupported(f"type {word}")
    if not word.replace("_", "a").isalnum():
        raise tokens.error()
    raise RedshiftError(f'type "{word.lower()}" does not exist', sqlstate="42704")


def _optional_number(tokens: Tokens, default: int) -> int:
    if not tokens.accept("("):
        return default
    number = tokens.integer()
    tokens.expect(")")
    return number


def _length(tokens: Tokens, default: int, largest: int) -> int:
    if tokens.next_is("(", "MAX", ")"):
        tokens.accept("(", "MAX", ")")
        return largest
    return _optional_number(tokens, default)


def _text(name: str, length: int, largest: int) -> DataType:
    spoken = {"varchar": "varchar", "bpchar": "char"}[name]
    if length < 1:
        raise RedshiftError(f"length for type {spoken} must be at least 1", sqlstate="22023")
    if length > largest:
        raise RedshiftError(f"length for type {spoken} cannot exceed {largest}", sqlstate="22023")
    return DataType(name, length)


def _numeric(tokens: Tokens) -> DataType:
    precision, scale = 18, 0
    if tokens.accept("("):
        precision = tokens.integer()
        if tokens.accept(","):
            scale = tokens.integer()
        tokens.expect(")")
    if not 1 <= precision <= 38:
        raise RedshiftError(
            f"DECIMAL precision {precision} must be between 1 and 38", sqlstate="22023"
        )
    if not 0 <= scale <= min(precision, 37):
        raise RedshiftError(
            f"DECIMAL scale {scale} must be between 0 and precision {precision}", sqlstate="22023"
        )
    return DataType("numeric", precision=precision, scale=scale)
