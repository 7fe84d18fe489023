"""The records of the SYS_ views, kept outside the warehouse: a rollback does not undo them.

"A failed COPY" leaves its rows in SYS_LOAD_ERROR_DETAIL although its transaction is rolled back
(https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html), so they cannot live in
the transactional database.
"""
# ruff: noqa: S608 - names of our own tables and columns, values are parameters

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KEEP_SECONDS = 7 * 24 * 3600

COLUMNS: dict[str, tuple[str, ...]] = {
    "query_history": (
        "user_id", "query_id", "query_label", "transaction_id", "session_id", "database_name",
        "query_type", "status", "result_cache_hit", "start_time", "end_time", "elapsed_time",
        "queue_time", "execution_time", "error_message", "returned_rows", "returned_bytes",
        "query_text", "redshift_version", "usage_limit", "compute_type", "compile_time",
        "planning_time", "lock_wait_time",
    ),
    "transaction_history": (
        "user_id", "query_id", "transaction_id", "isolation_level", "status", "start_time",
        "commit_start_time", "commit_end_time",
    ),
    "load_history": (
        "user_id", "query_id", "transaction_id", "session_id", "database_name", "status",
        "table_name", "start_time", "end_time", "duration", "data_source", "file_format",
        "loaded_rows", "loaded_bytes", "source_file_count", "source_file_bytes",
        "file_count_scanned", "file_bytes_scanned", "error_count", "copy_job_id",
    ),
    "load_detail": (
        "user_id", "query_id", "file_name", "bytes_scanned", "lines_scanned", "splits_scanned",
        "record_time", "start_time", "end_time", "file_etag", "file_last_modified",
    ),
    "unload_history": (
        "user_id", "query_id", "transaction_id", "session_id", "database_name", "status",
        "start_time", "end_time", "duration", "file_format", "compression_type",
        "unloaded_location", "unloaded_rows", "unloaded_files_count", "unloaded_files_size",
        "error_message",
    ),
    "unload_detail": (
        "user_id", "query_id", "session_id", "transaction_id", "file_name", "start_time",
        "end_time", "line_count", "transfer_size", "file_format",
    ),
    "load_error_detail": (
        "user_id", "query_id", "transaction_id", "session_id", "database_name", "table_id",
        "start_time", "file_name", "line_number", "column_name", "column_type", "column_length",
        "position", "error_code", "error_message", "raw_line", "raw_field_value",
    ),
}  # fmt: skip


class SystemRecords:
    """Rows by view, each owned by a user. Times are seconds since 1970. Thread-safe."""

    def __init__(self, path: Path):
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA journal_mode=WAL")
        for table, columns in COLUMNS.items():
            self._db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")
            there = {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}
            for column in columns:
                if column not in there:  # an older version created the table
                    self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
            self._db.execute(f"CREATE INDEX IF NOT EXISTS {table}_query ON {table} (query_id)")
        self._db.execute(
            "UPDATE query_history SET status = 'failed' WHERE status = 'running'"
        )  # at the time the server stopped
        self.forget_old()

    def forget_old(self) -> None:
        """Deletes rows older than seven days, as Redshift does."""
        oldest = time.time() - KEEP_SECONDS
        with self._lock:
            for table in COLUMNS:
                self._db.execute(f"DELETE FROM {table} WHERE start_time < ?", (oldest,))

    def add(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Adds rows; missing columns are NULL."""
        with self._lock, self._transaction():
            self._insert(table, rows)

    def replace(self, table: str, query_id: int, row: Mapping[str, Any]) -> None:
        """Replaces this query's rows with one row."""
        with self._lock, self._transaction():
            self._db.execute(f"DELETE FROM {table} WHERE query_id = ?", (query_id,))
            self._insert(table, [row])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        columns = COLUMNS[table]
        marks = ", ".join("?" for _ in columns)
        self._db.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",
            [tuple(row.get(column) for column in columns) for row in rows],
        )

    def rows(self, table: str, user_id: int | None, query_id: int | None = None) -> list[Any]:
        """A user's rows (all users' for None), of one query or of all, oldest first."""
        where, values = ["1 = 1"], []
        if user_id is not None:
            where.append("user_id = ?")
            values.append(user_id)
        if query_id is not None:
            where.append("query_id = ?")
            values.append(query_id)
        with self._lock:
            return self._db.execute(
                f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE {' AND '.join(where)}",
                values,
            ).fetchall()

    def last_query_id(self) -> int:
        """The largest query id so far."""
        return self._largest("query_id")

    def last_transaction_id(self) -> int:
        """The largest transaction id so far."""
        return self._largest("transaction_id")

    def _largest(self, column: str) -> int:
        with self._lock:
            row = self._db.execute(f"SELECT max({column}) FROM query_history").fetchone()
        return int(row[0] or 1000)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()
