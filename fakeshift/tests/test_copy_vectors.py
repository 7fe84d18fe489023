"""COPY of JSON by DuckDB is COPY by the exact reader: the same rows, the same errors in the same order.

Both read the same generated objects, cut into the same small chunks and blocks, into tables of the same
types; one of them has no plan and so reads all by itself.
"""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fakeshift.catalog.model import Relation
from fakeshift.catalog.store import DATABASE, physical
from fakeshift.copy import blocks, paths, vectors
from fakeshift.copy.batch import Batches
from fakeshift.copy.convert import converter
from fakeshift.copy.errors import RowError
from fakeshift.copy.json_reader import JsonReader
from fakeshift.copy.objects import Structures
from fakeshift.copy.pipeline import Rows, Scanned
from fakeshift.errors import RedshiftError
from fakeshift.s3 import S3Object
from fakeshift.sql import datatypes
from fakeshift.sql.copy_options import CopyOptions
from fakeshift.sql.lexer import Tokens
from fakeshift.sql.nodes import Column
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.timeout(120)

KINDS = (
    "SMALLINT", "INT", "BIGINT", "REAL", "FLOAT", "DECIMAL(5,2)", "DECIMAL(38,0)", "BOOLEAN",
    "VARCHAR(6)", "VARCHAR(4096)", "CHAR(4)", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIME", "SUPER",
)  # fmt: skip


class Body:
    """An object's bytes in chunks of a few bytes."""

    def __init__(self, data: bytes, size: int):
        self._parts = [data[at : at + size] for at in range(0, len(data), size)][::-1]

    def read(self, amt: int | None = None) -> bytes:
        return self._parts.pop() if self._parts else b""


@dataclass
class Sink:
    """Rows into DuckDB, errors into a list; fails as a load does at ``limit`` errors."""

    batches: Batches
    limit: int
    errors: list[tuple[str, RowError]] = field(default_factory=list)
    objects: list[tuple[str, int, int]] = field(default_factory=list)
    rows: int = 0

    def add(self, values: Sequence[Any]) -> None:
        self.batches.add(values)

    def insert(self, query: str) -> int:
        return self.batches.insert(query)

    def reject(self, found: S3Object, error: RowError) -> None:
        self.errors.append((found.url, error))
        if len(self.errors) >= self.limit:
            raise RedshiftError("Load failed")

    def scanned(self, found: S3Object, scanned: Scanned, began: float) -> None:
        self.rows += scanned.rows
        self.objects.append((found.url, scanned.lines, scanned.bytes))

    def check_cancelled(self) -> None:
        pass


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as made:
        made.execute("SET GLOBAL TimeZone = 'UTC'")
        made.execute(f"ATTACH ':memory:' AS {DATABASE}")
        made.execute(f"CREATE SCHEMA {DATABASE}.t")
        yield made


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Iterator[None]:
    """A few lines a block, so that structures lie across them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", 120)
        yield


@dataclass(frozen=True)
class Case:
    kinds: tuple[str, ...]
    steps: tuple[tuple[paths.Step, ...], ...]
    options: CopyOptions
    objects: tuple[bytes, ...]
    chunk: int
    limit: int = 1000


_folders = itertools.count()


def copy(
    con: duckdb.DuckDBPyConnection, folder: Path, case: Case, *, fast: bool
) -> tuple[Any, ...]:
    """(rows, errors, (object, lines, bytes) each, the failure's text)."""
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
    plan = vectors.plan(columns, case.steps, case.options) if fast else None
    assert plan is not None or not fast
    converts = [converter(column, case.options) for column in columns]
    texts = {n: case.steps[n] for n, column in enumerate(columns) if column.type.is_text}
    rows = Rows(paths.by_paths(case.steps), converts, lambda: None, texts)
    work = folder / str(next(_folders))
    reader = JsonReader(con, con.cursor, rows, plan, case.options.compression, work, small=0)
    sink = Sink(Batches(con, relation, columns, folder / f"rows{next(_folders)}"), case.limit)
    now = dt.datetime.now(dt.UTC)
    found = [
        S3Object(f"s3://b/{number}", "e", now, len(body), Body(body, case.chunk))
        for number, body in enumerate(case.objects)
    ]
    failed = ""
    try:
        reader.read(iter(found), sink)
        sink.batches.finish()
    except RedshiftError as error:
        failed = str(error)
    finally:
        sink.batches.close()
    if failed:
        return ([], [str(e) + repr(e) for e in sink.errors], [], failed)
    loaded = con.execute(f"SELECT * FROM {physical(*relation.key)}").fetchall()
    assert len(loaded) == sink.rows
    supers = [number for number, column in enumerate(columns) if column.type.name == "super"]
    shown = [
        tuple(_first_of_each(v) if n in supers else v for n, v in enumerate(row)) for row in loaded
    ]
    return (sorted(map(repr, shown)), sink.errors, sink.objects, failed)


def _first_of_each(value: str | None) -> str | None:
    """A SUPER value whose objects have each key once: DuckDB keeps a key that is twice, and finds the first."""
    if value is None:
        return None
    return json.dumps(json.loads(value, object_pairs_hook=lambda pairs: dict(pairs[::-1])))


# -- what may come ------------------------------------------------------------------------------------

SPECIAL = (
    '"99999999999999999999999999999999999999"', '"-100000000000000000000000000000000000000"',
    "null", "true", "false", "{}", "[]", '""', '" "', '"  x "', "0", "-0", "-0.0", "1.5", "1.50", "1e2",
    "1E400", "1e17", "12345678901234567890", "0.30000000000000004", "1540344794796.0", "9007199254740993",
    "9007199254740993.0", "32767", "32768", "-32768", "2147483648", "9223372036854775807",
    "9223372036854775808", "3.4028235e38", "3.5e38", "1e-50", "123.456", "999.999", "-999.99", "1000",
    '"1.5"', '"1e2"', '"+7"', '" 7 "', '"0x1F"', '"1_000"', '"007"', '"inf"', '"NaN"', '"t"', '"TRUE"',
    '"on"', '"2018-11-01"', '"2018-11-01 20:57:10"', '"2018-11-01T20:57:10.123456Z"', '"2018-02-30"',
    '"0000-01-01"', '"2018-11-01 24:00:00"', '"2018-11-01 20:57:60"', '"9999-12-31 23:59:59.999999"',
    '"11/01/2018"', '"20:57:10"', '"20:57"', "1541105830796", "253402300800000", "-62135596800001",
    '"1541105830796"', '"1541105830796.0"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\ud83d\\ude00"',
    '"\\u00e9\\/\\n\\"\\\\"', '"{"', '"[1,2]"', '"{\\"a\\":1}"', '"-5.0"', '"5."', '"\u00e9\u00e9\u00e9"',
    '"\u00a0"', '"abcdefg"', '"abcd  "', '{"b":"x","b":2}', '{"b":null}', '{"b":[1,2.50]}', "[1,null,\"x\"]",
    '[{"c":"\\u00e9"}]', '{"b":{"c":"y"}}', '"null"', '"true"', "NaN", "-Infinity", "nan", "[NaN]",
    '{"b":NaN}', "tru", "01", ".5", "+1", "'x'", "", "[1,]", '{"b":1,}', '"x', '"\t"', '", NaN,"', '":nan}"',
)  # fmt: skip
keys = st.sampled_from(["a0", "a1", "a2", "A0", "z", "\\u0061" + "0"])
numbers = st.one_of(
    st.integers(-(2**65), 2**65).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-1000, 1000, places=3, allow_nan=False).map(str),
)
strings = st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=len(text) % 2 == 0))
values = st.one_of(st.sampled_from(SPECIAL), numbers, strings, numbers.map(lambda n: f'"{n}"'))
blanks = st.sampled_from(["", "", "", " ", "\t", "\r", "\n", " \n "])


@st.composite
def structures(draw: st.DrawFn) -> str:
    """An object, most often well-formed and on a line."""
    space = draw(blanks)
    members = draw(st.lists(st.tuples(keys, values), max_size=4))
    body = f",{space}".join(f'"{key}":{space}{value}' for key, value in members)
    text = "{" + space + body + space + "}"
    return draw(
        st.sampled_from([text] * 12 + [text[:-1], text[1:], f"[{text}]", text + "x", text + ","])
    )


ends = st.sampled_from(["\n"] * 12 + ["\r\n", "", " ", "\n\n", ",\n", "\r"])
bodies = st.lists(st.tuples(structures(), ends), max_size=12).map(
    lambda parts: "".join(itertools.chain(*parts)).encode("utf-8", "surrogatepass")
)
spoiled = st.tuples(
    bodies, st.integers(0, 200), st.sampled_from([b"\xff", b"\xef\xbb\xbf", b"}", b'"'])
).map(lambda given: given[0][: given[1]] + given[2] + given[0][given[1] :])
options = st.builds(
    CopyOptions,
    timeformat=st.sampled_from(["", "auto", "epochsecs", "epochmillisecs"]),
    dateformat=st.sampled_from(["", "auto"]),
    truncatecolumns=st.booleans(),
    emptyasnull=st.booleans(),
    blanksasnull=st.booleans(),
    roundec=st.booleans(),
    acceptanydate=st.booleans(),
)  # with TRIMBLANKS and ACCEPTINVCHARS there is no plan (formats.py)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
    kinds = [kind + draw(st.sampled_from(["", "", "", " NOT NULL"])) for kind in kinds]
    deeper: list[tuple[paths.Step, ...]] = [
        (),
        (),
        (),
        ("b",),
        (0,),
        ("b", 1),
        ("b", "c"),
        (0, "c"),
    ]
    below = st.sampled_from(deeper)
    steps: list[tuple[paths.Step, ...]] = [(f"a{n}", *draw(below)) for n in range(len(kinds))]
    packed = draw(st.booleans())
    objects = draw(st.lists(st.one_of(bodies, bodies, spoiled), min_size=1, max_size=3))
    if packed:
        objects = [gzip.compress(body, 1) for body in objects]
    return Case(
        tuple(kinds),
        tuple(steps),
        replace(draw(options), compression="gzip" if packed else ""),
        tuple(objects),
        chunk=draw(st.sampled_from([7, 40, 1000])),
        limit=draw(st.sampled_from([1, 2, 1000, 1000, 1000])),
    )


EXAMPLES = int(os.environ.get("COPY_EXAMPLES", "40"))


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
    assert copy(con, folder, case, fast=True) == copy(con, folder, case, fast=False)


@pytest.mark.parametrize("kind", [*KINDS, "INT NOT NULL", "VARCHAR(6) NOT NULL"])
@pytest.mark.parametrize("timeformat", ["", "epochmillisecs"])
def test_special_values_one_by_one(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str, timeformat: str
) -> None:
    """Every special value into every type, each in a separate object."""
    objects = tuple(f'{{"a0":{value}}}\n'.encode("utf-8", "surrogatepass") for value in SPECIAL)
    case = Case((kind,), (("a0",),), CopyOptions(timeformat=timeformat), objects, 1000, 10_000)
    assert copy(con, tmp_path, case, fast=True) == copy(con, tmp_path, case, fast=False)


BROKEN = (
    b"{}\n{\n{}\n",
    b'{"a":1}\n{\n"a":\n"0\\\xff"\n}\n{"a":2}',
    b'{"a":1} x {"a":2}\ny\n\n[1,\n2',
    b'{"a":"\xc3\xb6\n{"a":{"b":]}}\r\n{"a":1}\r\n',
    b'{"a":tru}{"a":1}\n}\n{"a" 1}\n{"a":"',
)


@pytest.mark.parametrize("body", BROKEN)
def test_structures_do_not_depend_on_how_the_bytes_come(body: bytes) -> None:
    whole = list(Structures([body], "s3://b/k"))
    for size in range(1, len(body)):
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        assert list(Structures(chunks, "s3://b/k")) == whole, size


def test_an_object_that_ends_in_the_middle(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Its error is on its last line; another object of the same block starts where it breaks off."""
    case = Case(("INT",), (("a0",),), CopyOptions(), (b"{\n\n\n", b"{}\n"), 1000)
    assert copy(con, tmp_path, case, fast=True) == copy(con, tmp_path, case, fast=False)


def test_a_good_block_is_duckdbs(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Else the others would prove nothing."""
    body = b'{"a0":1,"a1":"x"}\n' * 50 + b'{"a0":"y"}\n'
    case = Case(("INT", "VARCHAR(9)"), (("a0",), ("a1",)), CopyOptions(), (body,), 1000)
    seen: list[int] = []

    class Counting(Sink):
        def insert(self, query: str) -> int:
            seen.append(super().insert(query))
            return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "Sink", Counting)
        rows, errors, _, _ = copy(con, tmp_path, case, fast=True)
    assert (len(rows), len(errors), sum(seen)) == (50, 1, 50)
