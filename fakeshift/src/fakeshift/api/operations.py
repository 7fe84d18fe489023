"""The Data API's operations by name: a request in, checked, the response's members out.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeshift.api.listing import Listing
from fakeshift.api.metadata import Metadata
from fakeshift.api.model import check
from fakeshift.api.results import Results
from fakeshift.api.submit import Submit
from fakeshift.engine.database import Database
from fakeshift.principal import Principal
from fakeshift.refusals import not_supported
from fakeshift.statements.runner import Runner
from fakeshift.statements.store import StatementStore

Request = dict[str, Any]
Response = dict[str, Any]


class Operations:
    """``call(name, request, principal)`` runs one operation or raises ApiError."""

    def __init__(self, database: Database, store: StatementStore, runner: Runner):
        submit = Submit(store, runner)
        results = Results(store, runner)
        listing = Listing(store, runner)
        metadata = Metadata(database)
        self._by_name: dict[str, Callable[[Request, Principal], Response]] = {
            "ExecuteStatement": submit.execute_statement,
            "BatchExecuteStatement": submit.batch_execute_statement,
            "DescribeStatement": results.describe_statement,
            "GetStatementResult": results.get_statement_result,
            "GetStatementResultV2": results.get_statement_result_v2,
            "CancelStatement": results.cancel_statement,
            "ListStatements": listing.list_statements,
            "ListSessions": listing.list_sessions,
            "ListDatabases": metadata.list_databases,
            "ListSchemas": metadata.list_schemas,
            "ListTables": metadata.list_tables,
            "DescribeTable": metadata.describe_table,
        }

    def call(self, name: str, request: Any, principal: Principal) -> Response:
        """One operation by the model's name.

        Raises ApiError: UnknownOperationException for what the model does not have,
        ValidationException (naming the operation) for what a newer model has and this server not.
        """
        checked = check(name, request)
        if name not in self._by_name:
            raise not_supported(name)
        return self._by_name[name](checked, principal)
