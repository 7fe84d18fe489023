"""The Redshift Data API: submit, wait, results. The only module that calls it.

Source: docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from loader import usage
from loader.settings import Settings

MAX_STATEMENTS = 40
MAX_STATEMENT_BYTES = 100_000

Value = str | int | float | bool | None


class StatementFailed(Exception):
    """A statement ended FAILED or ABORTED; the message is Redshift's error and names the statement."""


class StatementLost(Exception):
    """The Data API no longer knows a statement (it keeps them for 24 hours); the ledger knows whether it committed."""


@dataclass(frozen=True)
class SubStatement:
    """One statement of a batch: its state, error, rows returned or affected, and Redshift's query id."""

    id: str
    status: str
    error: str
    rows: int
    query_id: int
    text: str


@dataclass(frozen=True)
class Statement:
    """A statement or batch as the Data API describes it. ``parts`` is filled by ``describe`` only."""

    id: str
    status: str
    error: str = ""
    query_id: int = -1
    parts: tuple[SubStatement, ...] = ()

    @property
    def running(self) -> bool:
        return self.status in ("SUBMITTED", "PICKED", "STARTED")

    @property
    def finished(self) -> bool:
        return self.status == "FINISHED"

    @property
    def failed_part(self) -> SubStatement | None:
        """The sub-statement that failed, if the Data API names one; what it says about the others is not documented."""
        for status in ("FAILED", "ABORTED"):
            for part in self.parts:
                if part.status == status:
                    return part
        return None


def client_token(load_id: str, step: str, batch: str, attempt: int) -> str:
    """The token of one attempt of one step, at most 64 characters: the same whenever it is submitted again.

    Within 8 hours the Data API answers a known token with the first statement, so nothing runs twice after a lost
    answer.
    """
    token = f"{load_id}.{step}.{batch}.{attempt}"
    if len(token) <= 64:
        return token
    return f"{token[:31]}.{hashlib.sha256(token.encode()).hexdigest()[:32]}"


class DataApi:
    """Statements of one warehouse: a serverless workgroup, or a cluster with a database user or a secret."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _client(self) -> Any:
        # A long poll holds the connection for up to 30 seconds.
        config = Config(
            retries={"mode": "standard", "max_attempts": 6}, read_timeout=60, connect_timeout=5
        )
        return usage.count(boto3.client("redshift-data", config=config))

    @property
    def _target(self) -> dict[str, str]:
        s = self._settings
        target = {"Database": s.database}
        if s.workgroup:
            target["WorkgroupName"] = s.workgroup
        if s.cluster:
            target["ClusterIdentifier"] = s.cluster
        if s.secret_arn:
            target["SecretArn"] = s.secret_arn
        elif s.cluster and s.db_user:
            target["DbUser"] = s.db_user
        return target

    def submit(
        self,
        statements: Sequence[str],
        *,
        token: str,
        name: str,
        autocommit: bool = False,
        wait: int | None = None,
    ) -> Statement:
        """Submits a batch, waits up to ``wait`` seconds for its end. Raises ValueError over the Data API's limits."""
        if len(statements) > MAX_STATEMENTS:
            raise ValueError(
                f"{name}: {len(statements)} statements; the Data API takes {MAX_STATEMENTS} in a transaction."
            )
        for text in statements:
            if len(text.encode()) > MAX_STATEMENT_BYTES:
                raise ValueError(
                    f"{name}: a statement is over {MAX_STATEMENT_BYTES} bytes: {text[:80]}…"
                )
        request: dict[str, Any] = {
            "Sqls": [str(text) for text in statements],
            "ClientToken": token,
            "StatementName": name,
            "ExecutionMode": "AUTO_COMMIT" if autocommit else "TRANSACTION",
            **self._target,
        }
        if wait:
            request["WaitTimeSeconds"] = wait
        answer = self._client.batch_execute_statement(**request)
        return Statement(answer["Id"], answer.get("Status", "SUBMITTED"))

    def describe(self, statement_id: str, wait: int | None = None) -> Statement:
        """The statement's state, after waiting up to ``wait`` seconds for its end. Raises StatementLost."""
        request: dict[str, Any] = {"Id": statement_id}
        if wait:
            request["WaitTimeSeconds"] = wait
        try:
            answer = self._client.describe_statement(**request)
        except self._client.exceptions.ActiveWaitingRequestsExceededException:
            answer = self._client.describe_statement(Id=statement_id)
        except self._client.exceptions.ResourceNotFoundException as error:
            raise StatementLost(f"Statement {statement_id} is no longer known.") from error
        return Statement(
            answer["Id"],
            answer["Status"],
            answer.get("Error", ""),
            answer.get("RedshiftQueryId", -1),
            tuple(
                SubStatement(
                    part["Id"],
                    part.get("Status", ""),
                    part.get("Error", ""),
                    part.get("ResultRows", -1),
                    part.get("RedshiftQueryId", -1),
                    part.get("QueryString", ""),
                )
                for part in answer.get("SubStatements", ())
            ),
        )

    def rows(self, statement_id: str) -> Iterator[tuple[Value, ...]]:
        """The rows of a statement's result, page by page; of a batch's n-th statement the id is ``<id>:<n>``."""
        request: dict[str, Any] = {"Id": statement_id}
        while True:
            page = self._client.get_statement_result(**request)
            for record in page["Records"]:
                yield tuple(_value(field) for field in record)
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def list_for_load(self, load_id: str) -> Iterator[Statement]:
        """The statements of the last 24 hours whose names begin with a load's id, as ``submit`` names them.

        Source: docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListStatements.html
        """
        request: dict[str, Any] = {"StatementName": load_id, "Status": "ALL", "MaxResults": 100}
        while True:
            page = self._client.list_statements(**request)
            for found in page["Statements"]:
                yield Statement(found["Id"], found.get("Status", ""))
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def cancel(self, statement_id: str) -> None:
        """Cancels the statement. It may have ended, or may still commit: describe it afterwards."""
        client = self._client
        try:
            client.cancel_statement(Id=statement_id)
        except (client.exceptions.ValidationException, client.exceptions.ResourceNotFoundException):
            return  # it has already ended

    def run(
        self,
        statements: Sequence[str],
        *,
        token: str,
        name: str,
        autocommit: bool = False,
        limit: int | None = None,
    ) -> Statement:
        """Submits and waits to the end, for statements that take seconds; raises StatementFailed, or TimeoutError.

        A statement over ``limit`` seconds (the settings' limit if not given) is cancelled.
        """
        statement = self.ended(
            statements, token=token, name=name, autocommit=autocommit, limit=limit
        )
        if not statement.finished:
            statement = self.describe(statement.id)
            raise StatementFailed(f"{name}: {failure(statement)}")
        return statement

    def ended(
        self,
        statements: Sequence[str],
        *,
        token: str,
        name: str,
        autocommit: bool = False,
        limit: int | None = None,
    ) -> Statement:
        """Submits and waits until it ends, in whatever way. Raises TimeoutError after ``limit`` seconds."""
        limit = limit or self._settings.statement_timeout
        deadline = time.monotonic() + limit
        wait = self._settings.wait_seconds
        statement = self.submit(
            statements, token=token, name=name, autocommit=autocommit, wait=wait
        )
        while statement.running:
            if time.monotonic() > deadline:
                self.cancel(statement.id)
                statement = self.describe(statement.id, wait)  # it may still have committed
                if not statement.finished:
                    raise TimeoutError(
                        f"{name}: statement {statement.id} took over {limit} seconds."
                    )
            else:
                statement = self.describe(statement.id, wait)
        return statement


def failure(statement: Statement) -> str:
    """Redshift's message on why the statement failed."""
    part = statement.failed_part
    return (
        (part.error if part else "") or statement.error or f"the statement ended {statement.status}"
    )


def _value(field: Mapping[str, Any]) -> Value:
    if field.get("isNull"):
        return None
    for kind in ("longValue", "stringValue", "doubleValue", "booleanValue"):
        if kind in field:
            return field[kind]  # type: ignore[no-any-return]
    raise ValueError(f"Unexpected kind of field: {sorted(field)}")
