"""The report of a load: what an execution returns, and how it is shown to a person.

An execution that succeeds has it as its output; one that fails has it as its cause, as JSON text.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.datasets import datasets
from local.problem import ASKS, FAILED, WELL
from local.show.terminal import visible

SHOWN_REJECTED = 20
LEFT_OUT = ("rejected", "unreadable", "waiting")
"""Files that a successful load did not load: someone should check them."""
TIMED_OUT = (
    "The load exceeded the TimeoutSeconds of its state machine and was stopped. What it published stays. The sweep "
    "loads the rest, or start another load."
)


@dataclass(frozen=True)
class Report:
    """One load. ``data`` is the whole report, including fields that are not named here."""

    execution: str
    failed: bool
    data: Mapping[str, Any]

    @property
    def status(self) -> str:
        """loaded, nothing to load, planned, checked, migrated, reset, undone or failed."""
        return "failed" if self.failed else str(self.data.get("status", "ended"))

    @property
    def cause(self) -> str:
        """Why it failed."""
        return str(self.data.get("cause") or "no cause was given")

    def files(self, kind: str) -> int:
        """How many files were listed, loaded, rejected, known or failed."""
        return int((self.data.get("files") or {}).get(kind) or 0)

    def known(self) -> dict[str, int]:
        """How many of the known files are loaded, rejected or withdrawn in the ledger."""
        return {name: int(count) for name, count in (self.data.get("known") or {}).items()}

    def rows(self) -> dict[str, int]:
        """Rows by table that this load staged or wrote."""
        return {name: int(count) for name, count in (self.data.get("rows") or {}).items()}

    def checks(self) -> list[dict[str, Any]]:
        """The checks with their figures."""
        return list(self.data.get("checks") or [])

    def rejected(self) -> list[dict[str, Any]]:
        """Files that were not loaded, with line, column and reason where known."""
        return list(self.data.get("rejected") or [])

    def seconds(self) -> dict[str, float]:
        """Seconds by phase, and in total."""
        return {name: float(value) for name, value in (self.data.get("seconds") or {}).items()}


def headline(report: Report) -> str:
    """How it ended, and what needs attention: "loaded, but 2 files rejected"."""
    counts = {kind: report.files(kind) for kind in LEFT_OUT}
    told = [f"{number:,} {_files(number)} {kind}" for kind, number in counts.items() if number]
    if not told:
        return report.status
    return f"{report.status}, {'' if report.failed else 'but '}{', '.join(told)}"


def _files(number: int) -> str:
    return "file" if number == 1 else "files"


def exit_code(reports: Iterable[Report]) -> int:
    """FAILED if one failed, ASKS if one left files out, else WELL."""
    reports = list(reports)
    if any(report.failed for report in reports):
        return FAILED
    return ASKS if any(report.files(kind) for report in reports for kind in LEFT_OUT) else WELL


def report_of(execution: Mapping[str, Any]) -> Report:
    """The report of an execution that has ended, from the response of DescribeExecution."""
    name = str(execution.get("name", ""))
    if execution["status"] == "SUCCEEDED":
        data = _object(execution.get("output") or "{}")
        return Report(name, False, data if data is not None else {"status": "ended"})
    cause = str(execution.get("cause") or "")
    data = _object(cause)
    if data is None and execution["status"] == "TIMED_OUT":  # with no error and no cause
        data = {"cause": TIMED_OUT}
    if data is None:
        error = str(execution.get("error") or execution["status"]).strip()
        data = {"cause": f"{error}: {cause}" if cause else error}
    return Report(name, True, data)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def as_json(report: Report) -> dict[str, Any]:
    """For scripts: the report as it is, with the execution's name and how it ended."""
    return {**report.data, "execution": report.execution, "status": report.status}


def line(report: Report) -> str:
    """A load in one line."""
    took = report.seconds().get("total")
    parts = [f"load {report.data.get('load_id') or report.execution}", headline(report)]
    counts = {kind: report.files(kind) for kind in ("loaded", "known", "failed")}
    parts += [f"{n:,} {_files(n)} {kind}" for kind, n in counts.items() if n]
    rows = report.rows()
    if rows:
        staged = sum(rows.get(each.stage_table, 0) for each in datasets())
        facts = [each.fact_table for each in datasets() if each.fact_table]
        facts = [name for name in facts if name in rows] or facts[:1]
        told = ", ".join(f"{rows.get(name, 0):,} {name}" for name in facts)
        parts.append(f"{staged:,} rows staged, {told}")
    if took is not None:
        parts.append(f"{took:.1f} s")
    if report.failed:
        parts.append(report.cause)
    return "  ".join(parts)


def lines(report: Report) -> list[str]:
    """A load in full, one fact per line."""
    told = [_line("load", f"{report.data.get('load_id') or report.execution}  {headline(report)}")]
    if report.failed:
        told.append(_line("cause", report.cause))
    files = report.data.get("files") or {}
    if files:
        known = known_as([report])
        texts = (f"{n:,} {kind}{known if kind == 'known' else ''}" for kind, n in files.items())
        told.append(_line("files", ", ".join(texts)))
    rows = report.rows()
    if rows:
        told.append(_line("rows", ", ".join(f"{name} {n:,}" for name, n in rows.items())))
    told += check_lines(report.checks())
    told += rejected_lines(report.rejected(), int(report.data.get("rejected_total") or 0))
    told += left_out_lines(report.data)
    seconds = report.seconds()
    if seconds:
        told.append(_line("seconds", ", ".join(f"{k} {v:.1f}" for k, v in seconds.items())))
    told += upgrade_lines(report.data.get("tables") or {})
    told += missing_lines(report.data.get("missing") or {})
    told += sample_lines(report.data.get("sample") or {})
    told += not_taken_lines(report.data.get("not_taken") or {})
    told += other_lines(report)
    if report.data.get("next"):
        told.append(_line("next", str(report.data["next"])))
    return told


def _line(name: str, text: str) -> str:
    return f"{name:<9} {text}"


USUAL = {
    *("load_id", "status", "files", "rows", "checks", "rejected", "rejected_total"),
    *("seconds", "cause", "next", "known", "tables", "missing", "sample", "not_taken"),
    *("rows_rejected", "rejected_rows", "cut"),
}


def known_as(reports: Iterable[Report]) -> str:
    """The ledger's status of the known files, in parentheses; '' if the ledger was not read."""
    together: Counter[str] = Counter()
    for report in reports:
        together.update(report.known())
    words = {"loaded": "loaded before"}
    told = ", ".join(f"{n:,} {words.get(status, status)}" for status, n in together.items())
    return f" ({told})" if told else ""


def upgrade_lines(tables: Mapping[str, Any]) -> list[str]:
    """The version of the tables before and after the load; 0: there were none."""
    if not tables:
        return []
    was, now, latest = (tables.get(name) for name in ("from", "to", "latest"))
    if now != latest:
        return [_line("tables", f"version {now}; the next load upgrades them to {latest}")]
    if was == now:
        return [_line("tables", f"version {now}, as deployed")]
    return [_line("tables", f"upgraded from version {was} to {now}" if was else "created")]


def missing_lines(missing: Mapping[str, Any]) -> list[str]:
    """Files of a redo that can no longer be loaded."""
    if not missing:
        return []
    keys = [str(key) for key in missing.get("keys", ())]
    more = int(missing.get("files") or 0) - len(keys)
    told = ", ".join(keys) + (f" and {more:,} more" if more > 0 else "")
    return [_line("missing", f"{told}; all, with the reasons: {missing.get('list')}")]


def sample_lines(sample: Mapping[str, Any]) -> list[str]:
    """What a load noticed in its files: how many it sampled, and which keys and columns are new."""
    if not sample:
        return []
    keys, new = (int(sample.get(name) or 0) for name in ("keys_total", "new_keys"))
    told = f"{sample.get('files', 0):,} of {sample.get('of', 0):,} files"
    if keys:
        told += f"; keys that no column takes: {keys:,}, {new:,} of them new"
    if headers := int(sample.get("unread_headers") or 0):
        told += f"; headers that could not be read: {headers:,}"
    return [_line("sampled", told), *noticed_lines(sample)]


def noticed_lines(sample: Mapping[str, Any]) -> list[str]:
    """A line for each new key that no column reads, and for each column that became empty."""
    keys = [key for key in sample.get("keys") or () if key.get("new")]
    told = []
    for key in keys:
        where = f"{key['dataset']}: {visible(key['path'])}"
        told.append(_line("new key", f"{where}, which no column takes; in {visible(key['file'])}"))
        if suggested := key.get("suggested"):
            told.append(
                _line(
                    "",
                    f"to take it: loader evolve {key['dataset']}, which adds: {visible(suggested)}",
                )
            )
    if (more := int(sample.get("new_keys") or 0) - len(keys)) > 0:
        told.append(_line("new key", f"… and {more:,} more"))
    for column in sample.get("empty_columns") or ():
        where = f"{column['dataset']}: {column['column']} in all {column['rows']:,} rows"
        told.append(_line("empty", f"{where}; before, {column['filled_before']:.1%} were filled"))
    return told


def not_taken_lines(found: Mapping[str, Any]) -> list[str]:
    """Files under a dataset's prefix that no dataset takes."""
    if not found:
        return []
    keys = [visible(str(key)) for key in found.get("keys") or ()]
    more = int(found.get("files") or 0) - len(keys)
    told = ", ".join(keys) + (f" and {more:,} more" if more > 0 else "")
    listed = f"; all: {found['list']}" if found.get("list") else ""
    return [_line("not taken", f"{told}: no dataset takes files that end so{listed}")]


def other_lines(report: Report) -> list[str]:
    """Fields of a report beyond the usual ones, such as the findings of a preflight."""
    told = []
    for name, value in report.data.items():
        if name in USUAL or not value:
            continue
        told += [
            _line(name, _text(item)) for item in (value if isinstance(value, list) else [value])
        ]
    return told


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and {"name", "passed", "found"} <= value.keys():  # a preflight's
        if value["passed"]:
            return f"ok    {value['name']}: {value['found']}"
        return f"FIX   {value['name']}: {value['found']}. {value.get('fix') or ''}".rstrip()
    return json.dumps(value, ensure_ascii=False)


def check_lines(checks: list[dict[str, Any]]) -> list[str]:
    """The failed checks, and how many passed."""
    failed = [check for check in checks if not check.get("passed")]
    told = [
        _line(
            "check",
            f"FAILED {check.get('name')} on {check.get('on')}: "
            f"{check.get('figure')}, expected {check.get('expected')}",
        )
        for check in failed
    ]
    if checks:
        told.append(_line("checks", f"{len(checks) - len(failed)} of {len(checks)} passed"))
    return told


def rejected_lines(rejected: list[dict[str, Any]], total: int = 0) -> list[str]:
    """A line for each rejected file: where in it, and why."""
    told = [
        _line(str(file.get("status") or "rejected"), f"{place(file)}: {file.get('reason')}")
        for file in rejected
    ]
    more = max(total, len(rejected)) - SHOWN_REJECTED
    if more > 0:
        told = [*told[:SHOWN_REJECTED], _line("rejected", f"… and {more:,} more")]
    return told


def left_out_lines(data: Mapping[str, Any]) -> list[str]:
    """A line for each row that was left out of a loaded file, and for each column of which texts were cut."""
    shown = list(data.get("rejected_rows") or [])[:SHOWN_REJECTED]
    told = [
        _line("row", f"{place({**row, 'column': row.get('column_name')})}: {row.get('reason')}")
        for row in shown
    ]
    more = int(data.get("rows_rejected") or 0) - len(shown)
    if more > 0:
        told.append(_line("row", f"… and {more:,} more, in the table rejected_rows"))
    for one in data.get("cut") or []:
        text = f"{one['dataset']}: texts of {one['column']} are cut in {one['rows']:,} rows"
        told.append(_line("cut", text))
    return told


def place(file: Mapping[str, Any]) -> str:
    """Key, line and column of a rejected file, where known."""
    parts = [visible(str(file.get("key")))]
    parts += [f"{name} {file[name]}" for name in ("line", "column") if file.get(name) is not None]
    return ", ".join(parts)
