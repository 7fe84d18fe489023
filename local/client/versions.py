"""Whether the tables have the version and the contracts that the deployed loader needs."""

import re
from collections.abc import Iterable

from local.client import queries
from local.client.clients import Clients
from local.datasets import Dataset, datasets
from local.environment import ROOT

NOW = "To upgrade them now:\n  loader start '{\"migrate\": true}'"
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
        if error.nothing_there:
            return "There are no tables yet: the first load creates them."
        return f"The version of the tables could not be read: {error}"
    if version < latest():
        return (
            f"The tables have version {version}, older than the deployed version {latest()}. The next load upgrades "
            f"them. {NOW}{clients.target.suffix}"
        )
    if version > latest():
        return (
            f"The tables have version {version}, newer than the deployed version {latest()}, so loads fail. Deploy the "
            "newer release again."
        )
    if old := behind(clients, datasets()):
        return (
            f"The tables of {', '.join(old)} have another contract. The next load of these upgrades them. "
            f"{NOW}{clients.target.suffix}"
        )
    return ""


def behind(clients: Clients, known: Iterable[Dataset]) -> list[str]:
    """The datasets whose tables have another contract than the deployed one. Raises queries.SqlError."""
    wanted = {dataset.name: dataset.contract for dataset in known if dataset.contract}
    if not wanted:
        return []
    said = queries.run(clients, "SELECT dataset, digest FROM contracts ORDER BY dataset, number")
    have = {str(dataset): digest for dataset, digest in said.rows}  # the last of each dataset
    return sorted(name for name, digest in wanted.items() if have.get(name, digest) != digest)
