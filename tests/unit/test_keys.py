"""Load ids, and the keys of the work bucket."""

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from loader import keys, sql
from loader.datasets import datasets
from loader.leftovers import tables_of_load
from loader.store import Store

ROOT = Path(__file__).resolve().parents[2]
EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:load:s3-1"


@pytest.mark.parametrize("started", ["2026-11-23T20:30:11.123Z", "2026-11-23T20:30:11+00:00"])
def test_a_load_id_says_when_and_is_its_executions_own(started: str) -> None:
    found = keys.load_id(EXECUTION, started)
    assert re.fullmatch(r"20261123-203011-[0-9a-f]{8}", found)
    assert keys.load_id(EXECUTION, started) == found
    assert keys.load_id(EXECUTION + "x", started) != found
    assert keys.load_prefix(found) == f"loads/{found}"


def test_an_execution_is_found_again_by_its_loads_id() -> None:
    """The sweep tells by it whether a load's execution is running."""
    found = keys.load_id(EXECUTION, "2026-11-23T20:30:11.123Z")
    assert (
        found.rpartition("-")[2] == keys.execution_digest(EXECUTION) != keys.execution_digest("x")
    )


def test_the_tables_of_a_load_are_those_of_its_manifests(store: Store) -> None:
    load = "20261123-203011-0a1b2c3d"
    tables = [
        keys.stage_table(datasets()[name].stage_table, load, batch, attempt)
        for name, batch, attempt in (("log_data", "0.1", 2), ("song_data", "1", 0))
    ]
    for table in tables:
        store.put(keys.manifest(load, table), {})
    store.put(keys.manifest(load + "0", "event_stage_of_another"), {})
    assert tables_of_load(store, load) == tables
    assert tables_of_load(store, "20200101-000000-00000000") == []


def test_no_two_attempts_share_a_staging_table() -> None:
    events = datasets()["log_data"]
    names = [
        keys.stage_table(events.stage_table, load, batch, attempt)
        for load in ("20261123-203011-0a1b2c3d", "20261123-203011-0a1b2c3e")
        for batch in ("0", "1", "0.1", "0.2", "1.1", "0.11")
        for attempt in (0, 1)
    ]
    assert names[0] == "event_stage_20261123_203011_0a1b2c3d_0_0"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(sql.IDENTIFIER, name) for name in names)


_PLACES = {"<": r"[\w.:+-]+", "…": ".+"}


def patterns() -> dict[str, re.Pattern[str]]:
    """The keys of the work bucket as docs/architecture.md names them."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("\n## What is in the work bucket\n")[2].partition("\n## ")[0]
    found: dict[str, re.Pattern[str]] = {}
    for cell in re.findall(r"^\| (`.*?) \|", section, re.M):
        first, *others = re.findall(r"`([^`]+)`", cell)
        folder = first.rpartition("/")[0]
        for name in (first, *(other.replace("…", folder, 1) for other in others)):
            parts = re.split(r"(<[^>]+>|…)", name)
            found[name] = re.compile(
                "".join(_PLACES.get(part[:1], re.escape(part)) for part in parts)
            )
    return found


def every_key() -> dict[str, str]:
    """A key of each kind, by the name of the function or constant that makes it."""
    load, table = "20261123-203011-0a1b2c3d", "event_stage_x"
    attempt = (load, "0.1", 2)
    arguments: dict[str, tuple[Any, ...]] = {
        "event_list": ("s3-" + "0" * 40,),
        "waiting_list": ("log_data", "0" * 40, 3),
        "sweep_list": (datetime(2026, 11, 23, tzinfo=UTC),),
        "backlog_list": (f"{load}-01234567", 0),
        "backlog_count": (f"{load}-01234567",),
        "backlog_ledger": (f"{load}-01234567",),
        "listing": (load, "01234567"),
        "batch_listing": attempt,
        "noload_manifest": attempt,
        "control_manifest": attempt,
        "manifest": (load, table),
        "check_document": (load, "ledger.json"),
        "jsonpaths": ("log_data", "{}"),
        "seen": ("2026-11-23T20:30:11+00:00",),
        "retry_lists_read": ("2026-11-23T20:30:11+00:00",),
        **dict.fromkeys(("redo_files", "redo_missing", "not_loaded", "unmatched"), (load,)),
        **dict.fromkeys(
            ("probe", "check_jsonpaths", "retry_list", "unfinished", "unsent"), (load,)
        ),
        **dict.fromkeys(("batch", "lines", "ledger_rows", "result"), (load, "0.1")),
        **dict.fromkeys(("bad_rows", "over_limit", "rejected_rows"), (load, "0.1")),
        "changed": (load, "log_data"),
        "history_load": (load,),
        "history_day": ("2026-11-23",),
        "records_read": (load, "0.1"),
        "mask_key": (load, "Migrate"),
        **dict.fromkeys(("drift", "drift_sample", "control_file", "values_of_key"), (load, "0.1")),
    }
    made = {name: getattr(keys, name)(*given) for name, given in arguments.items()}
    return made | {name: getattr(keys, name) for name in ("SWEEP_MARK", "WAITING_SINCE", "SWEPT")}


NO_KEYS = {
    *("load_id", "execution_digest", "event_execution", "stage_table", "plan_table", "listing_id"),
    *("split_waiting_list", "split_backlog_list", "unfinished_load"),
    *("history_loads", "history_load_of", "history_day_of"),
    *("load_prefix", "batches", "manifests", "results", "all_changed", "mask_keys"),  # prefixes
}


def test_every_function_is_a_key_or_known_to_be_none() -> None:
    functions = {
        name
        for name, value in vars(keys).items()
        if inspect.isfunction(value) and value.__module__ == "loader.keys"
    }
    assert functions == {name for name in every_key() if name.islower()} | NO_KEYS


def test_the_architecture_names_every_key_of_the_work_bucket_and_no_other() -> None:
    described = patterns()
    unnamed = {
        name: key
        for name, key in every_key().items()
        if not any(pattern.fullmatch(key) for pattern in described.values())
    }
    assert unnamed == {}
    unused = {
        name
        for name, pattern in described.items()
        if not any(pattern.fullmatch(key) for key in every_key().values())
    }
    assert unused == set()


def test_every_key_has_a_life_cycle_but_what_is_kept() -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    section = text.partition("\n  WorkBucket:\n")[2].partition("LifecycleConfiguration")[2]
    section = re.split(r"\n  \w+:\n", section)[0]
    prefixes = set(re.findall(r"\bPrefix: ([\w/]+)", section))
    assert prefixes
    kept = {name for name, key in every_key().items() if not key.startswith(tuple(prefixes))}
    assert kept == {"SWEEP_MARK", "WAITING_SINCE", "jsonpaths", "retry_list"}
    used = {prefix for prefix in prefixes for key in every_key().values() if key.startswith(prefix)}
    assert used == prefixes


def test_the_name_of_an_execution_leads_to_its_list() -> None:
    digest = "0" * 40
    names = [keys.event_execution(digest, attempt) for attempt in (1, 2, 3)]
    assert names == [f"s3-{digest}", f"s3-{digest}-2", f"s3-{digest}-3"]
    assert {keys.event_list(name) for name in names} == {f"events/s3-{digest}.json.gz"}
    assert all(name.startswith(keys.EVENT_EXECUTIONS) for name in names)


def test_keys_that_are_read_back() -> None:
    assert keys.split_waiting_list(keys.waiting_list("log_data", "a" * 40, 7)) == ("log_data", 7)
    assert keys.split_waiting_list("waiting/log_data/x.json.gz") is None
    assert keys.split_backlog_list(keys.backlog_list("L-1", 3)) == ("L-1", 3)
    assert keys.split_backlog_list(keys.backlog_count("L-1")) is None
    assert keys.unfinished_load(keys.unfinished("L")) == "L"
    assert keys.listing_id(keys.listing("L", "01234567")) == "01234567"
