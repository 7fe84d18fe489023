"""Dropping all and making it anew: only if it is allowed, and in one transaction."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import reset
from loader import dataapi, sql, statements
from loader.dataapi import MAX_STATEMENTS, StatementFailed
from loader.datasets import datasets

from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import LOAD_ID, call

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-dataset" / "sql"
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


def test_one_transaction_behind_the_lock(allowed: None, data_api: FakeDataApi) -> None:
    data_api.replies = [THERE]
    assert call(reset.handler)["outcome"] == "reset"
    request = data_api.submits[-2]  # the last looks for staging tables that were left behind
    texts = [" ".join(text.split()) for text in request["Sqls"]]
    assert request["ExecutionMode"] == "TRANSACTION"
    assert texts[0] == f"LOCK {KEPT}"
    assert texts[1] == f"UPDATE {KEPT} SET holder = '{LOAD_ID}'"
    assert len(texts) <= MAX_STATEMENTS
    assert dropped(texts, "VIEW") == created(texts, "VIEW") != []
    # The parents of staging tables go twice: the baseline cannot know that they have gone.
    assert sorted(set(dropped(texts, "TABLE"))) == sorted(set(created(texts, "TABLE")) - {KEPT})
    names = {"schema": "s", "loader_schema": "l", "load_id": LOAD_ID}
    own = texts[: len(statements.drop_all(names))]  # before anything is created
    assert dropped(own, "TABLE") == sorted(set(created(texts, "TABLE")) - {KEPT})
    assert created(own, "TABLE") == []


def test_the_lock_stays(allowed: None, data_api: FakeDataApi) -> None:
    """Publishes wait for it: one that met a lock that is dropped would fail. It keeps its one row, too."""
    data_api.replies = [THERE]
    call(reset.handler)
    texts = [" ".join(text.split()) for text in data_api.statements]
    assert KEPT not in dropped(texts, "TABLE")
    [create] = [text for text in texts if text.startswith("CREATE TABLE") and KEPT in text]
    assert create.startswith(f"CREATE TABLE IF NOT EXISTS {KEPT} (")
    [insert] = [text for text in texts if text.startswith(f"INSERT INTO {KEPT}")]
    assert insert.endswith("WHERE k.holders = 0")
    assert not [text for text in texts if text.startswith(("DELETE", "TRUNCATE"))]


def test_another_dataset_still_fits_into_its_one_transaction(
    allowed: None, data_api: FakeDataApi
) -> None:
    """That of docs/adding-a-dataset/: its drop.sql and its migration are statements more."""
    data_api.replies = [THERE]
    call(reset.handler)
    more = [*EXAMPLE.glob("migrations/*.sql"), *EXAMPLE.glob("datasets/*/drop.sql")]
    assert len(more) == 2
    of_example = [text for path in more for text in sql.statements(without_comments(path))]
    assert len(of_example) >= 3
    if "ratings" in datasets():
        of_example = []  # it is there already, where the example is tried
    assert len(data_api.submits[-2]["Sqls"]) + len(of_example) <= MAX_STATEMENTS


def without_comments(path: Path) -> str:
    return re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("replies", "submits", "locked"),
    [
        ([CONFLICT, CONFLICT], 3, True),
        ([DROPPED, CANCELLED], 3, True),
        ([MISSING], 2, False),
        ([MISSING, CONFLICT], 3, False),
    ],
)
def test_tried_again(
    allowed: None, data_api: FakeDataApi, replies: list[Reply], submits: int, locked: bool
) -> None:
    """Without a lock there is nobody to wait for, but there may be tables: of a schema whose other was dropped."""
    data_api.replies = [THERE, *replies]
    assert call(reset.handler)["outcome"] == "reset"
    resets = data_api.submits[1:-1]
    assert len({request["ClientToken"] for request in resets}) == len(resets) == submits
    texts = resets[-1]["Sqls"]
    assert any(text.startswith(("LOCK", "UPDATE")) for text in texts) is locked
    assert dropped(texts, "VIEW")
    assert {"sparkify.files", "sparkify.songplays"} <= set(dropped(texts, "TABLE"))
    assert len(created(texts, "TABLE")) > 15


def test_the_schemas_are_made_if_they_are_not_there(allowed: None, data_api: FakeDataApi) -> None:
    data_api.replies = [Reply(rows={1: [("sparkify",)]}), Reply(), MISSING]
    assert call(reset.handler)["outcome"] == "reset"
    schemas = [text for text in data_api.statements if text.startswith("CREATE SCHEMA")]
    assert schemas == ["CREATE SCHEMA sparkify_loader"]


def test_it_does_not_outlive_its_function(
    allowed: None, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a publish it gives up in time: what it would drop later, nobody would know of."""
    data_api.replies = [THERE, Reply(running=99)]
    ticks = iter(range(0, 10_000, 100))
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.raises(TimeoutError, match=f"waited {reset.LIMIT} seconds behind a load"):
        call(reset.handler)
    assert len(data_api.cancelled) == 1


def test_staging_tables_that_were_left_behind_go_too(allowed: None, data_api: FakeDataApi) -> None:
    left = "event_stage_20261120_101112_1a2b3c4d_0_1_2"
    names = ["event_stage", "songs", left, "event_stage_mine", "users_20261120_101112_1a2b3c4d_0_0"]
    data_api.replies = [THERE, Reply(), Reply(rows={1: [(name,) for name in names]})]
    assert call(reset.handler)["tables"] == [left]


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([failed(3, "ERROR: must be owner of relation songplays")], "must be owner"),
        ([CONFLICT] * 9, "stop the running loads"),
    ],
)
def test_what_fails(allowed: None, data_api: FakeDataApi, replies: list[Reply], says: str) -> None:
    data_api.replies = [THERE, *replies]
    with pytest.raises(StatementFailed, match=says):
        call(reset.handler)
