"""Drop all tables and make them anew, empty. Refused unless the stack's parameter AllowReset is true.

In: the load. Out: outcome ``reset``, with the staging ``tables`` that loads left behind, or ``refused``.
"""

from typing import Any

from loader import statements
from loader.dataapi import DataApi, StatementFailed, client_token
from loader.failures import is_missing, may_pass
from loader.leftovers import staging_tables
from loader.migrations import ensure_schemas
from loader.names import common
from loader.observability import logger, step
from loader.settings import settings

MAX_ATTEMPTS = 5
LIMIT = 120  # seconds: it may wait behind a publish, but must not drop anything after this function has ended

api = DataApi(settings())


@step
def handler(event: dict[str, Any]) -> dict[str, Any]:
    load = event["load"]
    if not settings().allow_reset:
        cause = "reset would delete all loaded data; it is allowed only if the stack's parameter AllowReset is true."
        return {**load, "outcome": "refused", "cause": cause}
    ensure_schemas(api, load["load_id"], "reset")
    names = {**common(settings()), "load_id": load["load_id"]}
    drop, create = statements.drop_all(names), statements.create_all(names)
    for attempt in range(MAX_ATTEMPTS):
        try:
            api.run(
                [*drop, *create],
                token=client_token(load["load_id"], "reset", "", attempt),
                name=f"{load['load_id']} reset",
                limit=LIMIT,
            )
            tables = [table.name for table in staging_tables(api, load["load_id"])]
            return {**load, "outcome": "reset", "tables": tables}
        except TimeoutError as error:
            raise TimeoutError(
                f"reset waited {LIMIT} seconds behind a load that publishes, and nothing was dropped. Start it again "
                "when no load is running."
            ) from error
        except StatementFailed as error:
            if is_missing(str(error)):
                drop = [text for text in drop if text.startswith("DROP")]  # there is no lock yet
            elif not may_pass(str(error)):
                raise
            logger.warning("reset failed, trying again", error=str(error), attempt=attempt)
    raise StatementFailed(
        f"reset met other transactions, or was interrupted, {MAX_ATTEMPTS} times; stop the running loads and start it "
        "again."
    )
