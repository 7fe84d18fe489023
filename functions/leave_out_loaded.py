"""Compare a batch with the ledger again after its claim failed, and leave out what another load has published.

In: the load, and the batch. Out: the batch with outcome ``again`` or ``running``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING

from loader import batches, clients, keys, ledger
from loader.batches import Batch
from loader.dataapi import Statement, StatementFailed, client_token
from loader.failures import Kind
from loader.observability import logger
from loader.settings import settings
from loader.steps import advance, ending, step

if TYPE_CHECKING:
    from loader.state import BatchEvent, BatchState, Load


MAX_ATTEMPTS = 10  # of staging and this step together

api = clients.api()
store = clients.store()


@step
def handler(event: BatchEvent) -> BatchState:
    load, state = event["load"], event["batch"]
    batch = batches.read(store, load["load_id"], state["batch"])
    statement, pending = advance(api, state.get("statement"), lambda: submit(load, state, batch))
    if statement.running:
        return {**state, "statement": pending, "outcome": "running"}
    attempt = state.get("attempt", 0) + 1
    state = {**state, "statement": None, "attempt": attempt}
    if not statement.finished:
        end = ending(api, statement, pending, f"compared the batch {batch.name} with the ledger")
        if end.kind in (Kind.LOST, Kind.TRY_AGAIN) and attempt < MAX_ATTEMPTS:
            return {**state, "outcome": "running"}
        if end.kind in (Kind.LOST, Kind.TOO_LONG):
            raise StatementFailed(end.error)
        raise StatementFailed(
            f"Batch {batch.name} could not be compared with the ledger: {end.error}"
        )
    is_new, _ = ledger.read(api.rows(f"{statement.id}:{ledger.LAST}"), len(batch.files))
    files = tuple(compress(batch.files, is_new))
    if len(files) == len(batch.files) and state["attempt"] >= MAX_ATTEMPTS:
        raise StatementFailed(
            f"The claim of batch {batch.name} says that some of its files are loaded, but the ledger has none of them."
        )
    logger.info(
        "files that another load has loaded are left out", files=len(batch.files) - len(files)
    )
    batches.write(store, load["load_id"], replace(batch, files=files))
    known = state.get("known", 0) + len(batch.files) - len(files)
    return {**state, "known": known, "outcome": "again"}


def submit(load: Load, state: BatchState, batch: Batch) -> Statement:
    attempt = state.get("attempt", 0)
    listing = keys.batch_listing(load["load_id"], batch.name, attempt)
    rows = ({"seq": number, **file.as_dict()} for number, file in enumerate(batch.files))
    uri = store.put_lines(listing, rows)
    return api.submit(
        ledger.comparison(load, uri, batch.name, attempt),
        token=client_token(load["load_id"], "leave", batch.name, attempt),
        name=f"{load['load_id']} leave out loaded {batch.name}.{attempt}",
        wait=settings().wait_seconds,
    )
