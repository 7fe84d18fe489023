"""What a load left behind: which tables of the schema are staging tables, and which statements still run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from loader.dataapi import DataApi
from loader.leftovers import StagingTable, cancel_statements, staging_tables
from loader.settings import settings

from tests.unit.fakes import FakeDataApi, Reply, failed

OLD = "20200101_000000"
LOAD = "20200101-000000-0a1b2c3d"


@pytest.mark.parametrize(
    ("name", "left"),
    [
        (f"event_stage_{OLD}_0a1b2c3d_0_0", True),
        (f"song_stage_{OLD}_0a1b2c3d_12_1_2_3", True),
        ("event_stage", False),
        ("event_stage_mine", False),
        (f"my_event_stage_{OLD}_0a1b2c3d_0_0", False),
        (f"event_stage_{OLD}_0a1b2c3d_0_0_copy", False),
        (f"event_stage_{OLD}_0A1B2C3D_0_0", False),
        (f"songs_{OLD}_0a1b2c3d_0_0", False),
    ],
)
def test_a_name(data_api: FakeDataApi, name: str, left: bool) -> None:
    data_api.replies = [Reply(rows={1: [(name,)]})]
    found = staging_tables(DataApi(settings()), "L")
    assert [table.name for table in found] == ([name] if left else [])
    assert {table.load_id for table in found} <= {LOAD}
    [text] = data_api.statements
    assert text.endswith("WHERE schemaname IN ('sparkify', 'sparkify_loader')")
    assert "svv_" not in text


@pytest.mark.parametrize(("hours", "old"), [(1, False), (24, False), (26, True)])
def test_a_load_that_may_still_run_is_not_old(hours: int, old: bool) -> None:
    """The state machine ends a load after 24 hours."""
    begun = datetime.now(UTC) - timedelta(hours=hours)
    assert StagingTable("event_stage_x", f"{begun:%Y%m%d-%H%M%S}-0a1b2c3d").is_old is old


@pytest.mark.parametrize(
    ("statements", "none"),
    [
        ([], True),
        ([Reply(), Reply("ABORTED"), failed(1, "no")], True),
        ([Reply(running=1), Reply(), Reply(), Reply(running=1)], False),
    ],
)
def test_the_statements_of_a_load_are_ended(
    data_api: FakeDataApi, statements: list[Reply], none: bool
) -> None:
    ids = [data_api.add(f"{LOAD} stage {n}.0", reply) for n, reply in enumerate(statements)]
    running = [id_ for id_, reply in zip(ids, statements, strict=True) if reply.running]
    data_api.add("20200101-000000-ffffffff stage 0.0", Reply(running=1))
    assert cancel_statements(DataApi(settings()), LOAD) is none
    assert sorted(data_api.cancelled) == running


def test_a_statement_that_ends_before_its_cancel_is_looked_at_once_more(
    data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have committed: the next sweep finds its table."""

    def ended(**request: Any) -> None:
        raise data_api.error("ValidationException", "CancelStatement")

    data_api.add(f"{LOAD} stage 0.0", Reply(running=1))
    monkeypatch.setattr(data_api, "cancel_statement", ended)
    assert cancel_statements(DataApi(settings()), LOAD) is False
