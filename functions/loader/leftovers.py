"""Staging tables that a load left behind because it was stopped, or because its drop met a conflict."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from loader import sql
from loader.dataapi import DataApi, client_token
from loader.datasets import datasets
from loader.settings import settings

_OF_A_LOAD = re.compile(r"_(\d{8}_\d{6})_[0-9a-f]{8}_[\d_]+")
LONGEST_LOAD = timedelta(hours=25)  # the state machine ends a load after 24


def staging_tables(api: DataApi, load_id: str, older_than: timedelta = timedelta(0)) -> list[str]:
    """The staging tables of loads that began longer ago than this. Raises StatementFailed."""
    statement = api.run(
        [sql.render_one("stage/leftovers.sql", {})],
        token=client_token(load_id, "leftovers", "", 0),
        name=f"{load_id} leftovers",
        parameters={"schema_name": settings().schema},
        limit=30,
    )
    before = datetime.now(UTC) - older_than
    return [name for name, begun in _staging(api, statement.id) if begun < before]


def _staging(api: DataApi, statement_id: str) -> Iterator[tuple[str, datetime]]:
    parents = {dataset.stage_table for dataset in datasets().values()}
    for (name,) in api.rows(f"{statement_id}:1"):
        for parent in parents:
            match = _OF_A_LOAD.fullmatch(str(name).removeprefix(parent))
            if match:
                begun = datetime.strptime(match.group(1), "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
                yield str(name), begun
