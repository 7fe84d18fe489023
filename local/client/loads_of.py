"""Load ids that a person gives, and the files that a load has loaded."""

import re

from local.client import queries
from local.client.clients import Clients
from local.problem import Usage

LOAD_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


def checked(text: str) -> str:
    """The load id. Raises Usage if it is none."""
    if not LOAD_ID.fullmatch(text):
        raise Usage(
            f"{text!r} is not a load id, such as 20261123-220615-40a6feca. loader where FILE shows the loads of a file."
        )
    return text


def keys(found: Clients, load_id: str) -> list[str]:
    """The keys of the files that the ledger has as loaded by this load, sorted."""
    rows = queries.run(
        found,
        f"SELECT DISTINCT key FROM {found.warehouse.schema}.files"  # noqa: S608 - literals
        f" WHERE load_id = {queries.literal(load_id)} AND status = 'loaded' ORDER BY key",
    ).rows
    return [str(key) for (key,) in rows]
