"""What a load read and wrote, as OpenLineage run events: one for each dataset of which it published files.

Source: openlineage.io/spec/2-0-2/OpenLineage.json, openlineage.io/docs/spec/naming; the versions of the facets are in
openlineage.io/spec/facets/. docs/events.md says what consumers get.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from loader import columns, sql
from loader.datasets import Dataset, datasets
from loader.settings import settings

if TYPE_CHECKING:
    from loader.state import Load, Report, Result


PRODUCER = "urn:s3-redshift-loader"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = "https://openlineage.io/spec/facets"
# Of one run: with more, catalogs get one input, the dataset's prefix, with the figures of all.
MOST_FILES = 100
PORT = 5439  # in the names of Redshift's datasets; the Data API needs none


def run_events(
    load: Load, report: Report, results: list[Result], *, execution: str, ended: str
) -> Iterator[dict[str, Any]]:
    """The run events of a load of which these batches are published. ``execution``: its ARN; ``ended``: ISO 8601.

    A dataset of a failed load has FAIL if some of its planned files are neither loaded nor set aside.
    """
    partition, region, account, machine = _places(execution)
    by_dataset: dict[str, list[Result]] = {}
    for result in results:
        by_dataset.setdefault(result["dataset"], []).append(result)
    for name, parts in by_dataset.items():
        dataset = datasets().get(name)
        if dataset is None:  # a deployment has removed it since
            continue
        kinds = ("loaded", "rejected", "unreadable", "waiting")
        settled = sum(int(part.get(kind) or 0) for part in parts for kind in kinds)  # type: ignore[call-overload]
        failed = report["status"] == "failed" and settled < load.get("datasets", {}).get(name, 0)
        run: dict[str, Any] = {
            "externalQuery": _facet(
                "1-0-2/ExternalQueryRunFacet", externalQueryId=load["load_id"], source=execution
            )
        }
        if failed:
            run["errorMessage"] = _facet(
                "1-0-1/ErrorMessageRunFacet", message=report["cause"], programmingLanguage="SQL"
            )
        yield {
            "eventType": "FAIL" if failed else "COMPLETE",
            "eventTime": ended,
            "producer": PRODUCER,
            "schemaURL": SPEC,
            "run": {"runId": run_id(load["load_id"], name), "facets": run},
            "job": {
                "namespace": f"arn:{partition}:states:{region}:{account}",
                "name": f"{machine}.{name}",
                "facets": {
                    "jobType": _facet(
                        "2-0-4/JobTypeJobFacet",
                        processingType="BATCH",
                        integration="S3_REDSHIFT_LOADER",
                        jobType="LOAD",
                    )
                },
            },
            "inputs": _inputs(dataset, parts),
            "outputs": _outputs(dataset, parts),
        }


def run_id(load_id: str, dataset: str) -> str:
    """The id of a load's run for a dataset: the same whenever it is computed."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{PRODUCER}:{load_id}:{dataset}"))


def _places(execution: str) -> tuple[str, str, str, str]:
    """The partition, region, account and state machine of an execution's ARN."""
    _, partition, _, region, account, _, machine, *_ = execution.split(":")
    return partition, region, account, machine


def _facet(name: str, **fields: Any) -> dict[str, Any]:
    """``name``: the version and the name of a facet, such as 1-2-0/SchemaDatasetFacet. Fields without a value are left
    out.
    """
    definition = name.rpartition("/")[2]
    return {
        "_producer": PRODUCER,
        "_schemaURL": f"{FACETS}/{name}.json#/$defs/{definition}",
        **{field: value for field, value in fields.items() if value is not None},
    }


def _inputs(dataset: Dataset, parts: list[Result]) -> list[dict[str, Any]]:
    """The files that were loaded, with ETag, bytes and lines; or the prefix, if they are too many."""
    namespace = f"s3://{settings().data_bucket}"
    loaded = sum(part["loaded"] for part in parts)
    files = [file for part in parts for file in part.get("inputs", ())]
    if loaded == len(files) <= MOST_FILES:
        return [
            {
                "namespace": namespace,
                "name": key,
                "facets": {
                    "version": _facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=etag)
                },
                "inputFacets": {"inputStatistics": _statistics(lines, size, 1)},
            }
            for key, etag, size, lines in files
        ]
    rows = sum(int(part["rows"].get(dataset.stage_table) or 0) for part in parts)
    size = sum(part.get("loaded_bytes", 0) for part in parts)
    return [
        {
            "namespace": namespace,
            "name": dataset.prefix,
            "inputFacets": {"inputStatistics": _statistics(rows, size or None, loaded)},
        }
    ]


def _statistics(rows: int | None, size: int | None, files: int) -> dict[str, Any]:
    return _facet(
        "1-0-0/InputStatisticsInputDatasetFacet", rowCount=rows, size=size, fileCount=files
    )


def _outputs(dataset: Dataset, parts: list[Result]) -> list[dict[str, Any]]:
    """The tables that got rows, or could have got some, with their columns; the checks are with the first of them."""
    here = settings()
    host = f"{here.workgroup or here.cluster}.{here.region}:{PORT}"
    figures: dict[str, int] = {}
    for part in parts:
        for table, rows in part["rows"].items():
            figures[table] = figures.get(table, 0) + int(rows or 0)
    declared = {name: found for name, found in _tables(dataset.name).items() if name in figures}
    # The table whose rows are counted as loaded comes first.
    names = sorted(declared, key=lambda name: name != dataset.fact_table)
    checks = [check for part in parts for check in part["checks"]]
    found = []
    for name in names:
        fields = [
            {"name": column, "type": columns.type_of(said), "ordinal_position": place}
            for place, (column, said) in enumerate(declared[name].items(), 1)
        ]
        facets = {"schema": _facet("1-2-0/SchemaDatasetFacet", fields=fields)}
        if checks and name == names[0]:
            facets["dataQualityAssertions"] = _facet(
                "1-1-0/DataQualityAssertionsDatasetFacet",
                assertions=[
                    {
                        "assertion": "custom_sql",
                        "success": bool(check["passed"]),
                        "severity": "error",
                        "name": check["name"],
                        "expected": str(check["expected"]),
                        "actual": str(check["figure"]),
                        "params": {"on": check["on"], "batch": check["batch"]},
                    }
                    for check in checks
                ],
            )
        statistics = _facet("1-0-2/OutputStatisticsOutputDatasetFacet", rowCount=figures[name])
        found.append(
            {
                "namespace": f"redshift://{host}",
                "name": f"{here.database}.{here.schema}.{name}",
                "facets": facets,
                "outputFacets": {"outputStatistics": statistics},
            }
        )
    return found


@cache
def _tables(dataset: str) -> dict[str, dict[str, str]]:
    """The tables of results of a dataset: table -> column -> declaration."""
    return columns.tables(sql.read(f"datasets/{dataset}/tables.sql"))
