"""The preflight: each thing that must be right, and what it says when it is not."""

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import preflight
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from loader import dataapi, explain, migrations, rendered, sql, statements
from loader.dataapi import DataApi
from loader.migrations import latest_version
from loader.store import Store

from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import LOAD_ID, LOG, SONG, call
from tests.world.template import _document

STATEMENTS = [f"statements: {group.name}" for group in rendered.groups()]
BEFORE = ["warehouse_reachable", "database_collation", "rights_in_schemas", "tables", "copy_role"]
WITH_TABLES = ["lock", "copy_log_data", "copy_song_data", *STATEMENTS]
BUCKET = ["bucket_region", "bucket_events", "loads_by_itself"]
ALL = [*BEFORE, *WITH_TABLES, *BUCKET]
MISSING = 'ERROR: relation "sparkify.schema_version" does not exist'
DENIED = "ERROR: permission denied"

# What each statement of the preflight is known by.
WAREHOUSE, COLLATION, RIGHTS, VERSION, TABLES = (
    "current_user",
    "DB_COLLATION",
    "sparkify.check_",
    "SELECT MAX(version) AS version",
    "FROM pg_tables",
)
PROBE, LOCK = "/probe.json'", "LOCK sparkify_loader.publish_lock"
SONG_COPY = "/manifests/song_data.json'"


class Warehouse(FakeDataApi):
    """Answers by what is asked, all well.

    broken    the statements that fail, by what is in them; of an AUTO_COMMIT batch the others run all the same
    """

    def __init__(self) -> None:
        super().__init__()
        self.broken: dict[str, str] = {}
        self.version: int | None = latest_version()
        self.collation = "case_sensitive"
        self.schemas = ["sparkify", "sparkify_loader"]
        self.tables = preflight.expected_tables()
        self.loaded: list[tuple[str, int]] = []
        self.makes = False  # whether what is created is there afterwards
        self.held = 1
        self.hangs = ""
        self.ended: dict[str, tuple[str, dict[int, str]]] = {}

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        texts = request["Sqls"]
        self.replies = [self.reply(texts)]
        self.tables = self.tables | set(statements.created(texts) if self.makes else ())
        errors = {
            number: error
            for number, text in enumerate(texts, 1)
            for word, error in self.broken.items()
            if word in text
        }
        if errors and request["ExecutionMode"] == "TRANSACTION":
            number = min(errors)
            self.replies = [failed(number, errors[number])]
        elif errors:
            self.replies = [Reply("FAILED", errors[min(errors)])]
        answer = super().batch_execute_statement(**request)
        self.ended[answer["Id"]] = request["ExecutionMode"], errors
        return answer

    def reply(self, texts: list[str]) -> Reply:
        if self.hangs and any(self.hangs in text for text in texts):
            return Reply(running=10_000)
        rows: dict[str, list[tuple[Any, ...]]] = {
            WAREHOUSE: [("IAMR:loader", "dev")],
            COLLATION: [(self.collation,)],
            "pg_namespace": [(name,) for name in self.schemas],
            VERSION: [(self.version,)],
            TABLES: [tuple(name.split(".")) for name in sorted(self.tables)],
            "AS held": [(self.held,)],
            "COUNT(*) AS files": [*self.loaded],
        }
        return Reply(
            rows={
                number: answer
                for number, text in enumerate(texts, 1)
                for word, answer in rows.items()
                if word in text
            }
        )

    def describe_statement(self, **request: Any) -> dict[str, Any]:
        """Of an AUTO_COMMIT batch each statement has its own end.

        Source: docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html, ExecutionMode
        """
        answer = super().describe_statement(**request)
        mode, errors = self.ended.get(request["Id"], ("", {}))
        if mode == "AUTO_COMMIT" and answer["Status"] == "FAILED":
            for number, part in enumerate(answer["SubStatements"], 1):
                part["Status"] = "FAILED" if number in errors else "FINISHED"
                part |= {"Error": errors[number]} if number in errors else {}
        return answer


@pytest.fixture
def data_api(monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    fake = Warehouse()
    monkeypatch.setattr(DataApi, "_client", fake)
    return fake


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "sends_events", lambda self, bucket: True)


def run() -> tuple[dict[str, Any], dict[str, Any]]:
    """The answer, and its findings by name."""
    answer = call(preflight.handler)
    assert len({finding["name"] for finding in answer["setup"]}) == len(answer["setup"])
    return answer, {finding["name"]: finding for finding in answer["setup"]}


def bad(found: dict[str, Any]) -> list[str]:
    return [name for name, finding in found.items() if not finding["passed"]]


def test_all_is_well(s3: Any, data_api: Warehouse, events: None) -> None:
    for key in (LOG, SONG):
        s3.put_object(Bucket="data", Key=key, Body=b"{}")
    answer, found = run()
    assert (answer["outcome"], bad(found)) == ("checked", [])
    assert list(found) == ALL
    assert found["warehouse_reachable"]["found"] == "user IAMR:loader, database dev"
    assert found["database_collation"]["found"] == "case_sensitive"
    assert "sparkify and sparkify_loader" in found["rights_in_schemas"]["found"]
    assert found["tables"]["found"] == f"version {latest_version()}"
    assert found["lock"]["found"] == "may be taken"
    assert found["copy_log_data"]["found"] == f"COPY reads s3://data/{LOG}"
    assert found["copy_song_data"]["found"] == f"COPY reads s3://data/{SONG}"
    for group in rendered.groups():
        said = found[f"statements: {group.name}"]["found"]
        planned = [text for text in group.statements if not text.startswith(("LOCK", "DROP"))]
        assert re.fullmatch(r"\d+ statements planned", said)
        assert 0 < int(said.split()[0]) <= len(planned)


@pytest.mark.parametrize(
    ("word", "error", "name", "to_do"),
    [
        (COLLATION, DENIED, "database_collation", "COLLATE CASE_SENSITIVE"),
        (RIGHTS, DENIED, "rights_in_schemas", "sql/admin/setup.sql"),
        (VERSION, DENIED, "tables", "loader"),
        (TABLES, DENIED, "tables", "snapshot"),
        (PROBE, "ERROR: not authorized to assume IAM Role", "copy_role", "CopyRoleArn"),
        (LOCK, DENIED, "lock", "restores a missing row"),
        (SONG_COPY, "ERROR: S3ServiceException:Access Denied", "copy_song_data", "s3:GetObject"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    s3: Any, data_api: Warehouse, events: None, word: str, error: str, name: str, to_do: str
) -> None:
    s3.put_object(Bucket="data", Key=SONG, Body=b"{}")
    data_api.broken = {word: error}
    answer, found = run()
    assert answer["outcome"] == "failed"
    assert answer["cause"] == f"The setup needs fixing: {name}."
    assert bad(found) == [name]
    assert error in found[name]["found"]
    assert to_do in found[name]["fix"]
    # The others are looked at all the same, but for what needs the schemas, or the tables.
    without = {"rights_in_schemas": [*BEFORE[:3], *BUCKET], "tables": [*BEFORE, *BUCKET]}
    assert list(found) == without.get(name, ALL)


@pytest.mark.parametrize("error", ["failed statement", "no endpoint"])
def test_without_a_warehouse_the_rest_of_it_is_not_tried(
    s3: Any, data_api: Warehouse, events: None, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if error == "no endpoint":

        def refuse(**request: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://redshift-data")

        monkeypatch.setattr(data_api, "batch_execute_statement", refuse)
    data_api.broken = {WAREHOUSE: "FATAL: no such database"}
    answer, found = run()
    assert answer["outcome"] == "failed"
    assert list(found) == ["warehouse_reachable", *BUCKET]
    assert "redshift-serverless:GetCredentials" in found["warehouse_reachable"]["fix"]


@pytest.mark.parametrize("collation", ["case_insensitive", "CASE_INSENSITIVE", ""])
def test_a_database_that_takes_two_ids_for_one_is_refused(
    s3: Any, data_api: Warehouse, events: None, collation: str
) -> None:
    data_api.collation = collation
    _, found = run()
    assert bad(found) == ["database_collation"]
    assert f"The database dev has the collation {collation}" in found["database_collation"]["found"]


@pytest.mark.parametrize("held", [0, 2])
def test_a_lock_without_its_one_row_is_refused(
    s3: Any, data_api: Warehouse, events: None, held: int
) -> None:
    """Without it two publishers would not notice each other, and every publish fails."""
    data_api.held = held
    _, found = run()
    assert bad(found) == ["lock"]
    assert f"sparkify_loader.publish_lock has {held} rows; it must have 1" in found["lock"]["found"]


# ---------------------------------------------------------------- the tables
@pytest.mark.parametrize("version", ["no table", None, 0])
def test_before_the_first_load_the_tables_are_created(
    s3: Any, data_api: Warehouse, events: None, version: Any
) -> None:
    """So that all statements can be planned before the first file comes."""
    data_api.version = None if version == "no table" else version
    data_api.broken = {VERSION: MISSING} if version == "no table" else {}
    data_api.schemas = []
    answer, found = run()
    assert (answer["outcome"], bad(found)) == ("checked", [])
    assert found["tables"]["found"] == f"version {latest_version()}, created now"
    assert list(found) == ALL
    names = {"schema": "sparkify", "loader_schema": "sparkify_loader"}
    whole = migrations.rendered(migrations.LEDGER, names)
    assert [r["ExecutionMode"] for r in data_api.submits if r["Sqls"] == whole] == ["TRANSACTION"]
    made = [text for text in data_api.statements if text.startswith("CREATE SCHEMA")]
    assert {text.split()[-1] for text in made} == {"sparkify", "sparkify_loader"}


def test_tables_that_cannot_be_created_are_named_by_redshifts_words(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    data_api.broken = {VERSION: MISSING, "CREATE TABLE sparkify.files": "ERROR: disk quota"}
    _, found = run()
    assert bad(found) == ["tables"]
    assert f"migrate to {latest_version()}: ERROR: disk quota" in found["tables"]["found"]
    assert list(found) == [*BEFORE, *BUCKET]


@pytest.mark.parametrize(
    ("version", "passed", "says"),
    [
        (latest_version(), True, f"version {latest_version()}"),
        (latest_version() - 1, True, "the next load upgrades them: check again after it"),
        (1, True, "version 1, the next load upgrades them: check again after it"),
        (9, False, f"have version 9, but this loader supports {latest_version()}."),
        (40, False, f"have version 40, but this loader supports {latest_version()}."),
    ],
)
def test_the_tables_version(
    s3: Any, data_api: Warehouse, events: None, version: int, passed: bool, says: str
) -> None:
    """Only on those of its own version the loader's statements can be planned."""
    data_api.version = version
    _, found = run()
    assert found["tables"]["passed"] is passed
    assert found["tables"]["found"].endswith(says)
    assert list(found) == (ALL if version == latest_version() else [*BEFORE, *BUCKET])
    assert not [text for text in data_api.statements if "schema_version (version)" in text]


@pytest.mark.parametrize("gone", [["left_out"], ["files", "left_out"]])
def test_tables_of_the_ledger_that_somebody_dropped_are_named(
    s3: Any, data_api: Warehouse, events: None, gone: list[str]
) -> None:
    data_api.tables = data_api.tables - {f"sparkify.{name}" for name in gone}
    _, found = run()
    assert bad(found) == ["tables"]
    assert found["tables"]["found"] == f"Missing: {', '.join(f'sparkify.{name}' for name in gone)}."
    for words in ("snapshot", '{"reset": true}', "deletes all", '{"migrate": true}'):
        assert words in found["tables"]["fix"]
    assert list(found) == [*BEFORE, *BUCKET]


def test_a_table_that_held_rows_is_named_and_not_made(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    data_api.tables = data_api.tables - {"sparkify.time"}
    data_api.loaded = [("log_data", 3)]
    _, found = run()
    assert bad(found) == ["tables"]
    assert found["tables"]["found"].startswith("sparkify.time is missing, but the ledger says")
    assert not [
        text for text in data_api.statements if "CREATE TABLE IF NOT EXISTS sparkify.time" in text
    ]


@pytest.mark.parametrize(
    "gone",
    [
        {"sparkify_loader.publish_lock", "sparkify_loader.event_stage"},  # they hold nothing
        {
            "sparkify.songs",
            "sparkify.artists",
            "sparkify.song_versions",
            "sparkify_loader.song_stage",
        },
    ],
)
def test_tables_that_any_load_would_make_are_made(
    s3: Any, data_api: Warehouse, events: None, gone: set[str]
) -> None:
    """Those of a dataset that a deploy has brought, and what holds no rows."""
    assert gone < data_api.tables
    data_api.tables = data_api.tables - gone
    data_api.makes = True
    answer, found = run()
    assert (answer["outcome"], bad(found)) == ("checked", [])
    assert "created now" in found["tables"]["found"]
    made = set(statements.created(data_api.statements))
    assert gone <= made


def test_a_table_that_is_not_the_loaders_is_no_fault(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    data_api.tables = data_api.tables | {
        "sparkify.mine",
        "sparkify_loader.event_stage_20261120_0_0",
    }
    assert run()[0]["outcome"] == "checked"


def test_the_tables_that_must_be_there_are_those_of_a_new_warehouse() -> None:
    expected = preflight.expected_tables()
    star = {"songplays", "users", "songs", "artists", "time", "files", "loads"}
    own = {"publish_lock", "event_stage", "song_stage", "file_plan"}
    assert {f"sparkify.{name}" for name in star} < expected
    assert {f"sparkify_loader.{name}" for name in own} < expected
    texts = statements.create_all({"schema": "s", "loader_schema": "l"})
    assert len(expected) == len([text for text in texts if text.startswith("CREATE TABLE")])
    assert "sparkify.file_status" not in expected  # a view


# ---------------------------------------------------------------- COPY
def test_without_a_file_copy_reads_an_empty_object(
    s3: Any, data_api: Warehouse, store: Store, events: None
) -> None:
    s3.put_object(Bucket="data", Key=LOG, Body=b"")  # COPY would read nothing of it
    s3.put_object(Bucket="data", Key="log_data/readme.txt", Body=b"x")
    _, found = run()
    probe = f"loads/{LOAD_ID}/check/empty.json"
    for name in ("log_data", "song_data"):
        said = found[f"copy_{name}"]
        assert said["passed"]
        assert said["found"] == f"COPY reads s3://working/{probe} (no file of the dataset yet)"
        manifest = store.get(f"loads/{LOAD_ID}/manifests/{name}.json")
        assert manifest == {"entries": [{"url": f"s3://working/{probe}", "mandatory": True}]}
    assert list(store.get_lines(probe)) == [{}]
    data_api.broken = {"/manifests/log_data.json'": "ERROR: JSONPath"}
    assert bad(run_again(data_api)) == ["copy_log_data"]


def run_again(data_api: Warehouse) -> dict[str, Any]:
    """Its findings as another execution's, whose tokens the Data API does not know yet."""
    answer = call(preflight.handler, load_id="20261123-203012-0a1b2c3d")
    return {finding["name"]: finding for finding in answer["setup"]}


def test_another_format_is_not_tried_without_a_file(
    s3: Any, data_api: Warehouse, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty JSON object is no row of a CSV file."""
    plain = sql.without_comments
    name = "datasets/song_data/copy.sql"
    csv = plain(name).replace("FORMAT AS JSON 'auto'", "FORMAT AS CSV")
    monkeypatch.setattr(sql, "without_comments", lambda n: csv if n == name else plain(n))
    _, found = run()
    assert found["copy_song_data"]["found"] == "no file under song_data/ yet: not tried"
    assert found["copy_song_data"]["passed"]
    assert not [text for text in data_api.statements if SONG_COPY in text]
    s3.put_object(Bucket="data", Key=SONG, Body=b"a,b")
    again = run_again(data_api)
    assert again["copy_song_data"]["found"] == f"COPY reads s3://data/{SONG}"
    assert [text for text in data_api.statements if SONG_COPY in text]


def test_the_first_file_is_read_as_a_load_would(s3: Any, data_api: Warehouse, events: None) -> None:
    s3.put_object(Bucket="data", Key=f"{LOG}.gz", Body=b"x")
    run()
    [copy] = [text for text in data_api.statements if "/manifests/log_data.json'" in text]
    assert copy.startswith("COPY sparkify_loader.event_stage (")
    assert copy.split()[-4:] == ["GZIP", "NOLOAD", "MAXERROR", "100000"]


# ---------------------------------------------------------------- the statements
def test_a_statement_that_redshift_refuses_is_shown_with_its_file(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    error = "ERROR: This type of correlated subquery pattern is not supported due to internal error"
    data_api.broken = {"EXPLAIN INSERT INTO sparkify.time": error}
    answer, found = run()
    names = ["statements: publish log_data", "statements: reload log_data"]
    assert bad(found) == names
    assert answer["cause"] == f"The setup needs fixing: {', '.join(names)}."
    for name in names:
        assert found[name]["found"] == f"sql/datasets/log_data/publish/30_time.sql: {error}"
        assert "open an issue" in found[name]["fix"]
    assert list(found) == ALL


def test_several_statements_of_a_batch_are_shown_at_once(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    """Each is a transaction: one that is refused does not hide the next."""
    data_api.broken = {
        "EXPLAIN INSERT INTO sparkify.user_versions": "ERROR: one",
        "EXPLAIN DELETE FROM sparkify.users": "ERROR: two",
    }
    _, found = run()
    assert found["statements: publish log_data"]["found"] == (
        "sql/datasets/log_data/publish/20_users.sql: ERROR: one; "
        "sql/datasets/log_data/publish/20_users.sql: ERROR: two"
    )
    for request in data_api.submits:
        if " check" not in request["StatementName"] and "EXPLAIN" in "".join(request["Sqls"]):
            assert request["ExecutionMode"] == "AUTO_COMMIT"


def test_of_many_the_first_are_shown_and_the_others_counted(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    data_api.broken = {"EXPLAIN": "ERROR: no"}
    _, found = run()
    assert bad(found) == STATEMENTS
    group = next(g for g in rendered.groups() if g.name == "publish song_data")
    count = len([s for b in explain.batches(group, "l") for s in b if s.text.startswith("EXPLAIN")])
    said = found["statements: publish song_data"]["found"]
    assert said.count("ERROR: no") == preflight.SHOWN
    assert said.endswith(f" (and {count - preflight.SHOWN} more)")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("CREATE TABLE sparkify_loader.event_stage_", "CREATE TABLE sparkify_loader.event_stage_"),
        (
            "CREATE TEMPORARY TABLE staged_plays",
            "sql/datasets/log_data/publish/05_staged_plays.sql: ERROR: no right",
        ),
        ("COPY files_planned", "sql/publish/files.sql: ERROR: no right"),
    ],
)
def test_what_sets_a_batch_up_may_be_refused_too(
    s3: Any, data_api: Warehouse, events: None, word: str, says: str
) -> None:
    data_api.broken = {word: "ERROR: no right"}
    _, found = run()
    assert says in found["statements: publish log_data"]["found"]
    assert not found["statements: publish log_data"]["passed"]


def test_a_batch_that_ends_without_its_parts_says_what_the_data_api_says(
    s3: Any, data_api: Warehouse, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_parts(**request: Any) -> dict[str, Any]:
        answer = Warehouse.describe_statement(data_api, **request)
        return {k: v for k, v in answer.items() if k != "SubStatements"}

    monkeypatch.setattr(data_api, "describe_statement", without_parts)
    data_api.broken = {"EXPLAIN INSERT INTO sparkify.time": "FATAL: the warehouse is paused"}
    _, found = run()
    assert found["statements: publish log_data"]["found"] == "FATAL: the warehouse is paused"


# ---------------------------------------------------------------- time
def test_what_is_not_reached_in_time_is_said(
    s3: Any, data_api: Warehouse, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function would be ended, and nothing of what was found would be told."""
    reached = len([*BEFORE, "lock"])
    ticks = iter([0.0] * (reached + 1))
    clock = SimpleNamespace(monotonic=lambda: next(ticks, preflight.BUDGET + 1.0))
    monkeypatch.setattr(preflight, "time", clock)
    answer, found = run()
    assert answer["outcome"] == "failed"
    assert list(found) == ALL
    assert bad(found) == ALL[reached:]
    for name in ALL[reached:]:
        assert (
            found[name]["found"]
            == f"Not reached in {preflight.BUDGET} seconds: start the check again."
        )
    assert not [text for text in data_api.statements if "EXPLAIN" in text]


def test_a_statement_that_hangs_is_cancelled_and_the_rest_is_looked_at(
    s3: Any, data_api: Warehouse, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = count(0, 10)
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    data_api.hangs = PROBE
    _, found = run()
    assert bad(found) == ["copy_role"]
    assert f"took over {preflight.LIMIT} seconds" in found["copy_role"]["found"]
    assert found["copy_role"]["fix"] == preflight.SLOW
    assert len(data_api.cancelled) == 1
    assert list(found) == ALL


def test_the_staging_tables_of_a_batch_that_hangs_are_dropped(
    s3: Any, data_api: Warehouse, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own DROP, the last statement, does not run once it is cancelled."""
    seconds = count(0, 10)
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    data_api.hangs = "EXPLAIN"
    _, found = run()
    assert bad(found) == STATEMENTS
    batches = [request["Sqls"] for request in data_api.submits]
    cut_off = [sqls for sqls in batches if any("EXPLAIN" in text for text in sqls)]
    drops = [sqls[-1] for sqls in cut_off if sqls[-1].startswith("DROP TABLE")]
    assert drops
    assert [sqls[0] for sqls in batches if sqls[0].startswith("DROP TABLE")] == drops


def test_a_lock_that_a_load_holds_is_no_fault(
    s3: Any, data_api: Warehouse, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = count(0, 10)
    monkeypatch.setattr(dataapi, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    data_api.hangs = LOCK
    answer, found = run()
    assert answer["outcome"] == "checked"
    assert "held by another transaction for 40 seconds" in found["lock"]["found"]
    assert len(data_api.cancelled) == 1


def test_a_report_of_copy_that_loads_can_do_without_is_no_fault(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    data_api.broken = {"FROM sys_load_detail\nWHERE query_id": "ERROR: not supported"}
    answer, found = run()
    assert answer["outcome"] == "checked"
    said = found["statements: stage log_data"]["found"]
    assert said.startswith(
        "Loads use another statement, because Redshift refuses this one: sql/stage/files_cop"
    )


def test_it_ends_before_its_function_does() -> None:
    resources = _document(Path(__file__).resolve().parents[2] / "template.yaml")["Resources"]
    [timeout] = [
        r["Properties"]["Timeout"]
        for r in resources.values()
        if r.get("Properties", {}).get("Handler") == "preflight.handler"
    ]
    assert timeout > preflight.BUDGET + preflight.LIMIT


# ---------------------------------------------------------------- the bucket
def test_a_bucket_that_sends_no_events(
    s3: Any, data_api: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "sends_events", lambda self, bucket: False)
    _, found = run()
    assert bad(found) == ["bucket_events"]
    assert "the put replaces the whole configuration" in found["bucket_events"]["fix"]


def test_a_bucket_in_another_region_is_refused(
    s3: Any, data_api: Warehouse, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it can be loaded: the manifests are in the stack's region."""
    monkeypatch.setattr(Store, "bucket_region", lambda self, bucket: "eu-central-1")
    answer, found = run()
    assert answer["outcome"] == "failed"
    assert bad(found) == ["bucket_region"]
    assert "is in eu-central-1, the stack in us-west-2" in found["bucket_region"]["found"]
    for way in ("S3 replication", "DataBucketName", "deploy the stack in the bucket's region"):
        assert way in found["bucket_region"]["fix"]


def test_events_of_another_accounts_bucket_are_not_missed(
    s3: Any, data_api: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is the execution's; S3 refuses a request that names another owner, with 403."""
    asked = []

    def refuse(self: Any, **request: Any) -> Any:
        asked.append(request)
        raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 403}}, "HeadBucket")  # type: ignore[typeddict-item]

    head = type("Client", (), {"head_bucket": refuse})()
    monkeypatch.setattr(
        preflight, "store", type("S", (Store,), {"_client": head})(preflight.store.bucket)
    )
    assert preflight.store.is_owned_by("data", "123456789012") is False
    assert asked == [{"Bucket": "data", "ExpectedBucketOwner": "123456789012"}]
    monkeypatch.undo()
    monkeypatch.setattr(DataApi, "_client", data_api)
    monkeypatch.setattr(Store, "is_owned_by", lambda self, bucket, account: account == "1")
    answer, found = run()
    assert answer["outcome"] == "checked"
    assert "docs/other-account/bucket-owner.yaml" in found["bucket_events"]["found"]


@pytest.mark.parametrize(
    ("paused", "says"), [("true", "start {} to load"), ("false", "start loads")]
)
def test_a_paused_stack_is_no_fault_and_says_how_to_go_on(
    s3: Any,
    data_api: Warehouse,
    events: None,
    configure: Callable[..., None],
    paused: str,
    says: str,
) -> None:
    configure(PAUSED=paused)
    answer, found = run()
    assert answer["outcome"] == "checked"
    assert says in found["loads_by_itself"]["found"]


# ---------------------------------------------------------------- what it leaves
def test_it_leaves_nothing_behind_and_loads_nothing(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    s3.put_object(Bucket="data", Key=LOG, Body=b"{}")
    run()
    made_anywhere = 0
    for request in data_api.submits:
        texts = request["Sqls"]
        made = [text.split()[2] for text in texts if text.startswith("CREATE TABLE")]
        drops = [text for text in texts if text.startswith("DROP TABLE")]
        dropped = [name for text in drops for name in re.findall(r"sparkify\w*\.\w+", text)]
        assert sorted(made) == sorted(dropped), request["StatementName"]
        made_anywhere += len(made)
        for text in texts:
            word = text.split()[0]
            assert word in ("SELECT", "EXPLAIN", "CREATE", "DROP", "COPY", "LOCK", "UPDATE"), text
            if word == "CREATE":
                assert text.startswith(("CREATE TABLE", "CREATE TEMPORARY TABLE"))
            if word == "UPDATE":
                assert text.startswith("UPDATE sparkify_loader.publish_lock\n")
            if word == "COPY":  # nothing, or into a table that is gone with its session
                temporary = [
                    t for t in texts if t.startswith(f"CREATE TEMPORARY TABLE {text.split()[1]} ")
                ]
                assert "NOLOAD" in text or temporary, text
    assert made_anywhere > 2
    copies = [text for text in data_api.statements if text.startswith("COPY")]
    assert len([text for text in copies if "NOLOAD" in text]) == 2


def test_no_two_of_its_batches_share_a_token(s3: Any, data_api: Warehouse, events: None) -> None:
    """The second would get the first one's answer, and never run."""
    run()
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens) > len(ALL) - len(BUCKET)
