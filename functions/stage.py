"""Stage the files of a batch: a separate staging table, COPY and the audit, in one transaction.

In: the load, and the batch as the last step left it.
Out: the batch with outcome ``staged``, ``running``, ``no tables``, ``bad files`` (COPY or a check failed), ``again``,
``failed``, and if nothing of the batch is left ``published`` or ``next``. If a check fails, nothing is published:
find_bad_files finds out whether a file or the check itself is wrong.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from loader import bad_rows, batches, clients, copying, headers, keys, sql, statements, unknown
from loader.bad_rows import Judged
from loader.batches import Batch, Reject
from loader.checks import CheckResult, sentence
from loader.dataapi import Statement, StatementFailed, StatementLost, client_token
from loader.datasets import Dataset, datasets
from loader.drift import Audit
from loader.failures import Kind, attempts
from loader.migrations import latest_version
from loader.observability import logger
from loader.sampling import Sample, Sampler
from loader.settings import settings
from loader.splitting import MAX_PARTS, name_parts, next_part
from loader.sql import Rendered
from loader.steps import advance, ending, pause, polls, step, without
from loader.store import DataFile, MissingObject
from loader.tables import is_behind
from loader.unmapped import shortened

if TYPE_CHECKING:
    from loader.state import BatchEvent, BatchState, Load


MAX_ATTEMPTS = 8
# The statements of a staging, by their numbers. A dataset's own statements come before the audit, which is the last.
COPY, COUNT, REPORT, AUDIT = 2, 3, 4, 5
REPORT_SECONDS = 60  # to wait for what Redshift has not reported yet
ASK_SECONDS = 30  # for one query of the report

api = clients.api()
store = clients.store()


@step
def handler(event: BatchEvent) -> BatchState:
    load, state = event["load"], event["batch"]
    batch = batches.read(store, load["load_id"], state["batch"])
    dataset = datasets()[batch.dataset]
    if state.get("held") and (batch.held or state["todo"]):
        batch = record_held(load, state, batch)
        state = {**state, "todo": []}
    if not batch.files and not batch.rejects:
        return next_part(state)  # another load has loaded all of it
    if dataset.header and batch.columns is None and batch.readable:
        batch, divided = split_by_header(load, state, batch, dataset)
        if divided:
            return divided
    if dataset.from_key and batch.files:
        batch = without_values(load, batch, dataset)
    if not batch.readable:
        return staged(state, batch, table="", audit={}, checks=[])
    attempt = state.get("attempt", 0)
    table = keys.stage_table(dataset.stage_table, load["load_id"], batch.name, attempt)
    # This call has used its time to wait for the statement: any further waiting needs another call.
    waited = bool(state.get("statement")) and not state.get("asking")
    begun = state.get("begun") or time.time()
    sampler = None if state.get("statement") else Sampler(store, batch.readable, dataset)
    sequence: list[Rendered] = []
    if not state.get("statement"):
        sequence = prepare(load, batch, dataset, table, reported=not state.get("unreadable"))
        state = {**state, "audit": len(sequence)}
    statement, pending = advance(
        api, state.get("statement"), lambda: submit(load, batch, sequence, attempt)
    )
    state = {
        **state,
        "dataset": dataset.name,
        "attempt": attempt,
        "statement": pending,
        "begun": begun,
    }
    if statement.running:
        if sampler:
            store.put(keys.drift_sample(load["load_id"], batch.name), asdict(sampler.result()))
        return {**state, "outcome": "running"}
    if not statement.finished:
        return not_staged(load, state, dataset, statement)
    return audit(load, state, batch, dataset, table, statement, sampler, waited=waited)


def without_values(load: Load, batch: Batch, dataset: Dataset) -> Batch:
    """The batch without files whose key lacks a value that a column takes from it: all of them, or none."""
    values = dataset.values_of_key(batch.files[0].key)
    lacking = [
        f"{name}="
        for (_, name), value in zip(dataset.from_key, values, strict=True)
        if value is None
    ]
    if not lacking:
        return batch
    columns = ", ".join(column for column, _ in dataset.from_key)
    reason = (
        f"Its key has no folder {' and no folder '.join(lacking)}, from which the dataset takes {columns}. Upload it "
        f"under a key such as {dataset.prefix}{lacking[0]}2026-11-28/"
    )
    batch = batch.without([Reject(file, reason) for file in batch.files])
    batches.write(store, load["load_id"], batch)
    return batch


def split_by_header(
    load: Load, state: BatchState, batch: Batch, dataset: Dataset
) -> tuple[Batch, BatchState | None]:
    """Reads the headers of the files. Returns the batch without the files of bad headers; and if the columns are in
    several orders, the state to continue with, in parts of one order each.
    """
    found = headers.by_order(store, batch, dataset)
    if unread := sum(one.unread_headers for one in found):
        logger.warning("headers could not be read; COPY reports what is wrong", files=unread)
    if rejects := found[0].rejects[len(batch.rejects) :]:
        logger.warning(
            "files rejected",
            files=len(rejects),
            first=rejects[0].file.key,
            reason=rejects[0].reason,
        )
    if len(found) == 1:
        batches.write(store, load["load_id"], found[0])
        return found[0], None
    room = MAX_PARTS - batches.parts_of(store, load["load_id"])
    if room < 2:
        cause = (
            f"The files of batch {batch.name} have {len(found)} different column orders, too many for one load: "
            "the next load continues with what is left."
        )
        return batch, {**state, "outcome": "failed", "cause": cause}
    if len(found) > room:
        others = tuple(file for one in found[room - 1 :] for file in one.files)
        found = [*found[: room - 1], replace(found[-1], files=others, columns=None)]
    state, names = name_parts(state, len(found))
    for name, one in zip(names, found, strict=True):
        batches.write(store, load["load_id"], replace(one, name=name))
    todo = [*names[1:], *state.get("todo", ())]
    return batch, {**state, "batch": names[0], "attempt": 0, "todo": todo, "outcome": "again"}


def record_held(load: Load, state: BatchState, batch: Batch) -> Batch:
    """Joins the parts that were set aside and not confirmed to be bad into one batch, for the ledger."""
    parts = [batch, *(batches.read(store, load["load_id"], name) for name in state["todo"])]
    rejects = tuple(reject for part in parts for reject in (*part.rejects, *part.held))
    batch = Batch(batch.name, batch.dataset, (), rejects)
    batches.write(store, load["load_id"], batch)
    return batch


def prepare(
    load: Load, batch: Batch, dataset: Dataset, table: str, *, reported: bool
) -> list[Rendered]:
    """Writes the manifest, and returns CREATE, COPY and the audit, for one transaction.

    ``reported``: the transaction also reads COPY's report on the files.
    """
    copying.write_jsonpaths(store, dataset)
    names = copying.copy_names(
        store,
        dataset,
        table,
        manifest=keys.manifest(load["load_id"], table),
        files=[(file.url, file.size) for file in batch.readable],
        options=copying.tolerant(batch.compression, dataset, len(batch.readable)),
    )
    names["dataset"] = dataset.name
    if dataset.from_key:
        values = dataset.values_of_key(batch.files[0].key)
        row = {
            column: value or None
            for (column, _), value in zip(dataset.from_key, values, strict=True)
        }
        names["values_of_key"] = store.put_lines(
            keys.values_of_key(load["load_id"], batch.name), [row]
        )
    return statements.stage(dataset, names, reported=reported, columns=batch.columns or ())


def submit(load: Load, batch: Batch, sequence: list[Rendered], attempt: int) -> Statement:
    return api.submit(
        sequence,
        token=client_token(load["load_id"], "stage", batch.name, attempt),
        name=f"{load['load_id']} stage {batch.name}.{attempt}",
        wait=settings().wait_seconds,
    )


def not_staged(load: Load, state: BatchState, dataset: Dataset, statement: Statement) -> BatchState:
    """What to do after a staging statement that failed."""
    attempt, batch = state["attempt"], state["batch"]
    end = ending(api, statement, state["statement"], f"staged the batch {batch}")
    logger.warning("staging failed", kind=end.kind.name, error=end.error)
    part = end.statement.failed_part
    number = part.id.rpartition(":")[2] if part else ""
    state = {**state, "statement": None, "attempt": attempt + 1}
    # Its own CREATE, when an execution is redriven after the Data API has forgotten the token: use another table name.
    exists = number == "1" and "already exists" in end.error
    if exists and attempt + 1 < MAX_ATTEMPTS:
        return {**state, "outcome": "again"}
    is_report = number == str(REPORT)
    if is_report and end.kind is not Kind.TRY_AGAIN and not state.get("unreadable"):
        return {**state, "unreadable": True, "outcome": "again"}
    may_be_older = end.kind in (Kind.COPY, Kind.OTHER) and attempt + 1 < MAX_ATTEMPTS
    # COPY into tables of an older contract says nothing about the files.
    if may_be_older and is_behind(load, dataset, f"stage.{batch}.{attempt}"):
        return {**state, "outcome": "no tables"}
    match end.kind:
        case Kind.LOST if attempt < MAX_ATTEMPTS:
            return {**state, "outcome": "again"}
        case Kind.NO_TABLES if attempt + 1 < MAX_ATTEMPTS:
            return {**state, "outcome": "no tables"}
        case Kind.TRY_AGAIN if attempt + 1 < attempts(end.error, MAX_ATTEMPTS):
            pause(attempt + 1)
            return {**state, "outcome": "again"}
        case Kind.COPY:
            query = part.query_id if part else -1
            return {
                **state,
                "outcome": "bad files",
                "stage_error": end.error[:2000],
                "query_id": query,
            }
        case Kind.TOO_LONG | Kind.LOST:
            return {**state, "outcome": "failed", "cause": end.error}
        case _:
            cause = f"Batch {batch} could not be staged: {end.error}"
            return {**state, "outcome": "failed", "cause": cause}


def audit(
    load: Load,
    state: BatchState,
    batch: Batch,
    dataset: Dataset,
    table: str,
    statement: Statement,
    sampler: Sampler | None,
    *,
    waited: bool,
) -> BatchState:
    """Reads what COPY reports about each file, and the checks on the staged rows."""
    pending = state["statement"]
    state = without(state, "asking")
    state["statement"] = None
    figures: BatchState = {}
    checks: list[CheckResult] = []
    reported: list[tuple[Any, ...]] = []
    misfits: dict[str, int] = {}
    cut: dict[str, int] = {}
    noticed = Audit()
    contracts: dict[int, str] = {}
    for row in api.rows(f"{statement.id}:{state.get('audit', AUDIT)}"):
        kind, name, digest, figure, expected, first, last = row
        noticed.take(row)
        if kind == "staged":
            figures = {
                "rows": int(figure or 0),
                "first_start": str(first or sql.NO_TIME),
                "last_start": str(last or sql.NO_TIME),
            }
        elif kind == "version" and figure != latest_version():
            if isinstance(figure, int) and figure > latest_version():
                cause = (
                    f"The tables have version {figure}, but this loader supports {latest_version()}: "
                    "deploy the newer loader."
                )
                return {**state, "outcome": "failed", "cause": cause}
            if state["attempt"] >= MAX_ATTEMPTS:
                cause = f"The tables are still at version {figure}; this loader needs {latest_version()}."
                return {**state, "outcome": "failed", "cause": cause}
            return {**state, "attempt": state["attempt"] + 1, "outcome": "no tables"}
        elif kind == "contract":
            contracts[int(figure or 0)] = str(name)
        elif kind == "check":
            checks.append(
                CheckResult(str(name), "staged", batch.name, figure, expected, str(digest))
            )
        elif kind == "file":
            reported.append((name, digest, figure))
        elif kind == "misfits" and figure:
            counts = cut if str(name).endswith("+") else misfits
            counts[str(name or "").rstrip("+")] = int(figure)
    # The last of the contracts that the tables have had; another digest says that their columns may be others.
    if dataset.contract and contracts.get(max(contracts, default=0)) != dataset.contract:
        if state["attempt"] >= MAX_ATTEMPTS:
            cause = f"The tables of {dataset.name} are still not of its contract."
            return {**state, "outcome": "failed", "cause": cause}
        return {**state, "attempt": state["attempt"] + 1, "outcome": "no tables"}
    failed = [check for check in checks if not check.passed]
    if failed:
        return {
            **state,
            "attempt": state["attempt"] + 1,
            "outcome": "bad files",
            "stage_error": sentence(failed),
            "failed_checks": [check.as_dict() for check in failed],
            "bad_rows": {"rows": misfits.get("", 0), "columns": misfit_columns(misfits)},
        }
    copied = rows_copied(statement, figures["rows"])
    if not is_complete(reported, batch, dataset, figures["rows"]):
        if waited:
            return {**state, "statement": pending, "asking": True, "outcome": "running"}
        later = later_report(load, batch, dataset, table, figures["rows"])
        reported = [row[:3] for row in later] if len(later) > len(reported) else reported
        if copied is None:
            copied = next((int(row[3]) for row in later if row[3] is not None), None)
    figures |= {"copied": copied, "cut": cut}
    files, lines = as_copied(batch, reported)
    if unreported := [file.key for file in batch.files if file.key not in lines]:
        logger.warning("files not reported by COPY", files=len(unreported), first=unreported[0])
    if files != batch.files:
        again = bool(dataset.header) and state["attempt"] < MAX_ATTEMPTS
        # If a file was replaced after its header was read, COPY has skipped a header that nothing has checked.
        batch = replace(batch, files=files, columns=None if again else batch.columns)
        batches.write(store, load["load_id"], batch)
        if again:
            return {**state, "attempt": state["attempt"] + 1, "outcome": "again"}
    if dataset.rejects_unknown and dataset.layout.format == "json":
        if waited:
            return {**state, "statement": pending, "asking": True, "outcome": "running"}
        rejects, complete = with_unknown_keys(load, batch, dataset)
        if rejects:
            return without_unknown_keys(load, state, batch, rejects)
        if not complete:
            return {**state, "statement": pending, "asking": True, "outcome": "running"}
    if dataset.rows and dataset.rows.limit:
        found = bad_rows.Staged(
            table, figures["rows"], lines, misfits.get("", 0), misfit_columns(misfits)
        )
        if waited:
            return {**state, "statement": pending, "asking": True, "outcome": "running"}
        judged = bad_rows.judge(api, store, load, batch, dataset, found)
        if judged.cause:
            return {**state, "outcome": "failed", "cause": judged.cause}
        if judged.divide or judged.over:
            return bad_files(load, state, batch, judged)
        if judged.rows:
            bad_rows.write(store, load, batch, judged)
        figures |= {"refused": judged.refused, "rows_rejected": len(judged.rows)}
    store.put(keys.lines(load["load_id"], batch.name), lines)
    record_drift(load, batch, dataset, figures["rows"], noticed, sampler)
    return staged(state, batch, table, figures, checks)


def misfit_columns(misfits: dict[str, int]) -> list[str]:
    """The columns whose values do not fit, of what the audit says: columns -> rows."""
    return sorted({word for said in misfits for word in said.split()})


def bad_files(load: Load, state: BatchState, batch: Batch, judged: Judged) -> BatchState:
    """Files have more bad rows than bad_rows allows, or it is not known which: find_bad_files leaves them out."""
    rejects = [reject.as_dict() for reject in judged.over]
    store.put(keys.over_limit(load["load_id"], batch.name), rejects)
    what = (
        judged.over[0].reason
        if judged.over
        else "It is not known of which files the bad rows are, so the batch is divided."
    )
    return {
        **state,
        "attempt": state["attempt"] + 1,
        "outcome": "bad files",
        "stage_error": what[:2000],
        "over_limit": len(rejects),
    }


def with_unknown_keys(load: Load, batch: Batch, dataset: Dataset) -> tuple[list[Reject], bool]:
    """Reads all records of the files: those to reject, and whether all of the others were read to their end."""
    key = keys.records_read(load["load_id"], batch.name)
    before: dict[str, list[Any]] = {}
    with suppress(MissingObject):
        before = store.get(key)
    found = unknown.look(store, batch.readable, dataset, before)
    store.put(key, unknown.progress(found))
    return [read.bad for read in found if read.bad], all(
        read.done for read in found if not read.bad
    )


def without_unknown_keys(
    load: Load, state: BatchState, batch: Batch, rejects: list[Reject]
) -> BatchState:
    """Stages the batch again without these files. One that was replaced since COPY read it is staged as it is now."""
    logger.warning(
        "files rejected", files=len(rejects), first=rejects[0].file.key, reason=rejects[0].reason
    )
    if state["attempt"] >= MAX_ATTEMPTS:
        cause = f"Files are replaced again and again while they are read: {rejects[0].file.key}"
        return {**state, "outcome": "failed", "cause": cause}
    now = {}
    for reject in rejects:
        head = (
            store.head(reject.file.bucket, reject.file.key) if reject.status == "missing" else None
        )
        if head and head.file:
            now[reject.file.key] = head.file
    batch = batch.without(reject for reject in rejects if reject.file.key not in now)
    batch = replace(batch, files=tuple(now.get(file.key, file) for file in batch.files))
    batches.write(store, load["load_id"], batch)
    return {**state, "attempt": state["attempt"] + 1, "outcome": "again"}


def record_drift(
    load: Load, batch: Batch, dataset: Dataset, rows: int, audit: Audit, sampler: Sampler | None
) -> None:
    """Writes what was noticed about the batch, for the end of the load. Never fails the batch."""
    try:
        if dataset.header:  # the headers of all its files were compared
            sample = Sample(
                len(batch.readable) - batch.unread_headers,
                {shortened(column.name): column.file for column in batch.unknown},
                {shortened(column.name): column.suggested for column in batch.unknown},
            )
        else:
            sample = (
                sampler.result()
                if sampler
                else Sample(**store.get(keys.drift_sample(load["load_id"], batch.name)))
            )
        found = audit.document(dataset.name, rows, len(batch.readable), sample, datetime.now(UTC))
        found["unread_headers"] = batch.unread_headers
        store.put(keys.drift(load["load_id"], batch.name), found)
    except Exception:
        logger.exception("what was noticed about a batch could not be written")


def rows_copied(statement: Statement, staged_rows: int) -> int | None:
    """The rows that COPY loaded, by PG_LAST_COPY_COUNT or the Data API; None if neither reports it.

    0 together with staged rows is no answer: the Data API has been seen to report it for a COPY that loaded rows
    (https://github.com/aws/aws-sdk/issues/356).
    """
    counts = [count for (count,) in api.rows(f"{statement.id}:{COUNT}")]
    if counts and isinstance(counts[0], int) and (counts[0] > 0 or not staged_rows):
        return counts[0]
    with suppress(StatementLost):
        for part in api.describe(statement.id).parts:
            if part.id.endswith(f":{COPY}") and part.rows > 0:
                return part.rows
    return None


def is_complete(reported: list[tuple[Any, ...]], batch: Batch, dataset: Dataset, rows: int) -> bool:
    """Whether every file is reported, or the reported lines are all the rows: then the other files have none.

    COPY may count the header lines that it skips, or not.
    """
    if len(reported) >= len(batch.readable):
        return True
    lines = [int(row[2] or 0) for row in reported]
    headers = dataset.header_lines * sum(count > 0 for count in lines)
    return rows in (sum(lines), sum(lines) - headers)


def later_report(
    load: Load, batch: Batch, dataset: Dataset, table: str, rows: int
) -> list[tuple[Any, ...]]:
    """What COPY reports about each file, queried after its transaction for up to a minute, because the view may lag.

    The batch does not fail if the report cannot be read.
    """
    reported: list[tuple[Any, ...]] = []
    for number in polls(REPORT_SECONDS):
        try:
            ended = api.run(
                [sql.render_one("stage/files_copied_later.sql", {"stage_table": table})],
                token=client_token(load["load_id"], "copied", table, number),
                name=f"{load['load_id']} files copied {batch.name}",
                limit=ASK_SECONDS,
            )
            found = list(api.rows(f"{ended.id}:1"))
        except (StatementFailed, TimeoutError) as error:
            logger.warning("COPY's report could not be read", error=str(error))
            break
        reported = found if len(found) > len(reported) else reported
        if is_complete(reported, batch, dataset, rows):
            break
    return reported


def as_copied(
    batch: Batch, reported: list[tuple[Any, ...]]
) -> tuple[tuple[DataFile, ...], dict[str, int]]:
    """The files with the ETags that COPY read, and its lines by key; a file that COPY does not report has no lines.

    COPY cannot pin an ETag: if an object was replaced after the plan, the ledger records the version that was read.
    """
    file_of = batches.by_reported_name(batch.readable)
    read = {file.key: row for row in reported if (file := file_of(str(row[0])))}
    files, lines = [], {}
    for file in batch.files:
        if file.size == 0:
            lines[file.key] = 0
        if file.key not in read:
            files.append(file)
            continue
        _, etag, count = read[file.key]
        lines[file.key] = int(count or 0)
        etag = str(etag or "").strip('"') or file.etag
        files.append(
            file
            if etag == file.etag
            else DataFile(file.bucket, file.key, etag, file.size, file.modified)
        )
    return tuple(files), lines


def staged(
    state: BatchState, batch: Batch, table: str, audit: BatchState, checks: list[CheckResult]
) -> BatchState:
    return {
        **state,
        "dataset": batch.dataset,
        "contract": datasets()[batch.dataset].contract,
        "attempt": state.get("attempt", 0),
        "outcome": "staged",
        "table": table,
        "rows": 0,
        "copied": 0,
        "first_start": sql.NO_TIME,
        "last_start": sql.NO_TIME,
        **audit,
        "checks": [check.as_dict() for check in checks],
        "stage_seconds": round(time.time() - state.get("begun", time.time()), 3),
    }
