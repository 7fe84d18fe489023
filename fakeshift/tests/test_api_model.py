"""The Data API against botocore's model of it, every operation and every member, in both directions.

Generated from the model: what it does not allow is refused, with the model's error and its HTTP
status, and what is answered has no member that the model lacks, of no other type.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.validate import ParamValidator
from conftest import Start
from fakeshift.api.model import operation, service_model
from test_api import raw, signed
from warehouse import Warehouse, http

from fakeshift import LocalRedshift

DATABASE = {"Database": "dev", "WorkgroupName": "local"}
ID = "11111111-2222-3333-4444-555555555555"
OPERATIONS = sorted(service_model().operation_names)
FAULTS = {
    name
    for name, shape in Loader().load_service_model("redshift-data", "service-2")["shapes"].items()
    if shape.get("fault")
}
"""Errors that are the server's: HTTP status 500."""
COMMON = {"ValidationException", "SerializationException", "UnknownOperationException"}

SMALLEST: dict[str, dict[str, Any]] = {
    "ExecuteStatement": {**DATABASE, "Sql": "SELECT 1"},
    "BatchExecuteStatement": {**DATABASE, "Sqls": ["SELECT 1"]},
    "DescribeStatement": {"Id": ID},
    "GetStatementResult": {"Id": ID},
    "GetStatementResultV2": {"Id": ID},
    "CancelStatement": {"Id": ID},
    "ListStatements": {},
    "ListSessions": {},
    "ListDatabases": DATABASE,
    "ListSchemas": DATABASE,
    "ListTables": DATABASE,
    "DescribeTable": DATABASE,
}
"""A request of each operation that the model allows."""


def input_of(name: str) -> StructureShape:
    shape = operation(name).input_shape
    assert shape is not None
    return shape


def output_of(name: str) -> StructureShape:
    shape = operation(name).output_shape
    assert shape is not None
    return shape


def test_every_operation_of_the_model_is_here() -> None:
    assert sorted(SMALLEST) == OPERATIONS
    for name, request in SMALLEST.items():
        report = ParamValidator().validate(request, input_of(name))
        assert not report.has_errors(), report.generate_report()


# -- requests that the model does not allow -------------------------------------------------------

WRONG_TYPES: dict[str, list[Any]] = {
    "string": [5, True, 1.5, {}, []],
    "integer": ["5", True, 1.5, {}, []],
    "long": ["5", True, 1.5, {}, []],
    "boolean": ["true", 1, {}, []],
    "list": ["x", {}, 1],
    "structure": ["x", [], 1],
}


def violations(shape: Shape) -> Iterator[tuple[Any, str]]:
    """Values that a constraint of the shape forbids, with what the refusal says of it."""
    rules = shape.metadata
    if shape.type_name == "string":
        if rules.get("min"):
            yield "", f"length greater than or equal to {rules['min']}"
        if rules.get("max"):
            yield "a" * (rules["max"] + 1), f"length less than or equal to {rules['max']}"
        if "pattern" in rules:
            yield "!", "satisfy regular expression pattern: " + rules["pattern"]
        if rules.get("enum"):
            yield "NOPE", "satisfy enum value set: [" + ", ".join(rules["enum"]) + "]"
    elif shape.type_name in ("integer", "long"):
        if "min" in rules:
            yield rules["min"] - 1, f"value greater than or equal to {rules['min']}"
        if "max" in rules:
            yield rules["max"] + 1, f"value less than or equal to {rules['max']}"
    elif isinstance(shape, ListShape):
        if rules.get("min"):
            yield [], f"length greater than or equal to {rules['min']}"
        if rules.get("max"):
            many = [_good(shape.member)] * (rules["max"] + 1)
            yield many, f"length less than or equal to {rules['max']}"
        for value, text in violations(shape.member):
            yield [value], text
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            good = {other: _good(shape.members[other]) for other in shape.required_members}
            if name in shape.required_members:
                yield {k: v for k, v in good.items() if k != name}, "Member must not be null"
            for value, text in violations(member):
                yield {**good, name: value}, text


def _good(shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return {name: _good(shape.members[name]) for name in shape.required_members}
    return "abc" if shape.type_name == "string" else 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_the_model_does_not_allow_is_refused(warehouse: Warehouse, name: str) -> None:
    shape = input_of(name)
    tried = 0
    for member, of in shape.members.items():
        path = member[0].lower() + member[1:]
        for value, text in violations(of):
            request = {**SMALLEST[name], member: value}
            status, answer = raw(warehouse.url, name, request)
            assert (status, answer["__type"]) == (400, "ValidationException"), (member, value)
            assert text in answer["Message"], (member, value)
            assert f"'{path}" in answer["Message"]
            tried += 1
        for value in WRONG_TYPES[of.type_name]:
            status, answer = raw(warehouse.url, name, {**SMALLEST[name], member: value})
            assert (status, answer["__type"]) == (400, "SerializationException"), (member, value)
            tried += 1
    for member in shape.required_members:
        request = {k: v for k, v in SMALLEST[name].items() if k != member}
        status, answer = raw(warehouse.url, name, request)
        assert (status, answer["__type"]) == (400, "ValidationException"), member
        assert "Member must not be null" in answer["Message"]
    assert tried >= 5


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_the_model_does_not_have_is_ignored(warehouse: Warehouse, name: str) -> None:
    """As AWS's services ignore it: a client of a newer model may send it. null is as not given."""
    request = {**SMALLEST[name], "Colour": "red"}
    null = dict.fromkeys(set(input_of(name).members) - set(request))
    statuses = {
        raw(warehouse.url, name, given)[0]
        for given in (SMALLEST[name], request, {**null, **request})
    }
    assert statuses in ({200}, {400})


def test_bodies_that_are_no_requests(warehouse: Warehouse) -> None:
    for body in (b"[]", b'"x"', b"{", b"\xff"):
        headers = {"X-Amz-Target": "RedshiftData.ListStatements", "Authorization": signed("me")}
        status, answer = http(warehouse.url, body, headers)
        assert (status, answer["__type"]) == (400, "SerializationException"), body
    status, answer = http(warehouse.url, b"{}", {"X-Amz-Target": "DynamoDB_20120810.ListTables"})
    assert (status, answer["__type"]) == (400, "UnknownOperationException")


# -- which warehouse -------------------------------------------------------------------------------

TWO_TARGETS = {"ClusterIdentifier": "c", "WorkgroupName": "local"}


@pytest.mark.parametrize("name", [n for n in OPERATIONS if "WorkgroupName" in
                                  input_of(n).members])  # fmt: skip
def test_a_cluster_or_a_workgroup(warehouse: Warehouse, name: str) -> None:
    status, answer = raw(warehouse.url, name, {**SMALLEST[name], **TWO_TARGETS})
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert "Only one of ClusterIdentifier or WorkgroupName" in answer["Message"]
    if not name.startswith(("ListS", "ListSessions")) or name == "ListSchemas":
        neither = {k: v for k, v in SMALLEST[name].items() if k != "WorkgroupName"}
        status, answer = raw(warehouse.url, name, neither)
        assert (status, answer["__type"]) == (400, "ValidationException")
        for target in ({"ClusterIdentifier": "my-cluster"}, {"SecretArn": "arn:secret"}):
            assert raw(warehouse.url, name, {**neither, **target})[0] == 200


@pytest.mark.parametrize("member", ["ClusterIdentifier", "WorkgroupName", "Database", "DbUser",
                                    "SecretArn"])  # fmt: skip
@pytest.mark.parametrize("name", ["ExecuteStatement", "BatchExecuteStatement"])
def test_a_session_has_its_target_already(warehouse: Warehouse, name: str, member: str) -> None:
    request = {k: v for k, v in SMALLEST[name].items() if k not in DATABASE}
    status, answer = raw(warehouse.url, name, {**request, "SessionId": ID, member: "local"})
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert f"{member} must not be provided when SessionId is provided" in answer["Message"]


# -- what is answered ---------------------------------------------------------------------------

NEVER = {
    "ExecuteStatementOutput.DbGroups": "no database groups come with a local caller",
    "BatchExecuteStatementOutput.DbGroups": "as above",
    "Field.blobValue": "VARBYTE comes as text: the JDBC table of mgmt/data-api.html",
    "ListDatabasesResponse.NextToken": "there is one database",
}
"""Members of answers that never come, and why."""


class Answers:
    """Every answer is checked as it comes; ``seen`` are the members that have come at all."""

    def __init__(self, server: LocalRedshift):
        self.url = server.url
        self.seen: set[str] = set()
        self._parser = create_parser("json")

    def __call__(self, name: str, **request: Any) -> dict[str, Any]:
        model = operation(name)
        report = ParamValidator().validate(request, input_of(name))
        assert not report.has_errors(), report.generate_report()
        status, answer = raw(self.url, name, request)
        if status == 200:
            self._check(output_of(name), answer, name)
        else:
            self._check_error(model, status, answer)
            error = {"Code": answer["__type"], "Message": answer["Message"]}
            return {"Error": error, "HTTPStatusCode": status, **answer}
        headers: dict[str, str] = {}
        response = {"body": json.dumps(answer).encode(), "headers": headers, "status_code": status}
        parsed: dict[str, Any] = self._parser.parse(response, output_of(name))
        return parsed

    def _check_error(self, model: OperationModel, status: int, answer: dict[str, Any]) -> None:
        code = answer["__type"]
        known = {shape.name: shape for shape in model.error_shapes}
        assert code in known or code in COMMON, code
        if code in known:
            shape = known[code]
            assert status == (500 if code in FAULTS else 400)
            self._check(shape, {k: v for k, v in answer.items() if k != "__type"}, code)

    def _check(self, shape: Shape, value: Any, path: str) -> None:
        if isinstance(shape, StructureShape):
            assert isinstance(value, dict), path
            assert set(value) <= set(shape.members), (path, set(value) - set(shape.members))
            assert set(shape.required_members) <= set(value), path
            if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
                assert len(value) == 1, path
            for name, inner in value.items():
                self.seen.add(f"{shape.name}.{name}")
                self._check(shape.members[name], inner, f"{path}.{name}")
        elif isinstance(shape, ListShape):
            assert isinstance(value, list), path
            for item in value:
                self._check(shape.member, item, path)
        elif shape.type_name == "string":
            assert isinstance(value, str), path
            assert value in (shape.metadata.get("enum") or [value]), path
            if "pattern" in shape.metadata:
                assert re.fullmatch(shape.metadata["pattern"], value), path
        elif shape.type_name in ("integer", "long"):
            assert isinstance(value, int), path
            assert not isinstance(value, bool), path
        elif shape.type_name == "boolean":
            assert isinstance(value, bool), path
        else:
            assert isinstance(value, (int, float)), path

    def ended(self, name: str, **request: Any) -> dict[str, Any]:
        """A statement's description once it has ended."""
        submitted = self(name, WaitTimeSeconds=20, **request)
        return self("DescribeStatement", Id=submitted["Id"], WaitTimeSeconds=20)


def _members(shape: Shape, found: set[str], done: set[str]) -> None:
    if isinstance(shape, StructureShape) and shape.name not in done:
        done.add(shape.name)
        for name, member in shape.members.items():
            found.add(f"{shape.name}.{name}")
            _members(member, found, done)
    elif isinstance(shape, ListShape):
        _members(shape.member, found, done)


def _all_members() -> set[str]:
    found: set[str] = set()
    for name in OPERATIONS:
        _members(output_of(name), found, set())
    return found


@pytest.fixture(scope="module")
def answers(module_server: LocalRedshift) -> Answers:
    return Answers(module_server)


SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:s-1"


def test_every_member_of_every_answer(answers: Answers) -> None:
    """One scenario over all operations, in which every member of the model's answers comes."""
    call, ended = answers, answers.ended
    table = f"m{uuid.uuid4().hex[:8]}"
    made = ended(
        "BatchExecuteStatement",
        **DATABASE,
        Sqls=[
            f"CREATE TABLE {table} (a INT NOT NULL DEFAULT 7, b VARCHAR(5), c FLOAT, d BOOLEAN)",
            f"INSERT INTO {table} VALUES (:a, 'x', 1.5, true), (2, NULL, NULL, NULL)",
            f"SELECT * FROM {table} ORDER BY a",
            "SELECT nothing",
        ],
        Parameters=[{"name": "a", "value": "1"}],
        ExecutionMode="AUTO_COMMIT",
        StatementName=f"{table}-batch",
    )
    assert made["Status"] == "FAILED"
    parts = made["SubStatements"]
    assert [part["Status"] for part in parts] == ["FINISHED"] * 3 + ["FAILED"]
    assert made["ResultRows"] == 0 + 2 + 2
    assert made["Duration"] == sum(part["Duration"] for part in parts)
    result = call("GetStatementResult", Id=parts[2]["Id"], WaitTimeSeconds=1)
    assert result["TotalNumRows"] == 2
    assert result["Records"][1][1:] == [{"isNull": True}] * 3
    call("DescribeStatement", Id=parts[3]["Id"])

    cluster = {"ClusterIdentifier": "my-cluster", "Database": "dev", "SecretArn": SECRET}
    one = ended(
        "ExecuteStatement",
        **cluster,
        Sql=f"SELECT b FROM {table} WHERE a = :a",
        Parameters=[{"name": "a", "value": "1"}],
        ResultFormat="CSV",
        ClientToken=uuid.uuid4().hex,
        SessionKeepAliveSeconds=60,
        StatementName=f"{table}-one",
        WithEvent=False,
    )
    assert "DbUser" not in one
    assert one["SecretArn"] == SECRET
    csv = call("GetStatementResultV2", Id=one["Id"], WaitTimeSeconds=1)
    assert csv["Records"] == [{"CSVRecords": "b\r\nx\r\n"}]
    in_batch = call(
        "BatchExecuteStatement",
        SessionId=one["SessionId"],
        Sqls=["SELECT 1"],
        SessionKeepAliveSeconds=60,
        ResultFormat="JSON",
        WaitTimeSeconds=20,
    )
    assert in_batch["SessionId"] == one["SessionId"]
    ended("BatchExecuteStatement", **cluster, Sqls=["SELECT 1"], ClientToken=uuid.uuid4().hex)
    user = {"ClusterIdentifier": "my-cluster", "Database": "dev", "DbUser": "awsuser"}
    for name, what in (("ExecuteStatement", {"Sql": "SELECT current_user"}),
                       ("BatchExecuteStatement", {"Sqls": ["SELECT current_user"]})):  # fmt: skip
        assert ended(name, **user, **what)["DbUser"] == "awsuser"

    workgroup = {k: v for k, v in DATABASE.items() if k == "WorkgroupName"}
    listed = call("ListStatements", Status="ALL", StatementName=table, RoleLevel=False)
    assert [s["IsBatchStatement"] for s in listed["Statements"]] == [False, True]
    page = call("ListStatements", Status="ALL", MaxResults=1, **DATABASE)
    call("ListStatements", Status="ALL", MaxResults=1, NextToken=page["NextToken"], **DATABASE)
    call("ListStatements", ClusterIdentifier="my-cluster")

    ended("ExecuteStatement", **DATABASE, Sql="SELECT 1", SessionKeepAliveSeconds=60)
    first = call("ListSessions", MaxResults=1, Status="AVAILABLE", RoleLevel=True, Database="dev")
    call("ListSessions", MaxResults=1, Status="AVAILABLE", NextToken=first["NextToken"])
    call("ListSessions", **workgroup)
    call("ListSessions", ClusterIdentifier="my-cluster")
    assert call("ListSessions", SessionId=one["SessionId"])["Sessions"][0]["Status"] == "AVAILABLE"
    busy = call(
        "ExecuteStatement", **DATABASE, Sql=ENDLESS, SessionKeepAliveSeconds=60, WaitTimeSeconds=1
    )
    shown = call("ListSessions", SessionId=busy["SessionId"])["Sessions"][0]
    assert (shown["Status"], shown["CurrentStatementId"]) == ("BUSY", busy["Id"])
    assert call("CancelStatement", Id=busy["Id"]) == {"Status": True} | _metadata()
    assert call("DescribeStatement", Id=busy["Id"], WaitTimeSeconds=20)["Status"] == "ABORTED"

    for name in ("ListDatabases", "ListSchemas", "ListTables", "DescribeTable"):
        page = call(name, **DATABASE, MaxResults=1)
        if name != "ListDatabases":
            call(name, **DATABASE, MaxResults=1, NextToken=page["NextToken"])
        call(name, **user)
        call(name, **cluster)
    for name in ("ListSchemas", "ListTables", "DescribeTable"):
        call(name, **DATABASE, ConnectedDatabase="dev")
    assert call("ListSchemas", **DATABASE, SchemaPattern="pub%")["Schemas"] == ["public"]
    tables = call("ListTables", **DATABASE, SchemaPattern="public", TablePattern=table)
    assert tables["Tables"] == [{"name": table, "schema": "public", "type": "TABLE"}]
    columns = call("DescribeTable", **DATABASE, Schema="public", Table=table)
    assert [column["name"] for column in columns["ColumnList"]] == ["a", "b", "c", "d"]
    assert columns["ColumnList"][0]["columnDefault"] == "7"

    big = ended("ExecuteStatement", **DATABASE, ResultFormat="CSV", Sql=WIDE)
    page = call("GetStatementResultV2", Id=big["Id"])
    call("GetStatementResultV2", Id=big["Id"], NextToken=page["NextToken"])
    big = ended("ExecuteStatement", **DATABASE, Sql=WIDE)
    page = call("GetStatementResult", Id=big["Id"])
    call("GetStatementResult", Id=big["Id"], NextToken=page["NextToken"])
    assert page["TotalNumRows"] == 40

    assert _all_members() - answers.seen == set(NEVER)


def _metadata() -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}


TEN = "(" + " UNION ALL ".join(f"SELECT {n} AS a" for n in range(10)) + ")"
ENDLESS = "SELECT count(*) FROM " + ", ".join(f"{TEN} t{n}" for n in range(14))
WIDE = f"SELECT REPEAT('x', 30000) AS wide FROM {TEN} a, {TEN} b WHERE b.a < 4"


# -- errors --------------------------------------------------------------------------------------


def test_errors_are_the_models(answers: Answers, warehouse: Warehouse) -> None:
    """Each refusal is an error of the operation's, with its members and HTTP status."""
    missing = str(uuid.uuid4())
    for name in ("DescribeStatement", "GetStatementResult", "GetStatementResultV2",
                 "CancelStatement"):  # fmt: skip
        answer = answers(name, Id=missing)
        assert answer["Error"]["Code"] == "ResourceNotFoundException"
        assert answer["ResourceId"] == missing
    assert answers("ListSessions", SessionId=missing)["Error"]["Code"] == (
        "ResourceNotFoundException"
    )
    for name in ("ListDatabases", "ListSchemas", "ListTables", "DescribeTable"):
        answer = answers(name, Database="nowhere", WorkgroupName="local")
        assert answer["Error"]["Code"] == "DatabaseConnectionException"
        assert answer["HTTPStatusCode"] == 500
    done = answers.ended("ExecuteStatement", **DATABASE, Sql="SELECT 1")
    assert answers("GetStatementResultV2", Id=done["Id"])["Error"]["Code"] == "ValidationException"
    assert answers("CancelStatement", Id=done["Id"])["Error"]["Code"] == "ValidationException"
    both = {**TWO_TARGETS, "Database": "dev"}
    assert answers("ListTables", **both)["Error"]["Code"] == "ValidationException"


def test_timestamps_are_those_of_now(answers: Answers) -> None:
    before = time.time()
    shown = answers.ended("ExecuteStatement", **DATABASE, Sql="SELECT 1")
    assert before - 1 < shown["CreatedAt"].timestamp() <= shown["UpdatedAt"].timestamp()
    assert shown["UpdatedAt"].timestamp() < time.time() + 1
    assert 0 < shown["Duration"] < (time.time() - before) * 1e9


def test_the_limits_of_a_warehouse(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 statements and 500 sessions; smaller here, to reach them."""
    monkeypatch.setattr("fakeshift.api.submit.MAX_ACTIVE", 2)
    monkeypatch.setattr("fakeshift.statements.sessions.MAX_SESSIONS", 2)
    answers = Answers(start())
    for _ in range(2):
        answers.ended("ExecuteStatement", **DATABASE, Sql="SELECT 1", SessionKeepAliveSeconds=60)
    refused = answers("ExecuteStatement", **DATABASE, Sql="SELECT 1", SessionKeepAliveSeconds=60)
    assert refused["Error"]["Code"] == "ActiveSessionsExceededException"
    running = [answers("ExecuteStatement", **DATABASE, Sql=ENDLESS)["Id"] for _ in range(2)]
    for name in ("ExecuteStatement", "BatchExecuteStatement"):
        refused = answers(name, **SMALLEST[name])
        assert refused["Error"]["Code"] == "ActiveStatementsExceededException"
    for statement in running:
        answers("CancelStatement", Id=statement)
        answers("DescribeStatement", Id=statement, WaitTimeSeconds=20)
    assert answers.ended("ExecuteStatement", **DATABASE, Sql="SELECT 1")["Status"] == "FINISHED"
