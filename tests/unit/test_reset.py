"""Dropping all and making it anew: only if it is allowed, and all or nothing."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import reset
from loader import dataapi, statements
from loader.dataapi import MAX_STATEMENTS, StatementFailed
from loader.migrations import LEDGER, latest_version, rendered

from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import LOAD_ID, call

THERE = Reply(rows={1: [("sparkify",), ("sparkify_loader",)]})
MISSING = failed(1, 'ERROR: relation "sparkify_loader.publish_lock" does not exist')
# Another transaction has dropped a table that this one waited for.
DROPPED = failed(1, "ERROR: table 3380474 dropped by concurrent transaction")
CANCELLED = failed(3, "ERROR: Query (4777555) cancelled on user's request")
CONFLICT = failed(4, "ERROR: conflict with concurrent transaction")
KEPT = "sparkify_loader.publish_lock"


@pytest.mark.parametrize("value", ["false", "no", "True", "1"])
def test_refused_unless_it_is_allowed(
    data_api: FakeDataApi, configure: Callable[..., None], value: str
) -> None:
    configure(ALLOW_RESET=value)
    answer = call(reset.handler)
    assert answer["outcome"] == "refused"
    assert "AllowReset" in answer["cause"]
    assert data_api.submits == []


@pytest.fixture
def allowed(configure: Callable[..., None]) -> None:
    configure(ALLOW_RESET="true")


def dropped(texts: list[str], kind: str) -> list[str]:
    """The tables or views that the statements drop, sorted."""
    drops = [text for text in texts if text.startswith(f"DROP {kind} IF EXISTS ")]
    return sorted(name for text in drops for name in re.findall(r"sparkify\w*\.\w+", text))


def created(texts: list[str], kind: str) -> list[str]:
    made = (re.match(rf"CREATE {kind} (?:IF NOT EXISTS )?(\S+)", text) for text in texts)
    return sorted(found[1] for found in made if found)


def named(data_api: FakeDataApi, words: str) -> list[Any]:
    """What was submitted under a name with these words."""
    return [request for request in data_api.submits if words in request["StatementName"]]


def of_reset(data_api: FakeDataApi) -> list[Any]:
    return [r for r in data_api.submits if r["StatementName"] == f"{LOAD_ID} reset"]


def flat(request: Any) -> list[str]:
    return [" ".join(text.split()) for text in request["Sqls"]]


def test_all_goes_and_an_empty_ledger_comes_in_one_transaction_behind_the_lock(
    allowed: None, data_api: FakeDataApi
) -> None:
    data_api.replies = [THERE]
    assert call(reset.handler)["outcome"] == "reset"
    [request] = of_reset(data_api)
    texts = flat(request)
    assert request["ExecutionMode"] == "TRANSACTION"
    assert texts[0] == f"LOCK {KEPT}"
    assert texts[1] == f"UPDATE {KEPT} SET holder = '{LOAD_ID}'"
    assert len(texts) <= MAX_STATEMENTS
    first = next(n for n, text in enumerate(texts) if text.startswith("CREATE"))
    assert [text.split()[0] for text in texts[:first]] == ["LOCK", "UPDATE", "DROP", "DROP"]
    names = {"schema": "sparkify", "loader_schema": "sparkify_loader"}
    every: list[str] = [*statements.create_all(names)]
    assert dropped(texts, "VIEW") == created(every, "VIEW") != []
    assert dropped(texts, "TABLE") == sorted(set(created(every, "TABLE")) - {KEPT})
    assert {"sparkify.songplays", "sparkify.songs", "sparkify_loader.event_stage"} < set(
        dropped(texts, "TABLE")
    )
    ledger = rendered(LEDGER, names)
    assert request["Sqls"][first:] == ledger
    assert texts[-1].endswith(f"(version) VALUES ({latest_version()})")


def test_the_datasets_tables_follow_as_in_a_new_warehouse(
    allowed: None, data_api: FakeDataApi
) -> None:
    data_api.replies = [THERE]
    assert call(reset.handler)["outcome"] == "reset"
    made = [text for r in named(data_api, "tables of datasets") for text in flat(r)]
    own = {"sparkify.users", "sparkify.songs", "sparkify_loader.song_stage"}
    assert own < set(created(made, "TABLE"))
    order = [request["StatementName"].removeprefix(f"{LOAD_ID} ") for request in data_api.submits]
    assert order.index("reset") < order.index("tables of datasets 1")


def test_what_makes_them_may_fail_for_the_next_load_goes_on(
    allowed: None, data_api: FakeDataApi
) -> None:
    """All has gone by then: the sweep must hear of it, and load all anew."""
    data_api.replies = [THERE, Reply(), Reply(), failed(1, "ERROR: disk quota")]
    assert call(reset.handler)["outcome"] == "reset"


def test_the_lock_stays(allowed: None, data_api: FakeDataApi) -> None:
    """Publishes wait for it: one that met a lock that is dropped would fail. It keeps its one row, too."""
    data_api.replies = [THERE]
    call(reset.handler)
    texts = [" ".join(text.split()) for text in data_api.statements]
    assert KEPT not in dropped(texts, "TABLE")
    creates = {text for text in texts if text.startswith("CREATE TABLE") and KEPT in text}
    [create] = creates
    assert create.startswith(f"CREATE TABLE IF NOT EXISTS {KEPT} (")
    [insert] = {text for text in texts if text.startswith(f"INSERT INTO {KEPT}")}
    assert insert.endswith("WHERE k.holders = 0")
    assert not [text for text in texts if text.startswith(("DELETE", "TRUNCATE"))]


@pytest.mark.parametrize("replies", [[CONFLICT, CONFLICT], [DROPPED, CANCELLED], [MISSING]])
def test_tried_again(allowed: None, data_api: FakeDataApi, replies: list[Reply]) -> None:
    data_api.replies = [THERE, Reply(), *replies]
    assert call(reset.handler)["outcome"] == "reset"
    resets = of_reset(data_api)
    assert len({request["ClientToken"] for request in resets}) == len(resets) == len(replies) + 1
    assert len({tuple(request["Sqls"]) for request in resets}) == 1


def test_the_schemas_are_made_if_they_are_not_there(allowed: None, data_api: FakeDataApi) -> None:
    data_api.replies = [Reply(rows={1: [("sparkify",)]})]
    assert call(reset.handler)["outcome"] == "reset"
    schemas = [text for text in data_api.statements if text.startswith("CREATE SCHEMA")]
    assert schemas == ["CREATE SCHEMA sparkify_loader"]


def test_it_does_not_outlive_its_function(
    allowed: None, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a publish it gives up in time: what it would drop later, nobody would know of."""
    data_api.replies = [THERE, Reply(), Reply(running=99)]
    ticks = iter(range(0, 10_000, 100))
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.raises(TimeoutError, match=f"waited {reset.LIMIT} seconds for a load"):
        call(reset.handler)
    assert len(data_api.cancelled) == 1


def test_staging_tables_that_were_left_behind_go_too(allowed: None, data_api: FakeDataApi) -> None:
    left = "event_stage_20261120_101112_1a2b3c4d_0_1_2"
    names = ["event_stage", "songs", left, "event_stage_mine", "users_20261120_101112_1a2b3c4d_0_0"]
    data_api.replies = [THERE, *[Reply()] * 6, Reply(rows={1: [(name,) for name in names]})]
    assert call(reset.handler)["tables"] == [left]


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([failed(3, "ERROR: must be owner of relation songplays")], "must be owner"),
        ([CONFLICT] * 9, "Stop the running loads"),
    ],
)
def test_what_fails(allowed: None, data_api: FakeDataApi, replies: list[Reply], says: str) -> None:
    data_api.replies = [THERE, Reply(), *replies]
    with pytest.raises(StatementFailed, match=says):
        call(reset.handler)
