"""The batches of statements that a load sends, made of the files of sql/.

Each function takes what the templates are offered (loader/names.py) and gives the statements in their order. What they
need of S3 is written by the step that sends them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loader import sql
from loader.datasets import Dataset, datasets
from loader.layout import in_order
from loader.migrations import steps
from loader.sql import Fragment, Rendered

NOTICED = {"key_sightings": "sightings", "column_figures": "figures"}

Names = Mapping[str, str]


def compare(names: Names) -> list[Rendered]:
    """A listing against the ledger: the numbers of the files that are new come out of the last statement."""
    return sql.render("plan/compare.sql", names)


def copy(dataset: Dataset, names: Names, columns: Sequence[str] = ()) -> Rendered:
    """The dataset's COPY; ``columns``, of its own, in the order of the files' header if that is another."""
    text = sql.render_one(f"datasets/{dataset.name}/copy.sql", names)
    return Rendered(in_order(text, columns), text.file) if columns else text


def stage(
    dataset: Dataset, names: Names, *, reported: bool = True, columns: Sequence[str] = ()
) -> list[Rendered]:
    """CREATE, COPY, its count, the files that it read (if ``reported``), the audit."""
    checks = [*sql.files("checks/staged"), *sql.files(f"checks/staged/{dataset.name}")]
    audit_names = {
        **names,
        "staged": Fragment(sql.render_one(f"datasets/{dataset.name}/staged.sql", names)),
        "checks": sql.union_of_checks(checks, names),
        "filled": sql.union_of_counts(
            dataset.layout.identifiers, f"{names['loader_schema']}.{names['stage_table']}"
        ),
    }
    return [
        sql.render_one("stage/create.sql", names),
        copy(dataset, names, columns),
        sql.render_one("stage/copied.sql", names),
        sql.render_one(f"stage/{'' if reported else 'no_'}files_copied.sql", names),
        sql.render_one("stage/audit.sql", audit_names),
    ]


def noticed(names: Names) -> list[Rendered]:
    """What a load has noticed of its files: the rows that its names have a document for."""
    files = [f"stage/{table}.sql" for table, uri in NOTICED.items() if uri in names]
    return [sql.render_one(name, names) for name in files]


def find_bad_files(dataset: Dataset, names: Names, columns: Sequence[str] = ()) -> list[Rendered]:
    """COPY … NOLOAD into the staging parent, and the errors that it met."""
    return [
        copy(dataset, names, columns),
        sql.render_one("stage/find_errors.sql", {**names, "query": "pg_last_copy_id()"}),
    ]


def publish(
    dataset: Dataset,
    names: Names,
    *,
    staged: bool,
    checks: Iterable[Mapping[str, Any]] = (),
    reload: bool = False,
    again: bool = False,
) -> list[Rendered]:
    """The publish transaction, LOCK first.

    staged   whether there is a staging table; if not, only the ledger is written
    checks   those that passed on staging (checks.CheckResult as dicts), to be recorded
    again    an earlier attempt may have committed: what it left in the ledger and the versions goes first
    """
    sequence = sql.render("publish/begin.sql", names)
    if again:
        for name in ["publish/again/ledger.sql", *sql.files(f"publish/again/{dataset.name}")]:
            sequence += sql.render(name, names)
    sequence += sql.render("publish/files.sql", names)
    if reload:
        sequence += sql.render("publish/reload/replaced.sql", names)
    sequence += sql.render("publish/claim.sql", names)
    if not staged:
        return sequence
    folders = [f"publish/{dataset.name}"] + [f"publish/reload/{dataset.name}"] * reload
    for name in sql.files(*folders):
        sequence += sql.render(name, names)
    rows = [
        sql.check_row(c["on"], c["name"], c["definition"], c["figure"], c["expected"])
        for c in checks
    ]
    sequence += checked(published_checks(dataset), names, rows)
    by_table = Fragment(sql.render_one(f"datasets/{dataset.name}/published.sql", names))
    return sequence + sql.render("publish/figures.sql", {**names, "published": by_table})


def published_checks(dataset: Dataset) -> dict[str, str]:
    """Name -> file of the checks that a batch of the dataset must pass to be published."""
    found = [*sql.files("checks/published"), *sql.files(f"checks/published/{dataset.name}")]
    return {name.rsplit("/", 1)[1].removesuffix(".sql"): name for name in found}


def checked(checks: Mapping[str, str], names: Names, also: Iterable[str] = ()) -> list[Rendered]:
    """Takes the figures of checks inside a transaction, and fails it if one of them fails."""
    union = sql.union_of_checks(checks.values(), names, "published", also)
    return [
        *sql.render("publish/check_results.sql", {**names, "checks": union}),
        *sql.render("publish/guard.sql", {**names, "check_count": str(len(checks))}),
    ]


def look_at_undo(names: Names) -> list[Rendered]:
    """What the ledger says of a load that is to be undone."""
    return sql.render("undo/look.sql", names)


def rows_of_undo(of: Sequence[str], names: Names) -> list[Rendered]:
    """What undo takes of the rows of these datasets."""
    rows = [sql.render_one(f"datasets/{name}/undone.sql", names) for name in of]
    return [Rendered("\nUNION ALL\n".join(rows), f"datasets/{of[0]}/undone.sql")] if of else []


def undo(of: Sequence[str], names: Names) -> list[Rendered]:
    """The undo transaction, LOCK first: the statements of these datasets, the ledger, the checks and their guard."""
    sequence = sql.render("undo/begin.sql", names)
    for dataset in of:
        for name in sql.files(f"undo/{dataset}"):
            sequence += sql.render(name, names)
    sequence += sql.render("undo/end.sql", names)
    files = sql.files("checks/undone", *(f"checks/undone/{name}" for name in of))
    checks = {name.rsplit("/", 1)[1].removesuffix(".sql"): name for name in files}
    sequence += checked(checks, names)
    return sequence + sql.render("undo/figures.sql", names)


def drop_all(names: Names) -> list[Rendered]:
    """LOCK first, then all tables go but the lock's: the ledger, and each dataset's own (its drop.sql)."""
    sequence = sql.render("migrations/drop.sql", names)
    for dataset in datasets():
        sequence += sql.render(f"datasets/{dataset}/drop.sql", names)
    return sequence


def create_all(names: Names) -> list[Rendered]:
    """All tables of the latest version, for a warehouse that has none."""
    files = [*steps(0).values(), "migrations/loader_tables.sql"]
    return [text for name in files for text in sql.render(name, names)]
