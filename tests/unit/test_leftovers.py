"""Which tables of the schema are staging tables that a load left behind."""

from datetime import UTC, datetime, timedelta

import pytest
from loader.dataapi import DataApi
from loader.leftovers import LONGEST_LOAD, staging_tables
from loader.settings import settings

from tests.unit.fakes import FakeDataApi, Reply

OLD = "20200101_000000"


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
    assert staging_tables(DataApi(settings()), "L") == ([name] if left else [])
    assert data_api.parameters() == {"schema_name": "sparkify"}


@pytest.mark.parametrize(("hours", "left"), [(1, False), (24, False), (26, True)])
def test_a_load_that_may_still_run_keeps_its_tables(
    data_api: FakeDataApi, hours: int, left: bool
) -> None:
    begun = datetime.now(UTC) - timedelta(hours=hours)
    name = f"event_stage_{begun:%Y%m%d_%H%M%S}_0a1b2c3d_0_0"
    data_api.replies = [Reply(rows={1: [(name,)]})]
    assert staging_tables(DataApi(settings()), "L", LONGEST_LOAD) == ([name] if left else [])
