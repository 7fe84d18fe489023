"""unknown: reject reads every record of a file, and rejects a file with a key that no column takes."""

import bz2
import gzip
import json
import random
from typing import Any

import pytest
from loader import unknown
from loader.datasets import Dataset
from loader.store import DataFile, Store
from loader.unknown import Read, look, progress

ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.bz2", ".jsonl.zst")
PATHS = ("$['id']", "$['customer']['email']", "$['extra']", "$['items'][0]['sku']")
SHOP = Dataset("shop", "shop_stage", "shop/", ENDINGS, paths=PATHS, rejects_unknown=True)
GOOD = {"id": 1, "customer": {"email": "é@example.com"}, "extra": {"any": [{"thing": 1}]}}
ITEMS = {"id": 2, "items": [{"sku": "a"}, {"sku": "b"}] * 40}


def put(s3: Any, name: str, body: bytes) -> DataFile:
    key = f"shop/{name}"
    etag = s3.put_object(Bucket="data", Key=key, Body=body)["ETag"].strip('"')
    return DataFile("data", key, etag, len(body), "2026-11-23T20:00:00+00:00")


def text(*records: Any) -> bytes:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def read(store: Store, *files: DataFile, before: Any = None) -> list[Read]:
    return look(store, files, SHOP, before or {})


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.jsonl", text(GOOD, ITEMS)),
        ("a.jsonl.gz", gzip.compress(text(GOOD) + b"\n") + gzip.compress(text(ITEMS))),
        ("a.jsonl.bz2", bz2.compress(text(GOOD, ITEMS))),
        ("bom.jsonl", b"\xef\xbb\xbf" + text(GOOD)),
        ("pretty.jsonl", b"\n".join(json.dumps(one, indent=2).encode() for one in (GOOD, ITEMS))),
        ("one line.jsonl", text(GOOD) + text(ITEMS) + b"  " + text(GOOD)),
        ("empty.jsonl", b""),
        ("blank.jsonl", b" \n\n"),
        ("no utf-8.jsonl", b'{"id": "\xff\xfe"}\n'),
    ],
)
def test_files_with_known_keys(store: Store, s3: Any, name: str, body: bytes) -> None:
    assert [(r.done, r.bad) for r in read(store, put(s3, name, body))] == [(True, None)]


@pytest.mark.parametrize(
    ("record", "path", "column"),
    [
        ({"vip": True}, "vip", "vip: boolean"),
        ({"id": None, "customer": {"a b": "x"}}, 'customer["a b"]',
         'customer_a_b: {path: "customer[\\"a b\\"]", type: varchar(16)}'),
        ({"items": [{"sku": 1}] * 500 + [{"price": 12.50}]}, "items[].price",
         'price: "decimal(18,1)"'),
        ({"customer": {"Name": {"first": "A"}}}, "customer.Name",
         'customer_name: {path: customer.Name, type: super}'),
        ({"\ud800": 1}, '["\\ud800"]', "ud800: {path: "),
    ],
)  # fmt: skip
def test_an_unknown_key_rejects_with_its_line_and_what_would_take_it(
    store: Store, s3: Any, record: Any, path: str, column: str
) -> None:
    """In the last record of many, far behind any sample."""
    many = text(*[GOOD, ITEMS] * 4000)
    [found] = read(store, put(s3, "a.jsonl", many + b"\n" + json.dumps(record).encode() + b"\n"))
    assert found.bad
    assert not found.done
    assert (found.bad.line, found.bad.column, found.bad.status) == (8001, path, "rejected")
    assert found.bad.reason.startswith(f"It has the key {path}, which no column takes")
    assert f"add to dataset.yaml: {column}" in found.bad.reason
    json.dumps(found.bad.as_dict(), ensure_ascii=False).encode()


def test_the_line_is_the_last_of_the_object(store: Store, s3: Any) -> None:
    body = json.dumps(GOOD, indent=1) + "\n" + json.dumps({"id": 1, "new": 2}, indent=1)
    [found] = read(store, put(s3, "a.jsonl", body.encode()))
    assert found.bad
    assert found.bad.line == len(body.splitlines())


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.jsonl", b'{"id": 1}\n{"id": 2\n{"id": 3}\n', "line 2 cannot be read as JSON"),
        ("cut.jsonl", b'{"id": 1}\n{"id": 2', "line 2 cannot be read as JSON"),
        ("a.jsonl.gz", gzip.compress(text(GOOD))[:-12], ""),
        ("b.jsonl.gz", b"no gzip", "is no GZIP file"),
        ("a.jsonl.zst", b"\x28\xb5\x2f\xfd", "zst"),
    ],
)
def test_what_cannot_be_read_to_its_end_is_not_published(
    store: Store, s3: Any, name: str, body: bytes, said: str
) -> None:
    [found] = read(store, put(s3, name, body))
    assert not found.done
    assert found.bad
    assert said in found.bad.reason
    assert "was not read completely" in found.bad.reason


def test_another_version_than_copys_does_not_count(store: Store, s3: Any) -> None:
    file = put(s3, "a.jsonl", text(GOOD))
    put(s3, "a.jsonl", text(GOOD, GOOD))
    [found] = read(store, file)
    assert found.bad
    assert (found.bad.status, found.done) == ("missing", False)


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A clock that moves with each look at it, so that a call reads a few records."""
    ticks = [0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            ticks[0] += 1
            return ticks[0]

    monkeypatch.setattr(unknown, "time", Clock)
    monkeypatch.setattr(unknown, "SECONDS", 20)
    monkeypatch.setattr(unknown, "PART", 64)
    return ticks


@pytest.mark.parametrize("packed", [False, True])
def test_reading_goes_on_where_the_last_call_stopped(
    store: Store, s3: Any, ticking: list[int], packed: bool
) -> None:
    """Every record is read once, whatever the parts in which it comes; characters of many bytes too."""
    chance = random.Random(1)
    records = [
        {**GOOD, "extra": "é€😀"[chance.randrange(3)] * chance.randrange(40)} for _ in range(200)
    ]
    body = text(*records, {"id": 1, "new": 1})
    name, data = ("a.jsonl.gz", gzip.compress(body)) if packed else ("a.jsonl", body)
    files = (put(s3, name, data), put(s3, "b.jsonl", text(*records)))
    before: dict[str, Any] = {}
    found: list[Read] = []
    calls = 0
    while not before or not all(read.done or read.bad for read in found):
        calls += 1
        found = look(store, files, SHOP, json.loads(json.dumps(before)))
        before = progress(found)
    assert calls > 5
    assert [bool(read.bad) for read in found] == [True, False]
    assert found[0].bad
    assert found[0].bad.line == 201
    assert found[1].done


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_no_call_gets_further_in_is_rejected(
    store: Store, s3: Any, ticking: list[int], monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """A compressed one, because each call decompresses it from its start. Others are read from where they are."""
    monkeypatch.setattr(unknown, "SECONDS", 1)
    body = text(*[GOOD] * 40_000)
    name, data = ("a.jsonl.gz", gzip.compress(body)) if packed else ("a.jsonl", body)
    file = put(s3, name, data)
    at = body.index(b"\n", len(body) // 2)
    [found] = read(store, file, before={file.key: [file.etag, at, 20_000, False]})
    assert bool(found.bad) == packed
    assert (found.at > at) != packed
    if found.bad:
        assert found.bad.status == "rejected"
        assert "1 seconds are too short to decompress it" in found.bad.reason
        assert "unknown: report" in found.bad.reason


def test_a_file_whose_last_record_ended_the_time_is_read(store: Store, s3: Any) -> None:
    file = put(s3, "a.jsonl", text(GOOD))
    before = {file.key: [file.etag, file.size, 1, False]}
    assert [(r.done, r.bad) for r in read(store, file, before=before)] == [(True, None)]


def test_a_replaced_file_is_read_from_its_beginning(
    store: Store, s3: Any, ticking: list[int]
) -> None:
    first = put(s3, "a.jsonl", text(*[GOOD] * 100))
    before = progress(read(store, first))
    assert before["shop/a.jsonl"][1] > 0
    second = put(s3, "a.jsonl", text({"id": 1, "new": 1}, *[GOOD] * 100))
    [found] = read(store, second, before=before)
    assert found.bad
    assert found.bad.line == 1
