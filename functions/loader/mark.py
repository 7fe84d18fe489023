"""The sweep's mark: what the sweep need not look at again. It belongs to one ledger, and is void for any other.

sweep/mark.json   {"mark", "load_id", "place", "ledger"}: when the last clean sweep began, the load that wrote it, where
                  the ledger was, and what it said of itself; or {"void", "at"}: why there is none, and since when
sweep/since.json  no file counts as waiting before

What a ledger says of itself (sql/plan/ledger.sql) is a *reading*: ``made``, when its tables were made, which a restored
snapshot keeps and tables that are made again do not; ``before`` and ``loads``, the rows of the table loads without and
with those of the statement that asked. Rows are never deleted there, so a ledger with fewer has gone back.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from loader.names import SWEEP_MARK, WAITING_SINCE
from loader.settings import settings
from loader.store import MissingObject, Store

Reading = dict[str, Any]
VOID = "The sweep's mark is void: the next sweep looks at all files, and loads those that the ledger does not know."


def place() -> dict[str, str]:
    """Where the ledger is, and the bucket whose files it lists, by the stack's parameters."""
    here = settings()
    return {
        "warehouse": here.workgroup or here.cluster or "",
        "database": here.database,
        "schema": here.schema,
        "bucket": here.data_bucket,
    }


def reading(made: Any, before: Any, own: int = 0) -> Reading:
    """own: how many rows of the table loads the asking transaction has added, which ``before`` does not count."""
    return {"made": str(made), "before": int(before), "loads": int(before) + own}


def read(store: Store) -> dict[str, Any]:
    """The mark's document; {} if there is none, or one of an earlier version, which did not say whose it is."""
    try:
        document: dict[str, Any] = store.get(SWEEP_MARK)
    except MissingObject:
        return {}
    return document if {"place", "ledger"} <= document.keys() or "void" in document else {}


def unfit(document: dict[str, Any], readings: Iterable[Reading] = ()) -> str:
    """Why a mark is of another ledger than the one here, or of what it was; '' if it is not, or there is no mark."""
    if not document or "void" in document:
        return ""
    changed = [
        f"{name} {document['place'].get(name)!r} (now {value!r})"
        for name, value in place().items()
        if document["place"].get(name) != value
    ]
    if changed:
        return f"The mark is of another ledger: {', '.join(changed)}."
    marked = document["ledger"]
    for found in readings:
        if found["made"] != marked["made"]:
            return (
                f"The ledger is another one: its tables were made at {found['made']}, those of the mark at "
                f"{marked['made']}."
            )
        if found["before"] < marked["loads"]:
            return (
                f"The ledger went back: the table loads had {marked['loads']} rows when the mark was written and has "
                f"{found['before']}, as after a restore of an older snapshot."
            )
    return ""


def void(store: Store, why: str, at: str) -> None:
    """There is no mark from then on (ISO 8601): the next sweep looks at all files, and none has waited for longer."""
    store.put(SWEEP_MARK, {"void": why, "at": at})
    store.put(WAITING_SINCE, {"since": at})


def write(store: Store, stamp: str, load_id: str, readings: Sequence[Reading]) -> None:
    """Moves the mark to ``stamp``, when a sweep began whose load has ended well.

    Not if the mark became void since: that sweep looked only at what was newer than the mark that was there before. And
    not without a reading: nothing would say whose it is.
    """
    voided = read(store).get("at")
    if not readings or (voided and datetime.fromisoformat(stamp) < datetime.fromisoformat(voided)):
        return
    newest = max(readings, key=lambda found: int(found["loads"]))
    ledger = {"made": newest["made"], "loads": newest["loads"]}
    store.put(SWEEP_MARK, {"mark": stamp, "load_id": load_id, "place": place(), "ledger": ledger})
