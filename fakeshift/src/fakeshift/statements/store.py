"""Statements and their results on disk, so that they survive a restart.

SQLite beside the DuckDB file: statements end while the warehouse's own transactions roll back, so
their records must not live in it. As in the Data API, records and results are kept for
24 hours, client tokens for 8 (https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html).
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakeshift.errors import TERMINATED
from fakeshift.statements.record import Statement, SubStatement

KEEP_SECONDS = 24 * 3600
TOKEN_SECONDS = 8 * 3600
FORGET_EVERY_SECONDS = 600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS statements (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, created REAL NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (
    id TEXT PRIMARY KEY, statement TEXT NOT NULL, number INTEGER NOT NULL, sql TEXT NOT NULL,
    document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS parts_of ON parts (statement);
CREATE TABLE IF NOT EXISTS tokens (
    owner TEXT NOT NULL, token TEXT NOT NULL, statement TEXT NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (owner, token));
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, created REAL NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pages (
    part TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (part, number));
"""


class StatementStore:
    """Records by id, tokens by owner, result pages by sub-statement id. Thread-safe."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time):
        self.clock = clock
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)
        self._known: dict[str, Statement] = {}
        self._running: set[str] = set()
        self._forgot = time.monotonic()
        self.forget_old()
        self._load()

    def _load(self) -> None:
        parts: dict[str, list[dict[str, Any]]] = {}
        for statement_id, sql, document in self._db.execute(
            "SELECT statement, sql, document FROM parts ORDER BY statement, number"
        ):
            parts.setdefault(statement_id, []).append({"sql": sql, **json.loads(document)})
        rows = self._db.execute("SELECT id, document FROM statements ORDER BY created").fetchall()
        for statement_id, document in rows:
            known = {"parts": parts.get(statement_id), **json.loads(document)}
            statement = Statement.from_document(known)
            statement.clock = self.clock
            self._known[statement.id] = statement
            if not statement.over:
                self._fail_interrupted(statement)

    def _fail_interrupted(self, statement: Statement) -> None:
        """Fails what ran when the server stopped: its transaction was rolled back.

        A part that had ended outside a transaction stays finished: it is committed.
        """
        message = f"ERROR: {TERMINATED}"
        alone = not statement.batch or statement.mode == "AUTO_COMMIT"
        if alone and all(part.status == "FINISHED" for part in statement.parts):
            statement.move("FINISHED")
            self.save(statement)
            return
        for part in statement.parts:
            if part.status in ("PICKED", "STARTED"):
                part.status, part.error = "FAILED", message
            elif part.status == "SUBMITTED":
                part.status = "ABORTED"
        statement.move("FAILED", message)
        self.save(statement)

    def of_token(self, owner: str, token: str | None) -> Statement | None:
        """The statement that an owner has submitted with this token in the last eight hours."""
        if not token:
            return None
        with self._lock:
            row = self._db.execute(
                "SELECT statement FROM tokens WHERE owner = ? AND token = ? AND created > ?",
                (owner, token, self.clock() - TOKEN_SECONDS),
            ).fetchone()
            return self._known.get(row[0]) if row else None

    def add(self, statement: Statement, token: str | None) -> None:
        """Keeps a new statement, and its token if it has one."""
        with self._lock:
            if token:
                self._db.execute(
                    "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?)",
                    (statement.owner, token, statement.id, self.clock()),
                )
            statement.clock = self.clock
            self._known[statement.id] = statement
            self._running.add(statement.id)
            self._add_parts(statement)
            self.save(statement)
            if time.monotonic() - self._forgot > FORGET_EVERY_SECONDS:
                self.forget_old()

    def _add_parts(self, statement: Statement) -> None:
        rows = [
            (part.id, statement.id, number, part.sql, "{}")
            for number, part in enumerate(statement.parts)
        ]
        self._db.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?)", rows)

    def save(self, statement: Statement) -> None:
        """Writes the record with all of its parts."""
        row = (statement.id, statement.owner, statement.created, json.dumps(statement.document()))
        with self._lock:
            self._db.execute("BEGIN")
            self._db.execute("INSERT OR REPLACE INTO statements VALUES (?, ?, ?, ?)", row)
            for part in statement.parts:
                self.save_part(part)
            self._db.execute("COMMIT")

    def save_part(self, part: SubStatement) -> None:
        """Writes a part's status and result."""
        document = {key: value for key, value in vars(part).items() if key != "sql"}
        with self._lock:
            self._db.execute(
                "UPDATE parts SET document = ? WHERE id = ?", (json.dumps(document), part.id)
            )

    def get(self, statement_id: str) -> Statement | None:
        """The statement of a plain id (no ``:n``), None if it does not exist or is too old."""
        with self._lock:
            statement = self._known.get(statement_id)
        if statement and statement.created < self.clock() - KEEP_SECONDS:
            return None
        return statement

    def all(self) -> list[Statement]:
        """Every caller's statements, oldest first."""
        with self._lock:
            return list(self._known.values())

    def of_owner(self, owner: str) -> list[Statement]:
        """An owner's statements, newest first."""
        with self._lock:
            found = [s for s in self._known.values() if s.owner == owner]
        oldest = self.clock() - KEEP_SECONDS
        return [s for s in reversed(found) if s.created >= oldest]

    def active(self) -> int:
        """How many statements have not ended."""
        with self._lock:
            self._running = {
                i for i in self._running if i in self._known and not self._known[i].over
            }
            return len(self._running)

    def save_session(self, session_id: str, created: float, document: dict[str, Any]) -> None:
        """Keeps the record of a session that outlives its statements."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)",
                (session_id, created, json.dumps(document)),
            )

    def sessions(self) -> list[dict[str, Any]]:
        """The sessions of the last 24 hours, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT document FROM sessions ORDER BY created").fetchall()
        return [json.loads(row[0]) for row in rows]

    def put_page(self, part: str, number: int, body: dict[str, Any]) -> None:
        """Keeps page ``number`` (from 0) of a sub-statement's result."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO pages VALUES (?, ?, ?)", (part, number, json.dumps(body))
            )

    def page(self, part: str, number: int) -> dict[str, Any] | None:
        """Page ``number`` of a result, None past its end."""
        with self._lock:
            row = self._db.execute(
                "SELECT body FROM pages WHERE part = ? AND number = ?", (part, number)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def forget_old(self) -> None:
        """Deletes what the Data API would not keep any longer."""
        oldest = self.clock() - KEEP_SECONDS
        self._forgot = time.monotonic()
        with self._lock:
            self._db.execute(
                "DELETE FROM tokens WHERE created < ?", (self.clock() - TOKEN_SECONDS,)
            )
            self._db.execute("DELETE FROM sessions WHERE created < ?", (oldest,))
            old = [
                row[0]
                for row in self._db.execute(
                    "SELECT id FROM statements WHERE created < ?", (oldest,)
                )
            ]
            for statement_id in old:
                self._known.pop(statement_id, None)
                self._db.execute("DELETE FROM statements WHERE id = ?", (statement_id,))
                self._db.execute("DELETE FROM parts WHERE statement = ?", (statement_id,))
                self._db.execute(
                    "DELETE FROM pages WHERE part >= ? AND part < ?",
                    (statement_id, statement_id + "~"),
                )

    def close(self) -> None:
        """Closes the file; nothing may be called afterwards."""
        with self._lock:
            self._db.close()
