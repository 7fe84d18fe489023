"""Undo a load: delete its rows from the tables and withdraw its files, in one transaction for each dataset.

The tables then hold the rows of the files that are not withdrawn. The ledger (undone) records which datasets are done:
a repeated undo continues with the others, and after the first dataset nothing more is published for the load. Undo is
refused, before the first dataset and in each, if a later load skipped rows because this one had inserted them: those
rows would be lost.

In: the load, with ``undo`` (the id of the load to undo) and what this step said last.
Out: outcome ``undone``, ``planned`` (dry run), ``refused``, ``no tables``, ``running`` or ``failed``; ``undo`` has what
was deleted, or would be, and the datasets that are ``done``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from loader import clients, sql, statements
from loader.checks import CheckResult, number, sentence
from loader.dataapi import MAX_STATEMENTS, Statement, StatementFailed, client_token
from loader.datasets import datasets
from loader.failures import Kind, failed_check, is_missing, is_older, may_pass
from loader.observability import logger
from loader.settings import settings
from loader.steps import advance, ending, step
from loader.tables import behind

if TYPE_CHECKING:
    from loader.state import FoundForUndo, Load, LoadEvent, Undo, Undoing, UndoTodo


MAX_ATTEMPTS = 8
api = clients.api()


@step
def handler(event: LoadEvent) -> Load:
    load = event["load"]
    attempt = load.get("attempt", 0)
    if "todo" not in load.get("undoing", {}):  # or a version that did not write it
        load = {**load, "statement": None}
        try:
            found = inspect(load, attempt)
        except StatementFailed as error:
            if (is_missing(str(error)) or is_older(str(error))) and attempt < 2:
                return {**load, "attempt": attempt + 1, "outcome": "no tables"}
            if may_pass(str(error)) and attempt < MAX_ATTEMPTS:
                return {**load, "attempt": attempt + 1, "outcome": "running"}
            raise
        # If the answer of an earlier attempt was lost, the query before it has recorded what it deletes.
        files = {**load.get("undoing", {}).get("files", {}), **found["files"]}
        undo: Undo = {
            **load["undo"],
            "files": sum(files.values()),
            "rows": {**load["undo"].get("rows", {}), **found["rows"]},
            "done": found["done"],
        }
        undoing: Undoing = {"files": files, "batches": found["batches"], "todo": found["todo"]}
        load = {**load, "undo": undo, "undoing": undoing}
        if found["cause"]:
            return {**load, "outcome": "refused", "cause": found["cause"] + already_undone(load)}
        if not found["todo"]:
            return {**load, "outcome": "undone"}
        if load["dry_run"]:
            return {**load, "outcome": "planned"}
        # The statements of another contract could leave rows behind, without an error.
        old = behind(load, f"undo.{attempt}")
        if attempt < 2 and any(todo["dataset"] in old for todo in found["todo"]):
            load = {**load, "attempt": attempt + 1, "undoing": {"files": files}}
            return {**load, "outcome": "no tables"}
    return undo_next(load, attempt)


def undo_next(load: Load, attempt: int) -> Load:
    """Undoes the first of the datasets that are left, or continues to wait for it."""
    todo = load["undoing"]["todo"]
    dataset = todo[0]["dataset"]
    sequence = statements.undo(dataset, names_of(load))
    statement, pending = advance(
        api,
        load.get("statement"),
        lambda: submit(load, dataset, sequence, attempt),
        behind_lock=True,
    )
    load = {**load, "statement": pending}
    if statement.running:
        return {**load, "outcome": "running"}
    if not statement.finished:
        return not_undone(load, statement, attempt)
    checks = [
        CheckResult(str(name), "published", todo[0]["batch"], figure, expected).as_dict()
        for name, figure, expected in api.rows(f"{statement.id}:{len(sequence)}")
    ]
    load = {
        **load,
        "statement": None,
        "checks": [*load.get("checks", ()), *checks],
        "undo": {**load["undo"], "done": [*load["undo"]["done"], dataset]},
        "undoing": {**load["undoing"], "todo": todo[1:]},
    }
    logger.info("load undone", undone=load["undo"], left=len(todo) - 1)
    return {**load, "outcome": "running" if todo[1:] else "undone"}


def inspect(load: Load, attempt: int) -> FoundForUndo:
    """What the undo would delete, why it must not, which datasets are done, and the time ranges of the others."""
    wanted = load["undo"]["load_id"]
    names = {**settings().template_names, "undone_load": wanted}
    found: dict[str, dict[str, int]] = {}
    for kind, name, figure in next(query(load, "look", statements.inspect_undo(names), attempt)):
        found.setdefault(str(kind), {})[str(name)] = int(figure or 0)
    of_load = sorted(found.get("dataset", {}))
    undone = found.get("undone", {})
    done = [name for name in of_load if name in undone or "" in undone]
    left = [name for name in of_load if name not in done]
    files = {name: found.get("files", {}).get(name, 0) for name in left}
    rows: dict[str, int] = {}
    todo: list[UndoTodo] = []
    cause = "" if done and not left else cause_of(wanted, left, found)
    if not cause:
        of_rows = [statements.rows_of_undo(name, names) for name in left]
        for name, counted in zip(left, query(load, "rows", of_rows, attempt), strict=True):
            times = []
            for table, figure, first, last in counted:
                rows[str(table)] = int(figure or 0)
                times += [str(time) for time in (first, last) if time]
            times.sort(key=lambda time: (len(time), time))  # the year 10000 has a digit more
            first, last = (times[0], times[-1]) if times else (sql.NO_TIME, sql.NO_TIME)
            # The ledger keeps the figures of each dataset's checks under a separate batch.
            batch = str(of_load.index(name))
            todo.append({"dataset": name, "batch": batch, "first_start": first, "last_start": last})
    batches = found.get("batches", {}).get("loads", 0)
    return {
        "files": files,
        "rows": rows,
        "done": done,
        "todo": todo,
        "batches": batches,
        "cause": cause,
    }


def query(
    load: Load, step: str, sequence: Sequence[str], attempt: int
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of each statement, in batches as large as the Data API accepts. Raises StatementFailed."""
    for begin in range(0, len(sequence), MAX_STATEMENTS):
        some = sequence[begin : begin + MAX_STATEMENTS]
        ended = api.run(
            some,
            token=client_token(load["load_id"], step, str(begin or ""), attempt),
            name=f"{load['load_id']} {step} of {load['undo']['load_id']}",
        )
        for place in range(1, len(some) + 1):
            yield list(api.rows(f"{ended.id}:{place}"))


def cause_of(wanted: str, left: list[str], found: dict[str, dict[str, int]]) -> str:
    """Why the datasets that are left cannot be undone; '' if they can."""
    if not found.get("dataset"):
        return f"undo: there is no load {wanted}. The table loads lists all loads."
    if found.get("early", {}).get("loads"):
        return (
            f"undo: load {wanted} was published by a version without undo, so it is not known which of its rows other "
            "files have too."
        )
    unknown = [name for name in left if name not in datasets() or not datasets()[name].can_undo]
    if unknown:
        return f"undo: load {wanted} has files of {unknown[0]}, but there is no sql/datasets/{unknown[0]}/undo/."
    later = found.get("later", {})
    if later:
        named = ", ".join(f"{name} ({count} rows)" for name, count in sorted(later.items())[:5])
        more = f" and {len(later) - 5} more" if len(later) > 5 else ""
        return (
            f"undo: rows of other loads are recorded under load {wanted}, because it inserted them first or took them "
            f"over: {named}{more}. Without it their files would be incomplete. Undo these first; their files can "
            "be loaded again by key afterwards."
        )
    return ""


def already_undone(load: Load) -> str:
    """What is already undone, although the undo did not complete."""
    done = load["undo"].get("done")
    if not done:
        return ""
    return f" The rows of {', '.join(done)} are already deleted; start the same undo again to continue with the rest."


def names_of(load: Load) -> dict[str, str]:
    """What the undo templates can use for the first dataset that is left."""
    todo = load["undoing"]["todo"][0]
    return {
        **settings().template_names,
        "dataset": todo["dataset"],
        "batch": todo["batch"],
        "first_start": todo["first_start"],
        "last_start": todo["last_start"],
        "load_id": load["load_id"],
        "execution": sql.as_literal(load["execution"]),
        "undone_load": load["undo"]["load_id"],
        "batch_count": str(load["undoing"]["batches"]),
    }


def submit(load: Load, dataset: str, sequence: Sequence[str], attempt: int) -> Statement:
    return api.submit(
        sequence,
        token=client_token(load["load_id"], "undo", dataset, attempt),
        name=f"{load['load_id']} undo {load['undo']['load_id']} {dataset}",
        wait=settings().wait_seconds,
    )


def not_undone(load: Load, statement: Statement, attempt: int) -> Load:
    """What to do after the undo of a dataset that failed; all of it was rolled back."""
    todo = load["undoing"]["todo"][0]
    more = already_undone(load)
    end = ending(api, statement, load["statement"], f"undid the files of {todo['dataset']}")
    logger.warning("undo failed", kind=end.kind.name, error=end.error)
    if end.kind is Kind.TOO_LONG:
        return {**load, "outcome": "failed", "cause": end.error + more}
    # Without the list of what to do, the next call asks the ledger again: a lost statement may have committed.
    undoing: Undoing = {"files": load["undoing"]["files"]}
    load = {**load, "statement": None, "attempt": attempt + 1, "undoing": undoing}
    match end.kind:
        # CLAIM: a load that skipped rows of it was published in the meantime. The next call names it.
        case Kind.LOST | Kind.TRY_AGAIN | Kind.CLAIM if attempt < MAX_ATTEMPTS:
            return {**load, "outcome": "running"}
        # Tables of an older version can be read, but lack what the transaction needs.
        case Kind.NO_TABLES if attempt < 2:
            return {**load, "outcome": "no tables"}
        case Kind.OTHER if (
            attempt < 2 and is_older(end.error) and datasets()[todo["dataset"]].contract
        ):
            return {**load, "outcome": "no tables"}
        case Kind.CHECK:
            name, figure, expected = failed_check(end.statement)
            failed = CheckResult(name, "published", todo["batch"], number(figure), number(expected))
            checks = [*load.get("checks", ()), failed.as_dict()]
            cause = sentence([failed]) + more
            return {**load, "outcome": "failed", "cause": cause, "checks": checks}
        case Kind.LOST:
            return {**load, "outcome": "failed", "cause": end.error + more}
        case _:
            return {**load, "outcome": "failed", "cause": f"Nothing was undone: {end.error}{more}"}
