"""What a refusal of AWS says: the action, the resource, and what works without it. And what is asked before a stack's
rows are deleted.
"""

import io
import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.stub import Stubber
from loader.request import parse

from local import __main__ as command_line
from local.client import consent, executions, files, queries, rights, stack
from local.client.clients import Clients
from local.client.target import LOCAL_WAREHOUSE, Target
from local.commands import sql, start, status
from local.problem import Usage
from local.show.report import Report

OUTPUTS = {
    "DataBucketName": "data",
    "WorkBucketName": "working",
    "StateMachineArn": "arn:aws:states:us-west-2:111122223333:stateMachine:load",
    "QueueUrl": "https://sqs.us-west-2.amazonaws.com/111122223333/queue",
    "DeadLetterQueueUrl": "https://sqs.us-west-2.amazonaws.com/111122223333/dead",
}
PARAMETERS = {
    "CreateWarehouse": "false",
    "WorkgroupName": "",
    "ClusterIdentifier": "c-1",
    "DbUser": "loader",
    "SecretArn": "",
    "DatabaseName": "prod",
    "SchemaName": "music",
    "Paused": "auto",
    "DataBucketName": "data",
}
USER = "User: arn:aws:sts::111122223333:assumed-role/reader/me is not authorized to perform:"


def refusal(operation: str, code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("operation", "code", "message", "action", "resource"),
    [
        (  # most services
            "StartExecution",
            "AccessDeniedException",
            f"{USER} states:StartExecution on resource: {OUTPUTS['StateMachineArn']} because no policy allows it",
            "states:StartExecution",
            "arn:aws:states:us-west-2:111122223333:stateMachine:load",
        ),
        (  # S3 in an account's own words, with quotes
            "ListObjectsV2",
            "AccessDenied",
            f'{USER} s3:ListBucket on resource: "arn:aws:s3:::data" with an explicit deny in a resource-based policy',
            "s3:ListBucket",
            "arn:aws:s3:::data",
        ),
        (
            "ListObjectsV2",
            "AccessDenied",
            "Access Denied",
            "s3:ListBucket",
            "",
        ),  # S3 across accounts
        ("HeadObject", "403", "Forbidden", "s3:GetObject", ""),  # it has no body
        (  # the Data API, for the caller
            "BatchExecuteStatement",
            "ValidationException",
            f"{USER} redshift-serverless:GetCredentials on resource: arn:aws:redshift-serverless:us-west-2:1:w/w",
            "redshift-serverless:GetCredentials",
            "arn:aws:redshift-serverless:us-west-2:1:w/w",
        ),
        (
            "GetQueueAttributes",
            "AWS.SimpleQueueService.AccessDenied",
            "",
            "sqs:GetQueueAttributes",
            "",
        ),
    ],
)
def test_the_missing_right_is_named(
    operation: str, code: str, message: str, action: str, resource: str
) -> None:
    found = rights.missing(refusal(operation, code, message))
    assert found is not None
    assert (found.action, found.resource) == (action, resource)
    assert action in str(rights.Denied(found))
    assert resource in str(rights.Denied(found))
    explicit = "(an explicit deny in a resource-based policy)"
    assert (explicit in str(rights.Denied(found))) == ("explicit deny" in message)


@pytest.mark.parametrize(
    ("action", "works", "fails"),
    [
        ("s3:ListBucket", {"rejected", "undo", "sql"}, {"status", "where"}),
        ("redshift-data:GetStatementResult", {"start", "undo", "show"}, {"sql", "where", "status"}),
        ("redshift-serverless:GetCredentials", {"start", "redo"}, {"sql", "rejected", "upload"}),
        ("states:StartExecution", {"status", "where", "sql"}, {"start", "undo", "redo", "reload"}),
        ("sqs:getqueueattributes", {"where"}, {"status", "upload"}),
        ("cloudformation:DescribeStacks", set(), {"status", "where", "sql", "start"}),
    ],
)
def test_what_works_without_it_is_said(action: str, works: set[str], fails: set[str]) -> None:
    found = set(rights.Missing(action, "").works())
    assert works <= found
    assert not fails & found


def test_another_error_is_no_missing_right() -> None:
    assert rights.missing(refusal("ListObjectsV2", "NoSuchBucket", "It does not exist")) is None
    assert rights.missing(refusal("DescribeStacks", "ExpiredToken", "It is expired")) is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusal("PutObject", "AccessDenied", "Access Denied"), "you may not s3:PutObject. Ask"),
        (refusal("DescribeStacks", "ExpiredToken", "It is expired"), "aws sso login --profile p"),
        (NoCredentialsError(), "aws sts get-caller-identity --profile p"),
        (refusal("DescribeStacks", "Throttling", "Rate exceeded"), "AWS returned an error"),
    ],
)
def test_an_error_of_aws_is_told_with_what_to_do(error: Any, said: str) -> None:
    arguments = Namespace(stack="s", profile="p")
    assert said in command_line.explained(error, arguments)
    local = command_line.explained(error, Namespace(stack=None, profile=None))
    assert local.startswith("the local AWS returned an error: ")


# ---------------------------------------------------------------- a stack, answered by Stubber
SESSION = boto3.Session("key", "secret", region_name="us-west-2")


class Stubs(dict[str, Stubber]):
    """A stub for each client that a test names."""

    def __init__(self, clients: Clients):
        self._clients = clients

    def __missing__(self, name: str) -> Stubber:
        self[name] = Stubber(getattr(self._clients, name))
        self[name].activate()
        return self[name]


class Aws:
    """Clients of a stack whose answers are given; one that was not foreseen fails."""

    def __init__(self) -> None:
        self.clients = Clients(Target(SESSION, None, "mine", ("--stack", "mine")))
        self.stubs = Stubs(self.clients)

    def stack(self, times: int = 1) -> None:
        described = {
            "Stacks": [
                {
                    "StackName": "mine",
                    "StackStatus": "UPDATE_COMPLETE",
                    "CreationTime": "2026-01-01T00:00:00Z",
                    "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()],
                    "Parameters": [
                        {"ParameterKey": k, "ParameterValue": v} for k, v in PARAMETERS.items()
                    ],
                }
            ]
        }
        for _ in range(times):
            self.stubs["cloudformation"].add_response(
                "describe_stacks", described, {"StackName": "mine"}
            )

    def refuse(self, client: str, operation: str, message: str, code: str = "AccessDenied") -> None:
        self.stubs[client].add_client_error(operation, code, message)


@pytest.fixture
def aws() -> Aws:
    return Aws()


def test_a_long_result_is_read_page_by_page_from_the_stacks_warehouse(aws: Aws) -> None:
    aws.stack()
    redshift = aws.stubs["redshift"]
    redshift.add_response(
        "batch_execute_statement",
        {"Id": "s"},
        {
            "ClusterIdentifier": "c-1",
            "DbUser": "loader",
            "Database": "prod",
            "Sqls": ["SET search_path TO music, public", "SELECT 1"],
            "WaitTimeSeconds": 20,
        },
    )
    described = {
        "Id": "s",
        "Status": "FINISHED",
        "SubStatements": [{"Id": "s:1"}, {"Id": "s:2", "HasResultSet": True}],
    }
    redshift.add_response("describe_statement", described)
    for number, token in ((1, "next"), (2, "")):
        page: dict[str, Any] = {
            "Records": [[{"longValue": number}]],
            "ColumnMetadata": [{"name": "n"}],
        }
        asked = {"Id": "s:2", **({"NextToken": "next"} if number == 2 else {})}
        redshift.add_response(
            "get_statement_result", {**page, **({"NextToken": token} if token else {})}, asked
        )
    found = queries.run(aws.clients, "SELECT 1")
    assert found.rows == [[1], [2]]
    redshift.assert_no_pending_responses()


def test_a_right_that_the_data_api_needs_is_no_error_of_the_sql(aws: Aws) -> None:
    aws.stack()
    message = f"{USER} redshift:GetClusterCredentials on resource: arn:aws:redshift:us-west-2:1:dbuser:c-1/loader"
    aws.refuse("redshift", "batch_execute_statement", message)
    with pytest.raises(rights.Denied, match="dbuser:c-1/loader") as refused:
        queries.run(aws.clients, "SELECT 1")
    assert "These commands work without it: start, undo, redo, reload, show" in str(refused.value)


def test_a_reader_without_grants_learns_who_gives_them(aws: Aws) -> None:
    aws.stack()
    aws.stubs["redshift"].add_response("batch_execute_statement", {"Id": "s"})
    said = "Query #2 failed with ERROR: permission denied for schema music"
    aws.stubs["redshift"].add_response(
        "describe_statement", {"Id": "s", "Status": "FAILED", "Error": said}
    )
    with pytest.raises(queries.SqlError, match=r"sql/admin/grant_readers\.sql"):
        queries.run(aws.clients, "SELECT 1")


def test_a_stack_that_is_not_there_or_none_of_ours_is_said(aws: Aws) -> None:
    message = "Stack with id mine does not exist"
    aws.refuse("cloudformation", "describe_stacks", message, "ValidationError")
    with pytest.raises(Exception, match="no stack mine in us-west-2"):
        _ = aws.clients.warehouse
    aws.stubs["cloudformation"].add_response(
        "describe_stacks",
        {
            "Stacks": [
                {
                    "StackName": "mine",
                    "StackStatus": "CREATE_COMPLETE",
                    "CreationTime": "2026-01-01T00:00:00Z",
                }
            ]
        },
    )
    with pytest.raises(Exception, match="is not a stack of this repository"):
        _ = aws.clients.warehouse


def test_without_the_right_to_see_an_executions_states_it_is_followed_all_the_same(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    arn = "arn:aws:states:us-west-2:111122223333:execution:load:e"
    more = {
        "executionArn": arn,
        "stateMachineArn": OUTPUTS["StateMachineArn"],
        "startDate": "2026-01-01T00:00:00Z",
        "name": "e",
    }
    states = aws.stubs["states"]
    states.add_response("describe_execution", {**more, "status": "RUNNING"})
    states.add_client_error("get_execution_history", "AccessDeniedException", "")
    states.add_response(
        "describe_execution", {**more, "status": "SUCCEEDED", "output": '{"status": "undone"}'}
    )
    assert executions.follow(aws.clients, arn, "t").status == "undone"


def test_status_shows_what_it_may_and_says_what_it_may_not(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No right to list the bucket, nor to see executions and queues."""
    monkeypatch.setattr(status, "clients", lambda _: aws.clients)
    aws.stack(times=4)

    def run(_: Clients, sql: str) -> Any:
        rows: list[list[Any]] = []
        if "GROUP BY dataset, status" in sql:
            rows = [["log_data", "loaded", 7], ["log_data", "rejected", 1]]
        elif "COUNT" in sql or "MAX" in sql:
            rows = [[5]] if "GROUP" not in sql else []
        return SimpleNamespace(rows=rows)

    monkeypatch.setattr(queries, "run", run)
    aws.refuse("s3", "list_objects_v2", f'{USER} s3:ListBucket on resource: "arn:aws:s3:::data"')
    aws.refuse("states", "list_executions", f"{USER} states:ListExecutions on resource: arn:load")
    for _ in range(2):
        aws.refuse("sqs", "get_queue_attributes", "Access denied")
    aws.refuse("s3", "list_objects_v2", f'{USER} s3:ListBucket on resource: "arn:aws:s3:::work"')
    assert status.run(Namespace(stack="mine", json=True)) == 1
    found = json.loads(capsys.readouterr().out)
    [logs] = [one for one in found["datasets"] if one["dataset"] == "log_data"]
    assert (logs["files"]["loaded"], logs["files"]["rejected"]) == (7, 1)
    assert logs["files"]["not_loaded"] is None
    assert (found["running"], found["queue"], found["loads"]) == (None, None, None)
    assert found["not_shown"] == [
        "you may not states:ListExecutions on arn:load",
        "you may not sqs:GetQueueAttributes",
        "you may not s3:ListBucket on arn:aws:s3:::work",
        "you may not s3:ListBucket on arn:aws:s3:::data",
    ]


def test_a_ledger_that_may_not_be_read_is_not_an_empty_one(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: Any) -> Any:
        raise queries.SqlError("ERROR: permission denied for schema music")

    monkeypatch.setattr(queries, "run", run)
    aws.stack()
    with pytest.raises(queries.SqlError, match="permission denied"):
        files.states(aws.clients, stack.Stack("mine", "data", "work", "m", "q", "d"))


# ---------------------------------------------------------------- consent
@pytest.mark.parametrize(
    ("document", "asks"),
    [
        ({}, False),
        ({"prefixes": ["a/"]}, False),
        ({"redo": "20261123-220615-40a6feca"}, False),
        ({"check": True}, False),
        ({"undo": "20261123-220615-40a6feca"}, True),
        ({"undo": "20261123-220615-40a6feca", "dry_run": True}, False),
        ({"keys": ["a"], "reload": True}, True),
        ({"keys": ["a"], "reload": True, "dry_run": True}, False),
        ({"keys": ["a"], "reload": False}, False),
        ({"reset": True}, True),
        ({"undo": "x", "dry_run": "yes"}, True),
        ([], False),
    ],
)
def test_only_what_deletes_rows_asks_and_a_dry_run_never(document: Any, asks: bool) -> None:
    assert bool(start.destroys(document)) == asks


def ask(aws: Aws, yes: str | None) -> None:
    consent.ask(aws.clients, Namespace(yes=yes), "drops all tables")


def test_consent_of_a_script_is_the_stacks_name(aws: Aws) -> None:
    ask(aws, "mine")
    for wrong in ("other", "", "y"):
        with pytest.raises(Usage, match="is not the stack's name, mine"):
            ask(aws, wrong)


def test_consent_is_asked_on_a_terminal_only(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("mine\n"))
    with pytest.raises(Usage, match="pass --yes mine"):
        ask(aws, None)
    for answer in ("mine\n", "no\n"):
        terminal = io.StringIO(answer)
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", terminal)
        if answer == "mine\n":
            ask(aws, None)
        else:
            with pytest.raises(Usage, match="Nothing was done"):
                ask(aws, None)
    printed = capsys.readouterr()
    assert "drops all tables, on the stack mine" in printed.err
    assert printed.out == ""


def test_the_local_aws_is_not_asked_for() -> None:
    local = cast(Clients, SimpleNamespace(target=SimpleNamespace(local=True)))
    consent.ask(local, Namespace(yes=None), "drops all tables")


@pytest.mark.parametrize(
    "words", [["undo", "20261123-220615-40a6feca"], ["start", '{"reset": true}']]
)
def test_nothing_is_started_without_consent(
    words: list[str], aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("start", "undo"):
        monkeypatch.setattr(f"local.commands.{name}.clients", lambda _: aws.clients)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    started: list[str] = []

    def execute(_: Any, __: Any, text: str) -> Report:
        started.append(text)
        return Report("e", False, {"status": "undone"})

    monkeypatch.setattr(start, "execute", execute)
    aws.stack(times=4)
    assert command_line.main([*words, "--stack", "mine", "--yes", "other"]) == 2
    assert started == []
    assert command_line.main([*words, "--stack", "mine", "--yes", "mine", "--json"]) == 0
    assert len(started) == 1
    assert json.loads(capsys.readouterr().out) == {"status": "undone", "execution": "e"}


def test_an_input_that_is_too_long_is_not_sent(aws: Aws) -> None:
    parts = stack.Stack("mine", "data", "work", "m", "q", "d")
    with pytest.raises(Usage, match="at most 262,144"):
        start.execute(aws.clients, parts, json.dumps({"keys": ["x" * 300_000]}))


def test_what_sql_sends_to_a_stack_is_said(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.stack()
    told = sql.sent(aws.clients, "DELETE\n  FROM t -- \x1b[2J")
    assert told == (
        "sql: to cluster c-1, database prod, as the database user loader: DELETE FROM t -- \\x1b[2J"
    )


@pytest.mark.parametrize(("paused", "words"), [(True, []), (False, ["--no-wait"])])
def test_an_upload_does_not_wait_for_what_does_not_come(
    paused: bool,
    words: list[str],
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "a.json").write_text("{}")
    monkeypatch.setattr("local.commands.upload.clients", lambda _: aws.clients)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setitem(PARAMETERS, "Paused", "auto" if paused else "false")
    aws.stack(times=4)
    aws.stubs["s3"].add_response("put_object", {"ETag": '"e"'})
    code = command_line.main(["upload", str(tmp_path), "--stack", "mine", "--json", *words])
    printed = capsys.readouterr()
    assert (code, json.loads(printed.out)) == (0, {"loads": []})
    assert ("is paused" in printed.err) == paused
    assert ("loader start --stack mine" in printed.err) == paused


# ---------------------------------------------------------------- undo, redo, reload
LOAD = "20261123-220615-40a6feca"


@pytest.mark.parametrize(
    ("words", "document"),
    [
        (["undo", LOAD], {"undo": LOAD}),
        (["undo", LOAD, "--dry-run"], {"undo": LOAD, "dry_run": True}),
        (["redo", LOAD], {"redo": LOAD}),
        (["redo", LOAD, "--dry-run"], {"redo": LOAD, "dry_run": True}),
        (["reload", "a/b.json"], {"reload": True, "keys": ["a/b.json"]}),
        (["reload", "a/", "--dry-run"], {"reload": True, "prefixes": ["a/"], "dry_run": True}),
        (
            ["reload", "a/2026*", "b.json"],
            {"reload": True, "prefixes": ["a/2026"], "keys": ["b.json"]},
        ),
        (["reload", LOAD], {"reload": True, "keys": ["a/it's.json", "b"]}),
        (["start", "-"], {"keys": ["ü"]}),
    ],
)
def test_the_input_of_each_command_is_one_that_the_loader_takes(
    words: list[str], document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def execute(_: Any, __: Any, text: str) -> Report:
        sent.append(text)
        return Report("e", False, {"status": "planned", "files": {"rejected": 1}})

    def run(_: Any, sql_text: str) -> Any:
        assert f"load_id = '{LOAD}'" in sql_text
        return SimpleNamespace(rows=[["a/it's.json"], ["b"]])

    here = SimpleNamespace(target=SimpleNamespace(local=True), warehouse=LOCAL_WAREHOUSE)
    monkeypatch.setattr(f"local.commands.{words[0]}.clients", lambda _: here)
    monkeypatch.setattr("local.client.stack.deployed", lambda _: None)
    monkeypatch.setattr(queries, "run", run)
    monkeypatch.setattr(start, "execute", execute)
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"keys": ["ü"]}'))
    with mock.patch.dict(os.environ):
        assert command_line.main(words) == 3
    assert [json.loads(text) for text in sent] == [document]
    parse(document)


@pytest.mark.parametrize("command", ["undo", "redo"])
@pytest.mark.parametrize("load", ["log_data/a.json", "20261123-220615", f"{LOAD}'"])
def test_what_is_no_load_id_is_wrong(
    command: str, load: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock.patch.dict(os.environ):
        assert command_line.main([command, load]) == 2
    assert "is not a load id, such as" in capsys.readouterr().err
