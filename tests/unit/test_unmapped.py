"""Keys that no column takes: what counts as taken, for 'auto' and for JSONPaths, and how a path is written."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from loader import sql, unmapped
from loader.datasets import Dataset, datasets
from loader.decompression import decompressed
from loader.unmapped import Mapped, from_paths, mapped_by, records, shortened, unmapped_keys

AUTO = Mapped({"id": Mapped(whole=True), "customer": Mapped(whole=True)})
PATHS = from_paths(["$.id", "$['customer']['id']", "$.items[0].sku", '$["a.b"]["c"]', "$.whole"])


@pytest.mark.parametrize(
    ("taken", "record", "paths"),
    [
        (AUTO, {"id": 1, "customer": {"name": 2, "deep": {"er": 3}}}, []),
        (AUTO, {"ID": 1, "vip": {"since": 2}}, ["ID", "vip"]),
        (Mapped(AUTO.below, any_case=True), {"ID": 1, "Customer": {}, "VIP": 1}, ["VIP"]),
        (PATHS, {"id": 1, "customer": {"id": 1, "vip": 2}}, ["customer.vip"]),
        (PATHS, {"customer": "guest", "items": None, "whole": {"x": [1]}}, []),
        (PATHS, {"items": [{"sku": 1, "qty": 2}, {"sku": 3, "colour": 4}]}, ["items[].qty", "items[].colour"]),
        (PATHS, {"items": {"sku": 1}}, ["items.sku"]),
        (PATHS, {"a.b": {"c": 1, "d e": 2}}, ['["a.b"]["d e"]']),
        (PATHS, {"extra": {"a": 1, "b": {"c": 2}}}, ["extra"]),
        (from_paths(["$"]), {"any": {"thing": 1}}, []),
        (PATHS, {"über": 1, "naïve-key": 2, "1st": 3, "": 4}, ["über", "naïve-key", '["1st"]', '[""]']),
    ],
)  # fmt: skip
def test_what_no_column_takes(taken: Mapped, record: dict[str, Any], paths: list[str]) -> None:
    assert [path for path, _ in unmapped_keys(record, taken)] == paths


@pytest.mark.parametrize("key", ["k" * 5000, "é" * 300, "\ud800" * 100, "\n" * 500])
def test_a_path_fits_its_column_and_is_one_line(key: str) -> None:
    [path] = [shortened(path) for path, _ in unmapped_keys({key: 1}, AUTO)]
    assert len(path.encode()) <= unmapped.LONGEST
    assert path.isprintable()
    assert json.loads(json.dumps(path)) == path


def test_a_record_is_followed_as_deep_as_the_columns_paths() -> None:
    tree = paths = Mapped()
    record: dict[str, Any] = {}
    inner = record
    for _ in range(50):
        inner["a"] = {"b": 1}
        inner = inner["a"]
        paths.below["a"] = paths = Mapped()
    assert len(list(unmapped_keys(record, tree))) == 50


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}\n{"a": 2}\n', 2),
        ('{"a": 1}{"a": 2}  {"a"', 2),
        ('\ufeff{\n "a": 1\n}\r\n\r\n', 1),
        ('[{"a": 1}]', 0),
        ('{"a": ', 0),
        ("<html>", 0),
        ("", 0),
        ("[" * 100_000, 0),
        (" " * 5000 + '{"a": 1}', 1),
    ],
)
def test_the_records_at_a_files_beginning(text: str, found: int) -> None:
    assert len(list(records(text))) == found


def test_the_products_own_datasets_take_all_that_their_columns_say() -> None:
    log, song = (mapped_by(datasets()[name]) for name in ("log_data", "song_data"))
    assert log is not None
    assert song is not None
    assert list(unmapped_keys({"firstName": "x", "firstname": "y"}, log)) == [("firstname", "y")]
    assert list(unmapped_keys({"artist_id": "x", "Artist_ID": "y"}, song)) == [("Artist_ID", "y")]


@pytest.mark.parametrize(
    ("copy", "checked"),
    [
        ("COPY x (a) FROM 'y' FORMAT AS JSON 'auto'", True),
        ("COPY x (a) FROM 'y' JSON AS 'auto ignorecase'", True),
        ("COPY x FROM 'y' FORMAT AS JSON 'auto'", False),  # which columns there are is not said
        ("COPY x (a) FROM 'y' FORMAT JSON 'noshred'", False),
        ("COPY x (a) FROM 'y' FORMAT AS CSV", False),
        ("COPY x (a) FROM 'y' FORMAT AS JSON '${jsonpaths}'", False),  # its file is not there
        ("COPY x (a) FROM 'y' FORMAT AS JSON 's3://elsewhere/auto.json'", False),
    ],
)
def test_of_which_datasets_that_can_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy: str, checked: bool
) -> None:
    monkeypatch.setattr(sql, "read", lambda name: (tmp_path / name).read_text())
    (tmp_path / "datasets" / "d").mkdir(parents=True)
    (tmp_path / "datasets" / "d" / "copy.sql").write_text(copy)
    assert (mapped_by(Dataset("d", "d_stage", "d/", (".json",))) is not None) == checked


@pytest.mark.parametrize("cut", [300, 10**6])
def test_what_is_there_of_a_compressed_file_is_read(cut: int) -> None:
    body = gzip.compress(b'{"a": 1}\n' * 5000) + gzip.compress(b'{"a": 2}\n')
    plain = decompressed("x.json.gz", body[:cut], 10_000)
    assert plain.startswith(b'{"a": 1}\n')
    assert len(plain) <= 10_000
