"""Undo of a load: what it looks at, what it refuses and why, its transactions, and what each end of them asks for."""

import re
from pathlib import Path
from typing import Any

import pytest
import undo
from loader import sql, statements
from loader.dataapi import MAX_STATEMENTS, StatementFailed
from loader.sql import NO_TIME
from loader.state import Load, UndoTodo

from tests.unit.fakes import Clock, FakeDataApi, Reply, failed
from tests.unit.loads import EXECUTION, FIRST, LAST, LOAD_ID, call

WANTED = "20261122-101112-1a2b3c4d"
LATER = "20261123-101112-2b3c4d5e"
FILES = [("files", "log_data", 2)]
DATASETS = [("dataset", "log_data", 2)]
BOTH = ("log_data", "song_data")
ROWS: list[tuple[Any, ...]] = [("songplays", 7, FIRST, LAST), ("users", 3, None, None)]
SONGS: list[tuple[Any, ...]] = [("songs", 4, None, None)]
TAKES = {"files": 2, "rows": {"songplays": 7, "users": 3}}
NO_TABLES = failed(1, 'ERROR: relation "sparkify.undone" does not exist')
LEFT_OUT = f"context: undo: {LATER} left out rows of it"
ONE_MORE = "context: undo: it has published 3 batches"
GUARD_FAILED = (
    "ERROR: Invalid digit, Value 'c', Pos 0, Type: Integer DETAIL: code: 1207 "
    "context: check plays_gone: figure 3, expected 0"
)


def sequence(dataset: str, batch: str = "0") -> list[str]:
    """The statements of the transaction that undoes a load's files of this dataset."""
    load: Load = {"load_id": LOAD_ID, "execution": EXECUTION, "undo": {"load_id": WANTED}}
    of: UndoTodo = {"dataset": dataset, "batch": batch, "first_start": FIRST, "last_start": LAST}
    names = undo.names_of({**load, "undoing": {"batches": 2, "todo": [of]}})
    return list(statements.undo(dataset, names))


def checks_of(*of: str) -> list[str]:
    return [Path(name).stem for each in of for name in sql.files(f"datasets/{each}/checks/undone")]


CHECKS = checks_of("log_data")
GUARD = next(n for n, text in enumerate(sequence("log_data"), 1) if "AS guard" in text)


def found(*rows: tuple[str, str, int | None], batches: int = 2) -> Reply:
    """Redshift's answer to the look."""
    published = [("batches", "loads", batches), ("early", "loads", 0)]
    return Reply(rows={1: [*FILES, *DATASETS, *published, *rows]})


def counted(*rows: tuple[Any, ...]) -> Reply:
    """Redshift's answer to what would be taken."""
    return Reply(rows={1: rows or ROWS})


def done(dataset: str = "log_data", **more: Any) -> Reply:
    """A transaction that is committed; its last statement gives the checks."""
    rows = [(name, 0, 0) for name in checks_of(dataset)]
    return Reply(rows={len(sequence(dataset)): rows}, **more)


def asked(**changes: Any) -> dict[str, Any]:
    """The load as the plan hands it on."""
    return {"mode": "undo", "outcome": "undo", "undo": {"load_id": WANTED}} | changes


def until_it_ends(most: int = 20, **changes: Any) -> list[dict[str, Any]]:
    """The step, called again while it runs, as the state machine does."""
    answers = [call(undo.handler, **asked(**changes))]
    while answers[-1]["outcome"] == "running" and len(answers) < most:
        answers.append(call(undo.handler, **answers[-1]))
    return answers


def outcomes(answers: list[dict[str, Any]]) -> list[str]:
    return [answer["outcome"] for answer in answers]


def steps(data_api: FakeDataApi) -> list[str]:
    """What was submitted, in order: look, rows, or undo."""
    return [request["StatementName"].split()[1] for request in data_api.submits]


def test_undone(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), counted(), done()]
    [answer] = until_it_ends()
    assert (answer["outcome"], answer["statement"]) == ("undone", None)
    assert answer["undo"] == {"load_id": WANTED, **TAKES, "done": ["log_data"]}
    assert [(c["name"], c["on"], c["passed"]) for c in answer["checks"]] == [
        (name, "published", True) for name in CHECKS
    ]
    assert steps(data_api) == ["look", "rows", "undo"]


def test_the_look(data_api: FakeDataApi) -> None:
    """Two SELECTs, outside of the transaction: nobody waits for them. The second asks of what the first has found."""
    data_api.replies = [found(), counted(), done()]
    until_it_ends()
    look, rows = data_api.submits[:2]
    for request in (look, rows):
        [text] = request["Sqls"]
        assert text.startswith("SELECT")
        assert f"load_id = '{WANTED}'" in text
        assert request["StatementName"].startswith(LOAD_ID)
    for table in ("files", "loads", "left_out", "schema_version", "undone"):
        assert f"FROM sparkify.{table} AS" in look["Sqls"][0]
    for table in ("songplays AS f", "songplay_versions AS v", "users"):
        assert f"FROM sparkify.{table}\n" in rows["Sqls"][0]
    for table in ("songplays", "users", "songs"):
        assert f"sparkify.{table}" not in look["Sqls"][0]


OF = {"log_data": {"songplays", "users"}, "song_data": {"songs"}}


@pytest.mark.parametrize("own", BOTH)
def test_only_the_datasets_that_the_load_has(data_api: FakeDataApi, own: str) -> None:
    """What the other's files would be taken from is not read, and not written."""
    published = [("batches", "loads", 1), ("early", "loads", 0)]
    rows = {"log_data": ROWS, "song_data": SONGS}[own]
    data_api.replies = [Reply(rows={1: [("files", own, 2), ("dataset", own, 2), *published]})]
    data_api.replies += [Reply(rows={1: rows}), done(own)]
    [answer] = until_it_ends()
    assert answer["outcome"] == "undone"
    assert set(answer["undo"]["rows"]) == OF[own]
    assert [check["name"] for check in answer["checks"]] == checks_of(own) != []
    [counts], texts = data_api.submits[1]["Sqls"], data_api.submits[2]["Sqls"]
    [other] = OF.keys() - {own}
    assert not [table for table in OF[other] if f"sparkify.{table}\n" in counts]
    everything = "\n".join(texts)
    for name in checks_of(other):
        assert f"CAST('{name}' AS VARCHAR(128))" not in everything
    for dataset, table in (("log_data", "user_versions"), ("song_data", "song_versions")):
        assert (f"DELETE FROM sparkify.{table}" in everything) is (dataset == own)
    assert f"AND dataset = '{own}' AND status = 'loaded'" in everything


# ---------------------------------------------------------------- a load of several datasets
def of_both(*rows: tuple[str, str, int]) -> Reply:
    """The look of a load of both datasets."""
    published = [("batches", "loads", 2), ("early", "loads", 0)]
    had = [("dataset", "song_data", 3), ("dataset", "log_data", 2)]
    files = [("files", "song_data", 3), ("files", "log_data", 2)]
    left = [row for row in files if ("undone", row[1], 1) not in rows]
    return Reply(rows={1: [*left, *had, *published, *rows]})


COUNTS = Reply(rows={1: ROWS, 2: SONGS})
WHOLE = {"load_id": WANTED, "files": 5, "rows": {"songplays": 7, "users": 3, "songs": 4}}


def undone_of(data_api: FakeDataApi) -> list[str]:
    """The datasets whose transactions were submitted, in their order."""
    names = [request["StatementName"].split() for request in data_api.submits]
    return [name[3] for name in names if name[1] == "undo"]


def test_each_dataset_is_a_transaction_of_its_own(data_api: FakeDataApi) -> None:
    """However many there are, none is longer for it; each has its own range, and its own figures in the ledger."""
    data_api.replies = [of_both(), COUNTS, done("log_data"), done("song_data")]
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "undone"]
    assert answers[0]["undo"] == {**WHOLE, "done": ["log_data"]}
    assert answers[1]["undo"] == {**WHOLE, "done": list(BOTH)}
    assert [check["name"] for check in answers[1]["checks"]] == checks_of(*BOTH)
    assert steps(data_api) == ["look", "rows", "undo", "undo"]
    log, song = data_api.submits[2:]
    assert log["Sqls"] == sequence("log_data", "0")
    ranges = r"TIMESTAMP '[^']*'"
    assert not re.findall(ranges, "".join(song["Sqls"]))
    assert "batch = '1'" in "".join(song["Sqls"])
    assert log["ClientToken"] != song["ClientToken"]
    for request, name in ((log, "log_data"), (song, "song_data")):
        [written] = [text for text in request["Sqls"] if "INTO sparkify.undone" in text]
        assert written.endswith(f"'{EXECUTION}', '{name}')")


def test_asked_again_it_goes_on_with_what_is_left(data_api: FakeDataApi) -> None:
    rest = of_both(("undone", "log_data", 1))
    data_api.replies = [rest, counted(*SONGS), done("song_data")]
    [answer] = until_it_ends()
    assert answer["outcome"] == "undone"
    assert answer["undo"] == {
        "load_id": WANTED, "files": 3, "rows": {"songs": 4}, "done": list(BOTH)
    }  # fmt: skip
    assert undone_of(data_api) == ["song_data"]
    assert "batch = '1'" in "".join(data_api.submits[2]["Sqls"])


@pytest.mark.parametrize("rows", [[("undone", "", 1)], [("undone", n, 1) for n in BOTH]])
def test_what_is_undone_of_all_its_datasets_is_undone(
    data_api: FakeDataApi, rows: list[tuple[str, str, int]]
) -> None:
    """'' is of a version that undid all of them at once."""
    data_api.replies = [of_both(*rows)]
    [answer] = until_it_ends()
    assert (answer["outcome"], answer["undo"]["done"]) == ("undone", list(BOTH))
    assert steps(data_api) == ["look"]


def test_the_first_that_fails_is_looked_at_again_and_the_done_one_is_not_undone_twice(
    data_api: FakeDataApi,
) -> None:
    broken = failed(9, "ERROR: deadlock detected")
    data_api.replies = [of_both(), COUNTS, done("log_data"), broken]
    data_api.replies += [of_both(("undone", "log_data", 1)), counted(*SONGS), done("song_data")]
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "running", "undone"]
    assert answers[-1]["undo"] == {**WHOLE, "done": list(BOTH)}
    assert undone_of(data_api) == ["log_data", "song_data", "song_data"]
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens)


def test_a_load_that_left_out_rows_meanwhile_stops_it_and_what_is_done_is_said(
    data_api: FakeDataApi,
) -> None:
    data_api.replies = [of_both(), COUNTS, done("log_data"), failed(3, LEFT_OUT)]
    data_api.replies += [of_both(("undone", "log_data", 1), ("later", LATER, 5))]
    answer = until_it_ends()[-1]
    assert answer["outcome"] == "refused"
    assert f"{LATER} (5 rows)" in answer["cause"]
    assert answer["cause"].endswith(
        " The rows of log_data are already deleted; start the same undo again to continue with the rest."
    )
    assert answer["undo"]["done"] == ["log_data"]


@pytest.mark.parametrize(
    "reply", [failed(9, "ERROR: permission denied for relation songs"), failed(GUARD, GUARD_FAILED)]
)
def test_what_is_done_is_said_where_the_next_fails(data_api: FakeDataApi, reply: Reply) -> None:
    data_api.replies = [of_both(), COUNTS, done("log_data"), reply]
    answer = until_it_ends()[-1]
    assert answer["outcome"] == "failed"
    assert "The rows of log_data are already deleted" in answer["cause"]
    assert [check["name"] for check in answer["checks"] if check["passed"]] == CHECKS


def test_more_datasets_than_a_batch_takes_are_counted(data_api: FakeDataApi) -> None:
    """What is counted of each is a statement of its own."""
    load: Load = {"load_id": LOAD_ID, "undo": {"load_id": WANTED}}
    data_api.replies = [Reply(rows={40: [(1,)]}), Reply(rows={1: [(2,)], 5: [(3,)]})]
    answers = list(undo.query(load, "rows", ["SELECT 1"] * 45, 0))
    assert [len(request["Sqls"]) for request in data_api.submits] == [MAX_STATEMENTS, 5]
    assert len(answers) == 45
    assert [n for n, rows in enumerate(answers, 1) if rows] == [40, 41, 45]


def test_the_transaction(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), counted(), done()]
    until_it_ends()
    request = data_api.submits[2]
    texts = request["Sqls"]
    assert request["ExecutionMode"] == "TRANSACTION"
    assert len(texts) <= MAX_STATEMENTS
    assert texts[0] == "LOCK sparkify_loader.publish_lock"
    assert texts[1] == f"UPDATE sparkify_loader.publish_lock\nSET holder = '{LOAD_ID}'"
    assert "'undo: '" in texts[2]  # what the look has seen holds behind the lock, too
    assert "b.batches <> 2" in texts[2]
    facts = next(n for n, text in enumerate(texts) if text.startswith("DELETE FROM sparkify.song"))
    withdrawn = next(n for n, text in enumerate(texts) if "'withdrawn'" in text)
    never = next(n for n, text in enumerate(texts) if "INTO sparkify.undone" in text)
    checks = next(n for n, text in enumerate(texts) if "INTO sparkify.check_results" in text)
    [guard] = [n for n, text in enumerate(texts) if "AS guard" in text]
    assert 2 < facts < withdrawn < never < checks < guard
    assert guard == len(texts) - 2  # last, but for the figures
    assert request["WaitTimeSeconds"] == 20
    assert texts[never].endswith(f"VALUES ('{WANTED}', '{LOAD_ID}', '{EXECUTION}', 'log_data')")
    assert f"reason = 'undone by {LOAD_ID}'" in texts[withdrawn]
    of_it = f"WHERE load_id = '{WANTED}' AND dataset = 'log_data' AND status = 'loaded'"
    assert texts[withdrawn].endswith(of_it)


def test_its_one_guard_counts_the_checks(data_api: FakeDataApi) -> None:
    assert {"plays_gone", "plays_known", "plays_unique", "times_played"} <= set(CHECKS)
    data_api.replies = [found(), counted(), done()]
    until_it_ends()
    [guard] = [text for text in data_api.statements if "AS guard" in text]
    assert f"r.results = {len(CHECKS)} AND r.failed = 0" in guard
    assert f"c.load_id = '{LOAD_ID}' AND c.batch = '0'" in guard
    [taken] = [text for text in data_api.statements if "INTO sparkify.check_results" in text]
    for name in CHECKS:
        assert f"CAST('published' AS VARCHAR(16)) AS checked, CAST('{name}' AS" in taken


@pytest.mark.parametrize(
    ("plays", "first", "last"),
    [
        (("songplays", 7, FIRST, LAST), FIRST, LAST),
        (("songplays", 0, None, None), NO_TIME, NO_TIME),  # its plays are all under other loads
    ],
)
def test_the_range_of_its_plays_bounds_what_reads_the_facts(
    data_api: FakeDataApi, plays: tuple[Any, ...], first: str, last: str
) -> None:
    data_api.replies = [found(), counted(plays, *ROWS[1:]), done()]
    until_it_ends()
    texts = data_api.submits[2]["Sqls"]
    ranges = r"BETWEEN TIMESTAMP '([^']*)' AND TIMESTAMP '([^']*)'"
    assert {pair for text in texts for pair in re.findall(ranges, text)} == {(first, last)}
    [gone] = [text for text in texts if text.startswith("DELETE FROM sparkify.songplays\n")]
    assert f"start_time BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last}'" in gone


@pytest.mark.parametrize(
    ("name", "literal"), [("It's; DROP", "It%27s%3B%20DROP"), ("a--b", "a-%2Db")]
)
def test_an_execution_may_have_any_name(data_api: FakeDataApi, name: str, literal: str) -> None:
    data_api.replies = [found(), counted(), done()]
    [answer] = until_it_ends(execution=f"arn:{name}")
    assert answer["outcome"] == "undone"
    assert f"'{LOAD_ID}', 'arn:{literal}', 'log_data')" in "".join(data_api.statements)


def test_a_dry_run_says_what_it_would_take_and_takes_nothing(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), counted()]
    [answer] = until_it_ends(dry_run=True)
    assert answer["outcome"] == "planned"
    assert answer["undo"] == {"load_id": WANTED, **TAKES, "done": []}
    assert steps(data_api) == ["look", "rows"]


UNKNOWN = f"undo: there is no load {WANTED}. The table loads lists all loads."
EARLY = (
    f"undo: load {WANTED} was published by a version without undo, so it is not known which of its rows other files "
    "have too."
)
NO_SQL = f"undo: load {WANTED} has files of clicks, but there is no sql/datasets/clicks/undo/."


def stand_under_it(named: str) -> str:
    return (
        f"undo: rows of other loads are recorded under load {WANTED}, because it inserted them first or took them "
        f"over: {named}. Without it their files would be incomplete. Undo these first; their files can be "
        "loaded again by key afterwards."
    )


REFUSED = [
    ([], UNKNOWN),
    ([("early", "loads", 0)], UNKNOWN),
    ([("dataset", "log_data", 0), ("early", "loads", 1)], EARLY),
    ([("dataset", "log_data", 2), ("dataset", "clicks", 1)], NO_SQL),
    ([*DATASETS, ("later", LATER, 5)], stand_under_it(f"{LATER} (5 rows)")),
    (
        [*DATASETS, *(("later", f"{LATER[:-1]}{n}", n + 1) for n in (2, 1, 0))],
        stand_under_it(", ".join(f"{LATER[:-1]}{n} ({n + 1} rows)" for n in range(3))),
    ),
    (
        [*DATASETS, *(("later", f"{LATER[:-1]}{n}", n + 1) for n in range(7))],
        stand_under_it(
            ", ".join(f"{LATER[:-1]}{n} ({n + 1} rows)" for n in range(5)) + " and 2 more"
        ),
    ),
]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(("rows", "cause"), REFUSED)
def test_refused_with_the_reason(
    data_api: FakeDataApi, rows: list[Any], cause: str, dry_run: bool
) -> None:
    data_api.replies = [Reply(rows={1: rows})]
    [answer] = until_it_ends(dry_run=dry_run)
    assert (answer["outcome"], answer["cause"]) == ("refused", cause)
    assert steps(data_api) == ["look"]


def test_a_load_that_loaded_nothing_can_be_undone(data_api: FakeDataApi) -> None:
    """Of empty or bad files, say; SUM over no rows is NULL."""
    nothing = [("songplays", 0, None, None), ("users", None, None, None)]
    data_api.replies = [Reply(rows={1: [("dataset", "log_data", None)]}), counted(*nothing)]
    data_api.replies.append(done("log_data"))
    [answer] = until_it_ends()
    assert answer["outcome"] == "undone"
    assert answer["undo"] == {
        "load_id": WANTED, "files": 0, "rows": {"songplays": 0, "users": 0}, "done": ["log_data"]
    }  # fmt: skip


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_load_that_was_undone_before_is_not_undone_again(
    data_api: FakeDataApi, dry_run: bool
) -> None:
    """Nor refused, whatever was loaded since."""
    data_api.replies = [found(("undone", "log_data", 1), ("later", LATER, 5))]
    [answer] = until_it_ends(dry_run=dry_run)
    assert answer["outcome"] == "undone"
    assert steps(data_api) == ["look"]


def test_an_undo_that_takes_its_time(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), counted(), done(running=2)]
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "running", "undone"]
    assert steps(data_api) == ["look", "rows", "undo"]
    assert answers[-1]["undo"] == {"load_id": WANTED, **TAKES, "done": ["log_data"]}


@pytest.mark.parametrize(
    "reply",
    [
        failed(9, "ERROR: 1023 DETAIL: Serializable isolation violation on table - 100"),
        failed(9, "ERROR: connection was closed by the server"),
        failed(GUARD, "FATAL: the cluster is restarting"),
        Reply("ABORTED", "Query was cancelled"),
    ],
)
def test_what_is_worth_another_try_is_looked_at_again(data_api: FakeDataApi, reply: Reply) -> None:
    data_api.replies = [found(), counted(), reply, found(), counted(), done()]
    assert outcomes(until_it_ends()) == ["running", "undone"]
    assert steps(data_api) == ["look", "rows", "undo"] * 2
    assert len({request["ClientToken"] for request in data_api.submits}) == 6


@pytest.mark.parametrize("error", [LEFT_OUT, "ERROR: Invalid digit, Value 'u', Pos 0"])
def test_a_load_that_was_published_meanwhile_is_looked_at(
    data_api: FakeDataApi, error: str
) -> None:
    """It left out rows of this one between the look and the lock: the transaction fails, and the next look names it."""
    data_api.replies = [found(), counted(), failed(3, error), found(("later", LATER, 5))]
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "refused"]
    assert answers[-1]["cause"] == stand_under_it(f"{LATER} (5 rows)")
    assert steps(data_api) == ["look", "rows", "undo", "look"]


@pytest.mark.parametrize("error", [ONE_MORE, "ERROR: Invalid digit, Value 'u', Pos 0"])
def test_a_batch_that_it_published_meanwhile_is_looked_at(
    data_api: FakeDataApi, error: str
) -> None:
    """The load still runs, and its plays have a wider range now."""
    wider = ("songplays", 9, FIRST, "2018-11-30 23:59:59.000000")
    data_api.replies = [found(), counted(), failed(3, error)]
    data_api.replies += [found(batches=3), counted(wider, *ROWS[1:]), done()]
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "undone"]
    assert answers[-1]["undo"]["rows"]["songplays"] == 9
    assert steps(data_api) == ["look", "rows", "undo"] * 2
    first, second = (data_api.submits[n]["Sqls"] for n in (2, 5))
    assert "b.batches <> 2" in first[2]
    assert "b.batches <> 3" in second[2]
    assert not [text for text in first if wider[3] in text]
    assert [text for text in second if wider[3] in text]
    assert not [text for text in second if LAST in text]


@pytest.mark.parametrize("committed", [True, False])
def test_a_statement_that_was_lost_may_have_committed(
    data_api: FakeDataApi, committed: bool
) -> None:
    """Then the next look says so, and the report still says what was taken."""
    nothing_left = [*DATASETS]
    data_api.replies = [found(), counted(), Reply(running=1, lost=True)]
    data_api.replies += (
        [Reply(rows={1: [*nothing_left, ("undone", "log_data", 1)]})]
        if committed
        else [found(), counted(), done()]
    )
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "running", "undone"]
    assert answers[-1]["undo"] == {"load_id": WANTED, **TAKES, "done": ["log_data"]}
    again = ["look"] if committed else ["look", "rows", "undo"]
    assert steps(data_api) == ["look", "rows", "undo", *again]


def test_the_same_call_again_submits_the_same(data_api: FakeDataApi) -> None:
    """A call whose answer was lost is repeated by Step Functions."""
    data_api.replies = [found(), counted(), done()]
    answers = [call(undo.handler, **asked()) for _ in range(2)]
    assert outcomes(answers) == ["undone", "undone"]
    assert data_api.submits[:3] == data_api.submits[3:]


@pytest.mark.parametrize("lost", [True, False])
def test_it_does_not_try_for_ever(data_api: FakeDataApi, lost: bool) -> None:
    for _ in range(30):
        reply = Reply(running=1, lost=True) if lost else failed(9, "ERROR: deadlock detected")
        data_api.replies += [found(), counted(), reply]
    answer = until_it_ends(most=50)[-1]
    assert answer["outcome"] == "failed"
    assert answer["cause"] == (
        "The Data API no longer knows the statement that undid the files of log_data."
        if lost
        else "Nothing was undone: ERROR: deadlock detected"
    )
    assert steps(data_api).count("undo") == undo.MAX_ATTEMPTS + 1


def test_a_check_that_failed_is_named_with_its_figures(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), counted(), failed(GUARD, GUARD_FAILED)]
    [answer] = until_it_ends()
    assert answer["outcome"] == "failed"
    assert answer["cause"] == (
        "the check plays_gone on the published rows failed: figure 3, expected 0"
    )
    [check] = answer["checks"]
    assert (check["name"], check["figure"], check["expected"]) == ("plays_gone", 3, 0)
    assert check["passed"] is False


@pytest.mark.parametrize(
    "error", ["ERROR: permission denied for relation users", "ERROR: column x does not exist"]
)
def test_what_no_try_mends_fails(data_api: FakeDataApi, error: str) -> None:
    data_api.replies = [found(), counted(), failed(9, error)]
    [answer] = until_it_ends()
    assert (answer["outcome"], answer["cause"]) == ("failed", f"Nothing was undone: {error}")
    assert answer["statement"] is None


def test_waiting_for_the_lock_is_not_the_statements_time(
    data_api: FakeDataApi, clock: Clock
) -> None:
    reply = Reply(running=99)
    data_api.replies = [found(), counted(), reply]
    load = call(undo.handler, **asked())
    for _ in range(3):
        clock.now += 601
        load = call(undo.handler, **load)
    assert (load["outcome"], data_api.cancelled) == ("running", [])
    reply.done = 1  # the lock is had
    clock.now += 601
    load = call(undo.handler, **load)
    assert (load["outcome"], len(data_api.cancelled)) == ("running", 1)


@pytest.mark.parametrize("ends_anyway", [False, True])
def test_cancelled_past_its_limit(data_api: FakeDataApi, clock: Clock, ends_anyway: bool) -> None:
    data_api.replies = [found(), counted(), done(running=99, done=1, ends_anyway=ends_anyway)]
    load = call(undo.handler, **asked())
    clock.now += 601
    load = call(undo.handler, **load)
    assert (load["outcome"], len(data_api.cancelled)) == ("running", 1)
    load = call(undo.handler, **load)
    if ends_anyway:  # it has committed all the same
        assert load["outcome"] == "undone"
        assert len(load["checks"]) == len(CHECKS)
    else:  # another attempt would take as long
        assert load["outcome"] == "failed"
        assert "took over 600 seconds" in load["cause"]
    assert steps(data_api) == ["look", "rows", "undo"]


@pytest.mark.parametrize(
    "reply", [NO_TABLES, failed(1, "ERROR: column d.dataset does not exist in d")]
)
def test_tables_that_are_not_there_or_too_old_are_made_first(
    data_api: FakeDataApi, reply: Reply
) -> None:
    data_api.replies = [reply, found(), counted(), done()]
    load = call(undo.handler, **asked())
    assert load["outcome"] == "no tables"
    assert call(undo.handler, **load)["outcome"] == "undone"
    assert steps(data_api) == ["look", "look", "rows", "undo"]
    assert len({request["ClientToken"] for request in data_api.submits}) == 4


def test_tables_that_are_dropped_after_the_look_are_made_first(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), counted(), NO_TABLES, found(), counted(), done()]
    load = call(undo.handler, **asked())
    assert load["outcome"] == "no tables"
    assert call(undo.handler, **load)["outcome"] == "undone"
    assert steps(data_api) == ["look", "rows", "undo", "look", "rows", "undo"]


def test_tables_that_stay_away_fail(data_api: FakeDataApi) -> None:
    data_api.replies = [NO_TABLES, NO_TABLES, NO_TABLES]
    load = asked()
    for _ in range(2):
        load = call(undo.handler, **load)
        assert load["outcome"] == "no tables"
    with pytest.raises(StatementFailed, match="does not exist"):
        call(undo.handler, **load)


@pytest.mark.parametrize(
    "reply",
    [
        failed(1, "ERROR: 1023 DETAIL: Serializable isolation violation"),
        failed(1, "FATAL: the cluster is restarting"),
        Reply("ABORTED"),
    ],
)
def test_a_look_that_is_interrupted_is_repeated(data_api: FakeDataApi, reply: Reply) -> None:
    """Nobody but the person who asked would start the undo again."""
    data_api.replies = [reply, found(), counted(), done()]
    assert outcomes(until_it_ends()) == ["running", "undone"]
    assert steps(data_api) == ["look", "look", "rows", "undo"]
    assert len({request["ClientToken"] for request in data_api.submits}) == 4


def test_a_look_that_is_always_interrupted_fails(data_api: FakeDataApi) -> None:
    data_api.replies = [failed(1, "FATAL: the cluster is restarting") for _ in range(20)]
    with pytest.raises(StatementFailed, match="restarting"):
        until_it_ends()
    assert steps(data_api) == ["look"] * (undo.MAX_ATTEMPTS + 1)


def test_a_look_that_no_try_mends_fails(data_api: FakeDataApi) -> None:
    data_api.replies = [failed(1, "ERROR: permission denied for relation loads")]
    with pytest.raises(StatementFailed, match=rf"look of {WANTED}: ERROR: permission denied"):
        until_it_ends()


@pytest.mark.parametrize("reply", [failed(1, "ERROR: 1023"), Reply("ABORTED")])
def test_the_second_look_that_is_interrupted_is_repeated_with_the_first(
    data_api: FakeDataApi, reply: Reply
) -> None:
    """What the two say belongs together: the load may have published meanwhile."""
    data_api.replies = [found(), reply, found(), counted(), done()]
    assert outcomes(until_it_ends()) == ["running", "undone"]
    assert steps(data_api) == ["look", "rows", "look", "rows", "undo"]
    assert len({request["ClientToken"] for request in data_api.submits}) == 5
