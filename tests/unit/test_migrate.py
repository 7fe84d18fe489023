"""Making and upgrading the tables, also when two loads meet there."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import migrate
import pytest
from loader import dataapi, sql, statements
from loader.dataapi import StatementFailed
from loader.datasets import datasets
from loader.migrations import LEDGER, latest_version, migrations, rendered
from loader.tables import IMPROVE_SECONDS, LEAST_SECONDS, MAX_ATTEMPTS

from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import call
from tests.world.template import _document

MISSING = failed(1, 'ERROR: relation "sparkify.schema_version" does not exist')
TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
CONFLICT = "ERROR: 1023 DETAIL: Serializable isolation violation on table - 100"


def version(number: int | None) -> Reply:
    return Reply(rows={1: [(number,)]})


def schemas(*there: str) -> Reply:
    return Reply(rows={1: [(name,) for name in there]})


THERE, NEITHER = schemas("sparkify_loader", "sparkify"), schemas()
UPGRADES = {
    "ledger": (
        "CREATE TABLE ${schema}.base (a INT); CREATE TABLE ${schema}.more (a INT);"
        "INSERT INTO ${schema}.schema_version (version) VALUES (${version});"
    ),
    "loader_tables": "CREATE TABLE IF NOT EXISTS ${loader_schema}.lock (a INT);",
    "002_two": "CREATE TABLE ${schema}.t2 (a INT);",
    "003_three": "CREATE TABLE ${schema}.t3 (a INT);",
    "004_keys_autocommit": (
        "ALTER TABLE ${schema}.t2 ALTER DISTKEY a; ALTER TABLE ${schema}.t3 ALTER SORTKEY (a);"
        "INSERT INTO ${schema}.schema_version (version) VALUES (4);"
    ),
    "005_five": "CREATE TABLE ${schema}.t5 (a INT);",
}
ALTERS = ["ALTER TABLE sparkify.t2 ALTER DISTKEY a", "ALTER TABLE sparkify.t3 ALTER SORTKEY (a)"]
FOURTH = "INSERT INTO sparkify.schema_version (version) VALUES (4)"


def forget() -> None:
    for cached in (sql.read, migrations, datasets):
        cached.cache_clear()


@pytest.fixture
def five(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Five versions instead of the product's own, of which the fourth may fail; there are no datasets."""
    texts = UPGRADES | {
        name: sql.read(f"migrations/{name}.sql")
        for name in ("version", "schemas", "create_schema", "lock", "tables", "loaded")
    }
    (tmp_path / "migrations").mkdir()
    for name, text in texts.items():
        (tmp_path / "migrations" / f"{name}.sql").write_text(text)
    monkeypatch.setattr(sql, "ROOT", tmp_path)
    forget()
    yield
    forget()


def made(data_api: FakeDataApi) -> list[str]:
    """What was created: the names of schemas and tables."""
    created = [text for text in data_api.statements if text.startswith("CREATE")]
    return [text.replace("IF NOT EXISTS ", "").split()[2] for text in created]


def written(data_api: FakeDataApi) -> list[str]:
    return [text for text in data_api.statements if not text.startswith("SELECT")]


OWN = "sparkify_loader.lock"  # what is put back whenever a table is missed, first: the rest is made behind it
NEW = [OWN, "sparkify.base", "sparkify.more"]


@pytest.mark.parametrize(
    ("replies", "names"),
    [
        ([MISSING, NEITHER], ["sparkify", "sparkify_loader", *NEW]),
        ([MISSING, schemas("sparkify")], ["sparkify_loader", *NEW]),
        ([MISSING, THERE], NEW),
        ([version(None), THERE], NEW),
        # A version that knew one schema only: the other is made before the first file needs it.
        (
            [version(1), schemas("sparkify")],
            ["sparkify_loader", OWN, "sparkify.t2", "sparkify.t3", "sparkify.t5"],
        ),
        ([version(2), THERE], [OWN, "sparkify.t3", "sparkify.t5"]),
        ([version(4), THERE], [OWN, "sparkify.t5"]),
        # Somebody has dropped the loader's own schema: nothing is lost with it.
        ([version(5), schemas("sparkify")], ["sparkify_loader", OWN]),
        ([version(5), THERE], [OWN]),
    ],
)
def test_what_is_missing_is_made(
    five: None, data_api: FakeDataApi, replies: list[Reply], names: list[str]
) -> None:
    data_api.replies = list(replies)
    answer = call(migrate.handler)
    assert answer["outcome"] == "again"
    assert made(data_api) == names
    for request in data_api.submits:
        each = "_autocommit.sql" in request["StatementName"]
        assert request["ExecutionMode"] == ("AUTO_COMMIT" if each else "TRANSACTION")


def tables(*there: str) -> Reply:
    return Reply(rows={1: [tuple(name.split(".")) for name in there]})


NAMES = {"schema": "sparkify", "loader_schema": "sparkify_loader"}
LOCK = "LOCK sparkify_loader.publish_lock"
EVERY = set(statements.created(statements.create_all(NAMES)))


def test_a_new_warehouse(data_api: FakeDataApi) -> None:
    """The lock, the ledger in one transaction, then each dataset's tables behind the lock."""
    data_api.replies = [MISSING, THERE]
    call(migrate.handler)
    own, ledger, _, _, last = data_api.submits[2:]
    assert own["Sqls"] == sql.render("migrations/loader_tables.sql", NAMES)
    assert ledger["Sqls"] == rendered(LEDGER, NAMES)
    of_datasets = [text for name in datasets() for text in statements.tables_of(name, NAMES)]
    assert last["Sqls"] == [LOCK, *of_datasets]
    assert {request["ExecutionMode"] for request in data_api.submits} == {"TRANSACTION"}


def test_the_tables_of_a_dataset_that_a_deploy_brought_are_made(data_api: FakeDataApi) -> None:
    """No migration is numbered for it; what is there is not touched."""
    of_it = {*statements.created(statements.tables_of("song_data", NAMES))}
    data_api.replies = [version(latest_version()), THERE, Reply(), tables(*(EVERY - of_it))]
    call(migrate.handler)
    assert data_api.submits[-1]["Sqls"] == [LOCK, *statements.tables_of("song_data", NAMES)]


def test_what_died_in_the_middle_is_gone_on_with(data_api: FakeDataApi) -> None:
    data_api.replies = [version(latest_version()), THERE, Reply()]
    data_api.replies += [tables(*(EVERY - {"sparkify.songs"})), Reply(rows={1: []})]
    call(migrate.handler)
    assert data_api.submits[-1]["Sqls"] == [LOCK, *statements.tables_of("song_data", NAMES)]


def test_where_all_is_there_nothing_is_made(data_api: FakeDataApi) -> None:
    data_api.replies = [version(latest_version()), THERE, Reply(), tables(*EVERY)]
    call(migrate.handler)
    assert made(data_api) == [
        "sparkify_loader.publish_lock",
        "sparkify_loader.file_plan",
        "sparkify_loader.mask_key",
    ]


@pytest.fixture
def six(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The product's own files, and one more version that changes tables of two datasets."""
    shutil.copytree(sql.ROOT, tmp_path / "sql")
    (tmp_path / "sql/migrations/007_mood.sql").write_text(
        "ALTER TABLE ${schema}.songs ADD COLUMN mood INT; ALTER TABLE ${schema}.users ADD COLUMN mood INT;"
        "INSERT INTO ${schema}.schema_version (version) VALUES (7);"
    )
    monkeypatch.setattr(sql, "ROOT", tmp_path / "sql")
    forget()
    yield
    forget()


def test_a_dataset_that_comes_with_its_first_changes_is_made_as_it_is_now(
    six: None, data_api: FakeDataApi
) -> None:
    """Its tables are not there when the migration that changes them runs: the rest of that runs."""
    of_it = {*statements.created(statements.tables_of("song_data", NAMES))}
    there, none = tables(*(EVERY - of_it)), Reply(rows={1: []})
    data_api.replies = [version(6), THERE, Reply(), there, none, Reply(), there, none]
    call(migrate.handler)
    [upgrade] = [r for r in data_api.submits if "migrate to 7" in r["StatementName"]]
    assert [text.split()[2] for text in upgrade["Sqls"]] == [
        "sparkify.users", "sparkify.schema_version"
    ]  # fmt: skip
    assert data_api.submits[-1]["Sqls"] == [LOCK, *statements.tables_of("song_data", NAMES)]


def test_tables_that_the_upgrade_itself_makes_are_not_lost(data_api: FakeDataApi) -> None:
    """Version 1 had no user_versions: 002 makes it, and fills it."""
    old = EVERY - {f"sparkify.{name}_versions" for name in ("user", "song", "songplay")}
    data_api.replies = [version(1), THERE, Reply(), tables(*old)]
    call(migrate.handler)
    assert [text for text in data_api.statements if "INSERT INTO sparkify.user_versions" in text]


def test_a_table_that_was_lost_stops_the_upgrade_before_its_version_is_written(
    six: None, data_api: FakeDataApi
) -> None:
    """Restored from a snapshot, it would lack the column for ever."""
    data_api.replies = [version(6), THERE, Reply()]
    data_api.replies += [tables(*(EVERY - {"sparkify.songs"})), Reply(rows={1: [("song_data", 1)]})]
    with pytest.raises(StatementFailed, match=r"^sparkify.songs is missing"):
        call(migrate.handler)
    assert not [
        text for text in data_api.statements if "schema_version" in text and "INSERT" in text
    ]


def test_a_table_that_held_rows_is_not_made_empty(data_api: FakeDataApi) -> None:
    """Somebody dropped it: the ledger says that files are loaded, and they would be missing in silence."""
    data_api.replies = [version(latest_version()), THERE, Reply()]
    data_api.replies += [tables(*(EVERY - {"sparkify.time"})), Reply(rows={1: [("log_data", 3)]})]
    with pytest.raises(StatementFailed, match=r"^sparkify.time is missing, .* 3 files of log_data"):
        call(migrate.handler)
    assert "sparkify.time" not in made(data_api)


def test_a_dataset_that_lost_a_table_holds_up_no_other(data_api: FakeDataApi) -> None:
    there = EVERY - {"sparkify.time", "sparkify.songs"}
    data_api.replies = [version(latest_version()), THERE, Reply()]
    data_api.replies += [tables(*there), Reply(rows={1: [("log_data", 3)]})]
    with pytest.raises(StatementFailed, match=r"^sparkify.time is missing"):
        call(migrate.handler)
    assert "sparkify.songs" in made(data_api)
    assert "sparkify.time" not in made(data_api)


def test_a_staging_parent_holds_no_rows_and_is_made(data_api: FakeDataApi) -> None:
    data_api.replies = [version(latest_version()), THERE, Reply()]
    data_api.replies += [tables(*(EVERY - {"sparkify_loader.event_stage"}))]
    call(migrate.handler)
    assert "sparkify_loader.event_stage" in made(data_api)
    assert not [text for text in data_api.statements if "status = 'loaded'" in text]


@pytest.mark.parametrize("error", [CONFLICT, 'ERROR: relation "songs" already exists'])
def test_tables_that_another_load_is_making_are_tried_again(
    data_api: FakeDataApi, error: str
) -> None:
    data_api.replies = [version(latest_version()), THERE, Reply(), tables(), Reply(rows={1: []})]
    data_api.replies += [failed(2, error), failed(2, error)]
    assert call(migrate.handler)["outcome"] == "again"
    sent = [request for request in data_api.submits if request["Sqls"][0] == LOCK]
    assert len({request["ClientToken"] for request in sent}) == len(sent) == 3


def test_a_batch_goes_through_unchanged(data_api: FakeDataApi) -> None:
    data_api.replies = [version(1), THERE]
    state = {"batch": "0.1", "attempt": 3, "todo": ["0.2"], "statement": {"id": "x"}}
    answer = call(migrate.handler, state)
    answer.pop("spent")
    assert answer == {**state, "statement": None, "outcome": "again"}


def test_the_second_of_two_loads_finds_the_work_done(five: None, data_api: FakeDataApi) -> None:
    taken = failed(1, 'ERROR: relation "t2" already exists')
    data_api.replies = [version(1), THERE, Reply(), taken, version(2), Reply()]
    assert call(migrate.handler)["outcome"] == "again"
    assert made(data_api) == [OWN, "sparkify.t2", "sparkify.t3", "sparkify.t5"]


@pytest.mark.parametrize("error", ['ERROR: relation "base" already exists', CONFLICT])
def test_the_second_of_two_first_loads_finds_the_newest_version(
    five: None, data_api: FakeDataApi, error: str
) -> None:
    data_api.replies = [MISSING, THERE, Reply(), failed(1, error), version(5)]
    assert call(migrate.handler)["outcome"] == "again"
    assert made(data_api) == NEW


def test_a_schema_that_another_load_made_meanwhile(five: None, data_api: FakeDataApi) -> None:
    taken = failed(1, 'ERROR: schema "sparkify" already exists')
    data_api.replies = [MISSING, NEITHER, taken, schemas("sparkify")]
    assert call(migrate.handler)["outcome"] == "again"
    assert made(data_api) == ["sparkify", "sparkify_loader", *NEW]


def test_a_conflict_is_tried_again(five: None, data_api: FakeDataApi) -> None:
    """With a token of its own, for the Data API would answer with the failed statement."""
    data_api.replies = [version(4), THERE, Reply()]
    data_api.replies += [failed(1, CONFLICT), version(4)] * (MAX_ATTEMPTS - 1)
    assert call(migrate.handler)["outcome"] == "again"
    assert made(data_api) == [OWN, *["sparkify.t5"] * MAX_ATTEMPTS]
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens)


def test_it_does_not_try_for_ever(five: None, data_api: FakeDataApi) -> None:
    data_api.replies = [version(4), THERE, Reply()]
    data_api.replies += [failed(1, CONFLICT), version(4)] * 20
    with pytest.raises(StatementFailed, match="migrate to 5: ERROR: 1023"):
        call(migrate.handler)
    assert made(data_api) == [OWN, *["sparkify.t5"] * MAX_ATTEMPTS]


# ---------------------------------------------------------------- files of which a statement may fail
def reported(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What was logged as an error."""
    return [vars(record) for record in caplog.records if record.levelname == "ERROR"]


def test_each_of_its_statements_is_a_transaction(five: None, data_api: FakeDataApi) -> None:
    data_api.replies = [version(3), THERE]
    call(migrate.handler)
    sent = [request["Sqls"] for request in data_api.submits[3:]]
    assert sent == [*([text] for text in (*ALTERS, FOURTH)), ["CREATE TABLE sparkify.t5 (a INT)"]]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("error", ["ERROR: disk full", "ERROR: must be owner of relation t2"])
def test_one_that_fails_is_reported_and_the_rest_goes_on(
    five: None, data_api: FakeDataApi, caplog: pytest.LogCaptureFixture, number: int, error: str
) -> None:
    """Loads work without it, so no load may fail for it; who operates it sees what to run."""
    data_api.replies = [version(3), THERE, Reply(), *[Reply()] * number, failed(1, error)]
    assert call(migrate.handler)["outcome"] == "again"
    assert written(data_api)[1:] == [*ALTERS, FOURTH, "CREATE TABLE sparkify.t5 (a INT)"]
    [line] = reported(caplog)
    assert line["statement"] == ALTERS[number]
    assert error in line["error"]
    assert "manually" in line["msg"]


def test_one_that_takes_too_long_is_cancelled_and_reported(
    five: None,
    data_api: FakeDataApi,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = count(0, 400)
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    data_api.replies = [version(3), THERE, Reply(), Reply(running=99)]
    assert call(migrate.handler)["outcome"] == "again"
    assert written(data_api)[1:] == [*ALTERS, FOURTH, "CREATE TABLE sparkify.t5 (a INT)"]
    assert len(data_api.cancelled) == 1
    assert "took over" in reported(caplog)[0]["error"]


def test_its_statements_do_not_outlive_the_function(five: None) -> None:
    """Each has its time, all have one together, and what comes before and after them takes seconds."""
    most = IMPROVE_SECONDS + len(ALTERS) * LEAST_SECONDS
    assert most + 60 <= _document(TEMPLATE)["Resources"]["MigrateFunction"]["Properties"]["Timeout"]


def test_its_version_must_be_written(five: None, data_api: FakeDataApi) -> None:
    """Else the next load would move all rows once more."""
    denied = failed(1, "ERROR: permission denied for relation schema_version")
    data_api.replies = [version(3), THERE, *[Reply()] * 3, denied]
    with pytest.raises(StatementFailed, match="permission denied"):
        call(migrate.handler)
    assert made(data_api) == [OWN]


# ---------------------------------------------------------------- ends
@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([failed(1, "ERROR: permission denied for schema sparkify")], "permission denied"),
        ([version(1), failed(1, "ERROR: denied")], "schemas: ERROR: denied"),
        ([version(1), THERE, failed(1, "ERROR: must be owner")], "own tables: .*must be owner"),
        (
            [version(1), THERE, Reply(), failed(1, "ERROR: must be owner"), version(1)],
            "migrate to 2: .*must be owner",
        ),
        (
            [MISSING, NEITHER, failed(1, "ERROR: denied"), NEITHER],
            "create schema sparkify: .*denied",
        ),
        (
            [MISSING, NEITHER, Reply(), failed(1, "ERROR: denied"), schemas("sparkify")],
            "create schema sparkify_loader: .*denied",
        ),
        ([version(6)], "version 6, but this loader supports 5: deploy the newer loader"),
    ],
)
def test_what_fails(five: None, data_api: FakeDataApi, replies: list[Reply], says: str) -> None:
    data_api.replies = list(replies)
    with pytest.raises(StatementFailed, match=says):
        call(migrate.handler)


def test_each_attempt_and_each_batch_has_tokens_of_its_own(
    five: None, data_api: FakeDataApi
) -> None:
    for state in (None, {"batch": "0", "attempt": 1}, {"batch": "0", "attempt": 2}, {"batch": "1"}):
        data_api.replies = [version(1), NEITHER]
        call(migrate.handler, state)
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens) == 4 * 11


def test_the_same_call_again_runs_nothing_twice(five: None, data_api: FakeDataApi) -> None:
    data_api.replies = [version(1), THERE]
    call(migrate.handler)
    before = {request["ClientToken"] for request in data_api.submits}
    call(migrate.handler)
    assert {request["ClientToken"] for request in data_api.submits} == before
