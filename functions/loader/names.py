"""Names and paths of a load: its id, its staging tables, and what the SQL templates are offered."""

import hashlib
import re
from typing import Any

from loader import sql
from loader.datasets import Dataset
from loader.settings import Settings
from loader.store import Store

# In the work bucket: when the last clean sweep began; since when files that are not loaded count as waiting; a document
# for each load that has not cleaned up yet.
SWEEP_MARK = "sweep/mark.json"
WAITING_SINCE = "sweep/since.json"
OPEN = "open/"


def load_id(execution: str, started: str) -> str:
    """A load's id: when its execution began (UTC) and a hash of the execution's ARN, such as 20261123-203011-1f2e3d4c.

    ``started`` is ISO 8601, as the state machine's context has it.
    """
    digits = re.sub(r"\D", "", started)[:14]
    return f"{digits[:8]}-{digits[8:]}-{execution_digest(execution)}"


def execution_digest(execution: str) -> str:
    """The last part of a load's id, by which its execution's ARN is found again."""
    return hashlib.sha256(execution.encode()).hexdigest()[:8]


def stage_table(dataset: Dataset, load: str, batch: str, attempt: int) -> str:
    """The staging table of one attempt at one batch; no other load, batch or attempt ever uses it."""
    return f"{dataset.stage_table}_{load}_{batch}_{attempt}".replace("-", "_").replace(".", "_")


def manifest_key(load: str, table: str) -> str:
    """Where the manifest stands that fills a staging table."""
    return f"loads/{load}/manifests/{table}.json"


def tables_of(store: Store, load: str) -> list[str]:
    """The staging tables that a load may have made: those for which it wrote a manifest."""
    prefix = f"loads/{load}/manifests/"
    return [key.removeprefix(prefix).removesuffix(".json") for key in store.keys(prefix)]


def common(settings: Settings) -> dict[str, str]:
    """What every template is offered."""
    role = settings.copy_role if settings.copy_role == "default" else f"'{settings.copy_role}'"
    return {"schema": settings.schema, "copy_role": role}


def for_dataset(settings: Settings, store: Store, dataset: Dataset, table: str) -> dict[str, str]:
    """What a dataset's templates are offered: its staging table under its general and its own name, its JSONPaths."""
    names = {
        **common(settings),
        "stage_table": table,
        "stage_parent": dataset.stage_table,
        dataset.stage_table: table,
    }
    if dataset.has_jsonpaths:
        names["jsonpaths"] = store.uri(f"jsonpaths/{jsonpaths_name(dataset)}")
    return names


def jsonpaths_name(dataset: Dataset) -> str:
    """The JSONPaths file's name in the work bucket, with a hash of its content, so that none is overwritten."""
    digest = hashlib.sha256(jsonpaths_text(dataset).encode()).hexdigest()[:16]
    return f"{dataset.name}-{digest}.json"


def jsonpaths_text(dataset: Dataset) -> str:
    return sql.read(f"datasets/{dataset.name}/jsonpaths.json")


def state_of(load: dict[str, Any]) -> str:
    """Where a load keeps its documents in the work bucket."""
    return f"loads/{load['load_id']}"
