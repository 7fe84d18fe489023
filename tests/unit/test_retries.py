"""Files that loads left, for the sweep."""

from typing import Any

import pytest
from loader import retries
from loader.datasets import datasets
from loader.keys import RETRY_LISTS
from loader.store import DataFile, Store

from tests.unit.loads import LOAD_ID, file, load

MARK = "2026-11-23T20:30:00+00:00"
A, B, C = (f"log_data/{name}.json" for name in "abc")


def kept(store: Store, load_id: str, *files: DataFile) -> None:
    retries.write(store, load(load_id=load_id), [{"again": [each.as_dict() for each in files]}])


def left(store: Store, others: Any = frozenset(), mark: str = MARK) -> list[str]:
    return [f.key for f in retries.pending(store, datasets().values(), "data", set(others), mark)]


def documents(store: Store) -> list[str]:
    return sorted(store.keys(RETRY_LISTS))


def test_each_load_keeps_its_own_and_a_sweep_takes_them_all(store: Store) -> None:
    retries.write(store, load(), [{}, {"again": []}])
    assert (left(store), documents(store), list(store.keys("sweeps/"))) == ([], [], [])
    kept(store, LOAD_ID, file(A), file(B))
    kept(store, "20261123-203012-0a1b2c3d", file(B), file(C), file(C, etag="other"))
    assert left(store) == [A, B, C, C]
    assert left(store, {(B, file(B).etag)}) == [A, C, C]


def test_what_is_of_no_dataset_or_another_bucket_is_not_tried(store: Store) -> None:
    other = DataFile("elsewhere", A, "e", 1)
    kept(store, LOAD_ID, file("gone_data/a.json"), other, file(B))
    assert left(store) == [B]


def test_only_what_a_sweep_has_read_is_taken_away(store: Store) -> None:
    """A load that ends while the sweep's runs may have begun before it."""
    kept(store, LOAD_ID, file(A))
    assert left(store) == [A]
    kept(store, "20261123-203000-0a1b2c3d", file(B))
    retries.clear(store, MARK)
    assert documents(store) == [f"{RETRY_LISTS}20261123-203000-0a1b2c3d.json"]
    retries.clear(store, MARK)  # once more: nothing is left of it
    retries.clear(store, "2026-11-23T21:30:00+00:00")  # of a sweep that has read none
    assert left(store, mark="2026-11-23T22:30:00+00:00") == [B]


def test_it_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "MAX_FILES", 3)
    kept(store, LOAD_ID, *(file(f"log_data/{n}.json") for n in range(9)))
    assert len(left(store)) == 3
    kept(store, "20261123-203012-0a1b2c3d", file(A))
    assert len(left(store)) == 3
    retries.clear(store, MARK)
    assert left(store) == [A]  # the next sweep's
