"""loads.html, read back: each part, each figure, other people's texts, and nothing that could run or be fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import xml.etree.ElementTree as ET
from datetime import timedelta
from typing import Any

import pytest
from loader.page import costs
from loader.page.commands import Commands
from loader.page.document import loads_html
from loader.page.model import Page

from tests.page.reading import cells, facts, having, one, packed, packed_loads, parsed, words
from tests.world import histories as made
from tests.world.histories import EVIL_KEY, EVIL_REASON, NOW

HOUR = timedelta(hours=1)


def root_of(
    loads: list[made.Document], sweep: dict[str, Any] | None = None, **more: Any
) -> ET.Element:
    page = Page(loads, sweep if sweep is not None else made.sweep(), NOW, **more)
    return parsed(loads_html(page, Commands()))


@pytest.fixture(scope="module")
def loads() -> list[made.Document]:
    """Some of each kind: good and bad files, other people's texts, an undo, a failure, a new key."""
    bad = made.load(
        NOW - 3 * HOUR, [(EVIL_KEY, "rejected"), ("orders/b.jsonl", "loaded"), ("orders/c.jsonl", "unreadable")],
        number=1, reason=EVIL_REASON, rows=40, rows_rejected=2,
        rejected_rows=[{"key": "orders/b.jsonl", "line": 3, "column_name": "qty", "reason": EVIL_REASON}],
    )  # fmt: skip
    failed = made.load(
        NOW - 4 * HOUR, [("orders/d.jsonl", "loaded")], number=2, status="failed", cause=EVIL_REASON
    )
    failed["report"]["checks"][0]["passed"] = False
    failed["report"]["checks"][0]["figure"] = 17
    failed["report"]["checks"][0]["expected"] = 12
    undone = made.load(NOW - 30 * HOUR, [("orders/e.jsonl", "loaded")], number=3, rows=77)
    undo = made.load(
        NOW - 29 * HOUR, [], number=4, mode="undo", status="undone", asked="person",
        undo={"load_id": undone["load_id"], "files": 1, "rows": {"orders": 77}},
    )  # fmt: skip
    undo["steps"] = {"plan": 1, "undo": 3, "finish": 1}
    new = made.load(
        NOW - 50 * HOUR, [("log_data/x.json", "loaded")], number=5, asked="sweep",
        sample={"keys": [
            {"dataset": "orders", "path": "customer.vip", "file": "orders/f.jsonl", "new": True,
             "suggested": "customer_vip: {path: customer.vip, type: boolean}"},
            {"dataset": "log_data", "path": EVIL_KEY, "file": EVIL_KEY, "new": True},
        ]},
    )  # fmt: skip
    new["steps"] = {
        "plan": 1,
        "migrate": 1,
        "stage": 4,
        "find_bad_files": 2,
        "publish": 1,
        "finish": 1,
    }
    return [*made.well(), bad, failed, undone, undo, new]


@pytest.fixture(scope="module")
def root(loads: list[made.Document]) -> ET.Element:
    return root_of(loads)


# ---------------------------------------------------------------- what could run
def test_nothing_of_others_becomes_an_element(root: ET.Element) -> None:
    elements = [root, *(part for _, row, details in packed_loads(root) for part in (row, details))]
    tags = {each.tag for element in elements for each in element.iter()}
    assert not tags & {"img", "iframe", "object", "embed", "base", "form", "use", "link"}
    for element in elements:
        for each in element.iter():
            assert not [name for name in each.attrib if name.startswith("on")], each.tag
            assert all(
                url.startswith("https://") for url in [each.get("href"), each.get("src")] if url
            )
    scripts = [each for each in root.iter("script") if each.get("type") is None]
    assert len(scripts) == 1
    assert not [s for element in elements[1:] for s in element.iter("script")]


def test_the_policy_lets_only_the_pages_own_script_and_style_run(root: ET.Element) -> None:
    [policy] = [m.get("content", "") for m in root.iter("meta") if m.get("http-equiv")]
    for tag in ("script", "style"):
        [own] = [each for each in root.iter(tag) if each.get("type") is None]
        digest = base64.b64encode(hashlib.sha256((own.text or "").encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_other_peoples_texts_are_shown_as_they_are(root: ET.Element) -> None:
    shown = words(one(root, "left-out"))
    assert EVIL_KEY in shown
    assert "Bad </script><script>alert(2)</script> \\u2028 ]]> \\u202egnp.exe" in shown
    [details] = [d for name, _, d in packed_loads(root) if name.endswith("00000001")]
    assert EVIL_KEY in words(details)


@pytest.mark.parametrize(
    "hidden", ["\u2028", "\u202e", "\u200f", "\x00", "\x1b", "\ud800", "\ufeff"]
)
def test_what_nobody_would_see_is_written_out(hidden: str) -> None:
    load = made.load(
        NOW - HOUR, [(f"orders/a{hidden}b.jsonl", "rejected")], number=9, reason=f"x{hidden}y"
    )
    html = loads_html(Page([load], made.sweep(), NOW), Commands())
    html.encode()  # a lone surrogate cannot be written
    assert hidden not in html
    assert f"orders/a\\u{ord(hidden):04x}b.jsonl" in words(parsed(html))
    assert f"orders/a\\u{ord(hidden):04x}b.jsonl" in packed(parsed(html), "files")[0]


def test_a_page_does_not_stay_green_when_it_is_old() -> None:
    """Its script compares these times with the clock (test_browser.py)."""
    root = root_of(made.well())
    [told] = [
        json.loads(each.text or "") for each in root.iter("script") if each.get("id") == "told"
    ]
    assert told["level"] == "green"
    assert [(each["at"], each["level"]) for each in told["later"]][:2] == [
        ("2026-12-01T15:50:00Z", "amber"),  # two sweeps after the last one
        ("2026-12-01T16:00:00Z", "amber"),  # two sweeps after it was written
    ]
    assert told["later"][1]["text"].startswith("this page was written on 1 Dec 2026, 14:00 UTC")


# ---------------------------------------------------------------- each part
def test_the_state_is_a_sentence_with_its_facts(root: ET.Element) -> None:
    state = one(root, "state")
    assert state.get("data-level") == "amber"
    assert words(state.find("h1")).startswith(
        "Needs a look : 1 file rejected; 1 file unreadable; 2 rows rejected"
    )
    assert facts(root) == {
        "Current as of": "1 Dec 2026, 13:50 UTC",
        "Oldest file not loaded": "none",
        "Last load": "loaded 1 Dec 2026, 13:50 UTC",
        "Files left out": "1 rejected, 1 unreadable",
        "Expected and not there": "nothing",
        "Loads by itself": "yes",
        "Tables": "version 14",
        "Cost without the warehouse": "$0.0033 in 30 days",
    }


def test_what_the_warehouse_computed_is_told_as_an_estimate() -> None:
    """0.375 dollars for 3,600 RPU-seconds."""
    loads = [made.load(NOW - timedelta(hours=n), number=n) for n in (1, 2)]
    name = str(loads[0]["load_id"])
    page = Page(loads, made.sweep(), NOW, rpu_seconds={name: 7200.0})
    root = parsed(loads_html(page, Commands()))
    assert facts(root)["Warehouse, estimated"] == "7,200 RPU-seconds while loads ran, $0.75"
    details = {load: opened for load, _, opened in packed_loads(root)}
    assert "Warehouse, estimated 7,200 RPU-seconds, $0.75" in words(details[name])
    assert "estimated" not in words(details[str(loads[1]["load_id"])])


def test_a_dataset_has_a_square_a_day() -> None:
    loads = [
        made.load(
            NOW - timedelta(days=days),
            [(f"orders/{days}.jsonl", "loaded")],
            number=days,
            rows=10 * days,
        )
        for days in (1, 2, 3, 6, 29)
    ]
    loads.append(made.load(NOW - timedelta(days=2), [("orders/x.jsonl", "rejected")], number=40))
    sweep = made.sweep()
    sweep["datasets"]["orders"]["newest"] = made.iso(NOW - timedelta(days=1))
    [orders, log_data] = [
        row for row in one(root_of(loads, sweep), "days").iter("tr") if row.get("data-dataset")
    ]
    squares = [each for each in orders.iter("td") if "day" in each.get("class", "").split()]
    said = {
        each.get("title", "").partition(": ")[0]: each.get("title", "").partition(": ")[2]
        for each in squares
    }
    assert len(said) == len(squares) == 30
    assert said["30 Nov"] == "10 rows of 1 file"
    assert said["29 Nov"] == "20 rows of 1 file, 1 file left out"
    assert said["2 Nov"] == "290 rows of 1 file"
    # One file a day is expected: nothing on the 27th and the 26th is a hole, as on each day after the 3rd.
    hole = "nothing came, and a file was expected"
    assert said["27 Nov"] == said["26 Nov"] == said["20 Nov"] == hole
    assert {each.get("class") for each in squares if each.get("title", "").endswith(hole)} == {
        "day hole"
    }
    assert words(one(orders, "rows")) == "410"
    assert words(one(orders, "files")) == "5"
    assert not list(having(log_data, "hole"))  # nothing is expected of it


def test_a_day_without_a_file_is_no_hole_while_it_is_not_overdue() -> None:
    loads = [made.load(NOW - timedelta(hours=20), [("orders/a.jsonl", "loaded")])]
    assert not list(having(one(root_of(loads), "days"), "hole"))


def test_an_undone_load_does_not_count_among_the_rows(root: ET.Element) -> None:
    [orders] = [row for row in root.iter("tr") if row.get("data-dataset") == "orders"]
    assert words(one(orders, "rows")) == f"{3 * 120 + 40 + 120:,}"


def test_the_loads_are_newest_first_with_all_that_was_counted(
    root: ET.Element, loads: list[made.Document]
) -> None:
    rows = list(one(root, "listed").iter("tr"))
    ids = [row.get("data-load") for row in rows]
    assert ids == sorted((load["load_id"] for load in loads), reverse=True)
    found = {
        row.get("data-load", "")[-1]: cells(row)
        for row in rows
        if row.get("data-load", "")[-3] != "1"
    }
    bad, failed, undone, undo, new = (found[n] for n in "12345")
    assert bad["Files"] == "1 loaded 1 rejected 1 unreadable"
    assert bad["Rows"] == "order_items 120 orders 40 2 rejected"
    assert bad["Checks"] == "8 of 8"
    assert bad["Seconds"].startswith("4.1 s plan 0.4 s, stage 1.9 s, publish 1.2 s")
    assert bad["Asked by"] == "uploads"
    assert bad["Cost"] == "$0.00041"
    assert failed["Checks"] == "7 of 8"
    assert failed["Outcome"] == "failed"
    assert undone["Outcome"] == "loaded undone since"
    assert undo["Asked by"] == "a person undo"
    assert undo["Rows"] == "orders \N{MINUS SIGN}77"
    assert new["Asked by"] == "the sweep"
    flagged = {row.get("data-load", "")[-1] for row in rows if row.get("data-bad") is not None}
    assert flagged == {"1", "2"}


def test_the_stacked_bar_is_as_long_as_the_seconds(root: ET.Element) -> None:
    bar = next(having(root, "bar"))
    widths = {r.get("class"): float(r.get("width", 0)) for r in bar.iter("rect")}
    assert widths == pytest.approx(
        {"plan": 9.76, "stage": 46.34, "publish": 29.27, "other": 14.63}, abs=0.02
    )


def test_the_cost_is_that_of_the_price_list() -> None:
    spent = {"transitions": 10, "function_calls": 5, "s3_requests": 24, "gb_seconds": 3.2}
    assert costs.of_load(spent) == pytest.approx(
        10 * 0.025 / 1000 + 5 * 0.20 / 1e6 + 24 * 0.005 / 1000 + 3.2 * 0.0000133334
    )
    assert costs.of_load({}) is None


def test_a_load_opened_shows_its_path_files_checks_and_commands(root: ET.Element) -> None:
    details = {name[-1]: d for name, _, d in packed_loads(root) if name[-3] != "1"}
    new, bad, failed, undone, undo = (details[n] for n in "51234")
    path = one(new, "path")
    assert words(path.find("title")) == (
        "Path: Plan 1 times, Migrate 1 times, Stage 4 times, Find bad files 2 times, Publish 1 times, "
        "Finish 1 times; then loaded"
    )
    assert [words(each) for each in path.iter("text")] == [
        "Plan", "Stage \N{MULTIPLICATION SIGN}4", "Publish", "Finish", "Migrate",
        "Find bad files \N{MULTIPLICATION SIGN}2", "Leave out loaded", "Loaded",
    ]  # fmt: skip
    assert [words(t) for t in one(undo, "path").iter("text")] == [
        "Plan",
        "Undo \N{MULTIPLICATION SIGN}3",
        "Finish",
        "Undone",
    ]
    said = words(failed)
    assert "7 of 8 passed" in said
    assert "failed orders_unique published 0 17 12" in said
    assert "Rows rejected: 2" in words(bad)
    assert "Files: 3" in words(bad)
    commands = [words(each) for each in having(bad, "command")]
    name = next(n for n, _, _ in packed_loads(root) if n.endswith("00000001"))
    assert [f"loader undo {name}", f"loader redo {name}", f"loader reload {name}"] == [
        line
        for line in commands
        if line.split()[1] in ("undo", "redo", "reload") and "dry" not in line
    ]
    assert f"loader undo {name} --dry-run" in commands
    shown = words(bad)
    assert f'loader undo {name} {{"undo": "{name}"}}' in shown
    assert '{"reload": true, "keys": ["orders/b.jsonl"]}' in shown
    assert json.dumps({"keys": [EVIL_KEY, "orders/c.jsonl"]}) in shown
    assert "redo" in words(undone)
    assert "loader undo" not in words(undone)


def test_the_links_lead_to_the_execution_and_its_logs(
    root: ET.Element, loads: list[made.Document]
) -> None:
    row = next(one(root, "listed").iter("tr"))
    name, arn = row.get("data-load"), loads[0]["execution"]
    logs = (
        "https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2#logsV2:log-groups/log-group/"
        f"$252Faws$252Flambda$252Fs3-redshift-loader/log-events$3FfilterPattern$3D$2522{name}$2522"
    )
    assert [each.get("href") for each in row.iter("a")] == [
        f"https://us-west-2.console.aws.amazon.com/states/home?region=us-west-2#/v2/executions/details/{arn}",
        logs,
    ]


@pytest.mark.parametrize(
    "execution",
    [
        "javascript:alert(1)",
        "arn:aws:states:us-west-2:000000000000:execution:l:x",
        'arn:aws:states:a"b:1:execution:l:x',
    ],
)
def test_what_is_no_execution_of_aws_has_no_link(execution: str) -> None:
    load = made.load(NOW - HOUR, execution=execution)
    html = loads_html(Page([load], made.sweep(), NOW), Commands())
    assert not list(one(parsed(html), "listed").iter("a"))


def test_files_that_are_not_loaded_are_grouped_by_reason() -> None:
    loads = [
        made.load(NOW - (n + 1) * HOUR, [(f"orders/{n}'.jsonl", "rejected")], number=n,
                  reason=f"Invalid digit, Value '{n}', Pos {n}, Type: Integer")
        for n in range(8)
    ]  # fmt: skip
    loads.append(
        made.load(
            NOW - HOUR, [("orders/w.jsonl", "waiting")], number=20, reason="No file loaded yet"
        )
    )
    root = root_of(loads)
    groups = list(having(root, "reason"))
    assert [(g.get("data-kind"), g.get("data-files")) for g in groups] == [
        ("rejected", "8"),
        ("waiting", "1"),
    ]
    assert "8 files rejected Invalid digit, Value …, Pos …, Type: Integer" in words(
        groups[0].find("summary")
    )
    assert (
        "orders/0'.jsonl line 7 qty Invalid digit, Value '0', Pos 0, Type: Integer 1 Dec 13:00"
        in words(groups[0])
    )
    assert "and 3 more" in words(groups[0])
    assert words(one(groups[1], "command")) == """loader start '{"keys": ["orders/w.jsonl"]}'"""
    # A shell reads the command as one input, although the keys have quotes.
    [command] = having(groups[0], "command")
    assert shlex.split(words(command))[2].startswith('{"keys": ["orders/0\'.jsonl", ')


def test_files_that_no_dataset_takes_are_named() -> None:
    sweep = made.sweep(
        not_taken={"files": 2, "datasets": {"orders": 2}, "keys": [EVIL_KEY, "orders/b.xml"]}
    )
    section = words(one(root_of(made.well(), sweep), "left-out"))
    assert "2 files under a dataset's prefix that no dataset takes" in section
    assert EVIL_KEY in section


def test_a_section_without_content_is_not_there() -> None:
    root = root_of(made.well())
    assert [words(each) for each in root.iter("h2")] == [
        "Datasets", "Find a file", "Loads 3 loads, newest first, times in UTC",
    ]  # fmt: skip


def test_every_file_can_be_found(root: ET.Element, loads: list[made.Document]) -> None:
    ids = packed(root, "ids")
    files = {(key, outcome, ids[number]) for key, outcome, _, number in packed(root, "files")}
    assert files == {
        (key, outcome, load["load_id"]) for load in loads for key, outcome, _ in load["files"]
    }


def test_the_page_says_that_large_loads_are_not_complete() -> None:
    load = made.load(NOW - HOUR, [(f"orders/{n}.jsonl", "loaded") for n in range(1500)])
    said = words(one(root_of([load]), "find"))
    assert "500 files of large loads are not in this page" in said
    assert "loader where KEY finds them" in said


def test_unknown_keys_have_the_yaml_that_takes_them(root: ET.Element) -> None:
    section = one(root, "unknown")
    [yaml] = section.iter("pre")
    assert yaml.text == "columns:\n  customer_vip: {path: customer.vip, type: boolean}"
    assert EVIL_KEY in words(section)


def test_a_key_that_a_later_contract_takes_is_not_unknown(loads: list[made.Document]) -> None:
    taken = made.load(
        NOW - HOUR, number=30, changes={"orders": ["column orders.customer_vip added"]}
    )
    assert "customer.vip" not in words(one(root_of([*loads, taken]), "unknown"))


def test_an_empty_history_says_what_to_do_first() -> None:
    page = Page([], None, NOW)
    root = parsed(loads_html(page, Commands(("--stack", "prod"))))
    said = words(one(root, "empty"))
    assert "loader start '{\"check\": true}' --stack prod" in said
    assert "loader upload DIR --stack prod" in said
    assert one(root, "state").get("data-level") == "amber"


@pytest.mark.parametrize(
    "missing", [*made.load(NOW), "report.files", "report.seconds", "report.rows", "report.spent"]
)
def test_a_document_may_lack_any_field(missing: str) -> None:
    load = made.load(NOW - HOUR, [("orders/a.jsonl", "rejected")])
    if missing.startswith("report."):
        del load["report"][missing.partition(".")[2]]
    else:
        del load[missing]
    root_of([load, *made.well()])


def test_a_history_of_many_loads_is_packed() -> None:
    loads = made.many(1000, 5000)
    page = Page(loads, made.sweep(), NOW)
    html = loads_html(page, Commands())
    assert len(html) < 600_000
    root = parsed(html)
    assert len(list(one(root, "listed"))) == 100
    assert len(packed_loads(root)) == 1000
    assert len(packed(root, "files")) == 5000
    assert [load.id for load in page.loads] == [name for name, _, _ in packed_loads(root)]


def test_every_table_has_heads_and_every_control_a_name(root: ET.Element) -> None:
    for element in [root, *(details for _, _, details in packed_loads(root))]:
        for table in element.iter("table"):
            assert table.find("caption") is not None
            for head in table.iter("th"):
                assert head.get("scope") in ("col", "row")
                assert words(head)
        for button in element.iter("button"):
            assert words(button)
    levels = [int(each.tag[1]) for each in root.iter() if re.fullmatch(r"h\d", each.tag)]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
