"""The batches of statements that a load sends, rendered from the files of sql/.

Each function takes the names for the templates and returns the statements in their order. The step that sends them
writes the objects in S3 that they read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loader import sql
from loader.datasets import Dataset, datasets
from loader.layout import in_order
from loader.migrations import LEDGER, rendered
from loader.sql import Fragment, Rendered

if TYPE_CHECKING:
    from loader.state import Load


NOTICED = {"key_sightings": "sightings", "column_figures": "figures"}

Names = Mapping[str, str]


def batch_names(load: Load, batch: str) -> dict[str, str]:
    """What the templates can use of a load and one of its batches."""
    return {
        "load_id": load["load_id"],
        "batch": batch,
        "mode": load["mode"],
        "reload": sql.flag(load["mode"] == "reload"),
        "named": sql.flag(load["named"]),
        "execution": sql.as_literal(load["execution"]),
        "started_at": sql.timestamp(load["started"]),
    }


def compare(names: Names) -> list[Rendered]:
    """Compares a listing with the ledger; the last statement returns the new files, and figures about the others."""
    return sql.render("plan/compare.sql", names)


def ledger(names: Names) -> list[Rendered]:
    """What the ledger says of itself, without a listing."""
    return sql.render("plan/ledger.sql", names)


def redo(names: Names) -> list[Rendered]:
    """The last statement returns the files of an undone load; the first says why if there are none."""
    return sql.render("plan/redo.sql", names)


def copy(dataset: Dataset, names: Names, columns: Sequence[str] = ()) -> Rendered:
    """The dataset's COPY; ``columns``, of its own, in the order of the files' header if that is another."""
    text = sql.render_one(f"datasets/{dataset.name}/copy.sql", names)
    return Rendered(in_order(text, columns, dataset.extra_columns), text.file) if columns else text


def stage(
    dataset: Dataset, names: Names, *, reported: bool = True, columns: Sequence[str] = ()
) -> list[Rendered]:
    """CREATE, COPY, its count, the files that it read (if ``reported``), the dataset's own statements, the audit."""
    checks = [*sql.files("checks/staged"), *sql.files(f"datasets/{dataset.name}/checks/staged")]
    audit_names = {
        **names,
        "staged": Fragment(sql.render_one(f"datasets/{dataset.name}/staged.sql", names)),
        "checks": sql.union_of_checks(checks, names),
        "filled": sql.union_of_counts(
            dataset.layout.identifiers, f"{names['loader_schema']}.{names['stage_table']}"
        ),
        "misfits": misfits(dataset, names),
    }
    return [
        sql.render_one("stage/create.sql", names),
        copy(dataset, names, columns),
        sql.render_one("stage/copied.sql", names),
        sql.render_one(f"stage/{'' if reported else 'no_'}files_copied.sql", names),
        *(
            text
            for name in sql.files(f"datasets/{dataset.name}/stage")
            for text in sql.render(name, names)
        ),
        sql.render_one("stage/audit.sql", audit_names),
    ]


def misfits(dataset: Dataset, names: Names) -> Fragment:
    """How many rows have values that do not fit, by columns; nothing for a dataset that leaves that to COPY."""
    name = f"datasets/{dataset.name}/misfits.sql"
    return Fragment(sql.render_one(name, names) if dataset.rows else sql.NO_MISFITS)


def drift_rows(names: Names) -> list[Rendered]:
    """Records the drift that a load has noticed, for the tables whose document is in the names."""
    files = [f"stage/{table}.sql" for table, uri in NOTICED.items() if uri in names]
    return [sql.render_one(name, names) for name in files]


def find_bad_files(dataset: Dataset, names: Names, columns: Sequence[str] = ()) -> list[Rendered]:
    """COPY … NOLOAD into the staging parent, and the errors that it met."""
    return [
        copy(dataset, names, columns),
        sql.render_one("stage/find_errors.sql", {**names, "query": "pg_last_copy_id()"}),
    ]


def control(dataset: Dataset, names: Names, columns: Sequence[str] = ()) -> list[Rendered]:
    """COPY into a table that is made and dropped in the same transaction, for a format without NOLOAD."""
    made = sql.render("stage/create.sql", names)
    return [*made, copy(dataset, names, columns), *sql.render("stage/drop.sql", names)]


def publish(
    dataset: Dataset,
    names: Names,
    *,
    staged: bool,
    checks: Iterable[Mapping[str, Any]] = (),
    reload: bool = False,
    again: bool = False,
    rejects: bool = False,
    rows_rejected: bool = False,
) -> list[Rendered]:
    """The publish transaction, LOCK first.

    staged   whether there is a staging table; if not, only the ledger is written
    checks   those that passed on staging (checks.CheckResult as dicts), to be recorded
    rejects  whether files of the batch are not loaded: their earlier rejections may be closed
    rows_rejected  whether rows of its files are left out
    again    an earlier attempt may have committed: what it left in the ledger and the versions is deleted first
    """
    sequence = sql.render("publish/begin.sql", names)
    if again:
        for name in ["publish/again.sql", *sql.files(f"datasets/{dataset.name}/again")]:
            sequence += sql.render(name, names)
    sequence += sql.render("publish/files.sql", names)
    if reload:
        sequence += sql.render("publish/replaced.sql", names)
    if rows_rejected:
        sequence += sql.render("publish/rejected_rows.sql", names)
    sequence += sql.render("publish/claim.sql", names)
    if rejects:
        sequence += sql.render("publish/tried_again.sql", names)
    if not staged:
        return sequence
    folders = ["publish", "publish_and_undo"] + ["reload"] * reload
    for name in sql.files(*(f"datasets/{dataset.name}/{folder}" for folder in folders)):
        sequence += sql.render(name, names)
    rows = [
        sql.check_row(c["on"], c["name"], c["definition"], c["figure"], c["expected"])
        for c in checks
    ]
    sequence += checked(published_checks(dataset), names, rows)
    by_table = Fragment(sql.render_one(f"datasets/{dataset.name}/published.sql", names))
    ledger_now = Fragment(sql.render_one("plan/ledger.sql", names))
    told = {**names, "published": by_table, "ledger_now": ledger_now}
    return sequence + sql.render("publish/figures.sql", told)


def published_checks(dataset: Dataset) -> dict[str, str]:
    """Name -> file of the checks that a batch of the dataset must pass to be published."""
    found = [
        *sql.files("checks/published"),
        *sql.files(f"datasets/{dataset.name}/checks/published"),
    ]
    return {name.rsplit("/", 1)[1].removesuffix(".sql"): name for name in found}


def checked(checks: Mapping[str, str], names: Names, also: Iterable[str] = ()) -> list[Rendered]:
    """Computes the figures of checks inside a transaction, and fails it if a check fails."""
    union = sql.union_of_checks(checks.values(), names, "published", also)
    return [
        *sql.render("publish/check_results.sql", {**names, "checks": union}),
        *sql.render("publish/guard.sql", {**names, "check_count": str(len(checks))}),
    ]


def inspect_undo(names: Names) -> list[Rendered]:
    """What the ledger says about a load that is to be undone."""
    return sql.render("undo/look.sql", names)


def rows_of_undo(dataset: str, names: Names) -> Rendered:
    """The rows of a dataset that the undo deletes."""
    return sql.render_one(f"datasets/{dataset}/undone.sql", names)


def undo(dataset: str, names: Names) -> list[Rendered]:
    """The transaction that undoes a load's files of a dataset, LOCK first: its statements, the ledger, the checks."""
    sequence = sql.render("undo/begin.sql", names)
    for name in sql.files(f"datasets/{dataset}/undo", f"datasets/{dataset}/publish_and_undo"):
        sequence += sql.render(name, names)
    sequence += sql.render("undo/end.sql", names)
    files = sql.files("checks/undone", f"datasets/{dataset}/checks/undone")
    checks = {name.rsplit("/", 1)[1].removesuffix(".sql"): name for name in files}
    sequence += checked(checks, names)
    return sequence + sql.render("undo/figures.sql", names)


def tables_of(dataset: str, names: Names) -> list[Rendered]:
    """Creates the tables of a dataset in their present form; does not change existing ones."""
    return sql.render(f"datasets/{dataset}/tables.sql", names)


def mask(dataset: Dataset, new: Iterable[str], names: Names) -> list[Rendered]:
    """Makes the tables of results anew with masks that are ``new`` (columns as in Dataset.masks), behind the lock.

    The values that are there are hashed, dropped columns are left out, and the winners are decided again.
    """
    fresh = {*new}
    columns = {
        f"masked_{one.column.replace('.', '__')}": Fragment(
            one.hashed if one.column in fresh else f'o."{one.column.rpartition(".")[2]}"'
        )
        for one in dataset.masks
        if one.mask == "hash"
    }
    return [
        text
        for name in sql.files(f"datasets/{dataset.name}/masks")
        for text in sql.render(name, {**names, **columns})
    ]


def drop_all(names: Names) -> list[Rendered]:
    """LOCK first, then drops all tables and views but the lock's, with a fixed number of statements."""
    texts = create_all(names)
    views, tables = created(texts, "VIEW"), created(texts, "TABLE")
    tables.remove(f"{names['loader_schema']}.publish_lock")
    lists = {"views": sql.Fragment(", ".join(views)), "tables": sql.Fragment(", ".join(tables))}
    return sql.render("migrations/drop.sql", {**names, **lists})


def create_all(names: Names) -> list[Rendered]:
    """All tables and views of the latest version, for an empty warehouse; more than fits in one batch."""
    made = rendered(LEDGER, names) + sql.render("migrations/loader_tables.sql", names)
    return made + [text for dataset in datasets() for text in tables_of(dataset, names)]


def created(texts: Iterable[str], kind: str = "TABLE") -> list[str]:
    """The tables (or views) that the statements create, with their schemas, sorted."""
    create = rf"CREATE (?:OR REPLACE )?{kind} (?:IF NOT EXISTS )?(\w+\.\w+)"
    return sorted({found[1] for text in texts if (found := re.match(create, text))})
