"""The columns of Parquet files by their footer: of every type, of other writers, and of bytes that are no Parquet."""

from __future__ import annotations

import random
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from loader import headers, parquet
from loader.batches import Batch, Reject
from loader.datasets import Dataset
from loader.parquet import Field, Incomplete, NotParquet
from loader.store import DataFile, Store

from tests.unit.contracted import made

CONTRACT = """\
description: Visits
files: visits/*.parquet
columns:
  id: bigint
  place: {path: The Place, type: varchar(16)}
  price: "decimal(8,2)"
"""
EVERY = {
    "1::TINYINT": "INT32", "1::SMALLINT": "INT32", "1": "INT32", "1::BIGINT": "INT64", "1::HUGEINT": "DOUBLE",
    "1::UTINYINT": "UINT8", "1::USMALLINT": "UINT16", "1::UINTEGER": "UINT32", "1::UBIGINT": "UINT64",
    "1.5::FLOAT": "FLOAT", "1.5::DOUBLE": "DOUBLE", "true": "BOOLEAN", "'a'": "STRING", "'a'::BLOB": "STRING",
    "'{}'::JSON": "STRING", "'a'::ENUM('a')": "STRING", "1.5::DECIMAL(4,1)": "DECIMAL(4,1)",
    "1.5::DECIMAL(18,3)": "DECIMAL(18,3)", "1.5::DECIMAL(38,10)": "DECIMAL(38,10)", "DATE '2026-11-28'": "DATE",
    "TIME '10:00:00'": "TIME", "TIMESTAMP '2026-11-28 10:00:00'": "TIMESTAMP",
    "TIMESTAMP_MS '2026-11-28 10:00:00'": "TIMESTAMP", "TIMESTAMP_NS '2026-11-28 10:00:00'": "TIMESTAMP(nanos)",
    "TIMESTAMPTZ '2026-11-28 10:00:00+00'": "TIMESTAMP", "INTERVAL 1 DAY": "INTERVAL", "uuid()": "UUID",
    "{'a': 1, 'b': {'c': [1]}}": "NESTED", "[1, 2]": "NESTED", "[{'a': [{'b': 1}]}]": "NESTED",
    "MAP {'a': 1}": "NESTED", "2": "INT32",
}  # fmt: skip


def written(folder: Path, query: str, options: str = "") -> bytes:
    path = folder / "a.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{options})")
    return path.read_bytes()


def fields_of(body: bytes) -> list[Field]:
    start = parquet.footer_of(body[-64:], len(body))
    return parquet.schema(body[start : -parquet.END], whole=True)


@pytest.mark.parametrize(
    "options", ["", ", PARQUET_VERSION v2", ", COMPRESSION zstd", ", COMPRESSION gzip"]
)
def test_every_type(tmp_path: Path, options: str) -> None:
    said = [f'{value} AS "c{number}"' for number, value in enumerate(EVERY)]
    body = written(tmp_path, f"SELECT {', '.join(said)}", options)
    assert fields_of(body) == [Field(f"c{n}", kind) for n, kind in enumerate(EVERY.values())]


def element(name: bytes, *fields: bytes) -> bytes:
    """A SchemaElement: its fields from 1 to 3, the name, what comes after it."""
    before, after = fields
    last = 3 if before else 0
    return before + bytes([((4 - last) << 4) | 8, len(name)]) + name + after + b"\x00"


def footer(*elements: bytes) -> bytes:
    root = element(b"root", b"", bytes([0x15, 2 * len(elements)]))
    listed = bytes([((len(elements) + 1) << 4) | 12])
    return b"\x15\x02\x19" + listed + root + b"".join(elements) + b"\x16\x00\x00"


@pytest.mark.parametrize(
    ("physical", "converted", "kind"),
    [
        (3, b"", "TIMESTAMP"),  # INT96, of Spark and Impala
        (6, b"", "STRING"),  # a text without saying that it is one
        (6, b"\x25\x00", "STRING"),
        (1, b"\x25\x0c", "DATE"),
        (2, b"\x25\x12", "TIMESTAMP"),
        (2, b"\x25\x14", "TIMESTAMP"),
        (1, b"\x25\x1a", "UINT32"),
        (7, b"\x25\x0a\x15\x04\x15\x10", "DECIMAL(8,2)"),
        (7, b"\x25\x0a\x25\x10", "DECIMAL(8,0)"),  # without a scale
        (2, b"", "INT64"),
        (7, b"", "FIXED"),
    ],
)
def test_types_of_older_writers(physical: int, converted: bytes, kind: str) -> None:
    before = bytes([0x15, 2 * physical, 0x25, 2])  # the type; optional
    assert parquet.schema(footer(element(b"a", before, converted)), whole=True) == [
        Field("a", kind)
    ]


def test_the_schema_is_read_of_a_footer_that_is_not_whole(tmp_path: Path) -> None:
    body = written(
        tmp_path, "SELECT i AS a, i AS b FROM range(100000) AS r(i)", ", ROW_GROUP_SIZE 2048"
    )
    start = parquet.footer_of(body[-8:], len(body))
    whole = body[start:-8]
    assert len(whole) > 5_000
    assert parquet.schema(whole[:200], whole=False) == [Field("a", "INT64"), Field("b", "INT64")]
    with pytest.raises(Incomplete):
        parquet.schema(whole[:40], whole=False)
    with pytest.raises(NotParquet, match="ends in its schema"):
        parquet.schema(whole[:40], whole=True)


@pytest.mark.parametrize(
    ("end", "size", "why"),
    [
        (b"", 0, "does not end in PAR1"),
        (b"PAR1", 4, "does not end in PAR1"),
        (b"1,2\n3,4\n", 100, "does not end in PAR1"),
        (b"\x10\x00\x00\x00PARE", 100, "encrypted footer"),
        (struct.pack("<I", 0) + b"PAR1", 100, "a footer of 0 bytes"),
        (struct.pack("<I", 89) + b"PAR1", 100, "a footer of 89 bytes in a file of 100"),
        (struct.pack("<I", 2**32 - 1) + b"PAR1", 100, "a footer of 4,294,967,295 bytes"),
    ],
)
def test_an_end_that_is_none(end: bytes, size: int, why: str) -> None:
    with pytest.raises(NotParquet, match=why):
        parquet.footer_of(end, size)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x15\x02\x00",  # no schema
        footer(),  # no columns
        b"\x15\x02\x19\xfc\xff\xff\xff\xff\x0f",  # four billion elements
        b"\x15\x02\x19\x1c\x48\xff\xff\xff\xff\x0f",  # a name of four billion bytes
        b"\x19\x1c" + b"\x1c" * 10_000,  # a struct in a struct
        b"\x19\xf9\x90\x4e" + b"\xf9\x90\x4e" * 4_000,  # a list of lists of lists
        b"\x15" + b"\xff" * 100,  # a number that does not end
        b"\x1f" * 1_000,  # no type of Thrift
        element(b"root", b"", b"\x15\x14") * 3,
        footer(element(b"\xff\xfe", b"\x15\x02\x25\x02", b"")),  # a name that is not UTF-8
    ],
    ids=range(12),
)
def test_hostile_bytes_are_no_parquet(data: bytes) -> None:
    with pytest.raises(NotParquet):
        parquet.schema(data, whole=True)


def test_damaged_footers_are_read_or_are_no_parquet(tmp_path: Path) -> None:
    body = written(tmp_path, f"SELECT {', '.join(EVERY)}")
    start = parquet.footer_of(body[-8:], len(body))
    whole = body[start:-8]
    chance = random.Random(9)
    read = 0
    for _ in range(3_000):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(1, 6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        with suppress(NotParquet):
            read += bool(parquet.schema(bytes(data), whole=True))
    assert read > 100


# -- in a load ---------------------------------------------------------------------------------


@pytest.fixture
def visits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    return made("visits", CONTRACT, tmp_path / "sql", monkeypatch)


def put(s3: Any, name: str, body: bytes, size: int | None = None) -> DataFile:
    key = f"visits/{name}.parquet"
    etag = s3.put_object(Bucket="data", Key=key, Body=body)["ETag"].strip('"')
    return DataFile("data", key, etag, len(body) if size is None else size)


def read(store: Store, dataset: Dataset, *files: DataFile) -> list[Batch]:
    return headers.by_order(store, Batch("0", "visits", files), dataset)


VISIT = {"id": "1::BIGINT", "The Place": "'x'", "price": "1.5::DECIMAL(8,2)"}


def visit(folder: Path, *order: str, **more: str) -> bytes:
    columns = {**VISIT, **more}
    said = [f'{columns[name]} AS "{name}"' for name in (*(order or VISIT), *more)]
    return written(folder, f"SELECT {', '.join(said)}")


def test_files_are_divided_by_the_order_of_their_columns(
    store: Store, s3: Any, visits: Dataset, tmp_path: Path
) -> None:
    usual = [put(s3, f"a{n}", visit(tmp_path)) for n in range(2)]
    turned = put(s3, "b", visit(tmp_path, "price", "id", "The Place"))
    more = put(s3, "c", visit(tmp_path, vip="true", since="DATE '2026-11-28'", who="{'a': 1}"))
    found = read(store, visits, *usual, turned, more)
    assert [([f.key for f in b.files], b.columns) for b in found] == [
        ([f.key for f in usual], ()),
        ([turned.key], ("price", "id", "place")),
        ([more.key], ("id", "place", "price", "extra__1", "extra__2", "extra__3")),
    ]
    assert [(c.name, c.suggested) for c in found[2].unknown] == [
        ("vip", "vip: boolean"),
        ("since", "since: date"),
        ("who", "who: super"),
    ]


def test_a_footer_that_is_larger_than_the_first_range_is_read_from_its_start(
    store: Store, s3: Any, visits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(s3, "a", visit(tmp_path, "price", "id", "The Place"))
    monkeypatch.setattr(headers, "RANGE", 64)
    assert read(store, visits, file)[0].columns == ("price", "id", "place")
    monkeypatch.setattr(headers, "LONGEST", 40)
    [batch] = read(store, visits, file)
    assert batch.rejects == (Reject(file, "The file has a schema of more than 40 bytes."),)


def test_a_file_that_was_replaced_is_read_as_it_is_now_with_its_size(
    store: Store, s3: Any, visits: Dataset, tmp_path: Path
) -> None:
    old = put(s3, "a", b"PAR1 and no end")
    new = put(s3, "a", visit(tmp_path))
    [batch] = read(store, visits, old)
    assert [(f.etag, f.size) for f in batch.files] == [(new.etag, new.size)]


def test_a_file_that_s3_does_not_give_is_left_to_copy(
    store: Store, s3: Any, visits: Dataset, tmp_path: Path
) -> None:
    there = put(s3, "a", visit(tmp_path))
    gone = DataFile("data", "visits/gone.parquet", "x", 500)
    [batch] = read(store, visits, there, gone)
    assert (len(batch.files), batch.unread_headers, batch.rejects) == (2, 1, ())
