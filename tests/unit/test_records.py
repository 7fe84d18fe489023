"""Records of a file, with the lines that COPY reports."""

import bz2
import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader import records, sql
from loader.datasets import Dataset
from loader.decompression import NotThatFormat, unpacked
from loader.records import Record

from tests.unit import contracted

QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=6), PLAIN, max_size=4)


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    yield contracted.made("orders", contracted.ORDERS, tmp_path, monkeypatch)
    sql.read.cache_clear()


@pytest.fixture
def readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    yield contracted.made("readings", contracted.READINGS, tmp_path, monkeypatch)
    sql.read.cache_clear()


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[n : n + size] for n in range(0, len(data), size)]


def plain(value: Any) -> Any:
    """With numbers as json.loads gives them."""
    return json.loads(json.dumps(value), parse_int=str, parse_float=str)


@QUICK
@given(
    st.lists(st.tuples(OBJECTS, st.sampled_from(["\n", " ", "\r\n", "", "\n\n"]), st.booleans())),
    st.integers(1, 40),
)
def test_objects_on_lines_over_lines_and_side_by_side(
    orders: Dataset, said: list[tuple[dict[str, Any], str, bool]], size: int
) -> None:
    text, expected = "", []
    for value, end, pretty in said:
        text += json.dumps(value, indent=2 if pretty else None, ensure_ascii=False)
        expected.append((text.count("\n") + 1, plain(value)))
        text += end
    data = text.encode(errors="replace")
    found = list(records.records(cut(data, size), orders))
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    assert [(record.line, record.value) for record in found] == expected


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}{"a": 2}', [(1, True), (1, True)]),
        ('{"a": 1},\n{"a": 2}', [(1, True), (1, False), (2, True)]),
        ('{bad}{"a": 1}', [(1, False), (1, True)]),
        ('x {"a": 1}\ny', [(1, False), (1, True), (2, False)]),
        ('{"a": \n{"a": 1}', [(2, False)]),
        ('{"a": 1,\n"b": nan\n}\n{"a": 1}', [(2, False), (3, False), (4, True)]),
        ('{"a": "1\n{"a": 2}', [(1, False), (2, True)]),
        ('{"a": 1}\n[1]\n7\n', [(1, True), (2, True), (3, False)]),
        ('\ufeff{"a": 1}', [(1, False), (1, True)]),
        ('{"a": 1', [(1, False)]),
        (" \n\r\n ", []),
    ],
)
def test_what_is_no_json_is_a_record_without_a_value(
    orders: Dataset, text: str, found: list[tuple[int, bool]], size: int
) -> None:
    read = records.records(cut(text.encode(), size), orders)
    assert [(record.line, record.value is not None) for record in read] == found


def test_a_long_record_comes_in_many_parts(orders: Dataset) -> None:
    long = json.dumps({"a": "x" * (3 << 20), "b": [1] * 10_000}, indent=1)
    found = list(records.records(cut(f"{long}\n{long}".encode(), 64 << 10), orders))
    assert [record.line for record in found] == [long.count("\n") + 1, 2 * (long.count("\n") + 1)]
    assert len(found[0].text) == len(long)


def test_numbers_are_as_they_are_written(orders: Dataset) -> None:
    [found] = records.records([b'{"a": 1.50, "b": 1e3, "c": 12345678901234567890}'], orders)
    assert found.value == {"a": "1.50", "b": "1e3", "c": "12345678901234567890"}


@QUICK
@given(
    st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6), st.text(max_size=6)), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 40),
)
def test_csv_in_the_order_of_its_header(
    readings: Dataset, rows: list[tuple[str, str, str]], end: str, size: int
) -> None:
    rows = [tuple(text.replace("\r", "").replace("\0", "") for text in row) for row in rows]  # type: ignore[misc]
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=";", lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["celsius", "TS", "device"])
    lines = []
    for row in rows:
        lines.append(written.getvalue().count("\n") + 1)
        writer.writerow(row)
    data = written.getvalue().encode(errors="replace")
    found = list(records.records(cut(data, size), readings))
    assert [record.line for record in found] == lines
    names = ("celsius", "ts", "device")
    if data.decode() == written.getvalue():
        assert [record.value for record in found] == [
            dict(zip(names, row, strict=True)) for row in rows
        ]


def test_csv_with_too_few_columns_has_no_value(readings: Dataset) -> None:
    found = list(records.records([b"ts;device;celsius\na;b\na;b;c;\na;b;c;d\n"], readings))
    assert [record.value for record in found] == [
        None,
        {"ts": "a", "device": "b", "celsius": "c"},
        None,
    ]
    assert found[0] == Record(2, None, "a;b")


@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
@pytest.mark.parametrize(
    ("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), ("", bytes)]
)
def test_a_compressed_file_in_parts(ending: str, pack: Any, size: int) -> None:
    """Several members one after another, and one that unpacks to more than is given at once."""
    content = [b"abc\n" * 5, b"", b"0" * (3 << 20)]
    packed = b"".join(pack(one) for one in content)
    parts = list(unpacked(f"orders/a.jsonl{ending}", cut(packed, size)))
    assert b"".join(parts) == b"".join(content)
    assert max(len(part) for part in parts) <= 1 << 20


def test_a_file_that_is_not_compressed_as_its_ending_says() -> None:
    with pytest.raises(NotThatFormat, match="is no GZIP file"):
        list(unpacked("a.gz", [b"plain"]))
