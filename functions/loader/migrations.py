"""The tables' versions: a baseline for a warehouse that has none, and migrations for one that has older ones.

In sql/migrations/:
baseline_<number>.sql            all tables of that version at once
<number>_<what>.sql              from the version before to this one, in one transaction
<number>_<what>_autocommit.sql   the same, each statement a transaction: what improves the tables, such as a sort key,
                                 and locks them for long. Loads work without it. A baseline of its version, or of a
                                 later one, comes with it.
"""

import re
from functools import cache
from pathlib import Path

from loader import sql
from loader.dataapi import DataApi, StatementFailed, client_token
from loader.names import common
from loader.settings import settings


@cache
def migrations() -> dict[int, str]:
    """Version -> file, without gaps up to the newest; raises sql.TemplateError for a gap, or one without a baseline."""
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
    base = baseline()[0]
    first, last = (min(found), max(found)) if found else (base + 1, base)
    if sorted(found) != list(range(first, last + 1)) or not first - 1 <= base <= last:
        raise sql.TemplateError(
            f"sql/migrations/ must be numbered without gaps, not {sorted(found)}, and have a baseline of one of these "
            f"versions, not {base}."
        )
    if late := [name for number, name in found.items() if number > base and is_autocommit(name)]:
        raise sql.TemplateError(f"sql/{late[0]} needs a baseline of its version; it is {base}.")
    return found


@cache
def baseline() -> tuple[int, str]:
    """The version and the file of the tables that a warehouse without any gets first."""
    found = [
        (int(match.group(1)), name)
        for name in sql.files("migrations")
        if (match := re.fullmatch(r"baseline_(\d{3})\.sql", Path(name).name))
    ]
    if len(found) != 1:
        raise sql.TemplateError(
            f"sql/migrations/ must have one baseline_<number>.sql, not {len(found)}."
        )
    return found[0]


def steps(version: int) -> dict[int, str]:
    """What brings tables of this version (0: none) to the latest: the version after each file -> the file, in order.

    Raises sql.TemplateError if they are older than the oldest file that upgrades any.
    """
    if version == 0:
        number, name = baseline()
        return {number: name, **{n: m for n, m in migrations().items() if n > number}}
    if version < latest_version() and version + 1 not in migrations():
        raise sql.TemplateError(
            f"sql/migrations/ has no file from version {version} to {version + 1}: deploy an older release first, "
            "which upgrades these tables."
        )
    return {number: name for number, name in migrations().items() if number > version}


def latest_version() -> int:
    """The version of the tables that this code works with."""
    return max([baseline()[0], *migrations()])


def is_autocommit(name: str) -> bool:
    """Whether each statement of the file is a transaction of its own, and may fail without harm."""
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
        sql.render("migrations/schemas.sql", common(settings())),
        token=client_token(load_id, "schemas", suffix, 0),
        name=f"{load_id} schemas",
    )
    found = {str(name).strip() for (name,) in api.rows(f"{statement.id}:1")}
    return [name for name in (settings().schema, settings().loader_schema) if name not in found]
