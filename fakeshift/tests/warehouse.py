"""A thin client of fakeshift for tests: SQL in, plain rows or the error's text out."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import client
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

DATABASE = "dev"
WORKGROUP = "local"
REGION = "us-west-2"
PATIENCE = 40
"""Seconds that anything may take; a test has 120 (conftest.py)."""
ENDED = ("FINISHED", "FAILED", "ABORTED")


def http(
    url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """A request without a client library: (HTTP status, the answer's JSON)."""
    parts = urlsplit(url)
    connection = client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(
            "POST" if body is not None else "GET", parts.path or "/", body, headers or {}
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class Result:
    """``rows`` of Python values, ``names`` and ``types`` of the columns."""

    rows: list[list[Any]]
    names: list[str]
    types: list[str]
    affected: int
    query_id: int


def value(field: dict[str, Any]) -> Any:
    """``{"longValue": 1}`` -> 1, ``{"isNull": True}`` -> None."""
    return None if field.get("isNull") else next(iter(field.values()))


class StatementFailed(Exception):
    """``str`` is the statement's Error."""

    def __init__(self, description: dict[str, Any]):
        super().__init__(description.get("Error", ""))
        self.description = description


class Warehouse:
    """One caller of a server; ``client`` is its boto3 client."""

    def __init__(self, url: str, key: str = "AKIATEST"):
        self.url = url
        self.sessions: list[Session] = []
        self.client: Any = boto3.client(
            "redshift-data",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
        )

    def submit(self, sql: str, **more: Any) -> str:
        """The statement's id, without waiting for it."""
        target = {} if "SessionId" in more else {"Database": DATABASE, "WorkgroupName": WORKGROUP}
        answer = self.client.execute_statement(Sql=sql, **target, **more)
        return str(answer["Id"])

    def submit_batch(self, *sqls: str, mode: str = "TRANSACTION", **more: Any) -> str:
        """The batch's id, without waiting for it."""
        answer = self.client.batch_execute_statement(
            Sqls=list(sqls), Database=DATABASE, WorkgroupName=WORKGROUP, ExecutionMode=mode, **more
        )
        return str(answer["Id"])

    def describe(self, statement: str) -> dict[str, Any]:
        """DescribeStatement, now."""
        return dict(self.client.describe_statement(Id=statement))

    def wait(self, statement: str) -> dict[str, Any]:
        """DescribeStatement once the statement has ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            shown = self.client.describe_statement(Id=statement, WaitTimeSeconds=10)
            if shown["Status"] in ENDED:
                return dict(shown)
        raise TimeoutError(f"not ended after {PATIENCE} s: {shown}")

    def until(self, ready: Callable[[], bool]) -> None:
        """Waits until a condition holds; PATIENCE seconds at most."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if ready():
                return
            time.sleep(0.01)
        raise TimeoutError(f"not true after {PATIENCE} s; {self.health()}")

    def run(self, sql: str, /, **values: str) -> Result:
        """Runs one statement with named parameters; StatementFailed if it fails."""
        more: dict[str, Any] = {}
        if values:
            more["Parameters"] = [{"name": n, "value": v} for n, v in values.items()]
        shown = self.wait(self.submit(sql, **more))
        if shown["Status"] != "FINISHED":
            raise StatementFailed(shown)
        return self.result(shown)

    def result(self, shown: dict[str, Any]) -> Result:
        """The result of a statement that DescribeStatement shows as FINISHED."""
        rows: list[list[Any]] = []
        columns: Sequence[Any] = []
        if shown["HasResultSet"]:
            for page in self.client.get_paginator("get_statement_result").paginate(Id=shown["Id"]):
                columns = page["ColumnMetadata"]
                rows += [[value(f) for f in record] for record in page["Records"]]
        return Result(
            rows,
            [c["name"] for c in columns],
            [c["typeName"] for c in columns],
            shown.get("ResultRows", -1),
            shown.get("RedshiftQueryId", 0),
        )

    def rows(self, sql: str, /, **values: str) -> list[list[Any]]:
        """The rows of a query."""
        return self.run(sql, **values).rows

    def value(self, sql: str, /, **values: str) -> Any:
        """The first value of the first row."""
        return self.rows(sql, **values)[0][0]

    def error(self, sql: str, /, **values: str) -> str:
        """The error text of a statement that must fail."""
        try:
            result = self.run(sql, **values)
        except StatementFailed as failed:
            return str(failed)
        raise AssertionError(f"did not fail: {sql} -> {result.rows}")

    def batch(self, *sqls: str, **more: Any) -> dict[str, Any]:
        """DescribeStatement of a batch that has ended."""
        return self.wait(self.submit_batch(*sqls, **more))

    def health(self) -> dict[str, Any]:
        """GET /_local/health."""
        return http(f"{self.url}/_local/health")[1]

    def local(self, path: str, **body: Any) -> dict[str, Any]:
        """POST /_local/<path>; AssertionError with the answer if it is refused."""
        status, answer = http(f"{self.url}/_local/{path}", json.dumps(body).encode())
        assert status == 200, answer
        return answer

    def open_session(self) -> Session:
        """A separate session, for transactions over several statements."""
        session = Session(self)
        self.sessions.append(session)
        return session

    def make_schema(self) -> None:
        """An empty schema ``t``; an existing one is dropped."""
        shown = self.batch("DROP SCHEMA IF EXISTS t CASCADE", "CREATE SCHEMA t")
        assert shown["Status"] == "FINISHED", shown

    def clean_up(self) -> None:
        """Ends statements and sessions that a test left, so that the next one does not wait for their locks."""
        left: list[str] = []
        if self.health()["active_statements"]:
            pages = self.client.get_paginator("list_statements").paginate(Status="ALL")
            listed = [statement for page in pages for statement in page["Statements"]]
            left = [s["Id"] for s in listed if s["Status"] not in ENDED]
        for statement in left:
            with contextlib.suppress(ClientError):  # it has ended in the meantime
                self.client.cancel_statement(Id=statement)
        for statement in left + [session.submit("ROLLBACK") for session in self.sessions]:
            self.wait(statement)


class Session:
    """A kept session: every statement runs in it, in order."""

    def __init__(self, warehouse: Warehouse):
        self.warehouse = warehouse
        answer = warehouse.client.execute_statement(
            Sql="SELECT 1", Database=DATABASE, WorkgroupName=WORKGROUP, SessionKeepAliveSeconds=600
        )
        self.id = answer["SessionId"]
        warehouse.wait(answer["Id"])

    def submit(self, sql: str) -> str:
        """The statement's id, without waiting."""
        return self.warehouse.submit(sql, SessionId=self.id)

    def run(self, sql: str) -> Result:
        """Runs one statement; StatementFailed if it fails."""
        shown = self.warehouse.wait(self.submit(sql))
        if shown["Status"] != "FINISHED":
            raise StatementFailed(shown)
        return self.warehouse.result(shown)

    def error(self, sql: str) -> str:
        """The error text of a statement that must fail."""
        try:
            self.run(sql)
        except StatementFailed as failed:
            return str(failed)
        raise AssertionError(f"did not fail: {sql}")
