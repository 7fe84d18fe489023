"""Runs statements: a thread for each, a session for each unless the caller keeps one open."""

from __future__ import annotations

import io
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import duckdb

from fakeshift.commands import execute
from fakeshift.engine import duckdb_errors
from fakeshift.engine.database import Database
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.engine.sink import ResultSink
from fakeshift.errors import RedshiftError, StatementCancelled, terminated
from fakeshift.faults import Faults
from fakeshift.principal import Principal
from fakeshift.statements.history import Ran, record, strike
from fakeshift.statements.record import Statement, Status, SubStatement
from fakeshift.statements.sessions import LONGEST_SECONDS, KeptSession, Sessions
from fakeshift.statements.store import StatementStore

_LOG = logging.getLogger(__name__)
_STOP_SECONDS = 10
"""A cancelled statement ends within milliseconds, unless it waits for S3."""


class SqlLog:
    """``sql-in.jsonl`` and ``sql-run.jsonl``: a JSON line for each SQL string that was submitted,
    and one for each that was run. Keys: at, id, user, sql, parameters; the second also has status,
    error, rows, milliseconds, and ``duckdb``: the SQL sent to DuckDB (without COPY's blocks and
    reads of the catalogue).
    """

    def __init__(self, directory: Path):
        self._lock = threading.Lock()
        self._submitted = _log(directory / "sql-in.jsonl")
        self._run = _log(directory / "sql-run.jsonl")

    def submitted(self, statement: Statement) -> None:
        """Logs every SQL string of a new statement."""
        values = {p["name"]: p["value"] for p in statement.parameters}
        for part in statement.parts:
            self.received(statement.created, part.id, statement.db_user, part.sql, values)

    def received(self, at: float, id_: str, user: str, sql: str, values: Mapping[str, str]) -> None:
        """Logs one SQL string that was received."""
        line = {"at": at, "id": id_, "user": user, "sql": sql, "parameters": dict(values)}
        with self._lock:
            self._submitted.write(json.dumps(line) + "\n")

    def ran(self, user: str, part: SubStatement, sent: list[str]) -> None:
        """Logs one SQL string that has ended."""
        line = {
            "at": part.updated,
            "id": part.id,
            "user": user,
            "sql": part.sql,
            "status": part.status,
            "error": part.error,
            "rows": part.result_rows,
            "milliseconds": round(part.duration / 1e6, 3),
            "duckdb": sent,
        }
        with self._lock:
            self._run.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Closes both files."""
        with self._lock:
            self._submitted.close()
            self._run.close()


def _log(path: Path) -> TextIO:
    """Opens the file to append; completes a line that a kill has cut off."""
    file = path.open("a+b")
    if file.tell():
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return io.TextIOWrapper(file, encoding="utf-8", line_buffering=True)


class Runner:
    """Starts and cancels statements.

    ``_changed`` guards the fields below it. It is notified of everything that a statement may wait
    for while it has no session yet.
    """

    def __init__(self, database: Database, store: StatementStore, log: SqlLog, faults: Faults):
        self._database = database
        self._store = store
        self._clock = store.clock
        self._log = log
        self._faults = faults
        self._changed = threading.Condition()
        self._sessions: dict[str, Session] = {}
        self._running: dict[str, Statement] = {}
        self._kept = Sessions(store, self._new_session)
        self._stopping = False
        self._threads: set[threading.Thread] = set()
        self._keeper: threading.Thread | None = None

    def _new_session(self, user: str, superuser: bool) -> Session:
        return Session(self._database, user, execute, superuser=superuser)

    # -- sessions that are kept ----------------------------------------------------------------

    def session_for(
        self, request: dict[str, Any], principal: Principal, statement_id: str
    ) -> KeptSession | None:
        """The kept session that a request needs, reserved for its statement, or None.

        Raises ApiError if it does not exist, is closed or busy, or is one too many.
        """
        with self._changed:
            self._kept.expire()
            if "SessionId" in request:
                kept = self._kept.find(request["SessionId"], principal)
                kept.keep = request.get("SessionKeepAliveSeconds", kept.keep)
            elif request.get("SessionKeepAliveSeconds"):
                db_user = request.get("DbUser") or principal.db_user
                kept = self._kept.open(principal, request, db_user)
            else:
                return None
            kept.statement_id = statement_id
            return kept

    def sessions_of(self, owner: str) -> list[KeptSession]:
        """An owner's kept sessions of the last 24 hours, newest first."""
        with self._changed:
            self._kept.expire()
            return self._kept.of_owner(owner)

    def _keep_time(self) -> None:
        """Runs in a thread: closes expired sessions and ends statements that run too long."""
        with self._changed:
            while not self._stopping:
                wait = self._kept.expire()
                latest = self._clock() - LONGEST_SECONDS
                for statement in self._running.values():
                    session = self._sessions.get(statement.id)
                    if session is not None and statement.created < latest:
                        session.cancel()
                self._changed.wait(wait)

    # -- starting and stopping -----------------------------------------------------------------

    def start(self, statement: Statement, kept: KeptSession | None = None) -> None:
        """Runs the statement in a new thread, in the kept session that is reserved for it."""
        self._log.submitted(statement)
        with self._changed:
            if self._stopping:
                statement.abandon()
                if kept is not None:
                    kept.statement_id = ""
                return
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep_time, name="time", daemon=True)
                self._keeper.start()
            self._running[statement.id] = statement
            thread = threading.Thread(
                target=self._run,
                args=(statement, kept),
                name=f"statement-{statement.id}",
                daemon=True,
            )
            self._threads.add(thread)
            thread.start()

    def cancel(self, statement: Statement) -> None:
        """Asks the statement to stop and returns immediately."""
        with self._changed:
            statement.cancelled.set()
            session = self._sessions.get(statement.id)
            if session is not None:
                session.cancel()

    def restart(self) -> None:
        """Simulates a restart: running statements are FAILED, sessions are gone, data stays."""
        with self._changed:
            kept = self._kept.all_open()
            for one in kept:
                if one.statement_id:
                    one.keep = 0  # it closes when its statement ends, so no other statement gets it
            for session in self._sessions.values():
                session.terminate()
        self._close(kept)

    def stop(self) -> None:
        """Cancels all statements and waits; one that does not end is FAILED at the next start."""
        with self._changed:
            self._stopping = True
            threads = list(self._threads)
            if self._keeper is not None:
                threads.append(self._keeper)
            for session in self._sessions.values():
                session.cancel()
            self._changed.notify_all()
        until = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            thread.join(timeout=max(until - time.monotonic(), 0))
            if thread.is_alive():
                _LOG.warning("%s does not end", thread.name)
        self._close(self._kept.all_open())
        self._log.close()

    def _close(self, kept: list[KeptSession]) -> None:
        """Closes sessions whose statements are about to end."""
        with self._changed:
            self._changed.wait_for(lambda: not any(one.statement_id for one in kept), _STOP_SECONDS)
            for one in kept:
                if not one.statement_id:
                    self._kept.close(one)

    # -- in the statement's thread -------------------------------------------------------------

    def _run(self, statement: Statement, kept: KeptSession | None) -> None:
        started = time.monotonic_ns()
        statement.move("PICKED")
        try:
            try:
                if kept is not None:
                    self._run_kept(statement, kept)
                else:
                    self._run_alone(statement)
                status, error = _ending(statement)
            except Exception as problem:
                _LOG.exception("statement %s", statement.id)
                status, error = "FAILED", f"ERROR: internal error: {problem!r}"
                for part in statement.parts:
                    if part.status not in ("FINISHED", "FAILED", "ABORTED"):
                        part.status, part.error = "FAILED", error
            statement.duration = time.monotonic_ns() - started
            if statement.batch:
                statement.duration = sum(part.duration for part in statement.parts)
            if self._stopping and status != "FINISHED":
                statement.abandon()  # the record keeps its status; the next start sets it to FAILED
                return
            statement.move(status, error, keep=self._store.save)
        finally:
            with self._changed:
                self._running.pop(statement.id, None)
                self._threads.discard(threading.current_thread())

    def _run_alone(self, statement: Statement) -> None:
        session = self._new_session(statement.db_user, statement.superuser)
        try:
            self._begin(session, statement)
            self._run_in(session, statement)
        finally:
            session.close()

    def _run_kept(self, statement: Statement, kept: KeptSession) -> None:
        """Frees the session before the statement's end is visible."""
        try:
            if kept.session is None:  # closed since the request
                self._fail(statement.parts[0], terminated())
                self._abort_rest(statement)
                return
            self._begin(kept.session, statement)
            self._run_in(kept.session, statement)
        finally:
            with self._changed:
                if kept.database != self._database.settings.database:
                    kept.keep = 0  # there is no connection to keep
                self._kept.end_statement(kept)
                self._changed.notify_all()

    def _begin(self, session: Session, statement: Statement) -> None:
        """From now on ``cancel``, ``restart`` and ``stop`` reach the statement in its session."""
        with self._changed:
            session.cancellation.begin()
            self._sessions[statement.id] = session
            if statement.cancelled.is_set() or self._stopping:
                session.cancel()

    def _run_in(self, session: Session, statement: Statement) -> None:
        """Runs a statement that has started."""
        try:
            self._run_parts(session, statement)
        finally:
            with self._changed:
                del self._sessions[statement.id]
                session.cancellation.end()

    def _run_parts(self, session: Session, statement: Statement) -> None:
        statement.pid = session.pid
        statement.move("STARTED")
        self._store.save(statement)
        if statement.database != self._database.settings.database:
            part = statement.parts[0]
            part.status = "FAILED"
            part.error = f'FATAL: database "{statement.database}" does not exist'
            self._abort_rest(statement)
            return
        if statement.batch and statement.mode == "TRANSACTION":
            self._run_transaction(session, statement)
        else:
            for part in statement.parts:
                if statement.cancelled.is_set():
                    break
                self._run_part(session, statement, part)
            self._abort_rest(statement)

    def _run_transaction(self, session: Session, statement: Statement) -> None:
        """All or nothing, in order; the first failure ends it."""
        try:
            for part in statement.parts:
                if session.transaction is None:
                    session.begin(explicit=True)
                self._run_part(session, statement, part)
                if part.status != "FINISHED":
                    break
            else:
                try:
                    session.commit()
                except RedshiftError as error:
                    part = statement.parts[-1]
                    self._fail(part, error)
        finally:  # also after an internal error: a kept session continues
            session.rollback()
        self._abort_rest(statement)

    def _run_part(self, session: Session, statement: Statement, part: SubStatement) -> None:
        part.status, part.updated = "STARTED", self._clock()
        part.query_id = self._database.next_query_id()
        self._store.save_part(part)
        values = {p["name"]: p["value"] for p in statement.parameters}
        sink = ResultSink(
            lambda number, page: self._store.put_page(part.id, number, page),
            statement.result_format,
        )
        began, started = self._clock(), time.monotonic_ns()
        outcome = Outcome()
        self._record(session, part, began)
        try:
            strike(self._faults, session, part.sql, part.query_id, self.restart)
            outcome = session.run(part.sql, values, sink, part.query_id)
            part.status = "FINISHED"
            part.has_result = outcome.has_result
            part.result_rows = max(outcome.rows, 0) if not outcome.has_result else sink.rows
            part.result_size = sink.bytes if outcome.has_result else 0
        except StatementCancelled as error:
            if str(error) == str(StatementCancelled()):  # the canceller did not know its number
                error = StatementCancelled(query_id=part.query_id)
            part.status, part.error = "ABORTED", str(error)
        except RedshiftError as error:
            self._fail(part, error)
        except duckdb.Error as error:
            self._fail(part, duckdb_errors.translate(error))
        part.duration = time.monotonic_ns() - started
        part.updated = self._clock()
        # Immediately: a kill before this would fail a committed statement.
        self._store.save_part(part)
        self._record(session, part, began)
        self._log.ran(statement.db_user, part, session.sent)

    def _record(self, session: Session, part: SubStatement, began: float) -> None:
        ran = Ran(
            part.sql,
            part.query_id,
            began,
            ended=None if part.status == "STARTED" else part.updated,
            status=part.status,
            nanoseconds=part.duration,
            error=part.error or "",
            rows=part.result_rows if part.has_result else 0,
            bytes=part.result_size if part.has_result else 0,
        )
        record(session, ran)

    def _fail(self, part: SubStatement, error: RedshiftError) -> None:
        part.status, part.error, part.updated = "FAILED", str(error), self._clock()

    def _abort_rest(self, statement: Statement) -> None:
        for part in statement.parts:
            if part.status == "SUBMITTED":
                part.status, part.updated = "ABORTED", self._clock()


def _ending(statement: Statement) -> tuple[Status, str | None]:
    """The statement's status and error from its parts'."""
    for number, part in enumerate(statement.parts, 1):
        if part.status == "FAILED":
            return (
                "FAILED",
                f"Query #{number} failed with {part.error}" if statement.batch else part.error,
            )
    if all(part.status == "FINISHED" for part in statement.parts):
        return "FINISHED", None
    given = (part.error for part in statement.parts if part.error)
    return "ABORTED", next(given, str(StatementCancelled()))
