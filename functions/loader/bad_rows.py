"""Bad rows that are left out, for a contract that says so: of which file each is, and which file has too many.

COPY refuses rows (MAXERROR), and reports them in a view that may lag behind: the report is complete when the rows that
were loaded and those that were refused are together the lines scanned, or the records that the loader finds in the
files. Rows that COPY has loaded and whose values do not fit are counted by Redshift, and found in the files by the
loader (loader/misfits.py): the two counts must agree.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loader import batches, keys, misfits, sql
from loader.batches import Batch, Reject
from loader.dataapi import DataApi, StatementFailed, client_token
from loader.datasets import Dataset
from loader.diagnosis import explained, without_values
from loader.misfits import Found, Refused
from loader.observability import logger
from loader.rules import Limit
from loader.steps import polls
from loader.store import DataFile, Store

if TYPE_CHECKING:
    from loader.state import Load


REPORT_SECONDS = 60  # to wait for COPY's report of the rows that it refused
ASK_SECONDS = 30  # for one query of it
EXAMPLES = 10  # of a batch, for the report
INCOMPLETE = (
    "Redshift's report on the rows that COPY has refused is incomplete: {loaded} rows are loaded and {refused} "
    "reported as refused, of {scanned} that it has read. Nothing of the batch is published; the next load tries its "
    "files again."
)


@dataclass
class Judged:
    """What becomes of a batch with bad rows.

    over     the files that have more bad rows than their limit
    rows     the ledger's rows of the bad rows that are left out; refused: how many of them COPY refused
    divide   the bad rows are of several files, and it is not known of which
    cause    why nothing may be published; '' otherwise
    """

    over: list[Reject] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0
    divide: bool = False
    cause: str = ""


@dataclass(frozen=True)
class Staged:
    """What a staging says.

    rows   that COPY loaded; unfit: how many of them have values that do not fit, in these columns
    lines  that COPY scanned, by key
    """

    table: str
    rows: int
    lines: Mapping[str, int]
    unfit: int
    columns: Sequence[str] = ()


def judge(
    api: DataApi, store: Store, load: Load, batch: Batch, dataset: Dataset, staged: Staged
) -> Judged:
    """Finds the files of a batch's bad rows, and compares each with its limit. Takes up to some minutes."""
    reading = _Reading(store, batch, dataset)
    refused = _refused(api, load, batch, dataset, staged, reading)
    if isinstance(refused, str):
        return Judged(cause=refused)
    if not refused and not staged.unfit:
        return Judged()
    rows_of = reading.of(batch.readable if staged.unfit else [], refused)
    counted = all(one.whole for one in rows_of.values())
    if not counted or sum(one.rows for one in rows_of.values()) != staged.unfit:
        if len(batch.readable) > 1 and staged.unfit:
            return Judged(divide=True)
        for one in rows_of.values():
            _correct(one, staged)
    judged = Judged(refused=sum(len(errors) for errors in refused.values()))
    limit = limit_of(dataset)
    for file in batch.readable:
        errors, one = refused.get(file.key, []), rows_of.get(file.key, Found())
        bad = len(errors) + one.rows
        records = one.records if one.whole else staged.lines.get(file.key, 0)
        if bad > limit.of(records):
            judged.over.append(too_many(file, bad, records, limit, one, errors))
        else:
            judged.rows += _ledger_rows(load, batch, file, one)
    return judged


def limit_of(dataset: Dataset) -> Limit:
    """The limit of a dataset whose bad rows are left out."""
    if not dataset.rows or not dataset.rows.limit:
        raise ValueError(f"{dataset.name} does not leave out rows.")
    return dataset.rows.limit


def too_many(
    file: DataFile, bad: int, records: int, limit: Limit, found: Found, errors: Sequence[Refused]
) -> Reject:
    """Why a file with more bad rows than its limit is rejected."""
    rows = sorted(found.kept, key=lambda row: row.line or 0)
    first = rows[0] if rows else min(errors, key=lambda error: error.line or 0)
    said = f"{bad:,} of {records:,} rows are" if records else f"{bad:,} rows are"
    allowed = limit.of(records or sys.maxsize)
    reason = f"{said} bad, and bad_rows allows {allowed:,} of this file. The first: {explained(first.reason)}"
    return Reject(file, reason, first.line, first.column, first.code)


def _scanned(staged: Staged, batch: Batch) -> int | None:
    """The lines that COPY scanned; None if it has not reported every file."""
    if any(file.key not in staged.lines for file in batch.readable):
        return None
    return sum(staged.lines.values())


class _Reading:
    """Reads files of a batch, each once for the same question."""

    def __init__(self, store: Store, batch: Batch, dataset: Dataset) -> None:
        self._store, self._batch, self._dataset = store, batch, dataset
        self._records: int | None = -1

    def records(self) -> int | None:
        """The records of all files; None if they cannot all be read."""
        if self._records == -1:
            found = misfits.look(self._store, self._batch.readable, self._dataset)
            whole = all(one.whole for one in found)
            self._records = sum(one.records for one in found) if whole else None
        return self._records

    def of(
        self, files: Sequence[DataFile], refused: Mapping[str, list[Refused]]
    ) -> dict[str, Found]:
        """What is in these files and in those with refused rows, by key."""
        wanted = {file.key for file in files} | refused.keys()
        chosen = [file for file in self._batch.readable if file.key in wanted]
        found = misfits.look(self._store, chosen, self._dataset, refused)
        return {file.key: one for file, one in zip(chosen, found, strict=True)}


def _refused(
    api: DataApi, load: Load, batch: Batch, dataset: Dataset, staged: Staged, reading: _Reading
) -> dict[str, list[Refused]] | str:
    """The rows that COPY has refused, by the file's key; or why they are not known."""
    # Also if as many rows are loaded as lines were scanned: two records may be on a line, and a third is refused.
    file_of = batches.by_reported_name(batch.readable)
    scanned = _scanned(staged, batch)
    headers = dataset.header_lines * sum(lines > 0 for lines in staged.lines.values())
    counts = {scanned, scanned - headers} if scanned is not None else set()
    errors: list[tuple[Any, ...]] = []
    for number in polls(REPORT_SECONDS):
        try:
            ended = api.run(
                [sql.render_one("stage/rows_refused.sql", {"stage_table": staged.table})],
                token=client_token(load["load_id"], "refused", staged.table, number),
                name=f"{load['load_id']} rows refused {batch.name}",
                limit=ASK_SECONDS,
            )
            rows = list(api.rows(f"{ended.id}:1"))
        except (StatementFailed, TimeoutError) as error:
            logger.warning("COPY's errors could not be read", error=str(error))
            continue
        errors = [row for row in rows if row[0] is not None]
        # One row a COPY, and it says how many errors there are: else the report is not there yet.
        if not rows or len(errors) != int(rows[0][5] or 0):
            continue
        named = [(file_of(str(row[0])), row) for row in errors]
        accounted = staged.rows + len(errors)
        if all(file for file, _ in named) and (
            accounted in counts or accounted == reading.records()
        ):
            return _by_file(named, dataset)
    return INCOMPLETE.format(
        loaded=staged.rows,
        refused=len(errors),
        scanned="an unknown number" if scanned is None else scanned,
    )


def _by_file(
    named: Sequence[tuple[DataFile | None, tuple[Any, ...]]], dataset: Dataset
) -> dict[str, list[Refused]]:
    refused: dict[str, list[Refused]] = {}
    for file, (_, line, column, code, message, _) in named:
        reason = without_values(str(message)) if dataset.masks else str(message)
        error = Refused(line, str(column or "").strip() or None, code, reason)
        refused.setdefault(file.key if file else "", []).append(error)
    return refused


def _correct(found: Found, staged: Staged) -> None:
    """Of a single file, or if no value is unfit: Redshift's count is right, although the loader has found another."""
    lost = max(staged.unfit - found.rows, 0)
    unfit = [row for row in found.kept if row.code is None][: staged.unfit]
    refused = [row for row in found.kept if row.code is not None]
    columns = ", ".join(column.rstrip("?") for column in staged.columns)
    reason = f"Values do not fit, or are missing, in one of these columns: {columns}. The loader did not find the line."
    found.kept = [*refused, *unfit, *(Refused(None, None, None, reason) for _ in range(lost))]
    found.rows = staged.unfit


def _ledger_rows(load: Load, batch: Batch, file: DataFile, found: Found) -> list[dict[str, Any]]:
    return [
        {
            "bucket": file.bucket,
            "key": file.key,
            "etag": file.etag,
            "dataset": batch.dataset,
            "line": row.line,
            "column_name": row.column,
            "code": row.code,
            "reason": explained(row.reason).encode()[:1024].decode(errors="ignore"),
            "raw_record": row.raw,
            "load_id": load["load_id"],
            "batch": batch.name,
        }
        for row in found.kept
    ]


def write(store: Store, load: Load, batch: Batch, judged: Judged) -> None:
    """Writes what publish needs: the ledger's rows, and the first of them for the report."""
    store.put_lines(keys.rejected_rows(load["load_id"], batch.name), judged.rows)
    shown = ("key", "line", "column_name", "code", "reason")
    examples = [{name: row[name] for name in shown} for row in judged.rows[:EXAMPLES]]
    store.put(keys.bad_rows(load["load_id"], batch.name), examples)
