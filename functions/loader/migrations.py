"""The tables' versions: ``sql/migrations/<number>_<what>.sql``, each run once, in a transaction of its own."""

import re
from functools import cache
from pathlib import Path

from loader import sql


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
