"""What a load notices: summed up over its batches, bounded, and harmless where it cannot be read."""

import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import stage
from loader import drift, keys, sampling
from loader.datasets import datasets
from loader.drift import Audit, became_empty, summarize
from loader.sampling import Sample, Sampler
from loader.store import DataFile, Store

from tests.unit.fakes import FakeDataApi
from tests.unit.loads import LOAD_ID, LOG, SONG, call, load, planned, save, staged_reply

NOW = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
T0, T1, T2 = (f"2026-11-{day} 10:00:00.000000" for day in (20, 21, 22))


@pytest.mark.parametrize(
    ("before", "rows", "told"),
    [
        ([1000, 1000, T1, None], 10, True),
        ([1000, 500, T1, None], 19, False),  # chance: one in 524,288
        ([1000, 500, T1, None], 20, True),  # one in a million
        ([1000, 0, None, None], 10**6, False),  # it never was filled
        ([1, 1, T1, None], 5, False),  # one row says little
        ([1000, 1000, T1, T2], 10, False),  # told, and not filled since
        ([1000, 1000, T2, T1], 10, True),  # filled again since
        ([1000, 1000, None, T1], 10, False),
        ([1000, 10, T1, None], 1000, False),
        ([1000, 10, T1, None], 1500, True),
    ],
)
def test_when_an_empty_column_is_told(before: list[Any], rows: int, told: bool) -> None:
    assert became_empty(before, rows) == told


def document(**changes: Any) -> dict[str, Any]:
    """What the stage step leaves of a batch."""
    return {
        "dataset": "log_data",
        "rows": 100,
        "sampled": 1,
        "of": 1,
        "keys": [],
        "known": 0,
        "filled": {"artist": 5, "song": 0},
        "before": {"song": [1000, 1000, T1, None]},
    } | changes


def put(store: Store, *documents: dict[str, Any]) -> list[str]:
    names = [str(number) for number in range(len(documents))]
    for name, found in zip(names, documents, strict=True):
        store.put(keys.drift(LOAD_ID, name), found)
    return names


def test_a_column_is_empty_only_if_it_is_in_all_batches(store: Store) -> None:
    both = summarize(store, load(), put(store, document(), document()))
    assert [one["column"] for one in both.report["empty_columns"]] == ["song"]
    assert both.report["empty_columns"][0]["rows"] == 200
    figures = {row["column_name"]: row for row in both.figures}
    assert (figures["artist"]["filled"], figures["artist"]["rows_staged"]) == (10, 200)
    assert (figures["song"]["told"], figures["artist"]["told"]) == (1, 0)
    one = summarize(
        store, load(), put(store, document(), document(filled={"artist": 0, "song": 1}))
    )
    assert one.report["empty_columns"] == []


@pytest.mark.parametrize(("filled", "empty"), [("0,9", []), ("0,0", ["repo"])])
def test_a_column_with_several_paths_is_empty_only_if_none_is_filled(
    store: Store, monkeypatch: pytest.MonkeyPatch, filled: str, empty: list[str]
) -> None:
    """A renamed key leaves the landing column of its old path empty, and the column is filled all the same."""
    layout = SimpleNamespace(columns=("repo", "repo__2"))
    dataset = SimpleNamespace(layout=layout, contract="digest")
    monkeypatch.setattr(drift, "datasets", lambda: {"log_data": dataset})
    audit = Audit(before={"repo": [1000, 1000, T1, None]})
    audit.take(("filled", "1", filled, None, None, None, None))
    found = audit.document("log_data", 10, 1, Sample(), NOW)
    assert found["filled"] == {"repo": int(filled[-1])}
    told = summarize(store, load(), put(store, found)).report["empty_columns"]
    assert [one["column"] for one in told] == empty


def test_rows_of_another_dataset_do_not_count(store: Store) -> None:
    other = document(dataset="song_data", rows=10**6, filled={"song": 5}, before={})
    few = document(rows=1, before={"song": [1000, 500, T1, None]})
    assert summarize(store, load(), put(store, few, other)).report["empty_columns"] == []


def test_keys_are_told_once_a_load_the_new_ones_first(store: Store) -> None:
    one = document(keys=[["old", "a", False, False], ["older", "a", False, True]], known=2)
    two = document(keys=[["new", "b", True, True], ["old", "b", False, False]], known=2, sampled=3)
    found = summarize(store, load(), put(store, one, two))
    assert [key["path"] for key in found.report["keys"]] == ["new", "old", "older"]
    assert found.report["new_keys"] == 1
    assert (found.report["files"], found.report["of"]) == (4, 2)
    assert [row["path"] for row in found.sightings] == ["older", "new"]
    assert found.sightings[0] == {
        "dataset": "log_data",
        "path": "older",
        "key": "a",
        "load_id": LOAD_ID,
    }


def test_keys_are_bounded(store: Store) -> None:
    """Of a dataset whose keys are data, such as ids: told in number, and noted up to a limit."""
    many = [[f"k{n}", "a", True, True] for n in range(200)]
    found = summarize(store, load(), put(store, document(keys=many, known=drift.MOST_KEYS - 10)))
    assert len(found.sightings) == 10
    assert found.report["new_keys"] == found.report["keys_total"] == 200
    assert len(found.report["keys"]) == drift.SHOWN_KEYS


def test_what_cannot_be_read_is_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert summarize(store, load(), ["0"]).report == {}

    def failing(*_: Any) -> None:
        raise OSError("S3 does not answer")

    put(store, document())
    monkeypatch.setattr(Store, "get", failing)
    assert summarize(store, load(), ["0"]).report == {}


def test_the_audits_rows_become_a_document() -> None:
    audit = Audit()
    for row in (
        ("key", "old", None, None, None, None, T1),
        ("key", "today", None, None, None, None, "2026-11-23 10:00:00.000000"),
        ("column", "song", None, "100", "90", T1, None),
        ("column", "artist", None, 100, 100, T1, None),
        ("filled", "12", "7,8,9,10,11,12", None, None, None, None),
        ("filled", "0", ",".join(["1"] * 12), None, None, None, None),
        ("check", "x", None, 0, 0, None, None),
    ):
        audit.take(row)
    sample = Sample(2, {"old": "a", "today": "b", "new": "c"}, {"new": "new: bigint"})
    found = audit.document("log_data", 50, 3, sample, NOW)
    assert (found["sampled"], found["of"], found["rows"], found["known"]) == (2, 3, 50, 2)
    assert found["keys"] == [
        ["old", "a", False, True, ""],
        ["today", "b", False, False, ""],
        ["new", "c", True, True, "new: bigint"],
    ]
    assert (found["filled"]["artist"], found["filled"]["user_id"]) == (1, 12)
    assert found["before"] == {}


def body(s3: Any, key: str, text: bytes) -> DataFile:
    etag = s3.put_object(Bucket="data", Key=key, Body=text)["ETag"].strip('"')
    return DataFile("data", key, etag, len(text), "")


def test_a_sample_is_of_some_files_all_over_the_batch(
    store: Store, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [body(s3, f"log_data/{n:03}.json", b'{"k%d": 1}' % n) for n in range(100)]
    read: list[str] = []
    sample = Store.sample

    def reading(self: Store, file: DataFile, length: int) -> bytes:
        read.append(file.key)
        return sample(self, file, length)

    monkeypatch.setattr(Store, "sample", reading)
    found = Sampler(store, files, datasets()["log_data"]).result()
    assert found.files == len(read) == sampling.FILES
    assert sorted(read) == [file.key for file in files[::5]]
    assert found.keys["k95"] == "log_data/095.json"


def test_files_that_cannot_be_sampled_are_none(
    store: Store, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = body(s3, "log_data/a.json", b'{"new": 1}')
    others = [
        body(s3, "log_data/b.json.gz", b"not gzip"),
        body(s3, "log_data/c.json", b'{"x": "' + b"y" * 100_000 + b'"}'),  # no whole record
        body(s3, "log_data/d.json", b"[1]"),
        DataFile("data", "log_data/gone.json", "e", 5),
    ]
    found = Sampler(store, [good, *others], datasets()["log_data"]).result()
    assert (found.files, found.keys) == (1, {"new": "log_data/a.json"})


def test_a_sample_that_takes_too_long_is_given_up(
    store: Store, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for, and what others have read counts."""
    release = threading.Event()
    slow = body(s3, "log_data/slow.json", b'{"slow": 1}')
    quick = body(s3, "log_data/quick.json", b'{"quick": 1}')
    sample = Store.sample

    def hanging(self: Store, file: DataFile, length: int) -> bytes:
        if file.key == slow.key:
            release.wait(60)
        return sample(self, file, length)

    monkeypatch.setattr(Store, "sample", hanging)
    monkeypatch.setattr(sampling, "GRACE", 0.2)
    sampler = Sampler(store, [slow, quick], datasets()["log_data"])
    try:
        found = sampler.result()
    finally:
        release.set()
    assert (found.files, list(found.keys)) == (1, ["quick"])


def test_the_stage_step_leaves_what_it_noticed(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    body(s3, LOG, b'{"page": "Home", "vip": 1}')
    save(store, LOG)
    reply = staged_reply(LOG)
    reply.rows[stage.AUDIT] = [
        *reply.rows[stage.AUDIT],
        ("filled", "0", ",".join(["0"] * 12), None, None, None, None),
        ("column", "song", None, 9, 9, T1, None),
        ("column", "artist", None, 9, 9, T1, None),
    ]
    data_api.replies = [reply]
    assert call(stage.handler, planned())["outcome"] == "staged"
    found = store.get(keys.drift(LOAD_ID, "0"))
    assert (found["sampled"], found["of"]) == (1, 1)
    assert found["keys"] == [["vip", LOG, True, True, ""]]
    assert found["before"] == {"artist": [9, 9, T1, None]}  # song is the 14th column


def test_the_sample_of_a_copy_that_takes_its_time_is_kept(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    body(s3, LOG, b'{"page": "Home", "vip": 1}')
    save(store, LOG)
    data_api.replies = [staged_reply(LOG, running=2)]
    state = planned()
    while state["outcome"] != "staged":
        state = call(stage.handler, state)
    found = store.get(keys.drift(LOAD_ID, "0"))
    assert found["keys"] == [["vip", LOG, True, True, ""]]


def test_a_batch_is_staged_though_nothing_can_be_noted(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, SONG)
    data_api.replies = [staged_reply(SONG)]

    def failing(*_: Any) -> None:
        raise OSError("no memory")

    monkeypatch.setattr(Audit, "document", failing)
    assert call(stage.handler, planned())["outcome"] == "staged"
    assert list(store.keys(keys.drift(LOAD_ID, "0"))) == []
