"""A load's names: its id, its staging tables, and what the templates are offered."""

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loader import sql
from loader.datasets import datasets
from loader.names import (
    NO_TIME,
    as_literal,
    common,
    execution_digest,
    for_dataset,
    jsonpaths_name,
    load_id,
    manifest_key,
    of_batch,
    stage_table,
    state_of,
    tables_of,
    timestamp,
)
from loader.settings import settings
from loader.store import Store

EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:load:s3-1"


@pytest.mark.parametrize("started", ["2026-11-23T20:30:11.123Z", "2026-11-23T20:30:11+00:00"])
def test_a_load_id_says_when_and_is_its_executions_own(started: str) -> None:
    found = load_id(EXECUTION, started)
    assert re.fullmatch(r"20261123-203011-[0-9a-f]{8}", found)
    assert load_id(EXECUTION, started) == found
    assert load_id(EXECUTION + "x", started) != found
    assert state_of({"load_id": found}) == f"loads/{found}"


def test_an_execution_is_found_again_by_its_loads_id() -> None:
    """The sweep tells by it whether a load's execution is running."""
    found = load_id(EXECUTION, "2026-11-23T20:30:11.123Z")
    assert found.rpartition("-")[2] == execution_digest(EXECUTION) != execution_digest("x")


def test_the_tables_of_a_load_are_those_of_its_manifests(store: Store) -> None:
    load = "20261123-203011-0a1b2c3d"
    tables = [
        stage_table(datasets()[name], load, batch, attempt)
        for name, batch, attempt in (("log_data", "0.1", 2), ("song_data", "1", 0))
    ]
    for table in tables:
        store.put(manifest_key(load, table), {})
    store.put(manifest_key(load + "0", "event_stage_of_another"), {})
    assert tables_of(store, load) == tables
    assert tables_of(store, "20200101-000000-00000000") == []


def test_no_two_attempts_share_a_staging_table() -> None:
    events = datasets()["log_data"]
    names = [
        stage_table(events, load, batch, attempt)
        for load in ("20261123-203011-0a1b2c3d", "20261123-203011-0a1b2c3e")
        for batch in ("0", "1", "0.1", "0.2", "1.1", "0.11")
        for attempt in (0, 1)
    ]
    assert names[0] == "event_stage_20261123_203011_0a1b2c3d_0_0"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(sql.IDENTIFIER, name) for name in names)


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("default", "default"),
        ("arn:aws:iam::123456789012:role/copy", "'arn:aws:iam::123456789012:role/copy'"),
    ],
)
def test_the_copy_role_is_a_word_or_a_quoted_arn(role: str, text: str) -> None:
    offered = common(replace(settings(), copy_role=role))
    assert offered == {
        "schema": "sparkify",
        "loader_schema": "sparkify_loader",
        "copy_role": text,
    }


def test_an_executions_arn_is_a_literal_as_it_is() -> None:
    assert as_literal(EXECUTION) == EXECUTION
    express = EXECUTION.replace("execution", "express") + ":0a1b2c3d-1111-4111-8111-0a1b2c3d4e5f"
    assert as_literal(express) == express


@given(st.text(max_size=120))
def test_an_execution_may_have_any_name(name: str) -> None:
    """A person gives it: the literal holds no quote and no comment, and still says which execution it was."""
    literal = as_literal(f"arn:{name}")
    assert sql.fits("execution", literal)
    assert unquote(literal) == f"arn:{name}"
    for piece in ("'", '"', "\\", ";", "--", "/*", "\n", "$", " "):
        assert piece not in literal


@pytest.mark.parametrize("name", ["x" * 2000, "é" * 400, "-" * 1500])
def test_a_name_that_is_too_long_is_cut_to_its_column(name: str) -> None:
    literal = as_literal(name)
    assert len(literal.encode()) <= 1024
    assert sql.fits("execution", literal)


@pytest.mark.parametrize(
    ("iso", "literal"),
    [
        ("2026-11-23T20:30:11.123Z", "2026-11-23 20:30:11.123000"),
        ("2026-11-23T20:30:11+00:00", "2026-11-23 20:30:11.000000"),
        ("2026-11-23T20:30:11.123456+02:00", "2026-11-23 18:30:11.123456"),
        ("2026-01-01T00:30:00-01:00", "2026-01-01 01:30:00.000000"),
    ],
)
def test_a_time_is_a_timestamp_in_utc(iso: str, literal: str) -> None:
    assert timestamp(iso) == literal
    assert sql.fits("started_at", literal)


def test_no_time_is_a_timestamp_before_any_event() -> None:
    for name in ("first_start", "last_start"):
        assert sql.fits(name, NO_TIME)


@pytest.mark.parametrize(
    ("mode", "named", "flags"),
    [
        ("load", False, ("0", "0")),
        ("load", True, ("0", "1")),
        ("reload", False, ("1", "0")),
    ],
)
def test_what_a_batch_offers(mode: str, named: bool, flags: tuple[str, str]) -> None:
    load = {"load_id": "20261123-203011-0a1b2c3d", "mode": mode, "named": named}
    load |= {"execution": "arn:It's", "started": "2026-11-23T20:30:11.123Z"}
    offered = of_batch(load, "0.1")
    assert offered == {
        "load_id": "20261123-203011-0a1b2c3d",
        "batch": "0.1",
        "mode": mode,
        "reload": flags[0],
        "named": flags[1],
        "execution": "arn:It%27s",
        "started_at": "2026-11-23 20:30:11.123000",
    }
    assert all(sql.fits(name, value) for name, value in offered.items())


def test_a_dataset_offers_its_table_under_both_names() -> None:
    store = Store("working")
    events = for_dataset(settings(), store, datasets()["log_data"], "event_stage_x")
    assert (
        events["stage_table"],
        events["event_stage"],
        events["stage_parent"],
    ) == (
        "event_stage_x",
        "event_stage_x",
        "event_stage",
    )
    assert events["jsonpaths"] == f"s3://working/jsonpaths/{jsonpaths_name(datasets()['log_data'])}"
    assert "jsonpaths" not in for_dataset(settings(), store, datasets()["song_data"], "s")


def test_jsonpaths_of_another_content_have_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = jsonpaths_name(datasets()["log_data"])
    monkeypatch.setattr(sql, "read", lambda name: "{}")
    assert jsonpaths_name(datasets()["log_data"]) != before
