"""COPY, start to end.

https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.redshift.catalog.model import Relation
from local.redshift.copy_s3 import formats
from local.redshift.copy_s3.batch import Batches
from local.redshift.copy_s3.errors import RowError, load_failed
from local.redshift.copy_s3.options import CopyOptions, parse_options
from local.redshift.copy_s3.pipeline import Reader, Scanned
from local.redshift.copy_s3.s3 import ObjectStore, S3Object
from local.redshift.copy_s3.source import Entry, entries, opened
from local.redshift.engine.errors import RedshiftError, undefined_column
from local.redshift.engine.outcome import Outcome
from local.redshift.sql.nodes import Column, CopyFrom

if TYPE_CHECKING:
    from local.redshift.engine.session import Session


@dataclass
class _Progress:
    """What the load has come to so far; becomes the rows of the SYS_LOAD_ views."""

    started: float = field(default_factory=time.time)
    rows: int = 0
    files: int = 0
    scanned_bytes: int = 0
    source_bytes: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)


def run(session: Session, statement: CopyFrom) -> Outcome:
    """Loads all or nothing; the number of rows comes back. Raises RedshiftError."""
    options = parse_options(statement.options)
    table = _table(session, statement)
    if table.is_view:
        raise RedshiftError(f'cannot copy to view "{table.name}"', sqlstate="42809")
    columns = _columns(table, statement.columns)
    session.require(table.key, "INSERT")
    session.lock(table.key, session.insert_mode)
    session.snapshot()
    session.touch((), [table.key])
    store = session.database.object_stores.get(options.iam_role, options.region)
    wanted = entries(store, statement.source, manifest=options.manifest)
    reader = formats.reader(session, store, columns, options)
    session.last_copy_id = session.query_id
    load = _Load(session, statement, options, table, columns)
    return load.run(store, wanted, reader)


def _table(session: Session, statement: CopyFrom) -> Relation:
    try:
        return session.relation(statement.name)
    except RedshiftError as error:
        if error.sqlstate != "42P01":
            raise
        # as seen on real clusters: spotify/luigi#586, estuary/connectors#918
        message = f"Cannot COPY into nonexistent table {statement.name[-1]}"
        raise RedshiftError(message, sqlstate="42P01") from error


def _columns(table: Relation, named: Sequence[str]) -> list[Column]:
    """The columns to load: those listed, else all but identities, which make their own values."""
    if not named:
        return [column for column in table.columns if not column.identity]
    found = []
    for name in named:
        column = table.column(name)
        if column is None:
            raise undefined_column(name, table.name)
        if column.identity:
            raise RedshiftError(f'cannot copy into the identity column "{name}"')
        if column in found:
            raise RedshiftError(f'column "{name}" specified more than once', sqlstate="42701")
        found.append(column)
    return found


class _Load:
    """One running COPY; what its format writes to (``pipeline.Target``)."""

    batches: Batches

    def __init__(
        self,
        session: Session,
        statement: CopyFrom,
        options: CopyOptions,
        table: Relation,
        columns: Sequence[Column],
    ):
        self.session = session
        self.statement = statement
        self.options = options
        self.table = table
        self.columns = columns
        self.format = ""
        self.progress = _Progress()

    def run(self, store: ObjectStore, wanted: list[Entry], reader: Reader) -> Outcome:
        """Reads every object into batches; records what happened, whatever happens."""
        self.format = reader.name
        self._record("running")
        path = self.session.database.scratch / f"copy-{uuid.uuid4().hex}.jsonl"
        self.batches = Batches(self.session.con, self.table, self.columns, path)
        try:
            reader.read(opened(store, wanted, self.statement.source), self)
            self.batches.finish()
        except BaseException:
            self._record("aborted")
            raise
        finally:
            self.batches.close()
            self._record_errors()
        loaded = 0 if self.options.noload else self.progress.rows
        self._record("completed", loaded)
        self.session.last_copy_count = loaded
        return Outcome(loaded)

    # -- pipeline.Target -----------------------------------------------------------------------

    def check_cancelled(self) -> None:
        self.session.check_cancelled()

    def add(self, values: Sequence[Any]) -> None:
        if not self.options.noload:
            self.batches.add(values)

    def insert(self, query: str) -> int:
        if self.options.noload:
            return self.batches.count(query)
        return self.batches.insert(query)

    def scanned(self, found: S3Object, scanned: Scanned, began: float) -> None:
        progress = self.progress
        progress.rows += scanned.rows
        progress.files += 1
        progress.scanned_bytes += scanned.bytes
        progress.source_bytes += found.size
        progress.details.append(
            {
                "user_id": self.session.user_id,
                "query_id": self.session.query_id,
                "file_name": found.url,
                "bytes_scanned": found.size,
                "lines_scanned": scanned.lines,
                "splits_scanned": 1,
                "record_time": time.time(),
                "start_time": began,
                "end_time": time.time(),
                "file_etag": found.etag,
                "file_last_modified": found.last_modified.timestamp(),
            }
        )

    def reject(self, found: S3Object, error: RowError) -> None:
        """One row error; the load fails with MAXERROR of them.

        https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
        """
        self.progress.errors.append(
            {
                "user_id": self.session.user_id,
                "query_id": self.session.query_id,
                "transaction_id": self.session.open_transaction.id,
                "session_id": self.session.pid,
                "database_name": self.session.database_name,
                "table_id": self.table.oid,
                "start_time": self.progress.started,
                "file_name": found.url,
                "line_number": error.line,
                "column_name": error.column,
                "column_type": error.column_type,
                "column_length": error.column_length,
                "position": error.position,
                "error_code": error.code,
                "error_message": error.message,
            }
        )
        limit = self.options.error_limit
        if limit is not None and len(self.progress.errors) >= limit:
            raise load_failed(self.table.name)

    def _record_errors(self) -> None:
        records = self.session.records
        if self.progress.errors:
            records.add("load_error_detail", self.progress.errors)
        if self.progress.details:
            records.add("load_detail", self.progress.details)

    def _record(self, status: str, loaded: int = 0) -> None:
        """https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_HISTORY.html"""
        progress, session, now = self.progress, self.session, time.time()
        session.records.replace(
            "load_history",
            session.query_id,
            {
                "user_id": session.user_id,
                "query_id": session.query_id,
                "transaction_id": session.open_transaction.id,
                "session_id": session.pid,
                "database_name": session.database_name,
                "status": status,
                "table_name": self.table.name,
                "start_time": progress.started,
                "end_time": None if status == "running" else now,
                "duration": int((now - progress.started) * 1e6),
                "data_source": self.statement.source,
                "file_format": self.format,
                "loaded_rows": loaded,
                "loaded_bytes": progress.scanned_bytes if loaded else 0,
                "source_file_count": progress.files,
                "source_file_bytes": progress.source_bytes,
                "file_count_scanned": progress.files,
                "file_bytes_scanned": progress.source_bytes,
                "error_count": len(progress.errors),
                "copy_job_id": -1,
            },
        )
