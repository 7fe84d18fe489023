"""make verify without AWS: a local Redshift in this process, moto for S3 and SQS."""

import argparse
import builtins
import io
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from conformance.model import Case
from conformance.runner import Difference
from moto import mock_aws

from fakeshift import LocalRedshift, Settings
from local.problem import Problem
from tests.world import oracle
from tests.world.client import Client
from tools import evidence
from verify import __main__ as command
from verify import asked as questions
from verify import bounds, conformance, data, place, preflight, probes
from verify.bounds import Deadline, TimeIsUp
from verify.cleaning import Cleaner
from verify.place import Place, Stack
from verify.results import AS_EXPECTED, AS_NOTED, NOT_POSSIBLE, NOT_TRIED, OTHER, Report, Result
from verify.run import Run

ROLE = "arn:aws:iam::123456789012:role/copy"
STACK = Stack(
    "mine",
    {
        "StateMachineArn": "arn:aws:states:us-west-2:123456789012:stateMachine:mine-load",
        "DataBucketName": "mine-data",
        "WorkBucketName": "mine-work",
        "CopyRoleArn": ROLE,
        "LoaderRoleName": "mine-loader",
    },
    {"SchemaName": "sparkify", "WorkgroupName": "wg", "DatabaseName": "dev"},
)


class Untouched:
    """A client of which nothing may be asked."""

    def __getattr__(self, operation: str) -> Any:
        raise AssertionError(f"{operation} was called")


class Session:
    """Clients by service, some of them fakes; of those that are not named nothing may be asked."""

    region_name = "us-west-2"

    def __init__(self, **clients: Any) -> None:
        self.clients = clients

    def client(self, service: str, **_: Any) -> Any:
        return self.clients.get(service, Untouched())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedshift]:
    with LocalRedshift(Settings(data=tmp_path_factory.mktemp("redshift"), port=0)) as found:
        yield found


@pytest.fixture
def warehouse(server: LocalRedshift) -> Iterator[Client]:
    found = Client(server.url)
    yield found
    for (name,) in found.rows("SELECT nspname FROM pg_namespace"):
        if name.startswith(("loader_verify", "sparkify")):
            found.run(f"DROP SCHEMA {name} CASCADE")


def at(warehouse: Client | None = None, stack: Stack | None = STACK, **clients: Any) -> Place:
    """A place with these clients; ``data_api`` is the warehouse's, if not given."""
    clients["redshift-data"] = clients.pop("data_api", warehouse.client if warehouse else None)
    session = Session(**clients)
    return Place(
        name="mine", local=False, where={"WorkgroupName": "local"}, database="dev", bucket="mine-work",
        role=ROLE, root="loads/", rpu=8, stack=stack, session=session,
    )  # fmt: skip


def a_run(where: Place, seconds: float = 60) -> Run:
    return Run("r1", where, Deadline(seconds), say=lambda line: None, sleep=lambda seconds: None)


def a_case(**given: Any) -> Case:
    whole = {"area": "sql", "topic": "t", "name": "n", "page": "https://docs.aws.amazon.com/x"}
    return Case(**{**whole, **given})


def arguments(*words: str) -> argparse.Namespace:
    return command.parser().parse_args(words)


# -- bounds -------------------------------------------------------------------------------------


def everything(rpu: float) -> bounds.Estimate:
    cases, _ = conformance.cases_of(local=False, superuser=False)
    return bounds.estimate(
        command.ORDER, cases, len(probes.read_probes()), rpu=rpu, at_a_time=bounds.AT_A_TIME
    )


def test_all_of_it_fits_the_bound_at_the_stacks_own_capacity() -> None:
    """BaseCapacity of the template is 8."""
    whole = everything(8)
    assert 0.1 < whole.dollars < whole.most < bounds.DOLLARS
    limit = bounds.bound(whole, minutes=bounds.MINUTES, dollars=bounds.DOLLARS)
    assert whole.seconds < limit <= 60 * bounds.MINUTES


def test_a_larger_warehouse_stops_sooner_so_that_it_stays_a_dollar() -> None:
    limits = [bounds.bound(everything(rpu), minutes=60, dollars=1) for rpu in (8, 32, 128)]
    assert limits[0] > limits[1] > 0 == limits[2]
    whole = everything(32)
    paid = limits[1] + bounds.CLEANING_SECONDS  # waits too: polling keeps the warehouse awake
    assert paid * whole.rate + whole.other_dollars == pytest.approx(1)


@pytest.mark.parametrize("rpu", [4, 8, 32, 128])
def test_the_dollars_that_are_named_let_all_of_it_run(rpu: float) -> None:
    whole = everything(rpu)
    (dollars,) = re.findall(r"allow it with --dollars (\d+)\.", whole.allow)
    assert f"The full run may cost ${whole.most:.2f};" in whole.allow
    assert bounds.bound(whole, minutes=60, dollars=float(dollars)) >= whole.seconds
    assert bounds.bound(whole, minutes=60, dollars=whole.most - 0.01) < whole.seconds


def test_a_cluster_is_bounded_by_minutes_only() -> None:
    assert bounds.bound(everything(0), minutes=3, dollars=0.01) == 180


def test_the_deadline_is_by_the_clock() -> None:
    now = [0.0]
    deadline = Deadline(10, clock=lambda: now[0])
    deadline.check()
    now[0] = 10
    assert deadline.over
    with pytest.raises(TimeIsUp):
        deadline.check()


def test_what_is_over_the_bound_is_not_tried(warehouse: Client) -> None:
    run = a_run(at(warehouse), seconds=0)
    cases = [a_case(name="a", sql="SELECT 1", rows=[[1]]), a_case(name="b", batch=["SELECT 1"])]
    conformance.check(run, cases, [], 2)
    probes.check(run, probes.read_probes()[:2])
    assert {result.outcome for result in run.results} == {NOT_TRIED}
    assert len(run.results) == 4


# -- what is verified ---------------------------------------------------------------------------


class Formation:
    def __init__(self, outputs: dict[str, str], parameters: dict[str, str], status: str) -> None:
        self._stack = {
            "StackStatus": status,
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        }

    def describe_stacks(self, **_: Any) -> Any:
        return {"Stacks": [self._stack]}


class Serverless:
    def get_workgroup(self, **request: Any) -> Any:
        assert request == {"workgroupName": "wg"}
        return {"workgroup": {"baseCapacity": 64}}


def finds(
    monkeypatch: pytest.MonkeyPatch,
    *words: str,
    outputs: dict[str, str] = STACK.outputs,
    parameters: dict[str, str] = STACK.parameters,
    status: str = "UPDATE_COMPLETE",
) -> Place:
    formation = Formation(outputs, parameters, status)
    session = Session(**{"cloudformation": formation, "redshift-serverless": Serverless()})
    monkeypatch.setattr(boto3, "Session", lambda: session)
    return place.find(arguments(*words))


def test_a_stack_says_where_its_warehouse_is(monkeypatch: pytest.MonkeyPatch) -> None:
    found = finds(monkeypatch, "--stack", "mine")
    assert (found.where, found.database, found.rpu) == ({"WorkgroupName": "wg"}, "dev", 64)
    assert (found.bucket, found.root, found.role) == ("mine-work", "loads/", ROLE)
    made = finds(
        monkeypatch,
        *("--stack", "mine"),
        parameters={"CreateWarehouse": "true", "NewWorkgroupName": "new", "BaseCapacity": "4"},
    )
    assert (made.where, made.rpu) == ({"WorkgroupName": "new"}, 4)
    cluster = finds(monkeypatch, "--stack", "mine", parameters={"ClusterIdentifier": "c"})
    assert (cluster.where, cluster.rpu) == ({"ClusterIdentifier": "c"}, 0)


@pytest.mark.parametrize(
    ("paused", "bucket", "is_paused"),
    [("true", "", True), ("false", "b", False), ("auto", "b", True), ("auto", "", False)],
)
def test_a_paused_stack_is_known_by_its_parameters(
    paused: str, bucket: str, is_paused: bool
) -> None:
    stack = Stack("mine", {}, {"Paused": paused, "DataBucketName": bucket})
    assert stack.paused is is_paused


def test_of_the_default_role_no_arn_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {**STACK.outputs, "CopyRoleArn": "default"}
    assert finds(monkeypatch, "--stack", "mine", outputs=outputs).role == ""


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (["--stack", "mine"], {"status": "ROLLBACK_COMPLETE"}, "not deployed"),
        (["--stack", "mine"], {"outputs": {"Other": "x"}}, "no output StateMachineArn"),
        (["--workgroup", "wg"], {}, "--bucket, --role not given"),
        ([], {}, "Pass --stack NAME"),
    ],
)
def test_what_cannot_be_verified_is_said(
    monkeypatch: pytest.MonkeyPatch, words: list[str], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(Problem, match=said):
        finds(monkeypatch, *words, **given)


def test_a_database_that_is_not_the_stacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """There its tables cannot be seen, which would look like empty ones."""
    with pytest.raises(Problem, match="works in the database dev, not in other"):
        finds(monkeypatch, "--stack", "mine", "--database", "other")
    assert finds(monkeypatch, "--stack", "mine", "--database", "dev").database == "dev"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_test_state_is_asked_in_the_stacks_partition(partition: str) -> None:
    machine = f"arn:{partition}:states:us-west-2:123456789012:stateMachine:mine-load"
    asked: list[str] = []

    class Tests:
        def test_state(self, definition: str, **_: Any) -> Any:
            asked.append(json.loads(definition)["Resource"])
            return {"status": "FAILED", "error": "States.DataLimitExceeded"}

    outputs = {**STACK.outputs, "StateMachineArn": machine}
    run = a_run(at(stack=replace(STACK, outputs=outputs), stepfunctions=Tests()))
    asking: Any = type("Asking", (), {"run": run})
    assert "DataLimitExceeded" in questions.large_output(asking)
    assert asked == [f"arn:{partition}:states:::lambda:invoke"]


def test_without_a_stack_the_partition_is_the_regions() -> None:
    session = boto3.Session(region_name="cn-north-1")
    assert replace(at(stack=None), session=session).partition == "aws-cn"


def test_without_the_capacity_the_cost_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    class Denied:
        def get_workgroup(self, **_: Any) -> Any:
            raise KeyError("baseCapacity")

    monkeypatch.setattr(boto3, "Session", lambda: Session(**{"redshift-serverless": Denied()}))
    words = ("--workgroup", "wg", "--bucket", "b", "--role", ROLE)
    with pytest.raises(Problem, match="--rpu"):
        place.find(arguments(*words))
    assert place.find(arguments(*words, "--rpu", "16")).rpu == 16


def test_stack_local_never_sees_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "secret", "LOCAL_AWS_PORT": "4999"}
    monkeypatch.setattr(os, "environ", environ)
    place.use_local()
    assert environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4999"
    assert environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert "AWS_PROFILE" not in environ
    assert "AWS_SESSION_TOKEN" not in environ


# -- consent ------------------------------------------------------------------------------------


def test_without_a_terminal_nobody_can_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(Problem, match="--yes"):
        command.agreed(["what"], "Start?", yes=False)
    assert command.agreed(["what"], "Start?", yes=True)


@pytest.mark.parametrize(
    ("said", "agrees"), [("y", True), ("", False), ("n", False), ("ja", False)]
)
def test_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch, said: str, agrees: bool) -> None:
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr(builtins, "input", lambda question: said)
    assert command.agreed([], "Start?", yes=False) is agrees


def test_who_does_not_agree_has_made_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """No service is called before: the session has no client."""
    monkeypatch.setattr(command, "find", lambda given: at())
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert command.main(["--stack", "mine", "--out", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert "--yes" in shown.err
    for told in (
        "loader_verify_",
        "s3://mine-work/loads/loader-verify-",
        "s3://mine-data/",
        "it starts nothing new after 2",
        "may cost about $1.",
        "upload 17 small files",
    ):
        assert told in shown.out
    assert "NotifyEmail" not in shown.out, "the stack has none"
    assert not list(tmp_path.iterdir())


def test_a_dollar_that_is_over_at_once_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find", lambda given: replace(at(), rpu=128.0))
    assert command.main(["--stack", "mine", "--yes"]) == 2
    told = capsys.readouterr().err
    assert "At 128 RPU the limit of $1.25" in told
    assert re.search(r"The full run may cost \$\d\d\.\d\d; allow it with --dollars \d\d\.", told)


# -- the cases ----------------------------------------------------------------------------------


def test_on_aws_local_cases_are_not_run_and_are_named() -> None:
    chosen, others = conformance.cases_of(local=False, superuser=False)
    assert {case.where for case in chosen} == {"portable"}
    assert {case.where for case in others} == {"superuser", "local"}
    everywhere, none = conformance.cases_of(local=True, superuser=False)
    assert len(everywhere) == len(chosen) + len(others)
    assert not none


def test_cases_run_in_schemas_of_the_run_which_go(warehouse: Client) -> None:
    run = a_run(at(warehouse))
    seen = a_case(
        name="schema", setup=["CREATE TABLE t (a INT)"],
        sql="SELECT nspname FROM pg_namespace WHERE nspname = '${schema}'",
        rows=[["loader_verify_r1_c1"]],
    )  # fmt: skip
    good, bad = (
        a_case(name="good", sql="SELECT 1", rows=[[1]]),
        a_case(name="bad", sql="SELECT 2", rows=[[3]], rule="2 is 3"),
    )
    conformance.check(run, [seen, good, bad], [], 2)
    found = {result.id: result for result in run.results}
    assert found["sql/t: schema"].outcome == found["sql/t: good"].outcome == AS_EXPECTED
    planted = found["sql/t: bad"]
    assert (planted.outcome, planted.statement) == (OTHER, "SELECT 2")
    assert (planted.expected, planted.got, planted.question) == ("[[3]]", "[[2]]", "2 is 3")
    assert not Cleaner(run.place, "r1").schemas()


def test_without_a_role_cases_of_copy_are_not_possible(warehouse: Client) -> None:
    run = a_run(replace(at(warehouse), role=""))
    copy = a_case(sql="COPY t FROM 's3://${bucket}/x' IAM_ROLE '${role}'", affected=1)
    conformance.check(run, [copy, a_case(name="other", sql="SELECT 1", rows=[[1]])], [], 2)
    by_id = {result.id: result for result in run.results}
    assert by_id["sql/t: n"].outcome == NOT_POSSIBLE
    assert "ROLE=" in by_id["sql/t: n"].note
    assert by_id["sql/t: other"].outcome == AS_EXPECTED


def test_who_may_make_no_schema_is_told_which_right_is_missing() -> None:
    class Denied:
        asked = 0

        def batch_execute_statement(self, **_: Any) -> Any:
            self.asked += 1
            return {"Id": "1", "SessionId": "s"}

        def describe_statement(self, **_: Any) -> Any:
            sub = {
                "Status": "FAILED",
                "QueryString": "CREATE SCHEMA x",
                "Error": "permission denied for database dev",
            }
            return {"Status": "FAILED", "SubStatements": [sub]}

    client = Denied()
    run = a_run(at(data_api=client))
    cases = [
        a_case(name=str(number), setup=["CREATE TABLE t (a INT)"], sql="SELECT 1")
        for number in range(50)
    ]
    conformance.check(run, cases, [], 2)
    assert {result.outcome for result in run.results} == {NOT_POSSIBLE}
    assert "GRANT CREATE ON DATABASE dev" in run.results[0].note
    assert client.asked <= 2, "it is tried once, not with every case"


@pytest.mark.parametrize(
    ("case", "difference", "outcome"),
    [
        ({}, ("rows", "[[1]]", "[[2]]"), OTHER),
        ({"status": "approximate", "note": "n"}, ("rows", "[[1]]", "[[2]]"), AS_NOTED),
        ({"status": "approximate", "note": "n"}, ("text", "the error a", "b"), AS_NOTED),
        ({"status": "approximate", "note": "n"}, ("outcome", "no error", "ERROR: x"), OTHER),
        ({}, ("text", "the error column x does not exist", 'ERROR: Column "X" does not exist'), AS_EXPECTED),
        ({}, ("text", "the error column x does not exist", "ERROR: syntax error"), OTHER),
        ({}, ("outcome", "no error", "ERROR: permission denied for database dev"), NOT_POSSIBLE),
        ({}, ("text", "the error permission denied for x", "ERROR: permission denied for y"), OTHER),
        ({}, ("setup", "no error", "ERROR: syntax error"), OTHER),
    ],
)  # fmt: skip
def test_what_a_difference_counts_as(
    case: dict[str, Any], difference: tuple[str, str, str], outcome: str
) -> None:
    kind, expected, got = difference
    whole = a_case(sql="SELECT 1", **case)
    assert conformance.judged(whole, Difference(kind, "SELECT 1", expected, got)).outcome == outcome


def test_a_statement_that_never_ended_was_not_possible() -> None:
    result = conformance.judged(a_case(sql="SELECT 1"), TimeoutError("cancelled after 150 s"))
    assert (result.outcome, result.note) == (NOT_POSSIBLE, "cancelled after 150 s")


# -- the probes ---------------------------------------------------------------------------------


def test_each_assumed_entry_of_the_evidence_is_asked() -> None:
    asked = {name for probe in probes.read_probes() for name in probe.assumed} | set(data.ASSUMED)
    assumed = [entry for entry in evidence.entries() if entry.assumed]
    assert assumed
    unasked = [entry.ids for entry in assumed if not asked & set(entry.ids)]
    assert not unasked, "verify/probes.toml needs a probe for each"


def test_a_probe_needs_an_address_and_says_what_another_answer_means() -> None:
    for probe in probes.read_probes():
        assert probe.source.startswith("https://"), probe.id
        assert probe.question.endswith("?"), probe.id
        assert probe.other, probe.id
        assert probe.expected, probe.id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('colour = "red"', "unknown keys"),
        ('batch = ["SELECT 1"]', "one of sql, batch and ask"),
        ('ask = "nothing"\n', "one of sql, batch and ask"),
    ],
)
def test_a_slip_in_a_probe_is_an_error(tmp_path: Path, change: str, said: str) -> None:
    path = tmp_path / "probes.toml"
    keys = ("id", "question", "expect", "expected", "other", "source", "sql")
    path.write_text("[[probe]]\n" + "".join(f'{key} = "x"\n' for key in keys) + change)
    with pytest.raises(ValueError, match=said):
        probes.read_probes(path)


def a_probe(**given: Any) -> probes.Probe:
    keys = {
        "id": "p", "question": "q?", "expect": "^rows: \\[\\[1\\]\\]", "expected": "1",
        "other": "o", "source": "s",
    }  # fmt: skip
    return probes.Probe(**{**keys, **given})


def test_a_probe_is_answered_by_the_warehouse(warehouse: Client) -> None:
    run = a_run(at(warehouse))
    setup = ["CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)"]
    probes.check(
        run,
        (
            a_probe(id="yes", setup=setup, sql="SELECT a FROM t"),
            a_probe(id="no", setup=setup, sql="SELECT a + 1 FROM t"),
            a_probe(id="error", sql="SELECT nothing"),
            a_probe(id="setup", setup=["SELECT nothing"], sql="SELECT 1"),
            a_probe(id="parameter", sql="SELECT :x", parameters={"x": "1"}, expect="^rows: \\[\\['1'"),
            a_probe(id="batch", batch=["CREATE TABLE u (a INT)", "SELECT 1"]),
            a_probe(id="role", sql="COPY t FROM 's3://${bucket}/${prefix}/x' IAM_ROLE '${role}'", expect="^error"),
        ),
    )  # fmt: skip
    found = {result.id: result for result in run.results}
    outcomes = {name: result.outcome for name, result in found.items()}
    assert outcomes == {
        "yes": AS_EXPECTED, "no": OTHER, "error": OTHER, "setup": OTHER,
        "parameter": AS_EXPECTED, "batch": AS_EXPECTED, "role": AS_EXPECTED,
    }  # fmt: skip
    assert (found["no"].got, found["no"].note) == ("rows: [[2]]", "o")
    assert "nothing" in found["error"].got
    assert "error in the setup: SELECT nothing" in found["setup"].got
    assert not Cleaner(run.place, "r1").schemas()


def test_two_publishers_are_asked_about(warehouse: Client) -> None:
    """The lock's probes, against a server whose answers are known."""
    run = a_run(at(warehouse))
    asked = {probe.id: probe for probe in probes.read_probes()}
    names = (
        "LOCK, then an anti-join",
        "LOCK, update of the lock's row, then an anti-join",
        "an update after an old snapshot",
        "a temporary table across a batch of AUTO_COMMIT",
        "a cancelled statement",
        "the text of a guard",
        "ALTER DISTKEY",
    )
    run.sleep = time.sleep
    probes.check(run, tuple(asked[name] for name in names))
    assert [(r.id, r.outcome, r.got) for r in run.results if r.outcome != AS_EXPECTED] == []
    assert len(run.results) == len(names)


def test_a_known_gap_of_the_local_aws_is_a_difference_on_aws_only() -> None:
    probe = a_probe(local="it has no clock")
    for local, outcome, note in (
        (True, AS_NOTED, "a known gap of the local AWS: it has no clock"),
        (False, OTHER, "o"),
    ):
        result = probes.judged(probe, "rows: [[2]]", local=local)
        assert (result.outcome, result.note) == (outcome, note)
    assert probes.judged(probe, "rows: [[1]]", local=True).outcome == AS_EXPECTED
    assert probes.judged(a_probe(), "rows: [[2]]", local=True).outcome == OTHER


def test_a_missing_right_is_no_answer() -> None:
    denied = probes.judged(a_probe(), "error: permission denied for database dev")
    assert denied.outcome == NOT_POSSIBLE


# -- the preflight ------------------------------------------------------------------------------


class States:
    """Executions that end at once; ``reports`` by the input."""

    def __init__(self, **reports: Any) -> None:
        self.reports = reports
        self.started: list[dict[str, Any]] = []

    def start_execution(self, **request: Any) -> Any:
        self.started.append(request)
        return {"executionArn": request["input"]}

    def describe_execution(self, executionArn: str) -> Any:
        (asked,) = json.loads(executionArn)
        failed, report = self.reports[asked]
        if failed:
            return {"status": "FAILED", "cause": json.dumps(report)}
        return {"status": "SUCCEEDED", "output": json.dumps(report)}


def test_each_finding_of_the_preflight_is_a_result() -> None:
    findings = [
        {"name": "warehouse_reachable", "passed": True, "found": "user x"},
        {"name": "a new one", "passed": False, "found": "no", "fix": "do this"},
    ]
    states = States(check=(True, {"setup": findings, "cause": "The setup needs fixing"}))
    run = a_run(at(stepfunctions=states))
    preflight.check(run)
    assert [(r.id, r.outcome, r.got, r.note) for r in run.results] == [
        ("preflight: warehouse_reachable", AS_EXPECTED, "user x", ""),
        ("preflight: a new one", OTHER, "no", "do this"),
    ]
    (started,) = states.started
    assert started["name"] == "loader-verify-r1-check"
    assert started["input"] == '{"check": true}'


def test_a_preflight_without_findings_is_a_difference() -> None:
    states = States(check=(True, {"cause": "States.Timeout"}))
    run = a_run(at(stepfunctions=states))
    preflight.check(run)
    assert [(r.outcome, r.got) for r in run.results] == [(OTHER, "States.Timeout")]


# -- the data -----------------------------------------------------------------------------------


def test_the_files_have_a_bad_one_a_duplicate_and_a_late_song() -> None:
    files = data.made(STACK, "loader-verify-r1")
    assert all(key.split("/")[1] == "loader-verify-r1" for key in [*files.first, *files.late])
    with pytest.raises(oracle.BadFile, match=f"line {files.bad_line}: ts"):
        oracle.tables({files.bad: files.first[files.bad]})
    assert len(files.good) == len(files.first) - 1
    before, after = oracle.load(files.good), oracle.load({**files.good, **files.late})
    assert 0 < len(before.tables["songplays"]) < before.counts.next_songs, "a duplicate"
    song = [key for key in files.late if key.startswith("song_data/")]
    late = oracle.load({**files.good, song[0]: files.late[song[0]]})
    assert late.counts.matched > before.counts.matched, "plays wait for the late song"
    assert len(after.tables["songplays"]) > len(before.tables["songplays"])


def a_stack_with_a_play(warehouse: Client) -> None:
    warehouse.run("CREATE SCHEMA sparkify")
    for table in oracle.COLUMNS:
        warehouse.run(f"CREATE TABLE sparkify.{table} (a INT)")
    warehouse.run("INSERT INTO sparkify.songplays VALUES (1)")


def test_a_stack_that_holds_data_is_not_touched(warehouse: Client) -> None:
    """S3 and Step Functions are not even asked."""
    a_stack_with_a_play(warehouse)
    run = a_run(at(warehouse))
    data.check(run, consent=False)
    assert {(r.outcome, r.note.split(",")[0]) for r in run.results} == {
        (NOT_POSSIBLE, "the stack's tables hold data")
    }
    assert len(run.results) == len(data.STEPS)
    assert "--yes-this-stack-holds-only-test-data" in run.results[0].note


def test_tables_that_may_not_be_read_are_no_empty_tables() -> None:
    class Denied:
        def execute_statement(self, **_: Any) -> Any:
            return {"Id": "1"}

        def describe_statement(self, **_: Any) -> Any:
            return {"Id": "1", "Status": "FAILED", "Error": "ERROR: permission denied for schema sparkify"}  # fmt: skip

    run = a_run(at(data_api=Denied()))
    data.check(run, consent=True)
    assert {r.outcome for r in run.results} == {NOT_POSSIBLE}
    assert "grant_readers.sql" in run.results[0].note


class Fails:
    """A Data API whose every statement ends with the error that ``errors`` has for a text in it."""

    def __init__(self, **errors: str) -> None:
        self.errors = errors
        self.sqls: list[str] = []

    def execute_statement(self, Sql: str, **_: Any) -> Any:
        self.sqls.append(Sql)
        return {"Id": str(len(self.sqls) - 1)}

    def describe_statement(self, Id: str, **_: Any) -> Any:
        sql = self.sqls[int(Id)]
        error = next(error for text, error in self.errors.items() if text in sql)
        ended = (
            {"Status": "FAILED", "Error": f"ERROR: {error}"} if error else {"Status": "FINISHED"}
        )
        return {"Id": Id, "HasResultSet": False, **ended}


@pytest.mark.parametrize(
    ("tables", "schemas"),
    [
        ('database "other" does not exist', ""),
        ('user "IAM:jane" does not exist', ""),
        ('relation "sparkify.songplays" does not exist', 'database "other" does not exist'),
    ],
)
def test_tables_that_cannot_be_looked_for_are_no_empty_tables(tables: str, schemas: str) -> None:
    run = a_run(at(data_api=Fails(pg_namespace=schemas, sparkify=tables)))
    with pytest.raises(data.Refused, match="does not exist"):
        data.Loaded(run, STACK).is_empty()


@pytest.mark.parametrize("missing", ['schema "sparkify"', 'relation "sparkify.songplays"'])
def test_tables_that_are_not_made_yet_are_empty(missing: str) -> None:
    run = a_run(at(data_api=Fails(pg_namespace="", sparkify=f"{missing} does not exist")))
    assert data.Loaded(run, STACK).is_empty()


class Machine(States):
    """Of a stack: what is running, and executions whose inputs are as they are given."""

    def __init__(self, running: int = 0, **reports: Any) -> None:
        super().__init__(**reports)
        self.run_now = running

    def list_executions(self, **_: Any) -> Any:
        return {"executions": [{}] * self.run_now}

    @property
    def undone(self) -> list[str]:
        inputs = [json.loads(started["input"]) for started in self.started]
        return [asked["undo"] for asked in inputs if "undo" in asked]


UNDONE = (False, {"status": "undone"})


def planned(count: int, *names: str) -> Any:
    return (False, {"status": "planned", "plan": {"planned": count, "keys": list(names)}})


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (Machine(running=2), "2 executions of the stack are running"),
        (Machine(dry_run=planned(3, "log_data/mine.json")), "3 files .*log_data/mine.json"),
        (Machine(dry_run=(True, {"cause": "no way"})), "no way"),
        (Machine(dry_run=(False, {"status": "ended"})), "are not known"),
    ],
)
def test_nothing_is_uploaded_beside_files_of_others(states: Machine, said: str) -> None:
    """S3 is not even asked: what is uploaded now would get into one load with them."""
    empty = Fails(pg_namespace="", sparkify='schema "sparkify" does not exist')
    run = a_run(at(data_api=empty, stepfunctions=states))
    data.check(run, consent=False)
    assert {r.outcome for r in run.results} == {NOT_POSSIBLE}
    assert re.search(said, run.results[0].note)
    assert not run.uploaded


def test_a_stack_on_which_nothing_else_waits_is_taken() -> None:
    empty = Fails(pg_namespace="", sparkify='schema "sparkify" does not exist')
    for answer in (planned(0), (False, {"status": "nothing to load"})):
        run = a_run(at(data_api=empty, stepfunctions=Machine(dry_run=answer)))
        data._refuse_to_touch(data.Loaded(run, STACK), consent=False)
    # A paused one loads what a run names and nothing else: files that wait there are as they are.
    paused = replace(STACK, parameters={**STACK.parameters, "Paused": "true"})
    run = a_run(at(stack=paused, data_api=empty, stepfunctions=Machine()))
    data._refuse_to_touch(data.Loaded(run, paused), consent=False)


LOADS = {
    "20261130-120000-00000001": ["log_data/loader-verify-r1/a", "song_data/loader-verify-r1/b"],
    "20261130-120000-00000002": ["log_data/loader-verify-r1/c", "log_data/2018/mine.json"],
    "20261130-120000-00000003": ["log_data/2018/other.json"],
    "20261130-120000-00000004": ["log_data/loader-verify-r2/a"],
}
FIRST, SHARED, OTHERS, OF_R2 = LOADS


@pytest.fixture
def ledger(warehouse: Client) -> Client:
    """A ledger in which one load holds files of a run and of a person."""
    warehouse.run("CREATE SCHEMA sparkify")
    warehouse.run(
        "CREATE TABLE sparkify.files (key VARCHAR(99), status VARCHAR(16), reason VARCHAR(9),"
        " error_line BIGINT, load_id VARCHAR(64), recorded_at TIMESTAMP DEFAULT GETDATE())"
    )
    for load_id, names in LOADS.items():
        for name in names:
            warehouse.run(
                f"INSERT INTO sparkify.files (key, status, load_id) VALUES ('{name}', 'loaded', '{load_id}')"
            )
    warehouse.run("CREATE VIEW sparkify.file_status AS SELECT * FROM sparkify.files")
    return warehouse


def test_a_load_that_holds_a_file_of_anybody_else_is_not_undone(ledger: Client) -> None:
    states = Machine(undo=UNDONE)
    run = a_run(at(ledger, stepfunctions=states))
    (left,) = data.undo(run, data.Loaded(run, STACK), None, "x")
    assert states.undone == [FIRST]
    assert left.load_id == SHARED
    assert "1 of its 2 files are not from make verify, such as log_data/2018/mine.json" in left.why
    assert f'{{"undo": "{SHARED}"}}' in left.to_do


def test_a_shared_load_is_a_difference_of_the_cleaning(
    ledger: Client, aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "settle", lambda *given: None)
    monkeypatch.setattr(command, "Cleaner", cleans())
    run = a_run(at(ledger, stepfunctions=Machine(undo=UNDONE)))
    run.uploaded = True
    command.clean_up(run)
    (left,) = run.results
    assert (left.part, left.outcome, left.id) == ("cleaning", OTHER, f"load {SHARED}")
    assert "log_data/2018/mine.json" in left.got
    assert f'{{"undo": "{SHARED}"}}' in left.note


def test_clean_counts_files_and_undone_loads_and_leaves_a_shared_one(
    ledger: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(data, "settle", lambda *given: None)
    monkeypatch.setattr(command, "Cleaner", cleans())
    states = Machine(undo=UNDONE)
    assert command.clean(at(ledger, stepfunctions=states), yes=True) == 1
    assert states.undone == [OF_R2, FIRST]
    told = capsys.readouterr()
    assert f"- load {FIRST}, 2 files, to be undone" in told.out
    assert f"- load {SHARED}, 2 files, not undone: 1 of its 2 files" in told.out
    assert OTHERS not in told.out
    assert "Removed: 2 loads (undone)" in told.out
    assert f"Not removed: load {SHARED}: " in told.err


@pytest.mark.parametrize("still", [TimeIsUp(), TimeoutError("executions go on")])
def test_what_is_loaded_is_undone_before_what_is_on_its_way_is_waited_for(
    ledger: Client, monkeypatch: pytest.MonkeyPatch, still: Exception
) -> None:
    states, kept = Machine(undo=UNDONE), list[bool]()

    def settle(*_: Any) -> None:
        assert states.undone == [FIRST]
        raise still

    monkeypatch.setattr(data, "settle", settle)
    monkeypatch.setattr(command, "Cleaner", cleans(given=kept))
    run = a_run(at(ledger, stepfunctions=states), seconds=0)
    run.uploaded = True
    command.clean_up(run)
    assert kept == [True], "objects of a load that is to come are not deleted under it"
    found = {result.id: result for result in run.results}
    assert set(found) == {"uploads on their way", f"load {SHARED}"}
    assert "--clean" in found["uploads on their way"].note


def test_what_was_on_its_way_is_undone_once_it_is_loaded(
    ledger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.run("DELETE FROM sparkify.files")
    states, kept = Machine(undo=UNDONE), list[bool]()

    def settle(*_: Any) -> None:
        ledger.run(
            "INSERT INTO sparkify.files (key, status, load_id)"
            f" VALUES ('log_data/loader-verify-r1/a', 'loaded', '{FIRST}')"
        )

    monkeypatch.setattr(data, "settle", settle)
    monkeypatch.setattr(command, "Cleaner", cleans(given=kept))
    run = a_run(at(ledger, stepfunctions=states), seconds=0)
    run.uploaded = True
    command.clean_up(run)
    assert (states.undone, kept, run.results) == ([FIRST], [False], [])


def test_mails_to_come_are_said() -> None:
    stack = replace(STACK, parameters={**STACK.parameters, "NotifyEmail": "jane@corp.example"})
    run = a_run(at(stack=stack))
    lines = "\n".join(command.plan(run, ["data"], everything(8), 0, 0, 5))
    assert "the address of NotifyEmail may get some" in lines
    assert "That bound cuts it" not in lines
    assert "That limit cuts the run short. The full run" in "\n".join(
        command.plan(run, ["data"], everything(8), 0, 0, 1)
    )


# -- cleaning -----------------------------------------------------------------------------------


@pytest.fixture
def aws() -> Iterator[dict[str, Any]]:
    with mock_aws():
        made: dict[str, Any] = {
            "s3": boto3.client("s3", region_name="us-west-2"),
            "sqs": boto3.client("sqs", region_name="us-west-2"),
        }
        for bucket in ("mine-work", "mine-data"):
            made["s3"].create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
            )
        yield made


def keys(s3: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_a_run_removes_what_has_its_prefix_and_nothing_else(
    server: LocalRedshift, aws: dict[str, Any]
) -> None:
    s3, sqs = aws["s3"], aws["sqs"]
    names = ("loader_verify_r1_c1", "loader_verify_r2_c1", "loader_verifyr1", "mine")
    sent: list[list[str]] = []

    class Data:
        """The schemas of a warehouse: moto stands between here and a server."""

        def __init__(self) -> None:
            self.there = list(names)

        def execute_statement(self, Sql: str, **_: Any) -> Any:
            return {"Id": "list"}

        def batch_execute_statement(self, Sqls: list[str], **request: Any) -> Any:
            assert request["ExecutionMode"] == "AUTO_COMMIT"
            sent.append(Sqls)
            self.there = [
                name for name in self.there if f'DROP SCHEMA "{name}" CASCADE' not in Sqls
            ]
            return {"Id": "drop"}

        def describe_statement(self, Id: str, **_: Any) -> Any:
            one = {"Id": Id, "Status": "FINISHED", "HasResultSet": Id == "list"}
            return {**one, "SubStatements": [one]}

        def get_paginator(self, name: str) -> Any:
            rows = [[{"stringValue": name}] for name in self.there]
            page = {"ColumnMetadata": [], "Records": rows}
            return type("Pages", (), {"paginate": lambda self, **_: [page]})()

    for key in ("loads/loader-verify-r1/c/a", "loads/loader-verify-r2/a", "loads/20261130-1/m"):
        s3.put_object(Bucket="mine-work", Key=key, Body=b"x")
    for key in ("log_data/loader-verify-r1/a", "log_data/2018/a", "song_data/loader-verify-r1/b"):
        s3.put_object(Bucket="mine-data", Key=key, Body=b"x")
    for queue in ("loader-verify-r1-one", "loader-verify-r2-one", "mine"):
        sqs.create_queue(QueueName=queue)
    where = at(s3=s3, sqs=sqs, data_api=Data())

    done, left = Cleaner(where, "r1").clean()
    assert (done, left) == (["1 schemas", "3 objects", "1 queues"], [])
    assert sent == [['DROP SCHEMA "loader_verify_r1_c1" CASCADE']]
    assert keys(s3, "mine-work") == ["loads/20261130-1/m", "loads/loader-verify-r2/a"]
    assert keys(s3, "mine-data") == ["log_data/2018/a"]

    kept = Cleaner(where, keep_data=True)
    assert [bucket for bucket, _ in kept.places()] == ["mine-work"]

    cleaner = Cleaner(where)
    assert cleaner.found() == [
        "schema loader_verify_r2_c1",
        "1 objects under s3://mine-work/loads/loader-verify-",
        "queue loader-verify-r2-one",
    ]
    cleaner.clean()
    assert where.data_api.there == ["loader_verifyr1", "mine"]
    assert keys(s3, "mine-work") == ["loads/20261130-1/m"]
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["mine"]
    assert Cleaner(where).clean() == ([], [])


def test_every_version_of_an_object_goes(aws: dict[str, Any]) -> None:
    s3 = aws["s3"]
    s3.put_bucket_versioning(Bucket="mine-work", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="mine-work", Key="loads/loader-verify-r1/a", Body=body)
    s3.delete_object(Bucket="mine-work", Key="loads/loader-verify-r1/a")
    cleaner = Cleaner(at(stack=None, s3=s3), "r1")
    assert cleaner._delete() == 3
    assert "Versions" not in s3.list_object_versions(Bucket="mine-work")


def cleans(*left: str, given: list[bool] | None = None) -> Any:
    """A Cleaner that removes nothing; whether it was to keep the data bucket's objects is in ``given``."""

    class Cleans:
        may_stay = ()

        def __init__(self, place: Place, run: str = "", *, keep_data: bool = False) -> None:
            if given is not None:
                given.append(keep_data)

        def found(self) -> list[str]:
            return []

        def clean(self) -> tuple[list[str], list[str]]:
            return [], list(left)

    return Cleans


def test_versions_that_may_not_be_listed_are_said_to_stay(
    aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = aws["s3"]
    s3.put_object(Bucket="mine-work", Key="loads/loader-verify-r1/a", Body=b"1")
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectVersions")

    class Denied:
        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def get_paginator(self, name: str) -> Any:
            if name == "list_object_versions":
                raise denied
            return s3.get_paginator(name)

    run = a_run(at(stack=None, s3=Denied()))
    monkeypatch.setattr(Cleaner, "_drop", lambda self: 0)
    monkeypatch.setattr(Cleaner, "_delete_queues", lambda self: 0)
    command.clean_up(run)
    (told,) = run.results
    assert told.outcome == NOT_POSSIBLE
    assert "if s3://mine-work keeps versions" in told.note
    assert "AccessDenied" in told.note
    assert keys(s3, "mine-work") == []


def test_what_the_stack_may_have_loaded_is_undone_after_an_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C while the first upload is waited for: there is no result yet."""
    undone: list[str] = []

    def undo_left(run: Run) -> tuple[list[Result], bool]:
        undone.append(run.id)
        return [], False

    monkeypatch.setattr(command, "undo_left", undo_left)
    monkeypatch.setattr(command, "Cleaner", cleans())
    monkeypatch.setattr(data, "_refuse_to_touch", lambda *given, **more: None)
    monkeypatch.setattr(data.Loaded, "put", lambda *given: None)

    def interrupted(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "_arrive", interrupted)
    run = a_run(at())
    with pytest.raises(KeyboardInterrupt):
        data.check(run, consent=False)
    assert run.results == []
    command.clean_up(run)
    assert undone == ["r1"]


def test_what_is_left_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Cleaner", cleans("schemas: still there: loader_verify_r1_c1"))
    run = a_run(at())
    command.clean_up(run)
    (left,) = run.results
    assert (left.part, left.outcome, left.id) == ("cleaning", OTHER, "schemas")
    assert "loader_verify_r1_c1" in left.got


# -- the report ---------------------------------------------------------------------------------


def a_report(*results: Result, local: bool = False) -> Report:
    where = at()
    return Report(
        run="r1",
        started=datetime(2026, 11, 30, 12, tzinfo=UTC),
        target=where.described,
        local=local,
        hidden={} if local else where.hidden,
        results=list(results),
    )


def test_a_difference_is_on_the_page_with_statement_expected_and_got(tmp_path: Path) -> None:
    planted = Result(
        "conformance", "sql/t: planted", OTHER, "2 is 3", "SELECT 2", "[[3]]", "[[2]]", source="https://x"
    )  # fmt: skip
    report = a_report(planted, Result("probes", "p", AS_EXPECTED, question="q?", got="rows: [[1]]"))
    data_file, page_file = report.write(tmp_path)
    page = page_file.read_text(encoding="utf-8")
    assert page_file.name == "2026-11-30-120000.md"
    for told in (
        "Differences: 1",
        "### sql/t: planted",
        "SELECT 2",
        "[[3]]",
        "[[2]]",
        "<https://x>",
    ):
        assert told in page
    document = json.loads(data_file.read_text(encoding="utf-8"))
    assert document["counts"] == {"conformance": {"other": 1}, "probes": {"as expected": 1}}
    assert document["results"][0]["got"] == "[[2]]"
    assert report.exit_code == 1


def test_exit_codes() -> None:
    assert a_report(Result("probes", "p", AS_EXPECTED)).exit_code == 0
    assert a_report(Result("probes", "p", AS_NOTED)).exit_code == 0
    assert a_report(Result("probes", "p", NOT_POSSIBLE, note="why")).exit_code == 2
    assert a_report().exit_code == 2


def test_a_report_can_be_shared() -> None:
    said = (
        f"COPY FROM 's3://mine-work/loads/x' IAM_ROLE '{ROLE}': user IAM:alice of 123456789012, IAMR:mine-loader, "
        "key AKIAIOSFODNN7EXAMPLE; mine-load in s3://mine-data/log_data; no workbench"
    )
    report = a_report(Result("probes", "p", OTHER, got=said, statement=said))
    for text in (report.page(), json.dumps(report.document)):
        for secret in (
            ROLE,
            "123456789012",
            "alice",
            "mine-loader",
            "AKIA",
            "s3://mine-work/",
            "s3://mine-data/",
        ):
            assert secret not in text, secret
        assert "workbench" in text
        assert "s3://<work-bucket>/loads/x" in text or "s3://<bucket>/loads/x" in text
        assert "<copy-role>" in text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            (
                "User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_DataEng_1/jane.doe@corp.example is not "
                "authorized to perform: states:TestState"
            ),
            "User: arn:aws:sts::<account>:assumed-role/<name> is not authorized to perform: states:TestState",
        ),
        ("arn:aws:iam::444455556666:user/bob", "arn:aws:iam::<account>:user/<name>"),
        (
            "'arn:aws-cn:iam::444455556666:role/a/b' JSON",
            "'arn:aws-cn:iam::<account>:role/<name>' JSON",
        ),
        (
            "arn:aws:kms:us-west-2:444455556666:key/11-22, arn:aws:sqs:us-west-2:444455556666:q",
            "arn:aws:kms:us-west-2:<account>:key/<name> arn:aws:sqs:us-west-2:<account>:q",
        ),
        (
            "arn:aws:redshift:us-west-2:444455556666:dbuser:serverless-444455556666-1/IAMR:jane",
            "arn:aws:redshift:us-west-2:<account>:dbuser:<name>",
        ),
        (
            "ask jane.doe+x@mail.corp.example (account 444455556666)",
            "ask <e-mail> (account <account>)",
        ),
        ("s3://<bucket>/log_data/user/key/a.json, 1541106062796", None),
    ],
)
def test_who_ran_it_is_not_in_a_report(said: str, shown: str | None) -> None:
    """By the form of the words: of nobody here a name is known before."""
    report = a_report(Result("probes", "p", OTHER, got=said, statement=said, note=said))
    assert report.document["results"][0]["got"] == (shown or said)
    assert (shown or said) in report.page()


def test_the_page_of_a_local_run_says_what_it_proves() -> None:
    assert "proves the plumbing" in a_report(local=True).page()
    assert "proves the plumbing" not in a_report().page()


def test_what_was_not_possible_is_listed_with_its_reason() -> None:
    page = a_report(
        Result("data", "data: a", NOT_POSSIBLE, note="no rights"),
        Result("data", "data: b", NOT_POSSIBLE, note="no rights"),
        Result("conformance", "c", NOT_TRIED),
    ).page()
    assert "- no rights (2): data: a; data: b\n" in page
    many = [Result("conformance", f"c{n}", NOT_POSSIBLE, note="no role") for n in range(86)]
    assert "- no role (86): c0; c1; c2; and 83 more\n" in a_report(*many).page()
    assert "## Not tried" in page


def test_reports_are_not_committed() -> None:
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/verify/20*.json", "/verify/20*.md"} <= set(ignored)


# -- the page -----------------------------------------------------------------------------------

ACTIONS = {
    "s3:DeleteObjects": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:ListObjectVersions": ["s3:ListBucketVersions"],
}
"""Operations whose action has another name."""
SERVICES = {
    "cloudformation": "cloudformation",
    "redshift-data": "redshift-data",
    "redshift-serverless": "redshift-serverless",
    "s3": "s3",
    "sqs": "sqs",
    "stepfunctions": "states",
}


def test_the_page_names_each_right_that_is_used_and_no_other() -> None:
    root = Path(__file__).parents[2]
    runner = root / "fakeshift" / "tests" / "conformance" / "runner.py"
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in [*sorted((root / "verify").glob("*.py")), runner]
    )
    called = set(re.findall(r"""\.(\w+)\(""", source)) | set(
        re.findall(r"""["'](\w+)["']""", source)
    )
    cases, _ = conformance.cases_of(local=False, superuser=True)
    used = {f"redshift-data:{case.call}" for case in cases if case.call}
    for service, name in SERVICES.items():
        methods = boto3.client(service, region_name="us-west-2").meta.method_to_api_mapping  # type: ignore[call-overload]
        for method in called & set(methods):
            operation = f"{name}:{methods[method]}"
            used |= set(ACTIONS.get(operation, [operation]))
    used |= {"redshift-serverless:GetCredentials"}  # the Data API logs in with it
    page = (root / "docs" / "verify.md").read_text(encoding="utf-8")
    (policy,) = re.findall(r"```json\n(.*?)```", page, re.S)
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Action"] == sorted(used)
