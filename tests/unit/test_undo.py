"""Undo of a load: what it looks at, what it refuses and why, its transaction, and what each end of that asks for."""

from pathlib import Path
from typing import Any

import pytest
import undo
from loader import sql
from loader.dataapi import MAX_STATEMENTS, StatementFailed
from loader.datasets import datasets

from tests.unit.fakes import Clock, FakeDataApi, Reply, failed
from tests.unit.loads import EXECUTION, LOAD_ID, call

WANTED = "20261122-101112-1a2b3c4d"
LATER = "20261123-101112-2b3c4d5e"
FILES = [("files", "loaded", 2), ("files", "rejected", 1)]
DATASETS = [("dataset", "log_data", 2), ("dataset", "song_data", 0)]
ROWS = [("rows", "songplays", 7), ("rows", "users", 3), ("rows", "songs", 0)]
TAKES = {"files": 2, "rows": {"songplays": 7, "users": 3, "songs": 0}}
NO_TABLES = failed(1, 'ERROR: relation "sparkify.undone" does not exist')
LEFT_OUT = f"context: undo: {LATER} left out rows of it"
GUARD_FAILED = (
    "ERROR: Invalid digit, Value 'c', Pos 0, Type: Integer DETAIL: code: 1207 "
    "context: check load_gone: figure 3, expected 0"
)
GUARD = next(n for n, text in enumerate(undo.statements(), 1) if "AS guard" in text)
FOLDERS = ["checks/undone", *(f"checks/undone/{name}" for name in datasets())]
CHECKS = [Path(name).stem for folder in FOLDERS for name in sql.files(folder)]


def found(*rows: tuple[str, str, int | None]) -> Reply:
    """Redshift's answer to the look."""
    return Reply(rows={1: [*FILES, *DATASETS, ("early", "loads", 0), *ROWS, *rows]})


def done(**more: Any) -> Reply:
    """A transaction that is committed; its last statement gives the checks."""
    return Reply(rows={len(undo.statements()): [(name, 0, 0) for name in CHECKS]}, **more)


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
    """What was submitted, in order: look, or undo."""
    return ["look" if len(request["Sqls"]) == 1 else "undo" for request in data_api.submits]


def test_undone(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), done()]
    [answer] = until_it_ends()
    assert (answer["outcome"], answer["statement"]) == ("undone", None)
    assert answer["undo"] == {"load_id": WANTED, **TAKES}
    assert [(c["name"], c["on"], c["passed"]) for c in answer["checks"]] == [
        (name, "published", True) for name in CHECKS
    ]
    assert steps(data_api) == ["look", "undo"]


def test_the_look(data_api: FakeDataApi) -> None:
    """One SELECT, outside of the transaction: nobody waits for it."""
    data_api.replies = [found(), done()]
    until_it_ends()
    look = data_api.submits[0]
    [text] = look["Sqls"]
    assert text.startswith("SELECT")
    assert data_api.parameters(0) == {"undone_load": WANTED}
    for table in ("songplays", "users", "songs"):
        assert f"FROM sparkify.{table}\n" in text
    assert look["StatementName"].startswith(LOAD_ID)


def test_the_transaction(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), done()]
    until_it_ends()
    request = data_api.submits[1]
    texts = request["Sqls"]
    assert request["ExecutionMode"] == "TRANSACTION"
    assert len(texts) <= MAX_STATEMENTS
    assert texts[0] == "LOCK sparkify.publish_lock"
    assert "'undo: '" in texts[1]  # what the look has seen holds behind the lock, too
    facts = next(n for n, text in enumerate(texts) if text.startswith("DELETE FROM sparkify.song"))
    withdrawn = next(n for n, text in enumerate(texts) if "'withdrawn'" in text)
    never = next(n for n, text in enumerate(texts) if "INTO sparkify.undone" in text)
    checks = next(n for n, text in enumerate(texts) if "INTO sparkify.check_results" in text)
    guards = [n for n, text in enumerate(texts) if "AS guard" in text]
    assert 1 < facts < withdrawn < never < checks < guards[0]
    assert guards == list(range(guards[0], len(texts) - 1))  # last, but for the figures
    assert [
        name for n, name in zip(guards, CHECKS, strict=True) if f"'check {name}: " in texts[n]
    ] == CHECKS
    assert request["WaitTimeSeconds"] == 20
    assert data_api.parameters(1) == {
        "load_id": LOAD_ID,
        "batch": "0",
        "execution": EXECUTION,
        "undone_load": WANTED,
    }


def test_every_check_of_an_undo_has_its_guard() -> None:
    assert {"load_gone", "plays_known", "rows_unique", "times_played"} <= set(CHECKS)
    guards = [text for text in undo.statements() if "AS guard" in text]
    assert len(guards) == len(CHECKS)


def test_a_check_of_one_dataset_is_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = sql.files
    of_songs = {"checks/undone/song_data": ["checks/undone/plays_known.sql"]}
    monkeypatch.setattr(
        sql, "files", lambda f: [] if f == "checks/undone" else of_songs.get(f, plain(f))
    )
    assert "'check plays_known: " in "".join(undo.statements())


def test_a_dry_run_says_what_it_would_take_and_takes_nothing(data_api: FakeDataApi) -> None:
    data_api.replies = [found()]
    [answer] = until_it_ends(dry_run=True)
    assert (answer["outcome"], answer["undo"]) == ("planned", {"load_id": WANTED, **TAKES})
    assert steps(data_api) == ["look"]


UNKNOWN = f"undo: no load {WANTED} is known; the table loads has them."
EARLY = (
    f"undo: load {WANTED} was published before the loader could undo: it cannot tell which of its rows other files "
    "have too."
)
NO_SQL = f"undo: there is no sql/undo/clicks/, and load {WANTED} has files of clicks."


def stand_under_it(named: str) -> str:
    return (
        f"undo: other loads have rows that stand under load {WANTED}, because it brought them or took them over: "
        f"{named}. Without it their files would miss them. Undo these first; their files can be loaded again by key "
        "afterwards."
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
    data_api.replies = [Reply(rows={1: [("dataset", "log_data", None)]}), done()]
    [answer] = until_it_ends()
    assert answer["outcome"] == "undone"
    assert answer["undo"] == {"load_id": WANTED, "files": 0, "rows": {}}


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_load_that_was_undone_before_is_not_undone_again(
    data_api: FakeDataApi, dry_run: bool
) -> None:
    """Nor refused, whatever was loaded since."""
    data_api.replies = [found(("undone", LATER, 1), ("later", LATER, 5))]
    [answer] = until_it_ends(dry_run=dry_run)
    assert answer["outcome"] == "undone"
    assert steps(data_api) == ["look"]


def test_an_undo_that_takes_its_time(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), done(running=2)]
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "running", "undone"]
    assert steps(data_api) == ["look", "undo"]
    assert answers[-1]["undo"] == {"load_id": WANTED, **TAKES}


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
    data_api.replies = [found(), reply, found(), done()]
    assert outcomes(until_it_ends()) == ["running", "undone"]
    assert steps(data_api) == ["look", "undo", "look", "undo"]
    assert len({request["ClientToken"] for request in data_api.submits}) == 4


@pytest.mark.parametrize("error", [LEFT_OUT, "ERROR: Invalid digit, Value 'u', Pos 0"])
def test_a_load_that_was_published_meanwhile_is_looked_at(
    data_api: FakeDataApi, error: str
) -> None:
    """It left out rows of this one between the look and the lock: the transaction fails, and the next look names it."""
    data_api.replies = [found(), failed(2, error), found(("later", LATER, 5))]
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "refused"]
    assert answers[-1]["cause"] == stand_under_it(f"{LATER} (5 rows)")
    assert steps(data_api) == ["look", "undo", "look"]


@pytest.mark.parametrize("committed", [True, False])
def test_a_statement_that_was_lost_may_have_committed(
    data_api: FakeDataApi, committed: bool
) -> None:
    """Then the next look says so, and the report still says what was taken."""
    nothing_left = [("files", "withdrawn", 2), *DATASETS, ("rows", "songplays", 0)]
    data_api.replies = [found(), Reply(running=1, lost=True)]
    data_api.replies += (
        [Reply(rows={1: [*nothing_left, ("undone", LOAD_ID, 1)]})]
        if committed
        else [found(), done()]
    )
    answers = until_it_ends()
    assert outcomes(answers) == ["running", "running", "undone"]
    assert answers[-1]["undo"] == {"load_id": WANTED, **TAKES}
    assert steps(data_api) == ["look", "undo", "look", *([] if committed else ["undo"])]


def test_the_same_call_again_submits_the_same(data_api: FakeDataApi) -> None:
    """A call whose answer was lost is repeated by Step Functions."""
    data_api.replies = [found(), done()]
    answers = [call(undo.handler, **asked()) for _ in range(2)]
    assert outcomes(answers) == ["undone", "undone"]
    assert data_api.submits[:2] == data_api.submits[2:]


@pytest.mark.parametrize("lost", [True, False])
def test_it_does_not_try_for_ever(data_api: FakeDataApi, lost: bool) -> None:
    for _ in range(30):
        reply = Reply(running=1, lost=True) if lost else failed(9, "ERROR: deadlock detected")
        data_api.replies += [found(), reply]
    answer = until_it_ends(most=50)[-1]
    assert answer["outcome"] == "failed"
    assert answer["cause"] == (
        "The Data API forgot the undo's statement."
        if lost
        else "Nothing was undone: ERROR: deadlock detected"
    )
    assert steps(data_api).count("undo") == undo.MAX_ATTEMPTS + 1


def test_a_check_that_failed_is_named_with_its_figures(data_api: FakeDataApi) -> None:
    data_api.replies = [found(), failed(GUARD, GUARD_FAILED)]
    [answer] = until_it_ends()
    assert answer["outcome"] == "failed"
    assert answer["cause"] == (
        "the check load_gone on the published rows failed: figure 3, expected 0"
    )
    [check] = answer["checks"]
    assert (check["name"], check["figure"], check["expected"]) == ("load_gone", 3, 0)
    assert check["passed"] is False


@pytest.mark.parametrize(
    "error", ["ERROR: permission denied for relation users", "ERROR: column x does not exist"]
)
def test_what_no_try_mends_fails(data_api: FakeDataApi, error: str) -> None:
    data_api.replies = [found(), failed(9, error)]
    [answer] = until_it_ends()
    assert (answer["outcome"], answer["cause"]) == ("failed", f"Nothing was undone: {error}")
    assert answer["statement"] is None


def test_waiting_for_the_lock_is_not_the_statements_time(
    data_api: FakeDataApi, clock: Clock
) -> None:
    reply = Reply(running=99)
    data_api.replies = [found(), reply]
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
    data_api.replies = [found(), done(running=99, done=1, ends_anyway=ends_anyway)]
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
    assert steps(data_api) == ["look", "undo"]


def test_tables_that_are_not_there_or_too_old_are_made_first(data_api: FakeDataApi) -> None:
    data_api.replies = [NO_TABLES, found(), done()]
    load = call(undo.handler, **asked())
    assert load["outcome"] == "no tables"
    assert call(undo.handler, **load)["outcome"] == "undone"
    assert steps(data_api) == ["look", "look", "undo"]
    assert len({request["ClientToken"] for request in data_api.submits}) == 3


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
    data_api.replies = [reply, found(), done()]
    assert outcomes(until_it_ends()) == ["running", "undone"]
    assert steps(data_api) == ["look", "look", "undo"]
    assert len({request["ClientToken"] for request in data_api.submits}) == 3


def test_a_look_that_is_always_interrupted_fails(data_api: FakeDataApi) -> None:
    data_api.replies = [failed(1, "FATAL: the cluster is restarting") for _ in range(20)]
    with pytest.raises(StatementFailed, match="restarting"):
        until_it_ends()
    assert steps(data_api) == ["look"] * (undo.MAX_ATTEMPTS + 1)


def test_a_look_that_no_try_mends_fails(data_api: FakeDataApi) -> None:
    data_api.replies = [failed(1, "ERROR: permission denied for relation loads")]
    with pytest.raises(StatementFailed, match=rf"look at {WANTED}: ERROR: permission denied"):
        until_it_ends()
