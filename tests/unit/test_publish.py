"""Publishing: the transaction, its literals, and what each end of it asks for."""

from typing import Any

import publish
import pytest
import stage
from loader import rendered, sql, statements
from loader.batches import Reject
from loader.dataapi import MAX_STATEMENTS
from loader.datasets import datasets
from loader.store import Store

from tests.unit.fakes import Clock, FakeDataApi, Reply, failed
from tests.unit.loads import (
    DEFINITION,
    ETAG,
    EXECUTION,
    FIRST,
    LAST,
    LOAD_ID,
    LOG,
    SONG,
    call,
    file,
    planned,
    save,
    staged_reply,
)

GUARD_FAILED = (
    "ERROR: Invalid digit, Value 'c', Pos 0, Type: Integer DETAIL: code: 1207 "
    "context: check users_unique: figure 2, expected 0"
)


def staged(
    store: Store,
    data_api: FakeDataApi,
    *members: Any,
    rejects: tuple[Reject, ...] = (),
    name: str = "0",
    **more: Any,
) -> dict[str, Any]:
    """A batch of these files as the stage step leaves it; the Data API has forgotten its submit."""
    save(store, *members, rejects=rejects, name=name)
    readable = [item for item in members if isinstance(item, str) or item.size]
    data_api.replies = [staged_reply(*readable)] if readable else []
    state = call(stage.handler, planned(name) | more)
    assert state["outcome"] == "staged"
    data_api.submits.clear()
    return state


def results(store: Store, name: str = "0") -> Any:
    return store.get(f"loads/{LOAD_ID}/results/{name}.json")


def figures(number: int, *rows: Any) -> Reply:
    """A transaction that is committed; its last statement, of this number, gives these rows."""
    return Reply(rows={number: rows})


def sent(data_api: FakeDataApi, beginning: str) -> str:
    """The one statement with this beginning."""
    [text] = [text for text in data_api.statements if text.startswith(beginning)]
    return text


def count(dataset: str, reload: bool = False, again: bool = False, rejects: bool = False) -> int:
    """How many statements the transaction has. The one of bad rows is of few datasets."""
    [group] = [
        each
        for each in rendered.groups()
        if each.name == f"{'reload' if reload else 'publish'} {dataset}"
    ]
    names = ("publish/again.sql", *sql.files(f"datasets/{dataset}/again"))
    left_out = (set() if again else set(names)) | (
        set() if rejects else {"publish/tried_again.sql"}
    )
    left_out.add("publish/rejected_rows.sql")
    return len([text for text in group.statements if text.file not in left_out])


def test_the_transaction(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG)
    call(publish.handler, state)
    [request] = data_api.submits
    texts = request["Sqls"]
    assert request["ExecutionMode"] == "TRANSACTION"
    assert texts[0] == "LOCK sparkify_loader.publish_lock"
    assert texts[1].startswith("UPDATE sparkify_loader.publish_lock")
    assert f"holder = '{LOAD_ID}'" in texts[1]
    order = ["COPY sparkify.files", "claim: ", "INTO sparkify.songplays", "AS guard"]
    places = [next(n for n, text in enumerate(texts) if word in text) for word in order]
    assert places == sorted(places)
    assert places[-1] == len(texts) - 2  # last, but for the figures
    assert f"FROM 's3://working/loads/{LOAD_ID}/ledger/0.json'" in texts[places[0]]


def test_one_guard_counts_the_published_checks(store: Store, data_api: FakeDataApi) -> None:
    for name in ("log_data", "song_data"):
        checks = statements.published_checks(datasets()[name])
        assert {"rows_copied", "rows_by_file"} < set(checks)
        key = LOG if name == "log_data" else SONG
        state = staged(store, data_api, key)
        call(publish.handler, state)
        [guard] = [text for text in data_api.statements if "AS guard" in text]
        assert f"r.results = {len(checks)} AND r.failed = 0" in guard
        taken = sent(data_api, "INSERT INTO sparkify.check_results")
        for check in checks:
            assert f"CAST('published' AS VARCHAR(16)) AS checked, CAST('{check}' AS" in taken


@pytest.mark.parametrize("dataset", ["log_data", "song_data"])
@pytest.mark.parametrize("reload", [False, True])
def test_it_fits_into_one_batch_of_the_data_api(dataset: str, reload: bool) -> None:
    assert count(dataset, reload, again=True, rejects=True) <= MAX_STATEMENTS


def test_few_statements_are_under_the_lock() -> None:
    """Each costs a plan and a round trip, and publishes are serial (docs/performance.md)."""
    assert count("log_data", rejects=True) <= 20
    assert count("song_data") <= 20


def test_what_was_said_before_of_a_file_goes_only_if_one_is_not_loaded(
    store: Store, data_api: FakeDataApi
) -> None:
    """One more statement, of the batches that have such a file."""
    call(publish.handler, staged(store, data_api, LOG))
    assert not [text for text in data_api.statements if text.startswith("DELETE FROM sparkify.f")]
    rejects = (Reject(file("log_data/bad.json"), "why", status="waiting"),)
    call(publish.handler, {**staged(store, data_api, LOG, rejects=rejects), "attempt": 2})
    text = sent(data_api, "DELETE FROM sparkify.files")
    assert "files.status IN ('unreadable', 'waiting')" in text


def test_values_are_literals(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG, rejects=(Reject(file("log_data/bad.json"), "why"),))
    call(publish.handler, state)
    values = sent(data_api, "INSERT INTO sparkify.loads").partition("VALUES")[2]
    assert " ".join(values.split()) == (
        f"( '{LOAD_ID}', '0', 'log_data', 'load', '{EXECUTION}', 1, 1, 10, "
        "TIMESTAMP '2026-11-23 20:30:11.123000' )"
    )
    fact = sent(data_api, "INSERT INTO sparkify.songplays (")
    assert f"f.start_time BETWEEN TIMESTAMP '{FIRST}' AND TIMESTAMP '{LAST}'" in fact


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("nightly-1", "nightly-1"),
        ("It's; DROP TABLE x", "It%27s%3B%20DROP%20TABLE%20x"),
        ("a--b", "a-%2Db"),
        ("tägl\\ich", "t%C3%A4gl%5Cich"),
    ],
)
def test_an_execution_may_have_any_name(
    store: Store, data_api: FakeDataApi, name: str, literal: str
) -> None:
    execution = EXECUTION.rpartition(":")[0] + ":"
    call(publish.handler, staged(store, data_api, LOG), execution=execution + name)
    assert f"'{execution}{literal}'" in sent(data_api, "INSERT INTO sparkify.loads")


@pytest.mark.parametrize(("copied", "literal"), [(11, "11"), (0, "0"), (None, "NULL")])
def test_what_copy_says_it_loaded_is_what_is_published(
    store: Store, data_api: FakeDataApi, copied: int | None, literal: str
) -> None:
    """The checks rows_copied and rows_by_file compare the two in the transaction."""
    state = staged(store, data_api, LOG) | {"rows": 9, "copied": copied}
    call(publish.handler, state)
    checks = sent(data_api, "INSERT INTO sparkify.check_results")
    assert f"COALESCE(CAST({literal} AS BIGINT), CAST(9 AS BIGINT)) AS expected" in checks
    assert f"CAST({literal} AS BIGINT) = CAST(9 AS BIGINT) THEN u.unreported" in checks
    assert f"f.load_id = '{LOAD_ID}' AND f.batch = '0'" in checks
    for name, path in statements.published_checks(datasets()["log_data"]).items():
        digest = sql.definition(path)
        assert f"CAST('{name}' AS VARCHAR(128)) AS name, CAST('{digest}' AS VARCHAR(16))" in checks


@pytest.mark.parametrize(
    ("members", "table"), [([SONG], True), ([file("log_data/empty.json", 0)], False)]
)
def test_what_has_no_range_sends_none(
    store: Store, data_api: FakeDataApi, members: list[Any], table: bool
) -> None:
    state = staged(store, data_api, *members)
    assert bool(state["table"]) is table
    call(publish.handler, state)
    assert not [text for text in data_api.statements if "BETWEEN" in text]


def test_a_reload_replaces_before_it_claims(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG)
    call(publish.handler, state, mode="reload")
    texts = data_api.statements
    replaced = next(n for n, text in enumerate(texts) if "'replaced'" in text)
    claim = next(n for n, text in enumerate(texts) if "claim: " in text)
    deleted = next(n for n, text in enumerate(texts) if "DELETE FROM sparkify.songplays" in text)
    inserted = next(n for n, text in enumerate(texts) if "INTO sparkify.songplays" in text)
    assert replaced < claim < deleted < inserted
    assert "'log_data', 'reload'," in sent(data_api, "INSERT INTO sparkify.loads")


def test_a_load_replaces_nothing(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG)
    call(publish.handler, state)
    texts = data_api.statements
    assert not [text for text in texts if "'replaced'" in text]
    # Of the facts only those go that an event with a smaller content takes the place of, and they are kept for an undo.
    [kept] = [n for n, text in enumerate(texts) if "INTO sparkify.songplay_versions" in text]
    [gone] = [n for n, text in enumerate(texts) if "DELETE FROM sparkify.songplays" in text]
    [new] = [n for n, text in enumerate(texts) if "INTO sparkify.songplays " in text]
    assert kept < gone < new
    assert "USING sparkify.songplay_versions AS v" in texts[gone]
    call(publish.handler, staged(store, data_api, LOG), mode="reload")
    more = {text for text in texts if "INTO sparkify.loads" not in text}
    assert more < set(data_api.statements)  # a reload does what a load does, and more


def test_the_ledger_rows(store: Store, data_api: FakeDataApi) -> None:
    bad = Reject(file("log_data/bad.json"), "é" * 1000, 3, "ts", 1207)
    gone = Reject(file("log_data/gone.json"), "deleted", status="missing")
    empty = file("log_data/empty.json", 0)
    state = staged(store, data_api, LOG, empty, rejects=(bad, gone))
    call(publish.handler, state)
    rows = {row["key"]: row for row in store.get_lines(f"loads/{LOAD_ID}/ledger/0.json")}
    assert rows[LOG] == {
        "bucket": "data",
        "key": LOG,
        "etag": ETAG,
        "size": 7,
        "status": "loaded",
        "lines": 10,
        "dataset": "log_data",
        "load_id": LOAD_ID,
        "batch": "0",
    }
    assert (rows["log_data/empty.json"]["status"], rows["log_data/empty.json"]["lines"]) == (
        "loaded",
        0,
    )
    assert rows["log_data/bad.json"]["status"] == "rejected"
    assert rows["log_data/bad.json"]["reason"] == "é" * 512  # 1,024 bytes
    assert [rows["log_data/bad.json"][f"error_{n}"] for n in ("line", "column", "code")] == [
        3,
        "ts",
        1207,
    ]
    assert rows["log_data/gone.json"]["status"] == "missing"


def test_the_staged_checks_go_into_the_ledger(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG)
    call(publish.handler, state)
    assert (
        "UNION ALL\nSELECT CAST('staged' AS VARCHAR(16)) AS checked, CAST('event_page_known' AS VARCHAR(128)) AS name, "
        f"CAST('{DEFINITION}' AS VARCHAR(16)) AS definition,\n"
        "    CAST(0 AS BIGINT) AS figure, CAST(0 AS BIGINT) AS expected"
    ) in sent(data_api, "INSERT INTO sparkify.check_results")


@pytest.mark.parametrize("attempt", [0, 1])
def test_what_an_earlier_attempt_left_goes_before_the_next(
    store: Store, data_api: FakeDataApi, attempt: int
) -> None:
    """A first attempt pays nothing for it; if one has committed all the same, the claim says so."""
    call(publish.handler, staged(store, data_api, LOG) | {"publish_attempt": attempt})
    gone = [text.split()[2] for text in data_api.statements if text.startswith("DELETE")]
    ledger = [f"sparkify.{name}" for name in ("files", "check_results", "loads", "left_out")]
    assert (gone[:4] == ledger) is (attempt > 0)
    assert ("sparkify.user_versions" in gone) is (attempt > 0)


def test_an_attempt_that_had_committed_is_published_again(
    store: Store, data_api: FakeDataApi
) -> None:
    state = staged(store, data_api, LOG)
    data_api.replies = [failed(4, "context: again: this batch is published already")]
    state = call(publish.handler, state)
    assert (state["outcome"], state["publish_attempt"]) == ("running", 1)
    assert call(publish.handler, state)["outcome"] == "published"
    assert "DELETE FROM sparkify.loads" in " ".join(data_api.submits[1]["Sqls"])


def test_published(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG, rejects=(Reject(file("log_data/bad.json"), "why", 3),))
    data_api.replies = [
        figures(
            count("log_data", rejects=True),
            ("rows", "songplays", 7, None),
            ("rows", "users", 2, None),
            ("check", "users_unique", 0, 0),
        )
    ]
    answer = call(publish.handler, state)
    assert answer.pop("spent")["calls"] == {"stage": 1, "publish": 1}
    assert answer == {"batch": "0", "outcome": "published"}
    found = results(store)
    assert (found["loaded"], found["rejected"]) == (1, 1)
    assert found["rows"] == {"event_stage": 10, "songplays": 7, "users": 2}
    assert [(c["name"], c["on"], c["passed"]) for c in found["checks"]] == [
        ("event_page_known", "staged", True),
        ("users_unique", "published", True),
    ]
    assert [(r["key"], r["line"], r["reason"]) for r in found["rejects"]] == [
        ("log_data/bad.json", 3, "why")
    ]


def test_a_batch_without_rows_writes_only_the_ledger(store: Store, data_api: FakeDataApi) -> None:
    state = staged(
        store,
        data_api,
        file("log_data/empty.json", 0),
        rejects=(Reject(file("log_data/bad.json"), "why"),),
    )
    assert call(publish.handler, state)["outcome"] == "published"
    tables = {"sparkify.songplays", "sparkify.users", "sparkify.time", "event_stage"}
    assert not [text for text in data_api.statements if any(table in text for table in tables)]
    assert data_api.statements[0] == "LOCK sparkify_loader.publish_lock"
    assert results(store)["loaded"] == 1
    assert results(store)["rows"] == {}


def test_the_other_half_is_next(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG, name="0.1", todo=["0.3", "0.4"], known=1, parts=4)
    answer = call(publish.handler, state)
    assert answer.pop("spent")["calls"] == {"stage": 1, "publish": 1}
    assert answer == {
        "batch": "0.3",
        "outcome": "next",
        "todo": ["0.4"],
        "suspects": [],
        "good": True,
        "known": 1,
        "parts": 4,
    }
    assert results(store, "0.1")["loaded"] == 1


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(running=1), "running"),
        (failed(7, "context: claim: 2 files are loaded already"), "loaded meanwhile"),
        (failed(1, 'ERROR: relation "sparkify_loader.publish_lock" does not exist'), "no tables"),
        (failed(9, "ERROR: 1023 DETAIL: Serializable isolation violation"), "running"),
        (failed(9, "ERROR: connection was closed"), "running"),
        (Reply("ABORTED", "Query was cancelled"), "running"),
        (failed(9, "ERROR: value too long for type character varying(64)"), "failed"),
        (failed(30, GUARD_FAILED), "failed"),
    ],
)
def test_what_the_end_asks_for(
    store: Store, data_api: FakeDataApi, reply: Reply, outcome: str
) -> None:
    state = staged(store, data_api, LOG)
    data_api.replies = [reply]
    answer = call(publish.handler, state)
    assert answer["outcome"] == outcome
    assert bool(answer.get("cause")) is (outcome == "failed")
    assert not list(store.keys(f"loads/{LOAD_ID}/results/"))


@pytest.mark.parametrize("members", [[LOG], [file("log_data/empty.json", 0)]])
def test_nothing_is_published_for_a_load_that_was_undone(
    store: Store, data_api: FakeDataApi, members: list[Any]
) -> None:
    """And it is not tried again: the next attempt would meet the same."""
    state = staged(store, data_api, *members)
    call(publish.handler, state)
    texts = data_api.statements
    undone = next(n for n, text in enumerate(texts) if "'undone: '" in text)
    assert "FROM sparkify.undone" in texts[undone]
    assert not [text for text in texts[:undone] if "INTO sparkify.songplays" in text]
    error = "context: undone: 20261124-000000-ffffffff has undone this load"
    data_api.replies = [failed(undone + 1, error)]
    answer = call(publish.handler, {**state, "publish_attempt": 1})
    assert (answer["outcome"], answer["cause"]) == ("failed", publish.UNDONE)


def test_a_lock_without_its_row_gets_it_back(store: Store, data_api: FakeDataApi) -> None:
    """By the step that creates tables; the ledger has nothing to do with it."""
    state = staged(store, data_api, LOG)
    call(publish.handler, state)
    claim = next(n for n, text in enumerate(data_api.statements) if "'lock: " in text)
    assert "WHERE holder = '" + LOAD_ID in data_api.statements[claim]
    error = "context: lock: publish_lock has 0 rows of this load, expected 1"
    data_api.replies = [failed(claim + 1, error)]
    assert call(publish.handler, {**state, "publish_attempt": 1})["outcome"] == "no tables"
    data_api.replies = [failed(claim + 1, error)]
    answer = call(publish.handler, {**state, "publish_attempt": publish.MAX_ATTEMPTS - 1})
    assert answer["outcome"] == "failed"
    assert answer["cause"] == f"Batch 0 could not be published: {error}"


@pytest.mark.parametrize(("named", "told"), [(False, "0"), (True, "1")])
def test_the_claim_is_told_whether_the_files_were_named(
    store: Store, data_api: FakeDataApi, named: bool, told: str
) -> None:
    """What was withdrawn is published only if it is asked for by its key."""
    call(publish.handler, staged(store, data_api, LOG), named=named)
    [claim] = [text for text in data_api.statements if "'claim: '" in text]
    assert f"{told} = 0 AND other.status = 'withdrawn'" in claim


def test_a_check_that_failed_is_named_with_its_figures(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG)
    data_api.replies = [failed(25, GUARD_FAILED)]
    answer = call(publish.handler, state)
    assert answer["cause"] == (
        "the check users_unique on the published rows failed: figure 2, expected 0"
    )
    assert answer["checks"][-1] == {
        "name": "users_unique",
        "on": "published",
        "batch": "0",
        "figure": 2,
        "expected": 0,
        "definition": "",  # Redshift's error does not say it
        "passed": False,
    }


def test_a_check_that_is_not_told_publishes_nothing(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG)
    guard = count("log_data") - 1
    data_api.replies = [failed(guard, "ERROR: Invalid digit, Value 'c', Pos 0, Type: Integer")]
    answer = call(publish.handler, state)
    assert answer["outcome"] == "failed"
    assert answer["checks"][-1]["name"] == "?"
    assert not answer["checks"][-1]["passed"]


@pytest.mark.parametrize(
    "reply", [failed(9, "ERROR: deadlock detected"), Reply("ABORTED"), Reply(running=1, lost=True)]
)
def test_another_attempt_has_a_token_of_its_own(
    store: Store, data_api: FakeDataApi, reply: Reply
) -> None:
    state = staged(store, data_api, LOG)
    data_api.replies = [reply]
    for _ in range(5):
        state = call(publish.handler, state)
        if state["outcome"] == "published":
            break
    assert state["outcome"] == "published"
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens) == 2


def test_statements_that_are_lost_every_time_fail_the_batch(
    store: Store, data_api: FakeDataApi
) -> None:
    state = staged(store, data_api, LOG)
    data_api.replies = [Reply(running=1, lost=True) for _ in range(20)]
    while state["outcome"] in ("staged", "running"):
        state = call(publish.handler, state)
    assert state["outcome"] == "failed"
    assert "no longer knows" in state["cause"]


def test_the_same_call_again_submits_the_same(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG)
    assert [call(publish.handler, state)["outcome"] for _ in range(2)] == ["published"] * 2
    assert data_api.submits[0] == data_api.submits[1]


def test_it_does_not_try_for_ever(store: Store, data_api: FakeDataApi) -> None:
    state = staged(store, data_api, LOG)
    data_api.replies = [failed(9, "ERROR: deadlock detected") for _ in range(20)]
    for _ in range(20):
        state = call(publish.handler, state)
        if state["outcome"] == "failed":
            break
    assert state["outcome"] == "failed"
    assert len(data_api.submits) == publish.MAX_ATTEMPTS


def test_waiting_for_the_lock_is_not_the_statements_time(
    store: Store, data_api: FakeDataApi, clock: Clock
) -> None:
    state = staged(store, data_api, LOG)
    reply = Reply(running=99)
    data_api.replies = [reply]
    for _ in range(5):
        state = call(publish.handler, state)
        clock.now += 601
    assert (state["outcome"], data_api.cancelled) == ("running", [])
    state = call(publish.handler, state)
    reply.done = 3  # the lock is granted
    clock.now += 601
    state = call(publish.handler, state)
    assert len(data_api.cancelled) == 1
    state = call(publish.handler, state)
    assert state["outcome"] == "failed"  # another attempt would take as long
    assert "took over 600 seconds" in state["cause"]
    assert len(data_api.submits) == 1


def test_a_cancelled_publish_that_committed_is_published(
    store: Store, data_api: FakeDataApi, clock: Clock
) -> None:
    state = staged(store, data_api, LOG)
    data_api.replies = [Reply(running=99, done=1, ends_anyway=True)]
    state = call(publish.handler, state)
    clock.now += 601
    state = call(publish.handler, state)
    assert len(data_api.cancelled) == 1
    assert call(publish.handler, state)["outcome"] == "published"
    assert len(data_api.submits) == 1


@pytest.mark.parametrize("members", [[LOG], [file("log_data/empty.json", 0)]])
def test_without_tables_it_is_staged_and_published_anew(
    store: Store, data_api: FakeDataApi, members: list[Any]
) -> None:
    """The very first file of a stack may be empty: then publishing is the first to meet no tables."""
    state = staged(store, data_api, *members)
    data_api.replies = [failed(1, 'ERROR: relation "sparkify_loader.publish_lock" does not exist')]
    state = call(publish.handler, state)
    assert state["outcome"] == "no tables"
    if state["table"]:
        data_api.replies = [staged_reply(LOG)]
    state = call(stage.handler, {**state, "outcome": "again"})
    assert state["outcome"] == "staged"
    assert call(publish.handler, state)["outcome"] == "published"
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens)


def test_what_was_staged_for_another_contract_is_staged_again(
    store: Store, data_api: FakeDataApi
) -> None:
    """Its columns may be others, or lack a mask; a statement that is on its way is waited for first."""
    state = staged(store, data_api, LOG) | {"contract": "0123456789abcdef"}
    again = call(publish.handler, state)
    assert (again["outcome"], again["attempt"]) == ("no tables", state["attempt"] + 1)
    assert data_api.submits == []
    data_api.replies = [Reply(running=1)]
    running = call(publish.handler, state | {"contract": ""})
    assert running["outcome"] == "running"
    then = call(publish.handler, running | {"contract": state["contract"]})
    assert then["outcome"] == "published"
