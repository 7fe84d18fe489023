"""A load ended: an event on the account's default event bus, and an OpenLineage run event for each of its datasets.

docs/events.md is the contract, docs/events/load-ended.schema.json the schema of the first. They are sent in a thread,
while the last step waits for its clean-up. What cannot be sent fails no load: it is counted, and the sweep sends it.
Source: docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from loader import clients, keys, lineage
from loader.load_document import by_dataset
from loader.observability import SERVICE, MetricUnit, logger, metrics
from loader.report import as_cause, files_in_words
from loader.settings import settings
from loader.store import Store

if TYPE_CHECKING:
    from loader.state import Load, Report, Result


SOURCE = "s3-redshift-loader"
ENDED, LINEAGE = "Load Ended", "OpenLineage Run Event"
VERSION = 1
ENTRIES = 10  # in a request
# Bytes of an entry, and of the entries of a request. EventBridge takes 256 KB; a target gets the envelope too.
MOST = 240_000
ATTEMPTS = 2  # for entries that EventBridge did not take
PATIENCE = 3  # seconds, after everything else of the step

Entry = dict[str, Any]


class Announcement:
    """The events of one load, on their way from the start."""

    def __init__(
        self,
        store: Store,
        load: Load,
        report: Report,
        results: list[Result],
        *,
        execution: str,
        attempt: int,
    ) -> None:
        self._store, self._key = store, keys.unsent(load["load_id"])
        self._entries: list[Entry] = []
        self._left: Future[list[Entry]] | None = None
        try:
            self._entries = list(entries_of(load, report, results, execution, attempt))
            client = clients.events()  # here, because boto3 must not make one in a thread
            self._pool = ThreadPoolExecutor(1)
            self._left = self._pool.submit(put, client, self._entries)
        except Exception:
            logger.exception("the events of this load could not be written")
            metrics.add_metric("EventsNotSent", MetricUnit.Count, 1)

    def wait(self) -> None:
        """Waits a moment for the end. What was not sent, or may not have been, is counted and left to the sweep."""
        if not self._left:
            return
        left = self._entries
        try:
            left = self._left.result(PATIENCE)
        except TooLate:
            logger.warning("EventBridge has not answered; the sweep sends the events again")
        except Exception:
            logger.exception("the events of this load could not be sent; the sweep sends them")
        self._pool.shutdown(wait=False)
        if left:
            metrics.add_metric("EventsNotSent", MetricUnit.Count, len(left))
            try:
                self._store.put(self._key, left)
            except Exception:
                logger.exception("the events of this load are lost")


def send_unsent(store: Store) -> None:
    """Sends the events that loads could not send; what cannot be sent either is left to the next sweep."""
    try:
        for key in store.keys(keys.UNSENT):
            if left := put(clients.events(), store.get(key)):
                logger.warning("events of a load cannot be sent", key=key, events=len(left))
            else:
                store.delete(key)
    except Exception:
        logger.exception("events of loads could not be sent")


def put(client: Any, entries: list[Entry]) -> list[Entry]:
    """Sends the entries; returns those that EventBridge did not take, which are logged. Raises what botocore raises."""
    left: list[Entry] = []
    for together in requests(entries):
        for attempt in range(ATTEMPTS):
            answers = client.put_events(Entries=together)
            if not answers["FailedEntryCount"]:
                break
            failed = [
                (entry, answer)
                for entry, answer in zip(together, answers["Entries"], strict=True)
                if answer.get("ErrorCode")
            ]
            together = [entry for entry, _ in failed]
            logger.warning(
                "EventBridge did not take events",
                errors=[f"{a['ErrorCode']}: {a.get('ErrorMessage')}" for _, a in failed],
                last_attempt=attempt == ATTEMPTS - 1,
            )
        else:
            left += together
    return left


def requests(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries, as many together as a request takes."""
    together: list[Entry] = []
    size = 0
    for entry in entries:
        more = size_of(entry)
        if together and (len(together) == ENTRIES or size + more > MOST):
            yield together
            together, size = [], 0
        together.append(entry)
        size += more
    if together:
        yield together


def size_of(entry: Entry) -> int:
    """The bytes of an entry, as EventBridge counts them.

    Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
    """
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return sum(len(text.encode()) for text in texts)


def entries_of(
    load: Load, report: Report, results: list[Result], execution: str, attempt: int
) -> Iterator[Entry]:
    ended = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    detail = detail_of(load, report, results, execution=execution, attempt=attempt, ended=ended)
    yield _entry(ENDED, detail, execution)
    if load.get("mode", "load") not in ("load", "reload"):
        return
    for run in lineage.run_events(load, report, results, execution=execution, ended=ended):
        entry = _entry(LINEAGE, run, execution)
        if size_of(entry) > MOST:
            logger.warning("an OpenLineage event is too large to be sent", job=run["job"]["name"])
            continue
        yield entry


def _entry(kind: str, detail: dict[str, Any], execution: str) -> Entry:
    text = json.dumps(detail, ensure_ascii=False)
    return {"Source": SOURCE, "DetailType": kind, "Detail": text, "Resources": [execution]}


def detail_of(
    load: Load, report: Report, results: list[Result], *, execution: str, attempt: int, ended: str
) -> dict[str, Any]:
    """The detail of the event. A report that would be too large is cut as that of a failed execution."""
    detail: dict[str, Any] = {
        "version": VERSION,
        "stack": SERVICE,
        "schema": settings().schema,
        "load_id": load["load_id"],
        "attempt": attempt,
        "execution": execution,
        "mode": report["mode"],
        "status": report["status"],
        "summary": files_in_words(report["files"]),
        "started": load["started"],
        "ended": ended,
        "datasets": by_dataset(results),
        "document": {"bucket": settings().work_bucket, "key": keys.history_load(load["load_id"])},
        "report": report,
        "cut": False,
    }
    if len(json.dumps(report, ensure_ascii=False).encode()) > MOST - 40_000:
        detail |= {"report": json.loads(as_cause(report)), "cut": True}
    return detail
