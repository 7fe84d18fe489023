"""Create the tables, or upgrade them to the version that this code works with.

In: the load (and a batch, which goes through unchanged). Out: outcome ``again``.
Two loads may meet here: each migration is one transaction, and the one that comes second finds its work done.
"""

from typing import Any

from loader import sql
from loader.dataapi import DataApi, StatementFailed, client_token
from loader.failures import is_missing
from loader.migrations import ensure_schema, latest_version, migrations
from loader.names import common
from loader.observability import logger, step
from loader.settings import settings

api = DataApi(settings())


@step
def handler(event: dict[str, Any]) -> dict[str, Any]:
    load, state = event["load"], event.get("batch") or event["load"]
    suffix = f"{(event.get('batch') or {}).get('batch', '')}.{state.get('attempt', 0)}"
    names = common(settings())
    version = current_version(load, names, f"{suffix}.0")
    if version > latest_version():
        raise StatementFailed(
            f"The tables are of version {version}, this loader knows {latest_version()}: deploy the newer."
        )
    if version == 0:
        ensure_schema(api, load["load_id"], suffix)
    while version < latest_version():
        wanted = version + 1
        try:
            api.run(
                sql.render(migrations()[wanted], names),
                token=client_token(load["load_id"], f"migrate{wanted}", suffix, 0),
                name=f"{load['load_id']} migrate to {wanted}",
            )
        except StatementFailed:
            # Another load may have made the tables meanwhile: then the version says so.
            version = current_version(load, names, f"{suffix}.{wanted}")
            if version < wanted:
                raise
        version = max(version, wanted)
        logger.info("tables migrated", version=version)
    return {**state, "statement": None, "outcome": "again"}


def current_version(load: dict[str, Any], names: dict[str, str], suffix: str) -> int:
    """The version of the tables, 0 if there are none."""
    try:
        statement = api.run(
            sql.render("migrations/version.sql", names),
            token=client_token(load["load_id"], "version", suffix, 0),
            name=f"{load['load_id']} version of the tables",
        )
    except StatementFailed as error:
        if is_missing(str(error)):
            return 0
        raise
    return int(next(api.rows(f"{statement.id}:1"))[0] or 0)
