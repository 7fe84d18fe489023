"""A batch whose claim failed is compared with the ledger again."""

from typing import Any

import leave_out_loaded
import pytest
from loader import batches
from loader.batches import Reject
from loader.dataapi import StatementFailed
from loader.store import Store

from tests.unit.fakes import Clock, FakeDataApi, Reply, failed
from tests.unit.loads import HOSTILE, LOAD_ID, LOG, call, file, known, known_by, save

OTHER = "log_data/b.json"


def claimed(**more: Any) -> dict[str, Any]:
    return {"batch": "0", "outcome": "loaded meanwhile", "attempt": 2, "statement": None} | more


def new(*numbers: int) -> Reply:
    told = [(9, "loaded"), (7, "2026-11-01 08:00:00.000000"), (4, "version")]
    return Reply(rows={3: [*((number, None) for number in numbers), *told]})


@pytest.mark.parametrize(
    ("numbers", "left", "known"),
    [((0, 2), [LOG, HOSTILE], 1), ((), [], 3), ((0, 1, 2), [LOG, OTHER, HOSTILE], 0)],
)
def test_what_is_loaded_is_left_out(
    store: Store, data_api: FakeDataApi, numbers: Any, left: list[str], known: int
) -> None:
    reject = Reject(file("log_data/bad.json"), "why")
    save(store, LOG, OTHER, HOSTILE, rejects=(reject,))
    data_api.replies = [new(*numbers)]
    answer = call(leave_out_loaded.handler, claimed(known=4))
    assert (answer["outcome"], answer["known"], answer["statement"]) == ("again", 4 + known, None)
    batch = batches.read(store, LOAD_ID, "0")
    assert [member.key for member in batch.files] == left
    assert batch.rejects == (reject,)


def test_a_claim_that_fails_for_nothing_does_not_go_round_for_ever(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, LOG, OTHER)
    state = claimed(attempt=0)
    for _ in range(leave_out_loaded.MAX_ATTEMPTS - 1):
        data_api.replies = [new(0, 1)]
        state = call(leave_out_loaded.handler, {**state, "outcome": "loaded meanwhile"})
        assert state["outcome"] == "again"
    data_api.replies = [new(0, 1)]
    with pytest.raises(StatementFailed, match="claim of batch 0"):
        call(leave_out_loaded.handler, {**state, "outcome": "loaded meanwhile"})


def test_what_the_warehouse_is_asked(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG, OTHER)
    call(leave_out_loaded.handler, claimed())
    create, copy, _ = data_api.submits[0]["Sqls"]
    assert "file_plan_20261123_203011_0a1b2c3d_0_2 " in create
    uri = f"loads/{LOAD_ID}/batches/0.2.json.gz"
    assert f"'s3://working/{uri}'" in copy
    assert [(row["seq"], row["key"]) for row in store.get_lines(uri)] == [(0, LOG), (1, OTHER)]


def test_a_part_of_a_batch_that_was_halved_is_compared_too(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, LOG, OTHER, name="0.3")
    data_api.replies = [new(1)]
    answer = call(leave_out_loaded.handler, claimed(batch="0.3"))
    assert answer["outcome"] == "again"
    assert "file_plan_20261123_203011_0a1b2c3d_0_3_2 " in data_api.submits[0]["Sqls"][0]
    assert [member.key for member in batches.read(store, LOAD_ID, "0.3").files] == [OTHER]


@pytest.mark.parametrize(
    ("of_load", "named", "reload"),
    [
        ({}, False, False),
        ({"named": True}, True, False),
        ({"mode": "reload"}, False, True),
        ({"mode": "reload", "named": True}, True, True),
    ],
)
def test_it_compares_as_the_plan_did(
    store: Store, data_api: FakeDataApi, of_load: dict[str, Any], named: bool, reload: bool
) -> None:
    """Else a file that the claim refuses would be found to be new, again and again."""
    save(store, LOG)
    call(leave_out_loaded.handler, claimed(), **of_load)
    assert known_by(data_api) == known(named=named, reload=reload)


@pytest.mark.parametrize(
    ("reply", "outcomes"),
    [
        (Reply(running=2), ["running", "running", "again"]),
        (Reply(running=1, lost=True), ["running", "running", "again"]),
        (failed(2, "ERROR: deadlock detected"), ["running", "again"]),
        (Reply("ABORTED"), ["running", "again"]),
    ],
)
def test_while_it_has_no_answer(
    store: Store, data_api: FakeDataApi, reply: Reply, outcomes: list[str]
) -> None:
    save(store, LOG)
    data_api.replies = [reply, new(0)]
    state = claimed()
    found: list[str] = []
    for _ in outcomes:
        state = call(leave_out_loaded.handler, state)
        found.append(state["outcome"])
    assert found == outcomes
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens)
    assert state["attempt"] > 2  # staging anew takes a table and a token of its own


def test_what_no_try_mends_fails(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG)
    data_api.replies = [failed(3, "ERROR: permission denied for relation files")]
    with pytest.raises(StatementFailed, match=r"Batch 0 .* permission denied"):
        call(leave_out_loaded.handler, claimed())


def test_it_does_not_try_for_ever(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG)
    data_api.replies = [failed(2, "ERROR: deadlock detected") for _ in range(30)]
    state = claimed(attempt=0)
    for _ in range(leave_out_loaded.MAX_ATTEMPTS - 1):
        state = call(leave_out_loaded.handler, state)
        assert state["outcome"] == "running"
    with pytest.raises(StatementFailed, match="deadlock"):
        call(leave_out_loaded.handler, state)
    assert len(data_api.submits) == leave_out_loaded.MAX_ATTEMPTS


@pytest.mark.parametrize("ends_anyway", [False, True])
def test_over_its_limit_it_is_not_tried_again(
    store: Store, data_api: FakeDataApi, clock: Clock, ends_anyway: bool
) -> None:
    save(store, LOG, OTHER)
    data_api.replies = [Reply(running=99, rows={3: [(0, None)]}, ends_anyway=ends_anyway)]
    state = call(leave_out_loaded.handler, claimed())
    clock.now += 601
    state = call(leave_out_loaded.handler, state)
    assert (state["outcome"], len(data_api.cancelled)) == ("running", 1)
    if ends_anyway:  # it was answered all the same
        assert call(leave_out_loaded.handler, state)["outcome"] == "again"
        assert [member.key for member in batches.read(store, LOAD_ID, "0").files] == [LOG]
    else:
        with pytest.raises(StatementFailed, match="took over 600 seconds"):
            call(leave_out_loaded.handler, state)
    assert len(data_api.submits) == 1
