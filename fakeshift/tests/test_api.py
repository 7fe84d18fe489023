"""The Data API: what it refuses, what it answers, how long it remembers.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import LEVELS, Start
from warehouse import DATABASE, WORKGROUP, Warehouse, http

TARGET = {"Database": DATABASE, "WorkgroupName": WORKGROUP}


def signed(key: str) -> str:
    """An Authorization header for a request by ``key``; the signature itself is not checked."""
    scope = "20261101/us-west-2/redshift-data/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host, Signature=0"


def raw(
    url: str, operation: str, request: Any, key: str = "AKIATEST"
) -> tuple[int, dict[str, Any]]:
    """A request as no client would send it: (HTTP status, the answer)."""
    headers = {
        "X-Amz-Target": f"RedshiftData.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": signed(key),
    }
    return http(url, json.dumps(request).encode(), headers)


SELECT = {**TARGET, "Sql": "SELECT 1"}


def one_parameter(sql: str, name: str, value: str) -> dict[str, Any]:
    return {**TARGET, "Sql": sql, "Parameters": [{"name": name, "value": value}]}


FAILED_AT = "failed to satisfy constraint: Member must"
UNUSED = "Parameters list contains unused parameters"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("ExecuteStatement", TARGET, f"1 validation error detected: Value null at 'sql' {FAILED_AT}"),
    (
        "ExecuteStatement",
        {**SELECT, "WaitTimeSeconds": 31},
        f"Value '31' at 'waitTimeSeconds' {FAILED_AT} have value less than or equal to 30",
    ),
    ("ExecuteStatement", {**SELECT, "WaitTimeSeconds": 0}, "have value greater than or equal to 1"),
    (
        "ExecuteStatement",
        {**SELECT, "ClientToken": "x" * 65},
        f"at 'clientToken' {FAILED_AT} have length less than or equal to 64",
    ),
    (
        "ExecuteStatement",
        one_parameter("SELECT :a", "a", ""),
        f"Value '' at 'parameters.1.member.value' {FAILED_AT} have length greater than or equal",
    ),
    (
        "ExecuteStatement",
        one_parameter("SELECT :a", "a-", "b"),
        "satisfy regular expression pattern: [0-9a-zA-Z_]+",
    ),
    ("ExecuteStatement", one_parameter("SELECT 1", "a", "b"), UNUSED),
    ("ExecuteStatement", one_parameter("SELECT ':a'", "a", "b"), UNUSED),
    ("ExecuteStatement", one_parameter("SELECT 1 -- :a", "a", "b"), UNUSED),
    ("ExecuteStatement", {"Sql": "SELECT 1", "Database": "dev"}, "WorkgroupName needs to be"),
    ("ExecuteStatement", {"Sql": "SELECT 1", "WorkgroupName": "abc"}, "Database must be provided"),
    ("ExecuteStatement", {**TARGET, "Sql": "x" * 100_001}, "exceeds the maximum size"),
    (
        "BatchExecuteStatement",
        {**TARGET, "Sqls": []},
        f"at 'sqls' {FAILED_AT} have length greater than or equal to 1",
    ),
    ("BatchExecuteStatement", {**TARGET, "Sqls": ["SELECT 1"] * 41}, "less than or equal to 40"),
    (
        "BatchExecuteStatement",
        {**TARGET, "Sqls": ["SELECT 1"] * 41},
        f"Value '[{', '.join(['SELECT 1'] * 41)}]' at 'sqls'",
    ),
    (
        "BatchExecuteStatement",
        {**TARGET, "Sqls": ["SELECT 1"], "ExecutionMode": "FAST"},
        "satisfy enum value set: [TRANSACTION, AUTO_COMMIT]",
    ),
    (
        "BatchExecuteStatement",
        {**TARGET, "Sqls": ["SELECT 1", None]},
        f"Value '[SELECT 1, null]' at 'sqls' {FAILED_AT} not be null",
    ),
    ("DescribeStatement", {"Id": "nonsense"}, "satisfy regular expression pattern"),
    ("UnloadEverything", {}, "Unknown operation"),
    ("ListDatabases", {"WorkgroupName": "abc"}, "Database must be provided"),
    ("ExecuteStatement", {**SELECT, "WithEvent": True}, "WithEvent is not supported by the local"),
]


@pytest.mark.parametrize(("operation", "request_", "text"), REFUSED)
def test_refused(warehouse: Warehouse, operation: str, request_: dict[str, Any], text: str) -> None:
    status, answer = raw(warehouse.url, operation, request_)
    assert status == 400
    assert text in answer["Message"]
    kind = "UnknownOperation" if operation == "UnloadEverything" else "Validation"
    assert answer["__type"] == f"{kind}Exception"


def test_a_wrong_type_is_a_serialization_exception(warehouse: Warehouse) -> None:
    status, answer = raw(warehouse.url, "ExecuteStatement", {**TARGET, "Sql": 5})
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_a_statement_that_is_not_there(warehouse: Warehouse) -> None:
    with pytest.raises(ClientError) as caught:
        warehouse.client.describe_statement(Id=str(uuid.uuid4()))
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_statements_belong_to_their_caller(isolated: Warehouse) -> None:
    """Another identity does not even learn that the statement exists."""
    statement = isolated.submit("SELECT 1")
    isolated.wait(statement)
    stranger = Warehouse(isolated.url, key="AKIAOTHER")
    for call in (
        stranger.client.describe_statement,
        stranger.client.get_statement_result,
        stranger.client.cancel_statement,
    ):
        with pytest.raises(ClientError) as caught:
            call(Id=statement)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert stranger.client.list_statements(Status="ALL")["Statements"] == []
    mine = [s["Id"] for s in isolated.client.list_statements(Status="ALL")["Statements"]]
    assert statement in mine


def test_two_keys_of_one_database_user_are_one_caller(start: Start) -> None:
    """As two sessions of one IAM role are."""
    server = start(principals={"ASIA1": "IAMR:loader", "ASIA2": "IAMR:loader"})
    one, two = Warehouse(server.url, "ASIA1"), Warehouse(server.url, "ASIA2")
    statement = one.submit("SELECT current_user")
    assert two.result(two.wait(statement)).rows == [["IAMR:loader"]]


# -- parameters -------------------------------------------------------------------------------


def test_parameters_take_the_type_of_their_place(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t.p (n BIGINT, s VARCHAR(20), at TIMESTAMP)")
    warehouse.run(
        "INSERT INTO t.p VALUES (:n, :s, :at)", n="7", s="it's \\ :n", at="2018-11-01 00:00:00"
    )
    assert warehouse.rows(
        "SELECT s FROM t.p WHERE n = :n AND at >= CAST(:at AS TIMESTAMP) AND n < CAST(:m AS BIGINT)",
        n="7", at="2018-11-01", m="8",
    ) == [["it's \\ :n"]]  # fmt: skip
    assert warehouse.value("SELECT NULLIF(:x, '-')", x="-") is None
    warehouse.run("UPDATE t.p SET n = n + :more", more="2")
    assert warehouse.rows(
        "SELECT n * :x, EXTRACT(year FROM :d::date) FROM t.p", x="3", d="2018-11-01"
    ) == [[27, 2018]]
    assert "bigint" in warehouse.error("SELECT * FROM t.p WHERE n = :n", n="9.4")
    error = warehouse.error("SELECT * FROM t.p WHERE n = :n", n="seven")
    assert 'invalid input syntax for type bigint: "seven"' in error


PLACES = [
    "CREATE TABLE t.y (a INT DEFAULT :x)",
    "DROP TABLE :x",
    "LOCK :x",
    "SELECT * FROM :x",
    "GRANT SELECT ON t.p TO :x",
    "SET search_path TO :x",
    "SELECT DATE :x",
]


@pytest.mark.parametrize("sql", PLACES)
def test_parameters_are_values_only(warehouse: Warehouse, sql: str) -> None:
    assert warehouse.error(sql, x="y") == 'ERROR: syntax error at or near "$1"'


def test_a_batch_shares_its_parameters(warehouse: Warehouse) -> None:
    shown = warehouse.batch(
        "SELECT :a::int", "SELECT :b || :a", Parameters=[
            {"name": "a", "value": "1"}, {"name": "b", "value": "x"}],
    )  # fmt: skip
    assert warehouse.result(shown["SubStatements"][1]).rows == [["x1"]]


# -- client tokens, long polling ----------------------------------------------------------------


def test_the_same_token_gives_the_first_statement(isolated: Warehouse) -> None:
    isolated.run("CREATE TABLE t.once (a INT)")
    token = uuid.uuid4().hex
    first = isolated.submit("INSERT INTO t.once VALUES (1)", ClientToken=token)
    isolated.wait(first)
    assert isolated.submit("INSERT INTO t.once VALUES (1)", ClientToken=token) == first
    assert isolated.value("SELECT count(*) FROM t.once") == 1


def test_the_same_token_gives_the_first_failure(isolated: Warehouse) -> None:
    token = uuid.uuid4().hex
    first = isolated.submit("SELECT * FROM t.later", ClientToken=token)
    assert isolated.wait(first)["Status"] == "FAILED"
    isolated.run("CREATE TABLE t.later (a INT)")
    again = isolated.submit("SELECT * FROM t.later", ClientToken=token)
    assert again == first
    assert isolated.describe(again)["Status"] == "FAILED"


@pytest.mark.parametrize("level", LEVELS)
def test_a_token_is_known_for_eight_hours(start: Start, level: str) -> None:
    """.../mgmt/data-api.html, idempotency; the statement itself is kept for 24 hours"""
    started, hours = time.time(), [0.0]
    warehouse = Warehouse(start(isolation=level, clock=lambda: started + hours[0] * 3600).url)
    warehouse.run("CREATE TABLE once (a INT)")
    token = uuid.uuid4().hex

    def insert(at: float) -> str:
        hours[0] = at
        return warehouse.submit("INSERT INTO once VALUES (1)", ClientToken=token)

    first = insert(0)
    warehouse.wait(first)
    assert insert(7.9) == first
    later = insert(8.1)
    assert later != first
    warehouse.wait(later)
    assert warehouse.value("SELECT count(*) FROM once") == 2
    insert(23.9)
    assert warehouse.describe(first)["Status"] == "FINISHED"
    insert(24.1)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        warehouse.describe(first)


def test_tokens_are_their_callers_own(warehouse: Warehouse) -> None:
    token = uuid.uuid4().hex
    mine = warehouse.submit("SELECT 1", ClientToken=token)
    assert Warehouse(warehouse.url, "AKIAOTHER").submit("SELECT 1", ClientToken=token) != mine


def test_a_token_survives_a_restart(start: Start, tmp_path: Any) -> None:
    server = start(data=tmp_path / "same")
    token = uuid.uuid4().hex
    first = Warehouse(server.url).submit("SELECT 1", ClientToken=token)
    Warehouse(server.url).wait(first)
    server.stop()
    again = Warehouse(start(data=tmp_path / "same").url)
    assert again.submit("SELECT 1", ClientToken=token) == first
    assert again.result(again.describe(first)).rows == [[1]]


def test_waiting_submits_answer_with_the_end(warehouse: Warehouse) -> None:
    answer = warehouse.client.execute_statement(Sql="SELECT 1", WaitTimeSeconds=20, **TARGET)
    assert answer["Status"] == "FINISHED"
    assert answer["HasResultSet"] is True
    assert "Error" not in answer
    batch = warehouse.client.batch_execute_statement(
        Sqls=["SELECT nothing"], WaitTimeSeconds=20, **TARGET
    )
    assert batch["Status"] == "FAILED"


def test_a_wait_that_expires_answers_with_the_status_so_far(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t.mutex (a INT)")
    holder = warehouse.open_session()
    holder.run("BEGIN")
    holder.run("LOCK t.mutex")
    answer = warehouse.client.execute_statement(
        Sql="SELECT count(*) FROM t.mutex", WaitTimeSeconds=1, **TARGET
    )
    assert answer["Status"] == "STARTED"
    assert warehouse.client.describe_statement(Id=answer["Id"], WaitTimeSeconds=1)["Status"] == (
        "STARTED"
    )
    holder.run("COMMIT")
    result = warehouse.client.get_statement_result(Id=answer["Id"], WaitTimeSeconds=20)
    assert result["Records"] == [[{"longValue": 0}]]


# -- results --------------------------------------------------------------------------------------


def test_fields_by_type(warehouse: Warehouse) -> None:
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Field.html"""
    shown = warehouse.wait(
        warehouse.submit("SELECT 1, 2.5::float, 'x', true, NULL, 1.50::decimal(5,2), "
                         "'2018-11-01 01:02:03'::timestamp, '2018-11-01'::date")
    )  # fmt: skip
    (record,) = warehouse.client.get_statement_result(Id=shown["Id"])["Records"]
    assert record == [
        {"longValue": 1},
        {"doubleValue": 2.5},
        {"stringValue": "x"},
        {"booleanValue": True},
        {"isNull": True},
        {"stringValue": "1.50"},
        {"stringValue": "2018-11-01 01:02:03"},
        {"stringValue": "2018-11-01"},
    ]


def test_large_results_come_in_pages(warehouse: Warehouse) -> None:
    values = ", ".join(f"({number}, '{'x' * 100}')" for number in range(900))
    warehouse.batch(
        "CREATE TABLE t.big (n INT, s VARCHAR(200))", f"INSERT INTO t.big VALUES {values}"
    )
    shown = warehouse.wait(
        warehouse.submit(
            "SELECT a.n * 1000 + b.n AS k, a.s FROM t.big a, t.big b WHERE b.n < 30 ORDER BY k"
        )
    )
    first = warehouse.client.get_statement_result(Id=shown["Id"])
    assert first["TotalNumRows"] == 27_000 or "NextToken" in first
    assert len(json.dumps(first["Records"])) < 2_500_000
    rows = warehouse.result(shown).rows
    assert shown["ResultRows"] == len(rows) == 27_000
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    with pytest.raises(ClientError, match="NextToken is not valid"):
        warehouse.client.get_statement_result(Id=shown["Id"], NextToken="nonsense")


def test_no_result_set_no_result(warehouse: Warehouse) -> None:
    shown = warehouse.wait(warehouse.submit("CREATE TABLE t.r (a INT)"))
    assert shown["HasResultSet"] is False
    with pytest.raises(ClientError, match="does not have result"):
        warehouse.client.get_statement_result(Id=shown["Id"])


def test_a_running_batch_has_no_result_of_its_own(warehouse: Warehouse) -> None:
    """What its id without a number gave would be another one a moment later."""
    digits = "(" + " UNION ALL ".join(f"SELECT {n} AS a" for n in range(10)) + ")"
    endless = "SELECT count(*) FROM " + ", ".join(f"{digits} t{n}" for n in range(14))
    batch = warehouse.submit_batch("SELECT 1", endless, "SELECT 2")
    warehouse.until(
        lambda: [p["Status"] for p in warehouse.describe(batch)["SubStatements"]][1] == "STARTED"
    )
    with pytest.raises(ClientError, match="does not have result"):
        warehouse.client.get_statement_result(Id=batch)
    assert warehouse.client.get_statement_result(Id=f"{batch}:1")["TotalNumRows"] == 1
    warehouse.client.cancel_statement(Id=batch)
    assert warehouse.wait(batch)["Status"] == "ABORTED"


def test_rows_returned_and_affected(isolated: Warehouse) -> None:
    shown = isolated.batch(
        "CREATE TABLE t.r (a INT)",
        "INSERT INTO t.r VALUES (1), (2), (3)",
        "UPDATE t.r SET a = a + 1 WHERE a > 1",
        "DELETE FROM t.r WHERE a = 4",
        "SELECT a FROM t.r ORDER BY a",
    )
    parts = shown["SubStatements"]
    assert [part["ResultRows"] for part in parts] == [0, 3, 2, 1, 2]
    assert [part["HasResultSet"] for part in parts] == [False, False, False, False, True]
    assert [part["Id"] for part in parts] == [f"{shown['Id']}:{n}" for n in range(1, 6)]
    assert all(part["Duration"] > 0 and part["RedshiftQueryId"] > 0 for part in parts)
    assert shown["HasResultSet"] is True
    assert isolated.describe(parts[4]["Id"])["Status"] == "FINISHED"


def test_a_failed_batch(isolated: Warehouse) -> None:
    shown = isolated.batch("CREATE TABLE t.r (a INT)", "SELECT nothing", "SELECT 1")
    assert shown["Status"] == "FAILED"
    assert shown["Error"] == 'Query #2 failed with ERROR: column "nothing" does not exist'
    assert [p["Status"] for p in shown["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert shown["SubStatements"][1]["Error"] == 'ERROR: column "nothing" does not exist'


def test_auto_commit_keeps_what_worked(isolated: Warehouse) -> None:
    shown = isolated.batch(
        "CREATE TABLE t.r (a INT)", "SELECT nothing", "INSERT INTO t.r VALUES (1)",
        mode="AUTO_COMMIT",
    )  # fmt: skip
    assert [p["Status"] for p in shown["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"]
    assert isolated.value("SELECT count(*) FROM t.r") == 1


def test_an_unknown_database(warehouse: Warehouse) -> None:
    answer = warehouse.client.execute_statement(
        Sql="SELECT 1", Database="nowhere", WorkgroupName=WORKGROUP, WaitTimeSeconds=10
    )
    assert warehouse.describe(answer["Id"])["Error"] == 'FATAL: database "nowhere" does not exist'


def test_a_cancelled_statement_tells_its_number(warehouse: Warehouse) -> None:
    """As real clusters write it: metabase/metabase#36770."""
    digits = "(" + " UNION ALL ".join(f"SELECT {n} AS a" for n in range(10)) + ")"
    tables = ", ".join(f"{digits} t{n}" for n in range(14))
    statement = warehouse.submit(f"SELECT count(*) FROM {tables}")
    warehouse.until(lambda: warehouse.describe(statement).get("RedshiftQueryId", 0) > 0)
    warehouse.client.cancel_statement(Id=statement)
    shown = warehouse.wait(statement)
    assert shown["Status"] == "ABORTED"
    number = shown["RedshiftQueryId"]
    assert shown["Error"] == f"ERROR: Query ({number}) cancelled on user's request"


def test_cancel_of_what_is_over_is_refused(warehouse: Warehouse) -> None:
    statement = warehouse.submit("SELECT 1")
    warehouse.wait(statement)
    with pytest.raises(ClientError, match="already in FINISHED state"):
        warehouse.client.cancel_statement(Id=statement)


def test_list_statements_by_name_and_status(warehouse: Warehouse) -> None:
    name = f"n{uuid.uuid4().hex}"
    good = warehouse.submit("SELECT 1", StatementName=name)
    bad = warehouse.submit("SELECT nothing", StatementName=f"{name}-bad")
    for statement in (good, bad):
        warehouse.wait(statement)

    def listed(**more: Any) -> list[str]:
        pages = warehouse.client.get_paginator("list_statements").paginate(
            StatementName=name, PaginationConfig={"PageSize": 1}, **more
        )
        return [s["Id"] for page in pages for s in page["Statements"]]

    assert listed(Status="ALL") == [bad, good]
    assert listed(Status="FAILED") == [bad]
