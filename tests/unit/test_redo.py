"""The files of an undone load, as they are now: many of them, and in buckets with many others."""

import json
from collections.abc import Iterator

import pytest
from loader import redo
from loader.store import DataFile, Head, Store

MANY = 100_000


@pytest.fixture
def listed(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prefixes that were listed of a bucket with every second of MANY files, and one more."""
    prefixes: list[str] = []

    def list_files(_: Store, bucket: str, prefix: str) -> Iterator[DataFile]:
        prefixes.append(prefix)
        for number in range(0, MANY, 2):
            yield DataFile(bucket, key(number), f"new{number}", 7, "2026-11-23T20:00:00+00:00")
        yield DataFile(bucket, "log_data/2018/other.json", "e", 7)

    def head(*_: object) -> Head:
        raise AssertionError("not one by one")

    monkeypatch.setattr(Store, "list_files", list_files)
    monkeypatch.setattr(Store, "head", head)
    return prefixes


def key(number: int) -> str:
    return f"log_data/2018/{number:06}-événements 'a\n.json"


def test_a_hundred_thousand_files_are_listed_and_stand_in_the_work_bucket(
    store: Store, listed: list[str]
) -> None:
    """None of them in the load's state, which takes 256 KiB."""
    told = redo.write(store, "20261123-203011-0a1b2c3d", [("data", key(n)) for n in range(MANY)])
    assert listed == ["log_data/2018/0"]
    assert len(json.dumps(told)) < 2000
    assert told["missing"]["files"] == MANY // 2
    files = list(store.get_lines(store.key_of(told["objects"])))
    assert len(files) == MANY // 2
    assert files[1] == DataFile("data", key(2), "new2", 7, files[1]["modified"]).as_dict()
    missing = list(store.get_lines(store.key_of(told["missing"]["list"])))
    assert [row["key"] for row in missing[:2]] == [key(1), key(3)]
