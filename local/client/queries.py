"""SQL through the Redshift Data API, as any client would send it."""

import re
from typing import Any

from botocore.exceptions import ClientError

from local.client import rights
from local.client.clients import Clients
from local.problem import Problem
from local.show.tables import Result, Value

WAIT_SECONDS = 20
"""How long one request waits for the statement to end (long polling)."""
RUNNING = ("SUBMITTED", "PICKED", "STARTED")


READERS = (
    "The database user of your statements may not read this. An administrator of the database lets it: "
    "sql/admin/grant_readers.sql."
)


class SqlError(Problem):
    """The database refused the statement; the text is its own."""

    @property
    def nothing_there(self) -> bool:
        """Whether a schema or table does not exist: no load has made the tables yet."""
        return re.search(r"does not exist|not found", str(self), re.IGNORECASE) is not None


def literal(text: str) -> str:
    """A text as a literal of SQL. Redshift takes a backslash in it as an escape.

    Source: docs.aws.amazon.com/redshift/latest/dg/r_QUOTE_LITERAL.html
    """
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def pattern(glob: str) -> str:
    """A glob with * and ? as a pattern of LIKE, whose escape is a backslash."""
    return "".join({"*": "%", "?": "_"}.get(c) or (f"\\{c}" if c in "%_\\" else c) for c in glob)


def run(clients: Clients, sql: str) -> Result:
    """Runs one statement with the star schema on the search path; raises SqlError, or Denied if AWS did not let it."""
    warehouse = clients.warehouse
    where: dict[str, Any] = dict(warehouse.where)
    try:
        statement = clients.redshift.batch_execute_statement(
            **where,
            Database=warehouse.database,
            Sqls=[f"SET search_path TO {warehouse.schema}, public", sql.strip().rstrip(";")],
            WaitTimeSeconds=WAIT_SECONDS,
        )
        described: Any = {"Status": "STARTED"}
        while described["Status"] in RUNNING:
            described = clients.redshift.describe_statement(
                Id=statement["Id"], WaitTimeSeconds=WAIT_SECONDS
            )
        if described["Status"] != "FINISHED":
            raise SqlError(_error(described))
        last = described["SubStatements"][-1]
        if not last.get("HasResultSet"):
            return Result(affected=max(int(last.get("ResultRows") or 0), 0))
        return _rows(clients, last["Id"])
    except ClientError as error:
        if right := rights.missing(error):
            raise rights.Denied(right) from error
        if rights.is_expired(error):
            raise
        raise SqlError(error.response["Error"].get("Message") or str(error)) from error


def _error(described: Any) -> str:
    """The database's error, without the number within our batch: the user sent one statement."""
    said = re.sub(r"^Query #\d+ failed with ", "", described.get("Error") or "")
    if "permission denied" in said:
        return f"{said}\n{READERS}"
    return said or f"The statement is {described['Status']}."


def _rows(clients: Clients, statement: str) -> Result:
    columns: list[str] = []
    rows: list[list[Value]] = []
    for page in clients.redshift.get_paginator("get_statement_result").paginate(Id=statement):
        columns = columns or [column.get("name", "") for column in page.get("ColumnMetadata", [])]
        rows += [[_value(cell) for cell in row] for row in page["Records"]]
    return Result(columns, rows, has_rows=True, affected=len(rows))


def _value(cell: Any) -> Value:
    """One field of a result: a union of which one member is set."""
    if cell.get("isNull"):
        return None
    value = next(iter(cell.values()))
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def cancel_running(clients: Clients) -> int:
    """Cancels every statement that has not ended; how many there were."""
    cancelled = 0
    for status in ("SUBMITTED", "PICKED", "STARTED"):
        for page in clients.redshift.get_paginator("list_statements").paginate(Status=status):
            for statement in page["Statements"]:
                try:
                    clients.redshift.cancel_statement(Id=statement["Id"])
                    cancelled += 1
                except ClientError:
                    continue  # it has ended by now
    return cancelled
