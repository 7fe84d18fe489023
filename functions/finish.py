"""Clean up and report: drop the staging tables, sum up the batches, and report what happened in one short document.

In: the load, how the batches ended, and the error if a step failed.
Out: ``report`` (the execution's output) and, for a load that failed, the same as text in ``cause``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from loader import backlog, clients, keys, retries, sql, sweep_mark, usage
from loader.clients import sns, stepfunctions
from loader.dataapi import Statement, client_token
from loader.datasets import datasets
from loader.drift import Drift, summarize
from loader.event import Announcement
from loader.event_loads import EventLoads
from loader.history import Leaving
from loader.leftovers import cancel_statements, staging_tables, tables_of_load
from loader.load_document import document_of
from loader.observability import SERVICE, MetricUnit, logger, metrics
from loader.report import as_cause, cause_of, older_rows, report_of
from loader.report import message as report_message
from loader.settings import required_variable, settings
from loader.sql import Rendered
from loader.statements import NOTICED, drift_rows
from loader.steps import step

if TYPE_CHECKING:
    from loader.state import BatchEnd, FinishEvent, Load, Report, Result, Usage


DROPPED_AT_ONCE = 37  # in one batch, which also records usage and drift
# A drop takes milliseconds; one that waits for another transaction is left to the sweep.
DROP_SECONDS = 10

TOPIC = required_variable("TOPIC_ARN")
STATE_MACHINE = required_variable("STATE_MACHINE_ARN")

api = clients.api()
store = clients.store()


@step
def handler(event: FinishEvent) -> dict[str, Any]:
    load = event.get("load") or {
        "load_id": keys.load_id(event["execution"], event["started"]),
        "started": event["started"],
        "mode": "load",
    }
    ended = event.get("batches") or []
    failures = [batch for batch in ended if batch.get("outcome") != "published"]
    cause = cause_of(load, failures, event.get("error"))
    execution = str(load.get("execution") or event["execution"])
    start_waiting(execution)
    tables = list(load.get("tables", ()))
    if load.get("outcome") == "load":
        tables += tables_of_load(store, load["load_id"])
    # A failed load may have statements that its states do not know: it stays unfinished for the sweep.
    marked = load.get("outcome") == "load" or load.get("mode") in ("undo", "reset")
    ended_well = not cause or load.get("outcome") == "refused"
    cleaned = [load["load_id"]] if marked and ended_well else []
    if load.get("mark"):
        more, ended_loads = find_leftovers(load)
        tables += more
        cleaned += ended_loads
    rest_started = bool(event.get("rest_started"))
    results = results_of(load) if ended else []
    report = report_of(load, ended, results, failures, cause, rest_started=rest_started)
    add_changes(load, report)
    noticed = summarize(store, load, [result["batch"] for result in results])
    if noticed.report:
        report["sample"] = noticed.report
    retries.write(store, load, results)
    move_mark(load, results, report, failed=bool(cause), rest_started=rest_started)
    spent = usage_of(load, ended, len(tables))
    report["spent"] = usage.figures(
        spent, len(ended), failed=bool(cause), rest_started=rest_started
    )
    recorded = drift_statements(load, noticed)
    leaving = Leaving(
        store,
        lambda: document_of(load, execution, ended, results, report, spent["calls"]),
        load["load_id"],
    )
    announcement = Announcement(
        store, load, report, results, execution=execution, attempt=event.get("attempt", 1)
    )
    dropped = drop_staging(load, tables, report, recorded)
    leaving.end()
    if dropped:
        mark_closed(cleaned)
    # All of its files are loaded, rejected, or listed for the next sweep.
    dealt_with = bool(load.get("mark")) and not event.get("error") and not rest_started
    if dealt_with and load.get("outcome") in ("load", "nothing") and not report["files"]["failed"]:
        retries.clear(store, load["mark"])
    measure(report)
    logger.info("load ended", report=report)
    notify(report, execution)
    announcement.wait()
    return {"outcome": report["status"], "report": report, "cause": as_cause(report)}


def start_waiting(execution: str) -> None:
    """This load ends, so events that wait for a load to end get theirs now, unless the stack is paused."""
    if settings().paused:
        return
    loads = EventLoads(store, stepfunctions, STATE_MACHINE)
    try:
        loads.start_or_defer({}, leaving=execution.rpartition(":")[2])
    except Exception:  # a published load does not fail because of waiting events
        logger.exception(
            "waiting events could not be started; the trigger or the sweep starts them"
        )


def find_leftovers(load: Load) -> tuple[list[str], list[str]]:
    """Staging tables of loads that never cleaned up, and the ids of loads of which nothing is left after they are
    dropped.

    Only the sweep's loads search for them. A statement that still runs is cancelled, and its load is left to the next
    sweep, because the statement may still create a table.
    """
    try:
        ended = {dead for dead in load.get("ended", ()) if cancel_statements(api, dead)}
        found = staging_tables(api, load["load_id"])
    except Exception:  # a published load does not fail because of it
        logger.exception("leftovers of ended loads could not be searched")
        return [], []
    tables = [table.name for table in found if table.load_id in ended or table.is_old]
    return tables, sorted(ended)


def usage_of(load: Load, ended: list[BatchEnd], tables: int) -> Usage:
    """What the load has used, including the drop and the document that follow."""
    before = usage.total([load.get("spent"), *(batch.get("spent") for batch in ended)])
    all_of_it = usage.add_call("finish", before)
    all_of_it["data_api"] += -(-tables // DROPPED_AT_ONCE)
    all_of_it["s3"] += 1
    return all_of_it


def drop_staging(
    load: Load, tables: list[str], report: Report, recorded: Sequence[Rendered]
) -> bool:
    """Drops staging tables, and records usage and drift; returns whether all tables are dropped.

    A failure does no harm: the sweep drops the rest.
    """
    tables, gone = sorted(set(tables)), True
    for number in range(0, len(tables), DROPPED_AT_ONCE):
        token = client_token(load["load_id"], "drop", str(number), 0)
        dropped = len(tables[number : number + DROPPED_AT_ONCE])
        try:
            statements = [
                sql.render_one(
                    "stage/drop.sql", {**settings().template_names, "stage_table": table}
                )
                for table in tables[number : number + DROPPED_AT_ONCE]
            ]
            if number == 0 and load.get("outcome") == "load":
                figures = {name: as_number(figure) for name, figure in report["spent"].items()}
                seconds = as_number(report["seconds"]["total"])
                names = {**settings().template_names, **figures, "seconds": seconds}
                names["load_id"] = load["load_id"]
                statements.append(sql.render_one("stage/spent.sql", names))
                statements += recorded
            statement = api.submit(
                statements,
                token=token,
                name=f"{load['load_id']} drop staging",
                autocommit=True,
                wait=DROP_SECONDS if gone else None,  # do not wait for more than one that hangs
            )
            # One that still runs is left to the sweep, which cancels it: it may wait for a lock, and be paid for.
            ended = not statement.running
            gone = gone and ended and (statement.finished or are_finished(statement, dropped))
        except Exception:  # a published load does not fail because of its staging tables
            logger.exception("staging tables could not be dropped", tables=tables)
            gone = False
    return gone


def drift_statements(load: Load, noticed: Drift) -> list[Rendered]:
    """The statements that record the drift, whose rows are written for COPY. Never fails the load."""
    if load.get("outcome") != "load":
        return []
    names = settings().template_names
    try:
        for table, name in NOTICED.items():
            rows = noticed.sightings if name == "sightings" else noticed.figures
            if rows:
                names[name] = store.put_lines(keys.drift(load["load_id"], table), rows)
    except Exception:
        logger.exception("drift could not be recorded")
    return drift_rows(names)


def are_finished(statement: Statement, count: int) -> bool:
    """Whether the first statements of a batch have finished; the others do not matter."""
    parts = api.describe(statement.id).parts
    return len(parts) >= count and all(part.status == "FINISHED" for part in parts[:count])


def as_number(figure: float) -> str:
    """A figure as a literal without an exponent, which the pattern does not accept."""
    return str(figure) if isinstance(figure, int) else f"{max(figure, 0):.6f}"


def mark_closed(load_ids: Iterable[str]) -> None:
    """Deletes the documents by which the sweep finds loads that have not cleaned up."""
    try:
        for each in load_ids:
            store.delete(keys.unfinished(each))
    except Exception:  # the sweep checks once more
        logger.exception("a load that has cleaned up is still marked as unfinished")


def results_of(load: Load) -> list[Result]:
    """The result of each batch (functions/publish.py)."""
    return [store.get(key) for key in store.keys(keys.results(load["load_id"]))]


def add_changes(load: Load, report: Report) -> None:
    """What this load has changed about tables (functions/migrate.py), and what became of the rows that they had."""
    known = datasets()
    if not any(dataset.contract for dataset in known.values()) or load.get("outcome") == "planned":
        return
    found = [store.get(key) for key in store.keys(keys.all_changed(load["load_id"]))]
    if not found:
        return
    report["changes"] = {one["dataset"]: one["changes"] for one in found}
    report["older_rows"] = [
        said
        for name, changes in report["changes"].items()
        if (said := older_rows(known[name].prefix, changes, can_reload=known[name].can_reload))
    ]


def move_mark(
    load: Load, results: list[Result], report: Report, *, failed: bool, rest_started: bool
) -> None:
    """Moves the sweep's mark if a sweep started the load and it ended well; voids it if it belongs to another ledger.

    The load of a backlog has the mark of the sweep that started the first execution: what the executions before it
    have loaded must be there as well.
    """
    asked = (load.get("ledger"), *(result.get("ledger") for result in results))
    readings = [reading for reading in asked if reading]
    documents = [sweep_mark.read(store)]
    objects = str(load.get("objects", "")).removeprefix(store.uri(""))
    if load.get("mark") and backlog.is_list(objects):
        documents.append(sweep_mark.read(store, backlog.ledger_key(objects)))
    whys = (sweep_mark.why_void(document, readings) for document in documents)
    if report["status"] == "reset":
        sweep_mark.void(store, "The tables were reset.", load["started"])
    elif why := next(filter(None, whys), ""):
        sweep_mark.void(store, why, datetime.now(UTC).isoformat())
        logger.warning(sweep_mark.VOID, why=why)
        metrics.add_metric("SweepMarkVoided", MetricUnit.Count, 1)
        report["sweep_mark"] = f"{why} {sweep_mark.VOID}"
    elif load.get("mark") and rest_started and readings:
        following = str(load["rest"]).removeprefix(store.uri(""))
        store.put(backlog.ledger_key(following), sweep_mark.identity(readings))
    elif load.get("mark") and not failed:
        sweep_mark.write(store, load["mark"], load["load_id"], readings)


def notify(report: Report, execution: str) -> None:
    """Sends a message about a load that failed or rejected files. If this fails, the alarm still notifies."""
    here = settings()
    message = report_message(
        report, stack=SERVICE, schema=here.schema, execution=execution, region=here.region
    )
    if message is None:
        return
    try:
        sns().publish(TopicArn=TOPIC, Subject=message[0], Message=message[1])
    except Exception:  # a published load does not fail because of it
        logger.exception("no message could be sent to the topic")


def measure(report: Report) -> None:
    metrics.add_metric("LoadSeconds", MetricUnit.Seconds, report["seconds"]["total"])
    metrics.add_metric("LoadsFailed", MetricUnit.Count, int(report["status"] == "failed"))
    metrics.add_metric(
        "ChecksFailed", MetricUnit.Count, sum(not check["passed"] for check in report["checks"])
    )
    facts = {dataset.fact_table for dataset in datasets().values()}
    loaded = sum(report["rows"].get(name, 0) for name in facts)
    metrics.add_metric("RowsLoaded", MetricUnit.Count, loaded)
    if sample := report.get("sample"):
        for name, figure in (
            ("KeysNotTaken", sample["new_keys"]),
            ("ColumnsEmptied", sample["empty_columns_total"]),
        ):
            if figure:
                metrics.add_metric(name, MetricUnit.Count, figure)
