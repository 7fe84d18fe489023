"""Create the tables, or upgrade them to the version that this code works with.

In: the load (and a batch, which goes through unchanged). Out: outcome ``again``; of a
load without a batch also ``upgraded``, from which version of the tables (0: none) to which.
Two loads may meet here: each migration is one transaction, and the one that comes second finds its work done.
"""

import time
from typing import Any

from loader import sql
from loader.dataapi import DataApi, StatementFailed, client_token
from loader.failures import is_missing, may_pass
from loader.migrations import ensure_schemas, is_autocommit, latest_version, steps
from loader.names import common
from loader.observability import logger, step
from loader.settings import settings

MAX_ATTEMPTS = 5
IMPROVE_SECONDS = 180  # for all statements of a file, of the function's 300
LEAST_SECONDS = 10  # for each

api = DataApi(settings())


@step
def handler(event: dict[str, Any]) -> dict[str, Any]:
    load, state = event["load"], event.get("batch") or event["load"]
    suffix = f"{(event.get('batch') or {}).get('batch', '')}.{state.get('attempt', 0)}"
    names = common(settings())
    version = current_version(load, names, f"{suffix}.0")
    if version > latest_version():
        raise StatementFailed(
            f"The tables are of version {version}, this loader knows {latest_version()}: deploy the newer."
        )
    upgrade(load, version, suffix)
    if not event.get("batch"):
        first = state.get("upgraded", {}).get("from", version)
        state = {**state, "upgraded": {"from": first, "to": latest_version()}}
    return {**state, "statement": None, "outcome": "again"}


def migrate_from_nothing(load: dict[str, Any]) -> None:
    """Creates the tables where there are none. Raises StatementFailed."""
    upgrade(load, 0, "nothing")


def upgrade(load: dict[str, Any], version: int, suffix: str) -> None:
    """Brings tables of this version (0: none) to the latest, and the loader's own are there. Raises StatementFailed."""
    names = common(settings())
    ensure_schemas(api, load["load_id"], suffix)
    for wanted, name in steps(version).items():
        if version >= wanted:
            continue  # another load has come this far
        if is_autocommit(name):
            improve(load, name, names, suffix)
            version = wanted
        else:
            version = migrate(load, wanted, name, names, suffix)
        logger.info("tables migrated", version=version)
    # Also where nothing was to be upgraded: somebody may have dropped the schema, and nothing is lost with it.
    api.run(
        sql.render("migrations/loader_tables.sql", names),
        token=client_token(load["load_id"], "loader-tables", suffix, 0),
        name=f"{load['load_id']} the loader's own tables",
    )


def migrate(
    load: dict[str, Any], wanted: int, name: str, names: dict[str, str], suffix: str
) -> int:
    """Runs a migration as one transaction; returns the tables' version then. Raises StatementFailed."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            api.run(
                sql.render(name, names),
                token=client_token(load["load_id"], f"migrate{wanted}", suffix, attempt),
                name=f"{load['load_id']} migrate to {wanted}",
            )
            return wanted
        except StatementFailed as error:
            # Another load may have migrated the tables meanwhile: then the version says so.
            version = current_version(load, names, f"{suffix}.{wanted}.{attempt}")
            if version >= wanted:
                return version
            if not may_pass(str(error)) or attempt == MAX_ATTEMPTS - 1:
                raise
            logger.warning("migration failed, trying again", version=wanted, error=str(error))
    raise AssertionError("the loop returns or raises")


def improve(load: dict[str, Any], name: str, names: dict[str, str], suffix: str) -> None:
    """Runs each statement of an _autocommit file as its own transaction. Only the last, the version, must succeed.

    What takes too long for this function is cancelled: loads go on, and a person runs it when it suits.
    """
    statements = sql.render(name, names)
    deadline = time.monotonic() + IMPROVE_SECONDS
    for number, statement in enumerate(statements):
        try:
            api.run(
                [statement],
                token=client_token(load["load_id"], "improve", f"{suffix}.{name}", number),
                name=f"{load['load_id']} {name} {number + 1}",
                autocommit=True,
                limit=max(int(deadline - time.monotonic()), LEAST_SECONDS),
            )
        except (StatementFailed, TimeoutError) as error:
            if number == len(statements) - 1:
                raise
            logger.error(
                "A table could not be improved. Loads work without it; run the statement by hand.",
                statement=str(statement),
                error=str(error),
            )


def current_version(load: dict[str, Any], names: dict[str, str], suffix: str) -> int:
    """The version of the tables, 0 if there are none."""
    try:
        statement = api.run(
            sql.render("migrations/version.sql", names),
            token=client_token(load["load_id"], "version", suffix, 0),
            name=f"{load['load_id']} version of the tables",
        )
    except StatementFailed as error:
        if is_missing(str(error)):
            return 0
        raise
    return int(next(api.rows(f"{statement.id}:1"))[0] or 0)
