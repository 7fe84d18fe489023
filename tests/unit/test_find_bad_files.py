"""Looking for bad files: named by Redshift, by S3, by the error, or found by halving."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import find_bad_files
import publish
import pytest
import stage
from loader import batches, known_good, sql
from loader.batches import Batch
from loader.datasets import Dataset
from loader.failures import MAX_UNDER_A_RULE
from loader.leftovers import tables_of_load
from loader.splitting import MAX_PARTS
from loader.store import DataFile, Head, Store

from tests.unit import contracted
from tests.unit.fakes import Clock, FakeDataApi, Reply, failed
from tests.unit.loads import DEFINITION, ETAG, HOSTILE, LOAD_ID, call, file, save

COPY_FAILED = "ERROR: Load into table 'event_stage_…' failed. Check 'sys_load_error_detail'."
A, B, C, D = (f"log_data/{name}.json" for name in "abcd")


@pytest.fixture(autouse=True)
def _objects(s3: Any) -> None:
    for key in (A, B, C, D, HOSTILE):
        s3.put_object(Bucket="data", Key=key, Body=b"{}")


def bad(**more: Any) -> dict[str, Any]:
    """A batch as the stage step leaves it when COPY failed; the set-up is known to work."""
    return {
        "batch": "0",
        "dataset": "log_data",
        "attempt": 1,
        "statement": None,
        "outcome": "bad files",
        "stage_error": COPY_FAILED,
        "query_id": -1,
        "control": "works",
    } | more


def errors(*keys: str, count: int = 1) -> list[tuple[Any, ...]]:
    """Rows of find_errors.sql."""
    return [
        (batches.reported_name(file(key)), 3, "ts", 1206, "Invalid timestamp", count)
        for key in keys
    ]


def inflate(key: str) -> str:
    return f"ERROR: failed to inflate with gzip. context: S3 key being read : s3://data/{key}"


def rejected(store: Store, name: str = "0") -> list[tuple[str, str, Any]]:
    batch = batches.read(store, LOAD_ID, name)
    return [(r.file.key, r.reason, r.line) for r in batch.rejects]


def kept(store: Store, name: str = "0") -> list[str]:
    return [member.key for member in batches.read(store, LOAD_ID, name).files]


def test_redshift_names_them_all_in_one_pass(store: Store, data_api: FakeDataApi) -> None:
    save(store, A, B, HOSTILE, D)
    data_api.replies = [Reply(rows={2: errors(A, HOSTILE, count=5)})]
    answer = call(find_bad_files.handler, bad())
    assert answer["outcome"] == "again"
    assert answer["statement"] is None
    assert kept(store) == [B, D]
    reason = "Invalid timestamp (5 errors in the file)"
    assert rejected(store) == [(A, reason, 3), (HOSTILE, reason, 3)]
    [request] = data_api.submits
    copy, find = request["Sqls"]
    assert copy.startswith("COPY sparkify_loader.event_stage (")  # the parent: nothing is loaded
    assert copy.split()[-3:] == ["NOLOAD", "MAXERROR", "100000"]
    assert "pg_last_copy_id()" in find
    assert store.get(f"loads/{LOAD_ID}/finding/0.1.json")["entries"][2]["url"] == (
        f"s3://data/{HOSTILE}"
    )
    assert tables_of_load(store, LOAD_ID) == []  # it makes no table


def test_a_file_that_was_replaced_meanwhile_is_staged_again_as_it_is_now(
    store: Store, data_api: FakeDataApi
) -> None:
    """COPY may have read the new version: the planned one may be good, and come back."""
    save(store, file(A, etag="planned"), B, file(C, etag="planned"))
    data_api.replies = [Reply(rows={2: errors(A, B)})]
    assert call(find_bad_files.handler, bad())["outcome"] == "again"
    batch = batches.read(store, LOAD_ID, "0")
    assert [(f.key, f.etag) for f in batch.files] == [(A, ETAG), (C, "planned")]
    assert [(r.file.key, r.file.etag) for r in batch.rejects] == [(B, ETAG)]


def test_rows_of_other_files_reject_nothing(store: Store, data_api: FakeDataApi) -> None:
    save(store, A)
    data_api.replies = [Reply(rows={2: errors(B)})]
    answer = call(find_bad_files.handler, bad())
    assert (answer["outcome"], answer["retried"]) == ("again", "0")
    assert kept(store) == [A]


def test_while_it_runs(store: Store, data_api: FakeDataApi) -> None:
    save(store, A, B)
    data_api.replies = [Reply(running=2, rows={2: errors(A)})]
    state = bad()
    outcomes = []
    for _ in range(3):
        state = call(find_bad_files.handler, state)
        outcomes.append(state["outcome"])
    assert outcomes == ["running", "running", "again"]
    assert len(data_api.submits) == 1
    assert kept(store) == [B]


def test_a_lost_statement_stages_again(store: Store, data_api: FakeDataApi) -> None:
    save(store, A)
    data_api.replies = [Reply(running=1, lost=True)]
    state = call(find_bad_files.handler, call(find_bad_files.handler, bad()))
    assert (state["outcome"], state["attempt"], kept(store)) == ("again", 2, [A])


def test_statements_that_are_lost_every_time_fail_the_batch(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, A)
    state = {**bad(), "attempt": stage.MAX_ATTEMPTS}
    data_api.replies = [Reply(running=1, lost=True)]
    state = call(find_bad_files.handler, call(find_bad_files.handler, state))
    assert (state["outcome"], kept(store)) == ("failed", [A])
    assert "no longer knows" in state["cause"]


SET_UP = [
    "ERROR: User arn:… is not authorized to assume IAM Role arn:…",
    "ERROR: Problem reading manifest file - S3ServiceException:Access Denied",
    "ERROR: permission denied for relation event_stage",
    "ERROR: Number of jsonpaths and the number of columns should match. JSONPath size: 1",
    "ERROR: a new text of which nobody has heard",
]


def ledger(*keys: str, etag: str = ETAG) -> Reply:
    """The answer of loaded_before.sql."""
    return Reply(rows={1: [("data", key, etag, 7) for key in keys]})


@pytest.mark.parametrize("error", SET_UP)
@pytest.mark.parametrize("loaded", [[D], []], ids=["a file has loaded", "none has"])
def test_what_meets_the_control_too_rejects_no_file(
    store: Store, data_api: FakeDataApi, error: str, loaded: list[str]
) -> None:
    """Whatever the words are: a file that loaded before fails for it, or one with nothing in it."""
    save(store, A, B)
    data_api.replies = [failed(1, error, query_id=-1), ledger(*loaded), failed(1, error)]
    state = {name: value for name, value in bad(stage_error=error).items() if name != "control"}
    answer = call(find_bad_files.handler, state)
    assert answer["outcome"] == "failed"
    assert error in answer["cause"]
    assert ("d.json, which loaded before, fails" in answer["cause"]) is bool(loaded)
    assert (kept(store), rejected(store)) == ([A, B], [])
    *_, control = data_api.submits
    [entry] = store.get(f"loads/{LOAD_ID}/control/0.1.json")["entries"]
    own = f"s3://working/loads/{LOAD_ID}/control/0.txt"
    assert entry == {"url": f"s3://data/{D}" if loaded else own, "mandatory": True}
    assert control["Sqls"][0].split()[-3:] == ["NOLOAD", "MAXERROR", "100000"]


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([D, C], D),
        ([A, C], C),  # not one of the batch: a reload
        ([A], A),  # but if there is no other: another load has published the batch meanwhile
        (["log_data/gone.json", C], C),
        (["log_data/z.json.gz", C], C),  # of the same compression
        (["log_data/z.json.gz"], "log_data/z.json.gz"),
    ],
)
def test_the_control_is_the_newest_file_that_is_still_there(
    store: Store, s3: Any, data_api: FakeDataApi, found: list[str], chosen: str
) -> None:
    s3.put_object(Bucket="data", Key="log_data/z.json.gz", Body=b"{}")
    save(store, A, B)
    state = {name: value for name, value in bad().items() if name != "control"}
    data_api.replies = [failed(1, "ERROR: x", query_id=-1), ledger(*found), Reply()]
    answer = call(find_bad_files.handler, {**state, "query_id": -1})
    assert (answer["outcome"], answer["control"]) == ("again", "works")
    assert store.get(f"loads/{LOAD_ID}/control/0.1.json")["entries"][0]["url"].endswith(chosen)
    assert ("GZIP" in data_api.submits[-1]["Sqls"][0]) is chosen.endswith(".gz")


def test_a_file_that_was_replaced_since_it_loaded_is_no_control(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, A, B)
    state = {name: value for name, value in bad().items() if name != "control"}
    data_api.replies = [failed(1, "ERROR: x", query_id=-1), ledger(D, etag="before"), Reply()]
    assert call(find_bad_files.handler, state)["control"] == "none"


@pytest.mark.parametrize(
    ("found", "state_of_it", "why"),
    [
        ([], "missing", known_good.NEVER_LOADED),
        ([D], "missing", known_good.GONE),
        ([D], "denied", f"{D} loaded before, but HeadObject is denied in the bucket data"),
    ],
    ids=["none loaded", "gone", "denied"],
)
def test_a_file_that_waits_says_why_no_other_file_is_a_control(
    store: Store,
    data_api: FakeDataApi,
    monkeypatch: pytest.MonkeyPatch,
    found: list[str],
    state_of_it: str,
    why: str,
) -> None:
    head = store.head

    def of_the_control(self: Store, bucket: str, key: str) -> Head:
        return Head(state_of_it) if key == D else head(bucket, key)

    monkeypatch.setattr(Store, "head", of_the_control)
    save(store, A)
    state = {name: value for name, value in bad().items() if name != "control"}
    data_api.replies = [failed(1, "ERROR: x", query_id=-1), ledger(*found), Reply()]
    answer = call(find_bad_files.handler, {**state, "query_id": -1})
    assert answer["control"] == "none"
    assert why in answer["control_why"]
    assert why in answer["suspicion"]["cause"]


def test_a_first_load_waits_for_the_good_files_of_its_other_batches(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None has loaded before; another batch of the load publishes one while this one is asked for."""
    pauses: list[int] = []
    monkeypatch.setattr(known_good, "pause", pauses.append)
    save(store, A)
    of_load = {"batch_count": 2, "datasets": {"log_data": 2}}
    state = {name: value for name, value in bad().items() if name != "control"}
    data_api.replies = [failed(1, "ERROR: x", query_id=-1), ledger(), Reply()]
    state = call(find_bad_files.handler, {**state, "query_id": -1}, **of_load)
    assert (state["outcome"], pauses) == ("running", [1])
    data_api.replies = [ledger(D), Reply()]
    state = call(find_bad_files.handler, state, **of_load)
    assert state["control"] == "works"
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens)


def test_a_batch_with_a_good_file_waits_for_no_other(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two batches of a first load would wait for each other."""
    pauses: list[int] = []
    monkeypatch.setattr(known_good, "pause", pauses.append)
    save(store, A, B, C)
    state = {name: value for name, value in bad().items() if name != "control"}
    data_api.replies = [Reply(rows={2: errors(A, B)}), ledger(), Reply()]
    of_load = {"batch_count": 2, "datasets": {"log_data": 4}}
    assert call(find_bad_files.handler, state, **of_load)["outcome"] == "again"
    assert (kept(store), pauses) == ([C], [])


def test_a_first_load_does_not_wait_for_other_batches_for_ever(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[int] = []
    monkeypatch.setattr(known_good, "pause", pauses.append)
    save(store, A)
    state = {name: value for name, value in bad().items() if name != "control"}
    state["controls"] = known_good.MAX_ASKED
    data_api.replies = [failed(1, "ERROR: x", query_id=-1), ledger(), Reply()]
    of_load = {"batch_count": 2, "datasets": {"log_data": 2}}
    state = call(find_bad_files.handler, {**state, "query_id": -1}, **of_load)
    assert (state["control"], pauses) == ("none", [])


def test_a_control_that_runs_is_waited_for_and_one_that_is_interrupted_is_tried_again(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, A)
    state = {name: value for name, value in bad().items() if name != "control"}
    data_api.replies = [
        Reply(rows={2: errors(A)}),
        failed(1, CANCELLED),  # the ledger
        ledger(D),
        failed(1, CANCELLED, running=2),
        ledger(D),
        Reply(running=1),
    ]
    outcomes = []
    for _ in range(10):
        state = call(find_bad_files.handler, state)
        outcomes.append(state["outcome"])
        if state["outcome"] != "running":
            break
    assert outcomes[-1] == "again"
    assert rejected(store) == [(A, "Invalid timestamp", 3)]
    assert len(data_api.submits) == 6
    assert len({request["ClientToken"] for request in data_api.submits}) == 6


def test_a_wrong_jsonpaths_file_over_a_thousand_good_files_rejects_none(
    store: Store, data_api: FakeDataApi
) -> None:
    """Redshift has an error row for each of them, and for the file that loaded before too."""
    keys = [f"log_data/{number:04}.json" for number in range(1000)]
    save(store, *keys)
    message = "Invalid JSONPath format: Member is not an object."
    rows = [(f"s3://data/{key}", 1, "", 1216, message, 1) for key in keys]
    control = [(f"s3://data/{D}", 1, "", 1216, message, 1)]
    # One of them has nulls where the wrong path leads to, and is read well.
    data_api.replies = [Reply(rows={2: rows[1:]}), ledger(D), Reply(rows={2: control})]
    state = {name: value for name, value in bad().items() if name != "control"}
    answer = call(find_bad_files.handler, state)
    assert answer["outcome"] == "failed"
    assert message in answer["cause"]
    assert D in answer["cause"]
    assert (len(kept(store)), rejected(store)) == (1000, [])
    assert len(data_api.submits) == 3  # and that is all it costs


@pytest.mark.parametrize(("bad_files", "asked"), [(1, False), (2, False), (3, True)])
def test_as_many_files_that_are_read_well_prove_the_set_up(
    store: Store, data_api: FakeDataApi, bad_files: int, asked: bool
) -> None:
    keys = [A, B, C, D]
    save(store, *keys)
    data_api.replies = [Reply(rows={2: errors(*keys[:bad_files])}), ledger(HOSTILE), Reply()]
    state = {name: value for name, value in bad().items() if name != "control"}
    assert call(find_bad_files.handler, state)["outcome"] == "again"
    assert [key for key, _, _ in rejected(store)] == keys[:bad_files]
    assert len(data_api.submits) == (3 if asked else 1)


def test_where_no_file_ever_loaded_nothing_is_judged(store: Store, data_api: FakeDataApi) -> None:
    """Each waits, with what Redshift says of it; the rest of the batch goes on."""
    save(store, A, B, file("log_data/empty.json", 0))
    data_api.replies = [Reply(rows={2: errors(A, B)}), ledger(), Reply()]
    state = {name: value for name, value in bad().items() if name != "control"}
    answer = call(find_bad_files.handler, state)
    assert (answer["outcome"], answer["batch"], answer["suspects"]) == ("next", "0.2", ["0.1"])
    assert kept(store, "0.2") == ["log_data/empty.json"]
    aside = batches.read(store, LOAD_ID, "0.1")
    assert [(r.file.key, r.status, r.line) for r in aside.held] == [
        (A, "waiting", 3),
        (B, "waiting", 3),
    ]
    assert aside.held[0].reason.startswith("Invalid timestamp No file of the dataset has loaded")
    assert A in answer["suspicion"]["cause"]


CANCELLED = "ERROR: Query (4777555) cancelled on user's request"
SLOW_DOWN = "S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown,Rid 1"
RULE = 'ERROR: Query (5) cancelled by WLM abort action of Query Monitoring Rule "long".'


@pytest.mark.parametrize(
    "reply",
    [
        failed(1, "ERROR: connection reset by peer"),
        failed(1, CANCELLED),
        failed(1, f"ERROR: {SLOW_DOWN} context: S3 key being read : s3://data/{A}"),
        failed(2, CANCELLED),  # not COPY, but the question for its errors
        Reply("ABORTED"),
    ],
)
def test_an_interruption_rejects_no_file(store: Store, data_api: FakeDataApi, reply: Reply) -> None:
    save(store, A)
    data_api.replies = [reply, Reply(rows={2: errors(A)})]
    answer = call(find_bad_files.handler, bad())
    assert answer["outcome"] == "running"
    assert kept(store) == [A]
    assert call(find_bad_files.handler, answer)["outcome"] == "again"
    assert rejected(store) == [(A, "Invalid timestamp", 3)]
    assert len({request["ClientToken"] for request in data_api.submits}) == 2


@pytest.mark.parametrize("good", [False, True], ids=["", "beside a good file"])
@pytest.mark.parametrize(
    ("error", "most"),
    [
        ("ERROR: connection reset by peer", stage.MAX_ATTEMPTS),
        (f"ERROR: {SLOW_DOWN} context: S3 key being read : s3://data/{A}", stage.MAX_ATTEMPTS),
        (RULE, MAX_UNDER_A_RULE),
    ],
)
def test_it_does_not_try_for_ever(
    store: Store, data_api: FakeDataApi, clock: Clock, error: str, most: int, good: bool
) -> None:
    """Nor at once: what throttles or restarts needs time. In the end the batch fails, and no file is judged."""
    save(store, A)
    data_api.replies = [failed(1, error) for _ in range(20)]
    state, began = bad(good=good), clock.now
    for _ in range(20):
        state = call(find_bad_files.handler, state)
        if state["outcome"] != "running":
            break
    assert state["outcome"] == "failed"
    assert error in state["cause"]
    assert (kept(store), rejected(store)) == ([A], [])
    assert len(data_api.submits) == most
    assert clock.now - began >= 2 ** (most - 1) - 1 or clock.now - began >= 60


def test_an_interruption_of_the_copy_itself_is_staged_again(
    store: Store, data_api: FakeDataApi
) -> None:
    """By whatever way it came here: NOLOAD is not asked whose fault it was."""
    save(store, A)
    state = call(find_bad_files.handler, bad(stage_error=CANCELLED, good=True))
    assert (state["outcome"], state["attempt"]) == ("again", 2)
    state = call(find_bad_files.handler, bad(stage_error=CANCELLED, good=True, attempt=8))
    assert (state["outcome"], kept(store), rejected(store)) == ("failed", [A], [])
    assert data_api.submits == []


@pytest.mark.parametrize("good", [False, True], ids=["", "beside a good file"])
def test_error_rows_of_an_interruption_judge_no_file(
    store: Store, data_api: FakeDataApi, good: bool
) -> None:
    save(store, A)
    rows = [(batches.reported_name(file(A)), 0, "", 8001, SLOW_DOWN, 1)]
    data_api.replies = [Reply(rows={2: rows})]
    state = call(find_bad_files.handler, bad(good=good, retried="0"))
    assert (state["outcome"], state["attempt"], kept(store)) == ("again", 2, [A])
    data_api.replies = [Reply(rows={2: rows})]
    state = call(find_bad_files.handler, bad(good=good, retried="0", attempt=8))
    assert (state["outcome"], kept(store), rejected(store)) == ("failed", [A], [])
    assert SLOW_DOWN in state["cause"]


def test_an_error_row_that_says_denied_is_of_an_unreadable_file(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, A, B, C)
    denied = "S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 1"
    row = (batches.reported_name(file(A)), 0, "", 8001, denied, 1)
    data_api.replies = [Reply(rows={2: [row, *errors(B)]})]
    assert call(find_bad_files.handler, bad())["outcome"] == "again"
    statuses = [(r.file.key, r.status) for r in batches.read(store, LOAD_ID, "0").rejects]
    assert statuses == [(A, "unreadable"), (B, "rejected")]


def test_error_rows_beside_those_of_an_interruption_count(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, A, B, C)
    broken = [
        (batches.reported_name(file(A)), 0, "", 8001, SLOW_DOWN, 1),
        (batches.reported_name(file(C)), 0, "", 1216, f"S3 key being read : s3://data/{C}", 1),
    ]
    data_api.replies = [Reply(rows={2: [*broken, *errors(B)]})]
    assert call(find_bad_files.handler, bad())["outcome"] == "again"
    assert (kept(store), rejected(store)) == ([A, C], [(B, "Invalid timestamp", 3)])


def test_an_error_row_without_a_reason_names_nobody(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    """S3 is asked: what it has no more is missing, and not rejected for bad data."""
    save(store, A, B)
    s3.delete_object(Bucket="data", Key=A)
    row = (batches.reported_name(file(A)), 0, "", 1216, f"S3 key being read : s3://data/{A}", 1)
    data_api.replies = [failed(1, COPY_FAILED, query_id=77), Reply(rows={1: [row]})]
    assert call(find_bad_files.handler, bad())["outcome"] == "again"
    assert kept(store) == [B]
    assert batches.read(store, LOAD_ID, "0").rejects[0].status == "missing"


@pytest.mark.parametrize("said", ["year=2018/a b.json", "year%3D2018/a%20b.json"])
def test_a_name_that_redshift_encodes_is_known(
    store: Store, s3: Any, data_api: FakeDataApi, said: str
) -> None:
    key = "log_data/year=2018/a b.json"
    s3.put_object(Bucket="data", Key=key, Body=b"{}")
    save(store, key, B)
    row = (f"s3://data/log_data/{said}", 3, "ts", 1206, "Invalid timestamp", 1)
    data_api.replies = [Reply(rows={2: [row]})]
    assert call(find_bad_files.handler, bad())["outcome"] == "again"
    assert (kept(store), rejected(store)) == ([B], [(key, "Invalid timestamp", 3)])
    # And in the error itself.
    save(store, key, B)
    error = inflate(f"log_data/{said}")
    data_api.replies = [failed(1, error, query_id=-1)]
    assert call(find_bad_files.handler, bad(attempt=2))["outcome"] == "again"
    assert (kept(store), rejected(store)) == ([B], [(key, error, None)])


@pytest.mark.parametrize(
    ("noload_query", "copy_query", "asked"),
    [(77, -1, [77]), (77, 55, [77, 55]), (-1, 55, [55]), (0, -1, [])],
)
def test_at_a_hundred_thousand_errors_the_rows_of_the_failed_copies_are_read(
    store: Store, data_api: FakeDataApi, noload_query: int, copy_query: int, asked: list[int]
) -> None:
    save(store, A, B)
    data_api.replies = [failed(1, COPY_FAILED, query_id=noload_query)]
    data_api.replies += [Reply() for _ in asked[1:]]
    if asked:
        data_api.replies.append(Reply(rows={1: errors(A)}))
    answer = call(find_bad_files.handler, bad(query_id=copy_query))
    assert answer["outcome"] == "again"
    texts = [request["Sqls"][0] for request in data_api.submits[1:]]
    assert [f"query_id = {query}" in text for query, text in zip(asked, texts, strict=True)] == [
        True for _ in asked
    ]
    assert rejected(store) == ([(A, "Invalid timestamp", 3)] if asked else [])


def test_what_s3_has_no_more_is_named_and_what_it_denies_is_not(
    store: Store, s3: Any, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, A, B, C)
    s3.delete_object(Bucket="data", Key=A)
    head = Store.head
    monkeypatch.setattr(
        Store,
        "head",
        lambda self, bucket, key: Head("denied") if key == B else head(self, bucket, key),
    )
    data_api.replies = [failed(1, "ERROR: S3ServiceException:Not Found", query_id=-1)]
    assert call(find_bad_files.handler, bad())["outcome"] == "again"
    assert kept(store) == [B, C]  # what S3 denies to the function it may give to COPY
    found = {r.file.key: r.status for r in batches.read(store, LOAD_ID, "0").rejects}
    assert found == {A: "missing"}


@pytest.mark.parametrize("key", [A, "log_data/manifest restart 1023.json"])
def test_the_file_that_the_error_names(
    store: Store, s3: Any, data_api: FakeDataApi, key: str
) -> None:
    s3.put_object(Bucket="data", Key=key, Body=b"{}")
    save(store, key, B, C)
    data_api.replies = [failed(1, inflate(key), query_id=-1)]
    answer = call(find_bad_files.handler, bad())
    assert answer["outcome"] == "again"
    assert kept(store) == [B, C]
    assert rejected(store) == [(key, inflate(key), None)]


@pytest.mark.parametrize(
    "words",
    [
        "Invalid JSONPath format: Not an array or index out of range.",
        "Invalid JSONPath format: Member is not an object.",
        "The size of a JSON object exceeds the max size limit of 4194304 bytes",
        "The size of an input row exceeds the max size limit of 4194304 bytes",
        "failed to inflate with gzip: unexpected end of file.",
        "Spectrum Scan Error",
        "a word such as manifest, credentials or permission denied in a text that nobody knows",
    ],
)
def test_an_error_that_names_an_object_is_the_objects_if_the_control_works(
    store: Store, data_api: FakeDataApi, words: str
) -> None:
    """None of these words is taken for the set-up's; without a control the file waits beside the others."""
    error = f"ERROR: {words} DETAIL: code: 8001 context: S3 key being read : s3://data/{B}"
    save(store, A, B, C)
    state = {name: value for name, value in bad().items() if name != "control"}
    data_api.replies = [failed(1, error, query_id=-1), ledger(D), Reply()]
    answer = call(find_bad_files.handler, state)
    assert (answer["outcome"], kept(store)) == ("again", [A, C])
    [(key, reason, _)] = rejected(store)
    assert key == B
    assert words in reason
    save(store, A, B, C)
    data_api.replies = [failed(1, error, query_id=-1), ledger(), Reply()]
    answer = call(find_bad_files.handler, {**state, "attempt": 2})
    assert (answer["outcome"], answer["todo"], rejected(store)) == ("again", ["0.2"], [])
    assert (kept(store, "0.1"), kept(store, "0.2")) == ([A, C], [B])


def test_of_two_names_the_longer_one_is_meant(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    inner, outer = "log_data/a.json", "log_data/log_data/a.json"
    s3.put_object(Bucket="data", Key=outer, Body=b"{}")
    save(store, inner, outer)
    data_api.replies = [failed(1, inflate(outer), query_id=-1)]
    call(find_bad_files.handler, bad())
    assert kept(store) == [inner]


def test_a_failure_that_has_passed_rejects_nothing(store: Store, data_api: FakeDataApi) -> None:
    """NOLOAD has just read every file well, also the one that COPY's error names."""
    save(store, A, B)
    state = call(find_bad_files.handler, bad(stage_error=inflate(A)))
    assert state["outcome"] == "again"
    assert kept(store) == [A, B]
    # The second time it is believed.
    state = call(find_bad_files.handler, {**state, "stage_error": inflate(A), "attempt": 2})
    assert state["outcome"] == "again"
    assert kept(store) == [B]


def test_what_nobody_names_is_found_by_halving(store: Store, data_api: FakeDataApi) -> None:
    """COPY fails while C is in it and never says why: only C is rejected."""
    save(store, A, B, C, D)
    state, calls, done = bad(), 0, []
    while True:
        calls += 1
        assert calls < 20
        batch = batches.read(store, LOAD_ID, state["batch"])
        if C in [member.key for member in batch.files]:
            data_api.replies = [failed(1, "ERROR: object over 4 MB", query_id=-1)]
            state = call(find_bad_files.handler, {**state, "stage_error": "x", "attempt": calls})
            assert state["outcome"] == "again"
            continue
        done.append(batch)
        if not state["todo"]:
            break
        state = {**state, "batch": state["todo"][0], "todo": state["todo"][1:]}
    assert sorted(member.key for batch in done for member in batch.files) == [A, B, D]
    assert [r.file.key for batch in done for r in batch.rejects] == [C]


def test_halves_begin_anew(store: Store, data_api: FakeDataApi) -> None:
    save(store, A, B, C)
    data_api.replies = [failed(1, "ERROR: object over 4 MB", query_id=-1)]
    answer = call(find_bad_files.handler, bad(attempt=5, todo=["9"], parts=6))
    assert (answer["batch"], answer["todo"], answer["attempt"]) == ("0.7", ["0.8", "9"], 0)
    assert (kept(store, "0.7"), kept(store, "0.8")) == ([A], [B, C])
    assert answer["parts"] == 8


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [(MAX_PARTS - 1, "again"), (MAX_PARTS, "failed"), (MAX_PARTS + 1, "failed")],
)
def test_halving_ends(store: Store, data_api: FakeDataApi, parts: int, outcome: str) -> None:
    """An execution's history has 25,000 events, and each part of any of its batches takes some of them."""
    save(store, A, B)
    for number in range(parts):
        save(store, C, name=f"{number % 3 + 1}.{number}")
    data_api.replies = [failed(1, "ERROR: object over 4 MB", query_id=-1)]
    answer = call(find_bad_files.handler, bad())
    assert answer["outcome"] == outcome
    assert kept(store) == [A, B]
    assert rejected(store) == []
    if outcome == "failed":
        assert answer["cause"].startswith("Too many bad files")
        assert "object over 4 MB" in answer["cause"]


def test_noload_that_says_nothing_asks_the_copy_that_failed(
    store: Store, data_api: FakeDataApi
) -> None:
    """NOLOAD reads no file to the end that way: what COPY itself left of errors names the file."""
    save(store, A, B)
    data_api.replies = [Reply(), Reply(rows={1: errors(B)})]
    answer = call(find_bad_files.handler, bad(query_id=55))
    assert answer["outcome"] == "again"
    assert "retried" not in answer
    assert "query_id = 55" in data_api.submits[1]["Sqls"][0]
    assert (kept(store), rejected(store)) == ([A], [(B, "Invalid timestamp", 3)])


def test_a_single_file_that_cannot_be_read_is_rejected(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    s3.put_object(Bucket="data", Key="log_data/empty.json", Body=b"")
    save(store, file("log_data/empty.json", 0), A)
    data_api.replies = [failed(1, "ERROR: object over 4 MB", query_id=-1)]
    answer = call(find_bad_files.handler, bad())
    assert (answer["outcome"], answer["batch"]) == ("again", "0")
    assert rejected(store) == [(A, "ERROR: object over 4 MB", None)]
    assert kept(store) == ["log_data/empty.json"]


def test_a_single_file_is_judged_only_beside_a_good_one(
    store: Store, data_api: FakeDataApi
) -> None:
    """COPY that fails without a word on any file may be the set-up's failure."""
    save(store, A, name="0.1")
    data_api.replies = [failed(1, "ERROR: something", query_id=-1)]
    answer = call(find_bad_files.handler, bad(batch="0.1", todo=["0.2"], parts=2, control="none"))
    assert (answer["outcome"], answer["batch"], answer["suspects"]) == ("next", "0.2", ["0.3"])
    assert answer["parts"] == 4
    assert kept(store, "0.3") == [A]  # under a new name: it will be staged anew
    data_api.replies = [failed(1, "ERROR: something", query_id=-1)]
    answer = call(find_bad_files.handler, bad(batch="0.3", good=True, control="none"))
    assert answer["outcome"] == "again"
    assert rejected(store, "0.3") == [(A, "ERROR: something", None)]


def test_noload_that_reads_a_file_well_proves_nothing_by_a_control(
    store: Store, data_api: FakeDataApi
) -> None:
    """COPY fails each time, NOLOAD never does: it would read the control well too, whatever is wrong."""
    save(store, A)
    answer = call(find_bad_files.handler, bad(stage_error="ERROR: something", retried="0"))
    assert (answer["outcome"], answer["batch"], rejected(store)) == ("next", "0.1", [])
    assert "ERROR: something NOLOAD reads it well" in answer["suspicion"]["cause"]


def test_without_a_good_file_the_batch_fails_with_why(store: Store, data_api: FakeDataApi) -> None:
    """The ledger says of the file that it waits, and why."""
    save(store, A)
    data_api.replies = [failed(1, "ERROR: something", query_id=-1)]
    answer = call(find_bad_files.handler, bad(control="none"))
    assert (answer["outcome"], answer["batch"], answer["held"]) == ("next", "0.1", True)
    answer = call(stage.handler, answer)
    assert (answer["outcome"], answer["table"]) == ("staged", "")
    [reject] = batches.read(store, LOAD_ID, "0.1").rejects
    assert (reject.file.key, reject.status) == (A, "waiting")
    assert reject.reason.startswith("ERROR: something No file of the dataset has loaded yet")
    answer = call(publish.handler, answer)
    assert answer["outcome"] == "failed"
    assert A in answer["cause"]
    assert "ERROR: something" in answer["cause"]
    [row] = store.get_lines(f"loads/{LOAD_ID}/ledger/0.1.json")
    assert (row["status"], row["reason"]) == ("waiting", reject.reason)
    result = store.get(f"loads/{LOAD_ID}/results/0.1.json")
    assert (result["loaded"], result["rejected"], result["waiting"]) == (0, 0, 1)
    assert [again["key"] for again in result["again"]] == [A]


def test_the_file_that_the_error_names_is_tried_apart(store: Store, data_api: FakeDataApi) -> None:
    """Its key in an error that may be the set-up's is a hint, not a proof."""
    save(store, A, B, C)
    data_api.replies = [failed(1, f"ERROR: something about s3://data/{B}", query_id=-1)]
    answer = call(find_bad_files.handler, bad(control="none"))
    assert (answer["outcome"], answer["batch"], answer["todo"]) == ("again", "0.1", ["0.2"])
    assert (kept(store, "0.1"), kept(store, "0.2")) == ([A, C], [B])


DENIED = (
    "ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 1,CanRetry 1 "
    "context: S3 key being read : s3://data/{}"
)


def test_an_object_that_may_not_be_read_is_unreadable_and_the_rest_goes_on(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, A, B, C)
    data_api.replies = [failed(1, DENIED.format(B), query_id=-1)]
    answer = call(find_bad_files.handler, bad())
    assert (answer["outcome"], kept(store)) == ("again", [A, C])
    [reject] = batches.read(store, LOAD_ID, "0").rejects
    assert (reject.file.key, reject.status) == (B, "unreadable")
    assert reject.reason.startswith("COPY may not read the object: ")
    # Alone, and with nothing that proves the role right, it waits under the same name.
    save(store, A)
    data_api.replies = [failed(1, DENIED.format(A), query_id=-1)]
    call(find_bad_files.handler, bad(control="none", attempt=2))
    assert [r.status for r in batches.read(store, LOAD_ID, "0.1").held] == ["unreadable"]


def test_what_costs_many_statements_is_bounded(
    store: Store, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many that COPY was denied one by one, what the loader may not read either goes with the next; where it
    may read them all, the batch is halved, and that ends too.
    """
    save(store, A, B, C, D)
    data_api.replies = [failed(1, DENIED.format(A), query_id=-1)]
    assert call(find_bad_files.handler, bad(named=find_bad_files.MAX_NAMED))["todo"] == ["0.2"]
    assert (kept(store), kept(store, "0.1")) == ([A, B, C, D], [A, B])
    read = Store.first_bytes
    monkeypatch.setattr(
        Store,
        "first_bytes",
        lambda self, file, count: None if file.key in (A, C) else read(self, file, count),
    )
    data_api.replies = [failed(1, DENIED.format(A), query_id=-1)]
    answer = call(find_bad_files.handler, bad(named=find_bad_files.MAX_NAMED, attempt=2))
    assert (answer["outcome"], kept(store)) == ("again", [B, D])
    assert [r.status for r in batches.read(store, LOAD_ID, "0").rejects] == ["unreadable"] * 2


def test_files_of_which_the_same_is_seen_go_together(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    keys = [f"log_data/{name}.json.gz" for name in "abcd"]
    bodies = [b"{}", b"{}", gzip.compress(b"{}"), b"{}"]
    files = []
    for key, body in zip(keys, bodies, strict=True):
        etag = s3.put_object(Bucket="data", Key=key, Body=body)["ETag"].strip('"')
        files.append(file(key, len(body), etag))
    save(store, *files)
    data_api.replies = [failed(1, inflate(keys[1]), query_id=-1)]
    assert call(find_bad_files.handler, bad())["outcome"] == "again"
    assert kept(store) == [keys[2]]
    why = "The file is not gzip, although its name ends in .gz."
    assert rejected(store) == [
        (keys[1], f"{why} Redshift: {inflate(keys[1])}", None),
        (keys[0], why, None),
        (keys[3], why, None),
    ]


FAILED_CHECK = {
    "name": "event_key_complete",
    "figure": 3,
    "expected": 0,
    "passed": False,
    "definition": DEFINITION,
}
PASSED, OF_ANOTHER = (FAILED_CHECK["name"], DEFINITION), ("event_page_known", DEFINITION)
CHANGED = (FAILED_CHECK["name"], "fedcba9876543210")


@pytest.mark.parametrize(
    ("passed_before", "good", "outcome"),
    [
        ([OF_ANOTHER, PASSED], False, "again"),
        ([CHANGED, PASSED], False, "again"),
        ([OF_ANOTHER], False, "next"),
        ([CHANGED], False, "next"),  # it is another check since
        ([], False, "next"),
        ([], True, "again"),
    ],
)
def test_a_check_judges_a_file_if_it_has_ever_passed(
    store: Store, data_api: FakeDataApi, passed_before: list[Any], good: bool, outcome: str
) -> None:
    save(store, A)
    data_api.replies = [Reply(rows={1: passed_before})]
    state = bad(stage_error="the check failed", failed_checks=[FAILED_CHECK], good=good)
    answer = call(find_bad_files.handler, state)
    assert answer["outcome"] == outcome
    assert "failed_checks" not in answer
    if outcome == "again":
        assert rejected(store) == [(A, "the check failed", None)]
    else:
        assert answer["suspicion"]["checks"] == [FAILED_CHECK]
        [reject] = batches.read(store, LOAD_ID, answer["batch"]).held
        assert (reject.file.key, reject.status) == (A, "waiting")
        assert reject.reason.startswith("the check failed The check has never passed")


def test_a_failed_check_of_many_files_is_halved_without_asking(
    store: Store, data_api: FakeDataApi
) -> None:
    save(store, A, B)
    answer = call(find_bad_files.handler, bad(stage_error="x", failed_checks=[FAILED_CHECK]))
    assert (answer["outcome"], answer["batch"], answer["todo"]) == ("again", "0.1", ["0.2"])
    assert data_api.submits == []


def test_a_batch_that_the_version_before_staged_is_looked_at(
    store: Store, data_api: FakeDataApi
) -> None:
    """That version called the key error."""
    save(store, A, B)
    state = {name: value for name, value in bad().items() if name != "stage_error"}
    answer = call(find_bad_files.handler, {**state, "error": CANCELLED})
    assert (answer["outcome"], answer["stage_error"]) == ("again", CANCELLED)
    assert "error" not in answer


# -- values that do not fit ---------------------------------------------------------------------
ORDERS = ("orders/a.jsonl", "orders/b.jsonl", "orders/c.jsonl")
FITS, DOES_NOT = b'{"order_id": "1", "updated_at": "2026-11-28"}\n', b'{"order_id": "2"}\n'
VALUES_FIT = {"name": "orders_values_fit", "definition": DEFINITION, "on": "staged", "batch": "0"}


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    dataset = contracted.made("orders", contracted.ORDERS, tmp_path, monkeypatch)
    monkeypatch.setattr(find_bad_files, "datasets", lambda: {"orders": dataset})
    yield dataset
    sql.read.cache_clear()


def misfitting(*columns: str, rows: int, **more: Any) -> dict[str, Any]:
    """A batch as the stage step leaves it when values do not fit."""
    check = {**VALUES_FIT, "figure": rows, "expected": 0, "passed": False}
    found = {"rows": rows, "columns": list(columns)}
    return bad(stage_error="a check failed", failed_checks=[check], bad_rows=found, **more)


def put(s3: Any, *bodies: bytes) -> list[DataFile]:
    files = []
    for key, body in zip(ORDERS, bodies, strict=False):
        etag = s3.put_object(Bucket="data", Key=key, Body=body)["ETag"].strip('"')
        files.append(DataFile("data", key, etag, len(body)))
    return files


def save_orders(store: Store, files: list[DataFile]) -> None:
    batches.write(store, LOAD_ID, Batch("0", "orders", tuple(files)))


MISSING = "updated_at is missing: it says which version of a row of orders is the newest"


def test_all_files_with_bad_values_are_found_by_reading(
    orders: Dataset, store: Store, data_api: FakeDataApi, s3: Any
) -> None:
    """The other file has none, so the check is not asked whether it passed before."""
    save_orders(store, put(s3, FITS + DOES_NOT + DOES_NOT, FITS, DOES_NOT))
    answer = call(find_bad_files.handler, misfitting("updated_at?", rows=3))
    assert answer["outcome"] == "again"
    assert "bad_rows" not in answer
    assert kept(store) == [ORDERS[1]]
    assert rejected(store) == [
        (ORDERS[0], f"{MISSING} (2 bad rows in the file)", 2),
        (ORDERS[2], MISSING, 1),
    ]
    assert not data_api.submits


def test_if_no_file_is_good_the_check_must_have_passed_before(
    orders: Dataset, store: Store, data_api: FakeDataApi, s3: Any
) -> None:
    save_orders(store, put(s3, DOES_NOT, DOES_NOT))
    answer = call(find_bad_files.handler, misfitting("updated_at?", rows=2))
    assert (answer["outcome"], answer["suspicion"]["checks"][0]["name"]) == (
        "next",
        "orders_values_fit",
    )
    held = batches.read(store, LOAD_ID, "0.1").held
    assert [(one.status, one.line) for one in held] == [("waiting", 1), ("waiting", 1)]
    assert held[0].reason == f"{MISSING} {find_bad_files.NEVER_PASSED}"
    data_api.replies = [Reply(rows={1: [("orders_values_fit", DEFINITION)]})]
    save_orders(store, put(s3, DOES_NOT, DOES_NOT))
    again = call(find_bad_files.handler, misfitting("updated_at?", rows=2, attempt=2))
    assert (again["outcome"], len(rejected(store))) == ("again", 2)


def test_what_reading_does_not_find_is_found_by_halving(
    orders: Dataset, store: Store, data_api: FakeDataApi, s3: Any
) -> None:
    files = put(s3, FITS, FITS)
    save_orders(store, files)
    answer = call(find_bad_files.handler, misfitting("total", "updated_at?", rows=2))
    assert (answer["batch"], answer["todo"]) == ("0.1", ["0.2"])
    save_orders(store, files[:1])
    alone = misfitting("total", "updated_at?", rows=2, good=True)
    assert call(find_bad_files.handler, alone)["outcome"] == "again"
    [(_, reason, line)] = rejected(store)
    assert reason == (
        "Values are missing or do not fit in 2 rows, of these columns: total, updated_at. The loader has read the "
        "file and did not find their lines."
    )
    assert line is None


def test_files_that_violate_a_check_of_the_contract_are_found_by_reading(
    orders: Dataset, store: Store, data_api: FakeDataApi, s3: Any
) -> None:
    violates = b'{"order_id": "3", "updated_at": "2026-11-28", "total": 11}\n'
    save_orders(store, put(s3, FITS, FITS + violates))
    [name] = [one.check for one in orders.rows.checks if "total" in one.check]  # type: ignore[union-attr]
    check = {**VALUES_FIT, "name": name, "figure": 1, "expected": 0, "passed": False}
    answer = call(find_bad_files.handler, bad(stage_error="a check failed", failed_checks=[check]))
    assert answer["outcome"] == "again"
    reason = "total: 11 violates the contract's check 'between 0 and 10'"
    assert rejected(store) == [(ORDERS[1], reason, 2)]
    assert not data_api.submits


# -- Parquet, which has no NOLOAD ----------------------------------------------------------------
SPECTRUM = "ERROR: Spectrum Scan Error Detail: code: 15007 context: "


@pytest.fixture
def visits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    text = "description: x\nfiles: visits/*.parquet\ncolumns: {id: bigint}\n"
    dataset = contracted.made("visits", text, tmp_path, monkeypatch)
    monkeypatch.setattr(find_bad_files, "datasets", lambda: {"visits": dataset})
    yield dataset
    sql.read.cache_clear()


def save_visits(store: Store, s3: Any, *names: str) -> None:
    files = []
    for name in names:
        key = f"visits/{name}.parquet"
        etag = s3.put_object(Bucket="data", Key=key, Body=b"PAR1")["ETag"].strip('"')
        files.append(DataFile("data", key, etag, 4))
    batches.write(store, LOAD_ID, Batch("0", "visits", tuple(files)))


def test_parquet_that_no_error_names_is_halved_and_nothing_is_asked(
    visits: Dataset, store: Store, data_api: FakeDataApi, s3: Any
) -> None:
    save_visits(store, s3, "a", "b", "c", "d")
    answer = call(find_bad_files.handler, bad(stage_error=f"{SPECTRUM}Assert"))
    assert (answer["outcome"], answer["batch"], answer["todo"]) == ("again", "0.1", ["0.2"])
    assert data_api.statements == []


def test_parquet_that_the_error_names_by_its_https_address(
    visits: Dataset, store: Store, data_api: FakeDataApi, s3: Any
) -> None:
    save_visits(store, s3, "a", "b", "c")
    address = "https://s3.eu-central-1.amazonaws.com/data/visits/b.parquet"
    error = f"{SPECTRUM}File '{address}' has an incompatible Parquet schema for column"
    answer = call(find_bad_files.handler, bad(stage_error=error))
    assert (answer["outcome"], kept(store)) == ("again", ["visits/a.parquet", "visits/c.parquet"])
    assert [key for key, *_ in rejected(store)] == ["visits/b.parquet"]


def test_the_control_of_parquet_is_a_copy_into_a_table_that_is_dropped(
    visits: Dataset, store: Store, data_api: FakeDataApi, s3: Any
) -> None:
    save_visits(store, s3, "b")
    etag = s3.put_object(Bucket="data", Key="visits/z.parquet", Body=b"PAR1 and more")["ETag"]
    state = {name: value for name, value in bad().items() if name != "control"}
    before = Reply(rows={1: [("data", "visits/z.parquet", etag.strip('"'), 13)]})
    data_api.replies = [before]
    answer = call(find_bad_files.handler, {**state, "stage_error": f"{SPECTRUM}Assert"})
    assert (answer["outcome"], answer["control"]) == ("again", "works")
    create, copy, drop = data_api.submits[-1]["Sqls"]
    table = re.search(r"CREATE TABLE (\S+) ", create)
    assert table
    assert copy.startswith(f"COPY {table[1]} (")
    assert drop.startswith(f"DROP TABLE IF EXISTS {table[1]},")
    (key,) = [key for key in store.keys("") if "control" in key and key.endswith("json")]
    [entry] = store.get(key)["entries"]
    assert entry["meta"] == {"content_length": 13}
