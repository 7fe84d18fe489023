"""Sessions that SessionKeepAliveSeconds keeps, and ListSessions.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListSessions.html
"""

from __future__ import annotations

import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Start
from warehouse import DATABASE, WORKGROUP, Warehouse

TARGET = {"Database": DATABASE, "WorkgroupName": WORKGROUP}


def has_started(warehouse: Warehouse, statement: str) -> bool:
    return bool(warehouse.describe(statement)["Status"] == "STARTED")


def opened(warehouse: Warehouse, sql: str = "SELECT 1", keep: int = 60, **more: Any) -> str:
    """A new session's id, once its first statement has ended."""
    answer = warehouse.client.execute_statement(
        Sql=sql, SessionKeepAliveSeconds=keep, WaitTimeSeconds=20, **(more or TARGET)
    )
    return str(answer["SessionId"])


def listed(warehouse: Warehouse, **filters: Any) -> list[dict[str, Any]]:
    pages = warehouse.client.get_paginator("list_sessions").paginate(
        **filters, PaginationConfig={"PageSize": 2}
    )
    return [session for page in pages for session in page["Sessions"]]


def run(warehouse: Warehouse, session: str, sql: str, **more: Any) -> list[list[Any]]:
    return warehouse.result(warehouse.wait(warehouse.submit(sql, SessionId=session, **more))).rows


def test_a_session_keeps_what_is_set_and_temporary(warehouse: Warehouse) -> None:
    session = opened(warehouse, "CREATE TEMP TABLE mine (a INT)")
    pid = run(warehouse, session, "SELECT pg_backend_pid()")
    run(warehouse, session, "SET search_path TO t")
    run(warehouse, session, "INSERT INTO mine VALUES (1)")
    assert run(warehouse, session, "SELECT a FROM mine") == [[1]]
    assert run(warehouse, session, "SELECT pg_backend_pid()") == pid
    assert run(warehouse, session, "SHOW search_path") == [["t"]]
    assert warehouse.value("SELECT pg_backend_pid()") != pid[0][0]


def test_a_batch_runs_in_a_session_too(warehouse: Warehouse) -> None:
    session = opened(warehouse, "CREATE TEMP TABLE mine (a INT)")
    answer = warehouse.client.batch_execute_statement(
        Sqls=["INSERT INTO mine VALUES (1)", "SELECT count(*) FROM mine"],
        SessionId=session,
        WaitTimeSeconds=20,
    )
    assert (answer["Status"], answer["SessionId"]) == ("FINISHED", session)


def test_a_transaction_stays_open_between_statements(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t.a (a INT)")
    session = opened(warehouse, "BEGIN")
    run(warehouse, session, "INSERT INTO t.a VALUES (1)")
    assert warehouse.value("SELECT count(*) FROM t.a") == 0
    run(warehouse, session, "COMMIT")
    assert warehouse.value("SELECT count(*) FROM t.a") == 1


def test_a_session_that_never_was(warehouse: Warehouse) -> None:
    nobody = str(uuid.uuid4())
    with pytest.raises(ClientError, match=f"Session with Id: {nobody} is invalid") as caught:
        warehouse.submit("SELECT 1", SessionId=nobody)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        listed(warehouse, SessionId=nobody)


def test_there_is_no_session_in_a_database_that_there_is_not(warehouse: Warehouse) -> None:
    answer = warehouse.client.execute_statement(
        Sql="SELECT 1", Database="nowhere", WorkgroupName="local", SessionKeepAliveSeconds=60,
        WaitTimeSeconds=10,
    )  # fmt: skip
    assert answer["Status"] == "FAILED"
    shown = warehouse.client.list_sessions(SessionId=answer["SessionId"])["Sessions"]
    assert [session["Status"] for session in shown] == ["CLOSED"]


def test_a_session_is_its_callers_own(warehouse: Warehouse) -> None:
    session = opened(warehouse)
    stranger = Warehouse(warehouse.url, key="AKIAOTHER")
    with pytest.raises(ClientError, match="is invalid"):
        stranger.submit("SELECT 1", SessionId=session)
    assert session not in [s["SessionId"] for s in listed(stranger)]


def test_a_session_ends_when_its_time_is_over(start: Start) -> None:
    """Without a request: its lock is free, its open transaction undone, and it is listed as CLOSED."""
    warehouse = Warehouse(start().url)
    warehouse.run("CREATE TABLE a (a INT)")
    session = opened(warehouse, "BEGIN", keep=1)
    run(warehouse, session, "INSERT INTO a VALUES (1)")
    run(warehouse, session, "LOCK a")
    began = time.monotonic()
    assert warehouse.value("SELECT count(*) FROM a") == 0  # waits for the lock
    assert time.monotonic() - began < 5
    with pytest.raises(ClientError, match="Session is not available"):
        warehouse.submit("SELECT 1", SessionId=session)
    assert listed(warehouse) == []
    (closed,) = listed(warehouse, Status="CLOSED")
    assert (closed["SessionId"], closed["Status"]) == (session, "CLOSED")


def test_a_statement_sets_the_time_anew(start: Start) -> None:
    """Zero seconds end it with the statement; without the parameter it stays as it was."""
    warehouse = Warehouse(start().url)
    session = opened(warehouse, keep=100)
    run(warehouse, session, "SELECT 1", SessionKeepAliveSeconds=5000)
    run(warehouse, session, "SELECT 1")
    (shown,) = listed(warehouse)
    assert shown["SessionAliveSeconds"] == 5000
    assert 4990 < shown["SessionTtl"].timestamp() - time.time() <= 5000
    run(warehouse, session, "SELECT 1", SessionKeepAliveSeconds=0)
    with pytest.raises(ClientError, match="Session is not available"):
        warehouse.submit("SELECT 1", SessionId=session)


def test_a_session_lasts_24_hours_at_most(start: Start) -> None:
    """A statement that runs in it then is ended; a statement without a session has 24 hours too."""
    later = [0]
    warehouse = Warehouse(start(faults=True, clock=lambda: time.time() + later[0]).url)
    session = opened(warehouse, keep=86_400)
    warehouse.local("faults", sql="SELECT 7", kind="delay", seconds=60, times=2)
    in_session = warehouse.submit("SELECT 7", SessionId=session)
    alone = warehouse.submit("SELECT 7")
    for statement in (in_session, alone):
        warehouse.until(partial(has_started, warehouse, statement))
    later[0] = 86_401
    opened(warehouse)  # a request makes the server check the time
    warehouse.until(lambda: warehouse.health()["active_statements"] == 0)
    later[0] = 0  # records are kept for 24 hours too, so they are read at the time before
    assert warehouse.wait(in_session)["Status"] == "FAILED"
    assert warehouse.wait(alone)["Status"] == "ABORTED"
    with pytest.raises(ClientError, match="Session is not available"):
        warehouse.submit("SELECT 1", SessionId=session)


def test_the_same_token_takes_no_second_session(start: Start) -> None:
    warehouse = Warehouse(start().url)
    token = uuid.uuid4().hex
    answers = [
        warehouse.client.execute_statement(
            Sql="SELECT 1", SessionKeepAliveSeconds=60, ClientToken=token, **TARGET
        )
        for _ in range(2)
    ]
    assert answers[0]["SessionId"] == answers[1]["SessionId"]
    assert len(listed(warehouse)) == 1
    warehouse.wait(answers[0]["Id"])
    session, token = answers[0]["SessionId"], uuid.uuid4().hex
    ids = [warehouse.submit("SELECT 1", SessionId=session, ClientToken=token) for _ in range(2)]
    assert ids[0] == ids[1]


def test_sessions_are_listed(start: Start) -> None:
    warehouse = Warehouse(start(principals={"ASIA1": "IAMR:x", "ASIA2": "IAMR:x"}).url, "ASIA1")
    first = opened(warehouse)
    cluster = {"ClusterIdentifier": "one", "Database": DATABASE}
    second = opened(warehouse, "SELECT 1", 60, **cluster)
    third = opened(warehouse)
    assert [s["SessionId"] for s in listed(warehouse)] == [third, second, first]
    assert [s["SessionId"] for s in listed(warehouse, ClusterIdentifier="one")] == [second]
    assert [s["SessionId"] for s in listed(warehouse, WorkgroupName=WORKGROUP)] == [third, first]
    assert listed(warehouse, Database="other") == []
    assert [s["SessionId"] for s in listed(warehouse, SessionId=first)] == [first]
    other = Warehouse(warehouse.url, "ASIA2")
    assert len(listed(other)) == 3
    assert listed(other, RoleLevel=False) == []
    for more in ({"Status": "BUSY"}, {"Database": DATABASE}, {"WorkgroupName": WORKGROUP}):
        with pytest.raises(ClientError, match="must not be provided when SessionId is provided"):
            warehouse.client.list_sessions(SessionId=first, **more)
    (shown,) = listed(warehouse, SessionId=second)
    assert (shown["ClusterIdentifier"], shown["DbUser"]) == ("one", "IAMR:x")
    assert "WorkgroupName" not in shown
    assert "CurrentStatementId" not in shown


def test_a_restart_closes_sessions(start: Start, tmp_path: Path) -> None:
    server = start(data=tmp_path / "same")
    session = opened(Warehouse(server.url))
    server.stop()
    again = Warehouse(start(data=tmp_path / "same").url)
    assert listed(again) == []
    assert [s["Status"] for s in listed(again, SessionId=session)] == ["CLOSED"]
    with pytest.raises(ClientError, match="Session is not available"):
        again.submit("SELECT 1", SessionId=session)


def test_the_statements_of_an_auto_commit_batch_share_a_session(warehouse: Warehouse) -> None:
    """Assumed: the model of BatchExecuteStatement has one SessionId for all of them."""
    shown = warehouse.batch(
        "CREATE TEMP TABLE mine (a INT)",
        "SELECT nothing",
        "EXPLAIN INSERT INTO mine SELECT 1",
        "SELECT count(*) FROM mine",
        mode="AUTO_COMMIT",
    )
    ended = [part["Status"] for part in shown["SubStatements"]]
    assert ended == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
    assert warehouse.result(shown["SubStatements"][3]).rows == [[0]]
    assert warehouse.error("SELECT * FROM mine") == 'ERROR: relation "mine" does not exist'
