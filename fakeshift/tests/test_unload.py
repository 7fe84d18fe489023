"""UNLOAD then COPY is the identity, for every type at its edges; files are cut where they get large.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import decimal
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import ROLE, Bucket
from fakeshift.engine.results import ResultColumn
from fakeshift.sql.unload_options import UnloadOptions
from fakeshift.unload.files import text_files
from fakeshift.unload.parquet import parquet_files
from fakeshift.unload.stage import Stage
from fakeshift.unload.text import lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warehouse import Warehouse

COLUMNS = {
    "id": "INT",
    "a": "SMALLINT",
    "b": "INTEGER",
    "c": "BIGINT",
    "d": "REAL",
    "e": "DOUBLE PRECISION",
    "f": "DECIMAL(38,10)",
    "g": "BOOLEAN",
    "h": "DATE",
    "i": "TIMESTAMP",
    "j": "TIMESTAMPTZ",
    "k": "TIME",
    "l": "VARCHAR(80)",
    "m": "CHAR(10)",
    "n": "SUPER",
}

NULL_STRING = "@null@"
AWKWARD = ["", " ", "\\", "\\N", "\\\\N", "|", ",", '"', "'", '"",', "a|b", "x\ny", "x\r\ny", "\r",
           "\n", "\t", "'q'", '"q"', "null", "ä€𝄞", " x ", "{}", "a\\", "\\|"]  # fmt: skip
TEXTS = st.sampled_from(AWKWARD) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=12
)
MOMENTS = st.datetimes()


def integers(bits: int) -> st.SearchStrategy[int]:
    edge = 1 << bits - 1
    return st.sampled_from([-edge, edge - 1, 0, -1]) | st.integers(-edge, edge - 1)


def finite(width: int) -> st.SearchStrategy[float]:
    return st.floats(allow_nan=False, allow_infinity=False, width=width)  # type: ignore[arg-type]


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "a": integers(16),
    "b": integers(32),
    "c": integers(64),
    "d": finite(32),
    "e": finite(64),
    "f": st.decimals(
        -(decimal.Decimal(10) ** 27), decimal.Decimal(10) ** 27, places=10, allow_nan=False
    ).map(lambda number: format(number, "f")),
    "g": st.booleans(),
    "h": MOMENTS.map(lambda moment: moment.date().isoformat()),
    "i": MOMENTS.map(lambda moment: moment.isoformat(" ")),
    "j": MOMENTS.map(lambda moment: moment.isoformat(" ") + "+00"),
    "k": st.times().map(lambda time: time.isoformat()),
    "l": TEXTS,
    "m": st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10),
    "n": st.dictionaries(st.sampled_from("xyz"), st.lists(st.integers(-9, 9) | TEXTS, max_size=2)),
}
ROWS = st.lists(
    st.fixed_dictionaries({k: st.none() | v for k, v in VALUES.items()}), min_size=1, max_size=6
)

ROUND_TRIPS = {
    "JSON": ("JSON", "JSON 'auto'"),
    "gzipped JSON": ("JSON GZIP", "JSON 'auto' GZIP"),
    "CSV": (f"CSV NULL AS '{NULL_STRING}'", f"CSV NULL AS '{NULL_STRING}'"),
    "PARQUET": ("PARQUET", "PARQUET SERIALIZETOJSON"),
    "text": (f"ESCAPE NULL AS '{NULL_STRING}'", f"ESCAPE NULL AS '{NULL_STRING}'"),
    "quoted text": (
        f"ESCAPE ADDQUOTES DELIMITER ',' BZIP2 NULL AS '{NULL_STRING}'",
        f"ESCAPE REMOVEQUOTES DELIMITER ',' BZIP2 NULL AS '{NULL_STRING}'",
    ),
}

_numbers = itertools.count()


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS)
def test_unload_then_copy_is_the_identity(
    copying: Warehouse, s3: Bucket, rows: list[dict[str, Any]]
) -> None:
    for number, row in enumerate(rows):
        row["id"] = number
    place = f"r{next(_numbers)}"
    loaded = s3.put(f"{place}/in", "".join(json.dumps(row) + "\n" for row in rows))
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    statements = [
        f"CREATE TABLE IF NOT EXISTS t.source ({columns})",
        "DELETE FROM t.source",
        f"COPY t.source FROM '{loaded}' IAM_ROLE '{ROLE}' JSON 'auto'",
        f"CREATE TABLE IF NOT EXISTS t.copies ({columns}, trip VARCHAR(20))",
        "DELETE FROM t.copies",
    ]
    for number, (name, (unload, copy)) in enumerate(ROUND_TRIPS.items()):
        url = s3.url(f"{place}/{number}_")
        query = f"select *, ''{name}'' as trip from t.source"
        statements += [
            f"UNLOAD ('{query}') TO '{url}' IAM_ROLE '{ROLE}' PARALLEL OFF {unload}",
            f"COPY t.copies FROM '{url}' IAM_ROLE '{ROLE}' {copy}",
        ]
    shown = copying.batch(*statements)
    assert shown["Status"] == "FINISHED", shown["Error"]
    expected = copying.rows("SELECT * FROM t.source ORDER BY id")
    assert len(expected) == len(rows)
    there = copying.rows("SELECT * FROM t.copies ORDER BY id")
    for name in ROUND_TRIPS:
        of_trip = [row[:-1] for row in there if row[-1] == name]
        if "JSON" in name:  # COPY reads JSON numbers as floating-point numbers
            assert _with_floats(of_trip) == _with_floats(expected), name
        else:
            assert of_trip == expected, name


def _with_floats(rows: list[list[Any]]) -> list[list[Any]]:
    at = list(COLUMNS).index("f")
    return [
        [float(cell) if number == at and cell else cell for number, cell in enumerate(row)]
        for row in rows
    ]


def numbered(rows: int) -> Any:
    return ((number,) for number in range(rows))


@pytest.mark.parametrize(
    ("compression", "rows"),
    [("", [6, 5]), ("zstd", [6, 5]), ("gzip", [10])],
    ids=["plain", "zstd, which is cut before it is packed", "gzip, which holds bytes back"],
)
def test_files_of_text_are_cut(tmp_path: Path, compression: str, rows: list[int]) -> None:
    """MAXFILESIZE: a file ends with the line that reaches it, and each starts with the header."""
    options = UnloadOptions(header=True, max_file_bytes=11, compression=compression)
    line, header = lines([ResultColumn("a", "int4")], options)
    with duckdb.connect() as con:
        files = list(text_files(numbered(9), line, header, options, tmp_path, con))
    assert [file.rows for file in files] == rows
    assert len(list(tmp_path.iterdir())) == len(files)
    if not compression:
        texts = [file.path.read_text() for file in files]
        assert texts == ["a\n0\n1\n2\n3\n4\n", "a\n5\n6\n7\n8\n"]


def test_a_file_that_ends_at_the_limit_is_the_last(tmp_path: Path) -> None:
    options = UnloadOptions(header=True, max_file_bytes=4)
    line, header = lines([ResultColumn("a", "int4")], options)
    with duckdb.connect() as con:
        files = list(text_files(numbered(1), line, header, options, tmp_path, con))
    assert [file.path.read_text() for file in files] == ["a\n0\n"]
    assert len(list(tmp_path.iterdir())) == 1


def test_files_of_parquet_are_cut(tmp_path: Path) -> None:
    options = UnloadOptions(format="parquet", max_file_bytes=1 << 30)
    with duckdb.connect() as con, Stage(con, "SELECT range AS a FROM range(1000)", ()) as stage:
        ((_, share),) = stage.shares(parallel=False)
        (whole,) = parquet_files(con, stage, share, [0], options, tmp_path)
        smaller = replace(options, max_file_bytes=whole.bytes // 3 + 1)
        parts = list(parquet_files(con, stage, share, [0], smaller, tmp_path))
        assert [part.rows for part in parts] == [334, 334, 332]
        for part in parts[:1]:
            found = con.execute(f"SELECT min(a), max(a) FROM read_parquet('{part.path}')")
            assert found.fetchall() == [(0, 333)]
