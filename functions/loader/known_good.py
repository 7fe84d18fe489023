"""The control: whether the set-up still reads a file that loaded before, so that an error must be another file's.

NOLOAD reads the newest loaded file of the dataset that is still in the bucket unchanged. If no file ever loaded, it
reads an empty file of the loader's own: that shows what affects every file (role, manifest, JSONPaths, rights), and
proves nothing against any. Parquet has no NOLOAD: COPY loads that file into a table that the same transaction drops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loader import copying, headers, keys, sql, statements
from loader.batches import Batch
from loader.dataapi import DataApi, Statement, client_token, failure
from loader.datasets import Dataset, compression
from loader.diagnosis import is_json
from loader.failures import Kind, is_interruption
from loader.settings import settings
from loader.steps import advance, ending, pause, without
from loader.store import DataFile, Store

if TYPE_CHECKING:
    from loader.state import BatchState, Control, Load


MAX_HEADS = 10  # files of the ledger that are checked for existence
MAX_ASKED = 6  # 51 seconds of pauses
UNKNOWN = "so it is not known whether the file or the set-up is wrong."
NEVER_LOADED = f"No file of the dataset has loaded yet, {UNKNOWN}"
GONE = f"No file of the dataset that loaded before is unchanged in the bucket, {UNKNOWN}"


@dataclass(frozen=True)
class Verdict:
    """What the control says: ``works``, ``none`` (no file that loaded before can be read), ``fails``, or not yet:
    ``running``, ``interrupted``.

    ``why``: why there is no such file or what fails, as a sentence, or the error that interrupted it.
    """

    what: str
    why: str = ""


def check(
    api: DataApi,
    store: Store,
    load: Load,
    state: BatchState,
    batch: Batch,
    dataset: Dataset,
    *,
    patient: bool = True,
) -> tuple[BatchState, Verdict]:
    """Runs the control once for all parts of a batch; the state keeps the answer. One query of the ledger, one NOLOAD.

    ``patient``: if no file ever loaded, wait for the other batches of the load.
    """
    known = state.get("control")
    if isinstance(known, str):
        return state, Verdict(known, state.get("control_why", NEVER_LOADED))
    try:
        known = known or _chosen(api, store, load, state, batch, dataset)
    except _Interrupted as interruption:
        return state, Verdict("interrupted", str(interruption))
    if not known["url"]:
        return _none(load, state, batch, dataset, known, patient=patient)
    statement, pending = advance(
        api, known.get("statement"), lambda: _submit(api, store, load, state, batch, dataset, known)
    )
    if statement.running:
        return {**state, "control": {**known, "statement": pending}}, Verdict("running")
    state = without(state, "control")
    error, interrupted = _error(api, dataset, statement)
    if not error:
        if not known["loaded"]:
            return _none(load, state, batch, dataset, known, patient=patient)
        return {**state, "control": "works"}, Verdict("works")
    if interrupted:
        return state, Verdict("interrupted", error)
    what = (
        f"{known['url']}, which loaded before,"
        if known["loaded"]
        else "an empty file of the loader's own"
    )
    return state, Verdict("fails", f"{what} fails too: {error}")


def _none(
    load: Load, state: BatchState, batch: Batch, dataset: Dataset, known: Control, *, patient: bool
) -> tuple[BatchState, Verdict]:
    """There is no file that loaded before. Other batches of this load may still publish one: asks again for most of a
    minute.
    """
    others = load.get("datasets", {}).get(dataset.name, 0) > len(batch.files) + len(batch.rejects)
    asked = state.get("controls", 0)
    if patient and load.get("batch_count", 1) > 1 and others and asked < MAX_ASKED:
        pause(asked + 1)
        state = without(state, "control")
        return {**state, "controls": asked + 1}, Verdict("running")
    why = known.get("why", NEVER_LOADED)
    return {**state, "control": "none", "control_why": why}, Verdict("none", why)


class _Interrupted(Exception):
    """The query of the ledger failed."""


def _chosen(
    api: DataApi, store: Store, load: Load, state: BatchState, batch: Batch, dataset: Dataset
) -> Control:
    found = _loaded_before(api, load, state, batch, dataset)
    file, why = _there(store, found, batch)
    if file:
        columns = headers.read(store, [file], dataset)[0].columns if dataset.header else ()
        return {
            "url": file.url,
            "key": file.key,
            "size": file.size,
            "loaded": True,
            "columns": list(columns or ()),
        }
    # In other formats no content is certain to have no rows. And an empty file was read well before.
    if state.get("controls") or (not is_json(dataset) and not dataset.header_lines):
        return {"url": "", "why": why}
    key = keys.control_file(load["load_id"], batch.name)
    return {
        "url": store.put_text(key, "\n" * max(dataset.header_lines, 1)),
        "key": key,
        "loaded": False,
        "why": why,
    }


def _loaded_before(
    api: DataApi, load: Load, state: BatchState, batch: Batch, dataset: Dataset
) -> list[DataFile]:
    names = {**settings().template_names, "dataset": dataset.name}
    ended = api.ended(
        [sql.render_one("stage/loaded_before.sql", names)],
        token=client_token(load["load_id"], _step("loaded", state), batch.name, state["attempt"]),
        name=f"{load['load_id']} loaded before {batch.name}",
    )
    if not ended.finished:
        raise _Interrupted(failure(api.describe(ended.id)))
    return [
        DataFile(str(bucket), str(key), str(etag), int(size or 0))
        for bucket, key, etag, size in api.rows(f"{ended.id}:1")
    ]


def _step(name: str, state: BatchState) -> str:
    """The name for the client token: each time is another statement."""
    return f"{name}{state.get('controls', '')}"


def _there(store: Store, found: Sequence[DataFile], batch: Batch) -> tuple[DataFile | None, str]:
    """The first file that is unchanged since it was loaded, with the batch's compression if possible, or why there is
    none. A file of the batch itself only if there is no other: another load may have published all of them in the
    meantime.
    """
    why = GONE if found else NEVER_LOADED
    mine = {file.key for file in batch.files}
    others = sorted(
        found, key=lambda file: (file.key in mine, compression(file.key) != batch.compression)
    )
    for file in others[:MAX_HEADS]:
        head = store.head(file.bucket, file.key)
        if head.file and head.file.etag == file.etag:
            return file, ""
        if head.state == "denied":
            why = (
                f"{file.url} loaded before, but HeadObject is denied in the bucket {file.bucket}, {UNKNOWN} "
                "Let the loader's role read the bucket (s3:GetObject)."
            )
    return None, why


def _submit(
    api: DataApi,
    store: Store,
    load: Load,
    state: BatchState,
    batch: Batch,
    dataset: Dataset,
    known: Control,
) -> Statement:
    parquet = dataset.layout.format == "parquet"
    table = dataset.stage_table
    if parquet:
        attempt = f"c{state['attempt']}_{state.get('controls', 0)}"
        table = keys.stage_table(table, load["load_id"], batch.name, attempt)
    names = copying.copy_names(
        store,
        dataset,
        table,
        manifest=keys.control_manifest(load["load_id"], batch.name, state["attempt"]),
        files=[(known["url"], known.get("size", 0))],
        options="" if parquet else copying.noload(compression(known["key"])),
    )
    find = statements.control if parquet else statements.find_bad_files
    return api.submit(
        find(dataset, names, known.get("columns") or ()),
        token=client_token(load["load_id"], _step("control", state), batch.name, state["attempt"]),
        name=f"{load['load_id']} control {batch.name}.{state['attempt']}",
        wait=settings().wait_seconds,
    )


def _error(api: DataApi, dataset: Dataset, statement: Statement) -> tuple[str, bool]:
    """The error of the control ('' if it read the file well), and whether it was an interruption."""
    if statement.finished and dataset.layout.format == "parquet":
        return "", False
    if statement.finished:
        errors = [str(row[4]) for row in api.rows(f"{statement.id}:2")]
        return (errors[0], is_interruption(errors[0])) if errors else ("", False)
    end = ending(api, statement, None, "reads a file that loaded before")
    return end.error, end.kind in (Kind.LOST, Kind.TRY_AGAIN)
