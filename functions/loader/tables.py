"""Creates the tables that are missing, and upgrades them to the version that this code works with.

Two loads may do so at the same time: each migration is one transaction, and the second finds it done.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from loader import clients, sql, statements
from loader.dataapi import MAX_STATEMENTS, StatementFailed, client_token
from loader.datasets import datasets
from loader.failures import is_missing, may_pass
from loader.migrations import ensure_schemas, is_autocommit, rendered, steps
from loader.observability import logger
from loader.settings import settings
from loader.sql import Rendered

if TYPE_CHECKING:
    from loader.state import Load


MAX_ATTEMPTS = 5
IMPROVE_SECONDS = 180  # for all statements of a file, of the function's 300
LEAST_SECONDS = 10  # for each
MAKE_SECONDS = 120  # for a transaction that makes tables: behind the lock, a load may be publishing

_CHANGED = re.compile(r"(?:ALTER TABLE|UPDATE|INSERT INTO|DELETE FROM) ([\w.]+)", re.I)

api = clients.api()


def migrate_from_nothing(load: Load) -> None:
    """Creates the tables where there are none. Raises StatementFailed."""
    upgrade(load, 0, "nothing")


def upgrade(load: Load, version: int, suffix: str) -> None:
    """Upgrades a ledger of this version (0: none) to the latest, and creates missing tables. Raises StatementFailed."""
    names = settings().template_names
    ensure_schemas(api, load["load_id"], suffix)
    create_loader_tables(load, f"{suffix}.before")  # the lock, which protects the rest
    files = {wanted: rendered(name, names) for wanted, name in steps(version).items()}
    absent: dict[str, list[str]] = {}
    if version and files:
        made = statements.created(text for texts in files.values() for text in texts)
        absent, lost = missing_tables(load, names, f"{suffix}.before", made)
        raise_for_lost(lost)
    for wanted, name in steps(version).items():
        if version >= wanted:
            continue  # another load has done this
        texts = without_missing(files[wanted], absent)
        if is_autocommit(name):
            run_autocommit(load, name, texts, suffix)
            version = wanted
        else:
            version = migrate(load, wanted, texts, names, suffix)
        logger.info("tables migrated", version=version)
    create_missing(load, suffix)


def create_loader_tables(load: Load, suffix: str) -> None:
    """Creates the lock with its row, and the parent of a plan's table. Raises StatementFailed."""
    run_with_retry(
        sql.render("migrations/loader_tables.sql", settings().template_names),
        load,
        f"loader-tables.{suffix}",
        "the loader's own tables",
    )


def create_missing(load: Load, suffix: str) -> list[str]:
    """Creates the missing tables of datasets, in transactions that the Data API accepts; returns their names.

    Tables are missing in a new warehouse, after a reset, and after a deployment that added a dataset. If this is
    interrupted, the next load that misses a table continues. Raises StatementFailed for a table that had rows: an empty
    one in its place would hide the loss. The tables of the other datasets are created first, so that one dataset does
    not block another.
    """
    names = settings().template_names
    missing, lost = missing_tables(load, names, suffix)
    missing = {dataset: absent for dataset, absent in missing.items() if dataset not in lost}
    texts = [text for dataset in missing for text in statements.tables_of(dataset, names)]
    lock = sql.render("migrations/lock.sql", names)
    room = MAX_STATEMENTS - len(lock)
    for number in range(0, len(texts), room):
        run_with_retry(
            [*lock, *texts[number : number + room]],
            load,
            f"datasets-{number}.{suffix}",
            f"tables of datasets {number // room + 1}",
        )
    made = sorted(name for of in missing.values() for name in of)
    if made:
        logger.info("tables created", tables=made)
    raise_for_lost(lost)
    return made


def missing_tables(
    load: Load, names: dict[str, str], suffix: str, made: Iterable[str] = ()
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Dataset -> its missing tables, with their schemas, except those that will be ``made``; and dataset -> message,
    for those whose missing tables had rows.
    """
    if not datasets():
        return {}, {}
    found = rows(load, "migrations/tables.sql", names, f"{suffix}.tables", "tables")
    there = {*made, *(f"{schema}.{table}" for schema, table in found)}
    missing = {
        dataset: absent
        for dataset in datasets()
        if (absent := sorted({*statements.created(statements.tables_of(dataset, names))} - there))
    }
    held = {
        dataset: shown
        for dataset, absent in missing.items()
        if (shown := [name for name in absent if name.startswith(f"{names['schema']}.")])
    }
    return missing, lost_rows(load, names, held, suffix) if held else {}


def without_missing(texts: list[Rendered], absent: dict[str, list[str]]) -> list[Rendered]:
    """The statements of a migration without those that change a missing table: a dataset that was deployed together
    with its first migration is created in its present form.
    """
    names = {name for of in absent.values() for name in of}
    return [t for t in texts if not ((found := _CHANGED.match(t)) and found[1] in names)]


def lost_rows(
    load: Load, names: dict[str, str], missing: dict[str, list[str]], suffix: str
) -> dict[str, str]:
    """The message for each dataset with missing tables of which the ledger says that files are loaded."""
    found = rows(load, "migrations/loaded.sql", names, f"{suffix}.loaded", "loaded files")
    loaded = {str(dataset): int(files or 0) for dataset, files in found}
    return {
        dataset: f"{', '.join(absent)} is missing, but the ledger says that {loaded[dataset]} files of {dataset} are "
        "loaded. If it was dropped, restore it from a snapshot, or start an execution with "
        '{"reset": true}, which deletes all loaded data and creates all tables. If '
        f"sql/datasets/{dataset}/tables.sql is newer than these files, also add the table in a file of "
        "sql/migrations/."
        for dataset, absent in missing.items()
        if loaded.get(dataset)
    }


def raise_for_lost(lost: dict[str, str]) -> None:
    """Raises StatementFailed if a dataset has lost rows."""
    if lost:
        raise StatementFailed(" ".join(lost.values()))


def run_with_retry(texts: Sequence[str], load: Load, step: str, name: str) -> None:
    """Runs repeatable statements in one transaction; tries again after a conflict. Raises StatementFailed."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            api.run(
                texts,
                token=client_token(load["load_id"], step, "", attempt),
                name=f"{load['load_id']} {name}",
                limit=MAKE_SECONDS,
            )
            return
        except StatementFailed as error:
            taken = "already exists" in str(error)  # by another load
            if not (taken or may_pass(str(error))) or attempt == MAX_ATTEMPTS - 1:
                raise
            logger.warning("tables not created, trying again", error=str(error))


def migrate(
    load: Load, wanted: int, texts: list[Rendered], names: dict[str, str], suffix: str
) -> int:
    """Runs a migration as one transaction; returns the tables' version after it. Raises StatementFailed."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            api.run(
                texts,
                token=client_token(load["load_id"], f"migrate{wanted}", suffix, attempt),
                name=f"{load['load_id']} migrate to {wanted}",
            )
            return wanted
        except StatementFailed as error:
            # Another load may have migrated the tables in the meantime.
            version = current_version(load, names, f"{suffix}.{wanted}.{attempt}")
            if version >= wanted:
                return version
            if not may_pass(str(error)) or attempt == MAX_ATTEMPTS - 1:
                raise
            logger.warning("migration failed, trying again", version=wanted, error=str(error))
    raise AssertionError("the loop returns or raises")


def run_autocommit(load: Load, name: str, texts: list[Rendered], suffix: str) -> None:
    """Runs each statement of an _autocommit file as a separate transaction. Only the last, the version, must succeed.

    A statement that takes too long for this function is cancelled: loads work without it, and a person can run it
    later.
    """
    deadline = time.monotonic() + IMPROVE_SECONDS
    for number, statement in enumerate(texts):
        try:
            api.run(
                [statement],
                token=client_token(load["load_id"], "improve", f"{suffix}.{name}", number),
                name=f"{load['load_id']} {name} {number + 1}",
                autocommit=True,
                limit=max(int(deadline - time.monotonic()), LEAST_SECONDS),
            )
        except (StatementFailed, TimeoutError) as error:
            if number == len(texts) - 1:
                raise
            logger.error(
                "A table could not be optimized. Loads work without it; run the statement manually.",
                statement=str(statement),
                error=str(error),
            )


def current_version(load: Load, names: dict[str, str], suffix: str) -> int:
    """The version of the tables, 0 if there are none."""
    try:
        found = rows(
            load, "migrations/version.sql", names, f"version.{suffix}", "version of the tables"
        )
    except StatementFailed as error:
        if is_missing(str(error)):
            return 0
        raise
    return int(found[0][0] or 0)


def rows(
    load: Load, file: str, names: dict[str, str], step: str, name: str
) -> list[tuple[Any, ...]]:
    """The rows of the one statement of a file. Raises StatementFailed."""
    statement = api.run(
        [sql.render_one(file, names)],
        token=client_token(load["load_id"], step, "", 0),
        name=f"{load['load_id']} {name}",
    )
    return list(api.rows(f"{statement.id}:1"))
