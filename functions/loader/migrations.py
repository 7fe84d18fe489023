"""The tables' versions: the ledger as it is now for a warehouse that has none, migrations for one that is older.

In sql/migrations/:
ledger.sql                       the ledger's tables of the newest version; each dataset brings its own (tables.sql)
<number>_<what>.sql              from the version before to this one, in one transaction
<number>_<what>_autocommit.sql   the same, each statement a transaction: what improves the tables, such as a sort key,
                                 and locks them for long. Loads work without it.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from loader import sql
from loader.dataapi import DataApi, StatementFailed, client_token
from loader.settings import settings

LEDGER = "migrations/ledger.sql"


@cache
def migrations() -> dict[int, str]:
    """Version -> file, without gaps up to the newest; raises sql.TemplateError for a gap."""
    found: dict[int, str] = {}
    for name in sql.files("migrations"):
        if match := re.fullmatch(r"(\d{3})_\w+\.sql", Path(name).name):
            number = int(match.group(1))
            if number in found:
                raise sql.TemplateError(
                    f"sql/migrations/ has two files of version {number}: {found[number]} and {name}. A release of the "
                    "loader may have brought one of them: give yours the next free number."
                )
            found[number] = name
    if not found or sorted(found) != list(range(min(found), max(found) + 1)):
        raise sql.TemplateError(
            f"sql/migrations/ must be numbered without gaps, not {sorted(found)}."
        )
    return found


def steps(version: int) -> dict[int, str]:
    """What brings a ledger of this version (0: none) to the latest: the version after each file -> the file, in order.

    Raises sql.TemplateError if it is older than the oldest file that upgrades any.
    """
    if version == 0:
        return {latest_version(): LEDGER}
    if version < latest_version() and version + 1 not in migrations():
        raise sql.TemplateError(
            f"sql/migrations/ has no file from version {version} to {version + 1}: deploy an older release first, "
            "which upgrades these tables."
        )
    return {number: name for number, name in migrations().items() if number > version}


def latest_version() -> int:
    """The version of the tables that this code works with."""
    return max(migrations())


def rendered(name: str, names: Mapping[str, str]) -> list[sql.Rendered]:
    """The statements of one of these files."""
    return sql.render(name, {**names, "version": str(latest_version())})


def is_autocommit(name: str) -> bool:
    """Whether each statement of the file is a separate transaction, and may fail without harm."""
    return name.endswith("_autocommit.sql")


def ensure_schemas(api: DataApi, load_id: str, suffix: str) -> None:
    """Creates the two schemas if they do not exist; another load may do so at the same time. Raises StatementFailed."""
    for schema in _missing(api, load_id, f"{suffix}.before"):
        try:
            api.run(
                sql.render("migrations/create_schema.sql", {"new_schema": schema}),
                token=client_token(load_id, schema, suffix, 0),
                name=f"{load_id} create schema {schema}",
            )
        except StatementFailed as error:
            if schema in _missing(api, load_id, f"{suffix}.{schema}"):
                raise StatementFailed(
                    f"{error} The schema {schema} does not exist and the loader may not create it: run "
                    "sql/admin/setup.sql as an administrator of the database."
                ) from error


def _missing(api: DataApi, load_id: str, suffix: str) -> list[str]:
    """Those of the two schemas that do not exist."""
    statement = api.run(
        sql.render("migrations/schemas.sql", settings().template_names),
        token=client_token(load_id, "schemas", suffix, 0),
        name=f"{load_id} schemas",
    )
    found = {str(name).strip() for (name,) in api.rows(f"{statement.id}:1")}
    return [name for name in (settings().schema, settings().loader_schema) if name not in found]
