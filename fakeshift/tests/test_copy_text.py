"""COPY of text, many lines at a time, is COPY line by line: the same rows, the same errors in the same order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fakeshift.catalog.model import Relation
from fakeshift.catalog.store import DATABASE, physical
from fakeshift.copy import text
from fakeshift.copy.batch import Batches
from fakeshift.copy.errors import RowError
from fakeshift.copy.lines import MAX_ROW_BYTES
from fakeshift.errors import RedshiftError
from fakeshift.sql import datatypes
from fakeshift.sql.copy_options import CopyOptions, exact
from fakeshift.sql.lexer import Tokens
from fakeshift.sql.nodes import Column
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.timeout(120)

KINDS = (
    "SMALLINT", "INT", "BIGINT", "REAL", "FLOAT", "DECIMAL(5,2)", "DECIMAL(19,18)", "DECIMAL(38,0)", "BOOLEAN",
    "VARCHAR(6)", "VARCHAR(4096)", "CHAR(4)", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIME", "SUPER",
)  # fmt: skip

SPECIAL = (
    "", "", "", " ", "  ", "\t", "\\N", "NULL", "x", " x ", "abcd", "abcd  ", "abcdefg", "äö", "ääää",
    "\u00a0", "\udcff", "\ufffe", "\0", "0", "-0", "007", "+7", " 7 ", "1_000", "1.", ".5", "1.5", "1.555",
    "-0.0", "1e2", "1E400", "9999", "32768", "-32768", "2147483648", "999999999", "9223372036854775808",
    "999999999999999999", "9.3", "-9.223372036854775807", "9.223372036854775808", "999.99", "999.999",
    "1000", "3.5e38", "nan", "t", "TRUE", "false", "0x1", "on", "2018-11-01", "2018-02-29", "2020-02-29",
    "2018-2-3", "0000-01-01", "9999-12-31", "2018-11-01 20:57:10", "2018-11-01 20:57:10.5",
    "2018-11-01 20:57:10.1234567", "2018-11-01 24:00:00", "2018-11-01 20:57:60", "2018-11-01T20:57:10Z",
    "2018-11-01 20:57:10+02", "11/01/2018", "20:57:10", "20:57", "20:57:10.123456", "1541105830796",
    '{"a":1}', "[1,2.50]", '"', '""', '"x"', '"a,b"', '"a|b"', '"a""b"', ' "x" ', 'a"b', '"a"b', '"open',
    "'q'", "\\", "\\|", "a\\\\b", "\r", "²",
)  # fmt: skip
numbers = st.one_of(
    st.integers(-(2**65), 2**65).map(str),
    st.integers(-999, 999).map(str),
    st.floats().map(repr),
    st.decimals(-1000, 1000, places=2, allow_nan=False).map(str),
)
moments = st.datetimes().map(lambda moment: moment.isoformat(" "))
fields = st.one_of(st.sampled_from(SPECIAL), numbers, moments, st.text("ab \"'|,\\", max_size=5))
OF_KIND: dict[str, st.SearchStrategy[str]] = {
    "SMALLINT": st.integers(-9999, 9999).map(str),
    "INT": st.integers(-(2**31), 2**31 - 1).map(str),
    "BIGINT": st.integers(-(2**63), 2**63 - 1).map(str),
    "BOOLEAN": st.sampled_from(["t", "f", "1", "true"]),
    "DATE": st.dates().map(str),
    "TIMESTAMP": moments,
    "TIMESTAMPTZ": moments,
    "TIME": st.times().map(str),
    "VARCHAR(6)": st.text("abcä ", max_size=4),
    "VARCHAR(4096)": st.text("abcä, ", max_size=20),
    "CHAR(4)": st.text("abc ", max_size=4),
    "SUPER": st.sampled_from(["1", "[]", '{"a":[1]}']),
}
ends = st.sampled_from(["\n"] * 30 + ["\r\n", "\n\n", "", ",\n", "|\n"])
options = st.builds(
    CopyOptions,
    format=st.sampled_from(["csv", "text", "text"]),
    delimiter=st.sampled_from(["", "", ",", "|", "|~|", "\t", '"']),
    quote=st.sampled_from(["", "", "'"]),
    null_as=st.sampled_from(["\\N", "\\N", "", "NULL", "x", "0"]),
    timeformat=st.sampled_from(["", "", "auto", "epochmillisecs"]),
    dateformat=st.sampled_from(["", "auto", "MM/DD/YYYY"]),
    ignoreheader=st.sampled_from([0, 0, 0, 2]),
    ignoreblanklines=st.booleans(),
    fillrecord=st.booleans(),
    truncatecolumns=st.booleans(),
    emptyasnull=st.booleans(),
    blanksasnull=st.booleans(),
    trimblanks=st.booleans(),
    roundec=st.booleans(),
    acceptanydate=st.booleans(),
    acceptinvchars=st.sampled_from(["", "", "?"]),
    escape=st.booleans(),
    removequotes=st.booleans(),
)


@dataclass(frozen=True)
class Case:
    kinds: tuple[str, ...]
    options: CopyOptions
    body: bytes
    chunk: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Of most fields the value is of the column's type."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    chosen = draw(options)
    if chosen.format == "csv":
        chosen = replace(chosen, escape=False, removequotes=False)
    delimiter = chosen.delimiter or ("," if chosen.format == "csv" else "|")
    good = [OF_KIND.get(kind, st.integers(-99, 99).map(str)) for kind in kinds]
    oddly = draw(st.sampled_from([0, 0, 1, 3]))
    lines = []
    for _ in range(draw(st.integers(0, 40))):
        odd = oddly and draw(st.integers(0, 9)) < oddly
        row = [draw(fields if odd and draw(st.booleans()) else of_kind) for of_kind in good]
        lines.append(delimiter.join(row) + draw(ends))
    names = tuple(kind + draw(st.sampled_from(["", "", "", " NOT NULL"])) for kind in kinds)
    body = "".join(lines).encode("utf-8", "surrogateescape")
    return Case(names, chosen, body, draw(st.sampled_from([7, 100, 10_000])))


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as made:
        made.execute("SET GLOBAL TimeZone = 'UTC'")
        made.execute(f"ATTACH ':memory:' AS {DATABASE}")
        made.execute(f"CREATE SCHEMA {DATABASE}.t")
        yield made


def copy(
    con: duckdb.DuckDBPyConnection, folder: Path, case: Case, *, many: bool
) -> tuple[Sequence[Any], list[str], Any]:
    """(rows, errors, rows and lines and bytes)."""
    columns = [
        Column(
            f"a{number}",
            datatypes.parse(Tokens(kind.removesuffix(" NOT NULL"))),
            kind.endswith("NOT NULL"),
        )
        for number, kind in enumerate(case.kinds)
    ]
    relation = Relation("t", "x", 1, "me", columns=tuple(columns))
    types = ", ".join(f"{column.name} {column.type.duckdb}" for column in columns)
    con.execute(f"CREATE OR REPLACE TABLE {physical(*relation.key)} ({types})")
    reader = text.rows(columns, case.options, lambda: None)
    if not many:
        reader = replace(reader, plain=None)
    batches = Batches(con, relation, columns, folder / "rows")
    errors: list[RowError] = []
    chunks = (case.body[at : at + case.chunk] for at in range(0, len(case.body), case.chunk))
    try:
        scanned = reader.read(chunks, "s3://b/k", batches.add, errors.append)
        batches.finish()
    finally:
        batches.close()
    loaded = con.execute(f"SELECT * FROM {physical(*relation.key)}").fetchall()
    return list(map(repr, loaded)), [str(error) + repr(error) for error in errors], scanned


EXAMPLES = int(os.environ.get("COPY_EXAMPLES", "100"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 100,
    suppress_health_check=list(HealthCheck),
)
@given(case=cases())
def test_both_ways_are_the_same(
    con: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory, case: Case
) -> None:
    folder = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_MANY", 12)
        patch.setattr(text, "_FEW", 2)
        assert copy(con, folder, case, many=True) == copy(con, folder, case, many=False)


@pytest.mark.parametrize("kind", [*KINDS, "INT NOT NULL", "VARCHAR(6) NOT NULL"])
@pytest.mark.parametrize("blanks", [False, True])
def test_special_values_one_by_one(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str, blanks: bool
) -> None:
    """Every special value into every type, each alone."""
    for value in SPECIAL:
        body = f"{value};1\n".encode("utf-8", "surrogateescape")
        chosen = CopyOptions(delimiter=";", emptyasnull=blanks, blanksasnull=blanks)
        case = Case((kind, "INT"), chosen, body, 1000)
        many, one = (copy(con, tmp_path, case, many=how) for how in (True, False))
        assert many == one, value


def test_plain_lines_are_read_at_once(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Else the others would prove nothing."""
    asked: list[int] = []
    body = b'1,x\n2,"a ""b"", c"\n' * 400
    columns = [Column("a", datatypes.parse(Tokens("INT")), False)]
    columns += [Column("b", datatypes.parse(Tokens("VARCHAR(20)")), False)]
    reader = text.rows(columns, CopyOptions(format="csv"), lambda: None)

    def counted(value: Any) -> Any:
        asked.append(1)
        return convert(value)

    convert, other = reader.converts
    reader = replace(reader, converts=[counted, other])
    rows: list[Any] = []
    errors: list[RowError] = []
    scanned = reader.read(iter([body]), "s3://b/k", rows.append, errors.append)
    assert (len(rows), errors, scanned.rows, scanned.lines) == (800, [], 800, 800)
    assert rows[1] == (2, 'a "b", c')
    assert not asked


@pytest.mark.parametrize("row", ["{}", "ä{}", '"{}\n{}"'], ids=["", "in bytes", "of two lines"])
@pytest.mark.parametrize("chunk", [1 << 16, 1 << 24])
def test_a_row_has_4_mb_at_most(row: str, chunk: int) -> None:
    """ "The maximum size of a single input row from any source is 4 MB" (dg/r_COPY.html)."""
    columns = [Column("a", datatypes.parse(Tokens("VARCHAR(9)")), False)]
    reader = text.rows(columns, CopyOptions(format="csv", truncatecolumns=True), lambda: None)
    left = MAX_ROW_BYTES - len(row.replace("{}", "").encode())

    def read(size: int) -> int:
        half = "x" * (size // row.count("{}"))
        body = f"a\n{row.replace('{}', half)}\n".encode()
        chunks = (body[at : at + chunk] for at in range(0, len(body), chunk))
        return reader.read(chunks, "s3://b/k", lambda _: None, lambda _: None).rows

    assert read(left - 2) == 2
    with pytest.raises(RedshiftError, match="exceeds the max size limit"):
        read(left + 2)


def test_a_string_in_super_has_65535_bytes_at_most() -> None:
    """ "A single string value loaded to SUPER is limited to ... 65535 bytes" (dg/limitations-super.html)."""
    columns = [Column("a", datatypes.parse(Tokens("SUPER")), False)]
    reader = text.rows(columns, CopyOptions(), lambda: None)
    long = "ä" * 32767
    body = f'{{"a":["{long}x"]}}\n{{"a":["{long}ä"]}}\n'.encode()
    rows: list[Any] = []
    errors: list[RowError] = []
    reader.read(iter([body]), "s3://b/k", rows.append, errors.append)
    assert len(rows) == 1
    assert [(error.line, error.column, error.code) for error in errors] == [(2, "a", 1224)]


@dataclass(frozen=True)
class NewerOptions(CopyOptions):
    """With an option that only the exact readers support."""

    new: bool = exact(False)


def test_an_exact_option_keeps_the_fast_readers_out() -> None:
    columns = [Column("a", datatypes.parse(Tokens("INT")), False)]
    for has_it in (False, True):
        options = NewerOptions(new=has_it)
        assert options.exact_only("json") == has_it
        rows = text.rows(columns, options, lambda: None)
        assert isinstance(rows, text.TextRows)
        assert (rows.bulks == [None]) == has_it
    assert CopyOptions(ignoreheader=1).exact_only("json")
    assert not CopyOptions(ignoreheader=1).exact_only("text")
