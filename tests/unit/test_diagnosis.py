"""What stands in a file that COPY has refused, in plain words."""

import bz2
import gzip
from collections.abc import Callable
from typing import Any

import pytest
from loader import diagnosis, sql
from loader.batches import Reject
from loader.datasets import Dataset, datasets
from loader.store import DataFile, Store

from tests.unit.loads import file

KEY = "log_data/a.json"
EVENT = b'{"artist": "A"}\n'


def of(name: str = "log_data") -> Dataset:
    return datasets()[name]


@pytest.mark.parametrize(
    ("head", "key", "found"),
    [
        (EVENT, KEY, ""),
        (b" \r\n\t" + EVENT, KEY, ""),
        (b"", KEY, ""),
        (b"\n\n", KEY, ""),
        (
            b"\xef\xbb\xbf" + EVENT,
            KEY,
            "begins with a byte order mark; UTF-8 without one is required",
        ),
        (EVENT.decode().encode("utf-16-le"), KEY, "holds NUL bytes, as UTF-16"),
        (EVENT.decode().encode("utf-16"), KEY, "is UTF-16; UTF-8 is required"),
        (gzip.compress(EVENT), KEY, "is gzip under a .json name"),
        (gzip.compress(EVENT), "log_data/a b", "is gzip under a plain name"),
        (bz2.compress(EVENT), KEY, "is bzip2 under a .json name"),
        (b"PK\x03\x04x", KEY, "is a zip archive under a .json name"),
        (b"PAR1x", KEY, "is Parquet under a .json name"),
        (b"<html><body>", KEY, "is HTML"),
        (b"\n<!DOCTYPE html>", KEY, "is HTML"),
        (b"<?xml version='1.0'?>", KEY, "is XML"),
        (b"<Error>", KEY, "is HTML or XML"),
        (b"[" + EVENT, KEY, "is a JSON array; one object for each record is required"),
        (b"42\n", KEY, "begins with a number; one object for each record is required"),
        (b"-1.5", KEY, "begins with a number"),
        (b'"text"', KEY, "begins with a text"),
        (b"null\n", KEY, "begins with true, false or null"),
        (b"nullable", KEY, "does not begin as JSON does"),
        (b"ts,device\n", KEY, "does not begin as JSON does"),
        (gzip.compress(EVENT), f"{KEY}.gz", ""),
        (gzip.compress(b"\xef\xbb\xbf" + EVENT), f"{KEY}.gz", "begins with a byte order mark"),
        (gzip.compress(b"[" + EVENT)[:30], f"{KEY}.gz", "is a JSON array"),
        (gzip.compress(gzip.compress(EVENT)), f"{KEY}.gz", "is gzip under a .gz name"),
        (EVENT, f"{KEY}.gz", "is not gzip, although its name ends in .gz"),
        (b"\x1f\x8bbroken", f"{KEY}.gz", ""),
        (EVENT, f"{KEY}.bz2", "is not bzip2, although its name ends in .bz2"),
        (bz2.compress(EVENT), f"{KEY}.bz2", ""),
        (EVENT, f"{KEY}.zst", "is not zstd, although its name ends in .zst"),
    ],
)
def test_seen(head: bytes, key: str, found: str) -> None:
    said = diagnosis.oddity(head, key, of())
    assert said.startswith(found)
    assert bool(said) is bool(found)


def test_records_may_be_arrays_and_files_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    read = sql.read
    arrays = '{"jsonpaths": ["$[0]", "$[1]"]}'
    monkeypatch.setattr(
        sql, "read", lambda name: arrays if name.endswith("jsonpaths.json") else read(name)
    )
    assert diagnosis.oddity(b"[1, 2]", KEY, of()) == ""
    assert diagnosis.oddity(b"[1, 2]", KEY, of("song_data")).startswith("is a JSON array")
    monkeypatch.setattr(sql, "without_comments", lambda name: "COPY t FROM 'x' CSV")
    assert diagnosis.oddity(b"ts,device\n", KEY, of("song_data")) == ""
    assert diagnosis.oddity(b"<html>", KEY, of("song_data")) == "is HTML"


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("Invalid digit, Value 'a'", ""),
        (
            "Invalid value.",
            "Not a JSON object: truncated, a comma or a quote too many or too few, or a word such as NaN: ",
        ),
        (
            "Invalid JSONPath format: Member is not an object.",
            "A string, a number or a list instead of an object with keys: ",
        ),
        (
            "Invalid JSONPath format: Not an array or index out of range.",
            "An array is missing or too short: ",
        ),
    ],
)
def test_redshifts_message_is_explained(message: str, meaning: str) -> None:
    assert diagnosis.explained(message) == meaning + message
    assert diagnosis.reason_for("is HTML", message) == f"The file is HTML. Redshift: {message}"


def put(s3: Any, key: str, body: bytes) -> DataFile:
    etag = s3.put_object(Bucket="data", Key=key, Body=body)["ETag"].strip('"')
    return file(key, len(body), etag)


def test_what_s3_does_not_give_is_no_reason_of_a_row(store: Store, s3: Any) -> None:
    there, empty = put(s3, KEY, b"<html>"), put(s3, "log_data/e.json", b"")
    gone = file("log_data/gone.json")
    assert diagnosis.inspect_starts(store, [there, empty, gone], of()) == [
        "is HTML",
        "",
        diagnosis.DENIED,
    ]
    rejects = [Reject(there, "Invalid value.", 1), Reject(gone, "Invalid value.", 1)]
    made = diagnosis.with_reasons(store, rejects, of(), lines=True)
    assert [reject.reason for reject in made] == [
        "The file is HTML. Redshift: Invalid value.",
        diagnosis.explained("Invalid value."),
    ]
    assert [reject.line_begins for reject in made] == ["", ""]


def test_only_what_is_needed_is_read(
    store: Store, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message with a column says what is wrong; of a large file only the beginning is fetched."""
    asked: list[int] = []
    for name in ("chunks", "first_bytes"):
        original = getattr(Store, name)

        def asking(
            self: Store, file: DataFile, count: int, original: Callable[..., Any] = original
        ) -> Any:
            asked.append(count)
            return original(self, file, count)

        monkeypatch.setattr(Store, name, asking)
    large = put(s3, KEY, EVENT * 10_000)
    diagnosis.with_reasons(store, [Reject(large, "Invalid digit", 3, "ts", 1207)], of(), lines=True)
    assert asked == []
    diagnosis.with_reasons(store, [Reject(large, "Invalid value.", 3)] * 30, of(), lines=True)
    assert asked.count(diagnosis.FIRST_BYTES) == 30
    assert asked.count(diagnosis.LINE_BYTES) == diagnosis.MAX_LINES
    monkeypatch.setattr(diagnosis, "MAX_LOOKS", 7)
    asked.clear()
    diagnosis.with_reasons(store, [Reject(large, "Invalid value.", 3)] * 30, of(), lines=False)
    assert asked == [diagnosis.FIRST_BYTES] * 7


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("line", "begins"),
    [
        (1, '{"n": 1, "x": "' + "x" * 45),
        (2, '{"n": 2'),
        (5000, "a?b?é\ufffd"),
        (5001, "last"),
        (5002, ""),
        (9999, ""),
    ],
)
def test_the_beginning_of_a_line(
    store: Store, s3: Any, line: int, begins: str, zipped: bool
) -> None:
    lines = [b'{"n": 1, "x": "' + b"x" * 100_000 + b'"}', b' {"n": 2 ']
    lines += [b"{}"] * 4997 + ["a\0b\u200bé".encode() + b"\xff", b"last"]
    body = b"\n".join(lines)
    key = f"{KEY}.gz" if zipped else KEY
    found = put(s3, key, gzip.compress(body) if zipped else body)
    assert diagnosis.line_of(store, found, line) == begins


def test_a_line_that_is_too_far_down_or_cannot_be_read_is_none(
    store: Store, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "LINE_BYTES", 1000)
    assert diagnosis.line_of(store, put(s3, KEY, b"{}\n" * 1000), 900) == ""
    assert diagnosis.line_of(store, put(s3, f"{KEY}.gz", b"no gzip"), 1) == ""
    assert diagnosis.line_of(store, put(s3, f"{KEY}.bz2", bz2.compress(EVENT)), 1) == ""
    assert diagnosis.line_of(store, file("log_data/gone.json"), 1) == ""
