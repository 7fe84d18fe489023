"""The report of a load, the same as the cause of a failed execution, and as a message for people.

A message is sent for a load that failed, did not load files, or noticed something new about them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loader.batches import TRIED_AGAIN
from loader.console import dashboard_url, execution_url
from loader.migrations import latest_version

if TYPE_CHECKING:
    from loader.state import BatchEnd, Load, RejectedFile, Report, Result, Sampled, StepError


SHOWN_REJECTS = 20  # the ledger has them all
SHOWN_CHECKS = 60
SHOWN_REASON = 500  # characters of a rejected file's reason
# The Cause of a Lambda function's error is JSON, perhaps cut (the state machine keeps 1,000 characters).
ERROR_MESSAGE = re.compile(r'"errorMessage"\s*:\s*"((?:[^"\\]|\\.)*)')
CAUSE_BYTES = 30_000  # Step Functions takes 32,768 characters
# Errors of Step Functions itself. A timeout has an empty Cause; that of the data limit does not say what to do.
# Recorded on AWS: github.com/localstack/localstack, tests/aws/services/stepfunctions/v2, timeouts/test_timeouts and
# error_handling/test_states_errors.
EXPLAINED = {
    "States.Timeout": "{step} did not answer within its time limit, even when it was tried again. The logs of its "
    "function show how far it got. Start the load again: files that are already published are left out.",
    "States.DataLimitExceeded": "{step} returned or passed on more than the 262,144 bytes that Step Functions accepts. "
    "Load fewer files at a time (the stack's parameters BatchFiles and MaxBatches), and report this: it is a bug "
    "in the loader.",
}
STATUS = {
    "nothing": "nothing to load",
    "planned": "planned",
    "checked": "checked",
    "migrated": "migrated",
    "reset": "reset",
    "undone": "undone",
}
MAX_SUBJECT = 100  # characters, ASCII: docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_TEXT = 20_000  # characters; SNS takes 256 KiB
SHOWN_KEYS = 20
FIX = (
    "What to do: upload a corrected file under the same key, and it loads automatically. To try one again as it is: "
    'start the state machine with {"keys": ["its key"]}.'
)
READ = (
    "What to do: let the COPY role read them (bucket policy, the policy of the KMS key). Every sweep tries them again; "
    "nothing else is needed."
)
UNDO_IN_PART = (
    " An undo is one transaction for each dataset, so some of them may be done: start the same undo again to continue "
    "with the rest."
)


def cause_of(load: Load, failures: list[BatchEnd], error: StepError | None) -> str:
    """Why the load failed, in a sentence; '' if it did not."""
    if error:
        # The error may have come after the transaction of a dataset, and before this function's answer.
        return message_of(error) + (UNDO_IN_PART if load.get("mode") == "undo" else "")
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
    """The message of an error of the state machine, in which Lambda's Cause is JSON with errorMessage."""
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
    text = text or f"{step} failed without a message; see the logs of its function."
    return f"{name}: {text}"[:2000]


def report_of(
    load: Load,
    ended: list[BatchEnd],
    results: list[Result],
    failures: list[BatchEnd],
    cause: str,
    *,
    rest_started: bool,
) -> Report:
    """The report: load id, status, files, rows by table, checks with figures, files that are not loaded, seconds."""
    checks = [check for result in results for check in result["checks"]]
    checks += [check for batch in failures for check in batch.get("checks", ())]
    checks += load.get("checks", ())
    checks.sort(key=lambda check: check["passed"])
    rejects = [reject for result in results for reject in result["rejects"]]
    loaded = sum(result["loaded"] for result in results)
    rejected = sum(result["rejected"] for result in results)
    unreadable = sum(result.get("unreadable", 0) for result in results)
    waiting = sum(result.get("waiting", 0) for result in results)
    settled = loaded + rejected + unreadable + waiting
    known = load.get("known", 0) + sum(batch.get("known", 0) for batch in ended)
    report: Report = {
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
        "unreadable": shown([r for r in rejects if r["status"] == "unreadable"]),
        "waiting": shown([r for r in rejects if r["status"] == "waiting"]),
        "seconds": {
            "total": elapsed(load),
            "plan": load.get("seconds", 0),
            "stage": round(sum(result["seconds"]["stage"] for result in results), 3),
            "publish": round(sum(result["seconds"]["publish"] for result in results), 3),
        },
    }
    if rows_rejected := sum(result.get("rows_rejected", 0) for result in results):
        report["rows_rejected"] = rows_rejected
        rows = [row for result in results for row in result.get("rejected_rows", ())]
        report["rejected_rows"] = [
            {**row, "reason": str(row["reason"])[:SHOWN_REASON]} for row in rows[:SHOWN_REJECTS]
        ]
    if cut := cut_texts(results):
        report["cut"] = cut
    if load.get("outcome") == "planned" and load.get("mode") != "undo":
        names = ("planned", "bytes", "datasets", "keys", "oldest_file", "not_loaded")
        report["plan"] = {name: load.get(name) for name in names}
        report["plan"]["batches"] = load.get("batch_count")
        report["files"]["known"] = load.get("known", 0)
    if load.get("known_as"):
        report["known"] = load["known_as"]
    if load.get("upgraded"):
        report["tables"] = {**load["upgraded"], "latest": latest_version()}
    for name in ("not_taken", "redo", "missing", "changes", "refused"):
        if load.get(name):
            report[name] = load[name]
    if load.get("undo"):
        report["undo"] = load["undo"]
    if load.get("setup"):
        report["setup"] = load["setup"]
    if rest_started:
        report["next"] = (
            "There are more files than one execution loads; the next execution has started with the rest."
        )
    if cause:
        report["cause"] = cause
    return report


def older_rows(prefix: str, changes: list[str], *, can_reload: bool) -> str:
    """What the rows that were loaded before have in new columns and tables of a dataset; '' if there are none."""
    new = [words[1] for change in changes if (words := change.split())[-1] in ("added", "made")]
    if not new:
        return ""
    reload = f'{{"reload": true, "prefixes": ["{prefix}"]}}'
    way = (
        f"start an execution with {reload}"
        if can_reload
        else 'undo their loads with {"undo": "<load id>"}, then load them again with {"redo": "<load id>"}'
    )
    return f"Rows that were loaded before have nothing in {', '.join(new)} until their files are loaded again: {way}."


def shown(rejects: list[RejectedFile]) -> list[RejectedFile]:
    """What the report says about files that are not loaded."""
    return [
        {
            "key": reject["key"],
            "line": reject["line"],
            "column": reject["column"],
            "code": reject["code"],
            "reason": str(reject["reason"])[:SHOWN_REASON],
        }
        for reject in rejects[:SHOWN_REJECTS]
    ]


def cut_texts(results: list[Result]) -> list[dict[str, Any]]:
    """The rows whose text was too long and is cut, by dataset and column."""
    rows: dict[tuple[str, str], int] = {}
    for result in results:
        for column, count in result.get("cut", {}).items():
            where = result["dataset"], column
            rows[where] = rows.get(where, 0) + count
    return [
        {"dataset": dataset, "column": column, "rows": count}
        for (dataset, column), count in sorted(rows.items())
    ]


def rows_of(results: list[Result]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for result in results:
        for table, count in result["rows"].items():
            rows[table] = rows.get(table, 0) + int(count or 0)
    return rows


def elapsed(load: Load) -> float:
    begun = datetime.fromisoformat(load["started"].replace("Z", "+00:00"))
    return round(time.time() - begun.timestamp(), 3)


def as_cause(whole: Report) -> str:
    """The report as the text of a failed execution's cause, cut to what Step Functions takes."""
    report: dict[str, Any] = {**whole}
    text = json.dumps(report, ensure_ascii=False)
    for name in ("checks", "rejected", "rejected_rows", *TRIED_AGAIN, "setup"):
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


def message(
    report: Report, *, stack: str, schema: str, execution: str, region: str
) -> tuple[str, str] | None:
    """Subject and text of the message about a load; None if there is nothing to report."""
    failed, files = report["status"] == "failed", report["files"]
    rejected = report["rejected_total"]
    unreadable, waiting = files.get("unreadable", 0), files.get("waiting", 0)
    noticed = _rows_left_out(report, schema) + _changed(report)
    noticed += _noticed(report.get("sample", {}), schema)
    left_out = ((rejected, "rejected"), (unreadable, "unreadable"), (waiting, "waiting"))
    if not failed and not any(number for number, _ in left_out) and not noticed:
        return None
    if failed:
        subject = f"[{stack}] load {report['load_id']} failed"
        parts = [
            f"A load of {stack} failed.",
            f"Why: {report['cause']}",
            files_in_words(files)
            + " Nothing is lost: each sweep tries the files again that are not loaded.",
            "What to do: docs/operations.md, LoadFailedAlarm.",
        ]
    elif not any(number for number, _ in left_out):
        subject = f"[{stack}] {_told(report)}"
        parts = [f"A load of {stack} ended well.", files_in_words(files)]
    else:
        kinds = ", ".join(f"{_count(number)} {kind}" for number, kind in left_out if number)
        subject = f"[{stack}] {kinds}"
        parts = [
            f"A load of {stack} ended well, but {_count(rejected + unreadable + waiting)} could not be loaded.",
            files_in_words(files),
            *([FIX] if rejected else []),
            *([READ] if unreadable else []),
        ]
    for title, number, shown in (
        ("Rejected", rejected, report.get("rejected", [])),
        ("May not be read", unreadable, report.get("unreadable", [])),
        ("Waiting", waiting, report.get("waiting", [])),
    ):
        if number:
            parts.append(f"{title}:\n" + "\n".join(_line(reject) for reject in shown))
            if number > len(shown):
                more = number - len(shown)
                parts.append(
                    f"and {more} more: {schema}.file_status has them, under this load's id."
                )
    parts += noticed
    if report.get("cut"):
        texts = "\n".join(
            f"- {one['dataset']}: {one['column']} in {one['rows']:,} {'row' if one['rows'] == 1 else 'rows'}"
            for one in report["cut"]
        )
        parts.append(f"Texts that were longer than their column, and are cut:\n{texts}")
    parts.append(f"Load {report['load_id']}: {execution_url(execution, region)}")
    parts.append(
        f"All loads: {dashboard_url(execution, region, stack)}\n"
        f"or as a page: loader report --stack {stack} --load {report['load_id']} --open"
    )
    return subject.encode("ascii", "replace").decode()[:MAX_SUBJECT], "\n\n".join(parts)[:MAX_TEXT]


def _rows_left_out(report: Report, schema: str) -> list[str]:
    """The paragraph about bad rows of loaded files; [] if there are none."""
    number, shown = report.get("rows_rejected", 0), report.get("rejected_rows", [])
    if not number:
        return []
    lines = [
        _line(
            {
                "key": row["key"],
                "line": row["line"],
                "column": row["column_name"],
                "reason": row["reason"],
            }
        )
        for row in shown
    ]
    more = number - len(shown)
    return [
        f"{_rows(number)}: their files are loaded without them.\n"
        + "\n".join(lines)
        + (f"\nand {more} more" if more else "")
        + f"\n{schema}.rejected_rows has them, under this load's id. What to do: upload the corrected rows in a file "
        "of their own, and they are loaded."
    ]


def _rows(number: int) -> str:
    return f"{number:,} {'row' if number == 1 else 'rows'} rejected"


def _changed(report: Report) -> list[str]:
    """The paragraph about tables that the load has changed; [] if it has changed none."""
    if not report.get("changes") or report["status"] == "planned":
        return []
    lines = [f"- {name}: {', '.join(found)}" for name, found in report["changes"].items()]
    return ["\n".join(["Tables were changed to their contracts:", *lines, *report["older_rows"]])]


def _told(report: Report) -> str:
    """What is new, in a few words."""
    rows = report.get("rows_rejected", 0)
    sample = report.get("sample", {})
    keys, columns = sample.get("new_keys", 0), sample.get("empty_columns_total", 0)
    if not (rows or keys or columns):
        return "tables were changed to their contracts"
    told = [_rows(rows)] if rows else []
    told += [f"{keys} new {'key' if keys == 1 else 'keys'} that no column takes"] if keys else []
    if columns:
        told.append(f"{columns} {'column that is' if columns == 1 else 'columns that are'} empty")
    return " and ".join(told)


def _to_take(key: Mapping[str, Any]) -> str:
    """What would take a key, if the dataset has a contract."""
    return f". In dataset.yaml: {key['suggested']}" if key.get("suggested") else ""


def _noticed(sample: Sampled, schema: str) -> list[str]:
    """The paragraphs about new keys and columns that became empty; [] if there are none."""
    parts: list[str] = []
    if sample.get("new_keys"):
        new = [key for key in sample["keys"] if key["new"]][:SHOWN_KEYS]
        lines = [
            f"- {key['dataset']}: {key['path']}, first in {key['file']}{_to_take(key)}"
            for key in new
        ]
        more = sample["new_keys"] - len(new)
        parts.append(
            f"Keys that no column takes, seen for the first time ({sample['files']} of {sample['of']} files were "
            "sampled). They are not loaded; a renamed key leaves its old column empty:\n"
            + "\n".join(lines)
            + (f"\nand {more} more: {schema}.unknown_keys" if more else "")
        )
    if sample.get("empty_columns"):
        lines = [
            f"- {one['dataset']}: {one['column']}, {one['rows']} rows; before, "
            f"{one['filled_before']:.1%} of {one['rows_before']} rows were filled"
            for one in sample["empty_columns"]
        ]
        parts.append(
            "Columns that were usually filled and are empty in all rows of this load. This is reported once, until the "
            "column is filled again:\n" + "\n".join(lines)
        )
    return parts


def _count(files: int) -> str:
    return f"{files} file" if files == 1 else f"{files} files"


def files_in_words(files: dict[str, int]) -> str:
    """3 files loaded, 1 file rejected."""
    kinds = {"unreadable": "unreadable", "waiting": "waiting", "failed": "not loaded"}
    others = "".join(
        f", {_count(files[kind])} {what}" for kind, what in kinds.items() if files.get(kind)
    )
    return f"{_count(files['loaded'])} loaded, {_count(files['rejected'])} rejected{others}."


def _line(reject: RejectedFile) -> str:
    names = (
        ["line"] if reject["reason"].startswith(str(reject.get("column"))) else ["line", "column"]
    )
    places = [f"{name} {value}" for name in names if (value := reject.get(name)) is not None]
    return f"- {reject['key']}{', ' if places else ''}{', '.join(places)}: {reject['reason']}"
