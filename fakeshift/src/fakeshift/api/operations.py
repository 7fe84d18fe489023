"""The Data API's operations by name: checks a request and returns the response's members.

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
        groups = (
            Submit(store, runner),
            Results(store, runner),
            Listing(store, runner),
            Metadata(database),
        )
        self._by_name: dict[str, Callable[[Request, Principal], Response]] = {
            name: run for group in groups for name, run in group.operations.items()
        }

    def call(self, name: str, request: Any, principal: Principal) -> Response:
        """One operation by the model's name.

        Raises ApiError: UnknownOperationException for an operation that is not in the model,
        ValidationException (with the name) for one that this server does not support.
        """
        checked = check(name, request)
        if name not in self._by_name:
            raise not_supported(name)
        return self._by_name[name](checked, principal)
