"""Staging: what is sent, and what each end of the statement asks for."""

from typing import Any

import pytest
import stage
from loader import batches, sql
from loader.batches import Reject
from loader.leftovers import tables_of_load
from loader.migrations import latest_version
from loader.sql import NO_TIME
from loader.store import Store

from tests.unit.fakes import Clock, FakeDataApi, Reply, failed
from tests.unit.loads import (
    DEFINITION,
    ETAG,
    FIRST,
    HOSTILE,
    LAST,
    LOAD_ID,
    LOG,
    SONG,
    call,
    copied,
    file,
    planned,
    reports,
    save,
    staged_reply,
)

OTHER = "log_data/b.json"
COPY_FAILED = "ERROR: Load into table 'event_stage_…' failed. Check 'sys_load_error_detail'."


def until_it_ends(state: dict[str, Any], most: int = 20) -> list[dict[str, Any]]:
    """The step, called again for as long as the state machine would."""
    answers = [call(stage.handler, state)]
    while answers[-1]["outcome"] in ("running", "again") and len(answers) < most:
        answers.append(call(stage.handler, answers[-1]))
    return answers


def test_one_transaction_makes_copies_and_audits(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG, "log_data/b.json")
    data_api.replies = [staged_reply(LOG, "log_data/b.json")]
    answer = call(stage.handler, planned())
    [request] = data_api.submits
    create, copy, count, read, audit = request["Sqls"]
    table = "event_stage_20261123_203011_0a1b2c3d_0_0"
    like = "(LIKE sparkify_loader.event_stage INCLUDING DEFAULTS)"
    assert create == f"CREATE TABLE sparkify_loader.{table} {like}"
    assert copy.startswith(f"COPY sparkify_loader.{table} (")
    assert f"FROM 's3://working/loads/{LOAD_ID}/manifests/{table}.json'" in copy
    assert "IAM_ROLE 'arn:aws:iam::123456789012:role/copy'" in copy
    assert copy.split()[-3:] == ["MANIFEST", "COMPUPDATE", "OFF"]
    # A bare SELECT, as AWS and others use it; the report comes with the audit, so that there are two results to read.
    assert count == "SELECT PG_LAST_COPY_COUNT() AS copied"
    assert read.startswith("CREATE TEMPORARY TABLE files_copied AS\nSELECT")
    assert "sys_load_detail" in read
    assert "FROM files_copied AS f" in audit
    assert "Parameters" not in request
    assert len(set(data_api.results)) == 2  # (the fake's pages are short)
    assert data_api.looks == []
    for check in ("event_key_complete", "event_page_known"):
        digest = sql.definition(f"datasets/log_data/checks/staged/{check}.sql")
        assert f"CAST('{check}' AS VARCHAR(128)) AS name, CAST('{digest}' AS VARCHAR(16))" in audit
    assert request["ExecutionMode"] == "TRANSACTION"
    assert request["WaitTimeSeconds"] == 20
    assert answer["outcome"] == "staged"
    assert answer["table"] == table
    assert tables_of_load(store, LOAD_ID) == [table]
    assert (answer["rows"], answer["copied"]) == (10, 10)
    assert (answer["first_start"], answer["last_start"]) == (FIRST, LAST)
    assert answer["statement"] is None
    assert [(c["name"], c["passed"], c["definition"]) for c in answer["checks"]] == [
        ("event_page_known", True, DEFINITION)
    ]


def test_what_copy_is_given(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG, HOSTILE, file("log_data/empty.json", 0))
    data_api.replies = [staged_reply(LOG, HOSTILE)]
    call(stage.handler, planned())
    [key] = store.keys(f"loads/{LOAD_ID}/manifests/")
    assert store.get(key) == {
        "entries": [
            {"url": f"s3://data/{LOG}", "mandatory": True},
            {"url": f"s3://data/{HOSTILE}", "mandatory": True},
        ]
    }
    assert store.get(f"loads/{LOAD_ID}/lines/0.json") == {
        LOG: 5,
        HOSTILE: 5,
        "log_data/empty.json": 0,
    }
    [paths] = list(store.keys("jsonpaths/"))
    assert f"JSON 's3://working/{paths}'" in data_api.submits[0]["Sqls"][1]
    assert len(store.get(paths)["jsonpaths"]) == 18


@pytest.mark.parametrize(("key", "options"), [(LOG, ""), (LOG + ".gz", "GZIP"), (SONG, "")])
def test_options_of_the_copy(store: Store, data_api: FakeDataApi, key: str, options: str) -> None:
    save(store, key)
    data_api.replies = [staged_reply(key)]
    assert call(stage.handler, planned())["outcome"] == "staged"
    copy = data_api.submits[0]["Sqls"][1]
    assert copy.partition("COMPUPDATE OFF")[2].strip() == options


@pytest.mark.parametrize(
    "members", [[], [file("log_data/empty.json", 0), file("log_data/empty2.json", 0)]]
)
def test_nothing_to_read_sends_nothing(
    store: Store, data_api: FakeDataApi, members: list[Any]
) -> None:
    save(store, *members, rejects=(Reject(file(LOG), "bad"),))
    answer = call(stage.handler, planned())
    assert (answer["outcome"], answer["table"]) == ("staged", "")
    assert (answer["rows"], answer["copied"]) == (0, 0)
    assert data_api.submits == []


def test_a_copy_that_takes_its_time(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG)
    data_api.replies = [staged_reply(LOG, running=2)]
    answers = until_it_ends(planned())
    assert [answer["outcome"] for answer in answers] == ["running", "running", "staged"]
    assert len(data_api.submits) == 1


@pytest.mark.parametrize(
    ("reply", "outcomes"),
    [
        (Reply(running=1, lost=True), ["running", "again", "staged"]),
        (failed(1, "ERROR: 1023 DETAIL: Serializable isolation violation"), ["again", "staged"]),
        (failed(2, "ERROR: connection reset by peer"), ["again", "staged"]),
        (Reply("ABORTED", "Query was cancelled"), ["again", "staged"]),
    ],
)
def test_another_attempt_has_a_table_a_token_and_a_manifest_of_its_own(
    store: Store, data_api: FakeDataApi, reply: Reply, outcomes: list[str]
) -> None:
    save(store, LOG)
    data_api.replies = [reply, staged_reply(LOG)]
    answers = until_it_ends(planned())
    assert [answer["outcome"] for answer in answers] == outcomes
    assert answers[-1]["table"] == "event_stage_20261123_203011_0a1b2c3d_0_1"
    assert len({request["ClientToken"] for request in data_api.submits}) == 2
    assert len(list(store.keys(f"loads/{LOAD_ID}/manifests/"))) == 2
    # Both are dropped in the end: an attempt that was lost may have made its table all the same.
    assert tables_of_load(store, LOAD_ID) == [
        f"event_stage_20261123_203011_0a1b2c3d_0_{n}" for n in (0, 1)
    ]


def test_statements_that_are_lost_every_time_fail_the_batch(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, LOG)
    data_api.replies = [Reply(running=1, lost=True) for _ in range(20)]
    answers = until_it_ends(planned())
    assert answers[-1]["outcome"] == "failed"
    assert "no longer knows" in answers[-1]["cause"]
    assert len(data_api.submits) == stage.MAX_ATTEMPTS + 1


def test_the_same_call_again_submits_the_same(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG)
    data_api.replies = [staged_reply(LOG)]
    assert [call(stage.handler, planned())["outcome"] for _ in range(2)] == ["staged"] * 2
    assert data_api.submits[0] == data_api.submits[1]


def test_cancelled_past_the_limit(store: Store, data_api: FakeDataApi, clock: Clock) -> None:
    save(store, LOG)
    data_api.replies = [Reply(running=99)]
    state = call(stage.handler, planned())
    clock.now += 601
    outcomes = []
    for _ in range(2):
        state = call(stage.handler, state)
        outcomes.append(state["outcome"])
    assert outcomes == ["running", "failed"]  # another attempt would take as long
    assert "took over 600 seconds" in state["cause"]
    assert "StatementTimeoutSeconds" in state["cause"]
    assert (len(data_api.cancelled), len(data_api.submits)) == (1, 1)


def test_cancelled_past_the_limit_but_committed(
    store: Store, data_api: FakeDataApi, clock: Clock
) -> None:
    save(store, LOG)
    data_api.replies = [staged_reply(LOG, running=99, ends_anyway=True)]
    state = call(stage.handler, planned())
    clock.now += 601
    assert [(state := call(stage.handler, state))["outcome"] for _ in range(2)] == [
        "running",
        "staged",
    ]
    assert (len(data_api.cancelled), len(data_api.submits)) == (1, 1)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (failed(1, 'ERROR: schema "sparkify" does not exist'), "no tables"),
        (failed(1, 'ERROR: relation "sparkify.event_stage" does not exist'), "no tables"),
        (staged_reply(LOG, version=latest_version() - 1), "no tables"),
        (staged_reply(LOG, version=latest_version() + 1), "failed"),
        (failed(2, COPY_FAILED), "bad files"),
        (failed(1, "ERROR: permission denied for schema sparkify"), "failed"),
        (failed(stage.COUNT, "ERROR: column x does not exist"), "failed"),
        (failed(stage.AUDIT, "ERROR: column x does not exist"), "failed"),
        (Reply("FAILED", "FATAL: no statement is named"), "failed"),
    ],
)
def test_what_the_end_asks_for(
    store: Store, data_api: FakeDataApi, reply: Reply, outcome: str
) -> None:
    save(store, LOG)
    data_api.replies = [reply]
    answer = call(stage.handler, planned())
    assert answer["outcome"] == outcome
    assert answer["statement"] is None
    if outcome == "failed":
        assert answer["cause"]


def test_a_copy_that_failed_hands_on_its_error_and_query(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, LOG)
    data_api.replies = [failed(2, COPY_FAILED + "x" * 5000, query_id=99)]
    answer = call(stage.handler, planned())
    assert answer["stage_error"].startswith(COPY_FAILED)
    assert len(answer["stage_error"]) == 2000
    assert answer["query_id"] == 99


@pytest.mark.parametrize(
    "error", ["ERROR: deadlock detected", 'ERROR: relation "sparkify.x" does not exist']
)
def test_it_does_not_try_for_ever(store: Store, data_api: FakeDataApi, error: str) -> None:
    save(store, LOG)
    data_api.replies = [failed(1, error) for _ in range(20)]
    state = planned()
    for _ in range(20):
        state = call(stage.handler, state)
        if state["outcome"] == "failed":
            break
    assert state["outcome"] == "failed"
    assert error in state["cause"]
    assert len(data_api.submits) == stage.MAX_ATTEMPTS


def test_a_failed_check_asks_which_file_it_is(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG)
    data_api.replies = [staged_reply(LOG, bad_check="event_key_complete")]
    answer = call(stage.handler, planned())
    assert (answer["outcome"], answer["attempt"]) == ("bad files", 1)
    assert answer["stage_error"] == (
        "the check event_key_complete on the staged rows failed: figure 3, expected 0"
    )
    assert [(c["name"], c["passed"], c["definition"]) for c in answer["failed_checks"]] == [
        ("event_key_complete", False, DEFINITION)
    ]
    assert tables_of_load(store, LOAD_ID)  # to be dropped


@pytest.mark.parametrize(
    ("more", "outcome", "next_"), [({}, "published", "0"), ({"todo": ["1"]}, "next", "1")]
)
def test_a_batch_that_others_have_loaded_sends_nothing(
    store: Store, data_api: FakeDataApi, more: dict[str, Any], outcome: str, next_: str
) -> None:
    """COPY of a ledger without a row would be a COPY of an empty object."""
    save(store)
    answer = call(stage.handler, planned() | {"known": 3} | more)
    assert (answer["outcome"], answer["batch"], answer["known"]) == (outcome, next_, 3)
    assert data_api.submits == []


def test_a_version_of_a_newer_loader_says_what_to_do(store: Store, data_api: FakeDataApi) -> None:
    save(store, LOG)
    data_api.replies = [staged_reply(LOG, version=7)]
    answer = call(stage.handler, planned())
    assert "version 7" in answer["cause"]
    assert "deploy the newer" in answer["cause"]


def test_the_etag_that_copy_read_is_recorded(store: Store, data_api: FakeDataApi) -> None:
    """COPY cannot pin an ETag: what it read may have been put after the plan."""
    save(store, LOG, "log_data/b.json", "log_data/c.json")
    url = "s3://data/log_data/"
    data_api.replies = [
        reports(
            staged_reply(LOG),
            copied(f"s3://data/{LOG}", '"newer"', 4),
            copied(f"{url}b.json", None, 6),
            copied(f"{url}another.json", "e9", 1),
        )
    ]
    answer = call(stage.handler, planned())
    assert (answer["outcome"], answer["copied"]) == ("staged", 10)
    batch = batches.read(store, LOAD_ID, "0")
    assert [(f.key, f.etag) for f in batch.files] == [
        (LOG, "newer"),
        ("log_data/b.json", ETAG),
        ("log_data/c.json", ETAG),
    ]
    # COPY does not report c.json: it has no lines, and the check rows_by_file sees to the rest.
    assert store.get(f"loads/{LOAD_ID}/lines/0.json") == {LOG: 4, "log_data/b.json": 6}


REPORTED = {key: copied(f"s3://data/{key}", "e1", 5) for key in (LOG, OTHER)}
LATER = {key: (f"s3://data/{key}", "e1", 5, 7) for key in (LOG, OTHER)}  # files_copied_later.sql
A_MINUTE = 7  # looks: at once, and after 1, 2, 4, 8, 16 and 29 seconds


@pytest.mark.parametrize(
    ("at_once", "later", "lines", "looks"),
    [
        ([LOG], [[LOG, OTHER]], {LOG: 5, OTHER: 5}, 1),
        ([], [[LOG, OTHER]], {LOG: 5, OTHER: 5}, 1),
        ([], [[], [LOG], [], [LOG, OTHER]], {LOG: 5, OTHER: 5}, 4),  # the view lags behind
        ([LOG], [[LOG]] * 9, {LOG: 5}, A_MINUTE),  # a file without rows may go unreported for ever
        ([LOG], [], {LOG: 5}, A_MINUTE),  # what was said at once is not forgotten
        ([], [[LOG]], {LOG: 5}, A_MINUTE),  # nor is what was said later
        ([], [], {}, A_MINUTE),
    ],
)
def test_files_that_copy_has_not_reported_are_asked_for_up_to_a_minute(
    store: Store,
    data_api: FakeDataApi,
    clock: Clock,
    at_once: list[str],
    later: list[list[str]],
    lines: dict[str, int],
    looks: int,
) -> None:
    """Whatever is reported in the end, the batch is staged: what is not has no lines."""
    save(store, LOG, OTHER)
    data_api.replies = [
        reports(staged_reply(LOG, OTHER, rows=7), *(REPORTED[key] for key in at_once))
    ]
    data_api.replies += [Reply(rows={1: [LATER[key] for key in keys]}) for keys in later]
    began = clock.now
    answer = call(stage.handler, planned())
    assert (answer["outcome"], answer["rows"], answer["copied"]) == ("staged", 7, 7)
    assert store.get(f"loads/{LOAD_ID}/lines/0.json") == lines
    _, *asked = data_api.submits
    assert len(asked) == looks
    assert clock.now - began == (60 if looks == A_MINUTE else 2 ** (looks - 1) - 1)
    assert len({request["ClientToken"] for request in asked}) == looks
    for request in asked:
        assert "sys_load_detail" in request["Sqls"][0]
        assert f"TRIM(h.table_name) = '{answer['table']}'" in request["Sqls"][0]
    assert "asking" not in answer


@pytest.mark.parametrize(
    ("reported", "rows"), [([LOG], 5), ([], 0)], ids=["all rows are accounted for", "no rows"]
)
def test_a_file_without_rows_is_not_waited_for(
    store: Store, data_api: FakeDataApi, reported: list[str], rows: int
) -> None:
    save(store, LOG, OTHER)
    data_api.replies = [reports(staged_reply(LOG, rows=rows), *(REPORTED[key] for key in reported))]
    assert call(stage.handler, planned())["outcome"] == "staged"
    assert len(data_api.submits) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        failed(1, 'ERROR: column "file_etag" does not exist in sys_load_detail'),
        failed(1, "ERROR: Query (7) cancelled on user's request"),
        Reply(running=99),
    ],
)
def test_a_report_that_cannot_be_read_stops_no_batch(
    store: Store, data_api: FakeDataApi, clock: Clock, trouble: Reply
) -> None:
    save(store, LOG)
    data_api.clock = clock
    data_api.replies = [reports(staged_reply(LOG)), trouble]
    answer = call(stage.handler, planned())
    assert (answer["outcome"], answer["copied"]) == ("staged", 10)
    assert len(data_api.submits) == 2  # it is not asked again
    assert store.get(f"loads/{LOAD_ID}/lines/0.json") == {}


@pytest.mark.parametrize(
    "error",
    [
        'ERROR: column "file_etag" does not exist in sys_load_detail',
        'ERROR: relation "sys_load_detail" does not exist',
        "ERROR: permission denied to create temporary tables in database dev",
    ],
)
def test_a_staging_that_fails_on_the_report_is_done_without_it(
    store: Store, data_api: FakeDataApi, error: str
) -> None:
    save(store, LOG)
    later = Reply(rows={1: [LATER[LOG]]})
    data_api.replies = [failed(stage.REPORT, error), reports(staged_reply(LOG)), later]
    answers = until_it_ends(planned())
    assert [answer["outcome"] for answer in answers] == ["again", "staged"]
    assert store.get(f"loads/{LOAD_ID}/lines/0.json") == {LOG: 5}
    report = data_api.submits[1]["Sqls"][stage.REPORT - 1]
    assert report.startswith("CREATE TEMPORARY TABLE files_copied (")
    # Only once: what fails without the report too is no fault of it.
    data_api.replies = [failed(stage.REPORT, error)]
    again = call(stage.handler, {**planned(), "unreadable": True, "attempt": 8})
    assert again["outcome"] == "failed"


def test_an_interrupted_report_is_an_interrupted_staging(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, LOG)
    data_api.replies = [failed(stage.REPORT, "ERROR: Query (7) cancelled on user's request")]
    assert "unreadable" not in call(stage.handler, planned())


def test_what_is_not_reported_is_asked_for_with_a_calls_whole_time(
    store: Store, data_api: FakeDataApi, clock: Clock
) -> None:
    """A call that waited for its statement has used its time up."""
    save(store, LOG)
    later = Reply(rows={1: [LATER[LOG]]})
    data_api.replies = [reports(staged_reply(LOG, running=1)), Reply(), Reply(), later]
    began = clock.now
    answers = until_it_ends(planned())
    assert [answer["outcome"] for answer in answers] == ["running", "running", "staged"]
    assert answers[1]["statement"] is not None
    assert clock.now - began == 1 + 2
    assert len(data_api.submits) == 4


@pytest.mark.parametrize(
    ("counted", "affected", "later", "copied_"),
    [
        ([(10,)], 99, None, 10),
        ([(0,)], 99, None, 99),  # none is no answer beside ten staged rows
        ([(0,)], 0, None, None),
        ([(None,)], 10, None, 10),  # as the Data API has it
        ([], 10, None, 10),
        ([(None,)], -1, 10, 10),  # as SYS_LOAD_HISTORY has it, which is asked for the files
        ([(None,)], -1, None, None),  # nobody says it
    ],
)
def test_the_rows_that_copy_says_it_loaded(
    store: Store,
    data_api: FakeDataApi,
    counted: list[Any],
    affected: int,
    later: int | None,
    copied_: int | None,
) -> None:
    save(store, LOG)
    reply = reports(staged_reply(LOG))
    reply.rows[stage.COUNT] = counted
    reply.affected = {stage.COPY: affected}
    data_api.replies = [reply, Reply(rows={1: [(f"s3://data/{LOG}", "e1", 5, later)]})]
    answer = call(stage.handler, planned())
    assert (answer["outcome"], answer["rows"], answer["copied"]) == ("staged", 10, copied_)


def test_each_attempt_asks_for_its_own_files(store: Store, data_api: FakeDataApi) -> None:
    """With the token of the attempt before, the Data API would answer for the table before."""
    save(store, LOG)
    for attempt in (0, 1):
        later = (f"s3://data/{LOG}", "e1", 10 + attempt, 10)
        data_api.replies = [reports(staged_reply(LOG)), Reply(rows={1: [later]})]
        call(stage.handler, planned() | {"attempt": attempt})
        assert store.get(f"loads/{LOAD_ID}/lines/0.json") == {LOG: 10 + attempt}
    assert len({request["ClientToken"] for request in data_api.submits}) == 4


@pytest.mark.parametrize(
    "name", ["log_data/year%3D2018/%C3%A9 a.json", "log_data/year=2018/é a.json"]
)
def test_names_that_copy_encodes_or_not(store: Store, data_api: FakeDataApi, name: str) -> None:
    key = "log_data/year=2018/é a.json"
    save(store, key)
    data_api.replies = [reports(staged_reply(key), copied(f"s3://data/{name}", '"newer"', 10))]
    call(stage.handler, planned())
    assert store.get(f"loads/{LOAD_ID}/lines/0.json") == {key: 10}
    assert batches.read(store, LOAD_ID, "0").files[0].etag == "newer"


def test_names_that_copy_cuts(store: Store, data_api: FakeDataApi) -> None:
    long = f"log_data/{'é' * 200}.json"
    save(store, long)
    data_api.replies = [staged_reply(long)]
    call(stage.handler, planned())
    assert store.get(f"loads/{LOAD_ID}/lines/0.json") == {long: 10}


def test_songs_have_no_range_of_time(store: Store, data_api: FakeDataApi) -> None:
    save(store, SONG)
    reply = staged_reply(SONG)
    _, *others = reply.rows[stage.AUDIT]
    reply.rows[stage.AUDIT] = [("staged", "rows", None, 1, None, None, None), *others]
    data_api.replies = [reply]
    answer = call(stage.handler, planned())
    assert answer["dataset"] == "song_data"
    assert answer["first_start"] == answer["last_start"] == NO_TIME
