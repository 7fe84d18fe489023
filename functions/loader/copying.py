"""What a COPY reads: its manifest, its JSONPaths file and its options."""

from collections.abc import Sequence
from typing import Any

from loader import keys, sql
from loader.datasets import Dataset
from loader.settings import settings
from loader.store import Store

MAX_ERRORS = 100_000  # COPY's limit: it fails at this many errors or more


def noload(compression: str) -> str:
    """The options to read files without loading them."""
    return f"{compression} NOLOAD MAXERROR {MAX_ERRORS}".strip()


def tolerant(compression: str, dataset: Dataset, files: int) -> str:
    """The options to load files. If bad rows are left out, so many errors are tolerated that each file may reach its
    limit: if there are more, some file is over it.
    """
    if dataset.layout.format == "parquet":
        return ""
    limit = dataset.rows.limit if dataset.rows else None
    if not limit:
        return compression
    most = MAX_ERRORS if limit.most is None else min(limit.most * files + 1, MAX_ERRORS)
    return f"{compression} MAXERROR {most}".strip()


def names(store: Store, dataset: Dataset, table: str) -> dict[str, str]:
    """What a dataset's templates can use: its staging table under its general and its own name, its JSONPaths file."""
    offered = {
        **settings().template_names,
        "stage_table": table,
        "stage_parent": dataset.stage_table,
        dataset.stage_table: table,
    }
    if dataset.has_jsonpaths:
        offered["jsonpaths"] = store.uri(jsonpaths_key(dataset))
    return offered


def copy_names(
    store: Store,
    dataset: Dataset,
    table: str,
    *,
    manifest: str,
    files: Sequence[tuple[str, int]],
    options: str,
) -> dict[str, str]:
    """What the dataset's copy.sql can use. Writes the manifest of these files (URL, bytes) under its key."""
    uri = store.put(manifest, manifest_of(files, sizes=dataset.layout.format == "parquet"))
    return {**names(store, dataset, table), "manifest": uri, "copy_options": options}


def manifest_of(files: Sequence[tuple[str, int]], *, sizes: bool = False) -> dict[str, Any]:
    """A COPY manifest. mandatory: COPY fails if a file does not exist, instead of skipping it silently. ``sizes``: with
    the key meta, which Parquet requires: "the actual size of the file in bytes".

    Source: docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    meta = [{"meta": {"content_length": size}} if sizes else {} for _, size in files]
    return {
        "entries": [
            {"url": url, "mandatory": True, **more}
            for (url, _), more in zip(files, meta, strict=True)
        ]
    }


def write_jsonpaths(store: Store, dataset: Dataset) -> None:
    """Writes the dataset's JSONPaths file, if it has one."""
    if dataset.has_jsonpaths:
        store.put_text(jsonpaths_key(dataset), jsonpaths_text(dataset))


def jsonpaths_key(dataset: Dataset) -> str:
    return keys.jsonpaths(dataset.name, jsonpaths_text(dataset))


def jsonpaths_text(dataset: Dataset) -> str:
    return sql.read(f"datasets/{dataset.name}/jsonpaths.json")
