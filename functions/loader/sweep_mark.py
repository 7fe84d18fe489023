"""The sweep's mark: files older than it need not be checked again. It belongs to one ledger, and is void for others.

The document is {"mark", "load_id", "place", "ledger", "written"}: when the last clean sweep began, the load that wrote
this, where the ledger is, its reading, when this was written (seconds since 1970); or {"void", "at"}: why there is no
mark, and since when.

What a ledger says of itself (sql/plan/ledger.sql) is a *reading* (state.Reading). ``made`` is kept by a restored
snapshot, but not by tables that are created again. Rows of the table loads are never deleted, so a ledger that has
fewer later was restored from an older snapshot.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loader.keys import SWEEP_MARK, WAITING_SINCE
from loader.settings import settings
from loader.store import MissingObject, Store

if TYPE_CHECKING:
    from loader.state import Reading


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
    """own: rows of the table loads that the asking transaction has added, which ``before`` does not include."""
    return {"made": str(made), "before": int(before), "loads": int(before) + own, "asked": asked}


def identity(readings: Sequence[Reading]) -> dict[str, Any]:
    """What a document says about its ledger: ``place`` and ``ledger``, by the newest reading."""
    newest = max(readings, key=lambda found: int(found["loads"]))
    ledger = {"made": newest["made"], "loads": newest["loads"]}
    return {"place": location(), "ledger": ledger, "written": time.time()}


def read(store: Store, key: str = SWEEP_MARK) -> dict[str, Any]:
    """The document; {} if there is none, or only one of an earlier version, which did not name its ledger."""
    try:
        document: dict[str, Any] = store.get(key)
    except MissingObject:
        return {}
    return (
        document if "void" in document or {"place", "ledger", "written"} <= document.keys() else {}
    )


def why_void(document: dict[str, Any], readings: Iterable[Reading] = ()) -> str:
    """Why the mark belongs to another ledger, or to an earlier state of it; '' if it does not, or there is no mark."""
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
            continue  # the load asked before the mark was written, and ended after it
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
    """Voids the mark from this time on (ISO 8601): the next sweep checks all files, which wait since then at most."""
    store.put(SWEEP_MARK, {"void": why, "at": at})
    store.put(WAITING_SINCE, {"since": at})


def write(store: Store, stamp: str, load_id: str, readings: Sequence[Reading]) -> None:
    """Moves the mark to ``stamp``, the time of a sweep whose load has ended well.

    Not if the mark became void since: that sweep checked only files newer than the earlier mark. And not without a
    reading, which says to which ledger the mark belongs.
    """
    voided = read(store).get("at")
    if not readings or (voided and datetime.fromisoformat(stamp) < datetime.fromisoformat(voided)):
        return
    store.put(SWEEP_MARK, {"mark": stamp, "load_id": load_id, **identity(readings)})
