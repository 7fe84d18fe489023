"""Plan the load: which files, in which batches.

In: the execution's input, its ARN and start, and after ``running`` what this step said last.
Out: outcome ``load``, ``nothing``, ``planned`` (dry run), ``check``, ``migrated``, ``reset``, ``undo``, ``refused``,
``no tables`` or ``running``.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, compress, islice
from typing import TYPE_CHECKING

from loader import backlog, batches, clients, keys, ledger, listing, redo, statements
from loader.contract_tables import sentence
from loader.dataapi import Statement, StatementFailed, client_token
from loader.datasets import Dataset, dataset_for
from loader.failures import Kind, is_missing
from loader.ledger import NoTables
from loader.leftovers import cancel_statements
from loader.observability import MetricUnit, logger, metrics
from loader.request import BadRequest, Request, parse
from loader.settings import settings
from loader.steps import advance, ending, step
from loader.store import DataFile, MissingObject
from loader.tables import behind, pending
from loader.unmatched import Unmatched

if TYPE_CHECKING:
    from loader.state import File, Load, PlanEvent, UnmatchedFiles


MAX_ATTEMPTS = 5
MAX_UPGRADES = 3  # how often one plan may ask for the tables to be created or upgraded
SHOWN_KEYS = 10

api = clients.api()
store = clients.store()


@step
def handler(event: PlanEvent) -> Load:
    load: Load = event.get("load") or {}
    # The first call, whatever a person gave as input.
    if load.get("execution") != event["execution"]:
        load = {
            "load_id": keys.load_id(event["execution"], event["started"]),
            "execution": event["execution"],
            "started": event["started"],
            "attempt": 0,
        }
    logger.append_keys(load_id=load["load_id"])
    try:
        request = parse(event["input"])
        if request.mode in ("reset", "undo"):
            mark_unfinished(load)
        if request.mode in ("check", "reset"):
            return {**load, "mode": request.mode, "outcome": request.mode}
        if request.mode == "migrate":
            # Migrate checks the version itself, and returns what it was.
            if "upgraded" not in load:
                return {**load, "mode": "migrate", "outcome": "no tables"}
            return not_refused({**load, "mode": "migrate", "outcome": "migrated"})
        if request.mode == "undo":
            return {
                **load,
                "mode": "undo",
                "undo": {"load_id": request.undo},
                "dry_run": request.dry_run,
                "outcome": "undo",
            }
        return plan(load, request)
    except BadRequest as error:
        return {**load, "mode": "load", "outcome": "refused", "cause": str(error)}


def plan(load: Load, request: Request) -> Load:
    """Lists the files, compares them with the ledger, and divides them into batches."""
    begun = time.time()
    load = {
        **load,
        "mode": request.mode,
        "mark": request.mark,
        "ended": list(request.ended),
        "dry_run": request.dry_run,
        "named": request.named,
        "objects": load.get("objects", request.objects),
    }
    if request.redo:
        load["redo"] = request.redo
    try:
        if request.redo and not load["objects"]:
            load = find_withdrawn(load, request)
        if load["objects"] or not request.redo:
            load, new = find_new(load, request)
        else:
            new = None
        if new is not None:
            load = with_contracts(load, request)
    except NoTables:
        if load["attempt"] >= MAX_UPGRADES:
            raise
        load = {**load, "statement": None, "attempt": load["attempt"] + 1, "outcome": "no tables"}
        new = None
    load["seconds"] = seconds_so_far(load, begun)
    if new is None:
        return load
    if load["listed"] == 0:
        measure(load, request, "", more=False)
        return not_refused({**load, "outcome": "nothing"})
    result, oldest = write_batches(load, new)
    load["seconds"] = seconds_so_far(load, begun)
    if result["outcome"] == "nothing" and result["rest"]:
        return skip_to(load, result["rest"])
    measure(load, request, oldest, more=bool(result["rest"]))
    if result["outcome"] == "load":
        mark_unfinished(load)
    passed = load.get("passed", 0)
    listed, known = load["listed"] + passed, result["known"] + passed
    return not_refused({**load, **result, "listed": listed, "known": known})


def with_contracts(load: Load, request: Request) -> Load:
    """Compares the tables with the contracts. Raises NoTables if they have others, and this load has not changed that.

    A load from events does not ask: each batch sees for itself whether its tables have the contract. A dry run has what
    the next load will change.
    """
    of_events = not request.reload and load["objects"].startswith(store.uri(keys.EVENTS))
    if "upgraded" in load or of_events:
        return load
    if load["dry_run"]:
        try:
            found = pending(load, "plan")
        except StatementFailed as error:
            if is_missing(str(error)):
                return load  # there are no tables at all
            raise
        load = {**load, "changes": {name: list(of.told) for name, of in found.items() if of.told}}
        refused = {name: sentence(of.refused) for name, of in found.items() if of.refused}
        return {**load, "refused": refused}
    if old := behind(load, f"plan.{load['attempt']}"):
        raise NoTables(f"The tables of {', '.join(old)} do not have the present contract.")
    return load


def not_refused(load: Load) -> Load:
    """The load; if there is nothing to load, it fails for contracts to which the tables cannot be brought.

    If there is, only the batches of these datasets fail.
    """
    refused = load.get("refused", {})
    if refused and load["outcome"] in ("nothing", "migrated"):
        return {**load, "outcome": "refused", "cause": " ".join(refused.values())}
    return load


def find_withdrawn(load: Load, request: Request) -> Load:
    """The load with the files of an undone load; or with an outcome, while the query runs."""
    names = {**settings().template_names, "undone_load": request.redo}
    sequence = statements.redo(names)
    try:
        load, statement = ask(load, ("redo", ""), sequence)
    except NoTables as error:
        raise BadRequest(redo.unknown(request.redo)) from error
    if statement is None:
        return load
    why, files = (api.rows(f"{statement.id}:{number}") for number in (1, len(sequence)))
    return load | redo.write(store, load["load_id"], redo.found(request.redo, files, why))


def find_new(load: Load, request: Request) -> tuple[Load, Iterator[DataFile] | None]:
    """The load and its files that are new; None while the query runs. Raises NoTables."""
    if "listed" not in load:
        list_all(load, request)
    listed = load["listed"]
    if not request.reload and load["objects"].startswith(store.uri(keys.EVENTS)):
        return load, listing.read(store, load["listing"]) if listed else iter(())
    load, is_new = compared(load)
    if is_new is None:
        return load, None
    return load, compress(listing.read(store, load["listing"]), is_new) if listed else iter(())


def list_all(load: Load, request: Request) -> None:
    """Writes the listing, and the number of its files into the load."""
    cancel_leftovers(request)
    # A unique name: if this call is repeated, its numbers must not be used with another listing.
    load["listing"] = keys.listing(load["load_id"], uuid.uuid4().hex[:8])
    not_taken = Unmatched()
    files = listing.list_files(store, request, load["objects"], not_taken)
    load["listed"] = listing.write(
        store, load["listing"], listing.reloadable(files) if request.reload else files
    )
    if not_taken.files:
        load["not_taken"] = report_unmatched(load, not_taken)


def skip_to(load: Load, objects: str) -> Load:
    """Other loads have loaded all files of this list in the meantime: this execution takes the next list."""
    passed = load.get("passed", 0) + load.pop("listed")
    return {**load, "objects": objects, "passed": passed, "outcome": "running"}


def mark_unfinished(load: Load) -> None:
    """Marks the load as unfinished until Finish. If it never gets there, the sweep cancels its statements and cleans
    up.
    """
    store.put(keys.unfinished(load["load_id"]), {"execution": load["execution"]})


def cancel_leftovers(request: Request) -> None:
    """Cancels the statements of ended loads before this load waits for their locks. Finish checks again."""
    for dead in request.ended:
        try:
            cancel_statements(api, dead)
        except Exception:  # that need not stop this load
            logger.exception("the statements of an ended load could not be cancelled", load=dead)


def measure(load: Load, request: Request, oldest: str, *, more: bool) -> None:
    """Measures how long the oldest file that is not loaded has waited, if the load checks all files.

    In a backfill the first execution has checked all files, and after it only the last one does.
    """
    is_backlog = backlog.is_list(load["objects"].removeprefix(store.uri("")))
    narrowed_by = (request.keys, request.prefixes, request.objects, request.redo)
    checks_all = request.mark or not any(narrowed_by)
    if request.mode == "load" and checks_all and not (is_backlog and more):
        age = waiting_seconds(request, oldest) if oldest else 0
        metrics.add_metric("OldestFileNotLoaded", MetricUnit.Seconds, max(age, 0))


def waiting_seconds(request: Request, oldest: str) -> float:
    """How long a file has waited, in seconds. Counts from the first load at the earliest: in a new stack the alarm
    would otherwise report years.
    """
    now = datetime.now(UTC)
    try:
        since = datetime.fromisoformat(store.get(keys.WAITING_SINCE)["since"])
    except MissingObject:
        since = now
        if not request.dry_run:
            store.put(keys.WAITING_SINCE, {"since": now.isoformat()})
    return (now - max(since, datetime.fromisoformat(oldest))).total_seconds()


def seconds_so_far(load: Load, begun: float) -> float:
    """The seconds of all calls of this step so far."""
    return round(float(load.get("seconds", 0)) + time.time() - begun, 3)


def report_unmatched(load: Load, not_taken: Unmatched) -> UnmatchedFiles:
    """What the report says about files that match no dataset. A dry run lists all of their keys."""
    logger.warning("files match no dataset", **not_taken.as_dict())
    if not load["dry_run"]:
        return not_taken.as_dict()
    key = keys.unmatched(load["load_id"])
    return not_taken.as_dict() | {
        "list": store.put_lines(key, ({"key": key} for key in not_taken.keys))
    }


def compared(load: Load) -> tuple[Load, bytearray | None]:
    """The load with what the ledger says, and whether each listed file is new, by its number; None while the query
    runs.

    With nothing listed, only the ledger's version and reading are queried (loader/sweep_mark.py). Raises NoTables, but
    not in a dry run: without tables all files are new, and old tables are used as they are.
    """
    listed = load["listed"]
    uri = store.uri(load["listing"])
    sequence = ledger.comparison(load, uri) if listed else ledger.alone(load)
    try:
        load, statement = ask(load, ("plan", keys.listing_id(load["listing"])), sequence)
    except NoTables:
        if load["dry_run"]:
            return {**load, "statement": None}, bytearray(b"\1") * listed
        raise
    if statement is None:
        return load, None
    is_new, figures = ledger.read(api.rows(f"{statement.id}:{len(sequence)}"), listed)
    return ledger.with_figures(load, figures), is_new


def ask(
    load: Load, step: tuple[str, str], sequence: Sequence[str]
) -> tuple[Load, Statement | None]:
    """Queries the ledger, or continues to wait. Returns the statement when it has finished, or None and the load with
    an outcome. Raises NoTables, StatementFailed.

    ``step``: for the client token, a name and what distinguishes it from others of the load.
    """
    attempt, (name, distinct) = load["attempt"], step
    if not load.get("statement"):
        load = {**load, "asked": round(time.time(), 3)}
    statement, pending = advance(
        api,
        load.get("statement"),
        lambda: api.submit(
            sequence,
            token=client_token(load["load_id"], name, distinct, attempt),
            name=f"{load['load_id']} {name}",
            wait=settings().wait_seconds,
        ),
    )
    if statement.running:
        return {**load, "outcome": "running", "statement": pending}, None
    load = {**load, "statement": None}
    if statement.finished:
        return load, statement
    end = ending(api, statement, pending, "compared the files with the ledger")
    text = f"The files could not be compared with the ledger: {end.error}"
    match end.kind:
        case Kind.LOST | Kind.TRY_AGAIN if attempt < MAX_ATTEMPTS:
            return {**load, "attempt": attempt + 1, "outcome": "running"}, None
        case Kind.NO_TABLES:
            raise NoTables(text)
        case Kind.TOO_LONG | Kind.LOST:
            raise StatementFailed(end.error)
        case _:
            raise StatementFailed(text)


Cut = Iterator[tuple[Dataset, list[DataFile]]]


@dataclass
class Tally:
    """What was planned: files, their bytes, the files of each dataset, the oldest (ISO 8601 or ''), the first keys."""

    files: int = 0
    bytes: int = 0
    batches: int = 0
    datasets: dict[str, int] = field(default_factory=dict)
    oldest: str = ""
    shown: list[str] = field(default_factory=list)

    @property
    def figures(self) -> Load:
        return {
            "batch_count": self.batches,
            "planned": self.files,
            "bytes": self.bytes,
            "datasets": self.datasets,
        }

    def add(self, dataset: Dataset, members: list[DataFile]) -> None:
        self.batches += 1
        self.files += len(members)
        self.bytes += sum(file.size for file in members)
        self.datasets[dataset.name] = self.datasets.get(dataset.name, 0) + len(members)
        known = [file.modified for file in members if file.modified]
        self.oldest = min([*known, *([self.oldest] if self.oldest else [])], default="")
        self.shown += [file.key for file in members[: SHOWN_KEYS - len(self.shown)]]


def write_batches(load: Load, new: Iterator[DataFile]) -> tuple[Load, str]:
    """Divides the new files into batches and writes their documents. Files beyond MAX_BATCHES go to the next
    executions.

    No more than one batch of each kind is in memory. Also returns when the oldest file was modified.
    """
    limits, own, left = settings(), Tally(), Tally()
    cut = batches.cut(new, dataset_for, limits.batch_files, limits.batch_bytes)
    if load["dry_run"]:
        planned = not_loaded(load, cut, own)
        known = load["listed"] - own.files
        return {**planned, **own.figures, "known": known}, own.oldest
    for dataset, members in islice(cut, limits.max_batches):
        batch = batches.Batch(str(own.batches), dataset.name, tuple(members))
        batches.write(store, load["load_id"], batch)
        own.add(dataset, members)
    beyond = (lines(chain([first], islice(cut, limits.max_batches - 1)), left) for first in cut)
    following = write_backlog(load, beyond)
    result: Load = {
        **own.figures,
        # The state machine's Map takes this array as it is: AWS may unwrap a range of one element.
        "batches": [str(number) for number in range(own.batches)],
        "known": load["listed"] - own.files - left.files,
        "rest": following,
        "outcome": "load" if own.batches else "nothing",
    }
    return result, min(filter(None, (own.oldest, left.oldest)), default="")


def lines(cut: Cut, tally: Tally) -> Iterator[File]:
    """The files of batches, counted on the way."""
    for dataset, members in cut:
        tally.add(dataset, members)
        yield from (file.as_dict() for file in members)


def not_loaded(load: Load, cut: Cut, tally: Tally) -> Load:
    """Writes a dry run's list of all files that are not loaded yet."""
    planned: Load = {"rest": "", "outcome": "planned"}
    files = lines(cut, tally)
    if first := next(files, None):
        key = keys.not_loaded(load["load_id"])
        planned["not_loaded"] = store.put_lines(key, chain([first], files))
    # Complete only when all files have been written.
    return {**planned, "keys": tally.shown, "oldest_file": tally.oldest}


def write_backlog(load: Load, lists: Iterator[Iterator[File]]) -> str:
    """Writes the files for further executions. Returns the URI of the next one's list, '' if there is none."""
    key = load["objects"].removeprefix(store.uri(""))
    if not backlog.is_list(key):
        # Named by the listing: if this call is repeated, its lists must not mix with those of another.
        return backlog.write(store, f"{load['load_id']}-{keys.listing_id(load['listing'])}", lists)
    for files in lists:  # the limits have been lowered since
        backlog.append(store, key, files)
    return backlog.next_list(store, key)
