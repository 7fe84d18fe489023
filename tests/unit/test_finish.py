"""The end of a load: the report, the cause, the sweep's mark, the staging tables."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import finish
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader import keys, sweep_mark
from loader.dataapi import StatementFailed
from loader.history import unpacked
from loader.keys import SWEEP_MARK, UNFINISHED, WAITING_SINCE
from loader.report import CAUSE_BYTES, SHOWN_CHECKS, SHOWN_REJECTS, as_cause
from loader.state import Reading
from loader.store import Store

from tests.unit.fakes import Context, FakeDataApi, Reply, failed
from tests.unit.loads import EXECUTION, LOAD_ID, STARTED, load

REST = "s3://working/rest/x/0.json.gz"
MARK = "2026-11-23T20:30:00+00:00"
WRITTEN = 1_795_000_000.0
MADE = "2026-11-01 08:00:00.000000"  # when the ledger's tables were made
# Loads that ended an hour ago without cleaning up.
DEAD, DYING = (
    f"{datetime.now(UTC) - timedelta(hours=1):%Y%m%d-%H%M%S}-{digest}"
    for digest in ("1a2b3c4d", "2b3c4d5e")
)


def reading(made: str, before: int, own: int = 0, after: float = 3600) -> Reading:
    """What the ledger said to a load that asked so many seconds after the mark was written."""
    return sweep_mark.reading(made, before, WRITTEN + after, own)


def result(store: Store, name: str = "0", **changes: Any) -> None:
    """What the publish step leaves of a batch."""
    store.put(
        f"loads/{LOAD_ID}/results/{name}.json",
        {
            "batch": name,
            "dataset": "log_data",
            "loaded": 2,
            "rejected": 0,
            "rejects": [],
            "rows": {"event_stage": 10, "songplays": 7, "users": 2, "time": None},
            "checks": [check("rows_copied"), check("users_unique", "published")],
            "seconds": {"stage": 1.25, "publish": 0.5},
        }
        | changes,
    )


def check(name: str, on: str = "staged", figure: int = 0) -> dict[str, Any]:
    return {
        "name": name,
        "on": on,
        "batch": "0",
        "figure": figure,
        "expected": 0,
        "passed": not figure,
    }


def reject(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "line": 3,
        "column": "ts",
        "code": 1206,
        "reason": "Invalid timestamp",
        "status": "rejected",
        "file": {},
    }


def published(**more: Any) -> dict[str, Any]:
    return {"batch": "0", "outcome": "published", "known": 0} | more


def not_loaded(**more: Any) -> dict[str, Any]:
    """What the state machine makes of a batch that failed."""
    ended = {"batch": "1", "outcome": "failed", "cause": "", "error": {}, "checks": [], "known": 0}
    return ended | more


def end(
    *ended: dict[str, Any],
    error: dict[str, Any] | None = None,
    rest_started: bool = False,
    **of_load: Any,
) -> dict[str, Any]:
    event = {
        "load": load(**of_load),
        "execution": EXECUTION,
        "started": STARTED,
        "batches": list(ended),
        "error": error or {},
        "rest_started": rest_started,
    }
    answer: dict[str, Any] = json.loads(json.dumps(finish.handler(event, Context())))
    return answer


def document_left(store: Store) -> dict[str, Any]:
    """The load's document in the history."""
    return unpacked(store.get_bytes(keys.history_load(LOAD_ID))[0])


def test_the_load_leaves_a_document(store: Store, data_api: FakeDataApi) -> None:
    result(
        store,
        loaded=1,
        rejected=1,
        rejects=[reject("log_data/bad.json")],
        files=[["log_data/bad.json", "rejected", 5], ["log_data/a.json", "loaded", 7]],
        bytes=12,
        rows_rejected=2,
        rejected_rows=[],
    )
    answer = end(published(spent={"calls": {"stage": 2, "publish": 1}}), not_loaded())
    document = document_left(store)
    report = json.loads(json.dumps(answer["report"]))
    assert document["report"] == report
    assert document["load_id"] == LOAD_ID
    assert document["execution"] == EXECUTION
    assert document["status"] == "failed"
    assert document["files"] == [
        ["log_data/bad.json", "rejected", 5],
        ["log_data/a.json", "loaded", 7],
    ]
    assert document["files_total"] == 2
    assert document["datasets"] == {
        "log_data": {"loaded": 1, "rejected": 1, "unreadable": 0, "waiting": 0, "rows": 10,
                     "rows_rejected": 2, "bytes": 12}
    }  # fmt: skip
    assert document["batches"] == [
        {"batch": "1", "outcome": "failed"},
        {"batch": "0", "dataset": "log_data", "outcome": "published", "files": 2,
         "seconds": {"stage": 1.25, "publish": 0.5}},
    ]  # fmt: skip
    assert document["steps"] == {"stage": 2, "publish": 1, "finish": 1}


def test_a_document_has_the_first_thousand_files_and_those_not_loaded(
    store: Store, data_api: FakeDataApi
) -> None:
    good = [[f"log_data/{n}.json", "loaded", 1] for n in range(900)]
    bad = [["log_data/bad.json", "rejected", 1]]
    for name in ("0", "1"):
        result(store, name, loaded=900, rejected=1, files=[*good, *bad])
    end(published())
    document = document_left(store)
    assert len(document["files"]) == 1000
    assert document["files"][:2] == bad * 2
    assert document["files_total"] == 1802


def test_a_load_whose_document_cannot_be_written_ends_well(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")

    monkeypatch.setattr(Store, "put_bytes", refused)
    result(store)
    assert end(published())["outcome"] == "loaded"
    assert not [*store.keys(keys.HISTORY_LOADS)]


def test_the_report_sums_the_batches_up(store: Store, data_api: FakeDataApi) -> None:
    result(store, "0")
    result(
        store,
        "1-2",
        loaded=1,
        rejected=2,
        rejects=[reject("log_data/a.json"), reject("log_data/b.json")],
        checks=[check("rows_copied")],
    )
    answer = end(published(known=1), published(), listed=9, known=3, planned=6, seconds=2.5)
    report = answer["report"]
    assert answer["outcome"] == report["status"] == "loaded"
    assert report["load_id"] == LOAD_ID
    assert report["mode"] == "load"
    assert report["files"] == {
        "listed": 9,
        "known": 4,
        "loaded": 3,
        "rejected": 2,
        "unreadable": 0,
        "waiting": 0,
        "failed": 0,
    }
    assert report["rows"] == {"event_stage": 20, "songplays": 14, "users": 4, "time": 0}
    assert report["checks_total"] == len(report["checks"]) == 3
    assert report["rejected"][0] == {
        "key": "log_data/a.json",
        "line": 3,
        "column": "ts",
        "code": 1206,
        "reason": "Invalid timestamp",
    }
    assert report["rejected_total"] == 2
    assert {name: report["seconds"][name] for name in ("plan", "stage", "publish")} == {
        "plan": 2.5,
        "stage": 2.5,
        "publish": 1.0,
    }
    assert report["seconds"]["total"] > 0
    assert "cause" not in report
    assert json.loads(answer["cause"]) == report


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("nothing", "nothing to load"),
        ("planned", "planned"),
        ("checked", "checked"),
        ("reset", "reset"),
        ("undone", "undone"),
        ("refused", "failed"),
        ("failed", "failed"),
    ],
)
def test_status_without_batches(
    store: Store, data_api: FakeDataApi, outcome: str, status: str
) -> None:
    answer = end(outcome=outcome, cause="The field 'x' is not known.", planned=0)
    assert answer["report"]["status"] == status
    assert answer["report"].get("cause") == (
        "The field 'x' is not known." if status == "failed" else None
    )
    assert data_api.submits == []


def test_a_dry_run_says_what_it_would_do(store: Store, data_api: FakeDataApi) -> None:
    plan: dict[str, Any] = {
        "planned": 3,
        "bytes": 99,
        "datasets": {"log_data": 3},
        "keys": ["log_data/a.json"],
        "oldest_file": "2026-11-23T20:00:00+00:00",
        "not_loaded": "s3://working/loads/L/not_loaded.json.gz",
    }
    report = end(outcome="planned", listed=5, known=2, dry_run=True, batch_count=1, **plan)[
        "report"
    ]
    assert report["plan"] == {**plan, "batches": 1}
    assert report["files"] == {
        "listed": 5,
        "known": 2,
        "loaded": 0,
        "rejected": 0,
        "unreadable": 0,
        "waiting": 0,
        "failed": 0,
    }


UNDO = {"load_id": DEAD, "files": 2, "rows": {"songplays": 7, "users": 1, "songs": 0}}


@pytest.mark.parametrize(("outcome", "status"), [("undone", "undone"), ("planned", "planned")])
def test_an_undo_says_what_it_took_or_would_take(
    store: Store, data_api: FakeDataApi, outcome: str, status: str
) -> None:
    checks = [check("load_gone", "published")] if outcome == "undone" else []
    report = end(outcome=outcome, mode="undo", undo=UNDO, checks=checks, planned=0)["report"]
    assert (report["status"], report["mode"], report["undo"]) == (status, "undo", UNDO)
    assert report["checks"] == checks
    assert "plan" not in report  # it plans no files
    assert data_api.submits == []


def test_an_undo_that_ends_in_an_error_says_that_a_part_may_be_done() -> None:
    error = {"Error": "ClientError", "Cause": "AccessDeniedException", "State": "Undo"}
    answer = end(error=error, outcome="undo", mode="undo", undo=UNDO)
    assert "AccessDeniedException" in answer["report"]["cause"]
    assert "start the same undo again to continue with the rest" in answer["report"]["cause"]


@pytest.mark.parametrize("outcome", ["refused", "failed"])
def test_an_undo_that_was_not_done_says_why(
    store: Store, data_api: FakeDataApi, outcome: str
) -> None:
    cause = f"undo: there is no load {DEAD}. The table loads lists all loads."
    failed_check = check("load_gone", "published", figure=3)
    answer = end(outcome=outcome, mode="undo", undo=UNDO, cause=cause, checks=[failed_check])
    report = json.loads(answer["cause"])
    assert (report["status"], report["cause"], report["undo"]) == ("failed", cause, UNDO)
    assert report["checks"] == [failed_check]


def test_the_preflights_findings_are_reported(store: Store, data_api: FakeDataApi) -> None:
    setup = [{"name": "bucket_events", "passed": False, "found": "x", "fix": "y"}]
    report = end(outcome="failed", cause="The set-up needs fixing.", setup=setup)["report"]
    assert (report["status"], report["setup"]) == ("failed", setup)


def test_a_batch_that_failed(store: Store, data_api: FakeDataApi) -> None:
    """The others are loaded; the report has the failed check first, with its figure."""
    result(store)
    failed = not_loaded(
        cause="the check song_key_complete on the staged rows failed: figure 3, expected 0",
        checks=[check("rows_copied"), check("song_key_complete", figure=3)],
    )
    report = end(published(), failed, planned=5)["report"]
    assert report["status"] == "failed"
    assert report["cause"] == failed["cause"]
    assert report["files"]["loaded"] == 2
    assert report["files"]["failed"] == 3
    assert report["checks"][0]["name"] == "song_key_complete"
    assert [c["passed"] for c in report["checks"]] == [False, True, True, True]


TIMED_OUT = (
    'States.Timeout: The step "Publish" did not answer within its time limit, even when it was tried again. The '
    "logs of its function show how far it got. Start the load again: files that are already published are left out."
)
OVER_THE_LIMIT = (
    'States.DataLimitExceeded: The step "Publish" returned or passed on more than the 262,144 bytes that Step '
    "Functions accepts. Load fewer files at a time (the stack's parameters BatchFiles and MaxBatches), and report "
    "this: it is a bug in the loader."
)
# As AWS recorded it (github.com/localstack/localstack, v2/error_handling/test_states_errors.snapshot.json).
TOO_LARGE = (
    "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes "
    "service limit."
)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            {
                "Error": "StatementFailed",
                "Cause": json.dumps({"errorMessage": "no", "stackTrace": []}),
            },
            "StatementFailed: no",
        ),
        (
            {"Error": "E", "Cause": json.dumps({"errorMessage": 'a "b" \\ ü' + "x" * 999})[:50]},
            'E: a "b" \\ ü' + "x" * 15,
        ),
        ({"Error": "E", "Cause": '{"errorMessage":"a\\u00'}, "E: a\\u00"),
        ({"Error": "States.Timeout", "Cause": "", "State": "Publish"}, TIMED_OUT),
        ({"Error": "States.Timeout", "Cause": "Task timed out", "State": "Publish"}, TIMED_OUT),
        ({"Error": "States.Timeout"}, TIMED_OUT.replace('The step "Publish"', "A step")),
        (
            {"Error": "States.DataLimitExceeded", "Cause": TOO_LARGE, "State": "Publish"},
            OVER_THE_LIMIT,
        ),
        (
            {"Error": "Lambda.Unknown", "Cause": " ", "State": "Publish"},
            (
                'Lambda.Unknown: The step "Publish" failed without a message; see the logs of its function.'
            ),
        ),
        ({"Error": "Lambda.Unknown", "Cause": "not JSON"}, "Lambda.Unknown: not JSON"),
        ({"Error": "X", "Cause": '{"other": 1}'}, 'X: {"other": 1}'),
        ({"Error": "X", "Cause": "[1]"}, "X: [1]"),
        ({"Cause": "y"}, "Error: y"),
    ],
)
def test_an_error_in_words(
    store: Store, data_api: FakeDataApi, error: dict[str, Any], cause: str
) -> None:
    assert end(error=error)["report"]["cause"] == cause
    assert end(not_loaded(error=error))["report"]["cause"] == cause


def test_causes_that_are_many(store: Store, data_api: FakeDataApi) -> None:
    batches = [not_loaded(cause=f"cause {n % 5}") for n in range(10)]
    assert end(*batches)["report"]["cause"] == "cause 0; cause 1; cause 2 (and 2 more causes)"


def test_a_load_that_failed_before_it_had_an_id(store: Store, data_api: FakeDataApi) -> None:
    event = {"load": {}, "execution": EXECUTION, "started": STARTED, "batches": []}
    event["error"] = {"Error": "SettingsError", "Cause": "{}"}
    report = finish.handler(event, Context())["report"]
    assert report["status"] == "failed"
    assert report["load_id"].startswith("20261123-203011-")
    assert report["cause"].startswith("SettingsError: ")


@pytest.mark.parametrize(
    ("ended", "changes", "error", "moved"),
    [
        ([published()], {"mark": MARK}, None, True),
        ([], {"mark": MARK, "outcome": "nothing"}, None, True),
        # Nothing would say whose mark it is.
        ([], {"mark": MARK, "outcome": "nothing", "ledger": None}, None, False),
        ([published()], {}, None, False),
        # The rest of the load has the mark, and moves it when it ends well.
        ([published()], {"mark": MARK, "rest": REST, "rest_started": True}, None, False),
        ([published(), not_loaded(cause="x")], {"mark": MARK}, None, False),
        ([], {"mark": MARK}, {"Error": "X", "Cause": ""}, False),
        ([], {"mark": MARK, "outcome": "refused", "cause": "x"}, None, False),
    ],
)
def test_the_mark_moves_only_when_all_is_loaded(
    store: Store,
    data_api: FakeDataApi,
    ended: list[dict[str, Any]],
    changes: dict[str, Any],
    error: dict[str, Any] | None,
    moved: bool,
) -> None:
    end(*ended, error=error, **{"ledger": reading(MADE, 7), **changes})
    marks = [store.get(key)["mark"] for key in store.keys(SWEEP_MARK)]
    assert marks == ([MARK] if moved else [])


def marked(store: Store, loads: int = 7, **changes: Any) -> None:
    """A sweep's load has written its mark when the ledger had so many loads."""
    store.put(
        SWEEP_MARK,
        {
            "mark": MARK,
            "load_id": "L",
            "place": sweep_mark.location(),
            "ledger": {"made": MADE, "loads": loads},
            "written": WRITTEN,
        }
        | changes,
    )


def test_the_mark_says_whose_it_is(store: Store, data_api: FakeDataApi) -> None:
    """By the newest that the load has seen: a ledger without its own batches has gone back."""
    for name, before in (("0", 7), ("1", 9), ("2", 8)):
        result(store, name, ledger=reading(MADE, before, own=1))
    end(published(), mark=MARK, ledger=reading(MADE, 7))
    place = {"warehouse": "local", "database": "dev", "schema": "sparkify", "bucket": "data"}
    document = store.get(SWEEP_MARK)
    assert time.time() - 60 < document.pop("written") <= time.time()
    assert document == {
        "mark": MARK,
        "load_id": LOAD_ID,
        "place": place,
        "ledger": {"made": MADE, "loads": 10},
    }


@pytest.mark.parametrize("by", ["plan", "publish"])
@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize(
    ("found", "why"),
    [
        (reading(MADE, 6), "The ledger went back: the table loads had 7 rows"),
        (reading(MADE, 6, own=1), "The ledger went back"),  # and this load was the seventh
        (reading("2026-11-23 09:00:00.000000", 9), "The ledger is another one"),
    ],
)
def test_the_mark_of_a_ledger_that_is_no_longer_there_is_void(
    store: Store,
    data_api: FakeDataApi,
    measured: Callable[[], dict[str, float]],
    by: str,
    failing: bool,
    swept: bool,
    found: Reading,
    why: str,
) -> None:
    """Whoever has seen it, and however the load ended; a sweep's own does not put another in its place."""
    marked(store)
    begun = datetime.now(UTC)
    whole = reading(MADE, 7)
    result(store, ledger=found if by == "publish" else whole)
    changes: dict[str, Any] = {"ledger": found if by == "plan" else whole}
    ended = [published(), *([not_loaded(cause="x")] if failing else [])]
    if swept:
        changes["mark"] = MARK
    report = end(*ended, **changes)["report"]
    document = store.get(SWEEP_MARK)
    assert sorted(document) == ["at", "void"]
    assert document["void"].startswith(why)
    assert begun <= datetime.fromisoformat(document["at"]) <= datetime.now(UTC)
    assert store.get(WAITING_SINCE) == {"since": document["at"]}
    assert report["sweep_mark"] == f"{document['void']} {sweep_mark.VOID}"
    assert measured()["SweepMarkVoided"] == 1


def test_the_mark_of_this_ledger_stays(store: Store, data_api: FakeDataApi) -> None:
    marked(store)
    result(store, ledger=reading(MADE, 7, own=1))
    report = end(published(), ledger=reading(MADE, 8))["report"]
    assert store.get(SWEEP_MARK)["mark"] == MARK
    assert "sweep_mark" not in report


@pytest.mark.parametrize(("seconds", "is_void"), [(-300, False), (0, False), (61, True)])
def test_a_load_that_asked_before_the_mark_was_written_says_nothing_of_it(
    store: Store, data_api: FakeDataApi, seconds: float, is_void: bool
) -> None:
    """It was published earlier and ends later; or it is the one that wrote the mark, whose answer was lost."""
    marked(store)
    end(published(), mark=MARK, ledger=reading(MADE, 6, after=seconds))
    assert ("void" in store.get(SWEEP_MARK)) is is_void


def test_a_sweep_from_before_the_mark_was_void_does_not_move_it(
    store: Store, data_api: FakeDataApi
) -> None:
    """It looked only at what was newer than the mark that was there then."""
    at = datetime.fromisoformat(MARK)
    sweep_mark.void(store, "why", (at + timedelta(seconds=1)).isoformat())
    end(published(), mark=MARK, ledger=reading(MADE, 3))
    assert store.get(SWEEP_MARK)["void"] == "why"
    sweep_mark.void(store, "why", at.isoformat())
    end(published(), mark=MARK, ledger=reading(MADE, 3))
    assert store.get(SWEEP_MARK)["mark"] == MARK


@pytest.mark.parametrize("before", [10, 9])
def test_what_the_executions_before_have_loaded_must_be_there_at_the_end_of_a_backfill(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """Although the mark that is there is older than all of them, or there is none."""
    lists = [store.uri(f"rest/L-01234567/{number}.json.gz") for number in range(2)]
    result(store, ledger=reading(MADE, 9, own=1))
    monkeypatch.setattr(time, "time", lambda: WRITTEN)
    first = end(published(), rest_started=True, mark=MARK, ledger=reading(MADE, 7), rest=lists[0])
    assert "sweep_mark" not in first["report"]
    result(store, ledger=reading(MADE, before, own=1))
    second = end(published(), mark=MARK, ledger=reading(MADE, before), objects=lists[0])
    report = second["report"]
    assert ("sweep_mark" in report) is (before < 10)
    assert ("void" in store.get(SWEEP_MARK)) is (before < 10)


def test_after_a_reset_all_is_new_again(store: Store, data_api: FakeDataApi) -> None:
    marked(store)
    end(outcome="reset", mode="reset", planned=0)
    assert store.get(SWEEP_MARK) == {"void": "The tables were reset.", "at": STARTED}
    since = datetime.fromisoformat(store.get(WAITING_SINCE)["since"])
    assert since == datetime.fromisoformat(STARTED)  # and has waited from now on


def test_a_reset_that_was_refused_leaves_the_mark(store: Store, data_api: FakeDataApi) -> None:
    marked(store)
    end(outcome="refused", mode="reset", cause="AllowReset is false.", planned=0)
    assert store.get(SWEEP_MARK)["mark"] == MARK


@pytest.mark.parametrize("raised", [TimeoutError, StatementFailed, KeyError])
def test_tables_that_cannot_be_listed_fail_no_load(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch, raised: type[Exception]
) -> None:
    def refuse(*_: Any) -> None:
        raise raised("no")

    monkeypatch.setattr(finish, "staging_tables", refuse)
    ended = end(published(), mark=MARK, ledger=reading(MADE, 7))
    assert ended["report"]["status"] == "loaded"
    assert store.get(SWEEP_MARK)["mark"] == MARK


def staged(store: Store, *tables: str, load_id: str = LOAD_ID) -> None:
    """A load that has begun: its document under open/, and the manifests of its staging tables."""
    store.put(keys.unfinished(load_id), {"execution": EXECUTION})
    for table in tables:
        store.put(keys.manifest(load_id, table), {})


def still_open(store: Store) -> list[str]:
    return [keys.unfinished_load(key) for key in store.keys(UNFINISHED)]


def dropped(data_api: FakeDataApi) -> list[str]:
    return [text.split(".")[-1] for text in data_api.statements if text.startswith("DROP TABLE")]


def test_staging_tables_are_dropped_each_by_itself(store: Store, data_api: FakeDataApi) -> None:
    staged(store, "event_stage_1", "event_stage_2")
    staged(store, "event_stage_3", load_id=DEAD)
    end(published(), not_loaded(cause="x"))
    [request] = data_api.submits
    assert request["Sqls"][:-1] == [
        f"DROP TABLE IF EXISTS sparkify_loader.{name}, sparkify.{name}"
        for name in ("event_stage_1", "event_stage_2")
    ]
    assert request["Sqls"][-1].startswith("INSERT INTO sparkify.load_figures")
    assert request["ExecutionMode"] == "AUTO_COMMIT"
    assert request["WaitTimeSeconds"] == finish.DROP_SECONDS


def test_the_tables_that_a_reset_found_are_dropped(store: Store, data_api: FakeDataApi) -> None:
    end(outcome="reset", mode="reset", tables=["event_stage_1"], planned=0)
    assert dropped(data_api) == ["event_stage_1"]


@pytest.mark.parametrize(
    ("ended", "changes", "error"),
    [
        ([], {"outcome": "nothing"}, None),
        ([], {"outcome": "planned", "dry_run": True}, None),
        ([], {"outcome": "undone", "mode": "undo", "undo": UNDO}, None),
        ([], {"outcome": "refused", "cause": "x"}, None),
    ],
)
def test_what_stages_nothing_sends_no_sql(
    store: Store,
    data_api: FakeDataApi,
    ended: list[dict[str, Any]],
    changes: dict[str, Any],
    error: dict[str, Any] | None,
) -> None:
    end(*ended, error=error, **changes)
    assert data_api.submits == data_api.lists == []


@pytest.mark.parametrize(
    ("reply", "closed"),
    [
        (Reply(), True),
        (Reply(running=2), False),  # it waits for another transaction
        # What fails after the drops is no reason to look again: the figures, what was noticed.
        (failed(2, "ERROR: 1023 Serializable isolation violation"), True),
        (Reply(running=2, done=1), False),  # but what still runs is: only the sweep cancels it
        (failed(1, "ERROR: could not complete because of conflict with concurrent …"), False),
        (Reply("ABORTED"), False),
    ],
)
def test_a_load_is_closed_once_its_tables_are_gone(
    store: Store, data_api: FakeDataApi, reply: Reply, closed: bool
) -> None:
    """Else its document stays, and the sweep drops what is left; the load itself has ended well."""
    staged(store, "event_stage_1")
    staged(store, load_id=DEAD)
    data_api.replies = [reply]
    assert end(published())["report"]["status"] == "loaded"
    assert set(still_open(store)) == ({DEAD} if closed else {DEAD, LOAD_ID})


def test_one_drop_of_many_that_fails_keeps_the_load_open(
    store: Store, data_api: FakeDataApi
) -> None:
    staged(store, *(f"event_stage_{n:02}" for n in range(45)))
    data_api.replies = [failed(7, "ERROR: conflict with concurrent transaction")]
    end(published())
    assert len(dropped(data_api)) == 45  # the others are dropped all the same
    assert still_open(store) == [LOAD_ID]


@pytest.mark.parametrize(
    ("ended", "error"),
    [([published(), not_loaded(cause="x")], None), ([], {"Error": "States.Timeout", "Cause": ""})],
)
def test_a_load_that_failed_is_the_sweeps(
    store: Store, data_api: FakeDataApi, ended: list[dict[str, Any]], error: dict[str, Any] | None
) -> None:
    """A statement of which its states know nothing may yet make a table."""
    staged(store, "event_stage_1")
    assert end(*ended, error=error)["report"]["status"] == "failed"
    assert dropped(data_api) == ["event_stage_1"]
    assert still_open(store) == [LOAD_ID]


@pytest.mark.parametrize("mode", ["undo", "reset"])
@pytest.mark.parametrize(
    ("outcome", "cause", "closed"),
    [
        ("undone", "", True),
        ("reset", "", True),
        ("refused", "others depend on it", True),
        ("failed", "it took too long", False),
        ("running", "", False),  # and then an error
    ],
)
def test_what_may_have_kept_the_lock_is_closed_when_it_surely_has_not(
    store: Store, data_api: FakeDataApi, mode: str, outcome: str, cause: str, closed: bool
) -> None:
    staged(store)
    error = {"Error": "States.Timeout", "Cause": ""} if outcome == "running" else None
    end(outcome=outcome, mode=mode, cause=cause, error=error, planned=0)
    assert still_open(store) == ([] if closed else [LOAD_ID])


def test_a_load_without_tables_is_closed(store: Store, data_api: FakeDataApi) -> None:
    """Of empty files, say."""
    staged(store)
    end(published())
    assert still_open(store) == []
    assert data_api.submits == []


def test_a_document_that_cannot_be_deleted_fails_no_load(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Store, key: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteObject")

    staged(store, "event_stage_1")
    monkeypatch.setattr(Store, "delete", refuse)
    assert end(published())["report"]["status"] == "loaded"


def left(load_id: str, batch: int = 0) -> str:
    """The name of a staging table of a load."""
    return f"event_stage_{load_id.replace('-', '_')}_{batch}_0"


def swept(
    store: Store, data_api: FakeDataApi, *tables: str, ended: list[str], **changes: Any
) -> dict[str, Any]:
    """The end of a sweep's load that has nothing to load; the warehouse has these tables."""
    data_api.replies.insert(0, Reply(rows={1: [(table,) for table in tables]}))
    changes = {"ledger": reading(MADE, 7), **changes}
    return end(outcome="nothing", mark=MARK, ended=ended, planned=0, **changes)


def test_a_load_that_never_cleaned_up_is_cleaned_up_after(
    store: Store, data_api: FakeDataApi
) -> None:
    staged(store, load_id=DEAD)
    staged(store, load_id=DYING)
    data_api.add(f"{DEAD} stage 0.0", Reply())
    data_api.add(f"{DEAD} publish 0.0", Reply("ABORTED"))
    tables = ["event_stage", left(DEAD), left(DEAD, 1), left(DYING), "songs"]
    report = swept(store, data_api, *tables, ended=[DEAD])["report"]
    assert report["status"] == "nothing to load"
    assert dropped(data_api) == [left(DEAD), left(DEAD, 1)]
    assert still_open(store) == [DYING]
    assert data_api.cancelled == []


def test_a_statement_that_still_runs_is_cancelled_and_its_load_kept(
    store: Store, data_api: FakeDataApi
) -> None:
    """Its tables too: a COPY that is not cancelled in time may commit after the drop."""
    staged(store, load_id=DEAD)
    staged(store, load_id=DYING)
    finished = [data_api.add(f"{DYING} stage {n}.0", Reply()) for n in range(3)]
    running = [data_api.add(f"{DYING} stage {n}.0", Reply(running=9)) for n in (3, 4)]
    others = data_api.add(f"{LOAD_ID} stage 0.0", Reply(running=9))
    swept(store, data_api, left(DEAD), left(DYING), ended=[DEAD, DYING])
    assert sorted(data_api.cancelled) == sorted(running)
    assert not {*finished, others} & set(data_api.cancelled)
    assert dropped(data_api) == [left(DEAD)]
    assert still_open(store) == [DYING]
    # The next sweep finds it ended.
    data_api.submits.clear()
    swept(store, data_api, left(DYING), ended=[DYING], load_id="20261124-000000-00000000")
    assert dropped(data_api) == [left(DYING)]
    assert still_open(store) == []


def test_tables_of_loads_that_nobody_knows_of_go_after_a_day(
    store: Store, data_api: FakeDataApi
) -> None:
    """The work bucket's life-cycle rule, or a person, may have taken their documents."""
    now = datetime.now(UTC)
    old, young = (now - timedelta(hours=hours) for hours in (26, 24))
    tables = [left(f"{begun:%Y%m%d-%H%M%S}-0a1b2c3d") for begun in (old, young)]
    swept(store, data_api, *tables, ended=[])
    assert dropped(data_api) == [tables[0]]


@pytest.mark.parametrize("fails", ["drop", "list of statements", "list of tables"])
def test_what_could_not_be_cleaned_up_stays_for_the_next_sweep(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def refuse(**request: Any) -> None:
        raise data_api.error("InternalServerException", "ListStatements")

    staged(store, load_id=DEAD)
    if fails == "drop":
        data_api.replies = [failed(1, "ERROR: conflict with concurrent transaction")]
    elif fails == "list of statements":
        monkeypatch.setattr(data_api, "list_statements", refuse)
    else:
        monkeypatch.setattr(data_api, "batch_execute_statement", refuse)
    report = swept(store, data_api, left(DEAD), ended=[DEAD])["report"]
    assert report["status"] == "nothing to load"
    assert still_open(store) == [DEAD]
    assert store.get(SWEEP_MARK)["mark"] == MARK


def test_only_a_sweeps_load_looks_for_what_others_left(store: Store, data_api: FakeDataApi) -> None:
    staged(store, load_id=DEAD)
    end(published(), ended=[DEAD])
    assert data_api.lists == data_api.submits == []
    assert still_open(store) == [DEAD]


def test_many_tables_are_dropped_in_several_batches(store: Store, data_api: FakeDataApi) -> None:
    staged(store, *(f"event_stage_{n}" for n in range(85)))
    end(published())
    assert [len(request["Sqls"]) for request in data_api.submits] == [38, 37, 11]
    assert len({request["ClientToken"] for request in data_api.submits}) == 3


def test_a_drop_that_is_refused_fails_no_load(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**request: Any) -> None:
        raise data_api.error("ActiveStatementsExceededException", "BatchExecuteStatement")

    staged(store, "event_stage_1")
    monkeypatch.setattr(data_api, "batch_execute_statement", refuse)
    assert end(published())["report"]["status"] == "loaded"
    assert still_open(store) == [LOAD_ID]


def test_what_is_shown_is_bounded_and_counted(store: Store, data_api: FakeDataApi) -> None:
    result(
        store,
        rejected=500,
        rejects=[reject(f"log_data/{n}.json") for n in range(100)],
        checks=[check(f"c{n}") for n in range(100)] + [check("bad", figure=1)],
    )
    report = end(published())["report"]
    assert (len(report["rejected"]), report["rejected_total"]) == (SHOWN_REJECTS, 500)
    assert (len(report["checks"]), report["checks_total"]) == (SHOWN_CHECKS, 101)
    assert report["checks"][0]["name"] == "bad"


def test_the_next_execution_is_told_of(store: Store, data_api: FakeDataApi) -> None:
    assert "rest" in end(published(), rest=REST, rest_started=True)["report"]["next"]
    failed = end(published(), not_loaded(cause="x"), rest=REST, rest_started=True)["report"]
    assert failed["status"] == "failed"
    assert "rest" in failed["next"]


def test_a_rest_that_could_not_be_started_is_not_told_of(
    store: Store, data_api: FakeDataApi
) -> None:
    report = end(published(), rest=REST, error={"Error": "X", "Cause": "y"})["report"]
    assert report["status"] == "failed"
    assert "next" not in report


texts = st.text(max_size=2000)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts, st.lists(texts, max_size=20), st.integers(0, 60), st.sampled_from([1, 3, 20]))
def test_the_cause_fits_whatever_stands_in_it(
    cause: str, reasons: list[str], checks: int, times: int
) -> None:
    report: Any = {
        "load_id": LOAD_ID,
        "status": "failed",
        "checks": [check("n" * 100, figure=n) for n in range(checks)],
        "rejected": [{**reject("k" * 1000), "reason": reason} for reason in reasons],
        "setup": [],
        "cause": cause * times,
    }
    text = as_cause(report)
    assert len(text.encode()) <= CAUSE_BYTES < 32_768
    cut = json.loads(text)
    assert (cut["load_id"], cut["status"]) == (LOAD_ID, "failed")
    assert report["cause"].startswith(cut["cause"])


def test_a_cause_that_is_too_long_by_itself_is_cut() -> None:
    report: Any = {"load_id": LOAD_ID, "checks": [], "cause": "\u0001" * 6000}
    cut = json.loads(as_cause(report))
    assert 0 < len(cut["cause"]) < 6000


# -- the topic -------------------------------------------------------------------------------


@pytest.fixture
def messages(aws: None) -> Any:
    """What the topic is told: a queue that is subscribed to it."""
    topic = boto3.client("sns").create_topic(Name="told")["TopicArn"]
    queue = boto3.client("sqs").create_queue(QueueName="hears")["QueueUrl"]
    arn = "arn:aws:sqs:us-west-2:123456789012:hears"
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def received() -> list[dict[str, Any]]:
        answer = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", ())]

    yield received
    boto3.client("sns").delete_topic(TopicArn=topic)
    boto3.client("sqs").delete_queue(QueueUrl=queue)


def test_the_topic_is_told_once_of_a_load_with_rejected_files(
    store: Store, data_api: FakeDataApi, messages: Any
) -> None:
    result(store, rejected=2, rejects=[reject("log_data/a.json"), reject("log_data/b.json")])
    end(published(), planned=4)
    (message,) = messages()
    assert message["Subject"] == "[loader] 2 files rejected"
    assert "log_data/b.json, line 3" in message["Message"]


def test_the_topic_is_told_of_a_failed_load(
    store: Store, data_api: FakeDataApi, messages: Any
) -> None:
    end(error={"Error": "StatementFailed", "Cause": json.dumps({"errorMessage": "no"})})
    (message,) = messages()
    assert "Why: StatementFailed: no" in message["Message"]


def test_the_topic_is_not_told_of_a_load_in_which_all_is_well(
    store: Store, data_api: FakeDataApi, messages: Any
) -> None:
    result(store)
    end(published(), planned=2)
    assert messages() == []


def test_a_topic_that_cannot_be_told_fails_no_load(
    store: Store, data_api: FakeDataApi, caplog: pytest.LogCaptureFixture
) -> None:
    """There is no topic of that name here."""
    result(store, rejected=1, rejects=[reject("log_data/a.json")])
    assert end(published(), planned=3)["report"]["status"] == "loaded"
    assert "no message could be sent to the topic" in caplog.text


AGAIN = "sweep/again/"
LEFT = {"bucket": "data", "key": "log_data/a.json", "etag": "e", "size": 1, "modified": ""}
MARK = "2026-11-23T20:30:00+00:00"


def test_what_may_not_be_read_or_waits_is_told_apart_and_kept_for_the_sweep(
    store: Store, data_api: FakeDataApi
) -> None:
    kinds = ("rejected", "unreadable", "waiting")
    rejects = [{**reject(f"log_data/{kind}.json"), "status": kind} for kind in kinds]
    result(store, "0", rejected=1, unreadable=1, waiting=2, rejects=rejects, again=[LEFT])
    ended = (published(), not_loaded(cause="it waits"))
    report = end(*ended, listed=7, planned=7)["report"]
    files = report["files"]
    figures = [files[name] for name in ("loaded", *kinds, "failed")]
    assert figures == [2, 1, 1, 2, 1]
    for kind in kinds:
        assert [file["key"] for file in report[kind]] == [f"log_data/{kind}.json"]
    assert report["rejected_total"] == 1
    assert store.get(f"{AGAIN}{LOAD_ID}.json") == [LEFT]


@pytest.mark.parametrize(
    ("ended", "of_load", "taken"),
    [
        ([published()], {"mark": MARK}, True),
        ([published(), not_loaded(cause="it waits")], {"mark": MARK}, True),  # all is settled
        ([published()], {"mark": MARK, "planned": 9}, False),  # files of it are not
        ([published()], {}, False),  # no sweep's
        ([], {"mark": MARK, "outcome": "nothing", "planned": 0}, True),
        ([], {"mark": MARK, "outcome": "failed", "cause": "x"}, False),
    ],
)
def test_what_a_sweep_has_read_is_done_with_when_its_load_has_dealt_with_it(
    store: Store, data_api: FakeDataApi, ended: Any, of_load: dict[str, Any], taken: bool
) -> None:
    before = f"{AGAIN}20261123-203000-0a1b2c3d.json"
    store.put(before, [LEFT])
    store.put(f"sweeps/again-{MARK}.json", [before])
    result(store, "0", waiting=1, again=[LEFT])
    end(*ended, **{"planned": 3, **of_load})
    mine = [f"{AGAIN}{LOAD_ID}.json"] if ended else []
    assert list(store.keys(AGAIN)) == ([] if taken else [before]) + mine


def test_a_load_that_failed_before_it_planned_takes_nothing_away(
    store: Store, data_api: FakeDataApi
) -> None:
    store.put(f"sweeps/again-{MARK}.json", [f"{AGAIN}x.json"])
    store.put(f"{AGAIN}x.json", [LEFT])
    end(published(), mark=MARK, planned=0, error={"Error": "E", "Cause": "c"})
    end(published(), mark=MARK, planned=0, rest_started=True)
    assert list(store.keys(AGAIN)) == [f"{AGAIN}x.json"]
