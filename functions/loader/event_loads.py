"""Loads from events: how many run at once, and the lists of what waits for one of them to end.

waiting/<dataset>/<digest>-<files>.json.gz   the events of one dataset and window, one a line

Under the bound (MaxLoadsAtOnce) events are a load at once. At the bound they are written to a list, and their messages
are done with. Whoever looks next and finds room (the trigger, a load that ends, the sweep) takes all lists as one load,
so that loads grow when they are slow. A dataset of which no such load has a file may start one load over the bound, so
that the pile of one dataset holds up no other. Loads that a person, a backfill or the sweep started do not count.

Nothing here decides what is loaded: a list that is taken twice is two loads of the same files, and the claim of the
publish transaction lets one of them load each. A list is deleted when the execution that has its files is started.
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
MAX_LISTS = 500  # that one look reads, some ten seconds; what is left is the next one's

Events = dict[str, tuple[str, DataFile]]
"""By key: the sequencer of the newest event, and its object."""


def add_event(events: Events, sequencer: str, file: DataFile) -> None:
    """Adds an event, unless a newer one of the same key is there.

    Sequencers of one key compare as text when the shorter is padded with zeros on the right.
    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    seen = events.get(file.key)
    if seen is None or sequencer.ljust(64, "0") > seen[0].ljust(64, "0"):
        events[file.key] = (sequencer, file)


@dataclass(frozen=True)
class WaitingList:
    """A list that waits: its key, its dataset's name, how many files it has, since when it waits."""

    key: str
    dataset: str
    files: int
    since: datetime


def waiting_lists(store: Store) -> list[WaitingList]:
    """The lists that wait, the oldest first. One request for each thousand."""
    found = []
    for file in store.list_files(store.bucket, keys.WAITING):
        found_in_key = keys.split_waiting_list(file.key)
        if not found_in_key:  # who put it there?
            logger.error("an object among the lists that wait is no list", key=file.key)
            continue
        since = datetime.fromisoformat(file.modified)
        found.append(WaitingList(file.key, *found_in_key, since))
    return sorted(found, key=lambda each: (each.since, each.key))


def events_of(store: Store, waiting: WaitingList) -> Iterator[tuple[str, DataFile]]:
    """The events of a list, none if it has been taken meanwhile.

    One that cannot be read holds nothing up: its files are the sweep's.
    """
    try:
        for row in store.get_lines(waiting.key):
            sequencer = row.pop("sequencer")
            yield sequencer, DataFile(**row)
    except MissingObject:
        return
    except (BadGzipFile, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError):
        logger.exception(
            "a list that waits cannot be read; the sweep loads its files", key=waiting.key
        )


class EventLoads:
    """Starts loads of events, or lets events wait. ``states`` gives a Step Functions client when one is needed."""

    def __init__(self, store: Store, states: Callable[[], Any], machine: str) -> None:
        self._store = store
        self._states = states
        self._machine = machine

    def start_or_defer(self, events: Events, *, leaving: str = "") -> int:
        """Starts at most one load, of these events and what waits, as far as there is room; returns how many files
        wait then. ``leaving``: the name of an execution that ends, and does not count.

        What is in no load is in a list when this returns. If it raises, nothing is lost that was in a list before.
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
                if dataset_of(file.key, known.values()):  # it may be gone since
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
        """The names of the executions that events started and that run.

        Eventually consistent: it may not show what has just started or ended.
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
        """Which of these datasets the executions have files of. It reads no more of their lists than it must."""
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
        """Writes a list for each dataset. The same events have the same list, however often they come."""
        in_order = sorted(events, key=lambda key: (of[key], key))
        for dataset, group in groupby(in_order, key=lambda key: of[key]):
            some = {key: events[key] for key in group}
            self._store.put_lines(
                keys.waiting_list(dataset, _digest(some), len(some)),
                ({**file.as_dict(), "sequencer": sequencer} for sequencer, file in some.values()),
            )

    def _start(self, events: Events, attempts: int) -> None:
        """Starts one execution for the events; one that ended badly under the same name is started anew, if
        ``attempts`` are left.

        A name that runs with the same input is answered as its first start was, and says that the events have a load,
        not who started it: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
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
                if attempts == 1:  # the sweep looks at what it has not loaded
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
    """The oldest lists, up to as many files as one execution loads; one list at least."""
    most, files = settings().batch_files * settings().max_batches, 0
    taken: list[WaitingList] = []
    for each in waiting[:MAX_LISTS]:
        files += each.files
        if taken and files > most:
            break
        taken.append(each)
    return taken


def _digest(events: Events) -> str:
    """A name for the events, whatever their order."""
    identity = "\n".join(
        f"{file.bucket}\0{file.key}\0{file.etag}\0{sequencer}"
        for sequencer, file in (events[key] for key in sorted(events))
    )
    return hashlib.sha256(identity.encode()).hexdigest()[:40]
