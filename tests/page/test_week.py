"""A week of operation by the product's own functions: each statement of its page is compared with the ledger."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from loader.page.commands import Commands
from loader.page.document import loads_html
from loader.page.model import Page

from tests.page.reading import cells, facts, having, one, packed, packed_loads, parsed, words
from tests.world.simulator import World, load_id_of
from tests.world.week import page_of, played

pytestmark = [
    pytest.mark.slow,
    # The functions say so to Python, which pytest does not keep from one test to the next.
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    pytest.mark.xdist_group("week"),
]
BAD = ("rejected", "unreadable", "waiting")


@dataclass(frozen=True)
class Seen:
    """The world, its page, and all loads of the page: id -> the cells of its row, its details."""

    world: World
    page: Page
    root: ET.Element
    rows: dict[str, dict[str, str]]
    details: dict[str, ET.Element]

    def ledger(self, query: str) -> list[tuple[Any, ...]]:
        return self.world.warehouse.query(query.replace("FROM ", "FROM sparkify."))[0]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Two days, with all that happens in the week."""
    with played(tmp_path_factory.mktemp("week") / "week", days=2) as world:
        page = page_of(world)
        assert page.loads, "the loads have left no document under history/"
        root = parsed(loads_html(page, Commands()))
        found = packed_loads(root)
        yield Seen(
            world,
            page,
            root,
            {name: cells(next(row.iter("tr"))) for name, row, _ in found},
            {name: details for name, _, details in found},
        )


def by_words(cell: str) -> dict[str, int]:
    """'60 loaded 1 rejected' -> {loaded: 60, rejected: 1}."""
    return {
        word: int(number.replace(",", "")) for number, word in re.findall(r"([\d,]+) (\w+)", cell)
    }


def by_tables(cell: str) -> dict[str, int]:
    """'orders 12 order_items 1,003' -> {orders: 12, order_items: 1003}."""
    found = re.findall(r"(\w+) ([\d,]+)(?! rejected)", cell)
    return {name: int(number.replace(",", "")) for name, number in found if not name.isdigit()}


def test_there_is_a_row_for_each_execution(seen: Seen) -> None:
    executions = {load_id_of(each): each for each in seen.world.executions.all}
    assert seen.rows.keys() == executions.keys()
    assert len(seen.rows) > 30
    asked = {"s3": "uploads", "sweep": "the sweep"}
    for name, row in seen.rows.items():
        started_by = executions[name].name.partition("-")[0]
        assert row["Asked by"].startswith(asked.get(started_by, "a person")), name


def test_files_by_outcome_are_those_of_the_ledger(seen: Seen) -> None:
    told: dict[str, Counter[str]] = {name: Counter() for name in seen.rows}
    # What became of a file later is recorded in its row, or in another one.
    for name, status, count in seen.ledger(
        "SELECT load_id, CASE status WHEN 'withdrawn' THEN 'loaded' WHEN 'closed' THEN 'rejected' ELSE status END, "
        "COUNT(DISTINCT key) FROM files GROUP BY 1, 2"
    ):
        told[str(name)][str(status)] += int(count)
    assert sum(counts["rejected"] for counts in told.values()) == 5
    for name, row in seen.rows.items():
        shown = by_words(row["Files"])
        for status in ("loaded", *BAD):
            assert shown.get(status, 0) == told[name][status], (name, row["Files"])


def test_rows_are_those_that_the_tables_have_of_the_load(seen: Seen) -> None:
    for table in ("orders_versions", "readings"):
        counted = dict(seen.ledger(f"SELECT load_id, COUNT(*) FROM {table} GROUP BY 1"))
        assert len(counted) > 5
        undone = {name for (name,) in seen.ledger("SELECT load_id FROM undone")}
        for name, row in seen.rows.items():
            if name not in undone and "undo" not in row["Asked by"]:
                assert by_tables(row["Rows"]).get(table, 0) == counted.get(name, 0), (
                    name,
                    row["Rows"],
                )


def test_the_rows_that_were_left_out_are_those_of_the_ledger(seen: Seen) -> None:
    left_out = seen.ledger("SELECT load_id, COUNT(*) FROM rejected_rows GROUP BY 1")
    assert [count for _, count in left_out] == [3]
    for name, count in left_out:
        assert seen.rows[name]["Rows"].endswith(f"{count} rejected")
        assert f"Rows rejected: {count}" in words(seen.details[name])


def test_checks_are_those_of_the_ledger(seen: Seen) -> None:
    told = {
        name: (int(passed), int(total))
        for name, passed, total in seen.ledger(
            "SELECT load_id, SUM(CASE WHEN figure = expected THEN 1 ELSE 0 END), COUNT(*) FROM check_results "
            "GROUP BY 1"
        )
    }
    for name, row in seen.rows.items():
        passed, total = told.get(name, (0, 0))
        assert row["Checks"] == (f"{passed} of {total}" if total else ""), name


def test_the_figures_of_cost_are_those_of_the_ledger(seen: Seen) -> None:
    figures = seen.ledger(
        "SELECT load_id, transitions, function_calls, s3_requests, gb_seconds, seconds FROM load_figures"
    )
    assert figures
    for name, transitions, calls, requests, memory, seconds in figures:
        dollars = (
            transitions * 0.025 / 1000
            + calls * 0.20 / 1e6
            + requests * 0.005 / 1000
            + memory * 0.0000133334
        )
        shown = float(seen.rows[name]["Cost"].removeprefix("$"))
        assert shown == pytest.approx(dollars, rel=0.06), name  # two digits
        [load] = [each for each in seen.page.loads if each.id == name]
        assert load.seconds == pytest.approx(seconds, abs=0.01)


def test_the_undone_load_is_marked(seen: Seen) -> None:
    undone = {name for (name,) in seen.ledger("SELECT load_id FROM undone")}
    assert {name for name, row in seen.rows.items() if "undone since" in row["Outcome"]} == undone
    assert len(undone) == 1
    modes = [row["Asked by"] for row in seen.rows.values()]
    assert modes.count("a person undo") == 2  # the dry run before it, too


def test_the_squares_have_the_rows_of_their_day(seen: Seen) -> None:
    """Of readings, whose table has each row with its load."""
    [row] = [each for each in seen.root.iter("tr") if each.get("data-dataset") == "readings"]
    squares = {
        int(found[1].replace(",", ""))
        for each in row.iter("td")
        if (found := re.search(r": ([\d,]+) rows? of", each.get("title", "")))
    }
    counted = seen.ledger("SELECT SUBSTRING(load_id, 1, 8), COUNT(*) FROM readings GROUP BY 1")
    assert squares == {int(count) for _, count in counted}
    total = sum(int(count) for _, count in counted)
    assert words(one(row, "rows")) == f"{total:,}"


def test_a_dataset_has_as_many_files_as_the_ledger(seen: Seen) -> None:
    counted = dict(
        seen.ledger(
            "SELECT dataset, COUNT(DISTINCT key) FROM files WHERE status = 'loaded' GROUP BY 1"
        )
    )
    shown = {
        str(row.get("data-dataset")): int(words(one(row, "files")).replace(",", ""))
        for row in seen.root.iter("tr")
        if row.get("data-dataset")
    }
    assert shown == counted


def test_the_state_is_that_of_the_ledger(seen: Seen) -> None:
    state = one(seen.root, "state")
    assert state.get("data-level") == "amber"
    ((rejected,),) = seen.ledger("SELECT COUNT(*) FROM file_status WHERE status = 'rejected'")
    told = facts(seen.root)
    assert told["Files left out"] == f"{rejected} rejected"
    assert f"{rejected} files rejected" in words(state)
    assert told["Oldest file not loaded"] == "none"
    waiting = set(seen.world.objects()) - {key for (key,) in seen.ledger("SELECT key FROM files")}
    assert not waiting
    assert "readings" in told["Expected and not there"]
    ((version,),) = seen.ledger("SELECT MAX(version) FROM schema_version")
    assert told["Tables"] == f"version {version}"


def test_the_files_that_are_not_loaded_are_grouped_with_the_reasons_of_the_ledger(
    seen: Seen,
) -> None:
    groups = [each for each in having(seen.root, "reason") if each.get("data-kind")]
    told = Counter(
        re.sub(r"'[^']*'|\d+", "…", str(reason))
        for (reason,) in seen.ledger("SELECT reason FROM file_status WHERE status = 'rejected'")
    )
    assert sorted(int(each.get("data-files", "0")) for each in groups) == sorted(told.values())
    for group in groups:
        command = words(one(group, "command"))
        keys = json.loads(command.partition("'")[2].rpartition("'")[0])["keys"]
        assert len(keys) == int(group.get("data-files", "0"))
        for key in keys:
            assert key in words(group)


def test_the_unknown_key_is_that_of_the_ledger(seen: Seen) -> None:
    sightings = seen.ledger("SELECT DISTINCT dataset, path, suggested FROM key_sightings")
    assert [path for _, path, _ in sightings] == ["gift"]
    section = one(seen.root, "unknown")
    for dataset, path, suggested in sightings:
        assert f"{dataset} {path} " in words(section)
        assert next(section.iter("pre")).text == f"columns:\n  {suggested}"


def test_every_file_of_the_ledger_can_be_found(seen: Seen) -> None:
    ids = packed(seen.root, "ids")
    found = {
        (key, ids[number])
        for key, outcome, _, number in packed(seen.root, "files")
        if outcome in ("loaded", *BAD)
    }
    assert found == {
        (key, name) for key, name in seen.ledger("SELECT DISTINCT key, load_id FROM files")
        if "undo" not in seen.rows[name]["Asked by"]
    }  # fmt: skip


def test_nothing_was_loaded_in_the_pause(seen: Seen) -> None:
    started = [name for name in seen.rows if "20260303-130000" <= name < "20260303-170000"]
    assert not started
    assert [name for name in seen.rows if "20260303-170000" <= name < "20260303-180000"]
