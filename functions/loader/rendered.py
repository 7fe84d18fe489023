"""Every statement that a load, an undo, a reload, a reset and a sweep send, batch by batch, as they would send it.

The preflight lets Redshift plan them all before the first load needs them (functions/preflight.py), and the lint
compares them with docs/evidence.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loader import keys, sql, statements
from loader.datasets import datasets
from loader.migrations import LEDGER, migrations, rendered
from loader.settings import settings
from loader.sql import Rendered

if TYPE_CHECKING:
    from loader.state import Load


SAMPLE: Load = {
    "load_id": "20260101-000000-00000000",
    "execution": "arn:aws:states:us-west-2:123456789012:execution:load:sample",
    "started": "2026-01-01T00:00:00+00:00",
    "named": False,
    "mode": "load",
}
CHECK = {"on": "staged", "name": "sample", "definition": "0" * 16, "figure": 0, "expected": 0}

SAMPLE_COLUMN = {
    "dataset": "sample",
    "result_table": "sample",
    "column": "sample",
    "declaration": "VARCHAR(64)",
    "contract": "0" * 16,
    "contract_before": "0" * 16,
    "masks": "sample.sample hash",
    "key_columns": "sample",
    "newest": "sample",
    "columns": "sample.sample VARCHAR(64)",
}


@dataclass(frozen=True)
class Group:
    """The statements of one batch.

    tables   the staging tables that it uses and does not create, with their parents: table -> parent
    """

    name: str
    statements: tuple[Rendered, ...]
    tables: Mapping[str, str]


def groups(load: Load = SAMPLE, uri: Callable[[str], str] = "s3://work/{}".format) -> list[Group]:
    """All batches but those that create, upgrade and drop the tables. uri: the S3 URI of a key of the work bucket."""
    found = [
        _group("plan", statements.compare(_offered(load, uri))),
        _group("ledger", statements.ledger(_offered(load, uri))),
        _group("redo", statements.redo(_offered(load, uri))),
        _group("passed checks", sql.render("stage/passed_checks.sql", _offered(load, uri))),
        _group("leftovers", sql.render("stage/leftovers.sql", _offered(load, uri))),
        _group("look at undo", statements.inspect_undo(_offered(load, uri))),
    ]
    for dataset in datasets().values():
        table = keys.stage_table(dataset.stage_table, load["load_id"], "0", 0)
        offered = _offered(load, uri) | {
            "stage_table": table,
            "stage_parent": dataset.stage_table,
            dataset.stage_table: table,
            "dataset": dataset.name,
        }
        staged = dataset.staging(table)
        of_parent = offered | {dataset.stage_table: dataset.stage_table}
        found += [
            _group(f"loaded before {dataset.name}", sql.render("stage/loaded_before.sql", offered)),
            _group(f"stage {dataset.name}", statements.stage(dataset, offered)),
            _group(
                f"stage unreported {dataset.name}",
                statements.stage(dataset, offered, reported=False),
            ),
            _group(
                f"files copied later {dataset.name}",
                [
                    *sql.render("stage/files_copied_later.sql", offered),
                    *sql.render("stage/rows_refused.sql", offered),
                ],
            ),
            _group(
                f"find bad files {dataset.name}",
                [
                    *(
                        statements.control(dataset, offered)
                        if dataset.layout.format == "parquet"
                        else statements.find_bad_files(dataset, of_parent)
                    ),
                    *sql.render("stage/find_errors.sql", {**offered, "query": "1"}),
                ],
            ),
            _group(
                f"publish {dataset.name}",
                statements.publish(
                    dataset,
                    offered,
                    staged=True,
                    checks=[CHECK],
                    again=True,
                    rejects=True,
                    rows_rejected=True,
                ),
                staged,
            ),
            _group(
                f"clean up {dataset.name}",
                [
                    *sql.render("stage/drop.sql", offered),
                    *sql.render("stage/spent.sql", offered),
                    *statements.drift_rows(offered),
                ],
                staged,
            ),
        ]
        if dataset.can_reload:
            reloaded = offered | {"mode": "reload", "reload": sql.flag(True)}
            sequence = statements.publish(
                dataset,
                reloaded,
                staged=True,
                reload=True,
                again=True,
                rejects=True,
                rows_rejected=True,
            )
            found.append(_group(f"reload {dataset.name}", sequence, staged))
        if dataset.can_undo:
            found += [
                _group(
                    f"rows of undo {dataset.name}", [statements.rows_of_undo(dataset.name, offered)]
                ),
                _group(f"undo {dataset.name}", statements.undo(dataset.name, offered)),
            ]
    return found


def of_tables(load: Load = SAMPLE) -> list[Group]:
    """The batches that create, upgrade and drop the tables."""
    offered = _offered(load, "s3://work/{}".format) | SAMPLE_COLUMN
    upgrades = [text for name in migrations().values() for text in rendered(name, offered)]
    one = (
        *("schemas", "create_schema", "version", "tables", "loaded", "lock", "loader_tables"),
        *("contracts", "columns", "add_column", "widen_column", "drop_view"),
        *("record_contract", "same_contract"),
    )
    return [
        *(_group(name, sql.render(f"migrations/{name}.sql", offered)) for name in one),
        _group("tables of the ledger", rendered(LEDGER, offered)),
        *(_group(f"tables of {name}", statements.tables_of(name, offered)) for name in datasets()),
        _group("upgrade", upgrades),
        *(
            _group(f"key of masked columns {name}", sql.render(f"migrations/{name}.sql", offered))
            for name in ("mask_key_found", "mask_key")
        ),
        *(
            _group(
                f"masks of {name}",
                statements.mask(dataset, {mask.column for mask in dataset.masks}, offered),
            )
            for name, dataset in datasets().items()
            if dataset.masks
        ),
        _group("drop all", statements.drop_all(offered)),
    ]


def _group(name: str, found: list[Rendered], tables: Mapping[str, str] | None = None) -> Group:
    return Group(name, tuple(found), tables or {})


def _offered(load: Load, uri: Callable[[str], str]) -> dict[str, str]:
    """What the templates are offered: the load's own, and zeros for what only a load that runs can know."""
    counts = (
        *("files_loaded", "files_rejected", "rows_staged", "rows_copied", "header_lines"),
        "rows_refused",
        *("batch_count", "seconds", "transitions", "function_calls", "gb_seconds"),
        *("data_api_calls", "s3_requests"),
    )

    def document(name: str) -> str:
        return uri(keys.check_document(load["load_id"], name))

    return {
        **settings().template_names,
        **statements.batch_names(load, "0"),
        **dict.fromkeys(counts, "0"),
        "new_schema": settings().loader_schema,
        "undone_load": load["load_id"],
        "first_start": sql.NO_TIME,
        "last_start": sql.NO_TIME,
        "plan_table": keys.plan_table(load["load_id"]),
        "listing": document("listing.json.gz"),
        "ledger": document("ledger.json"),
        "sightings": document("key_sightings.json"),
        "figures": document("column_figures.json"),
        "manifest": document("manifest.json"),
        "values_of_key": document("values_of_key.json"),
        "rejected_rows": document("rejected_rows.json"),
        "jsonpaths": document("jsonpaths.json"),
        "mask_key": document("mask_key.json"),
        "copy_options": "",
    }
