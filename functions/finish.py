"""Clean up and report: drops the staging tables, sums the batches up, and says what happened in one short document.

In: the load, what the batches ended as, and the error if a step failed.
Out: ``report`` (the execution's output) and, for a load that failed, the same as text in ``cause``.
"""

import json
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from loader import backlog, clients, keys, retries, sql, sweep_mark, usage
from loader.batches import TRIED_AGAIN
from loader.clients import sns, stepfunctions
from loader.dataapi import Statement, client_token
from loader.datasets import datasets
from loader.digest import digest
from loader.drift import Noticed, sum_up
from loader.event_loads import EventLoads
from loader.leftovers import end_statements, staging_tables, tables_of_load
from loader.migrations import latest_version
from loader.observability import SERVICE, MetricUnit, logger, metrics
from loader.settings import required_variable, settings
from loader.sql import Rendered
from loader.statements import NOTICED
from loader.statements import noticed as noting
from loader.steps import step

SHOWN_REJECTS = 20  # the ledger has them all
SHOWN_CHECKS = 60
SHOWN_REASON = 500  # characters of a rejected file's reason
# In the Cause of a Lambda function's error: JSON, perhaps cut (the state machine keeps 1,000 characters).
ERROR_MESSAGE = re.compile(r'"errorMessage"\s*:\s*"((?:[^"\\]|\\.)*)')
CAUSE_BYTES = 30_000  # Step Functions takes 32,768 characters
# Errors of Step Functions itself. A timeout has an empty Cause, one of the data limit no word of what to do.
# Recorded on AWS: github.com/localstack/localstack, tests/aws/services/stepfunctions/v2, timeouts/test_timeouts and
# error_handling/test_states_errors.
EXPLAINED = {
    "States.Timeout": "{step} gave no answer within its time limit, also when it was tried again. The logs of its "
    "function say how far it came. Start the load again: files that were published meanwhile are left out.",
    "States.DataLimitExceeded": "{step} answered or passed on more than the 262,144 bytes that Step Functions takes. "
    "Load fewer files at a time (the stack's parameters BatchFiles and MaxBatches), and report this: it is a mistake "
    "of the loader.",
}

STATUS = {
    "nothing": "nothing to load",
    "planned": "planned",
    "checked": "checked",
    "migrated": "migrated",
    "reset": "reset",
    "undone": "undone",
}
DROPPED_AT_ONCE = 37  # statements of a batch, beside those that record what was spent and noticed
DROP_SECONDS = (
    10  # a drop takes milliseconds; one that waits for another transaction is left to the sweep
)

TOPIC = required_variable("TOPIC_ARN")
STATE_MACHINE = required_variable("STATE_MACHINE_ARN")

api = clients.api()
store = clients.store()


@step
def handler(event: dict[str, Any]) -> dict[str, Any]:
    load = event.get("load") or {
        "load_id": keys.load_id(event["execution"], event["started"]),
        "started": event["started"],
        "mode": "load",
    }
    ended = event.get("batches") or []
    failures = [batch for batch in ended if batch.get("outcome") != "published"]
    cause = cause_of(load, failures, event.get("error"))
    start_what_waits(str(load.get("execution") or event["execution"]))
    tables = list(load.get("tables", ()))
    if load.get("outcome") == "load":
        tables += tables_of_load(store, load["load_id"])
    # A load that failed may have statements of which its states know nothing: the sweep looks after it.
    marked = load.get("outcome") == "load" or load.get("mode") in ("undo", "reset")
    ended_well = not cause or load.get("outcome") == "refused"
    cleaned = [load["load_id"]] if marked and ended_well else []
    if load.get("mark"):
        more, ended_loads = left_behind(load)
        tables += more
        cleaned += ended_loads
    rest_started = bool(event.get("rest_started"))
    results = results_of(load) if ended else []
    report = report_of(load, ended, results, failures, cause, rest_started=rest_started)
    noticed = sum_up(store, load, [result["batch"] for result in results])
    if noticed.report:
        report["sample"] = noticed.report
    report["spent"] = spent_by(load, ended, len(tables), failed=bool(cause), rest=rest_started)
    if drop_staging(load, tables, report, noticed):
        close(cleaned)
    retries.keep(store, load, results)
    move_mark(load, results, report, failed=bool(cause), rest_started=rest_started)
    # All of its files are loaded, rejected, or kept for the next sweep.
    dealt_with = bool(load.get("mark")) and not event.get("error") and not rest_started
    if dealt_with and load.get("outcome") in ("load", "nothing") and not report["files"]["failed"]:
        retries.done(store, load["mark"])
    measure(report)
    logger.info("load ended", report=report)
    tell(report, load.get("execution") or event["execution"])
    return {"outcome": report["status"], "report": report, "cause": as_cause(report)}


def start_what_waits(execution: str) -> None:
    """This load ends: events that wait for that have their load now, unless the stack is paused."""
    if settings().paused:
        return
    loads = EventLoads(store, stepfunctions, STATE_MACHINE)
    try:
        loads.look({}, leaving=execution.rpartition(":")[2])
    except Exception:  # a load that is published has not failed because of what waits
        logger.exception("what waits could not be started; the trigger or the sweep does")


def cause_of(
    load: dict[str, Any], failures: list[dict[str, Any]], error: dict[str, Any] | None
) -> str:
    """Why the load failed, in a sentence; '' if it did not."""
    if error:
        return message_of(error)
    if load.get("outcome") in ("refused", "failed"):
        return str(load.get("cause"))
    causes = list(
        dict.fromkeys(
            batch.get("cause") or message_of(batch.get("error") or {}) for batch in failures
        )
    )
    more = f" (and {len(causes) - 3} more causes)" if len(causes) > 3 else ""
    return "; ".join(causes[:3]) + more


def message_of(error: Any) -> str:
    """The message of an error as Step Functions gives it: Lambda's Cause is JSON with errorMessage.

    The state machine adds the step that failed, as State.
    """
    if not isinstance(error, dict):
        return str(error)
    name = str(error.get("Error", "Error"))
    step = f'The step "{error["State"]}"' if error.get("State") else "A step"
    if name in EXPLAINED:
        return f"{name}: {EXPLAINED[name].format(step=step)}"
    text = str(error.get("Cause", "")).strip()
    if message := ERROR_MESSAGE.search(text):
        text = message[1]
        with suppress(ValueError):  # cut in the middle of an escape
            text = json.loads(f'"{text}"')
    text = text or f"{step} failed without a message; the logs of its function say more."
    return f"{name}: {text}"[:2000]


def left_behind(load: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Staging tables of loads that never cleaned up, and the ids of those of which nothing is left then.

    Only the sweep's loads look for them. A statement that still runs is cancelled, and its load is left to the next
    sweep: the statement may yet make a table.
    """
    try:
        ended = {dead for dead in load.get("ended", ()) if end_statements(api, dead)}
        found = staging_tables(api, load["load_id"])
    except Exception:  # a load that is published has not failed because of it
        logger.exception("what ended loads left behind could not be looked for")
        return [], []
    tables = [table.name for table in found if table.load_id in ended or table.is_old]
    return tables, sorted(ended)


def spent_by(
    load: dict[str, Any], ended: list[dict[str, Any]], tables: int, *, failed: bool, rest: bool
) -> dict[str, Any]:
    """What the load has spent, with the drop that is still to come."""
    before = usage.total([load.get("spent"), *(batch.get("spent") for batch in ended)])
    all_of_it = usage.so_far("finish", before)
    all_of_it["data_api"] += -(-tables // DROPPED_AT_ONCE)
    return usage.figures(all_of_it, len(ended), failed=failed, rest_started=rest)


def drop_staging(
    load: dict[str, Any], tables: list[str], report: dict[str, Any], noticed: Noticed
) -> bool:
    """Drops staging tables and records what the load has spent and noticed; whether the tables are gone.

    It may fail harmlessly: the sweep takes what is left.
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
                figures = {name: amount(figure) for name, figure in report["spent"].items()}
                seconds = amount(report["seconds"]["total"])
                names = {**settings().template_names, **figures, "seconds": seconds}
                names["load_id"] = load["load_id"]
                statements.append(sql.render_one("stage/spent.sql", names))
                statements += noted(load, noticed)
            statement = api.submit(
                statements,
                token=token,
                name=f"{load['load_id']} drop staging",
                autocommit=True,
                wait=DROP_SECONDS if gone else None,  # one that hangs is enough to wait for
            )
            gone = gone and (statement.finished or are_finished(statement, dropped))
        except Exception:  # a load that is published has not failed because of its staging tables
            logger.exception("staging tables are left behind", tables=tables)
            gone = False
    return gone


def noted(load: dict[str, Any], noticed: Noticed) -> list[Rendered]:
    """The statements that note what the load has noticed, and for COPY their rows. It fails nothing."""
    names = settings().template_names
    try:
        for table, name in NOTICED.items():
            rows = noticed.sightings if name == "sightings" else noticed.figures
            if rows:
                names[name] = store.put_lines(keys.drift(load["load_id"], table), rows)
    except Exception:
        logger.exception("what the load noticed could not be noted")
    return noting(names)


def are_finished(statement: Statement, count: int) -> bool:
    """Whether the first statements of a batch have finished: those that follow are no reason to look again."""
    parts = api.describe(statement.id).parts
    return len(parts) >= count and all(part.status == "FINISHED" for part in parts[:count])


def amount(figure: float) -> str:
    """A figure as a literal: without an exponent, which Redshift would take, but no pattern does."""
    return str(figure) if isinstance(figure, int) else f"{max(figure, 0):.6f}"


def close(load_ids: Iterable[str]) -> None:
    """Takes the documents away by which the sweep finds loads that have not cleaned up."""
    try:
        for each in load_ids:
            store.delete(keys.unfinished(each))
    except Exception:  # the sweep looks once more
        logger.exception("a load that has cleaned up is still marked as open")


def results_of(load: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each batch (functions/publish.py)."""
    return [store.get(key) for key in store.keys(keys.results(load["load_id"]))]


def move_mark(
    load: dict[str, Any],
    results: list[dict[str, Any]],
    report: dict[str, Any],
    *,
    failed: bool,
    rest_started: bool,
) -> None:
    """The sweep's mark moves if the load is a sweep's and has ended well; it is void if the ledger is not its own.

    The load of a rest has the mark of the sweep that began it all: what the executions before it have loaded must be
    there as well.
    """
    readings = [load["ledger"]] if load.get("ledger") else []
    readings += [result["ledger"] for result in results if result.get("ledger")]
    documents = [sweep_mark.read(store)]
    objects = str(load.get("objects", "")).removeprefix(store.uri(""))
    if load.get("mark") and backlog.is_list(objects):
        documents.append(sweep_mark.read(store, backlog.ledger_key(objects)))
    whys = (sweep_mark.unfit(document, readings) for document in documents)
    if report["status"] == "reset":
        sweep_mark.void(store, "The tables were reset.", load["started"])
    elif why := next(filter(None, whys), ""):
        sweep_mark.void(store, why, datetime.now(UTC).isoformat())
        logger.warning(sweep_mark.VOID, why=why)
        metrics.add_metric("SweepMarkVoided", MetricUnit.Count, 1)
        report["sweep_mark"] = f"{why} {sweep_mark.VOID}"
    elif load.get("mark") and rest_started and readings:
        following = str(load["rest"]).removeprefix(store.uri(""))
        store.put(backlog.ledger_key(following), sweep_mark.whose(readings))
    elif load.get("mark") and not failed:
        sweep_mark.write(store, load["mark"], load["load_id"], readings)


def report_of(
    load: dict[str, Any],
    ended: list[dict[str, Any]],
    results: list[dict[str, Any]],
    failures: list[dict[str, Any]],
    cause: str,
    *,
    rest_started: bool,
) -> dict[str, Any]:
    """The report: load id, status, files, rows by table, checks with figures, files that are not loaded, seconds."""
    checks = [check for result in results for check in result["checks"]]
    checks += [check for batch in failures for check in batch.get("checks", ())]
    checks += load.get("checks", ())
    checks.sort(key=lambda check: check["passed"])
    rejects = [reject for result in results for reject in result["rejects"]]
    loaded, rejected, unreadable, waiting = (
        sum(result.get(name, 0) for result in results)
        for name in ("loaded", "rejected", *TRIED_AGAIN)
    )
    settled = loaded + rejected + unreadable + waiting
    known = load.get("known", 0) + sum(batch.get("known", 0) for batch in ended)
    report: dict[str, Any] = {
        "load_id": load["load_id"],
        "status": "failed" if cause else STATUS.get(load.get("outcome", ""), "loaded"),
        "mode": load.get("mode", "load"),
        "files": {
            "listed": load.get("listed", 0),
            "known": known,
            "loaded": loaded,
            "rejected": rejected,
            "unreadable": unreadable,
            "waiting": waiting,
            "failed": max(load.get("planned", 0) - settled - (known - load.get("known", 0)), 0)
            if ended
            else 0,
        },
        "rows": rows_of(results),
        "checks": checks[:SHOWN_CHECKS],
        "checks_total": len(checks),
        "rejected": shown([r for r in rejects if r["status"] not in TRIED_AGAIN]),
        "rejected_total": rejected,
        **{name: shown([r for r in rejects if r["status"] == name]) for name in TRIED_AGAIN},
        "seconds": {
            "total": elapsed(load),
            "plan": load.get("seconds", 0),
            "stage": round(sum(result["seconds"]["stage"] for result in results), 3),
            "publish": round(sum(result["seconds"]["publish"] for result in results), 3),
        },
    }
    if load.get("outcome") == "planned" and load.get("mode") != "undo":
        names = ("planned", "bytes", "datasets", "keys", "oldest_file", "not_loaded")
        report["plan"] = {name: load.get(name) for name in names}
        report["plan"]["batches"] = load.get("batch_count")
        report["files"]["known"] = load.get("known", 0)
    if load.get("known_as"):
        report["known"] = load["known_as"]
    if load.get("upgraded"):
        report["tables"] = {**load["upgraded"], "latest": latest_version()}
    for name in ("not_taken", "redo", "missing"):
        if load.get(name):
            report[name] = load[name]
    if load.get("undo"):
        report["undo"] = load["undo"]
    if load.get("setup"):
        report["setup"] = load["setup"]
    if rest_started:
        report["next"] = (
            "There are more files than one execution loads; the next execution is started with the rest."
        )
    if cause:
        report["cause"] = cause
    return report


def shown(rejects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the report says of files that are not loaded."""
    return [
        {
            **{name: reject[name] for name in ("key", "line", "column", "code")},
            "reason": str(reject["reason"])[:SHOWN_REASON],
        }
        for reject in rejects[:SHOWN_REJECTS]
    ]


def rows_of(results: list[dict[str, Any]]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for result in results:
        for table, count in result["rows"].items():
            rows[table] = rows.get(table, 0) + int(count or 0)
    return rows


def tell(report: dict[str, Any], execution: str) -> None:
    """Tells the topic of a load that failed or rejected files. Its alarm tells of one that is not told of here."""
    here = settings()
    message = digest(
        report, stack=SERVICE, schema=here.schema, execution=execution, region=here.region
    )
    if message is None:
        return
    try:
        sns().publish(TopicArn=TOPIC, Subject=message[0], Message=message[1])
    except Exception:  # a load that is published has not failed because of it
        logger.exception("the topic could not be told")


def elapsed(load: dict[str, Any]) -> float:
    begun = datetime.fromisoformat(load["started"].replace("Z", "+00:00"))
    return round(time.time() - begun.timestamp(), 3)


def as_cause(report: dict[str, Any]) -> str:
    """The report as the text of a failed execution's cause, cut to what Step Functions takes."""
    text = json.dumps(report, ensure_ascii=False)
    for name in ("checks", "rejected", *TRIED_AGAIN, "setup"):
        while len(text.encode()) > CAUSE_BYTES and report.get(name):
            report = {**report, name: report[name][: len(report[name]) // 2]}
            text = json.dumps(report, ensure_ascii=False)
    if len(text.encode()) > CAUSE_BYTES and report.get("sample"):
        report = {**report, "sample": {**report["sample"], "keys": [], "empty_columns": []}}
        text = json.dumps(report, ensure_ascii=False)
    while len(text.encode()) > CAUSE_BYTES and report.get("cause"):
        report = {**report, "cause": report["cause"][: len(report["cause"]) // 2]}
        text = json.dumps(report, ensure_ascii=False)
    return text


def measure(report: dict[str, Any]) -> None:
    metrics.add_metric("LoadSeconds", MetricUnit.Seconds, report["seconds"]["total"])
    metrics.add_metric("LoadsFailed", MetricUnit.Count, int(report["status"] == "failed"))
    metrics.add_metric(
        "ChecksFailed", MetricUnit.Count, sum(not check["passed"] for check in report["checks"])
    )
    facts = {dataset.fact_table for dataset in datasets().values()}
    loaded = sum(report["rows"].get(name, 0) for name in facts)
    metrics.add_metric("RowsLoaded", MetricUnit.Count, loaded)
    sample = report.get("sample", {})
    for name, figure in (("KeysNotTaken", "new_keys"), ("ColumnsEmptied", "empty_columns_total")):
        if sample.get(figure):
            metrics.add_metric(name, MetricUnit.Count, sample[figure])
