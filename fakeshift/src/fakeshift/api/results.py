"""DescribeStatement, GetStatementResult, GetStatementResultV2, CancelStatement.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResult.html
"""

from __future__ import annotations

from typing import Any

from fakeshift.api import paging, shapes
from fakeshift.principal import Principal
from fakeshift.refusals import not_found, validation
from fakeshift.statements.record import Statement, SubStatement
from fakeshift.statements.runner import Runner
from fakeshift.statements.store import StatementStore

Request = dict[str, Any]
Response = dict[str, Any]


class Results:
    """Shows a statement's status and result to its owner."""

    def __init__(self, store: StatementStore, runner: Runner):
        self._store = store
        self._runner = runner
        self.operations = {
            "DescribeStatement": self.describe_statement,
            "GetStatementResult": self.get_statement_result,
            "GetStatementResultV2": self.get_statement_result_v2,
            "CancelStatement": self.cancel_statement,
        }

    def describe_statement(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_DescribeStatement.html"""
        statement, part = self._owned(request, principal)
        return shapes.described_as_part(statement, part) if part else shapes.described(statement)

    def get_statement_result(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_GetStatementResult.html: pages of about a megabyte."""
        return self._page(request, principal, "JSON", "GetStatementResultV2")

    def get_statement_result_v2(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_GetStatementResultV2.html: each page is one CSV text."""
        answer = self._page(request, principal, "CSV", "GetStatementResult")
        return {**answer, "ResultFormat": "CSV"}

    def _page(
        self, request: Request, principal: Principal, result_format: str, other: str
    ) -> Response:
        statement, part = self._owned(request, principal)
        status = statement.status if part is None else part.status
        if part is None:  # for a batch, the last one, once it has ended: not documented
            with_result = [p for p in statement.parts if p.has_result]
            part = with_result[-1] if with_result else statement.parts[-1]
        if status != "FINISHED" or not part.has_result:
            raise not_found(
                "Query does not have result. Please check query status with DescribeStatement.",
                request["Id"],
            )
        if statement.result_format != result_format:
            raise validation(
                f"The result format of the statement is {statement.result_format}: use {other}."
            )
        number = _page_number(paging.start(request.get("NextToken"), part.id))
        page = self._store.page(part.id, number)
        if page is None:
            raise paging.invalid()
        last = page.pop("last")
        page["TotalNumRows"] = part.result_rows
        return page if last else {**page, "NextToken": paging.token(part.id, [number + 1])}

    def cancel_statement(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_CancelStatement.html; a batch is cancelled as a whole."""
        statement, part = self._owned(request, principal)
        if part is not None and statement.batch:
            raise validation("Sub-statements cannot be cancelled; cancel the batch statement.")
        if statement.over:
            raise validation(
                f"Could not cancel a query that is already in {statement.status} state with ID: "
                f"{statement.id}"
            )
        self._runner.cancel(statement)
        return {"Status": True}

    def _owned(
        self, request: Request, principal: Principal
    ) -> tuple[Statement, SubStatement | None]:
        """The statement with this id and, for ``uuid:n``, its part, if the caller owns them.

        With WaitTimeSeconds, returns when it has ended or the time is up.
        """
        given = request["Id"]
        statement_id, _, number = given.partition(":")
        statement = self._store.get(statement_id)
        if statement is None or statement.owner != principal.id:
            raise not_found(f"Query {given} does not exist.", given)
        part = next((p for p in statement.parts if number and p.id == given), None)
        if number and part is None:
            raise not_found(f"Query {given} does not exist.", given)
        if "WaitTimeSeconds" in request:
            statement.wait(request["WaitTimeSeconds"])
        return statement, part


def _page_number(place: paging.Place | None) -> int:
    if place is None:
        return 0
    if len(place) != 1 or not isinstance(place[0], int):
        raise paging.invalid()
    return place[0]
