"""The key of masked columns: made once, never seen, never made again."""

from typing import Any

import pytest
from loader import datasets, masking
from loader.dataapi import StatementFailed
from loader.datasets import Dataset, Mask
from loader.store import Store

from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import LOAD_ID, load

MASKED = Dataset(
    "people", "people_stage", "people/", (".json",), masks=(Mask("people.email", "hash", "x"),)
)
DROPPED = Dataset(
    "visits", "visit_stage", "visits/", (".csv",), masks=(Mask("visits.phone", "drop"),)
)


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    monkeypatch.setattr(masking, "datasets", lambda: {"people": MASKED})


def found(there: int, fingerprints: int, fitting: int) -> Reply:
    return Reply(rows={1: [(there, fingerprints, fitting)]})


def test_without_a_hash_nothing_is_asked(
    data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "datasets", lambda: {**datasets.datasets(), "visits": DROPPED})
    masking.ensure_key(load(), "x")
    assert data_api.submits == []


def test_a_key_that_is_there_is_kept(masked: None, data_api: FakeDataApi) -> None:
    data_api.replies = [found(1, 1, 1)]
    masking.ensure_key(load(), "x")
    assert len(data_api.submits) == 1


@pytest.mark.parametrize("before", [(0, 0, 0), (1, 0, 0)])
def test_it_is_made_of_an_object_that_is_gone_afterwards(
    masked: None, data_api: FakeDataApi, store: Store, s3: Any,
    monkeypatch: pytest.MonkeyPatch, before: tuple[int, int, int],
) -> None:  # fmt: skip
    written: list[Any] = []
    original = Store.put

    def put(self: Store, key: str, value: Any) -> str:
        written.append((key, value))
        return original(self, key, value)

    monkeypatch.setattr(Store, "put", put)
    data_api.replies = [found(*before), Reply(), found(1, 1, 1)]
    masking.ensure_key(load(), "Batch 0.1")
    [(key, value)] = written
    assert key.startswith(f"loads/{LOAD_ID}/mask_key/")
    assert len(bytes.fromhex(value["secret"])) == masking.BYTES
    assert value["secret"] not in str(data_api.submits)
    assert f"'s3://working/{key}'" in str(data_api.submits[1]["Sqls"])
    assert list(store.keys("loads/")) == []


def test_each_key_is_another(
    masked: None, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    values: set[str] = set()

    def put(self: Store, key: str, value: Any) -> str:
        values.add(value["secret"])
        return self.uri(key)

    monkeypatch.setattr(Store, "put", put)
    for _ in range(3):
        data_api.replies = [found(0, 0, 0), Reply(), found(1, 1, 1)]
        masking.ensure_key(load(), "x")
    assert len(values) == 3


def test_what_a_stopped_function_left_is_deleted(
    masked: None, data_api: FakeDataApi, store: Store
) -> None:
    store.put(f"loads/{LOAD_ID}/mask_key/x.json", {"secret": "1"})
    data_api.replies = [found(1, 1, 1)]
    masking.ensure_key(load(), "x")
    assert list(store.keys("loads/")) == []


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ((0, 1, 0), "is missing: sparkify_loader.mask_key has 0 rows"),
        ((1, 1, 0), "not the one"),
        ((2, 1, 1), "has 2 rows"),
    ],
)
def test_a_key_that_is_lost_or_another_is_refused(
    masked: None, data_api: FakeDataApi, there: tuple[int, int, int], said: str
) -> None:
    data_api.replies = [found(*there)]
    with pytest.raises(StatementFailed, match=said) as refused:
        masking.ensure_key(load(), "x")
    assert "Restore sparkify_loader.mask_key from a snapshot" in str(refused.value)
    assert len(data_api.submits) == 1  # nothing is made


def test_a_conflict_passes_and_another_error_does_not(
    masked: None, data_api: FakeDataApi, store: Store
) -> None:
    conflict = failed(1, "ERROR: 1023 Serializable isolation violation on table")
    data_api.replies = [found(0, 0, 0), conflict, found(0, 0, 0), Reply(), found(1, 1, 1)]
    masking.ensure_key(load(), "x")
    denied = failed(3, "ERROR: S3ServiceException:Access Denied,Status 403")
    data_api.replies = [found(0, 0, 0), denied]
    with pytest.raises(StatementFailed, match="Access Denied"):
        masking.ensure_key(load(), "y")
    assert list(store.keys("loads/")) == []
