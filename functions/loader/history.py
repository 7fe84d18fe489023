"""The history of loads in the work bucket, for the page of loads (loader/page) and the dashboard's widget.

Each load leaves a document of its own (load_document.py): these are the truth. The sweep folds them into one file a
day, so that whoever shows the history reads a few files. No load reads or rewrites another load's document.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from loader import keys
from loader.observability import logger
from loader.store import NOTHING, Changed, MissingObject, Store

Document = dict[str, Any]

BEGINNING = datetime.min.replace(tzinfo=UTC)
# After a day's end. A load belongs to the day of its start, and runs for a day at most (statemachine/load.asl.json).
CLOSES = timedelta(hours=25)
FOLDED_DAYS = 35  # the page shows 30
AT_A_TIME = 8
ATTEMPTS = 5  # at a file that others write at the same time
FILES_OF_A_DAY = 20_000  # in its file; the loads' own documents have more of them
GRACE = 3.0  # seconds that a load waits for its own document at most


@dataclass(frozen=True)
class History:
    """loads: a document each, in no order. sweep: what the last sweep saw; None if there was none."""

    loads: list[Document] = field(default_factory=list)
    sweep: Document | None = None


class Leaving:
    """A load's document on its way, in a thread: it delays nothing that the load does in the meantime."""

    def __init__(self, store: Store, document: Callable[[], Document], load_id: str) -> None:
        store.prepare_streams()
        self._pool = ThreadPoolExecutor(1)
        self._put: Future[None] = self._pool.submit(
            lambda: store.put_bytes(keys.history_load(load_id), packed(document()))
        )

    def end(self) -> None:
        """Waits a moment for it. A published load does not fail because of its document."""
        self._pool.shutdown(wait=False)
        try:
            self._put.result(timeout=GRACE)
        except Exception:
            logger.exception("the load's document could not be written: the page of loads lacks it")


def packed(document: Document) -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def unpacked(data: bytes) -> Document:
    found: Document = json.loads(gzip.decompress(data))
    return found


# -- reading -------------------------------------------------------------------------------
def read_history(store: Store, days: int, now: datetime) -> History:
    """The loads of so many days, today included."""
    first = _day(now - timedelta(days=days - 1))
    written = _written(store, first)
    closed = [day for day, at in written.items() if at >= _closing(day)]
    store.prepare_streams()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        files = [keys.history_day(day) for day in written]
        folded = [each for each in pool.map(lambda key: _read(store, key), files) if each]
        loads = {each["load_id"]: each for day in folded for each in day["loads"]}
        # In or before the last closed day, the files have all loads.
        own = [
            key
            for key, _ in _own(store, max([first, *closed]))
            if keys.history_load_of(key) not in loads
        ]
        for each in pool.map(lambda key: _read(store, key), own):
            if each:
                loads[each["load_id"]] = each
    return History(list(loads.values()), _read_sweep(store))


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def _closing(day: str) -> datetime:
    """A day's file that was written at this time or later has all loads of the day."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1) + CLOSES


def _written(store: Store, first: str) -> dict[str, datetime]:
    """The days from a day on that have a file -> when it was written."""
    found = store.keys_after(keys.HISTORY_DAYS, keys.HISTORY_DAYS + first)
    return {keys.history_day_of(key): modified for key, modified in found}


def _own(store: Store, first: str) -> Iterator[tuple[str, datetime]]:
    """The keys of the loads' own documents from a day on, and when they were written."""
    return store.keys_after(keys.HISTORY_LOADS, keys.HISTORY_LOADS + first)


def _read(store: Store, key: str) -> Document | None:
    """A document; None if it has been deleted since it was listed."""
    try:
        return unpacked(store.get_bytes(key)[0])
    except MissingObject:
        return None


def _read_sweep(store: Store) -> Document | None:
    try:
        found: Document = store.get(keys.SWEPT)
    except MissingObject:
        return None
    return found


# -- folding -------------------------------------------------------------------------------
def leave_missing(store: Store, document: Document) -> None:
    """Writes the document of a load, unless it has left one itself."""
    with suppress(Changed):
        store.put_bytes(keys.history_load(document["load_id"]), packed(document), over=NOTHING)


def fold(store: Store, now: datetime) -> None:
    """Folds the documents that no day's file has, the oldest day first: if a day's file is closed, those of all days
    before it are.

    A document may come or change long after its day: of an execution that was redriven, or that never ended by itself.
    """
    first = _day(now - timedelta(days=FOLDED_DAYS))
    written = _written(store, first)
    own: dict[str, dict[str, datetime]] = {}
    for key, modified in _own(store, first):
        own.setdefault(keys.history_day_of(key), {})[key] = modified
    for day in sorted(own):
        at = written.get(day, BEGINNING)
        changed = {key for key, modified in own[day].items() if modified >= at}  # in whole seconds
        if at >= _closing(day) and not changed:
            continue
        if not _fold_day(store, day, [*own[day]], changed, now):
            logger.warning("a day of the history is not folded; the next sweep does it", day=day)
            return


def _fold_day(store: Store, day: str, own: list[str], changed: set[str], now: datetime) -> bool:
    """Adds the documents that the day's file lacks, and those that have changed; returns whether it has all. Others may
    do the same at the same time: none of what they add is lost.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    for _ in range(ATTEMPTS):
        loads: dict[str, Document] = {}
        version, at = NOTHING, BEGINNING
        with suppress(MissingObject):
            data, version = store.get_bytes(keys.history_day(day))
            at = version.modified or BEGINNING
            loads = {each["load_id"]: each for each in unpacked(data)["loads"]}
        more = [key for key in own if key in changed or keys.history_load_of(key) not in loads]
        if not more and not at < _closing(day) <= now:
            return True
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            for each in pool.map(lambda key: _read(store, key), more):
                if each:
                    loads[each["load_id"]] = each
        document = {"version": 1, "day": day, "loads": _within(loads.values())}
        with suppress(Changed):
            store.put_bytes(keys.history_day(day), packed(document), over=version)
            return True
    return False


def _within(loads: Iterable[Document]) -> list[Document]:
    """The documents with at most FILES_OF_A_DAY files; those that were not loaded are kept of all."""
    left = FILES_OF_A_DAY
    kept = []
    for load in sorted(loads, key=lambda each: str(each["load_id"]), reverse=True):
        files = load.get("files") or []
        if len(files) > left:
            bad = [each for each in files if each[1] != "loaded"]
            load = {**load, "files": bad}
        left = max(left - len(files), 0)
        kept.append(load)
    return kept
