"""Loads from S3 events: how many run at once, and the lists of events that wait for one of them to end.

Below the limit (MaxLoadsAtOnce) events become a load immediately. At the limit they are written to a list, and their
messages are done. The next one that finds room (the trigger, a load that ends, the sweep) turns all lists into one
load, so that loads grow when they are slow. A dataset without files in any of these loads may start one load above the
limit, so that the backlog of one dataset does not block another. Loads that a person, a backfill or the sweep started
do not count.

Nothing here decides what is loaded. If a list is used twice, two loads have the same files, and the claim of the
publish transaction lets only one of them load each file. A list is deleted when the execution with its files is
started.
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from gzip import BadGzipFile
from itertools import groupby
from typing import Any

from loader import keys
from loader.datasets import dataset_of, datasets
from loader.observability import MetricUnit, logger, metrics
from loader.settings import settings
from loader.store import DataFile, MissingObject, Store

MAX_NAMES = 5
ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")
MAX_LISTS = 500  # read at once, in about ten seconds; the rest is left for the next time

Events = dict[str, tuple[str, DataFile]]
"""Key -> the sequencer of the newest event, and its object."""


def add_event(events: Events, sequencer: str, file: DataFile) -> None:
    """Adds an event, unless there is a newer one of the same key.

    Sequencers of one key compare as text when the shorter is padded with zeros on the right.
    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    seen = events.get(file.key)
    if seen is None or sequencer.ljust(64, "0") > seen[0].ljust(64, "0"):
        events[file.key] = (sequencer, file)


@dataclass(frozen=True)
class WaitingList:
    """A list of waiting events: its key, dataset, number of files, and since when it waits."""

    key: str
    dataset: str
    files: int
    since: datetime


def waiting_lists(store: Store) -> list[WaitingList]:
    """The waiting lists, oldest first. One request for each thousand."""
    found = []
    for file in store.list_files(store.bucket, keys.WAITING):
        found_in_key = keys.split_waiting_list(file.key)
        if not found_in_key:
            logger.error("an object among the waiting lists is not a list", key=file.key)
            continue
        since = datetime.fromisoformat(file.modified)
        found.append(WaitingList(file.key, *found_in_key, since))
    return sorted(found, key=lambda each: (each.since, each.key))


def events_of(store: Store, waiting: WaitingList) -> Iterator[tuple[str, DataFile]]:
    """The events of a list; none if another load has started them in the meantime.

    A list that cannot be read does not block others: the sweep loads its files.
    """
    try:
        for row in store.get_lines(waiting.key):
            sequencer = row.pop("sequencer")
            yield sequencer, DataFile(**row)
    except MissingObject:
        return
    except (BadGzipFile, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError):
        logger.exception(
            "a waiting list cannot be read; the sweep loads its files", key=waiting.key
        )


class EventLoads:
    """Starts loads from events, or lets events wait. ``states`` returns a Step Functions client when it is needed."""

    def __init__(self, store: Store, states: Callable[[], Any], machine: str) -> None:
        self._store = store
        self._states = states
        self._machine = machine

    def start_or_defer(self, events: Events, *, leaving: str = "") -> int:
        """Starts at most one load of these events and the waiting ones, if there is room. Returns how many files still
        wait. ``leaving``: the name of an execution that is about to end, and does not count.

        When this returns, events that are not in a load are in a list. If it raises, all earlier lists are still there.
        """
        waiting = waiting_lists(self._store)
        if not events and not waiting:
            return 0
        running = [name for name in self._running() if name != leaving]
        known = datasets()
        of = {
            key: dataset.name
            for key in events
            if (dataset := dataset_of(key, known.values())) is not None
        }
        admitted = {*of.values(), *(each.dataset for each in waiting)}
        if len(running) >= settings().max_loads_at_once:
            admitted -= self._datasets_of(running, admitted)
        deferred = {key: events[key] for key, name in of.items() if name not in admitted}
        self._defer(deferred, of)
        load = {key: events[key] for key, name in of.items() if name in admitted}
        taken = _some([each for each in waiting if each.dataset in admitted])
        for each in taken:
            for sequencer, file in events_of(self._store, each):
                if dataset_of(file.key, known.values()):  # the dataset may have been removed since
                    add_event(load, sequencer, file)
        if load:
            self._start(load, MAX_NAMES if events else 1)
        for each in taken:
            self._store.delete(each.key)
        still = sum(each.files for each in waiting) - sum(each.files for each in taken)
        still += len(deferred)
        if waiting or deferred:
            logger.info(
                "loads wait for others to end",
                running=len(running),
                files_deferred=len(deferred),
                lists_taken=len(taken),
                files_waiting=still,
            )
            metrics.add_metric("LoadsDeferred", MetricUnit.Count, int(bool(deferred)))
            metrics.add_metric("FilesWaiting", MetricUnit.Count, still)
        return still

    def _running(self) -> list[str]:
        """The names of the running executions that events started.

        Eventually consistent: executions that have just started or ended may be missing or included.
        Source: docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
        """
        pages = (
            self._states()
            .get_paginator("list_executions")
            .paginate(stateMachineArn=self._machine, statusFilter="RUNNING")
        )
        names = (execution["name"] for page in pages for execution in page["executions"])
        return [name for name in names if name.startswith(keys.EVENT_EXECUTIONS)]

    def _datasets_of(self, running: list[str], wanted: set[str]) -> set[str]:
        """Which of these datasets have files in the executions. Reads no more of their lists than necessary."""
        found: set[str] = set()
        for name in running:
            with suppress(MissingObject):
                for row in self._store.get_lines(keys.event_list(name)):
                    if dataset := dataset_of(row["key"], datasets().values()):
                        found.add(dataset.name)
                    if wanted <= found:
                        return found
        return found

    def _defer(self, events: Events, of: dict[str, str]) -> None:
        """Writes a list for each dataset. The same events always have the same list."""
        in_order = sorted(events, key=lambda key: (of[key], key))
        for dataset, group in groupby(in_order, key=lambda key: of[key]):
            some = {key: events[key] for key in group}
            self._store.put_lines(
                keys.waiting_list(dataset, _digest(some), len(some)),
                ({**file.as_dict(), "sequencer": sequencer} for sequencer, file in some.values()),
            )

    def _start(self, events: Events, attempts: int) -> None:
        """Starts one execution for the events. If one of the same name has failed, starts another, up to ``attempts``.

        If an execution of this name and input is running, the answer is that of its first start: it shows that the
        events have a load, not who started it.
        Source: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        """
        states = self._states()
        digest = _digest(events)
        name = keys.event_execution(digest)
        files = (events[key][1].as_dict() for key in sorted(events))
        objects = self._store.put_lines(keys.event_list(name), files)
        for number in range(1, attempts + 1):
            execution = keys.event_execution(digest, number)
            try:
                answer = states.start_execution(
                    stateMachineArn=self._machine,
                    name=execution,
                    input=json.dumps({"objects": objects}),
                )
            except states.exceptions.ExecutionAlreadyExists:
                if attempts == 1:  # the sweep checks what it has not loaded
                    logger.info("these events have had their load", execution_name=name)
                    return
                arn = f"{self._machine.replace(':stateMachine:', ':execution:')}:{execution}"
                status = states.describe_execution(executionArn=arn)["status"]
                if status not in ENDED_BADLY:
                    logger.info(
                        "these events have their load already", execution=arn, status=status
                    )
                    return
                continue
            logger.info(
                "these events have a load that runs",
                execution_name=execution,
                files=len(events),
                started=answer["startDate"].isoformat(),
            )
            return
        logger.error(
            "these events failed to load every time; the sweep loads their files",
            execution_name=name,
        )


def _some(waiting: list[WaitingList]) -> list[WaitingList]:
    """The oldest lists, up to as many files as one execution loads; at least one list."""
    most, files = settings().batch_files * settings().max_batches, 0
    taken: list[WaitingList] = []
    for each in waiting[:MAX_LISTS]:
        files += each.files
        if taken and files > most:
            break
        taken.append(each)
    return taken


def _digest(events: Events) -> str:
    """A name for the events, independent of their order."""
    identity = "\n".join(
        f"{file.bucket}\0{file.key}\0{file.etag}\0{sequencer}"
        for sequencer, file in (events[key] for key in sorted(events))
    )
    return hashlib.sha256(identity.encode()).hexdigest()[:40]
