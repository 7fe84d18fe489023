"""The preflight: each thing that must be right, and what it says when it is not."""

from typing import Any

import preflight
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from loader.dataapi import DataApi
from loader.migrations import latest_version
from loader.store import Store

from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import LOG, SONG, call

ALL = [
    "warehouse_reachable",
    "rights_in_schemas",
    "tables",
    "copy_role",
    "copy_reads_data",
    "bucket_region",
    "bucket_events",
]
MISSING = 'ERROR: relation "sparkify.schema_version" does not exist'
DENIED = "ERROR: permission denied"

# What each statement of the preflight is known by.
WAREHOUSE, RIGHTS, VERSION, PROBE, NOLOAD = (
    "current_user",
    "(seq BIGINT)",
    "MAX(version)",
    "/probe.json'",
    "NOLOAD",
)


class Warehouse(FakeDataApi):
    """Answers by what is asked, all well; ``broken`` holds the statements that fail."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: dict[str, str] = {}
        self.version = latest_version()

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        reply = Reply(rows={1: [("IAMR:loader", "dev")]})
        text = request["Sqls"][-1] if PROBE in request["Sqls"][-1] else request["Sqls"][0]
        if "pg_namespace" in text:
            reply = Reply(rows={1: [(1,)]})
        if VERSION in text:
            reply = Reply(rows={1: [(self.version,)]})
        for word, error in self.broken.items():
            if word in text and not (word == RIGHTS and "TEMPORARY" in text):
                reply = failed(1, error)
        self.replies = [reply]
        return super().batch_execute_statement(**request)


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
    return answer, {finding["name"]: finding for finding in answer["setup"]}


def test_all_is_well(s3: Any, data_api: Warehouse, events: None) -> None:
    s3.put_object(Bucket="data", Key=LOG, Body=b"{}")
    answer, found = run()
    assert answer["outcome"] == "checked"
    assert list(found) == ALL
    assert all(finding["passed"] for finding in found.values())
    assert found["warehouse_reachable"]["found"] == "user IAMR:loader, database dev"
    assert found["copy_reads_data"]["found"] == f"COPY reads s3://data/{LOG}"


@pytest.mark.parametrize(
    ("word", "error", "name", "mend"),
    [
        (RIGHTS, DENIED, "rights_in_schemas", "sql/admin/setup.sql"),
        (VERSION, DENIED, "tables", "loader"),
        (PROBE, "ERROR: not authorized to assume IAM Role", "copy_role", "CopyRoleArn"),
        (NOLOAD, "ERROR: S3ServiceException:Access Denied", "copy_reads_data", "s3:GetObject"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(
    s3: Any, data_api: Warehouse, events: None, word: str, error: str, name: str, mend: str
) -> None:
    s3.put_object(Bucket="data", Key=SONG, Body=b"{}")
    data_api.broken = {word: error}
    answer, found = run()
    assert answer["outcome"] == "failed"
    assert answer["cause"] == f"The set-up needs mending: {name}."
    assert [n for n, finding in found.items() if not finding["passed"]] == [name]
    assert error in found[name]["found"]
    assert mend in found[name]["mend"]
    assert list(found) == ALL  # the others are looked at all the same


@pytest.mark.parametrize("error", ["failed statement", "no endpoint"])
def test_without_a_warehouse_the_rest_of_it_is_not_tried(
    s3: Any,
    data_api: Warehouse,
    events: None,
    error: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if error == "no endpoint":

        def refuse(**request: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://redshift-data")

        monkeypatch.setattr(data_api, "batch_execute_statement", refuse)
    data_api.broken = {WAREHOUSE: "FATAL: no such database"}
    answer, found = run()
    assert answer["outcome"] == "failed"
    assert list(found) == ["warehouse_reachable", "bucket_region", "bucket_events"]
    assert "redshift-serverless:GetCredentials" in found["warehouse_reachable"]["mend"]


def test_before_the_first_load(s3: Any, data_api: Warehouse, events: None) -> None:
    """Without tables and files all is well: the first load makes the tables."""
    data_api.broken = {VERSION: MISSING}
    answer, found = run()
    assert answer["outcome"] == "checked"
    assert "the first load makes them" in found["tables"]["found"]
    assert found["copy_reads_data"]["found"] == "no file in the data bucket yet"
    s3.put_object(Bucket="data", Key=LOG, Body=b"{}")
    data_api.broken[NOLOAD] = 'ERROR: relation "sparkify.event_stage" does not exist'
    assert run()[1]["copy_reads_data"]["passed"]


@pytest.mark.parametrize(
    ("version", "passed", "says"),
    [
        (latest_version(), True, f"version {latest_version()}"),
        (latest_version() - 1, True, "the next load upgrades them"),
        (0, True, "version 0, the next load upgrades them"),
        (9, False, f"are of version 9, this loader knows {latest_version()}"),
    ],
)
def test_the_tables_version(
    s3: Any, data_api: Warehouse, events: None, version: int, passed: bool, says: str
) -> None:
    data_api.version = version
    _, found = run()
    assert found["tables"]["passed"] is passed
    assert found["tables"]["found"].endswith((says, f"{says}."))


def test_a_bucket_that_sends_no_events(
    s3: Any, data_api: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "sends_events", lambda self, bucket: False)
    _, found = run()
    assert not found["bucket_events"]["passed"]
    assert "the put replaces all that was there" in found["bucket_events"]["mend"]


def test_a_bucket_in_another_region(
    s3: Any, data_api: Warehouse, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it can be loaded: the manifests are in the stack's region."""
    monkeypatch.setattr(Store, "bucket_region", lambda self, bucket: "eu-central-1")
    answer, found = run()
    assert answer["outcome"] == "failed"
    assert "is in eu-central-1, the stack in us-west-2" in found["bucket_region"]["found"]
    for way in ("S3 replication", "DataBucketName", "deploy the stack in the bucket's region"):
        assert way in found["bucket_region"]["mend"]


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


def test_it_leaves_nothing_behind_and_loads_nothing(
    s3: Any, data_api: Warehouse, events: None
) -> None:
    s3.put_object(Bucket="data", Key=LOG, Body=b"{}")
    run()
    made = [text for text in data_api.statements if text.startswith("CREATE TABLE")]
    dropped = [text for text in data_api.statements if text.startswith("DROP TABLE")]
    assert len(made) == len(dropped) == 1
    copies = [text for text in data_api.statements if text.startswith("COPY")]
    assert len(copies) == 2
    assert all("NOLOAD" in text or "probe.json" in text for text in copies)
