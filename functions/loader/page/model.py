"""What the history says, in the form in which it is shown: datasets by day, loads, files that are not loaded, keys.

A document of the history (loader/history.py) may lack any field: it may be of another version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from loader.page import costs
from loader.page.text import every, parsed

LEFT_OUT = ("rejected", "unreadable", "waiting")
DAYS = 30
STAGED = "_stage"  # staging tables are called so
LOCAL_ACCOUNT = "000000000000"  # of the local AWS, which has no console
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(?:\.\d+)*")
_ARN = re.compile(r"arn:aws[a-z-]*:states:([a-z0-9-]+):(\d{12}):execution:([\w-]+):([\w.:-]+)")
SILENT = 2  # sweeps: when none came for so long, something is wrong
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Load:
    """A load, by its document."""

    document: Mapping[str, Any]
    undone_by: str = ""
    """The id of the load that has undone it."""
    rpu_seconds: float | None = None
    """What the workgroup computed while it ran: an estimate. None if nobody has asked."""

    def _text(self, name: str) -> str:
        return str(self.document.get(name) or "")

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """functions/loader/report.py"""
        return self.document.get("report") or {}

    @property
    def id(self) -> str:
        return self._text("load_id")

    @property
    def execution(self) -> str:
        """Its ARN; '' if it is none."""
        arn = self._text("execution")
        return arn if _ARN.fullmatch(arn) else ""

    @property
    def region(self) -> str:
        found = _ARN.fullmatch(self.execution)
        return found[1] if found else ""

    @property
    def name(self) -> str:
        """Of its execution."""
        return self.execution.rpartition(":")[2]

    @property
    def is_local(self) -> bool:
        found = _ARN.fullmatch(self.execution)
        return not found or found[2] == LOCAL_ACCOUNT

    @property
    def stack(self) -> str:
        return self._text("stack")

    @property
    def schema(self) -> str:
        return self._text("schema") or "sparkify"

    @cached_property
    def started(self) -> datetime:
        return parsed(self.document.get("started")) or BEGINNING

    @cached_property
    def ended(self) -> datetime:
        return parsed(self.document.get("ended")) or self.started

    @property
    def asked(self) -> str:
        """events, sweep or person."""
        return self._text("asked")

    @property
    def mode(self) -> str:
        return self._text("mode") or "load"

    @property
    def status(self) -> str:
        return self._text("status") or str(self.report.get("status") or "")

    @property
    def failed(self) -> bool:
        return self.status == "failed"

    @property
    def changed_nothing(self) -> bool:
        """It only planned or checked."""
        return self.mode == "check" or self.status in ("planned", "checked")

    @property
    def cause(self) -> str:
        return str(self.report.get("cause") or "")

    @property
    def files(self) -> Mapping[str, int]:
        """By outcome."""
        return self.report.get("files") or {}

    @property
    def rows(self) -> Mapping[str, int]:
        """By table, without the staging tables."""
        rows: Mapping[str, int] = self.report.get("rows") or {}
        return {name: int(n or 0) for name, n in rows.items() if not name.endswith(STAGED)}

    @property
    def rows_rejected(self) -> int:
        return int(self.report.get("rows_rejected") or 0)

    @property
    def datasets(self) -> Mapping[str, Mapping[str, int]]:
        return self.document.get("datasets") or {}

    @property
    def checks(self) -> tuple[int, int]:
        """How many passed, and of how many. The report has those that failed first."""
        shown = self.report.get("checks") or ()
        total = int(self.report.get("checks_total") or len(shown))
        return total - sum(not check.get("passed") for check in shown), total

    @property
    def listed(self) -> Sequence[Sequence[Any]]:
        """[key, outcome, bytes] of its files, those that are not loaded first; perhaps not all."""
        return self.document.get("files") or ()

    @property
    def unlisted(self) -> int:
        """Files that are not in ``listed``."""
        return max(int(self.document.get("files_total") or 0) - len(self.listed), 0)

    @cached_property
    def dollars(self) -> float | None:
        """At most, without the warehouse."""
        return costs.of_load(self.report.get("spent") or {})

    @property
    def seconds(self) -> float:
        told = (self.report.get("seconds") or {}).get("total")
        return float(told) if told else max((self.ended - self.started).total_seconds(), 0.0)

    @property
    def parts(self) -> Mapping[str, float]:
        """The seconds of plan, stage and publish. Batches are staged side by side, so the sum may exceed the total."""
        told = self.report.get("seconds") or {}
        return {name: float(told.get(name) or 0) for name in ("plan", "stage", "publish")}

    @property
    def left_out(self) -> int:
        """Files that it did not load, of those that it looked at."""
        return sum(int(self.files.get(kind) or 0) for kind in (*LEFT_OUT, "failed"))


@dataclass(frozen=True)
class LeftOut:
    """A file that is not loaded, by the newest load that looked at it."""

    kind: str
    key: str
    load: Load
    reason: str = ""
    line: int | None = None
    column: str | None = None
    code: int | None = None


@dataclass(frozen=True)
class Reason:
    """Files that are left out for the same reason, newest first."""

    kind: str
    text: str
    files: Sequence[LeftOut]


@dataclass(frozen=True)
class UnknownKey:
    """A key that no column takes. suggested: the line of dataset.yaml that would take it, '' without a contract."""

    dataset: str
    path: str
    suggested: str
    file: str
    load: Load


@dataclass
class Day:
    """What the loads of a day (UTC) did to a dataset, without those that were undone since."""

    date: date
    files: int = 0
    rows: int = 0
    left_out: int = 0
    rows_rejected: int = 0
    hole: bool = False
    """Nothing came, and something was expected."""


@dataclass
class Dataset:
    """A dataset over the days, oldest first."""

    name: str
    prefix: str = ""
    expect: timedelta | None = None
    newest: datetime | None = None
    """When its newest file came, as far as it is known."""
    days: list[Day] = field(default_factory=list)

    @property
    def overdue_from(self) -> datetime | None:
        """From when on a file is overdue, unless one comes."""
        return self.newest + self.expect if self.newest and self.expect else None


class Page:
    """The history at a time. ``loads``: newest first, of all days of the history that was read."""

    def __init__(
        self,
        documents: Iterable[Mapping[str, Any]],
        sweep: Mapping[str, Any] | None,
        now: datetime,
        *,
        days: int = DAYS,
        paused: bool | None = None,
        rpu_seconds: Mapping[str, float] | None = None,
    ) -> None:
        """paused: as the stack is deployed; None for what the last sweep said, which does not run in a pause.

        rpu_seconds: load id -> what the workgroup computed while it ran, as far as it is known.
        """
        self.now = now
        self.sweep: Mapping[str, Any] = sweep or {}
        self.paused = bool(self.sweep.get("paused")) if paused is None else paused
        found = {str(each.get("load_id")): each for each in documents}
        undone = _undone(found.values())
        seconds = rpu_seconds or {}
        loads = [
            Load(each, undone.get(name, ""), seconds.get(name)) for name, each in found.items()
        ]
        self.loads = sorted(loads, key=lambda load: (load.started, load.id), reverse=True)
        first = now.astimezone(UTC).date() - timedelta(days=days - 1)
        self.dates = [first + timedelta(days=number) for number in range(days)]

    @cached_property
    def last(self) -> Load | None:
        """The last load that ended and did not only plan or check."""
        done = [load for load in self.loads if not load.changed_nothing]
        return max(done, key=lambda load: load.ended, default=None)

    @cached_property
    def swept(self) -> datetime | None:
        """When the last sweep looked."""
        return parsed(self.sweep.get("at"))

    @property
    def sweep_every(self) -> timedelta:
        return every(self.sweep.get("schedule"))

    @cached_property
    def sweeps_load(self) -> Load | None:
        """The load that the last sweep started, once it has ended."""
        started = self.sweep.get("started")
        return next((load for load in self.loads if started and load.execution == started), None)

    @cached_property
    def oldest(self) -> datetime | None:
        """When the oldest file came that is not loaded, nor rejected, as far as it is known; None if there is none.

        What the last sweep saw counts until the load that it started has loaded it.
        """
        seconds = self.sweep.get("oldest_not_loaded_seconds")
        load = self.sweeps_load
        if not seconds or self.swept is None:
            return None
        if load and not load.failed and not load.files.get("failed"):
            return None
        return self.swept - timedelta(seconds=float(seconds))

    @property
    def oldest_is_known(self) -> bool:
        """A sweep that found a load running did not look at the files."""
        return self.swept is not None and "oldest_not_loaded_seconds" in self.sweep

    @property
    def silent(self) -> bool:
        """No sweep came when two should have."""
        return self.swept is None or self.now >= self.swept + SILENT * self.sweep_every

    @property
    def current_as_of(self) -> datetime | None:
        """All files that came before this time are loaded, or known to be left out; None if nobody has looked."""
        return (self.oldest or self.swept) if self.oldest_is_known else None

    @cached_property
    def datasets(self) -> list[Dataset]:
        told = self.sweep.get("datasets") or {}
        names = dict.fromkeys([*told, *sorted({n for load in self.loads for n in load.datasets})])
        return [self._dataset(name, told.get(name) or {}) for name in names]

    def _dataset(self, name: str, told: Mapping[str, Any]) -> Dataset:
        days = {each: Day(each) for each in self.dates}
        came: dict[date, datetime] = {}
        before: datetime | None = None
        for load in self.loads:
            counted = load.datasets.get(name)
            if not counted or not any(
                int(counted.get(kind) or 0) for kind in ("loaded", *LEFT_OUT)
            ):
                continue
            on = load.started.astimezone(UTC).date()
            day = days.get(on)
            came[on] = max(came.get(on, BEGINNING), load.started)
            if day is None:
                before = max(before or BEGINNING, load.started)
            elif not load.undone_by:
                day.files += int(counted.get("loaded") or 0)
                day.rows += int(counted.get("rows") or 0)
                day.left_out += sum(int(counted.get(kind) or 0) for kind in LEFT_OUT)
                day.rows_rejected += int(counted.get("rows_rejected") or 0)
        seconds = int(told.get("expect_seconds") or 0)
        made = Dataset(
            name,
            str(told.get("prefix") or ""),
            timedelta(seconds=seconds) if seconds else None,
            max((at for at in (parsed(told.get("newest")), *came.values()) if at), default=None),
            list(days.values()),
        )
        if made.expect:
            self._find_holes(made, made.expect, came, before)
        return made

    def _find_holes(
        self, made: Dataset, expect: timedelta, came: Mapping[date, datetime], last: datetime | None
    ) -> None:
        newest = made.newest.astimezone(UTC).date() if made.newest else None
        for day in made.days:
            end = datetime.combine(day.date, datetime.min.time(), UTC) + timedelta(days=1)
            if day.date in came:
                last = came[day.date]
            elif day.date == newest:
                last = made.newest
            elif last and min(end, self.now) - last > expect:
                day.hole = True

    @cached_property
    def left_out(self) -> list[LeftOut]:
        """The files that are not loaded, newest first: each by the last load that looked at it."""
        latest: dict[str, LeftOut | None] = {}
        for load in self.loads:
            told = {
                str(one.get("key")): (kind, one)
                for kind in LEFT_OUT
                for one in load.report.get(kind) or ()
            }
            outcomes = {str(key): str(outcome) for key, outcome, *_ in load.listed}
            outcomes = {key: kind for key, (kind, _) in told.items()} | outcomes
            for key, outcome in outcomes.items():
                if key in latest:
                    continue
                one = told.get(key, ("", {}))[1]
                latest[key] = (
                    LeftOut(
                        outcome, key, load, str(one.get("reason") or ""), one.get("line"),
                        one.get("column"), one.get("code"),
                    )
                    if outcome in LEFT_OUT
                    else None
                )  # fmt: skip
        return [each for each in latest.values() if each]

    @cached_property
    def left_out_unlisted(self) -> int:
        """Files that a load left out and whose keys no document has: only the ledger does."""
        return sum(
            max(
                sum(int(load.files.get(kind) or 0) for kind in LEFT_OUT)
                - sum(str(outcome) in LEFT_OUT for _, outcome, *_ in load.listed),
                0,
            )
            for load in self.loads
            if load.unlisted
        )

    def count_left_out(self, kind: str) -> int:
        return sum(each.kind == kind for each in self.left_out)

    @cached_property
    def reasons(self) -> list[Reason]:
        """The files that are not loaded by their reason, the reason of most files first."""
        groups: dict[tuple[str, str], list[LeftOut]] = {}
        for each in self.left_out:
            alike = _VALUE.sub("…", each.reason)
            groups.setdefault((each.kind, alike), []).append(each)
        ordered = sorted(
            groups.items(), key=lambda item: (LEFT_OUT.index(item[0][0]), -len(item[1]))
        )
        return [
            Reason(kind, files[0].reason if len(files) == 1 else alike, files)
            for (kind, alike), files in ordered
        ]

    @cached_property
    def unknown_keys(self) -> list[UnknownKey]:
        """By dataset and path. A key that a later load's contract takes is left out."""
        found: dict[tuple[str, str], UnknownKey] = {}
        taken: set[tuple[str, str]] = set()
        for load in self.loads:
            for name, changes in (load.report.get("changes") or {}).items():
                for change in changes:
                    words = str(change).split()
                    if len(words) > 2 and words[-1] == "added":
                        taken.add((str(name), words[1].rpartition(".")[2]))
            for one in (load.report.get("sample") or {}).get("keys") or ():
                name, path = str(one.get("dataset")), str(one.get("path"))
                suggested = str(one.get("suggested") or "")
                column = suggested.partition(":")[0]
                if (name, column) not in taken and (name, path) not in found:
                    found[name, path] = UnknownKey(
                        name, path, suggested, str(one.get("file") or ""), load
                    )
        return sorted(found.values(), key=lambda key: (key.dataset, key.path))

    @property
    def is_empty(self) -> bool:
        """Nothing was ever loaded, and no file is known."""
        return not self.loads


def _undone(documents: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The id of an undone load -> that of the load that has undone it."""
    return {
        str((each["report"].get("undo") or {}).get("load_id")): str(each.get("load_id"))
        for each in documents
        if each.get("mode") == "undo" and each.get("status") == "undone" and each.get("report")
    }
