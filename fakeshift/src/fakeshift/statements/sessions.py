"""Sessions that outlive their statements (SessionKeepAliveSeconds, SessionId).

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListSessions.html: AVAILABLE, BUSY
while a statement runs, CLOSED; at most 24 hours. The Management Guide says, as we remember it, that
a busy session neither accepts nor queues another statement, and that there are at most 500. The
message for a refused SessionId is not documented; ours are those of awslabs/mcp#4587 (closed or
unknown) and awslabs/mcp#4375 (busy: the same as closed).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from fakeshift.engine.session import Session
from fakeshift.principal import Principal
from fakeshift.refusals import exceeded, validation
from fakeshift.statements.store import StatementStore

MAX_SESSIONS = 500
LONGEST_SECONDS = 24 * 3600

SessionStatus = Literal["AVAILABLE", "BUSY", "CLOSED"]
_TARGET = ("ClusterIdentifier", "WorkgroupName", "SecretArn")
_NOT_KEPT = frozenset({"session", "statement_id"})


@dataclass
class KeptSession:
    """A kept session. Times are seconds since 1970; ``keep`` is SessionKeepAliveSeconds.

    ``statement_id`` is the statement that uses it; ``session`` is None once it is closed.
    """

    id: str
    owner: str
    iam_session: str
    db_user: str
    database: str
    keep: int
    target: dict[str, str] = field(default_factory=dict)
    created: float = 0.0
    updated: float = 0.0
    until: float = 0.0
    session: Session | None = None
    statement_id: str = ""

    @property
    def status(self) -> SessionStatus:
        """As ListSessions shows it."""
        if self.session is None:
            return "CLOSED"
        return "BUSY" if self.statement_id else "AVAILABLE"

    def touch(self, now: float) -> None:
        """Restarts its keep-alive time."""
        self.updated = now
        self.until = min(self.updated + self.keep, self.created + LONGEST_SECONDS)

    def document(self) -> dict[str, Any]:
        """The record as JSON-ready data for the store."""
        return {key: value for key, value in vars(self).items() if key not in _NOT_KEPT}


class Sessions:
    """All sessions of the last 24 hours, by id. The caller holds the runner's lock."""

    def __init__(self, store: StatementStore, make: Callable[[str, bool], Session]):
        self._store = store
        self._clock = store.clock
        self._make = make
        self._known = {d["id"]: KeptSession(**d) for d in store.sessions()}
        self._open: dict[str, KeptSession] = {}

    def open(self, principal: Principal, request: dict[str, Any], db_user: str) -> KeptSession:
        """A new session for the statement of a request. Raises ActiveSessionsExceededException."""
        if len(self._open) >= MAX_SESSIONS:
            raise exceeded(
                "ActiveSessionsExceededException",
                f"Active sessions exceeded the allowed quota ({MAX_SESSIONS}).",
            )
        kept = KeptSession(
            id=str(uuid.uuid4()),
            owner=principal.id,
            iam_session=principal.iam_session,
            db_user=db_user,
            database=request["Database"],
            keep=request["SessionKeepAliveSeconds"],
            target={k: request[k] for k in _TARGET if k in request},
            session=self._make(db_user, principal.superuser),
            created=self._clock(),
        )
        kept.touch(kept.created)
        self._known[kept.id] = self._open[kept.id] = kept
        self._save(kept)
        return kept

    def find(self, session_id: str, principal: Principal) -> KeptSession:
        """A session that a statement can run in. Raises ValidationException."""
        kept = self._known.get(session_id)
        if kept is None or kept.owner != principal.id:
            raise validation(f"Session with Id: {session_id} is invalid")
        if kept.status != "AVAILABLE":
            raise validation("Session is not available")
        return kept

    def of_owner(self, owner: str) -> list[KeptSession]:
        """An owner's sessions of the last 24 hours, newest first."""
        oldest = self._clock() - LONGEST_SECONDS
        self._known = {i: k for i, k in self._known.items() if k.created >= oldest or k.session}
        return [kept for kept in self._known.values() if kept.owner == owner][::-1]

    def all_open(self) -> list[KeptSession]:
        """All sessions that are not closed."""
        return list(self._open.values())

    def end_statement(self, kept: KeptSession) -> None:
        """The statement that had the session has ended."""
        kept.statement_id = ""
        kept.touch(self._clock())
        if kept.session is not None and kept.keep == 0:
            self.close(kept)

    def close(self, kept: KeptSession) -> None:
        """Ends a session: an open transaction is rolled back, its temporary tables are gone."""
        session, kept.session = kept.session, None
        kept.updated = self._clock()
        if session is not None:
            del self._open[kept.id]
            session.close()
            self._save(kept)

    def expire(self) -> float:
        """Closes expired sessions; returns the seconds until the next may expire, at most 60."""
        now = self._clock()
        for kept in self.all_open():
            if kept.status == "AVAILABLE" and kept.until <= now:
                self.close(kept)
            elif kept.session is not None and kept.created + LONGEST_SECONDS <= now:
                kept.session.terminate()
        waiting = [kept.until for kept in self.all_open() if kept.status == "AVAILABLE"]
        return max(0.01, min([60.0, *(until - now for until in waiting)]))

    def _save(self, kept: KeptSession) -> None:
        self._store.save_session(kept.id, kept.created, kept.document())
