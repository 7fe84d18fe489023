"""Find the bad files of a batch whose COPY failed, so that the good ones are loaded.

Redshift names files whose data is bad: COPY … NOLOAD finds them all in one pass. It names none for what it cannot read
(deleted, denied, corrupt) or for a failed check: those files are found by HEAD, by the key in the error, or by
splitting the batch in half. Redshift's messages do not decide whether the file or the set-up is wrong: the set-up is
right if another file can be read (the control, loader/known_good.py). If no file ever could, the file is not judged,
and waits.

In: the load, and the batch with COPY's error or the failed checks.
Out: the batch with outcome ``again`` (with fewer files, or split), ``next`` (files are set aside), ``running`` or
``failed``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from loader import (
    bad_rows,
    batches,
    clients,
    copying,
    diagnosis,
    keys,
    known_good,
    misfits,
    sql,
    statements,
)
from loader.batches import Batch, Reject
from loader.dataapi import Statement, StatementLost, client_token, failure
from loader.datasets import Dataset, datasets
from loader.failures import (
    Kind,
    attempts,
    gives_no_reason,
    headline,
    is_denied,
    is_interruption,
    kind_of,
    may_pass,
)
from loader.known_good import Verdict
from loader.misfits import Found, Refused
from loader.observability import logger
from loader.settings import settings
from loader.splitting import MAX_PARTS, name_parts, set_aside
from loader.steps import LOST, advance, pause, step, without
from loader.store import DataFile, Head

if TYPE_CHECKING:
    from loader.state import BadRows, BatchEvent, BatchState, Check, Load


MAX_ATTEMPTS = 8  # of staging and this step together
HEADS_AT_A_TIME = 16
# Files of a batch that are left out one by one because an error names them: each uses about 20 events of the
# execution's history. After so many, all files that the loader may not read either are left out at once, and the rest
# is split.
MAX_NAMED = 20
ONLY_COPY = "NOLOAD reads it well, so it is not known whether the file or the set-up is wrong."
NEVER_PASSED = (
    "The check has never passed, so it is not known whether the file or the check is wrong."
)

api = clients.api()
store = clients.store()


@step
def handler(event: BatchEvent) -> BatchState:
    load, state = event["load"], event["batch"]
    if "stage_error" not in state:  # staged by the version before, which called it error
        state = {**without(state, "error"), "stage_error": str(state["error"])}
    batch = batches.read(store, load["load_id"], state["batch"])
    dataset = datasets()[batch.dataset]
    if state.get("failed_checks"):
        return after_failed_checks(load, state, batch, dataset)
    if "over_limit" in state:
        return after_bad_rows(load, state, batch, dataset)
    if "looked" not in state:
        if may_pass(state["stage_error"]):
            return interrupted(state, state["stage_error"])
        # It has no NOLOAD: COPY's own error is all there is.
        if dataset.layout.format == "parquet":
            return decide(load, state, batch, dataset, Statement("", "FAILED"))
        statement, pending = advance(
            api, state.get("statement"), lambda: submit(load, state, batch, dataset)
        )
        if statement.running:
            return {**state, "statement": pending, "outcome": "running"}
        state = {**state, "statement": None}
        if statement is LOST:
            return after_lost(state)
        state["looked"] = statement.id
    else:
        statement = Statement(state["looked"], "")
    if not statement.finished:
        try:
            statement = api.describe(statement.id)
        except StatementLost:
            return after_lost(state)
    answer = judge(load, state, batch, dataset, statement)
    if answer["outcome"] != "running":
        answer = without(answer, "looked")
    return answer


def after_lost(state: BatchState) -> BatchState:
    """The Data API no longer knows the statement that looked for the bad files."""
    if state["attempt"] < MAX_ATTEMPTS:
        state = without(state, "looked")
        return {**state, "attempt": state["attempt"] + 1, "outcome": "again"}
    cause = f"The Data API no longer knows the statement that looked for the bad files: {state['stage_error']}"
    return {**state, "outcome": "failed", "cause": cause}


def judge(
    load: Load, state: BatchState, batch: Batch, dataset: Dataset, statement: Statement
) -> BatchState:
    """What to do after NOLOAD."""
    if not statement.finished:
        error = failure(statement)[:2000]
        if kind_of(statement) is Kind.TRY_AGAIN:
            state = without(state, "looked")
            return interrupted(state, error, looking=True)
        state = {**state, "stage_error": error}
        if kind_of(statement) is not Kind.COPY:
            return fail(state)
    return decide(load, state, batch, dataset, statement)


def decide(
    load: Load, state: BatchState, batch: Batch, dataset: Dataset, statement: Statement
) -> BatchState:
    """The same, if it is no interruption. ``statement``: a failed one without an id if there was no NOLOAD."""
    rejects, interruption = named_by_redshift(load, state, batch, dataset, statement)
    if interruption and not rejects:
        return interrupted(state, interruption)
    if rejects:
        well = len(batch.readable) - len(rejects) if statement.finished else 0
        return judge_rows(load, state, batch, dataset, well, rejects)
    if statement.finished and may_have_passed(state, batch):
        return {**state, "retried": batch.name, "outcome": "again"}
    if rejects := named_by_s3(batch):
        return leave_out(load, state, batch, rejects)
    # A batch of several files is split: its own good files prove the set-up.
    alone = len(batch.readable) == 1
    state, verdict = known_good.check(api, store, load, state, batch, dataset, patient=alone)
    if answer := after_control(state, verdict):
        return answer
    # If NOLOAD reads the file although COPY does not, it would read the control too, whatever is wrong.
    named = named_by_error(batch, state["stage_error"])
    works = verdict.what == "works"
    proved = works and (named is not None or not statement.finished)
    why = ONLY_COPY if works else verdict.why
    if proved or state.get("good"):
        why = ""
    return judge_error(load, state, batch, dataset, named, why)


def after_control(state: BatchState, verdict: Verdict) -> BatchState | None:
    """What to do if the control has not read its file."""
    if verdict.what == "running":
        return {**state, "outcome": "running"}
    if verdict.what == "interrupted":
        return interrupted(state, verdict.why, looking=True)
    if verdict.what == "fails":
        return fail(state, f" {verdict.why[:2000]}")
    return None


def after_bad_rows(load: Load, state: BatchState, batch: Batch, dataset: Dataset) -> BatchState:
    """COPY has loaded the batch without its bad rows: files with too many are left out, and it is loaded again."""
    if not state["over_limit"]:
        return halve(load, without(state, "over_limit"), batch)
    found = store.get(keys.over_limit(load["load_id"], batch.name))
    rejects = [Reject.from_dict(one) for one in found]
    well = len(batch.readable) - len(rejects)
    answer = judge_rows(load, state, batch, dataset, well, rejects)
    return answer if answer["outcome"] == "running" else without(answer, "over_limit")


def judge_rows(
    load: Load, state: BatchState, batch: Batch, dataset: Dataset, well: int, rejects: list[Reject]
) -> BatchState:
    """Judges files with error rows: a wrong JSONPaths file causes them for every good file.

    The set-up is right if as many other files (``well``) were read well, if a part was published, or by the control.
    """
    proved = well >= len(rejects) or bool(state.get("good"))
    if not proved:
        # If one file was read well, it does not matter that no other ever loaded: batches must not wait for each other.
        state, verdict = known_good.check(
            api, store, load, state, batch, dataset, patient=well == 0
        )
        if answer := after_control(state, verdict):
            return answer
        proved = verdict.what == "works" or well > 0
    rejects = diagnosis.with_reasons(
        store, rejects, dataset, lines=settings().show_bad_lines and not dataset.masks
    )
    if proved:
        return leave_out(load, state, batch, rejects)
    return hold(load, state, batch, [as_waiting(reject, verdict.why) for reject in rejects])


def as_waiting(reject: Reject, why: str) -> Reject:
    """The same file, not judged. An unreadable file stays unreadable."""
    status = reject.status if reject.status == "unreadable" else "waiting"
    return replace(reject, status=status, reason=f"{reject.reason} {why}")


def judge_error(
    load: Load,
    state: BatchState,
    batch: Batch,
    dataset: Dataset,
    named: DataFile | None,
    unproved: str,
) -> BatchState:
    """Judges a COPY that failed without error rows: the file that its error names, or the only one, is left out if the
    set-up is right, and else set aside. If there is no such file, the batch is split in half.

    ``unproved``: why it is not known whether the file or the set-up is wrong; '' if it is the file.
    """
    single = batch.readable[0] if len(batch.readable) == 1 else None
    file = single or named
    if file is None:
        return halve(load, state, batch)
    reject = reject_of(file, state["stage_error"], dataset)
    if single and unproved:
        return hold(load, state, batch, [as_waiting(reject, unproved)])
    if unproved:
        return divide(load, state, batch, file)
    number = state.get("named", 0)
    alike = similar_rejects(batch, reject, dataset, denied=number >= MAX_NAMED)
    if not single and number >= MAX_NAMED and not alike:
        return halve(load, state, batch)
    return leave_out(load, {**state, "named": number + 1}, batch, [reject, *alike])


def reject_of(file: DataFile, error: str, dataset: Dataset) -> Reject:
    """Why this file is not loaded: what is in it, and Redshift's message."""
    denied = is_denied(error)
    error = headline(error)
    if denied:
        return Reject(file, f"COPY may not read the object: {error}", status="unreadable")
    [found] = diagnosis.inspect_starts(store, [file], dataset)
    return Reject(file, diagnosis.reason_for("" if found == diagnosis.DENIED else found, error))


def similar_rejects(
    batch: Batch, reject: Reject, dataset: Dataset, *, denied: bool
) -> list[Reject]:
    """The other files with the same fault, so that each does not need a COPY.

    S3 may allow COPY what it denies to this function: that counts only if COPY was denied often enough (``denied``).
    """
    others = [file for file in batch.readable if file.key != reject.file.key][: diagnosis.MAX_LOOKS]
    if reject.status == "unreadable" and not denied:
        return []
    found = diagnosis.inspect_starts(store, others, dataset)
    if reject.status == "unreadable":
        why = f"The loader may not read the object either, and COPY may not read {reject.file.url}."
        return [
            Reject(file, why, status="unreadable")
            for file, what in zip(others, found, strict=True)
            if what == diagnosis.DENIED
        ]
    return [
        Reject(file, f"The file {what}.")
        for file, what in zip(others, found, strict=True)
        if what and what != diagnosis.DENIED and reject.reason.startswith(f"The file {what}.")
    ]


def leave_out(load: Load, state: BatchState, batch: Batch, rejects: list[Reject]) -> BatchState:
    """Continues without these files; their ledger rows are published with the others'."""
    first = rejects[0]
    logger.warning(
        "files are not loaded",
        files=len(rejects),
        status=first.status,
        first=first.file.key,
        reason=first.reason,
    )
    batches.write(store, load["load_id"], reject_from(batch, rejects))
    return {**state, "outcome": "again"}


def hold(
    load: Load,
    state: BatchState,
    batch: Batch,
    held: list[Reject],
    checks: list[Check] | None = None,
) -> BatchState:
    """Sets these files aside and continues with the others. They are tried again if another part succeeds; if none
    does, the ledger records them as ``held`` says.
    """
    keys = {reject.file.key for reject in held}
    # Under a new name: with the old one, the Data API would return the result of the first time.
    state, (name, rest) = name_parts(state, 2)
    files = tuple(file for file in batch.files if file.key in keys)
    others = tuple(file for file in batch.files if file.key not in keys)
    apart = replace(batch, name=name, files=files, rejects=(), held=tuple(held), unread_headers=0)
    batches.write(store, load["load_id"], apart)
    if others or batch.rejects:
        batches.write(store, load["load_id"], replace(batch, name=rest, files=others, held=()))
        state = {**state, "todo": [rest, *state.get("todo", [])]}
    more = f" (and {len(held) - 1} more files)" if len(held) > 1 else ""
    cause = f"{held[0].file.key}{more} waits: {held[0].reason}"
    return set_aside({**state, "batch": name}, cause, checks or [])


def may_have_passed(state: BatchState, batch: Batch) -> bool:
    """Whether COPY is tried once more because NOLOAD has read all files well: before a batch is split, and before a
    single file is judged. Parts in between are split at once.
    """
    whole_or_single = not state.get("parts") or len(batch.readable) == 1
    return whole_or_single and state.get("retried") != batch.name


def interrupted(state: BatchState, error: str, *, looking: bool = False) -> BatchState:
    """Repeats what was interrupted: the search for bad files (``looking``), or COPY itself. An interruption never
    rejects a file; after too many the batch fails.
    """
    if state["attempt"] >= attempts(error, MAX_ATTEMPTS):
        return fail({**state, "stage_error": error})
    pause(state["attempt"])
    state = {**state, "attempt": state["attempt"] + 1}
    return {**state, "outcome": "running"} if looking else {**state, "outcome": "again"}


def fail(state: BatchState, more: str = "") -> BatchState:
    """Fails the batch: the set-up or the warehouse is the cause, and no file is rejected."""
    cause = f"COPY failed, and no file is the cause: {state['stage_error']}{more}"
    return {**state, "outcome": "failed", "cause": cause}


def submit(load: Load, state: BatchState, batch: Batch, dataset: Dataset) -> Statement:
    """Submits COPY … NOLOAD of the batch into the staging parent (nothing is loaded), and a query of its errors."""
    names = copying.copy_names(
        store,
        dataset,
        dataset.stage_table,
        manifest=keys.noload_manifest(load["load_id"], batch.name, state["attempt"]),
        files=[(file.url, file.size) for file in batch.readable],
        options=copying.noload(batch.compression),
    )
    return api.submit(
        statements.find_bad_files(dataset, names, batch.columns or ()),
        token=client_token(load["load_id"], "find", batch.name, state["attempt"]),
        name=f"{load['load_id']} find bad files {batch.name}.{state['attempt']}",
        wait=settings().wait_seconds,
    )


def named_by_redshift(
    load: Load, state: BatchState, batch: Batch, dataset: Dataset, statement: Statement
) -> tuple[list[Reject], str]:
    """The files with error rows, each with its first error; and if there are only rows of an interruption, the first
    message of those.
    """
    interruption = ""
    if statement.finished:
        rejects, interruption = from_rows(batch, dataset, list(api.rows(f"{statement.id}:2")))
        if rejects:
            return rejects, ""
    # NOLOAD found nothing, or failed itself: at 100,000 errors, with rows of the files so far, or without any rows.
    part = statement.failed_part
    queries = [part.query_id if part else -1, state.get("query_id", -1)]
    for number, query in enumerate(q for q in queries if q and q > 0):
        ended = api.run(
            [sql.render_one("stage/find_errors.sql", {"query": str(query)})],
            token=client_token(load["load_id"], f"errors{number}", batch.name, state["attempt"]),
            name=f"{load['load_id']} errors {batch.name}.{state['attempt']}",
        )
        rejects, more = from_rows(batch, dataset, list(api.rows(f"{ended.id}:1")))
        if rejects:
            return rejects, ""
        interruption = interruption or more
    return [], interruption


def from_rows(
    batch: Batch, dataset: Dataset, rows: list[tuple[Any, ...]]
) -> tuple[list[Reject], str]:
    """The rejected files, and the first message of an interruption.

    If bad rows are left out, only files with too many of them are rejected.
    """
    file_of = batches.by_reported_name(batch.files)
    rejects, interruption = [], ""
    for name, line, column, code, message, errors in rows:
        if is_interruption(str(message)):
            interruption = interruption or str(message)
        elif (file := file_of(str(name))) and not gives_no_reason(str(message)):
            more = (
                f" ({errors} errors in the file)" if isinstance(errors, int) and errors > 1 else ""
            )
            denied = "S3ServiceException" in str(message) and is_denied(str(message))
            status = "unreadable" if denied else "rejected"
            reason = diagnosis.without_values(str(message)) if dataset.masks else str(message)
            if dataset.rows and dataset.rows.limit and not denied:
                if reject := too_many(file, dataset, Refused(line, column, code, reason), errors):
                    rejects.append(reject)
                continue
            rejects.append(Reject(file, f"{reason}{more}", line, column or None, code, status))
    return rejects, interruption


def too_many(file: DataFile, dataset: Dataset, first: Refused, errors: int) -> Reject | None:
    """Why a file has too many bad rows; None if it may have as many. The file is read for a limit in percent."""
    limit = bad_rows.limit_of(dataset)
    found = Found()
    if limit.percent is not None and errors <= limit.of(sys.maxsize):
        [found] = misfits.look(store, [file], dataset)
    records = found.records if found.whole else sys.maxsize
    if errors <= limit.of(records):
        return None
    return bad_rows.too_many(file, errors, found.records, limit, Found(), [first])


def named_by_s3(batch: Batch) -> list[Reject]:
    """The files that are deleted. Denied files do not count: S3 may allow COPY to read them."""
    return [
        Reject(file, "The object was deleted before COPY read it.", status="missing")
        for file, head in zip(batch.files, heads_of(batch.files), strict=True)
        if head.state == "missing"
    ]


def heads_of(files: Sequence[DataFile]) -> list[Head]:
    with ThreadPoolExecutor(HEADS_AT_A_TIME) as pool:
        return list(pool.map(lambda file: store.head(file.bucket, file.key), files))


def reject_from(batch: Batch, rejects: list[Reject]) -> Batch:
    """The batch with these files rejected, except those that were replaced since the plan: COPY may have read another
    version than the present one, which may be good. They are staged again as they are now.
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
    """The file whose URL, encoded or not, is in COPY's error; of several the longest, as one key may be the prefix of
    another. Of Parquet it is https://s3.us-east-1.amazonaws.com/bucket/key (aws/amazon-redshift-python-driver#107).
    """
    said = (error, unquote(error))
    found = [
        file
        for file in batch.readable
        for url in (file.url, f".amazonaws.com/{file.bucket}/{file.key}")
        if any(url in text for text in said)
    ]
    return max(found, key=lambda file: len(file.key), default=None)


def halve(load: Load, state: BatchState, batch: Batch) -> BatchState:
    """Continues with half of the batch; the rest waits."""
    return divide(load, state, batch, None)


def divide(load: Load, state: BatchState, batch: Batch, named: DataFile | None) -> BatchState:
    """Continues without the file that the error names, or with half of the batch if it names none; the rest waits."""
    if batches.parts_of(store, load["load_id"]) >= MAX_PARTS:
        cause = (
            "Too many bad files that Redshift does not identify; the next load continues with what is left. "
            f"The last error was: {state['stage_error']}"
        )
        return {**state, "outcome": "failed", "cause": cause}
    state, (one, two) = name_parts(state, 2)
    names = (one, two)
    first, second = batch.split_off(named, names) if named else batch.halves(names)
    batches.write(store, load["load_id"], first)
    batches.write(store, load["load_id"], second)
    todo = [second.name, *state.get("todo", [])]
    return {**state, "batch": first.name, "attempt": 0, "todo": todo, "outcome": "again"}


def after_failed_checks(
    load: Load, state: BatchState, batch: Batch, dataset: Dataset
) -> BatchState:
    """A check on the staged rows failed: the file is rejected if the check has passed before, in this batch or by the
    ledger. If values do not fit, the files are read to find those that have them; else the batch is split.
    """
    checks = state["failed_checks"]
    bad: BadRows = state.get("bad_rows") or {"rows": 0, "columns": []}
    if dataset.rows and dataset.rows.limit:  # those are left out: the check is another
        bad = {"rows": 0, "columns": []}
    state = without(state, "failed_checks", "bad_rows")
    found = by_reading(batch, dataset, bad, {check["name"] for check in checks})
    rejects = found
    well = len(batch.readable) - len(rejects)
    if not rejects and well > 1:
        return halve(load, state, batch)
    if not rejects:
        rejects = [Reject(batch.readable[0], unexplained(bad, dataset) or state["stage_error"])]
        well = 0
    # As in judge_rows: other files have no such rows, so the check is right.
    trusted = bool(state.get("good")) or (bool(found) and well > 0)
    if not trusted:
        ended = api.run(
            [sql.render_one("stage/passed_checks.sql", settings().template_names)],
            token=client_token(load["load_id"], "passed", batch.name, state["attempt"]),
            name=f"{load['load_id']} checks passed before {batch.name}",
        )
        passed = {(name, definition) for name, definition in api.rows(f"{ended.id}:1")}
        trusted = all((c["name"], c["definition"]) in passed for c in checks)
    if trusted:
        return leave_out(load, state, batch, rejects)
    return hold(load, state, batch, [as_waiting(one, NEVER_PASSED) for one in rejects], checks)


def by_reading(batch: Batch, dataset: Dataset, bad: BadRows, failed: set[str]) -> list[Reject]:
    """The files with rows whose values do not fit or violate a check of the contract, each with its first one, as far
    as reading finds them.
    """
    rules = dataset.rows
    if not rules or not (bad["rows"] or any(check.check in failed for check in rules.checks)):
        return []
    if rules.limit and len(batch.readable) > 1:
        return []  # a row that is left out may violate the check too
    rejects = []
    looked = misfits.look(store, batch.readable, dataset, failed=failed)
    for file, found in zip(batch.readable, looked, strict=True):
        if first := found.first:
            more = f" ({found.rows} bad rows in the file)" if found.rows > 1 else ""
            rejects.append(Reject(file, f"{first.reason}{more}", first.line, first.column))
    return rejects


def unexplained(bad: BadRows, dataset: Dataset) -> str:
    """The reason for a single file in which reading has found nothing, or which is not read for its rows."""
    if not bad["rows"]:
        return ""
    said = [column.rstrip("?") for column in bad["columns"]]
    missing = [column for column in bad["columns"] if column.endswith("?")]
    what = "are missing or do not fit" if missing else "do not fit"
    why = (
        "Parquet has no lines to name."
        if dataset.layout.format == "parquet"
        else "The loader has read the file and did not find their lines."
    )
    return f"Values {what} in {bad['rows']} rows, of these columns: {', '.join(said)}. {why}"
