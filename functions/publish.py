"""Publish a staged batch: one transaction with the lock, the ledger, the claim, the star schema, checks and guards.

In: the load, and the batch as it was staged (without a table if there is nothing to stage in it).
Out: the batch with outcome ``published``, ``next`` (another part is next), ``running``, ``loaded meanwhile``,
``no tables`` or ``failed``. The result of the batch is in the work bucket, for the report.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from loader import batches, clients, copying, keys, statements, sweep_mark
from loader.batches import TRIED_AGAIN, Batch, Reject
from loader.checks import CheckResult, number, sentence
from loader.dataapi import Statement, client_token
from loader.datasets import Dataset, datasets
from loader.failures import Kind, failed_check, is_missing
from loader.lineage import MOST_FILES
from loader.load_document import FILES
from loader.observability import MetricUnit, logger, metrics
from loader.settings import settings
from loader.splitting import next_part
from loader.steps import advance, ending, step

if TYPE_CHECKING:
    from loader.state import BatchEvent, BatchState, Load, Reading, Result


MAX_ATTEMPTS = 8
KEPT_REJECTS = 100  # of a batch, for the report; the ledger has them all
KEPT_AGAIN = 10_000  # of a batch, for the sweep
UNDONE = (
    "The load was undone while it ran, so nothing more of it is published. What it had not published yet is not "
    "withdrawn; the next sweep loads it."
)
MISSING = 'It was dropped: an execution with {"check": true} lists everything that is missing, and says what to do.'

api = clients.api()
store = clients.store()


@step
def handler(event: BatchEvent) -> BatchState:
    load, state = event["load"], event["batch"]
    batch = batches.read(store, load["load_id"], state["batch"])
    dataset = datasets()[batch.dataset]
    attempt = state.get("publish_attempt", 0)
    begun = state.get("publish_begun") or time.time()
    was_staged_for = state.get("contract", "") if state["table"] else dataset.contract
    if was_staged_for != dataset.contract and not state.get("statement"):
        # A deployment has changed the contract since: what was staged may have other columns, or lack a mask.
        return {**state, "outcome": "no tables", "attempt": state["attempt"] + 1}
    sequence = statements.publish(
        dataset,
        names_of(load, state, batch, dataset),
        staged=bool(state["table"]),
        checks=state["checks"],
        reload=load["mode"] == "reload",
        again=attempt > 0,
        rejects=bool(batch.rejects),
        rows_rejected=bool(state["table"] and state.get("rows_rejected")),
    )
    lines: dict[str, int] = {}
    statement, pending = advance(
        api,
        state.get("statement"),
        lambda: submit(load, state, batch, sequence, attempt, lines),
        behind_lock=True,
    )
    state = {**state, "publish_attempt": attempt, "statement": pending, "publish_begun": begun}
    if statement.running:
        return {**state, "outcome": "running"}
    if not statement.finished:
        return not_published(state, statement)
    return published(load, state, batch, f"{statement.id}:{len(sequence)}", lines)


def names_of(load: Load, state: BatchState, batch: Batch, dataset: Dataset) -> dict[str, str]:
    """What the publish templates can use."""
    names = (
        copying.names(store, dataset, state["table"])
        if state["table"]
        else settings().template_names
    )
    return {
        **names,
        **statements.batch_names(load, batch.name),
        "dataset": dataset.name,
        "ledger": store.uri(keys.ledger_rows(load["load_id"], batch.name)),
        "files_loaded": str(len(batch.files)),
        "files_rejected": str(len(rejected(batch))),
        "rows_staged": str(state["rows"]),
        "rows_refused": str(state.get("refused", 0)),
        "rejected_rows": store.uri(keys.rejected_rows(load["load_id"], batch.name)),
        "rows_copied": "NULL" if state["copied"] is None else str(state["copied"]),
        "header_lines": str(dataset.header_lines),
        "first_start": state["first_start"],
        "last_start": state["last_start"],
    }


def submit(
    load: Load,
    state: BatchState,
    batch: Batch,
    sequence: Sequence[str],
    attempt: int,
    lines: dict[str, int],
) -> Statement:
    """Writes the ledger rows for COPY, and submits the transaction. ``lines`` gets the lines of each file."""
    lines |= (
        store.get(keys.lines(load["load_id"], batch.name))
        if state["table"]
        else {file.key: 0 for file in batch.files}
    )
    store.put_lines(keys.ledger_rows(load["load_id"], batch.name), ledger_rows(load, batch, lines))
    return api.submit(
        sequence,
        token=client_token(load["load_id"], "publish", batch.name, attempt),
        name=f"{load['load_id']} publish {batch.name}.{attempt}",
        wait=settings().wait_seconds,
    )


def ledger_rows(load: Load, batch: Batch, lines: dict[str, int]) -> list[dict[str, Any]]:
    """The rows of the table files for a batch: what is loaded, and what is not and why."""
    common_columns = {"dataset": batch.dataset, "load_id": load["load_id"], "batch": batch.name}
    rows = [
        {
            "bucket": file.bucket,
            "key": file.key,
            "etag": file.etag,
            "size": file.size,
            "status": "loaded",
            "lines": lines.get(file.key),
            **common_columns,
        }
        for file in batch.files
    ]
    rows += [
        {
            "bucket": reject.file.bucket,
            "key": reject.file.key,
            "etag": reject.file.etag,
            "size": reject.file.size,
            "status": reject.status,
            "reason": shortened(whole_reason(reject), 1024),
            "error_line": reject.line,
            "error_column": reject.column,
            "error_code": reject.code,
            **common_columns,
        }
        for reject in batch.rejects
    ]
    return rows


def whole_reason(reject: Reject) -> str:
    """The reason, cut if necessary, with the start of the line if that was read."""
    if not reject.line_begins:
        return reject.reason
    return f"{shortened(reject.reason, 700)} The line begins: {reject.line_begins}"


def rejected(batch: Batch) -> list[Reject]:
    """Those that are not tried again automatically."""
    return [reject for reject in batch.rejects if reject.status not in TRIED_AGAIN]


def shortened(text: str, limit: int) -> str:
    """The text cut to the length of a VARCHAR, which is in bytes."""
    return text.encode()[:limit].decode(errors="ignore")


def not_published(state: BatchState, statement: Statement) -> BatchState:
    """What to do after a publish transaction that failed; all of it was rolled back."""
    attempt, batch = state["publish_attempt"] + 1, state["batch"]
    end = ending(api, statement, state["statement"], f"published the batch {batch}")
    logger.warning("publishing failed", kind=end.kind.name, error=end.error)
    state = {**state, "statement": None, "publish_attempt": attempt}
    match end.kind:
        # A lost one may have committed: publishing twice changes nothing. After AGAIN, publish/again.sql goes first.
        case Kind.LOST | Kind.AGAIN | Kind.TRY_AGAIN if attempt < MAX_ATTEMPTS:
            return {**state, "outcome": "running"}
        case Kind.NO_TABLES if attempt < MAX_ATTEMPTS:
            return {**state, "outcome": "no tables", "attempt": state["attempt"] + 1}
        case Kind.CLAIM:
            return {**state, "outcome": "loaded meanwhile"}
        case Kind.CHECK:
            name, figure, expected = failed_check(end.statement)
            failed = CheckResult(name, "published", batch, number(figure), number(expected))
            checks = [*state["checks"], failed.as_dict()]
            return {**state, "outcome": "failed", "cause": sentence([failed]), "checks": checks}
        case Kind.UNDONE:
            cause = UNDONE
        case Kind.TOO_LONG | Kind.LOST:
            cause = end.error
        case _:
            cause = f"Batch {batch} could not be published: {end.error}"
            if is_missing(end.error):
                cause += f" {MISSING}"
    return {**state, "outcome": "failed", "cause": cause}


def published(
    load: Load, state: BatchState, batch: Batch, figures: str, lines: dict[str, int]
) -> BatchState:
    """Reads the figures, writes the batch's result for the report, and continues with the next part.

    ``lines``: of each file, if this call knows them.
    """
    rows: dict[str, int | None] = {}
    checks = list(state["checks"])
    ledger: Reading | None = None
    if state["table"]:
        rows[datasets()[batch.dataset].stage_table] = state["rows"]
        for kind, name, figure, expected in api.rows(figures):
            if kind == "rows":
                rows[str(name)] = None if figure is None else int(figure)
            elif kind == "ledger":
                ledger = sweep_mark.reading(name, figure, state["publish_begun"], own=1)
            else:
                checks.append(
                    CheckResult(str(name), "published", batch.name, figure, expected).as_dict()
                )
    seconds = round(time.time() - state["publish_begun"], 3)
    tried_again = [reject for reject in batch.rejects if reject.status in TRIED_AGAIN]
    store.put(
        keys.result(load["load_id"], batch.name),
        {
            "batch": batch.name,
            "dataset": batch.dataset,
            "loaded": len(batch.files),
            "rejected": len(batch.rejects) - len(tried_again),
            **{
                status: sum(reject.status == status for reject in tried_again)
                for status in TRIED_AGAIN
            },
            "loaded_bytes": sum(file.size for file in batch.files),
            "inputs": [
                [file.key, file.etag, file.size, lines.get(file.key)]
                for file in batch.files[: MOST_FILES + 1]
            ],
            "rejects": [
                reject.as_dict()
                for kind in (rejected(batch), tried_again)
                for reject in kind[:KEPT_REJECTS]
            ],
            **files_of(batch),
            **rejected_rows(load, state, batch),
            "cut": state.get("cut", {}) if state["table"] else {},
            "again": [reject.file.as_dict() for reject in tried_again[:KEPT_AGAIN]],
            "rows": rows,
            "checks": checks,
            "ledger": ledger,
            "seconds": {"stage": state["stage_seconds"], "publish": seconds},
        },
    )
    measure(batch, state, rows)
    return next_part(state, good=bool(state["table"]))


def files_of(batch: Batch) -> Result:
    """The batch's files for the load's document, and their bytes."""
    rejects = [[each.file.key, each.status, each.file.size] for each in batch.rejects[:FILES]]
    loaded = [
        [file.key, "loaded", file.size] for file in batch.files[: max(FILES - len(rejects), 0)]
    ]
    total = sum(each.file.size for each in batch.rejects) + sum(file.size for file in batch.files)
    return {"files": rejects + loaded, "bytes": total}


def rejected_rows(load: Load, state: BatchState, batch: Batch) -> Result:
    """How many rows of the files are left out, and the first of them."""
    if not state["table"] or not state.get("rows_rejected"):
        return {}
    first = store.get(keys.bad_rows(load["load_id"], batch.name))
    return {"rows_rejected": state["rows_rejected"], "rejected_rows": first}


def measure(batch: Batch, state: BatchState, rows: dict[str, int | None]) -> None:
    metrics.add_dimension("dataset", batch.dataset)
    metrics.add_metric("FilesLoaded", MetricUnit.Count, len(batch.files))
    metrics.add_metric("FilesRejected", MetricUnit.Count, len(rejected(batch)))
    if left_out := state.get("rows_rejected"):
        metrics.add_metric("RowsRejected", MetricUnit.Count, left_out)
    metrics.add_metric(
        "RowsStaged", MetricUnit.Count, int(rows.get(datasets()[batch.dataset].stage_table) or 0)
    )
