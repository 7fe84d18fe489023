"""The key of the hashes of masked columns: made once, kept in the loader's own schema, on which readers have no rights.

The key is random bytes. It comes in by COPY from an object of the work bucket, which is deleted at once, so it is in no
statement, log or state. The ledger has its fingerprint: a key that is lost after hashes were made with it is never made
again in silence, because the same value would then have another hash.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from loader import clients, keys, sql
from loader.dataapi import StatementFailed, client_token
from loader.datasets import datasets
from loader.failures import may_pass
from loader.observability import logger
from loader.settings import settings

if TYPE_CHECKING:
    from loader.state import Load


MAX_ATTEMPTS = 5
BYTES = 32  # of the key: as many as a SHA-256 has
LIMIT = 120  # seconds: behind the lock, a load may be publishing

api = clients.api()
store = clients.store()


def ensure_key(load: Load, suffix: str) -> None:
    """Makes the key if a dataset needs it and there has been none; another load may do so at the same time.

    Raises StatementFailed if the key is lost, or is not the one of the hashes that are stored.
    """
    if not any(dataset.hashes for dataset in datasets().values()):
        return
    found = _found(load, f"{suffix}.before")
    for attempt in range(MAX_ATTEMPTS):
        if found != (0, 0, 0) and found[:2] != (1, 0):
            break
        _make(load, f"{suffix}.{attempt}", last=attempt == MAX_ATTEMPTS - 1)
        found = _found(load, f"{suffix}.{attempt}.after")
    for left in list(store.keys(keys.mask_keys(load["load_id"]))):
        store.delete(left)  # of a function that was stopped
    if found != (1, 1, 1):
        table = f"{settings().loader_schema}.mask_key"
        raise StatementFailed(
            f"The key of the masked columns is {'missing' if not found[0] else 'not the one of the stored hashes'}: "
            f"{table} has {found[0]} rows, of which {found[2]} fit the ledger. With another key, the same value would "
            f"have another hash. Restore {table} from a snapshot of the warehouse, or start an execution with "
            '{"reset": true}, which deletes all loaded data and makes a new key.'
        )


def _found(load: Load, suffix: str) -> tuple[int, int, int]:
    """How many keys there are, how many fingerprints, and how many of the keys have one of these."""
    ended = api.run(
        [sql.render_one("migrations/mask_key_found.sql", settings().template_names)],
        token=client_token(load["load_id"], "mask-key-found", suffix, 0),
        name=f"{load['load_id']} key of masked columns",
    )
    ((there, fingerprints, fitting),) = api.rows(f"{ended.id}:1")
    return int(there or 0), int(fingerprints or 0), int(fitting or 0)


def _make(load: Load, suffix: str, *, last: bool) -> None:
    """Makes the key, unless another load was faster. Raises StatementFailed for what will not pass."""
    key = keys.mask_key(load["load_id"], suffix)
    try:
        uri = store.put(key, {"secret": secrets.token_hex(BYTES)})
        api.run(
            sql.render("migrations/mask_key.sql", {**settings().template_names, "mask_key": uri}),
            token=client_token(load["load_id"], "mask-key", suffix, 0),
            name=f"{load['load_id']} make the key of masked columns",
            limit=LIMIT,
        )
        logger.info("the key of masked columns is there")
    except StatementFailed as error:
        if last or not may_pass(str(error)):
            raise
        logger.warning("the key of masked columns was not made, trying again", error=str(error))
    finally:
        store.delete(key)
