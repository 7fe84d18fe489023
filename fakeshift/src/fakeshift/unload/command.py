"""UNLOAD of a translated query.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from fakeshift.dialect.grammar import parse_query
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.engine.sink import CHUNK_ROWS
from fakeshift.errors import RedshiftError
from fakeshift.sql.datatypes import DataType
from fakeshift.sql.nodes import Unload
from fakeshift.unload.declared import declared_types
from fakeshift.unload.destination import Destination
from fakeshift.unload.files import Written, new_path, text_files
from fakeshift.unload.manifest import File, manifest
from fakeshift.unload.parquet import parquet_files
from fakeshift.unload.stage import Share, Stage
from fakeshift.unload.text import lines

_FORMATS = {"text": "Text", "csv": "CSV", "json": "JSON", "parquet": "Parquet"}


def run(session: Session, statement: Unload, tree: exp.Expr, rows: str) -> Outcome:
    """Writes the query's rows and returns how many. Without rows it writes nothing. Raises RedshiftError.

    ``tree`` is the parsed query, ``rows`` its SQL for DuckDB.
    """
    options = statement.options
    store = session.database.object_stores.get(options.iam_role, options.region)
    destination = Destination(store, statement.destination, options)
    work = _Work(session, statement, destination, declared_types(session, tree))
    session.last |= {"unload_id": session.query_id, "unload_count": 0}
    work.record("running")
    try:
        destination.check()
        with Stage(session.con, rows, options.partition_by) as stage:
            work.write(stage)
    except BaseException as error:
        work.record("aborted", getattr(error, "message", str(error)))
        raise
    work.record("completed")
    session.last["unload_count"] = work.rows
    session.inform(f"UNLOAD completed, {work.rows} record(s) unloaded successfully.")
    return Outcome(work.rows)


def checked(sql: str) -> exp.Expr:
    """The parsed query: "The SELECT query can't use a LIMIT clause in the outer SELECT"."""
    tree = parse_query(sql)
    if not isinstance(tree, exp.Query):
        raise RedshiftError("UNLOAD takes a SELECT", sqlstate="42601")
    if tree.args.get("limit") is not None:
        raise RedshiftError("Limit clause is not supported", sqlstate="42601")
    return tree


@dataclass
class _Work:
    """A running UNLOAD; ``files`` are those written to S3 so far."""

    session: Session
    statement: Unload
    destination: Destination
    declared: Sequence[DataType | None]
    started: float = field(default_factory=time.time)
    rows: int = 0
    files: list[File] = field(default_factory=list)

    def write(self, stage: Stage) -> None:
        """Writes all files, then the manifest."""
        options = self.statement.options
        numbers = stage.written(include=options.include)
        columns = stage.columns(numbers)
        line, header = lines(columns, options)  # raises for columns that cannot be written
        shares = list(stage.shares(parallel=options.parallel))
        self.destination.clean(share.folder for _, share in shares)
        scratch = self.session.database.scratch
        for slice_number, share in shares:
            if options.format == "parquet":
                built = parquet_files(self.session.con, stage, share, numbers, options, scratch)
            else:
                rows = self._fetched(stage, share, numbers)
                built = text_files(rows, line, header, options, scratch, self._pieces)
            with contextlib.closing(built):
                for part, written in enumerate(built):
                    self._upload(f"{share.folder}{self._name(slice_number, part)}", written)
        self.rows = stage.rows
        if options.manifest and self.files:
            self._put_manifest(
                manifest(
                    self.files,
                    stage.all,
                    self.declared,
                    verbose=options.verbose,
                    sizes=options.format == "parquet",
                )
            )

    @property
    def _pieces(self) -> Any:
        """Another cursor than the one that reads the rows."""
        return self.session.con.cursor()

    def _fetched(
        self, stage: Stage, share: Share, numbers: Sequence[int]
    ) -> Iterator[Sequence[Any]]:
        cursor = self.session.con.execute(stage.select(share, numbers), share.values)
        while rows := cursor.fetchmany(CHUNK_ROWS):
            self.session.check_cancelled()
            yield from rows

    def _name(self, slice_number: int, part: int) -> str:
        """``0000_part_00``; ``000`` where PARALLEL is OFF."""
        options = self.statement.options
        name = f"{slice_number:04d}_part_{part:02d}" if options.parallel else f"{part:03d}"
        return name + options.suffix

    def _upload(self, name: str, written: Written) -> None:
        began = time.time()
        try:
            self.session.check_cancelled()
            url = self.destination.put(name, written.path)
            self.files.append(File(url, written.bytes, written.rows))
        finally:
            size = written.bytes
            written.path.unlink()
        self.session.records.add(
            "unload_detail",
            [
                {
                    **self._who,
                    "file_name": url,
                    "start_time": began,
                    "end_time": time.time(),
                    "line_count": written.rows,
                    "transfer_size": size,
                    "file_format": _FORMATS[self.statement.options.format],
                }
            ],
        )

    def _put_manifest(self, text: str) -> None:
        path = new_path(self.session.database.scratch)
        try:
            path.write_text(text, encoding="utf-8")
            self.destination.put("manifest", path)
        finally:
            path.unlink(missing_ok=True)

    @property
    def _who(self) -> dict[str, Any]:
        return {
            "user_id": self.session.user_id,
            "query_id": self.session.query_id,
            "session_id": self.session.pid,
            "transaction_id": self.session.open_transaction.id,
        }

    def record(self, status: str, message: str = "") -> None:
        """https://docs.aws.amazon.com/redshift/latest/dg/SYS_UNLOAD_HISTORY.html"""
        options, now = self.statement.options, time.time()
        self.session.records.replace(
            "unload_history",
            self.session.query_id,
            {
                **self._who,
                "database_name": self.session.database_name,
                "status": status,
                "start_time": self.started,
                "end_time": None if status == "running" else now,
                "duration": int((now - self.started) * 1e6),
                "file_format": _FORMATS[options.format],
                "compression_type": options.compression or None,
                "unloaded_location": self.statement.destination,
                "unloaded_rows": self.rows,
                "unloaded_files_count": len(self.files),
                "unloaded_files_size": sum(file.bytes for file in self.files),
                "error_message": message or None,
            },
        )
