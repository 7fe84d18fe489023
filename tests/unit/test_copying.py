"""What a COPY reads."""

import pytest
from loader import copying, sql
from loader.datasets import datasets
from loader.store import Store


def test_a_dataset_offers_its_table_under_both_names() -> None:
    store = Store("working")
    events = copying.names(store, datasets()["log_data"], "event_stage_x")
    assert (events["stage_table"], events["event_stage"], events["stage_parent"]) == (
        "event_stage_x",
        "event_stage_x",
        "event_stage",
    )
    assert events["jsonpaths"] == f"s3://working/{copying.jsonpaths_key(datasets()['log_data'])}"
    assert "jsonpaths" not in copying.names(store, datasets()["song_data"], "s")


def test_jsonpaths_of_another_content_have_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = copying.jsonpaths_key(datasets()["log_data"])
    monkeypatch.setattr(sql, "read", lambda name: "{}")
    assert copying.jsonpaths_key(datasets()["log_data"]) != before
