"""Dropping all and making it anew: only if it is allowed, and in one transaction."""

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import reset
from loader import dataapi
from loader.dataapi import MAX_STATEMENTS, StatementFailed

from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import call

SCHEMA_THERE = Reply(rows={1: [(1,)]})
MISSING = failed(1, 'ERROR: relation "sparkify.publish_lock" does not exist')
# Another reset has dropped the lock table that this one waited for.
DROPPED = failed(1, "ERROR: table 3380474 dropped by concurrent transaction")
CANCELLED = failed(3, "ERROR: Query (4777555) cancelled on user's request")
CONFLICT = failed(4, "ERROR: conflict with concurrent transaction")


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


def test_one_transaction_behind_the_lock(allowed: None, data_api: FakeDataApi) -> None:
    data_api.replies = [SCHEMA_THERE]
    assert call(reset.handler)["outcome"] == "reset"
    request = data_api.submits[-2]  # the last looks for staging tables that were left behind
    texts = [" ".join(text.split()) for text in request["Sqls"]]
    assert request["ExecutionMode"] == "TRANSACTION"
    assert texts[0] == "LOCK sparkify.publish_lock"
    assert len(texts) <= MAX_STATEMENTS
    for kind in ("TABLE", "VIEW"):
        drops = [text for text in texts if text.startswith(f"DROP {kind} IF EXISTS ")]
        dropped = [name for text in drops for name in re.findall(r"sparkify\.\w+", text)]
        created = [text.split()[2] for text in texts if text.startswith(f"CREATE {kind}")]
        assert sorted(dropped) == sorted(created) != []
    last_drop = max(n for n, text in enumerate(texts) if text.startswith("DROP"))
    assert last_drop < min(n for n, text in enumerate(texts) if text.startswith("CREATE"))


@pytest.mark.parametrize(
    ("replies", "submits", "drops"),
    [
        ([CONFLICT, CONFLICT], 3, True),
        ([DROPPED, CANCELLED], 3, True),
        ([MISSING], 2, False),
        ([MISSING, CONFLICT], 3, False),
    ],
)
def test_tried_again(
    allowed: None, data_api: FakeDataApi, replies: list[Reply], submits: int, drops: bool
) -> None:
    data_api.replies = [SCHEMA_THERE, *replies]
    assert call(reset.handler)["outcome"] == "reset"
    resets = data_api.submits[1:-1]
    assert len({request["ClientToken"] for request in resets}) == len(resets) == submits
    assert any("DROP" in text for text in resets[-1]["Sqls"]) is drops
    assert any("CREATE TABLE" in text for text in resets[-1]["Sqls"])


def test_it_does_not_outlive_its_function(
    allowed: None, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a publish it gives up in time: what it would drop later, nobody would know of."""
    data_api.replies = [SCHEMA_THERE, Reply(running=99)]
    ticks = iter(range(0, 10_000, 100))
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.raises(TimeoutError, match=f"took over {reset.LIMIT} seconds"):
        call(reset.handler)
    assert len(data_api.cancelled) == 1


def test_staging_tables_that_were_left_behind_go_too(allowed: None, data_api: FakeDataApi) -> None:
    left = "event_stage_20261120_101112_1a2b3c4d_0_1_2"
    names = ["event_stage", "songs", left, "event_stage_mine", "users_20261120_101112_1a2b3c4d_0_0"]
    data_api.replies = [SCHEMA_THERE, Reply(), Reply(rows={1: [(name,) for name in names]})]
    assert call(reset.handler)["tables"] == [left]


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([failed(3, "ERROR: must be owner of relation songplays")], "must be owner"),
        ([CONFLICT] * 9, "stop the running loads"),
    ],
)
def test_what_fails(allowed: None, data_api: FakeDataApi, replies: list[Reply], says: str) -> None:
    data_api.replies = [SCHEMA_THERE, *replies]
    with pytest.raises(StatementFailed, match=says):
        call(reset.handler)
