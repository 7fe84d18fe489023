"""A session: its DuckDB connection, its transaction, its settings. Statements run here.

A snapshot is taken by a transaction's first query, DML or DDL, not by BEGIN or LOCK
(https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html), so DuckDB's
transaction starts only then, after the statement's locks are granted. Before that the connection
reads the committed catalogue.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import TEMP_SCHEMA, Key, Origin, Relation, Schema
from fakeshift.config import Kind
from fakeshift.engine import duckdb_errors
from fakeshift.engine.cancel import Cancellation
from fakeshift.engine.database import Database
from fakeshift.engine.locks import Mode
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.permissions import Permissions
from fakeshift.engine.results import ResultColumn, result_columns, with_intervals
from fakeshift.engine.sink import CHUNK_ROWS, ResultSink, Sink
from fakeshift.errors import (
    RedshiftError,
    StatementCancelled,
    dropped_meanwhile,
    terminated,
    undefined_relation,
    undefined_schema,
    unsupported,
)
from fakeshift.sql import nodes
from fakeshift.sql.datatypes import DataType
from fakeshift.sql.parameters import template_of
from fakeshift.sql.parser import parse_statement
from fakeshift.sql.tokens import folded, tokenize
from fakeshift.system import views
from fakeshift.system.records import SystemRecords
from fakeshift.system.view import LoadDetail, SystemView

Settings = dict[str, tuple[str, ...]]
"""The values of parameters, by SET."""

_NAMING = (
    nodes.CreateTable, nodes.CreateView, nodes.CreateSchema, nodes.CopyFrom, nodes.Append,
    nodes.Drop, nodes.Comment, nodes.Truncate, nodes.Lock, nodes.Analyze, nodes.Vacuum,
)  # fmt: skip
"""Statements whose quoted names are of tables, columns and schemas only, not of users."""

_READING = (
    nodes.Show, nodes.Explain, nodes.Declare, nodes.Fetch, nodes.CloseCursor, nodes.SetParameter,
)  # fmt: skip
"""Statements, besides queries, that write nothing."""

DEFAULT_SEARCH_PATH = ("$user", "public")
NO_LAST = {"copy_id": -1, "copy_count": 0, "unload_id": -1, "unload_count": 0}
"""``Session.last`` of a session without COPY and UNLOAD."""


class Cursor:
    """The rows of a cursor: a sink of its query, from which FETCH takes them."""

    def __init__(self) -> None:
        self.columns: list[ResultColumn] = []
        self.rows = 0
        self.bytes = 0
        self._kept: list[Sequence[Any]] = []
        self._taken = 0

    def start(self, columns: list[ResultColumn]) -> None:
        """Keeps the columns."""
        self.columns = columns

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Keeps rows."""
        self._kept += rows
        self.rows += len(rows)

    def finish(self) -> None:
        """All rows are there."""

    def take(self, count: int | None) -> list[Sequence[Any]]:
        """The next ``count`` rows, all for None."""
        end = len(self._kept) if count is None else self._taken + max(count, 0)
        rows = self._kept[self._taken : end]
        self._taken += len(rows)
        return rows


@dataclass
class Transaction:
    """An open transaction. ``has_snapshot``: DuckDB's transaction has started, which is the snapshot.

    ``catalog`` is the snapshot's version of the catalogue, None if unknown or if the transaction has
    changed the catalogue. ``first_temporary``: it created the session's first temporary table, so a
    rollback removes the catalogue of temporary tables too. ``settings`` and ``last`` are the session's
    at its start; ``local`` has the values that SET LOCAL replaced, to restore them at its end.
    """

    id: int
    explicit: bool
    settings: Settings
    last: dict[str, int]
    local: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    has_snapshot: bool = False
    catalog: int | None = None
    changed_catalog: bool = False
    first_temporary: bool = False
    failed: bool = False
    read_only: bool = False
    started: float = field(default_factory=time.time)


Execute = Callable[["Session", object], Outcome]


class Session(Permissions):
    """One connection to the warehouse; used by one thread at a time, ``cancel`` by any.

    ``execute`` runs a parsed statement in it: ``commands.execute``, which is a layer above.
    """

    def __init__(self, database: Database, user: str, execute: Execute, *, superuser: bool = False):
        self.database = database
        self._execute = execute
        self.user = user
        self.superuser = superuser
        self.pid = database.next_pid()
        self.con = database.cursor()
        self.user_id = database.user_id(self.con, user, superuser=superuser)
        self.transaction: Transaction | None = None
        self.settings: Settings = {}
        self.has_temporary = False
        self.struck: frozenset[str] = frozenset()
        self.query_id = 0
        self.sink: Sink = ResultSink(lambda _number, _page: None)
        self.notices: list[tuple[str, str]] = []  # severity and text, of the running statement
        self.sent: list[str] = []  # DuckDB's SQL of the running statement, for the log
        self.last_query_id = 0
        self.last = dict(NO_LAST)
        self.lock_wait = 0.0
        self.last_transaction_id = 0
        self.cancellation = Cancellation(self.con.interrupt, database.locks.wake)

    # -- running -----------------------------------------------------------------------------

    def run(self, sql: str, values: Mapping[str, str], sink: Sink, query_id: int) -> Outcome:
        """Runs one statement: in the open transaction, else in one of its own.

        Raises RedshiftError; the transaction is then rolled back and its locks are free. An
        explicit one then accepts only ROLLBACK.
        """
        self.query_id, self.lock_wait, self.sink = query_id, 0.0, sink
        self.sent, self.notices = [], []
        try:
            statement = parse_statement(sql, values)
        except RedshiftError:
            self.give_up()
            raise
        if self.is_on("enable_case_sensitive_identifier"):
            self._refuse_mixed_case(sql, statement)
        if isinstance(statement, (nodes.Commit, nodes.Rollback)):
            return self._end(statement)
        self.refuse_after_failure()
        if isinstance(statement, nodes.Begin):
            return self._open(read_only=statement.read_only)
        own = self.transaction is None
        if own:
            self.begin(explicit=False)
        try:
            with self.cancellation.open():
                self.check_cancelled()
                self._refuse_to_write(statement)
                outcome = self._execute(self, statement)
                self.check_cancelled()
            if own and self.transaction is not None:
                self.commit()
        except BaseException as error:
            last = self._failed_load() if isinstance(error, RedshiftError) else {}
            self._fail(own=own, last=last)
            if isinstance(error, duckdb.Error):
                if self.cancellation.reason is not None:
                    raise self.cancellation.reason from error
                raise duckdb_errors.translate(error) from error
            raise
        self.last_query_id = query_id
        return outcome

    def _refuse_mixed_case(self, sql: str, statement: object) -> None:
        """Queries keep the case of quoted names; no table, column or schema here has upper case."""
        of_users = isinstance(statement, nodes.Drop) and statement.kind in ("USER", "GROUP", "ROLE")
        if of_users or not isinstance(statement, _NAMING):
            return
        query = getattr(statement, "query", None)
        for token in tokenize(sql[: sql.rfind(query)] if query else sql):
            if token.token_type == TokenType.IDENTIFIER and token.text != folded(token.text):
                self.give_up()
                raise unsupported(f'a name that keeps its case, "{token.text}"')

    def inform(self, message: str) -> None:
        """An INFO of the running statement, for a client of the PostgreSQL protocol.

        ``Load into table 'customers' completed, 100 record(s) loaded successfully.``:
        https://github.com/dbcrossbar/dbcrossbar/issues/41
        """
        self.notices.append(("INFO", message))

    def refuse_after_failure(self) -> None:
        """Raises RedshiftError in a transaction that has failed."""
        if self.transaction is not None and self.transaction.failed:
            raise RedshiftError(
                "current transaction is aborted, commands ignored until end of transaction block",
                sqlstate="25P02",
            )

    def give_up(self) -> None:
        """The statement fails before it starts, and its transaction with it."""
        self._fail(own=False, last={})

    def _fail(self, *, own: bool, last: dict[str, int]) -> None:
        if self.transaction is None:
            return
        explicit = self.transaction.explicit and not own
        self.rollback()
        self.last |= last
        if explicit:
            self.begin(explicit=True)
            self.open_transaction.failed = True

    def _failed_load(self) -> dict[str, int]:
        """The part of ``last`` to keep after a failure: the id of a COPY with bad data, or of an UNLOAD.

        "If the COPY fails because of invalid load data, the COPY ID is updated", and "if the COPY
        transaction is rolled back, the COPY ID is not updated": dg/PG_LAST_COPY_ID.html
        """
        if self.cancellation.reason is not None:
            return {}
        return {
            name: value
            for what in ("copy", "unload")
            if self.last[f"{what}_id"] == self.query_id
            for name, value in self.last.items()
            if name.startswith(what)
        }

    def _open(self, *, read_only: bool) -> Outcome:
        if self.transaction is None:
            self.begin(explicit=True)
        else:
            self.transaction.explicit = True
        self.open_transaction.read_only = read_only
        return Outcome()

    def _refuse_to_write(self, statement: object) -> None:
        """In a transaction that was begun READ ONLY: dg/r_BEGIN.html. The words are PostgreSQL 8.0's."""
        if self.transaction is None or not self.transaction.read_only:
            return
        reads = isinstance(statement, _READING)
        if isinstance(statement, nodes.Query):
            reads = template_of(statement.sql)[1].first in ("SELECT", "WITH", "(")
        if not reads:
            raise RedshiftError("transaction is read-only", sqlstate="25006")

    def _end(self, statement: nodes.Commit | nodes.Rollback) -> Outcome:
        if isinstance(statement, nodes.Commit) and not (
            self.transaction is not None and self.transaction.failed
        ):
            self.commit()
        else:
            self.rollback()
        return Outcome()

    def begin(self, *, explicit: bool) -> None:
        """Opens a transaction; its first query, DML or DDL takes the snapshot."""
        self.last_transaction_id = self.database.next_transaction_id()
        self.transaction = Transaction(
            self.last_transaction_id, explicit, dict(self.settings), dict(self.last)
        )

    def commit(self) -> None:
        """Commits the transaction and releases its locks."""
        transaction = self.transaction
        if transaction is None:
            return
        committing = time.time()
        try:
            if transaction.has_snapshot:
                known = self.database.catalog
                changing = known.changing() if transaction.changed_catalog else nullcontext()
                with self.cancellation.closed(), changing:
                    self.con.execute("COMMIT")
                self.database.serial.commit(transaction.id)
        except duckdb.Error as error:
            self.rollback()
            raise duckdb_errors.translate(error) from error
        for name, values in transaction.local.items():
            self._set(name, values)
        self.transaction = None
        self.database.locks.release_all(transaction.id)
        self._record_end(transaction, "committed", committing)

    def rollback(self) -> None:
        """Rolls the transaction back and releases its locks. Never raises."""
        transaction = self.transaction
        if transaction is None:
            return
        if transaction.has_snapshot:
            already_after_a_conflict = contextlib.suppress(duckdb.Error)
            with self.cancellation.closed(), already_after_a_conflict:
                self.con.execute("ROLLBACK")
            self.database.serial.rollback(transaction.id)
        if transaction.first_temporary:
            self.has_temporary = False
        self.settings, self.last = transaction.settings, transaction.last
        self.transaction = None
        self.database.locks.release_all(transaction.id)
        self._record_end(transaction, "rolledback", None)

    def _record_end(self, transaction: Transaction, status: str, committing: float | None) -> None:
        """A row of SYS_TRANSACTION_HISTORY, for a transaction that has read or written anything.

        https://docs.aws.amazon.com/redshift/latest/dg/SYS_TRANSACTION_HISTORY.html
        """
        if not transaction.has_snapshot:
            return
        serializable = self.database.settings.isolation == "serializable"
        row = {
            "user_id": self.user_id,
            "query_id": self.query_id,
            "transaction_id": transaction.id,
            "isolation_level": "Serializable" if serializable else "Snapshot Isolation",
            "status": status,
            "start_time": transaction.started,
            "commit_start_time": committing,
            "commit_end_time": time.time() if committing else None,
        }
        self.records.add("transaction_history", [row])

    def set_parameter(self, name: str, values: tuple[str, ...] | None, *, local: bool) -> None:
        """SET, or RESET (None). A rollback undoes it; with LOCAL, so does a commit.

        PostgreSQL's rule, https://www.postgresql.org/docs/8.0/sql-set.html; Redshift's page says only
        that LOCAL "is valid for the current transaction" (dg/r_SET.html).
        """
        covered = self.open_transaction.local
        if local:
            covered.setdefault(name, self.settings.get(name))
        else:
            covered.pop(name, None)
        self._set(name, values)

    def _set(self, name: str, values: tuple[str, ...] | None) -> None:
        if values is None:
            self.settings.pop(name, None)
        else:
            self.settings[name] = values

    def is_on(self, parameter: str) -> bool:
        """Whether a boolean parameter is on; one that SET has not changed has its default."""
        return self.settings.get(parameter) == ("on",)

    @property
    def search_path(self) -> tuple[str, ...]:
        """The value of SET, else Redshift's default."""
        return self.settings.get("search_path", DEFAULT_SEARCH_PATH)

    def close(self) -> None:
        """Ends the session: an open transaction is rolled back."""
        self.rollback()
        self.con.close()

    # -- cancelling --------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stops the running statement, also one that waits for a lock; for other threads."""
        self.cancellation.ask(StatementCancelled())

    def terminate(self) -> None:
        """Stops the running statement like a restart of the warehouse: it has failed."""
        self.cancellation.ask(terminated())

    def check_cancelled(self) -> None:
        """Raises StatementCancelled once ``cancel`` was called, another error after ``terminate``."""
        self.cancellation.check()

    # -- locks and the snapshot --------------------------------------------------------------

    @property
    def open_transaction(self) -> Transaction:
        """The transaction that the running statement is in."""
        if self.transaction is None:
            raise RuntimeError("no transaction is open")
        return self.transaction

    def lock(self, key: Key, mode: Mode) -> bool:
        """Takes a table's lock until the transaction ends; returns whether it had to wait."""
        if key[0] == TEMP_SCHEMA:
            return False
        started = time.monotonic()
        waited = self.database.locks.acquire(
            self.open_transaction.id, key, mode, self.check_cancelled
        )
        self.lock_wait += time.monotonic() - started
        return waited

    def lock_all(self, wanted: Mapping[Key, Mode]) -> bool:
        """Takes the locks of tables in a fixed order; returns whether any had to wait.

        Raises RedshiftError for a table that was dropped in the meantime, as ``lock_table`` does.
        """
        found = {key: self.find(*key) for key in sorted(wanted)}
        waited = [
            self.lock_table(table, wanted[key]) if table else self.lock(key, wanted[key])
            for key, table in found.items()
        ]
        return any(waited)

    def lock_table(self, table: Relation, mode: Mode) -> bool:
        """As ``lock``. Raises RedshiftError if it waited and the table was dropped or replaced."""
        waited = self.lock(table.key, mode)
        if waited and not self.open_transaction.changed_catalog:
            with self.database.cursor() as committed:
                now = catalog.find(committed, *table.key)
            if now is None or now.oid != table.oid:
                raise dropped_meanwhile(table.oid)
        return waited

    def snapshot(self) -> None:
        """Takes the transaction's snapshot, if it has none yet."""
        transaction = self.open_transaction
        if not transaction.has_snapshot:
            version = self.database.catalog.version
            with self.cancellation.closed():
                self.con.execute("BEGIN TRANSACTION")
                transaction.has_snapshot = True
                catalog.touch(self.con)  # DuckDB's transaction starts with the first read
            if version == self.database.catalog.version:
                transaction.catalog = version
            self.database.serial.begin(transaction.id)

    def change_catalog(self, schema: str) -> None:
        """As ``snapshot``, for a statement that will change a schema or its contents."""
        self.snapshot()
        if schema != TEMP_SCHEMA:  # temporary tables have a separate catalogue
            self.open_transaction.changed_catalog = True
            self.open_transaction.catalog = None

    def touch(self, reads: Iterable[Key], writes: Iterable[Key]) -> None:
        """Tells SERIALIZABLE isolation what a statement reads and writes."""
        if self.database.settings.isolation != "serializable":
            return
        read = {key for key in reads if key[0] != TEMP_SCHEMA}
        written = {key for key in writes if key[0] != TEMP_SCHEMA}
        named = next(iter([*written, *read]), None)
        if named is None:
            return
        relation = self.find(*named)
        self.database.serial.touch(
            self.open_transaction.id, read, written, relation.oid if relation else 0, self.pid
        )

    @property
    def insert_mode(self) -> Mode:
        """The lock mode of INSERT and COPY: shared under snapshot isolation."""
        serializable = self.database.settings.isolation == "serializable"
        return Mode.WRITE if serializable else Mode.INSERT

    # -- names -------------------------------------------------------------------------------

    def find(self, schema: str, name: str) -> Relation | None:
        """The relation of that name, as the transaction sees it."""
        if schema == TEMP_SCHEMA:
            return catalog.find(self.con, schema, name)
        return self.database.catalog.get(
            self._catalog_version, (schema, name), lambda: catalog.find(self.con, schema, name)
        )

    def find_schema(self, name: str) -> Schema | None:
        """The schema of that name, as the transaction sees it."""
        return self.database.catalog.get(
            self._catalog_version, name, lambda: catalog.find_schema(self.con, name)
        )

    @property
    def _catalog_version(self) -> int | None:
        """Before its snapshot, a transaction sees the committed catalogue."""
        if self.transaction is not None and self.transaction.has_snapshot:
            return self.transaction.catalog
        return self.database.catalog.version

    @property
    def load_detail(self) -> LoadDetail:
        """How SYS_LOAD_DETAIL looks to the running statement: by the settings, or by a fault."""
        settings = self.database.settings
        return LoadDetail(
            settings.file_etag,
            settings.load_detail_seconds,
            settings.load_detail_encoded or "encoded" in self.struck,
            "empty" in self.struck,
        )

    @property
    def collation(self) -> str:
        """The database's collation."""
        return self.database.settings.collation

    @property
    def database_name(self) -> str:
        """The connected database."""
        return self.database.settings.database

    @property
    def kind(self) -> Kind:
        """Serverless, or a provisioned cluster."""
        return self.database.settings.kind

    def number(self, name: str) -> exp.Expr:
        """``pid``, ``last_query_id``, and ``last_copy_id`` and the like: ``last`` has them."""
        known = {f"last_{name}": value for name, value in self.last.items()}
        number = {"pid": self.pid, "last_query_id": self.last_query_id or -1, **known}[name]
        return exp.Literal.number(number)

    def system_views(self) -> list[SystemView]:
        """The system views that the warehouse has."""
        return views.system_views(self.kind)

    def columns_of_view(self, relation: Relation) -> list[nodes.Column]:
        """The columns of a late-binding view now; none if what it reads is not there."""
        sink, self.sink = self.sink, ResultSink(lambda _number, _page: None)
        query = f"SELECT * FROM ({relation.query}) AS rs_view LIMIT 0"  # noqa: S608
        try:
            self._execute(self, nodes.Query(query))
            return [nodes.Column(column.name, column.kind) for column in self.sink.columns]
        except (RedshiftError, duckdb.Error):
            return []
        finally:
            self.sink = sink

    @property
    def records(self) -> SystemRecords:
        """The system views' records."""
        return self.database.records

    def existing_schemas_in_path(self) -> list[str]:
        """The search path's schemas that exist."""
        return [s for s in self.schemas_in_path() if self.find_schema(s) is not None]

    def schemas_in_path(self) -> list[str]:
        """The search path's schemas, ``$user`` replaced."""
        return [self.user.lower() if s == "$user" else s for s in self.search_path]

    def find_relation(self, name: nodes.Name) -> Relation | None:
        """A table or view by its name in a statement, None if it does not exist."""
        if len(name) == 3:
            if name[0] != self.database.settings.database:
                raise unsupported("cross-database references")
            name = name[1:]
        if len(name) == 2:
            schema = TEMP_SCHEMA if name[0].startswith("pg_temp") else name[0]
            if schema == TEMP_SCHEMA and not self.has_temporary:
                return None
            return self.find(schema, name[1])
        if self.has_temporary:
            found = self.find(TEMP_SCHEMA, name[0])
            if found:
                return found
        for schema in self.schemas_in_path():
            found = self.find(schema, name[0])
            if found:
                return found
        return None

    def relation(self, name: nodes.Name) -> Relation:
        """As ``find_relation``; RedshiftError for a schema or relation that does not exist."""
        found = self.find_relation(name)
        if found is not None:
            return found
        if len(name) >= 2:
            self.require_schema(
                name[-2], "USAGE"
            )  # without USAGE the user does not learn what exists
            if catalog.find_schema(self.con, name[-2]) is None:
                raise undefined_schema(name[-2])
        raise undefined_relation(".".join(name[-2:]))

    def creation_key(self, name: nodes.Name, *, temporary: bool = False) -> Key:
        """Where CREATE puts a name: its schema, or the first of the search path that exists."""
        if len(name) == 3:
            if name[0] != self.database.settings.database:
                raise unsupported("cross-database references")
            name = name[1:]
        if temporary:
            return (TEMP_SCHEMA, name[-1])
        if len(name) == 2:
            if catalog.find_schema(self.con, name[0]) is None:
                raise undefined_schema(name[0])
            return (name[0], name[1])
        for schema in self.schemas_in_path():
            if catalog.find_schema(self.con, schema) is not None:
                return (schema, name[0])
        raise RedshiftError("no schema has been selected to create in", sqlstate="3F000")

    # -- DuckDB ------------------------------------------------------------------------------

    def describe(self, sql: str, system: frozenset[str]) -> list[str]:
        """DuckDB's types of a DuckDB query's columns, which reads these system views."""
        return [kind for _, kind in self.described(sql, system)]

    def described(self, sql: str, system: frozenset[str]) -> list[tuple[str, str]]:
        """Name and DuckDB's type of each column of a DuckDB query, which reads these system views."""
        views.materialise(self.con, system, self)
        return [(row[0], row[1]) for row in self.con.execute(f"DESCRIBE {sql}").fetchall()]

    def send(
        self, sql: str, types: Sequence[DataType | None] = (), origins: Sequence[Origin | None] = ()
    ) -> Outcome:
        """Runs DuckDB's SQL of a query and sends its rows to the sink as they arrive.

        ``types`` are the columns' Redshift types, ``origins`` their table columns, both as far as
        they are known.
        """
        sink = self.sink
        cursor = self.execute(sql)
        description = cursor.description or []
        sink.start(result_columns(description, types, origins))
        places = [n for n, entry in enumerate(description) if str(entry[1]) == "INTERVAL"]
        if places:  # Python's timedelta has no months
            cursor = self.con.execute(_with_text(sql, len(description), places))
        while rows := cursor.fetchmany(CHUNK_ROWS):
            self.check_cancelled()
            sink.add(with_intervals(rows, places) if places else rows)
        sink.finish()
        return Outcome(sink.rows, has_result=True)

    def change(self, sql: str) -> int:
        """Runs DuckDB's SQL of a DML statement; returns the number of rows."""
        row = self.execute(sql).fetchone()
        return int(row[0]) if row else 0

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Runs DuckDB's SQL of the statement, and keeps it for the log."""
        self.sent.append(sql)
        return self.con.execute(sql)


def _with_text(sql: str, count: int, places: list[int]) -> str:
    """``FROM (<sql>) AS rs_result (c0, c1) SELECT c0, CAST(c1 AS VARCHAR)``."""
    names = [f"c{number}" for number in range(count)]
    cells = [f"CAST({c} AS VARCHAR)" if n in places else c for n, c in enumerate(names)]
    return f"FROM ({sql}) AS rs_result ({', '.join(names)}) SELECT {', '.join(cells)}"
