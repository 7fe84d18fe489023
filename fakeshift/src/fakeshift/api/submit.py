"""ExecuteStatement and BatchExecuteStatement.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
"""

from __future__ import annotations

import threading
import uuid
from typing import Any

from fakeshift.api import shapes
from fakeshift.principal import Principal
from fakeshift.refusals import exceeded, not_supported, validation
from fakeshift.sql.parameters import unused_parameters
from fakeshift.statements.record import Statement, SubStatement
from fakeshift.statements.runner import Runner
from fakeshift.statements.sessions import KeptSession
from fakeshift.statements.store import StatementStore

MAX_SQL_BYTES = 100_000
"""https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html, considerations"""
MAX_ACTIVE = 500

Request = dict[str, Any]
Response = dict[str, Any]


class Submit:
    """Accepts statements and hands them to the runner's threads."""

    def __init__(self, store: StatementStore, runner: Runner):
        self._store = store
        self._runner = runner
        self._one_at_a_time = threading.Lock()
        self.operations = {
            "ExecuteStatement": self.execute_statement,
            "BatchExecuteStatement": self.batch_execute_statement,
        }

    def execute_statement(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_ExecuteStatement.html"""
        return self._submit(request, [request["Sql"]], principal, batch=False)

    def batch_execute_statement(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_BatchExecuteStatement.html"""
        return self._submit(request, request["Sqls"], principal, batch=True)

    def _submit(
        self, request: Request, sqls: list[str], principal: Principal, *, batch: bool
    ) -> Response:
        check_target(request)
        _check_sql(request, sqls)
        if request.get("WithEvent"):
            raise not_supported("WithEvent")
        with self._one_at_a_time:
            statement = self._store.of_token(principal.id, request.get("ClientToken"))
            if statement is None:
                statement = self._start(request, sqls, principal, batch=batch)
        if "WaitTimeSeconds" in request:
            statement.wait(request["WaitTimeSeconds"])
        return shapes.submitted(statement, waited="WaitTimeSeconds" in request)

    def _start(
        self, request: Request, sqls: list[str], principal: Principal, *, batch: bool
    ) -> Statement:
        if self._store.active() >= MAX_ACTIVE:
            raise exceeded(
                "ActiveStatementsExceededException",
                f"Active statements exceeded the allowed quota ({MAX_ACTIVE}).",
            )
        statement_id = str(uuid.uuid4())
        kept = self._runner.session_for(request, principal, statement_id)
        statement = _new_statement(
            statement_id, request, sqls, principal, kept, self._store.clock(), batch=batch
        )
        self._store.add(statement, request.get("ClientToken"))
        self._runner.start(statement, kept)
        return statement


def check_target(request: Request) -> None:
    """A cluster or a workgroup, not both, and a database; or a session, which already has them.

    The message for neither is that of boto/boto3#3336; the others are ours.
    """
    if "ClusterIdentifier" in request and "WorkgroupName" in request:
        raise validation("Only one of ClusterIdentifier or WorkgroupName can be provided.")
    if "SessionId" in request:
        for key in ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn"):
            if key in request:
                raise validation(f"{key} must not be provided when SessionId is provided.")
        return
    if not {"ClusterIdentifier", "WorkgroupName", "SecretArn"} & set(request):
        raise validation("Either ClusterIdentifier or WorkgroupName needs to be specified.")
    if not request.get("Database"):
        raise validation("Database must be provided.")


def _check_sql(request: Request, sqls: list[str]) -> None:
    for sql in sqls:
        if not sql.strip():
            raise validation("SQL statement is empty.")
        if len(sql.encode()) > MAX_SQL_BYTES:
            raise validation(f"SQL statement exceeds the maximum size of {MAX_SQL_BYTES} bytes.")
    names = [parameter["name"] for parameter in request.get("Parameters", [])]
    if len(set(names)) < len(names):
        raise validation("Parameters list contains duplicate parameter names.")
    unused = unused_parameters(sqls, names)
    if unused:
        raise validation(f"Parameters list contains unused parameters: {', '.join(unused)}")


def _new_statement(
    statement_id: str,
    request: Request,
    sqls: list[str],
    principal: Principal,
    kept: KeptSession | None,
    now: float,
    *,
    batch: bool,
) -> Statement:
    parts = [
        SubStatement(
            id=f"{statement_id}:{number}" if batch else statement_id,
            sql=sql,
            created=now,
            updated=now,
        )
        for number, sql in enumerate(sqls, 1)
    ]
    asked = ("ClusterIdentifier", "WorkgroupName", "SecretArn")
    target = {key: request[key] for key in asked if key in request}
    return Statement(
        id=statement_id,
        owner=principal.id,
        iam_session=principal.iam_session,
        db_user=kept.db_user if kept else request.get("DbUser") or principal.db_user,
        superuser=principal.superuser,
        database=kept.database if kept else request["Database"],
        parts=parts,
        batch=batch,
        target=kept.target if kept else target,
        name=request.get("StatementName", ""),
        parameters=request.get("Parameters", []),
        mode=request.get("ExecutionMode", "TRANSACTION"),
        result_format=request.get("ResultFormat", "JSON"),
        session_id=kept.id if kept else None,
        created=now,
        updated=now,
    )
