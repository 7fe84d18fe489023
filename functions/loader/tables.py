"""Creates the tables that are missing, and upgrades them to the version and the contracts that this code works with.

Two loads may do so at the same time: each migration is one transaction, and the second finds it done. The tables of a
contract are changed in steps, of which each is skipped if it has been done.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from loader import clients, contract_tables, sql, statements
from loader.contract_tables import Applied, Changes, Comparison
from loader.dataapi import MAX_STATEMENTS, StatementFailed, client_token
from loader.datasets import Dataset, datasets
from loader.failures import is_missing, may_pass
from loader.masking import ensure_key
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

# Another load has made the same change of a column in the meantime.
_DONE = r"(?i)already exists|column size should be different|contract: another load|Invalid digit, Value 'c'"
_CHANGED = re.compile(r"(?:ALTER TABLE|UPDATE|INSERT INTO|DELETE FROM) ([\w.]+)", re.I)

api = clients.api()


def migrate_from_nothing(load: Load) -> None:
    """Creates the tables where there are none. Raises StatementFailed."""
    upgrade(load, 0, "nothing")


def upgrade(load: Load, version: int, suffix: str) -> Brought:
    """Upgrades a ledger of this version (0: none) to the latest, brings tables to their contracts, and creates missing
    ones. Raises StatementFailed.
    """
    names = settings().template_names
    ensure_schemas(api, load["load_id"], suffix)
    create_loader_tables(load, f"{suffix}.before")  # the lock, which protects the rest
    files = {wanted: rendered(name, names) for wanted, name in steps(version).items()}
    absent: dict[str, list[str]] = {}
    if version and files:
        made = statements.created(text for texts in files.values() for text in texts)
        absent, lost = missing_tables(load, names, f"{suffix}.before", made)
        # The tables of a contract are changed by no migration, and looked at below.
        raise_for_lost({of: said for of, said in lost.items() if not datasets()[of].contract})
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
    ensure_key(load, suffix)
    brought = bring_to_contracts(load, suffix)
    create_missing(load, suffix, but=brought.refused)
    return brought


def create_loader_tables(load: Load, suffix: str) -> None:
    """Creates the lock with its row, and the parent of a plan's table. Raises StatementFailed."""
    run_with_retry(
        sql.render("migrations/loader_tables.sql", settings().template_names),
        load,
        f"loader-tables.{suffix}",
        "the loader's own tables",
    )


@dataclass
class Brought:
    """told: dataset -> what was changed, in short. refused: dataset -> why its tables stay as they are."""

    told: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def behind(load: Load, suffix: str) -> dict[str, Applied | None]:
    """The datasets whose tables do not have their present contract -> the contract that these have, None if it is not
    known. Raises StatementFailed.
    """
    known = [dataset for dataset in datasets().values() if dataset.contract]
    if not known:
        return {}
    names = settings().template_names
    found = rows(load, "migrations/contracts.sql", names, f"{suffix}.contracts", "contracts")
    have = contract_tables.applied(found)
    return {
        dataset.name: was
        for dataset in known
        if (was := have.get(dataset.name)) is None or was.digest != dataset.contract
    }


def is_behind(load: Load, dataset: Dataset, suffix: str) -> bool:
    """Whether the tables of this dataset do not have its present contract; False if that cannot be read."""
    try:
        return bool(dataset.contract) and dataset.name in behind(load, suffix)
    except StatementFailed as error:
        return is_missing(str(error))


def pending(load: Load, suffix: str) -> dict[str, Changes]:
    """Dataset -> what brings its tables to its contract; without those whose tables have it. Raises StatementFailed."""
    if not (old := behind(load, suffix)):
        return {}
    names = settings().template_names
    schema = names["schema"]
    listed = rows(load, "migrations/columns.sql", names, f"{suffix}.columns", "columns")
    found = contract_tables.catalogue(listed)
    todo = {}
    for name, was in old.items():
        of = datasets()[name]
        compared = Comparison(name, schema, of.tables, of.contract, was, found)
        todo[name] = compared.changes()
    held = {
        name: [f"{schema}.{table}" for table in of.lost] for name, of in todo.items() if of.lost
    }
    for name, cause in (lost_rows(load, names, held, suffix) if held else {}).items():
        todo[name] = replace(todo[name], refused=(*todo[name].refused, cause))
    return todo


def bring_to_contracts(load: Load, suffix: str, *, only_new: bool = False) -> Brought:
    """Brings the tables of each dataset to its contract, or makes those of new datasets only. Raises StatementFailed.

    Does not change the tables of a dataset if that would lose data, or Redshift refuses it. If this is interrupted, the
    next load continues: the ledger has the contract only when all is done.
    """
    brought = Brought()
    for attempt in range(MAX_ATTEMPTS):
        conflict = ""
        for name, todo in pending(load, f"{suffix}.{attempt}").items():
            if todo.refused:
                brought.refused[name] = contract_tables.sentence(todo.refused)
                continue
            if only_new and not todo.new:
                continue
            try:
                if bring(load, datasets()[name], todo, f"{suffix}.{attempt}") and todo.told:
                    brought.told[name] = list(todo.told)
            except StatementFailed as error:
                said = str(error)
                again = may_pass(said) or re.search(_DONE, said)
                if again and attempt < MAX_ATTEMPTS - 1:
                    conflict = said
                else:  # what Redshift refuses for one dataset holds up no other
                    brought.refused[name] = said
        if not conflict:
            return brought
        logger.warning("tables not brought to their contract, trying again", error=conflict)
    return brought


def bring(load: Load, dataset: Dataset, todo: Changes, suffix: str) -> bool:
    """Does these changes. Returns whether this call has recorded the contract, and not another load.

    The tables of results come before the parents of the staging tables, so that whatever is staged fits them. ALTER
    COLUMN runs alone, because Redshift refuses it in a transaction.
    """
    names = {**settings().template_names, "dataset": dataset.name, "load_id": load["load_id"]}
    own = f"{dataset.name}.{suffix}"
    for number, change in enumerate(todo.wider):
        api.run(
            [sql.render_one("migrations/widen_column.sql", {**names, **_of_column(change)})],
            token=client_token(load["load_id"], "widen", own, number),
            name=f"{load['load_id']} widen {change[0]}.{change[1]}",
            autocommit=True,
            limit=MAKE_SECONDS,
        )
    lock = sql.render("migrations/lock.sql", names)
    adding = [
        sql.render_one("migrations/add_column.sql", {**names, **_of_column(change)})
        for change in todo.added
    ]
    room = MAX_STATEMENTS - len(lock)
    for number in range(0, len(adding), room):
        api.run(
            [*lock, *adding[number : number + room]],
            token=client_token(load["load_id"], "add", own, number),
            name=f"{load['load_id']} columns of {dataset.name}",
            limit=MAKE_SECONDS,
        )
    contract = {
        "contract": dataset.contract,
        "key_columns": ",".join(dataset.tables.key),
        "newest": dataset.tables.newest,
        "columns": dataset.tables.listed,
        "masks": dataset.tables.masks_listed,
    }
    record = sql.render_one("migrations/record_contract.sql", {**names, **contract})
    view = dataset.tables.view
    # Another view cannot replace it: OR REPLACE takes the same columns only (dg/r_CREATE_VIEW).
    replaced = {**names, "result_table": view}
    statement = api.run(
        [
            *lock,
            *(sql.render("migrations/drop_view.sql", replaced) if view and not todo.new else []),
            *statements.tables_of(dataset.name, names),
            *([] if todo.masks else [record]),
        ],
        token=client_token(load["load_id"], "contract", own, 0),
        name=f"{load['load_id']} contract of {dataset.name}",
        limit=MAKE_SECONDS,
    )
    if todo.masks:  # masked and recorded together: what is masked must not be masked again
        before = {**names, "contract_before": todo.was}
        statement = api.run(
            [
                *lock,
                sql.render_one("migrations/same_contract.sql", before),
                *statements.mask(dataset, todo.masks, names),
                record,
            ],
            token=client_token(load["load_id"], "masks", own, 0),
            name=f"{load['load_id']} masks of {dataset.name}",
        )
    logger.info("tables brought to their contract", dataset=dataset.name, changes=todo.told)
    parts = api.describe(statement.id).parts
    return not parts or parts[-1].rows != 0


def _of_column(change: tuple[str, str, str]) -> dict[str, str]:
    table, column, declaration = change
    return {"result_table": table, "column": column, "declaration": declaration}


def create_missing(load: Load, suffix: str, but: Iterable[str] = ()) -> list[str]:
    """Creates the missing tables of datasets, ``but`` not of these, in transactions that the Data API accepts; returns
    their names.

    Tables are missing in a new warehouse, after a reset, and after a deployment that added a dataset. If this is
    interrupted, the next load that misses a table continues. Raises StatementFailed for a table that had rows: an empty
    one in its place would hide the loss. The tables of the other datasets are created first, so that one dataset does
    not block another.
    """
    names = settings().template_names
    missing, lost = missing_tables(load, names, suffix)
    missing = {name: absent for name, absent in missing.items() if name not in {*lost, *but}}
    lost = {name: said for name, said in lost.items() if name not in {*but}}
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
