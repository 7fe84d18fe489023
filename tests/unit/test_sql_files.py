"""Every file of sql/, as its step renders it, and what the design asks of it."""

import json
import re
from pathlib import Path
from typing import Any

import find_bad_files
import finish
import leave_out_loaded
import migrate
import plan
import preflight
import publish
import pytest
import reset
import stage
import undo
from loader import rendered, sql, statements
from loader.dataapi import MAX_STATEMENT_BYTES, MAX_STATEMENTS
from loader.datasets import datasets, load_all
from loader.migrations import LEDGER, latest_version
from loader.sql import NO_TIME
from loader.state import Load, UndoTodo
from loader.store import Store

from tests.unit.fakes import Context, FakeDataApi, Reply, failed
from tests.unit.loads import (
    BY_HAND,
    EXECUTION,
    HOSTILE,
    LOAD_ID,
    LOG,
    SONG,
    STARTED,
    call,
    file,
    load,
    planned,
    reports,
    save,
    staged_reply,
)

FILES = sorted(str(path.relative_to(sql.ROOT)) for path in sql.ROOT.rglob("*.sql"))
CHECKS = [name for name in FILES if name.startswith("checks/") or "/checks/" in name]
PUBLISH = [
    name
    for name in FILES
    if {"publish", "publish_and_undo", "reload", "again", "undo"} & {*Path(name).parts}
]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The files of sql/ that are rendered while the test runs."""
    names: set[str] = set()
    original = sql.read

    def reading(name: str) -> str:
        names.add(name)
        return original(name)

    monkeypatch.setattr(sql, "read", reading)
    return names


SENT: list[tuple[FakeDataApi, set[str]]] = []


@pytest.fixture
def everything(request: pytest.FixtureRequest) -> FakeDataApi:
    """Each step was called, for each dataset and each way, with a key that tries to be SQL."""
    if not SENT:  # once for all tests, which only look at what was sent
        names = ("store", "s3", "data_api", "configure", "read")
        run_everything(*(request.getfixturevalue(name) for name in names))
    return SENT[0][0]


def run_everything(
    store: Store, s3: Any, data_api: FakeDataApi, configure: Any, read: set[str]
) -> None:
    configure(ALLOW_RESET="true")
    schemas = Reply(rows={1: [("sparkify",), ("sparkify_loader",)]})
    s3.put_object(Bucket="data", Key=HOSTILE, Body=b"{}")
    data_api.replies = [Reply(rows={3: [(0, None)]})]
    event = {"input": {"keys": [HOSTILE]}, "execution": EXECUTION, "started": STARTED}
    assert plan.handler(event, Context())["outcome"] == "load"
    data_api.replies = [Reply(rows={2: [("data", HOSTILE)]}), Reply(rows={3: [(0, None)]})]
    assert plan.handler(event | {"input": {"redo": LOAD_ID}}, Context())["outcome"] == "load"
    others = {f"{d.prefix}x{d.suffixes[0]}": ",".join(d.header) for d in datasets().values()}
    for key, header in {HOSTILE: "", LOG: "", SONG: "", **others}.items():
        put = s3.put_object(Bucket="data", Key=key, Body=header.encode() or b"{}")
        one = file(key, etag=put["ETag"].strip('"'))
        batch = save(store, one)
        for mode in ("load", "reload"):
            # The report of the files cannot be read in the transaction, and has none of them later.
            reply = reports(staged_reply(*batch.files))
            data_api.replies = [failed(stage.REPORT, "ERROR: no such column"), reply]
            state = call(stage.handler, call(stage.handler, planned(), mode=mode), mode=mode)
            assert state["outcome"] == "staged"
            for attempt in (0, 1):
                again = state | {"publish_attempt": attempt}
                assert call(publish.handler, again, mode=mode)["outcome"] == "published"
        error = f"gzip: s3://data/{key}"
        bad = {"batch": "0", "attempt": 1, "error": error, "query_id": 7}
        data_api.replies = [failed(1, error), Reply(), Reply(), Reply()]
        assert call(find_bad_files.handler, bad)["outcome"] == "next"
        save(store, one)
        checks = {"error": "a check failed", "failed_checks": [{"name": "x", "definition": "d"}]}
        held = call(find_bad_files.handler, bad | checks)
        assert held["outcome"] == "next"
        assert call(publish.handler, call(stage.handler, held))["outcome"] == "failed"
        save(store, one)
        data_api.replies = [Reply(rows={3: [(0, None)]})]
        assert call(leave_out_loaded.handler, {"batch": "0"})["outcome"] == "again"
    data_api.replies = [Reply(rows={1: [(1,)]}), Reply()]
    assert call(migrate.handler)["outcome"] == "again"
    data_api.replies = [schemas]
    assert call(reset.handler)["outcome"] == "reset"
    there = Reply(rows={1: [tuple(n.split(".")) for n in preflight.expected_tables()]})
    data_api.replies = [Reply(rows={1: [("user", "dev")]}), Reply(rows={1: [("case_sensitive",)]})]
    data_api.replies += [schemas, Reply(), Reply(rows={1: [(latest_version(),)]}), there]
    data_api.replies += [Reply(), Reply(rows={3: [(1,)]})]
    setup = call(preflight.handler)["setup"]
    assert [each["name"] for each in setup if not each["passed"]] == ["bucket_events"]
    undoable = [("dataset", d.name, 1) for d in datasets().values() if d.can_undo]
    data_api.replies = [Reply(rows={1: undoable})]
    state = {"mode": "undo", "undo": {"load_id": LOAD_ID}, "outcome": "running"}
    while state["outcome"] == "running":
        state = call(undo.handler, **state)
    assert state["outcome"] == "undone"
    ended = {"batches": [{"batch": "0", "outcome": "published"}]}
    swept = load(mark="2026-11-23T20:30:00+00:00")
    assert finish.handler({"load": swept, **ended}, Context())["outcome"] == "loaded"
    SENT.append((data_api, read))


# Run only where a dataset has a contract (tests/contracts/test_change.py, tests/stateful/test_masking.py).
OF_CONTRACTS = {
    f"migrations/{name}.sql"
    for name in (
        *("contracts", "columns", "add_column"),
        *("widen_column", "drop_view", "record_contract", "same_contract"),
        *("mask_key", "mask_key_found"),
    )
}


def test_every_file_is_run_by_a_step(everything: FakeDataApi) -> None:
    ran = {name for name in SENT[0][1] if name.endswith(".sql")}
    assert ran == set(FILES) - set(BY_HAND) - OF_CONTRACTS


def test_what_is_sent_is_complete_and_within_the_limits(everything: FakeDataApi) -> None:
    for request in everything.submits:
        assert 1 <= len(request["Sqls"]) <= MAX_STATEMENTS, request["StatementName"]
        assert len(request["ClientToken"]) <= 64
        for text in request["Sqls"]:
            assert "${" not in text
            assert len(text.encode()) <= MAX_STATEMENT_BYTES
            assert sql.statements(text) == [text]


def test_nothing_of_a_key_is_in_any_statement(everything: FakeDataApi) -> None:
    sent = [*everything.statements, *(request["StatementName"] for request in everything.submits)]
    for piece in ("DROP TABLE y", "x'", "y;", "log_data/x", "-events.json", "TRABC"):
        assert not [text for text in sent if piece in text], piece


def test_no_statement_carries_a_parameter(everything: FakeDataApi) -> None:
    """Redshift takes no bind variables in subqueries, and none in COPY, DDL and LOCK."""
    for request in everything.submits:
        assert "Parameters" not in request
    for text in everything.statements:
        assert not re.findall(r"(?<!:):[A-Za-z_]\w*", outside_quotes(text)), text


def outside_quotes(text: str) -> str:
    return re.sub(r"'(?:[^']|'')*'", "''", text)


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_on_top_what_it_does_and_when_it_runs(name: str) -> None:
    first, *_ = sql.read(name).splitlines()
    comment = " ".join(
        line for line in sql.read(name).splitlines()[:5] if line.startswith("--")
    ).lower()
    assert first.startswith("-- ")
    assert re.search(r"\bruns?\b|last in the transaction", comment), comment


@pytest.mark.parametrize("name", FILES)
def test_a_statement_reads_system_views_that_serverless_has(name: str) -> None:
    assert not re.search(r"\b(stl|stv|svl|svv_table|svcs)_\w+", sql.read(name), re.I)


@pytest.mark.parametrize("name", PUBLISH)
def test_a_publish_file_stays_in_its_transaction(name: str) -> None:
    for text in sql.statements(re.sub(r"--[^\n]*", "", sql.read(name))):
        words = text.upper().split()
        refused = {"TRUNCATE", "BEGIN", "COMMIT", "ROLLBACK", "END", "VACUUM", "ANALYZE", "DROP"}
        assert words[0] not in refused | {"ALTER"}
        assert words[0] != "CREATE" or words[1:3] == ["TEMPORARY", "TABLE"]  # gone with its session
        assert not {"TRUNCATE", "VACUUM", "COMMIT"} & set(words)
        assert "LOCK" not in words[1:]


def test_the_lock_is_first() -> None:
    begin = ["publish/begin.sql", "undo/begin.sql"]
    for name in begin:
        found = sql.statements(re.sub(r"--[^\n]*", "", sql.read(name)))
        assert found[0] == "LOCK ${loader_schema}.publish_lock"
        assert found[1].startswith("UPDATE ${loader_schema}.publish_lock\n")
        assert all(text.split()[0] in ("SELECT", "DELETE") for text in found[2:])
    assert [name for name in PUBLISH if re.search(r"^LOCK\b", sql.read(name), re.M)] == begin


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_one_select_of_figure_and_expected(name: str) -> None:
    [text] = sql.statements(re.sub(r"--[^\n]*", "", sql.read(name)))
    assert text.startswith("SELECT")
    assert len(re.findall(r"\bAS figure\b", text)) == 1
    assert len(re.findall(r"\bAS expected\b", text)) == 1
    assert re.fullmatch(sql.IDENTIFIER, Path(name).stem)


def test_no_two_checks_of_a_dataset_share_a_name() -> None:
    for dataset in datasets():
        for kind in ("staged", "published", "undone"):
            folders = (f"checks/{kind}", f"datasets/{dataset}/checks/{kind}")
            names = [Path(name).stem for folder in folders for name in sql.files(folder)]
            assert len(set(names)) == len(names) > 0


@pytest.mark.parametrize("dataset", [d.name for d in load_all().values() if d.can_undo])
def test_what_publish_writes_undo_takes_away(dataset: str) -> None:
    both = f"datasets/{dataset}/publish_and_undo"
    published, undone = (
        "".join(sql.read(name) for name in sql.files(f"datasets/{dataset}/{kind}", both))
        for kind in ("publish", "undo")
    )
    written = set(re.findall(r"INSERT INTO \$\{schema\}\.(\w+)", published)) - {"left_out"}
    taken = set(re.findall(r"DELETE FROM \$\{schema\}\.(\w+)", undone))
    assert written <= taken, written - taken
    counted = re.findall(r"FROM \$\{schema\}\.(\w+)", sql.read(f"datasets/{dataset}/undone.sql"))
    assert counted
    assert set(counted) <= written


@pytest.mark.parametrize("dataset", [d.name for d in load_all().values() if d.can_undo])
def test_the_undo_of_a_dataset_fits_into_one_batch(dataset: str) -> None:
    """Its checks make it no longer: there is one guard for all."""
    load: Load = {"load_id": LOAD_ID, "execution": EXECUTION, "undo": {"load_id": LOAD_ID}}
    of: UndoTodo = {"dataset": dataset, "batch": "0", "first_start": NO_TIME, "last_start": NO_TIME}
    names = undo.names_of({**load, "undoing": {"batches": 1, "todo": [of]}})
    sequence = statements.undo(dataset, names)
    assert len(sequence) <= MAX_STATEMENTS
    assert len([text for text in sequence if "AS guard" in text]) == 1
    [taken] = [text for text in sequence if "INTO sparkify.check_results" in text]
    checks = sql.files("checks/undone", f"datasets/{dataset}/checks/undone")
    assert checks
    for name in checks:
        assert f"CAST('{Path(name).stem}' AS VARCHAR(128)) AS name" in taken


def test_a_temporary_table_is_made_once_in_a_transaction() -> None:
    """Its name is for its session alone, but only one statement of it may create it, and that before any reads it."""
    made = re.compile(r"CREATE TEMPORARY TABLE (\w+)")
    names = set()
    for group in rendered.groups():
        created = [found[1] for text in group.statements if (found := made.match(text))]
        assert len(created) == len(set(created)), group.name
        for name in created:
            used = [
                text for text in group.statements if re.search(rf"\b{name}\b", outside_quotes(text))
            ]
            assert made.match(used[0]), (group.name, name)
            assert len(used) > 1, (group.name, name)
        names |= set(created)
    for text in (text for name in FILES for text in sql.statements(sql.without_comments(name))):
        for used_name in names & set(re.findall(r"(?:FROM|JOIN|USING|INTO) (\w+)", text)):
            assert not re.search(rf"\.{used_name}\b", text)  # nobody gives it a schema


@pytest.mark.parametrize("dataset", load_all())
def test_jsonpaths_and_column_list_have_the_same_order(dataset: str) -> None:
    if not datasets()[dataset].has_jsonpaths:
        assert "jsonpaths" not in sql.without_comments(f"datasets/{dataset}/copy.sql").lower()
        return
    paths = json.loads(sql.read(f"datasets/{dataset}/jsonpaths.json"))
    assert list(paths) == ["jsonpaths"]  # any other key would silently mean 'auto'
    assert all(re.fullmatch(r"\$(\['\w+'\])+", path) for path in paths["jsonpaths"])
    keys = ["_".join(re.findall(r"\['(\w+)'\]", path)) for path in paths["jsonpaths"]]
    names = [re.sub(r"(?<=[a-z])([A-Z])", r"_\1", key).lower() for key in keys]
    copy = sql.read(f"datasets/{dataset}/copy.sql")
    columns = re.search(r"_stage\} \(([^)]*)\)", copy)
    assert columns
    assert [column.strip() for column in columns.group(1).split(",")] == names


def test_staging_types_are_those_of_the_star_schema() -> None:
    """COPY is the only gate: what it lets into staging fits its target."""
    files = [LEDGER, *(f"datasets/{name}/tables.sql" for name in datasets())]
    text = "\n".join(sql.read(name) for name in files).replace("IF NOT EXISTS ", "")
    create = r"CREATE TABLE (?:IF NOT EXISTS )?\$\{\w+\}\.(\w+) \((.*?)\n\)"
    tables: dict[str, dict[str, str]] = {}
    for name, body in re.findall(create, text, re.S):
        columns = re.findall(
            r"^    ([a-z_]+) ([A-Z][A-Z ]*?(?:\(\d+\))?)(?: NOT NULL| IDENTITY|,|$)", body, re.M
        )
        tables[name] = {column: kind.strip() for column, kind in columns}
    same = {
        "user_id": ("event_stage.user_id", "users.user_id", "songplays.user_id"),
        "session_id": ("event_stage.session_id", "songplays.session_id", "users.as_of_session_id"),
        "item": (
            "event_stage.item_in_session",
            "songplays.item_in_session",
            "users.as_of_item_in_session",
        ),
        "start_time": (
            "event_stage.ts",
            "songplays.start_time",
            "time.start_time",
            "users.as_of_start_time",
        ),
        "level": ("event_stage.level", "users.level", "songplays.level"),
        "location": ("event_stage.location", "songplays.location"),
        "user_agent": ("event_stage.user_agent", "songplays.user_agent"),
        "song": ("event_stage.song", "songplays.title", "song_stage.title", "songs.title"),
        "artist": (
            "event_stage.artist",
            "songplays.artist_name",
            "song_stage.artist_name",
            "songs.artist_name",
            "artists.name",
        ),
        "length": (
            "event_stage.length",
            "songplays.length",
            "song_stage.duration",
            "songs.duration",
        ),
        "song_id": (
            "song_stage.song_id",
            "songs.song_id",
            "songplays.song_id",
            "artists.as_of_song_id",
        ),
        "artist_id": (
            "song_stage.artist_id",
            "songs.artist_id",
            "artists.artist_id",
            "songplays.artist_id",
        ),
        "year": ("song_stage.year", "songs.year"),
        "first_name": ("event_stage.first_name", "users.first_name"),
        "last_name": ("event_stage.last_name", "users.last_name"),
        "gender": ("event_stage.gender", "users.gender"),
        "artist_location": (
            "song_stage.artist_location",
            "songs.artist_location",
            "artists.location",
        ),
        "latitude": ("song_stage.artist_latitude", "songs.artist_latitude", "artists.latitude"),
        "longitude": ("song_stage.artist_longitude", "songs.artist_longitude", "artists.longitude"),
    }
    for names in same.values():
        kinds = {tables[table][column] for table, column in (name.split(".") for name in names)}
        assert len(kinds) == 1, (names, kinds)
    # What is kept to decide anew has the types of what it may become again.
    for table, star in (
        ("user_versions", "users"),
        ("song_versions", "songs"),
        ("songplay_versions", "songplays"),
    ):
        for column, kind in tables[table].items():
            becomes = column if column in tables[star] else f"as_of_{column}"
            assert tables[star][becomes] == kind, (table, column)
    ids = {
        kind
        for columns in tables.values()
        for column, kind in columns.items()
        if column in ("load_id", "of_load_id", "undone_by")
    }
    assert ids == {"VARCHAR(64)"}
