"""The tables' versions: ``sql/migrations/<number>_<what>.sql``, each run once, in a transaction of its own."""

import re
from functools import cache
from pathlib import Path

from loader import sql
from loader.dataapi import DataApi, StatementFailed, client_token
from loader.names import common
from loader.settings import settings


@cache
def migrations() -> dict[int, str]:
    """Version -> file, without gaps from 1; raises sql.TemplateError for a gap."""
    found = {}
    for name in sql.files("migrations"):
        match = re.fullmatch(r"(\d{3})_\w+\.sql", Path(name).name)
        if match:
            found[int(match.group(1))] = name
    if sorted(found) != list(range(1, len(found) + 1)):
        raise sql.TemplateError(
            f"sql/migrations/ must be numbered from 001 without gaps, not {sorted(found)}."
        )
    return found


def latest_version() -> int:
    """The version of the tables that this code works with."""
    return len(migrations())


def ensure_schema(api: DataApi, load_id: str, suffix: str) -> None:
    """Makes the schema if it is not there; another load may do so at the same moment. Raises StatementFailed."""
    if _schema_exists(api, load_id, f"{suffix}.before"):
        return
    try:
        api.run(
            sql.render("migrations/create_schema.sql", common(settings())),
            token=client_token(load_id, "schema", suffix, 0),
            name=f"{load_id} create schema",
        )
    except StatementFailed:
        if not _schema_exists(api, load_id, f"{suffix}.after"):
            raise


def _schema_exists(api: DataApi, load_id: str, suffix: str) -> bool:
    statement = api.run(
        sql.render("migrations/schema_exists.sql", {}),
        token=client_token(load_id, "schema?", suffix, 0),
        name=f"{load_id} schema exists",
        parameters={"schema_name": settings().schema},
    )
    return bool(next(api.rows(f"{statement.id}:1"))[0])
