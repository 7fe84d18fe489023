"""Statements and sessions as the Data API's structures."""

from __future__ import annotations

from typing import Any

from fakeshift.statements.record import Statement, SubStatement
from fakeshift.statements.sessions import KeptSession

Response = dict[str, Any]


def submitted(statement: Statement, *, waited: bool) -> Response:
    """ExecuteStatementOutput, BatchExecuteStatementOutput; after a wait, also the status and result."""
    response: Response = {
        "Id": statement.id,
        "CreatedAt": statement.created,
        "Database": statement.database,
        **_who(statement),
        **statement.target,
    }
    if statement.session_id:
        response["SessionId"] = statement.session_id
    if waited:
        response.update(
            Status=statement.status, HasResultSet=statement.has_result, RedshiftPid=statement.pid
        )
    return response


def described(statement: Statement) -> Response:
    """DescribeStatementResponse. A batch's rows, sizes and duration are the sums over its parts.

    https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling-cli-describe-statement.html
    """
    response: Response = {
        "Id": statement.id,
        "Database": statement.database,
        "Status": statement.status,
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "Duration": statement.duration,
        "RedshiftPid": statement.pid,
        "HasResultSet": statement.has_result,
        "ResultFormat": statement.result_format,
        **_who(statement),
        **statement.target,
    }
    if statement.error:
        response["Error"] = statement.error
    if statement.parameters:
        response["QueryParameters"] = statement.parameters
    if statement.session_id:
        response["SessionId"] = statement.session_id
    if statement.batch:
        response.update(
            ExecutionMode=statement.mode,
            SubStatements=[described_part(part) for part in statement.parts],
            RedshiftQueryId=0,
            ResultRows=_sum([part.result_rows for part in statement.parts]),
            ResultSize=_sum([part.result_size for part in statement.parts]),
        )
        return response
    part = statement.parts[0]
    response.update(
        QueryString=part.sql,
        ResultRows=part.result_rows,
        ResultSize=part.result_size,
        RedshiftQueryId=part.query_id,
    )
    return response


def _sum(counts: list[int]) -> int:
    """-1 is null: no part has finished successfully yet."""
    known = [count for count in counts if count >= 0]
    return sum(known) if known else -1


def _who(statement: Statement) -> Response:
    """The database user; not shown to a caller who used a secret."""
    return {} if "SecretArn" in statement.target else {"DbUser": statement.db_user}


def described_as_part(statement: Statement, part: SubStatement) -> Response:
    """DescribeStatementResponse for an id ``uuid:n``."""
    whole = described(statement)
    whole.pop("SubStatements", None)
    whole.pop("Error", None)
    return {**whole, **described_part(part)}


def described_part(part: SubStatement) -> Response:
    """SubStatementData."""
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


def listed(statement: Statement) -> Response:
    """StatementData."""
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
    if statement.session_id:
        shown["SessionId"] = statement.session_id
    if "SecretArn" in statement.target:
        shown["SecretArn"] = statement.target["SecretArn"]
    return shown


def session(kept: KeptSession) -> Response:
    """SessionData."""
    target = {k: v for k, v in kept.target.items() if k != "SecretArn"}
    shown: Response = {
        "SessionId": kept.id,
        "Status": kept.status,
        "CreatedAt": kept.created,
        "UpdatedAt": kept.updated,
        "Database": kept.database,
        "DbUser": kept.db_user,
        "SessionAliveSeconds": kept.keep,
        "SessionTtl": kept.until,
        **target,
    }
    if kept.status == "BUSY":
        shown["CurrentStatementId"] = kept.statement_id
    return shown
