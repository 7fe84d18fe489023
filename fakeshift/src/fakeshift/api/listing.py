"""ListStatements and ListSessions: the caller's own, newest first.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListStatements.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fakeshift.api import paging, shapes
from fakeshift.principal import Principal
from fakeshift.refusals import not_found, validation
from fakeshift.statements.record import Statement
from fakeshift.statements.runner import Runner
from fakeshift.statements.sessions import KeptSession
from fakeshift.statements.store import StatementStore

LARGEST_PAGE = 100

Request = dict[str, Any]
Response = dict[str, Any]
T = TypeVar("T", Statement, KeptSession)


class Listing:
    """What a caller has submitted and opened in the last 24 hours."""

    def __init__(self, store: StatementStore, runner: Runner):
        self._store = store
        self._runner = runner
        self.operations = {
            "ListStatements": self.list_statements,
            "ListSessions": self.list_sessions,
        }

    def list_statements(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_ListStatements.html: "By default, only finished statements are shown." """
        _check_one_target(request)
        wanted = request.get("Status", "FINISHED")
        found = [
            s
            for s in self._store.of_owner(principal.id)
            if wanted in ("ALL", s.status)
            and s.name.startswith(request.get("StatementName", ""))
            and _is_there(request, principal, s.iam_session, s.database, s.target)
        ]
        return _newest_first(request, "ListStatements", "Statements", found, shapes.listed)

    def list_sessions(self, request: Request, principal: Principal) -> Response:
        """.../APIReference/API_ListSessions.html: the available and busy ones, or those with the given status."""
        _check_one_target(request)
        sessions = self._runner.sessions_of(principal.id)
        wanted = request.get("SessionId")
        if wanted is not None:
            for key in ("Status", "ClusterIdentifier", "WorkgroupName", "Database"):
                if key in request:
                    raise validation(f"{key} must not be provided when SessionId is provided.")
            sessions = [s for s in sessions if s.id == wanted]
            if not sessions:
                raise not_found(f"Session {wanted} does not exist.", wanted)
            return {"Sessions": [shapes.session(s) for s in sessions]}
        statuses = [request["Status"]] if "Status" in request else ["AVAILABLE", "BUSY"]
        found = [
            s
            for s in sessions
            if s.status in statuses
            and _is_there(request, principal, s.iam_session, s.database, s.target)
        ]
        return _newest_first(request, "ListSessions", "Sessions", found, shapes.session)


def _newest_first(
    request: Request, what: str, member: str, items: list[T], show: Callable[[T], Response]
) -> Response:
    def place(item: T) -> paging.Place:
        return [-item.created, item.id]

    items.sort(key=place)
    return paging.page(request, what, member, items, place, LARGEST_PAGE, show)


def _check_one_target(request: Request) -> None:
    if "ClusterIdentifier" in request and "WorkgroupName" in request:
        raise validation("Only one of ClusterIdentifier or WorkgroupName can be provided.")


def _is_there(
    request: Request,
    principal: Principal,
    iam_session: str,
    database: str,
    target: Mapping[str, str],
) -> bool:
    """Whether it passes the filters that both operations share."""
    if not request.get("RoleLevel", True) and iam_session != principal.iam_session:
        return False
    if request.get("Database", database) != database:
        return False
    return all(
        request.get(key, target.get(key)) == target.get(key)
        for key in ("ClusterIdentifier", "WorkgroupName")
    )
