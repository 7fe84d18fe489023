"""The sweep: loads files that no event has loaded. Runs on a schedule, and sends no SQL if nothing is newer than its
mark.

The mark is the time of the last sweep whose load ended well; that load writes it (functions/finish.py). If that sweep
did not know a dataset, or knew it with other prefixes or suffixes, all files of the dataset are checked.

The mark belongs to one ledger (loader/sweep_mark.py). The sweep itself notices another schema, database, warehouse or
bucket. Loads notice a ledger that was dropped or restored from an older snapshot; the sweep starts one if none of its
loads has checked for a day.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from loader import clients, keys, retries, sweep_mark
from loader.datasets import Dataset, dataset_of, datasets
from loader.event import send_unsent
from loader.event_loads import EventLoads, WaitingList, events_of, waiting_lists
from loader.history import fold, leave_missing
from loader.load_document import document_of_gone
from loader.migrations import latest_version
from loader.observability import MetricUnit, logger, metrics
from loader.overdue import Newest
from loader.settings import required_variable, settings
from loader.store import DataFile, MissingObject
from loader.unmatched import Unmatched, dataset_above

STATE_MACHINE = required_variable("STATE_MACHINE_ARN")
SCHEDULE = required_variable("SWEEP_SCHEDULE")
# LastModified of a multipart upload is when it began (AmazonS3/latest/userguide/UsingMetadata.html); and a load from
# events, whose files the sweep leaves alone, runs for at most a day.
OVERLAP = timedelta(days=4)
LOOK_AT_LEAST = timedelta(days=1)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# Events that wait for a load to end are loaded within minutes, unless something is wrong.
WAITS = timedelta(hours=1)
MAX_ENDED = 100

store = clients.store()
stepfunctions = clients.stepfunctions()


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lists the data bucket and starts a load if files are newer than the mark; returns their number.

    It also starts a load if another one ended without cleaning up. While a backfill, a person's load or the load of
    another sweep is running, it does nothing: the next sweep loads what that one leaves.
    """
    now = datetime.now(UTC)
    looked = basis(now)
    files = look(now, looked)
    send_unsent(store)
    remember(now, looked)
    return {"files": files}


def look(now: datetime, looked: dict[str, Any]) -> int:
    """Starts a load if one is needed; returns its number of files. Adds to ``looked`` what it has seen."""
    start_waiting()
    # Before the executions, so that a load that starts in between is not among these.
    unfinished = list(store.keys(keys.UNFINISHED))
    running = running_executions()
    lists = waiting_lists(store)
    looked["running"] = len(running)
    looked["waiting"] = {"files": sum(each.files for each in lists), "lists": len(lists)}
    if any(not name.startswith(keys.EVENT_EXECUTIONS) for name in running):
        logger.info("a load is running; the next sweep checks again", executions=running[:5])
        looked["skipped"] = "a load is running"
        return 0
    ended = [
        load
        for load in map(keys.unfinished_load, unfinished)
        if load[-8:] not in map(digest, running)
    ]
    marked = current_mark(now)
    marks, seen = last_sweep(marked)
    not_taken, newest = Unmatched(), Newest()
    # Listed once: files that arrive later must not count as seen.
    found = list(files_after(marks, not_taken, newest))
    record_unmatched(not_taken)
    looked["not_taken"] = not_taken.as_dict()
    for name, told in newest.as_dict().items():
        looked["datasets"][name] |= told
    measure_overdue(newest, now)
    others = being_loaded(running, lists, now)
    waiting = [file for file in found if (file.key, file.etag) in others - seen]
    files = [file for file in found if (file.key, file.etag) not in seen | others]
    looked["oldest_not_loaded_seconds"] = oldest([*files, *waiting], now)
    dealt_with = others | {(file.key, file.etag) for file in files}
    known, bucket = datasets().values(), settings().data_bucket
    files += retries.pending(store, known, bucket, dealt_with, now.isoformat())
    is_due = bool(marked) and now - datetime.fromisoformat(marked) > LOOK_AT_LEAST
    if not files and not ended and not is_due:
        logger.info("nothing is newer than the last sweep", marks=as_log_fields(marks))
        metrics.add_metric("OldestFileNotLoaded", MetricUnit.Seconds, oldest(waiting, now))
        return 0
    stamp = now.isoformat()
    recent = [
        [file.key, file.etag]
        for file in found
        if datetime.fromisoformat(file.modified) > now - OVERLAP
        and (file.key, file.etag) not in others
    ]
    scopes = {name: scope(dataset) for name, dataset in datasets().items()}
    store.put(keys.seen(stamp), {"datasets": scopes, "files": recent})
    objects = store.put_lines(keys.sweep_list(now), (file.as_dict() for file in files))
    document_gone(ended)  # before the load that cleans up after them, which forgets them
    started = stepfunctions.start_execution(
        stateMachineArn=STATE_MACHINE,
        name=f"sweep-{now:%Y%m%d-%H%M%S-%f}",
        input=json.dumps({"objects": objects, "mark": stamp, "ended": ended[:MAX_ENDED]}),
    )
    looked["started"] = started["executionArn"]
    metrics.add_metric("FilesSwept", MetricUnit.Count, len(files))
    logger.info("load started", files=len(files), ended=ended, marks=as_log_fields(marks))
    return len(files)


def basis(now: datetime) -> dict[str, Any]:
    """What the document of every sweep has (keys.SWEPT), for the page of loads and loader status."""
    return {
        "version": 1,
        "at": now.isoformat(),
        "schedule": SCHEDULE,
        "paused": settings().paused,
        "table_version": latest_version(),
        "datasets": {
            name: {
                "prefix": dataset.prefix,
                "suffixes": list(dataset.suffixes),
                "expect_seconds": dataset.expect_seconds,
                "contract": bool(dataset.contract),
            }
            for name, dataset in datasets().items()
        },
        "started": None,
    }


def document_gone(ended: list[str]) -> None:
    """Writes the documents of loads that ended without their last step."""
    try:
        for load in ended[:MAX_ENDED]:
            with suppress(MissingObject):  # it has cleaned up by now
                execution = store.get(keys.unfinished(load))["execution"]
                leave_missing(store, document_of_gone(load, execution))
    except Exception:  # only the page of loads lacks them
        logger.exception("loads that ended without their last step are not in the history")


def remember(now: datetime, looked: dict[str, Any]) -> None:
    """Writes what this sweep has seen, and folds the documents of loads. No load needs either."""
    try:
        store.put(keys.SWEPT, looked)
        fold(store, now)
    except Exception:
        logger.exception("the history could not be written: the page of loads is old")


def start_waiting() -> None:
    """Starts waiting events: the messages that do so can be lost, and loads can end without their last step."""
    try:
        EventLoads(store, lambda: stepfunctions, STATE_MACHINE).start_or_defer({})
    except Exception:  # then this sweep loads the files, or the next one
        logger.exception("waiting events could not be started")


def running_executions() -> list[str]:
    """The names of the executions that are running."""
    pages = stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=STATE_MACHINE, statusFilter="RUNNING"
    )
    return [execution["name"] for page in pages for execution in page["executions"]]


def oldest(files: list[DataFile], now: datetime) -> float:
    """The age of the oldest of the files in seconds, 0 if there is none."""
    ages = [(now - datetime.fromisoformat(file.modified)).total_seconds() for file in files]
    return max([*ages, 0.0])


def digest(name: str) -> str:
    """The last part of the id of an execution's load."""
    return keys.execution_digest(f"{STATE_MACHINE.replace(':stateMachine:', ':execution:')}:{name}")


def being_loaded(
    running: list[str], lists: list[WaitingList], now: datetime
) -> set[tuple[str, str]]:
    """The files (key, ETag) of running loads from events, and of events that wait for one of them to end. This sweep
    leaves them alone, and the next one checks them.

    Excluded are files so old that the next sweep would not see them, and events that wait although no load runs.
    """
    files = set()
    for file in event_files(running, lists, now):
        if now - datetime.fromisoformat(file.modified) < OVERLAP / 2:
            files.add((file.key, file.etag))
    return files


def event_files(running: list[str], lists: list[WaitingList], now: datetime) -> Iterator[DataFile]:
    for each in lists:
        if running or now - each.since < WAITS:
            yield from (file for _, file in events_of(store, each))
    for name in running:
        with suppress(MissingObject):
            yield from (DataFile(**row) for row in store.get_lines(keys.event_list(name)))


def current_mark(now: datetime) -> str:
    """The mark (ISO 8601), '' if there is none. Voids it if it belongs to another ledger by the stack's parameters."""
    document = sweep_mark.read(store)
    if why := sweep_mark.why_void(document):
        sweep_mark.void(store, why, now.isoformat())
        logger.warning(sweep_mark.VOID, why=why)
        metrics.add_metric("SweepMarkVoided", MetricUnit.Count, 1)
        return ""
    return str(document.get("mark", ""))


def last_sweep(stamp: str) -> tuple[dict[str, datetime], set[tuple[str, str]]]:
    """The time from which on each dataset's files are checked, and those that the last clean sweep saw (key, ETag).

    Its document is deleted after WorkRetentionDays: then all files are checked once.
    """
    known = datasets()
    try:
        document = store.get(keys.seen(stamp)) if stamp else None
    except MissingObject:
        document = None
    if document is None:
        return dict.fromkeys(known, BEGINNING), set()
    since = datetime.fromisoformat(stamp) - OVERLAP
    swept = document["datasets"]
    marks = {
        name: since if swept.get(name) == scope(dataset) else BEGINNING
        for name, dataset in known.items()
    }
    return marks, {(key, etag) for key, etag in document["files"]}


def scope(dataset: Dataset) -> list[str]:
    """Which files belong to the dataset."""
    return [dataset.prefix, *dataset.suffixes]


def as_log_fields(marks: dict[str, datetime]) -> dict[str, str]:
    return {name: mark.isoformat() for name, mark in marks.items()}


def files_after(
    marks: dict[str, datetime], not_taken: Unmatched, newest: Newest
) -> Iterator[DataFile]:
    """The files of the datasets in the data bucket that were modified after their dataset's mark. Also counts files of
    any age that match no dataset, and notes the newest of each dataset.
    """
    known = datasets().values()
    for name, dataset in datasets().items():
        for file in store.list_files(settings().data_bucket, dataset.prefix):
            if dataset.takes(file.key):
                newest.add(dataset, file.modified)
                if datetime.fromisoformat(file.modified) > marks[name]:
                    yield file
            elif not dataset_of(file.key, known) and dataset_above(file.key, known) is dataset:
                not_taken.add(file, dataset)


def measure_overdue(newest: Newest, now: datetime) -> None:
    """Counts the datasets of which no file has come for longer than their contract expects, and logs them."""
    overdue = newest.overdue(datasets().values(), now)
    metrics.add_metric("DatasetsOverdue", MetricUnit.Count, len(overdue))
    if overdue:
        logger.warning("no new file has come for longer than expected", datasets=overdue)


def record_unmatched(not_taken: Unmatched) -> None:
    """Writes a metric and the log."""
    found = not_taken.as_dict()
    metrics.add_metric("FilesNotTaken", MetricUnit.Count, not_taken.files)
    if not_taken.files:
        logger.warning("files under a dataset's prefix match no dataset", **found)
