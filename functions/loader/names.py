"""Names and paths of a load: its id, its staging tables, and what the SQL templates are offered."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from loader import sql
from loader.datasets import Dataset
from loader.settings import Settings
from loader.store import Store

# In the work bucket: when the last clean sweep began; since when files that are not loaded count as waiting; a document
# for each load that has not cleaned up yet.
SWEEP_MARK = "sweep/mark.json"
WAITING_SINCE = "sweep/since.json"
OPEN = "open/"
NO_TIME = "1970-01-01 00:00:00.000000"  # the range of a batch, or a load, that has no plays


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
    return {
        "schema": settings.schema,
        "loader_schema": settings.loader_schema,
        "copy_role": role,
    }


def of_batch(load: Mapping[str, Any], batch: str) -> dict[str, str]:
    """What the templates of a load's batch are offered of it."""
    return {
        "load_id": load["load_id"],
        "batch": batch,
        "mode": load["mode"],
        "reload": flag(load["mode"] == "reload"),
        "named": flag(load["named"]),
        "execution": as_literal(load["execution"]),
        "started_at": timestamp(load["started"]),
    }


def flag(value: bool) -> str:
    return "1" if value else "0"


def as_literal(execution: str) -> str:
    """An execution's ARN as a SQL literal may hold it: a person may give an execution a name with quotes or blanks.

    Everything but letters, digits and ``_.:-`` is percent-encoded, so is the second of two hyphens.
    Source: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html, name
    """
    return quote(execution, safe=":").replace("~", "%7E").replace("--", "-%2D")[:1024]


def timestamp(iso: str) -> str:
    """A time of the state machine's context (ISO 8601, UTC) as a timestamp literal holds it."""
    return datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


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
