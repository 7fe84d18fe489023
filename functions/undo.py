"""Undo a load: its rows are taken out of the star schema in one transaction, its files are withdrawn.

The tables are then those of the files that are not withdrawn. Refused where a later load left out rows because this one
had brought them: they would be lost.

In: the load, with ``undo`` (the id of the load to undo) and what this step said last.
Out: outcome ``undone``, ``planned`` (dry run), ``refused``, ``no tables``, ``running`` or ``failed``; in ``undo`` what
was, or would be, taken.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from loader import statements
from loader.checks import CheckResult, number, sentence
from loader.dataapi import DataApi, Statement, StatementFailed, client_token, failure
from loader.datasets import datasets
from loader.failures import Kind, failed_check, is_missing, kind_of, may_pass
from loader.names import NO_TIME, as_literal, common
from loader.observability import logger, step
from loader.settings import settings
from loader.steps import LOST, advance, took_too_long

MAX_ATTEMPTS = 8
BATCH = "0"  # under which the figures of its checks stand in the ledger

api = DataApi(settings())


@step
def handler(event: dict[str, Any]) -> dict[str, Any]:
    load = event["load"]
    attempt = load.get("attempt", 0)
    if not load.get("statement") or "undoing" not in load:  # or of a version that did not say it
        load = {**load, "statement": None}
        try:
            found = look(load, attempt)
        except StatementFailed as error:
            if is_missing(str(error)) and attempt < 2:
                return {**load, "attempt": attempt + 1, "outcome": "no tables"}
            if may_pass(str(error)) and attempt < MAX_ATTEMPTS:
                return {**load, "attempt": attempt + 1, "outcome": "running"}
            raise
        if found["already"]:
            # Perhaps by an attempt of ours whose answer was lost: what it took, the look before it had said.
            return {**load, "undo": {**found["takes"], **load["undo"]}, "outcome": "undone"}
        load = {
            **load,
            "undo": {**load["undo"], **found["takes"]},
            "undoing": found["bounds"],
        }
        if found["cause"]:
            return {**load, "outcome": "refused", "cause": found["cause"]}
        if load["dry_run"]:
            return {**load, "outcome": "planned"}
    sequence = statements.undo(load["undoing"]["datasets"], names_of(load))
    statement, pending = advance(
        api, load.get("statement"), lambda: submit(load, sequence, attempt), behind_lock=True
    )
    load = {**load, "statement": pending}
    if statement.running:
        return {**load, "outcome": "running"}
    if not statement.finished:
        return not_undone(load, statement, attempt)
    checks = [
        CheckResult(str(name), "published", BATCH, figure, expected).as_dict()
        for name, figure, expected in api.rows(f"{statement.id}:{len(sequence)}")
    ]
    logger.info("load undone", undone=load["undo"])
    return {**load, "statement": None, "checks": checks, "outcome": "undone"}


def look(load: dict[str, Any], attempt: int) -> dict[str, Any]:
    """What undo would take, why it must not, whether it was done before, and what bounds its statements."""
    wanted = load["undo"]["load_id"]
    names = {**common(settings()), "undone_load": wanted}
    found: dict[str, dict[str, int]] = {}
    for kind, name, figure in asked(load, "look", statements.look_at_undo(names), attempt):
        found.setdefault(str(kind), {})[str(name)] = int(figure or 0)
    already = bool(found.get("undone"))
    takes: dict[str, Any] = {"files": found.get("files", {}).get("loaded", 0), "rows": {}}
    bounds: dict[str, Any] = {
        "datasets": [name for name in datasets() if name in found.get("dataset", {})],
        "batches": found.get("batches", {}).get("loads", 0),
        "first_start": NO_TIME,
        "last_start": NO_TIME,
    }
    cause = "" if already else cause_of(wanted, found)
    if not already and not cause:
        rows = statements.rows_of_undo(bounds["datasets"], names)
        times: list[
            str
        ] = []  # each dataset has a range of its own; the statements share one that holds them all
        for name, figure, first, last in asked(load, "rows", rows, attempt):
            takes["rows"][str(name)] = int(figure or 0)
            times += [time for time in (first, last) if time]
        if times:
            times.sort(key=lambda time: (len(time), time))  # the year 10000 has a digit more
            bounds |= {"first_start": times[0], "last_start": times[-1]}
    return {"takes": takes, "bounds": bounds, "already": already, "cause": cause}


def asked(
    load: dict[str, Any], step: str, statement: Sequence[str], attempt: int
) -> Iterator[tuple[Any, ...]]:
    """The rows of one statement. Raises StatementFailed."""
    ended = api.run(
        statement,
        token=client_token(load["load_id"], step, "", attempt),
        name=f"{load['load_id']} {step} of {load['undo']['load_id']}",
    )
    yield from api.rows(f"{ended.id}:1")


def cause_of(wanted: str, found: dict[str, dict[str, int]]) -> str:
    """Why a load cannot be undone; '' if it can."""
    if not found.get("dataset"):
        return f"undo: no load {wanted} is known; the table loads has them."
    if found.get("early", {}).get("loads"):
        return (
            f"undo: load {wanted} was published before the loader could undo: it cannot tell which of its rows other "
            "files have too."
        )
    unknown = [
        name for name in found["dataset"] if name not in datasets() or not datasets()[name].can_undo
    ]
    if unknown:
        return f"undo: there is no sql/undo/{unknown[0]}/, and load {wanted} has files of {unknown[0]}."
    later = found.get("later", {})
    if later:
        named = ", ".join(f"{name} ({count} rows)" for name, count in sorted(later.items())[:5])
        more = f" and {len(later) - 5} more" if len(later) > 5 else ""
        return (
            f"undo: other loads have rows that stand under load {wanted}, because it brought them or took them over: "
            f"{named}{more}. Without it their files would miss them. Undo these first; their files can be loaded again "
            "by key afterwards."
        )
    return ""


def names_of(load: dict[str, Any]) -> dict[str, str]:
    """What the undo templates are offered, with what ``look`` has found."""
    return {
        **common(settings()),
        "load_id": load["load_id"],
        "batch": BATCH,
        "execution": as_literal(load["execution"]),
        "undone_load": load["undo"]["load_id"],
        "batch_count": str(load["undoing"]["batches"]),
        "first_start": load["undoing"]["first_start"],
        "last_start": load["undoing"]["last_start"],
    }


def submit(load: dict[str, Any], sequence: Sequence[str], attempt: int) -> Statement:
    return api.submit(
        sequence,
        token=client_token(load["load_id"], "undo", "", attempt),
        name=f"{load['load_id']} undo {load['undo']['load_id']}",
        wait=settings().wait_seconds,
    )


def not_undone(load: dict[str, Any], statement: Statement, attempt: int) -> dict[str, Any]:
    """What an undo that failed asks for; all of it was rolled back."""
    if cause := took_too_long(load["statement"]):
        return {**load, "outcome": "failed", "cause": cause}
    load = {**load, "statement": None, "attempt": attempt + 1}
    if statement is LOST and attempt < MAX_ATTEMPTS:
        return {**load, "outcome": "running"}  # it may have committed: then the next look says so
    if statement is LOST:
        return {**load, "outcome": "failed", "cause": "The Data API forgot the undo's statement."}
    statement = api.describe(statement.id)
    kind, error = kind_of(statement), failure(statement)
    logger.warning("undo failed", kind=kind.name, error=error)
    if kind is Kind.CHECK:
        name, figure, expected = failed_check(statement)
        failed = CheckResult(name, "published", BATCH, number(figure), number(expected))
        return {
            **load,
            "outcome": "failed",
            "cause": sentence([failed]),
            "checks": [failed.as_dict()],
        }
    # Tables of an older version were there to look at, and lack what the transaction needs.
    if kind is Kind.NO_TABLES and attempt < 2:
        return {**load, "outcome": "no tables"}
    # A load that left out rows of it was published meanwhile: the next look names it.
    if kind in (Kind.TRY_AGAIN, Kind.CLAIM) and attempt < MAX_ATTEMPTS:
        return {**load, "outcome": "running"}
    return {**load, "outcome": "failed", "cause": f"Nothing was undone: {error}"}
