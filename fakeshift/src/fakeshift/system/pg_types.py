"""pg_type: the types that columns and functions can have, with PostgreSQL's ids.

https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html; the ids of Redshift's own
types are those that its driver knows:
https://github.com/aws/amazon-redshift-python-driver/blob/master/redshift_connector/utils/oids.py
"""

from __future__ import annotations

from dataclasses import dataclass

from fakeshift.sql.datatypes import DataType


@dataclass(frozen=True)
class PgType:
    """A row of pg_type. ``length`` -1: it varies; ``array`` is the id of its array type, 0 if it has none."""

    oid: int
    name: str
    spoken: str
    length: int
    array: int = 0


TYPES = (
    PgType(16, "bool", "boolean", 1, 1000),
    PgType(18, "char", '"char"', 1, 1002),
    PgType(19, "name", "name", 64, 1003),
    PgType(20, "int8", "bigint", 8, 1016),
    PgType(21, "int2", "smallint", 2, 1005),
    PgType(22, "int2vector", "int2vector", 64),
    PgType(23, "int4", "integer", 4, 1007),
    PgType(24, "regproc", "regproc", 4),
    PgType(25, "text", "text", -1, 1009),
    PgType(26, "oid", "oid", 4, 1028),
    PgType(30, "oidvector", "oidvector", 128),
    PgType(700, "float4", "real", 4, 1021),
    PgType(701, "float8", "double precision", 8, 1022),
    PgType(705, "unknown", '"unknown"', -1),
    PgType(1033, "aclitem", "aclitem", 12, 1034),
    PgType(1042, "bpchar", "character", -1, 1014),
    PgType(1043, "varchar", "character varying", -1, 1015),
    PgType(1082, "date", "date", 4, 1182),
    PgType(1083, "time", "time without time zone", 8, 1183),
    PgType(1114, "timestamp", "timestamp without time zone", 8, 1115),
    PgType(1184, "timestamptz", "timestamp with time zone", 8, 1185),
    PgType(1186, "interval", "interval", 12, 1187),
    PgType(1188, "intervaly2m", "interval year to month", 4, 1189),
    PgType(1190, "intervald2s", "interval day to second", 8, 1191),
    PgType(1266, "timetz", "time with time zone", 12, 1270),
    PgType(1700, "numeric", "numeric", -1, 1231),
    PgType(2205, "regclass", "regclass", 4, 2210),
    PgType(2206, "regtype", "regtype", 4, 2211),
    PgType(2249, "record", "record", -1),
    PgType(2276, "any", '"any"', 4),
    PgType(2278, "void", "void", 4),
    PgType(2279, "trigger", '"trigger"', 4),
    PgType(3000, "geometry", "geometry", -1),
    PgType(3001, "geography", "geography", -1),
    PgType(4000, "super", "super", -1),
    PgType(6551, "varbyte", "binary varying", -1),
    PgType(2935, "hllsketch", "hllsketch", -1),
)

ENCODINGS = ("none", "runlength", "bytedict", "delta", "delta32k", "mostly8", "mostly16", "mostly32",
             "text255", "text32k", "lzo", "zstd", "az64")  # fmt: skip
"""By attencodingtype, whose numbers are not documented."""

BY_NAME = {kind.name: kind for kind in TYPES}
_OF_ARRAYS = {"_int2": 1005, "_int4": 1007, "_text": 1009, "_acl": 1034}


def oid_of(kind: DataType) -> int:
    """The id of a column's type."""
    return _OF_ARRAYS.get(kind.name) or BY_NAME[kind.name].oid


def modifier_of(kind: DataType) -> int:
    """atttypmod: a length and 4, or precision, scale and 4; -1 without."""
    if kind.is_text and kind.length:
        return kind.length + 4
    if kind.name == "numeric":
        return (kind.precision << 16 | kind.scale) + 4
    return -1


def format_encoding(code: str) -> str:
    """DuckDB's SQL of format_encoding(attencodingtype)."""
    names = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(ENCODINGS))
    return f"CASE {code} {names} END"


def format_type(type_: str, modifier: str) -> str:
    """DuckDB's SQL of format_type(type, modifier): ``character varying(10)``, ``numeric(9,2)``."""
    names = " ".join(f"WHEN {kind.oid} THEN '{kind.spoken}'" for kind in TYPES)
    arrays = " ".join(f"WHEN {kind.array} THEN '{kind.spoken}[]'" for kind in TYPES if kind.array)
    size = (
        f"CASE WHEN coalesce({modifier}, -1) < 4 THEN ''"
        f" WHEN {type_} IN (1042, 1043) THEN '(' || ({modifier} - 4) || ')'"
        f" WHEN {type_} = 1700 THEN '(' || (({modifier} - 4) >> 16) || ',' || (({modifier} - 4) & 65535) || ')'"
        f" ELSE '' END"
    )
    return (
        f"CASE WHEN {type_} IS NULL THEN NULL"
        f" ELSE CASE {type_} {names} {arrays} ELSE '???' END || {size} END"
    )
