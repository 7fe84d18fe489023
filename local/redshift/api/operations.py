"""The Data API's operations: a checked request in, the response's members out.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from local.redshift.api.errors import ApiError, not_found, validation
from local.redshift.api.model import check
from local.redshift.api.principals import Principal
from local.redshift.sql.parameters import unused_parameters
from local.redshift.statements.record import Statement, SubStatement
from local.redshift.statements.runner import Runner
from local.redshift.statements.store import StatementStore

MAX_SQL_BYTES = 100_000
MAX_ACTIVE = 500

Request = dict[str, Any]
Response = dict[str, Any]


class Operations:
    """``call(name, request, principal)`` runs one operation or raises ApiError."""

    def __init__(self, store: StatementStore, runner: Runner):
        self.store = store
        self.runner = runner
        self._by_name: dict[str, Callable[[Request, Principal], Response]] = {
            "ExecuteStatement": self.execute_statement,
            "BatchExecuteStatement": self.batch_execute_statement,
            "DescribeStatement": self.describe_statement,
            "GetStatementResult": self.get_statement_result,
            "CancelStatement": self.cancel_statement,
            "ListStatements": self.list_statements,
        }

    def call(self, name: str, request: Any, principal: Principal) -> Response:
        """One operation by the model's name.

        Raises ApiError: UnknownOperationException for what the model does not have,
        ValidationException (naming the operation) for what this server does not do yet.
        """
        checked = check(name, request)
        if name not in self._by_name:
            raise validation(f"{name} is not supported by the local Redshift")
        return self._by_name[name](checked, principal)

    # -- submitting --------------------------------------------------------------------------

    def execute_statement(self, request: Request, principal: Principal) -> Response:
        """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html"""
        return self._submit(request, [request["Sql"]], principal, batch=False)

    def batch_execute_statement(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_BatchExecuteStatement.html"""
        return self._submit(request, request["Sqls"], principal, batch=True)

    def _submit(
        self, request: Request, sqls: list[str], principal: Principal, *, batch: bool
    ) -> Response:
        _check_target(request)
        for sql in sqls:
            if not sql.strip():
                raise validation("SQL statement is empty.")
            if len(sql.encode()) > MAX_SQL_BYTES:
                raise validation(
                    f"SQL statement exceeds the maximum size of {MAX_SQL_BYTES} bytes."
                )
        parameters = request.get("Parameters", [])
        unused = unused_parameters(sqls, [p["name"] for p in parameters])
        if unused:
            raise validation(f"Parameters list contains unused parameters: {', '.join(unused)}")
        statement = self._new_statement(request, sqls, principal, batch=batch)
        if self.store.active() >= MAX_ACTIVE:
            raise ApiError(
                "ActiveStatementsExceededException",
                f"Active statements exceeded the allowed quota ({MAX_ACTIVE}).",
            )
        kept = self.store.add(statement, request.get("ClientToken"))
        if kept is statement:
            self.runner.start(statement)
        if "WaitTimeSeconds" in request:
            kept.wait(request["WaitTimeSeconds"])
        response = {
            "Id": kept.id,
            "CreatedAt": kept.created,
            "Database": kept.database,
            "DbUser": kept.db_user,
            **kept.target,
        }
        if kept.session_id and kept.keep_session:
            response["SessionId"] = kept.session_id
        if "WaitTimeSeconds" in request:
            response.update(Status=kept.status, HasResultSet=kept.has_result, RedshiftPid=kept.pid)
        return response

    def _new_statement(
        self, request: Request, sqls: list[str], principal: Principal, *, batch: bool
    ) -> Statement:
        statement_id, now = str(uuid.uuid4()), time.time()
        parts = [
            SubStatement(
                id=f"{statement_id}:{number}" if batch else statement_id,
                sql=sql,
                created=now,
                updated=now,
            )
            for number, sql in enumerate(sqls, 1)
        ]
        session_id, keep = self.runner.session_for(request, principal)
        return Statement(
            id=statement_id,
            owner=principal.id,
            db_user=request.get("DbUser") or principal.db_user,
            superuser=principal.superuser,
            database=request.get("Database", ""),
            parts=parts,
            batch=batch,
            target={
                key: request[key]
                for key in ("ClusterIdentifier", "WorkgroupName", "SecretArn")
                if key in request
            },
            name=request.get("StatementName", ""),
            parameters=request.get("Parameters", []),
            mode=request.get("ExecutionMode", "TRANSACTION"),
            result_format=request.get("ResultFormat", "JSON"),
            session_id=session_id,
            keep_session=keep,
            created=now,
            updated=now,
        )

    # -- looking -----------------------------------------------------------------------------

    def describe_statement(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_DescribeStatement.html"""
        statement, part = self._owned(request["Id"], principal)
        if "WaitTimeSeconds" in request:
            statement.wait(request["WaitTimeSeconds"])
        return _described_part(statement, part) if part else _described(statement)

    def get_statement_result(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_GetStatementResult.html: pages of about a megabyte."""
        statement, part = self._owned(request["Id"], principal)
        if "WaitTimeSeconds" in request:
            statement.wait(request["WaitTimeSeconds"])
        if part is None:
            with_result = [p for p in statement.parts if p.has_result]
            part = with_result[-1] if with_result else statement.parts[-1]
        if part.status != "FINISHED" or not part.has_result:
            what = "has no result" if part.status == "FINISHED" else f"is {part.status}"
            raise not_found(
                f"Query does not have result. Please check query status: it {what}.", request["Id"]
            )
        number = _page_number(request.get("NextToken"), part.id)
        page = self.store.page(part.id, number)
        if page is None:
            raise validation("The provided NextToken is not valid.")
        if page.pop("last"):
            return page
        return {**page, "NextToken": _page_token(part.id, number + 1)}

    def list_statements(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_ListStatements.html: the caller's, newest first."""
        size = request.get("MaxResults") or 100
        wanted = request.get("Status", "ALL")
        found = [
            s
            for s in self.store.of_owner(principal.id)
            if wanted in ("ALL", s.status)
            and s.name.startswith(request.get("StatementName", ""))
            and request.get("Database", s.database) == s.database
            and all(
                request.get(key, s.target.get(key)) == s.target.get(key)
                for key in ("ClusterIdentifier", "WorkgroupName")
            )
        ]
        start = _page_number(request.get("NextToken"), "statements")
        response: Response = {"Statements": [_listed(s) for s in found[start : start + size]]}
        if start + size < len(found):
            response["NextToken"] = _page_token("statements", start + size)
        return response

    def cancel_statement(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_CancelStatement.html; a batch is cancelled as a whole."""
        statement, part = self._owned(request["Id"], principal)
        if part is not None and statement.batch:
            raise validation("Sub-statements cannot be cancelled; cancel the batch statement.")
        if statement.over:
            raise validation(
                f"Could not cancel a query that is already in {statement.status} state with ID: "
                f"{statement.id}"
            )
        self.runner.cancel(statement)
        return {"Status": True}

    def _owned(self, given: str, principal: Principal) -> tuple[Statement, SubStatement | None]:
        """The statement of an id and, for ``uuid:n``, its part, if they are this caller's."""
        statement_id, _, number = given.partition(":")
        statement = self.store.get(statement_id)
        if statement is None or statement.owner != principal.id:
            raise not_found(f"Query {given} does not exist.", given)
        if not number:
            return statement, None
        for part in statement.parts:
            if part.id == given:
                return statement, part
        raise not_found(f"Query {given} does not exist.", given)


def _check_target(request: Request) -> None:
    """A cluster or a workgroup, not both; a database, unless a session has one."""
    if "ClusterIdentifier" in request and "WorkgroupName" in request:
        raise validation("Only one of ClusterIdentifier or WorkgroupName can be provided.")
    if "SessionId" in request:
        for key in ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn"):
            if key in request:
                raise validation(f"{key} must not be provided when SessionId is provided.")
        return
    if not {"ClusterIdentifier", "WorkgroupName", "SecretArn"} & set(request):
        raise validation("Either ClusterIdentifier or WorkgroupName must be provided.")
    if "Database" not in request:
        raise validation("Database must be provided.")


def _described(statement: Statement) -> Response:
    response: Response = {
        "Id": statement.id,
        "Database": statement.database,
        "DbUser": statement.db_user,
        "Status": statement.status,
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "Duration": statement.duration,
        "RedshiftPid": statement.pid,
        "HasResultSet": statement.has_result,
        "ResultRows": -1,
        "ResultSize": -1,
        "RedshiftQueryId": 0,
        "ResultFormat": statement.result_format,
        **statement.target,
    }
    if statement.error:
        response["Error"] = statement.error
    if statement.parameters:
        response["QueryParameters"] = statement.parameters
    if statement.session_id and statement.keep_session:
        response["SessionId"] = statement.session_id
    if statement.batch:
        response["ExecutionMode"] = statement.mode
        response["SubStatements"] = [_sub_statement(part) for part in statement.parts]
        return response
    part = statement.parts[0]
    response.update(
        QueryString=part.sql,
        ResultRows=part.result_rows,
        ResultSize=part.result_size,
        RedshiftQueryId=part.query_id,
    )
    return response


def _described_part(statement: Statement, part: SubStatement) -> Response:
    whole = _described(statement)
    whole.pop("SubStatements", None)
    whole.pop("Error", None)
    return {**whole, **_sub_statement(part), "RedshiftPid": statement.pid}


def _sub_statement(part: SubStatement) -> Response:
    shown: Response = {
        "Id": part.id,
        "QueryString": part.sql,
        "Status": part.status,
        "CreatedAt": part.created,
        "UpdatedAt": part.updated,
        "Duration": part.duration,
        "ResultRows": part.result_rows,
        "ResultSize": part.result_size,
        "RedshiftQueryId": part.query_id,
        "HasResultSet": part.has_result,
    }
    if part.error:
        shown["Error"] = part.error
    return shown


def _listed(statement: Statement) -> Response:
    shown: Response = {
        "Id": statement.id,
        "Status": statement.status,
        "StatementName": statement.name,
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "IsBatchStatement": statement.batch,
        "ResultFormat": statement.result_format,
    }
    if statement.batch:
        shown["QueryStrings"] = [part.sql for part in statement.parts]
    else:
        shown["QueryString"] = statement.parts[0].sql
    if statement.parameters:
        shown["QueryParameters"] = statement.parameters
    if "SecretArn" in statement.target:
        shown["SecretArn"] = statement.target["SecretArn"]
    return shown


def _page_token(what: str, number: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([what, number]).encode()).decode()


def _page_number(token: str | None, what: str) -> int:
    if token is None:
        return 0
    try:
        named, number = json.loads(base64.urlsafe_b64decode(token))
    except ValueError as error:
        raise validation("The provided NextToken is not valid.") from error
    if named != what or not isinstance(number, int):
        raise validation("The provided NextToken is not valid.")
    return number
