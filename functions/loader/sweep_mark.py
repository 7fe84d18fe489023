"""The sweep's mark: what the sweep need not look at again. It belongs to one ledger, and is void for any other.

sweep/mark.json   {"mark", "load_id", "place", "ledger", "written"}: when the last clean sweep began, the load that
                  wrote this, where the ledger was, what it said of itself, when this was written (seconds since 1970);
                  or {"void", "at"}: why there is none, and since when
sweep/since.json  no file counts as waiting before

What a ledger says of itself (sql/plan/ledger.sql) is a *reading*: ``made``, when its tables were made, which a restored
snapshot keeps and tables that are made again do not; ``before`` and ``loads``, the rows of the table loads without and
with those of the transaction that asked; ``asked``, a time before it did (seconds since 1970). Rows are never deleted
there, so a ledger that has fewer later has gone back.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from loader.keys import SWEEP_MARK, WAITING_SINCE
from loader.settings import settings
from loader.state import Reading
from loader.store import MissingObject, Store

MARGIN = 60  # seconds: the clocks of two functions
VOID = "The sweep's mark is void: the next sweep looks at all files, and loads those that the ledger does not know."


def location() -> dict[str, str]:
    """Where the ledger is, and the bucket whose files it lists, by the stack's parameters."""
    here = settings()
    return {
        "warehouse": here.workgroup or here.cluster or "",
        "database": here.database,
        "schema": here.schema,
        "bucket": here.data_bucket,
    }


def reading(made: Any, before: Any, asked: float, own: int = 0) -> Reading:
    """own: how many rows of the table loads the asking transaction has added, which ``before`` does not count."""
    return {"made": str(made), "before": int(before), "loads": int(before) + own, "asked": asked}


def identity(readings: Sequence[Reading]) -> dict[str, Any]:
    """What a document says of the ledger that it belongs to: ``place`` and ``ledger``, by the newest reading."""
    newest = max(readings, key=lambda found: int(found["loads"]))
    ledger = {"made": newest["made"], "loads": newest["loads"]}
    return {"place": location(), "ledger": ledger, "written": time.time()}


def read(store: Store, key: str = SWEEP_MARK) -> dict[str, Any]:
    """The document that belongs to a ledger; {} if there is none, or one of an earlier version, which named none."""
    try:
        document: dict[str, Any] = store.get(key)
    except MissingObject:
        return {}
    return (
        document if "void" in document or {"place", "ledger", "written"} <= document.keys() else {}
    )


def why_void(document: dict[str, Any], readings: Iterable[Reading] = ()) -> str:
    """Why a mark is of another ledger than the one here, or of what it was; '' if it is not, or there is no mark."""
    if not document or "void" in document:
        return ""
    changed = [
        f"{name} {document['place'].get(name)!r} (now {value!r})"
        for name, value in location().items()
        if document["place"].get(name) != value
    ]
    if changed:
        return f"The mark is of another ledger: {', '.join(changed)}."
    marked = document["ledger"]
    for found in readings:
        if found["asked"] <= document["written"] + MARGIN:
            continue  # the load asked first, and ended later than the one that wrote the mark
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
    store.put(SWEEP_MARK, {"mark": stamp, "load_id": load_id, **identity(readings)})
