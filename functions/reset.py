"""Drop all tables and create them again, empty. Refused unless the stack's parameter AllowReset is true.

All tables are dropped and the ledger is created in one transaction, whose length does not depend on the number of
datasets. The datasets' tables follow, as in a new warehouse; if that is interrupted, the next load continues.

In: the load. Out: outcome ``reset``, with the staging ``tables`` that loads have left, or ``refused``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loader import clients, statements
from loader.dataapi import StatementFailed, client_token
from loader.failures import is_missing, may_pass
from loader.leftovers import staging_tables
from loader.masking import ensure_key
from loader.migrations import LEDGER, ensure_schemas, rendered
from loader.observability import logger
from loader.settings import settings
from loader.steps import step
from loader.tables import create_loader_tables, create_missing

if TYPE_CHECKING:
    from loader.state import Load, LoadEvent


MAX_ATTEMPTS = 5
LIMIT = 120  # seconds: it may wait for a publish, but must not drop anything after this function has ended

api = clients.api()


@step
def handler(event: LoadEvent) -> Load:
    load = event["load"]
    if not settings().allow_reset:
        cause = "reset would delete all loaded data; it is allowed only if the stack's parameter AllowReset is true."
        return {**load, "outcome": "refused", "cause": cause}
    ensure_schemas(api, load["load_id"], "reset")
    create_loader_tables(load, "reset.before")  # the lock may be missing
    names = {**settings().template_names, "load_id": load["load_id"]}
    recreate(load, [*statements.drop_all(names), *rendered(LEDGER, names)])
    try:
        create_loader_tables(load, "reset.after")
        ensure_key(load, "reset")
        create_missing(load, "reset")
    except (StatementFailed, TimeoutError) as error:  # the next load creates them
        logger.warning("tables are left to the next load", error=str(error))
    tables = [table.name for table in staging_tables(api, load["load_id"])]
    return {**load, "outcome": "reset", "tables": tables}


def recreate(load: Load, sequence: Sequence[str]) -> None:
    """Drops all tables and creates an empty ledger, in one transaction. A load that waits for the lock finds that
    ledger and no tables of a dataset, and creates them: it cannot publish into old tables.

    Raises StatementFailed, or TimeoutError; then nothing was dropped.
    """
    for attempt in range(MAX_ATTEMPTS):
        try:
            api.run(
                sequence,
                token=client_token(load["load_id"], "reset", "", attempt),
                name=f"{load['load_id']} reset",
                limit=LIMIT,
            )
            return
        except TimeoutError as error:
            raise TimeoutError(
                f"reset waited {LIMIT} seconds for a load that publishes, and nothing was dropped. Start it again "
                "when no load is running."
            ) from error
        except StatementFailed as error:
            if not (is_missing(str(error)) or may_pass(str(error))):
                raise
            logger.warning("reset failed, trying again", error=str(error), attempt=attempt)
    raise StatementFailed(
        f"reset conflicted with other transactions, or was interrupted, {MAX_ATTEMPTS} times. Stop the running loads "
        "and start it again."
    )
