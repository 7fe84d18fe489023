"""Find the bad files of a batch whose COPY failed, so that the good ones are loaded.

Redshift names a file whose data is bad: COPY … NOLOAD finds them all in one pass. It names none for what it cannot read
(gone, denied, corrupt), or for a check that failed: those are found by HEAD, by the key in the error, or by halving
the batch.

In: the load, and the batch with COPY's error or the failed checks.
Out: the batch with outcome ``again`` (with fewer files, or halved), ``next`` (a single file is put aside), ``running``
or ``failed``.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from loader import batches, sql, statements
from loader.batches import Batch, Reject
from loader.dataapi import DataApi, Statement, client_token, failure
from loader.datasets import Dataset, datasets
from loader.failures import (
    Kind,
    attempts,
    concerns_no_file,
    gives_no_reason,
    is_a_files,
    is_interruption,
    kind_of,
    may_pass,
)
from loader.names import common, for_dataset, state_of
from loader.observability import logger, step
from loader.parts import MAX_PARTS, new_parts, suspect
from loader.settings import settings
from loader.steps import LOST, advance, pause
from loader.store import DataFile, Head, Store
from stage import MAX_ATTEMPTS

HEADS_AT_A_TIME = 16
MAX_ERRORS = 100_000  # COPY's limit: it fails at this many errors or more

api = DataApi(settings())
store = Store(settings().work_bucket)


@step
def handler(event: dict[str, Any]) -> dict[str, Any]:
    load, state = event["load"], event["batch"]
    batch = batches.load(store, load["load_id"], state["batch"])
    dataset = datasets()[batch.dataset]
    if state.get("failed_checks"):
        return after_failed_checks(load, state, batch)
    if concerns_no_file(state["error"]):
        return no_file(state)
    if may_pass(state["error"]):
        return interrupted(state, state["error"])
    statement, pending = advance(
        api, state.get("statement"), lambda: submit(load, state, batch, dataset)
    )
    if statement.running:
        return {**state, "statement": pending, "outcome": "running"}
    state = {**state, "statement": None}
    if statement is LOST and state["attempt"] < MAX_ATTEMPTS:
        return {**state, "attempt": state["attempt"] + 1, "outcome": "again"}
    if statement is LOST:
        cause = (
            f"The Data API forgot each statement that looked for the bad files: {state['error']}"
        )
        return {**state, "outcome": "failed", "cause": cause}
    if not statement.finished:
        statement = api.describe(statement.id)
        error = failure(statement)[:2000]
        if kind_of(statement) is Kind.TRY_AGAIN:
            return interrupted(state, error, looking=True)
        state = {**state, "error": error}
        if kind_of(statement) is not Kind.COPY or concerns_no_file(error):
            return no_file(state)
    rejects, interruption = named_by_redshift(load, state, batch, statement)
    if interruption and not rejects:
        return interrupted(state, interruption)
    if not rejects and statement.finished and may_have_passed(state, batch):
        return {**state, "retried": batch.name, "outcome": "again"}
    rejects = rejects or named_by_s3(batch)
    if rejects:
        logger.warning(
            "files rejected",
            files=len(rejects),
            first=rejects[0].file.key,
            reason=rejects[0].reason,
        )
        batches.save(store, load["load_id"], without(batch, rejects))
        return {**state, "outcome": "again"}
    return divide(load, state, batch, trusted=is_a_files(state["error"]))


def may_have_passed(state: dict[str, Any], batch: Batch) -> bool:
    """Whether COPY is tried once more, since NOLOAD has read all files well: of a batch before it is divided, and of a
    single file before it is judged. What lies between is divided at once.
    """
    whole_or_single = not state.get("parts") or len(batch.readable) == 1
    return whole_or_single and state.get("retried") != batch.name


def interrupted(state: dict[str, Any], error: str, *, looking: bool = False) -> dict[str, Any]:
    """An interruption judges no file, however often it comes. What was interrupted is done once more: the look for the
    bad files (``looking``), or COPY itself; in the end the batch fails.
    """
    if state["attempt"] >= attempts(error, MAX_ATTEMPTS):
        return no_file({**state, "error": error})
    pause(state["attempt"])
    state = {**state, "attempt": state["attempt"] + 1}
    return {**state, "outcome": "running"} if looking else {**state, "outcome": "again"}


def no_file(state: dict[str, Any]) -> dict[str, Any]:
    """What failed is the set-up's or the warehouse's, and no file is rejected for it."""
    cause = f"COPY failed for a reason that is not a file's: {state['error']}"
    return {**state, "outcome": "failed", "cause": cause}


def submit(
    load: dict[str, Any], state: dict[str, Any], batch: Batch, dataset: Dataset
) -> Statement:
    """COPY … NOLOAD of the batch into the staging parent (nothing is loaded), and the errors it met."""
    names = for_dataset(settings(), store, dataset, dataset.stage_table)
    uri = f"{state_of(load)}/finding/{batch.name}.{state['attempt']}.json"
    names["manifest"] = store.put(uri, batches.manifest(batch.readable))
    names["copy_options"] = f"{batch.compression} NOLOAD MAXERROR {MAX_ERRORS}"
    return api.submit(
        statements.find_bad_files(dataset, names, batch.columns or ()),
        token=client_token(load["load_id"], "find", batch.name, state["attempt"]),
        name=f"{load['load_id']} find bad files {batch.name}.{state['attempt']}",
        wait=settings().wait_seconds,
    )


def named_by_redshift(
    load: dict[str, Any], state: dict[str, Any], batch: Batch, statement: Statement
) -> tuple[list[Reject], str]:
    """The files for which COPY left error rows, each with its first error; and if there are none but rows of an
    interruption, what the first of those says.
    """
    interruption = ""
    if statement.finished:
        rejects, interruption = from_rows(batch, list(api.rows(f"{statement.id}:2")))
        if rejects:
            return rejects, ""
    # NOLOAD says nothing, or failed itself: at 100,000 errors, with rows of files seen so far, or on what leaves none.
    part = statement.failed_part
    queries = [part.query_id if part else -1, state.get("query_id", -1)]
    for number, query in enumerate(q for q in queries if q and q > 0):
        ended = api.run(
            [sql.render_one("stage/find_errors.sql", {"query": str(query)})],
            token=client_token(load["load_id"], f"errors{number}", batch.name, state["attempt"]),
            name=f"{load['load_id']} errors {batch.name}.{state['attempt']}",
        )
        rejects, more = from_rows(batch, list(api.rows(f"{ended.id}:1")))
        if rejects:
            return rejects, ""
        interruption = interruption or more
    return [], interruption


def from_rows(batch: Batch, rows: list[tuple[Any, ...]]) -> tuple[list[Reject], str]:
    """The rejected files, and the first message that is an interruption's."""
    file_of = batches.by_reported_name(batch.files)
    rejects, interruption = [], ""
    for name, line, column, code, message, errors in rows:
        if is_interruption(str(message)):
            interruption = interruption or str(message)
        elif (file := file_of(str(name))) and not gives_no_reason(str(message)):
            more = (
                f" ({errors} errors in the file)" if isinstance(errors, int) and errors > 1 else ""
            )
            rejects.append(Reject(file, f"{message}{more}", line, column or None, code))
    return rejects, interruption


def named_by_s3(batch: Batch) -> list[Reject]:
    """The files that S3 does not have any more. What it denies to this function it may give to COPY: no reason."""
    return [
        Reject(file, "The object was deleted before COPY read it.", status="missing")
        for file, head in zip(batch.files, heads_of(batch.files), strict=True)
        if head.state == "missing"
    ]


def heads_of(files: Sequence[DataFile]) -> list[Head]:
    with ThreadPoolExecutor(HEADS_AT_A_TIME) as pool:
        return list(pool.map(lambda file: store.head(file.bucket, file.key), files))


def without(batch: Batch, rejects: list[Reject]) -> Batch:
    """The batch with these files rejected from it, but for those that were replaced since they were planned: what COPY
    has read was perhaps not the planned version, which may be good. They are staged again as they are now.
    """
    heads = heads_of([reject.file for reject in rejects])
    now = {
        reject.file.key: head.file
        for reject, head in zip(rejects, heads, strict=True)
        if head.file and head.file.etag != reject.file.etag
    }
    left = batch.without(reject for reject in rejects if reject.file.key not in now)
    columns = None if now else left.columns  # another version may have another header
    return replace(
        left, files=tuple(now.get(file.key, file) for file in left.files), columns=columns
    )


def named_by_error(batch: Batch, error: str) -> DataFile | None:
    """The file whose URL, encoded or not, is in COPY's error: of several (one key may begin another) the longest."""
    said = (error, unquote(error))
    found = [file for file in batch.readable if any(file.url in text for text in said)]
    return max(found, key=lambda file: len(file.key), default=None)


def divide(
    load: dict[str, Any], state: dict[str, Any], batch: Batch, *, trusted: bool = False
) -> dict[str, Any]:
    """Goes on without the file that the error names, or with half of the batch if it names none; the rest waits.

    A single file is the bad one if the error is surely a file's (``trusted``), or if another part of the batch has
    been published; otherwise it is put aside until one has.
    """
    named = named_by_error(batch, state["error"])
    single = batch.readable[0] if len(batch.readable) == 1 else None
    surely_bad = (single or named) if trusted else (single if state.get("good") else None)
    if surely_bad:
        reject = Reject(surely_bad, state["error"])
        logger.warning("file rejected", key=reject.file.key, reason=reject.reason)
        batches.save(store, load["load_id"], without(batch, [reject]))
        return {**state, "outcome": "again"}
    if single:
        # Under a name of its own, so that it is staged anew and not told what became of it the first time.
        state, (name, _) = new_parts(state)
        batches.save(store, load["load_id"], replace(batch, name=name))
        return suspect({**state, "batch": name}, state["error"], state.get("failed_checks", []))
    if batches.parts_of(store, load["load_id"]) >= MAX_PARTS:
        cause = (
            "Too many files are bad that nobody names; the next load of what is left goes on with them. "
            f"The last failed for this: {state['error']}"
        )
        return {**state, "outcome": "failed", "cause": cause}
    state, names = new_parts(state)
    first, second = batch.apart(named, names) if named else batch.halves(names)
    batches.save(store, load["load_id"], first)
    batches.save(store, load["load_id"], second)
    todo = [second.name, *state.get("todo", [])]
    return {**state, "batch": first.name, "attempt": 0, "todo": todo, "outcome": "again"}


def after_failed_checks(
    load: dict[str, Any], state: dict[str, Any], batch: Batch
) -> dict[str, Any]:
    """A check on staging failed: it judges the file if it has ever passed, in this batch or before by the ledger."""
    trusted = False
    if len(batch.readable) == 1 and not state.get("good"):
        ended = api.run(
            [sql.render_one("stage/passed_checks.sql", common(settings()))],
            token=client_token(load["load_id"], "passed", batch.name, state["attempt"]),
            name=f"{load['load_id']} checks passed before {batch.name}",
        )
        passed = {(name, definition) for name, definition in api.rows(f"{ended.id}:1")}
        trusted = all((c["name"], c["definition"]) in passed for c in state["failed_checks"])
    going_on = divide(load, state, batch, trusted=trusted)
    return {name: value for name, value in going_on.items() if name != "failed_checks"}
