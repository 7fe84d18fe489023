"""Batches: how files are cut into them, what a batch knows of its files, and its document."""

from collections import Counter
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loader import batches
from loader.batches import Batch, Reject, by_reported_name, cut, reported_name
from loader.copying import manifest_of
from loader.datasets import Dataset, compression, dataset_of, datasets
from loader.splitting import name_parts
from loader.state import BatchState
from loader.store import DataFile, MissingObject, Store


def file(key: str, size: int = 100, etag: str = "e") -> DataFile:
    return DataFile("data", key, etag, size, "2026-11-23T20:00:00+00:00")


def taker(key: str) -> Dataset:
    found = dataset_of(key, datasets().values())
    assert found
    return found


def keys_of(files: list[DataFile], max_files: int = 100, max_bytes: int = 10**9) -> list[list[str]]:
    return [[f.key for f in members] for _, members in cut(files, taker, max_files, max_bytes)]


LONG = "log_data/" + "x" * 300


@pytest.mark.parametrize(
    ("files", "max_files", "max_bytes", "expected"),
    [
        ([], 2, 100, []),
        (["log_data/1.json"], 1, 1, [["log_data/1.json"]]),
        (
            ["log_data/1.json", "log_data/2.json", "log_data/3.json"],
            2,
            1000,
            [["log_data/1.json", "log_data/2.json"], ["log_data/3.json"]],
        ),
        (
            ["log_data/1.json", "log_data/2.json", "log_data/3.json"],
            9,
            200,
            [["log_data/1.json", "log_data/2.json"], ["log_data/3.json"]],
        ),
        (
            ["log_data/1.json", "song_data/1.json", "log_data/2.json"],
            9,
            1000,
            [["log_data/1.json", "log_data/2.json"], ["song_data/1.json"]],
        ),
        (
            ["log_data/1.json", "log_data/2.json.gz", "log_data/3.json"],
            9,
            1000,
            [["log_data/1.json", "log_data/3.json"], ["log_data/2.json.gz"]],
        ),
        # COPY reports 256 bytes of a name: these two would be one.
        ([f"{LONG}1.json", f"{LONG}2.json"], 9, 1000, [[f"{LONG}1.json"], [f"{LONG}2.json"]]),
    ],
)
def test_cut(files: list[str], max_files: int, max_bytes: int, expected: list[list[str]]) -> None:
    assert keys_of([file(key) for key in files], max_files, max_bytes) == expected


DAILY = Dataset(
    "daily", "daily_stage", "daily/", (".json",), from_key=(("day", "dt"), ("shop", "s"))
)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("daily/dt=2026-11-28/s=7/a.json", ("2026-11-28", "7")),
        ("daily/s=7/x/dt=2026-11-28/a.json", ("2026-11-28", "7")),
        ("daily/dt=a%20b%3A'c/s=/a.json", ("a b:'c", "")),
        ("daily/dt=__HIVE_DEFAULT_PARTITION__/s=7/a.json", ("", "7")),
        ("daily/dt=x=y/s=7/a.json", ("x=y", "7")),
        ("daily/dt=2026-11-28/s=7.json", ("2026-11-28", None)),  # the file's name is no folder
        ("daily/a.json", (None, None)),
    ],
)
def test_values_in_a_key(key: str, values: tuple[str | None, ...]) -> None:
    assert DAILY.values_of_key(key) == values


def test_files_with_other_values_in_their_keys_are_in_other_batches() -> None:
    keys = [
        f"daily/dt={day}/s={shop}/{n}.json" for n in range(2) for day in (1, 2) for shop in "ab"
    ]
    found = [
        [f.key for f in members] for _, members in cut(map(file, keys), lambda _: DAILY, 9, 900)
    ]
    assert sorted(found) == sorted([keys[n], keys[n + 4]] for n in range(4))


def test_a_file_over_the_limit_is_a_batch_of_its_own() -> None:
    files = [file("log_data/1.json", 10), file("log_data/2.json", 999), file("log_data/3.json", 10)]
    assert keys_of(files, 9, 100) == [["log_data/1.json"], ["log_data/2.json"], ["log_data/3.json"]]


names = st.text(
    alphabet=st.sampled_from("ab /'é☃😀%+=3D\"\n") | st.characters(codec="utf-8"), max_size=30
)
keys = st.builds(
    lambda folder, pad, name, ending: f"{folder}/{pad}{name}{ending}",
    st.sampled_from(["log_data", "song_data"]),
    st.sampled_from(["", "x" * 236, "x" * 237, "x" * 238, "é" * 118]),
    names,
    st.sampled_from([".json", ".json.gz"]),
)
objects = st.lists(st.builds(file, keys, st.integers(0, 500)), unique_by=lambda f: f.key)


@settings(max_examples=150, deadline=None)
@given(objects, st.integers(1, 5), st.integers(1, 1000))
def test_every_file_is_in_one_batch_and_the_bounds_hold(
    files: list[DataFile], max_files: int, max_bytes: int
) -> None:
    found = list(cut(files, taker, max_files, max_bytes))
    assert Counter(f for _, members in found for f in members) == Counter(files)
    for dataset, members in found:
        assert 1 <= len(members) <= max_files
        assert sum(f.size for f in members) <= max_bytes or len(members) == 1
        assert {taker(f.key).name for f in members} == {dataset.name}
        assert len({compression(f.key) for f in members}) == 1
        assert len({reported_name(f) for f in members}) == len(members)
        found_by = by_reported_name(members)
        for f in members:
            # As it is, or URL-encoded: an encoded name that is cut may be nobody's, but never another's.
            assert found_by(reported_name(f)) == f
            encoded = quote(f.url, safe="/:")
            assert found_by(encoded[:256].rstrip(" ")) in (
                (f,) if len(encoded) <= 256 else (f, None)
            )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(file, keys), min_size=2, unique_by=lambda f: f.key))
def test_halving_ends_at_single_files_and_loses_none(files: list[DataFile]) -> None:
    seen: list[DataFile] = []
    names: set[str] = set()
    state: BatchState = {"batch": "0"}
    waiting = [Batch("0", "log_data", tuple(files))]
    while waiting:
        batch = waiting.pop()
        names.add(batch.name)
        if len(batch.files) == 1:
            seen += batch.files
        else:
            state, (one, two) = name_parts({**state, "batch": batch.name}, 2)
            waiting += batch.halves((one, two))
    assert Counter(seen) == Counter(files)
    assert len(names) == 2 * len(files) - 1


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("log_data/a.json", "s3://data/log_data/a.json"),
        ("a" * 300, "s3://data/" + "a" * 246),
        # A character that does not fit whole is left out; blanks at the end are the column's padding.
        ("a" * 245 + "é", "s3://data/" + "a" * 245),
        ("a" * 240 + "   b" + "c" * 20, "s3://data/" + "a" * 240 + "   b" + "cc"),
        ("a" * 240 + "      b", "s3://data/" + "a" * 240),
        ("a" * 245 + "\t.json", "s3://data/" + "a" * 245 + "\t"),
    ],
)
def test_a_name_as_copy_reports_it(key: str, name: str) -> None:
    assert reported_name(file(key)) == name


@pytest.mark.parametrize(
    ("keys", "batches_"),
    [
        (["a=b.json", "a%3Db.json"], 2),  # a%3Db.json in a report is either
        (["a%3Db.json", "a=b.json"], 2),
        (["a%3Db.json", "a%253Db.json"], 2),
        (["a=b.json", "a=c.json", "a%3Dd.json"], 1),
    ],
)
def test_files_whose_reports_could_be_taken_for_each_others_are_apart(
    keys: list[str], batches_: int
) -> None:
    files = [file(f"log_data/{key}") for key in keys]
    assert len(list(cut(files, taker, 100, 10**9))) == batches_


def test_a_cut_name_that_two_files_may_have_is_nobodys() -> None:
    one, two = (file(f"log_data/{'=' * 100}{name}.json") for name in "ab")
    assert by_reported_name([one, two])(quote(one.url, safe="/:")[:256]) is None
    assert by_reported_name([one])(quote(one.url, safe="/:")[:256]) == one
    assert by_reported_name([two])("s3://data/log_data/other.json") is None


def test_an_empty_file_is_not_read_but_is_of_the_batch() -> None:
    batch = Batch("0", "log_data", (file("log_data/1.json", 0), file("log_data/2.json")))
    assert [f.key for f in batch.readable] == ["log_data/2.json"]
    assert manifest_of([(file.url, file.size) for file in batch.readable]) == {
        "entries": [{"url": "s3://data/log_data/2.json", "mandatory": True}]
    }


def test_a_reject_leaves_the_batch_once_with_its_first_reason() -> None:
    one, two = file("log_data/1.json"), file("log_data/2.json")
    batch = Batch("0", "log_data", (one, two)).without([Reject(one, "first", 3, "ts", 1207)])
    again = batch.without([Reject(one, "second"), Reject(two, "other", status="missing")])
    assert [f.key for f in batch.files] == ["log_data/2.json"]
    assert again.files == ()
    assert [(r.file.key, r.reason, r.status) for r in again.rejects] == [
        ("log_data/1.json", "first", "rejected"),
        ("log_data/2.json", "other", "missing"),
    ]


def test_the_rejects_go_with_the_first_half() -> None:
    files = tuple(file(f"log_data/{n}.json") for n in range(5))
    reject = Reject(file("log_data/bad.json"), "why")
    first, second = Batch("0", "log_data", files, (reject,)).halves(("0.1", "0.2"))
    assert (first.name, first.rejects, len(first.files)) == ("0.1", (reject,), 2)
    assert (second.name, second.rejects, len(second.files)) == ("0.2", (), 3)


def test_a_file_apart_leaves_the_rejects_with_the_others() -> None:
    one, two, three = (file(f"log_data/{n}.json") for n in range(3))
    reject = Reject(file("log_data/bad.json"), "why")
    first, second = Batch("0", "log_data", (one, two, three), (reject,)).split_off(
        two, ("0.3", "0.4")
    )
    assert first == Batch("0.3", "log_data", (one, three), (reject,))
    assert second == Batch("0.4", "log_data", (two,))


def test_a_batch_is_read_back_as_it_was_saved(store: Store) -> None:
    batch = Batch(
        "0.1",
        "log_data",
        (file("log_data/it's 100% ☃.json"),),
        (Reject(file("log_data/bad.json"), "why", 3, "ts", 1207),),
    )
    batches.write(store, "L", batch)
    assert batches.read(store, "L", "0.1") == batch
    with pytest.raises(MissingObject, match=r"loads/L/batches/7\.json"):
        batches.read(store, "L", "7")
