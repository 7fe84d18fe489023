"""Create the tables, or upgrade them to the version and the contracts that this code works with.

In: the load (and a batch, which passes through unchanged). Out: outcome ``again``; without a batch also ``upgraded``,
from which version of the tables (0: none) to which, and ``refused``, the contracts to which the tables cannot be
brought. That one is refused stops the batches of its dataset only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loader import clients, keys
from loader.dataapi import StatementFailed
from loader.migrations import latest_version
from loader.settings import settings
from loader.steps import step, without
from loader.tables import current_version, upgrade

if TYPE_CHECKING:
    from loader.state import BatchState, Load, MigrateEvent


api = clients.api()
store = clients.store()


@step
def handler(event: MigrateEvent) -> Load | BatchState:
    load, batch = event["load"], event.get("batch")
    attempt = (batch or load).get("attempt", 0)
    suffix = f"{batch['batch'] if batch else ''}.{attempt}"
    names = settings().template_names
    version = current_version(load, names, f"{suffix}.0")
    if version > latest_version():
        raise StatementFailed(
            f"The tables have version {version}, but this loader supports {latest_version()}: deploy the newer loader."
        )
    brought = upgrade(load, version, suffix)
    for dataset, changes in brought.told.items():
        store.put(keys.changed(load["load_id"], dataset), {"dataset": dataset, "changes": changes})
    if batch:
        if cause := brought.refused.get(batch.get("dataset", "")):
            raise StatementFailed(cause)
        return {**batch, "statement": None, "outcome": "again"}
    first = load.get("upgraded", {}).get("from", version)
    upgraded = {"from": first, "to": latest_version()}
    if brought.refused and load.get("mode") == "undo":
        raise StatementFailed(" ".join(brought.refused.values()))
    load = {**load, "upgraded": upgraded, "statement": None, "outcome": "again"}
    return {**load, "refused": brought.refused} if brought.refused else without(load, "refused")
