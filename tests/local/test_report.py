"""The report of a load: from an execution, and as a person reads it."""

import json
from typing import Any

import pytest

from local.datasets import Dataset
from local.show.report import known_as, line, lines, report_of

LOADED: dict[str, Any] = {
    "load_id": "l-1",
    "status": "loaded",
    "files": {"listed": 81, "loaded": 80, "rejected": 1, "known": 0, "failed": 0},
    "rows": {"event_stage": 1882, "song_stage": 71, "songplays": 1594},
    "checks": [
        {
            "name": "rows_copied",
            "on": "staged",
            "batch": 1,
            "figure": 0,
            "expected": 0,
            "passed": True,
        }
    ],
    "rejected": [
        {"key": "log_data/x.json", "line": 3, "column": "ts", "code": 1207, "reason": "no digit"}
    ],
    "rejected_total": 1,
    "seconds": {"total": 12.34, "plan": 1.0},
}


def execution(status: str, **fields: str) -> dict[str, str]:
    return {"name": "e-1", "status": status, **fields}


def test_a_success_has_its_report_in_the_output() -> None:
    report = report_of(execution("SUCCEEDED", output=json.dumps(LOADED)))
    assert not report.failed
    assert report.status == "loaded"
    assert report.files("loaded") == 80
    assert report.rows()["songplays"] == 1594


def test_a_failure_has_its_report_in_the_cause() -> None:
    cause = {**LOADED, "status": "failed", "cause": "check users_unique: 2"}
    report = report_of(execution("FAILED", error="LoadFailed", cause=json.dumps(cause)))
    assert report.failed
    assert report.status == "failed"
    assert report.cause == "check users_unique: 2"


def test_a_failure_without_a_report_keeps_its_words() -> None:
    report = report_of(execution("TIMED_OUT"))  # as AWS describes it, with no error and no cause
    assert report.cause.startswith("The load exceeded the TimeoutSeconds of its state machine")
    report = report_of(execution("FAILED", error="States.DataLimitExceeded", cause="too long"))
    assert report.cause == "States.DataLimitExceeded: too long"
    assert report_of(execution("ABORTED")).cause == "ABORTED"
    assert report_of(execution("FAILED", error="E", cause='"text"')).cause == 'E: "text"'


def test_an_output_that_is_no_report_is_not_lost_or_fatal() -> None:
    assert report_of(execution("SUCCEEDED", output="[1]")).status == "ended"
    sparse = report_of(execution("SUCCEEDED", output='{"status": "reset", "rows": null}'))
    assert line(sparse) == "load e-1  reset"
    assert lines(sparse) == ["load      e-1  reset"]


def test_a_load_in_one_line() -> None:
    report = report_of(execution("SUCCEEDED", output=json.dumps(LOADED)))
    assert line(report) == (
        "load l-1  loaded, but 1 file rejected  80 files loaded"
        "  1,953 rows staged, 1,594 songplays  12.3 s"
    )


def test_the_rows_of_a_dataset_of_ones_own_are_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    known = (
        Dataset("log_data", "log_data/", (".json",), "songplays", "event_stage"),
        Dataset("ratings", "ratings/", (".csv",), "ratings", "rating_stage"),
        Dataset("song_data", "song_data/", (".json",), "", "song_stage"),
    )
    monkeypatch.setattr("local.show.report.datasets", lambda: known)
    rows = {"rating_stage": 4, "ratings": 4}
    report = report_of(
        execution("SUCCEEDED", output=json.dumps({"status": "loaded", "rows": rows}))
    )
    assert line(report) == "load e-1  loaded  4 rows staged, 4 ratings"
    songs = {"status": "loaded", "rows": {"event_stage": 1}}
    report = report_of(execution("SUCCEEDED", output=json.dumps(songs)))
    assert line(report) == "load e-1  loaded  1 rows staged, 0 songplays"


def test_a_failed_load_in_one_line_says_why() -> None:
    report = report_of(execution("FAILED", error="LoadFailed", cause='{"cause": "no grants"}'))
    assert line(report) == "load e-1  failed  no grants"


def test_a_load_in_full() -> None:
    told = lines(report_of(execution("SUCCEEDED", output=json.dumps(LOADED))))
    assert told[0] == "load      l-1  loaded, but 1 file rejected"
    assert "files     81 listed, 80 loaded, 1 rejected, 0 known, 0 failed" in told
    assert "checks    1 of 1 passed" in told
    assert "rejected  log_data/x.json, line 3, column ts: no digit" in told


def test_a_failed_check_is_told_with_its_figure() -> None:
    data = json.loads(json.dumps(LOADED))
    data["checks"][0].update(passed=False, figure=7)
    told = lines(report_of(execution("FAILED", error="x", cause=json.dumps(data))))
    assert "check     FAILED rows_copied on staged: 7, expected 0" in told


def test_many_rejected_files_are_cut_with_a_count() -> None:
    many = [{"key": f"log_data/{n}.json", "reason": "bad"} for n in range(20)]
    data = {**LOADED, "rejected": many, "rejected_total": 5000}
    told = lines(report_of(execution("SUCCEEDED", output=json.dumps(data))))
    assert told.count("rejected  log_data/0.json: bad") == 1
    assert "rejected  … and 4,980 more" in told


def test_what_a_report_has_beyond_the_usual_is_shown() -> None:
    output = {"status": "checked", "findings": ["grants are missing"], "next": "run setup.sql"}
    told = lines(report_of(execution("SUCCEEDED", output=json.dumps(output))))
    assert "findings  grants are missing" in told
    assert told[-1] == "next      run setup.sql"


def test_a_preflight_says_what_to_fix() -> None:
    setup = [
        {"name": "tables", "passed": True, "found": "version 1"},
        {"name": "copy_role", "passed": False, "found": "denied", "fix": "Attach the role."},
    ]
    output = {"status": "checked", "setup": setup, "checks_total": 0}
    told = lines(report_of(execution("SUCCEEDED", output=json.dumps(output))))
    assert told[1:] == [
        "setup     ok    tables: version 1",
        "setup     FIX   copy_role: denied. Attach the role.",
    ]


def test_what_a_load_noticed_is_told_in_words() -> None:
    key = {"dataset": "orders", "path": "loyalty", "file": "orders/a\n.jsonl", "new": True}
    empty = {"dataset": "events", "column": "repo", "rows": 1500, "rows_before": 9}
    sample = {"files": 20, "of": 31, "keys": [key, {**key, "new": False}], "keys_total": 60}
    sample |= {"new_keys": 3, "empty_columns": [{**empty, "filled_before": 0.98765}]}
    not_taken = {"files": 3, "datasets": {"orders": 3}, "keys": ["orders/a.csv", "orders/b\x1b"]}
    output = {"status": "loaded", "sample": sample, "not_taken": not_taken | {"list": "s3://w/l"}}
    assert lines(report_of(execution("SUCCEEDED", output=json.dumps(output))))[1:] == [
        "sampled   20 of 31 files; keys that no column takes: 60, 3 of them new",
        "new key   orders: loyalty, which no column takes; in orders/a\\n.jsonl",
        "new key   … and 2 more",
        "empty     events: repo in all 1,500 rows; before, 98.8% were filled",
        "not taken orders/a.csv, orders/b\\x1b and 1 more: no dataset takes files that end so; all: s3://w/l",
    ]


def test_known_files_are_told_apart() -> None:
    """After an undo not all that is known is loaded."""
    data = {**LOADED, "known": {"loaded": 12, "withdrawn": 1000}}
    data["files"] = {**LOADED["files"], "known": 1012}
    report = report_of(execution("SUCCEEDED", output=json.dumps(data)))
    [files] = [text for text in lines(report) if text.startswith("files ")]
    assert "1,012 known (12 loaded before, 1,000 withdrawn), 0 failed" in files
    assert not [text for text in lines(report) if text.startswith("known")]
    assert known_as([report, report]) == " (24 loaded before, 2,000 withdrawn)"
    assert known_as([]) == ""


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"from": 0, "to": 4, "latest": 4}, "created"),
        ({"from": 3, "to": 4, "latest": 4}, "upgraded from version 3 to 4"),
        ({"from": 4, "to": 4, "latest": 4}, "version 4, as deployed"),
        ({"from": 3, "to": 3, "latest": 4}, "version 3; the next load upgrades them to 4"),
    ],
)
def test_an_upgrade_of_the_tables(tables: dict[str, int], told: str) -> None:
    data = {"load_id": "l-1", "status": "migrated", "tables": tables}
    report = report_of(execution("SUCCEEDED", output=json.dumps(data)))
    assert f"tables    {told}" in lines(report)


def test_files_of_a_redo_that_are_gone() -> None:
    data = {**LOADED, "missing": {"files": 3, "keys": ["a", "b"], "list": "s3://w/missing"}}
    report = report_of(execution("SUCCEEDED", output=json.dumps(data)))
    assert "missing   a, b and 1 more; all, with the reasons: s3://w/missing" in lines(report)


def test_rows_that_are_left_out_and_texts_that_are_cut() -> None:
    row = {"key": "orders/a.jsonl", "line": 2, "column_name": "qty", "code": None, "reason": "no"}
    cut = [{"dataset": "orders", "column": "note", "rows": 1200}]
    more = {"rows_rejected": 3, "rejected_rows": [row, {**row, "line": None}], "cut": cut}
    told = lines(report_of(execution("SUCCEEDED", output=json.dumps({**LOADED, **more}))))
    assert [one for one in told if one.startswith(("row ", "cut"))] == [
        "row       orders/a.jsonl, line 2, column qty: no",
        "row       orders/a.jsonl, column qty: no",
        "row       … and 1 more, in the table rejected_rows",
        "cut       orders: texts of note are cut in 1,200 rows",
    ]
