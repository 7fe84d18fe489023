"""What a stopped load, or one whose clean-up failed, leaves: staging tables, and statements that still run.

A load that staged anything has a document in the work bucket until it has cleaned up (keys.unfinished). The sweep finds
those whose execution has ended, and passes them to the load that it starts.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from loader import keys, sql
from loader.dataapi import DataApi, client_token
from loader.datasets import datasets
from loader.settings import settings
from loader.store import Store

_OF_A_LOAD = re.compile(r"_(\d{8})_(\d{6})_([0-9a-f]{8})_\d[\d_]*?(_[a-z]\w*)?")
LONGEST_LOAD = timedelta(hours=25)  # the state machine stops a load after 24


@dataclass(frozen=True)
class StagingTable:
    """A staging table, and the load that created it."""

    name: str
    load_id: str

    @property
    def is_old(self) -> bool:
        """Whether its load must have ended."""
        begun = datetime.strptime(self.load_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        return begun < datetime.now(UTC) - LONGEST_LOAD


def tables_of_load(store: Store, load_id: str) -> list[str]:
    """The staging tables that a load may have created: those for which it wrote a manifest, and their further ones."""
    prefix = keys.manifests(load_id)
    tables = [key.removeprefix(prefix).removesuffix(".json") for key in store.keys(prefix)]
    return [one for table in tables for one in _with_further(table)]


def _with_further(table: str) -> list[str]:
    """The table, and the further staging tables of its dataset."""
    for dataset in datasets().values():
        found = _OF_A_LOAD.fullmatch(table.removeprefix(dataset.stage_table))
        if table.startswith(dataset.stage_table) and found and not found[4]:
            return list(dataset.staging(table))
    return [table]


def staging_tables(api: DataApi, load_id: str) -> list[StagingTable]:
    """The staging tables of all loads. Raises StatementFailed."""
    statement = api.run(
        [sql.render_one("stage/leftovers.sql", settings().template_names)],
        token=client_token(load_id, "leftovers", "", 0),
        name=f"{load_id} leftovers",
        limit=30,
    )
    found = []
    for (name,) in api.rows(f"{statement.id}:1"):
        for dataset in datasets().values():
            match = _OF_A_LOAD.fullmatch(str(name).removeprefix(dataset.stage_table))
            if match and (match[4] or "_")[1:] in ("", *dataset.staged_tables):
                found.append(StagingTable(str(name), "-".join(match.groups()[:3])))
    return found


def cancel_statements(api: DataApi, load_id: str) -> bool:
    """Cancels the statements of a load that still run; returns whether there were none."""
    running = [statement for statement in api.list_for_load(load_id) if statement.running]
    for statement in running:
        api.cancel(statement.id)
    return not running
