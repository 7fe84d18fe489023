"""Whether the tables have the version that the deployed loader needs."""

import re

from local.client import queries
from local.client.clients import Clients
from local.environment import ROOT

MIGRATIONS = ROOT / "sql" / "migrations"


def latest() -> int:
    """The version of the tables that the files in sql/migrations/ lead to."""
    numbers = [re.match(r"(\d{3})_", file.name) for file in MIGRATIONS.glob("*.sql")]
    return max(int(number[1]) for number in numbers if number)


def advice(clients: Clients) -> str:
    """What a person should know after a deployment; '' if the tables are up to date."""
    try:
        version = int(
            queries.run(clients, "SELECT MAX(version) FROM schema_version").rows[0][0] or 0
        )
    except queries.SqlError as error:
        if re.search(r"does not exist|not found", str(error), re.I):
            return "There are no tables yet: the first load creates them."
        return f"The version of the tables could not be read: {error}"
    if version < latest():
        return (
            f"The tables have version {version}, older than the deployed version {latest()}. The next load upgrades "
            "them. To upgrade them now:\n  .venv/bin/python -m local start '{\"migrate\": true}'"
        )
    if version > latest():
        return (
            f"The tables have version {version}, newer than the deployed version {latest()}, so loads fail. Deploy the "
            "newer release again."
        )
    return ""
