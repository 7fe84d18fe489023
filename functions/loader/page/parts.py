"""The sections of the page, which the dashboard's widget shows as well."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from loader.page import costs, text
from loader.page.commands import Commands
from loader.page.html import code, e, table, theirs
from loader.page.html import time as shown_time
from loader.page.model import LEFT_OUT, Dataset, Day, Load, Page, Reason
from loader.page.opened import links
from loader.page.state import State

SAMPLES = 5  # files of a reason
TRIED = 20  # keys of the input that tries a reason's files again
TABLES = 3  # of a load's row
ASKED = {"events": "uploads", "sweep": "the sweep", "person": "a person"}
WHAT_NOW = {
    "rejected": "Upload a corrected file under the same key, and it loads by itself. Or try these again as they are:",
    "unreadable": "Let the COPY role read them (bucket policy, policy of the KMS key); every sweep tries them again. "
    "To try them now:",
    "waiting": "It is not clear yet whether the files or the set-up are wrong; every sweep tries them again. "
    "To try them now:",
}
STEPS = ("plan", "stage", "publish", "other")


class Frame(Protocol):
    """Where the sections stand: in the page, whose script opens a load, or in a widget, which has none."""

    commands: Commands

    def open_load(self, load: Load) -> list[ET.Element]:
        """What opens a load."""

    def load_controls(self) -> ET.Element | None:
        """What chooses among the loads."""

    def more_loads(self, shown: int, total: int) -> ET.Element | None:
        """What shows those that are not shown yet."""

    def open_day(self, dataset: Dataset, day: Day) -> list[ET.Element]:
        """What is in the square of a day."""


# -- the state -----------------------------------------------------------------------------
def sentence(page: Page, state: State) -> ET.Element:
    """The state: the verdict, why it is not green, and the facts behind it."""
    why = "; ".join(each.text for each in state.concerns)
    return e(
        "section",
        e("h1", e("span", state.verdict, class_="verdict"), e("span", f": {why}." if why else ".", class_="why")),
        e("dl", (e("div", e("dt", name), e("dd", value)) for name, value in facts(page))),
        class_=f"state {state.level}",
        data_level=state.level,
    )  # fmt: skip


def facts(page: Page) -> list[tuple[str, Sequence[ET.Element | str]]]:
    """Name and value of what the sentence of state is made of."""
    last, tables = page.last, page.sweep.get("table_version")
    overdue = [d.name for d in page.datasets if d.overdue_from and d.overdue_from <= page.now]
    left_out = [
        f"{page.count_left_out(kind):,} {kind}" for kind in LEFT_OUT if page.count_left_out(kind)
    ]
    return [
        ("Current as of", _at(page.current_as_of, "not known")),
        (
            "Oldest file not loaded",
            _at(page.oldest, "none" if page.oldest_is_known and not page.silent else "not known"),
        ),
        ("Last load", [last.status, " ", shown_time(last.ended)] if last else ["none"]),
        ("Files left out", [", ".join(left_out) or "none"]),
        ("Expected and not there", [", ".join(overdue) or "nothing"]),
        ("Loads by itself", ["paused" if page.paused else "yes" if page.sweep else "not known"]),
        ("Tables", [f"version {tables}" if tables is not None else "not known"]),
        *_spent(page),
    ]  # fmt: skip


def _spent(page: Page) -> list[tuple[str, Sequence[ET.Element | str]]]:
    """What all loads of the page cost, as far as it is known."""
    counted = [load.dollars for load in page.loads if load.dollars is not None]
    computed = [load.rpu_seconds for load in page.loads if load.rpu_seconds]
    found: list[tuple[str, Sequence[ET.Element | str]]] = []
    if counted:
        days = text.count(len(page.dates), "day")
        found.append(("Cost without the warehouse", [f"{text.dollars(sum(counted))} in {days}"]))
    if computed:
        dollars = text.dollars(costs.of_compute(sum(computed)))
        said = f"{sum(computed):,.0f} RPU-seconds while loads ran, {dollars}"
        found.append(("Warehouse, estimated", [said]))
    return found


def _at(at: datetime | None, otherwise: str) -> list[ET.Element | str]:
    return [shown_time(at)] if at else [otherwise]


def empty(frame: Frame) -> ET.Element:
    """What to do first."""
    return e(
        "section",
        e("h2", "Nothing is loaded yet"),
        e(
            "ol",
            e("li", "Check the set-up: ", _command(frame.commands.start({"check": True}))),
            e(
                "li",
                "Upload files under a dataset's prefix: ",
                _command(frame.commands.say("upload", "DIR")),
            ),
            e("li", "Or load what is in the bucket: ", _command(frame.commands.start({}))),
        ),
        e(
            "p",
            "Another kind of file: ",
            _command("loader add NAME FILES"),
            " writes its dataset.yaml.",
        ),
        class_="empty",
    )


def _command(line: str) -> ET.Element:
    return e("code", line, class_="command")


# -- datasets by day -----------------------------------------------------------------------
def datasets(page: Page, frame: Frame) -> ET.Element | None:
    """A row a dataset, a square a day."""
    if not page.datasets:
        return None
    most = max((day.rows for dataset in page.datasets for day in dataset.days), default=0)
    heads = [
        e("th", e("span", _head(each), aria_hidden="true"), e("span", f"{each:%d %b}", class_="sr"), scope="col",
          class_="day")
        for each in page.dates
    ]  # fmt: skip
    return e(
        "section",
        e("h2", "Datasets"),
        e(
            "div",
            e(
                "table",
                e("caption", f"Rows a day, {text.count(len(page.dates), 'day')}, UTC", class_="sr"),
                e("thead", e("tr", e("th", "Dataset", scope="col"), heads,
                             e("th", "Files", scope="col", class_="n"),
                             e("th", "Rows", scope="col", class_="n"),
                             e("th", "Newest file", scope="col", class_="newest"))),
                e("tbody", (_dataset(each, most, frame) for each in page.datasets)),
                class_="days",
            ),
            class_="scroll",
        ),
        _legend(),
        class_="datasets",
    )  # fmt: skip


def _head(day: date) -> str:
    """Mondays have their date."""
    return str(day.day) if day.weekday() == 0 else ""


def _dataset(dataset: Dataset, most: int, frame: Frame) -> ET.Element:
    expects = (
        f"a file every {text.duration(dataset.expect.total_seconds())}" if dataset.expect else ""
    )
    return e(
        "tr",
        e("th", theirs(dataset.name), e("small", expects) if expects else None, scope="row"),
        (
            e("td", frame.open_day(dataset, day), class_=f"day {_square(day, most)}", title=said(day))
            for day in dataset.days
        ),
        e("td", text.number(sum(day.files for day in dataset.days)), class_="n files"),
        e("td", text.number(sum(day.rows for day in dataset.days)), class_="n rows"),
        e("td", shown_time(dataset.newest, short=True) if dataset.newest else "none", class_="newest"),
        data_dataset=text.visible(dataset.name),
    )  # fmt: skip


def _square(day: Day, most: int) -> str:
    """The classes of a day's square: how many rows, whether something was left out, or whether it is a hole."""
    shade = 0
    if day.rows:
        share = day.rows / most
        shade = 1 + sum(share > limit for limit in (0.1, 0.4, 0.75))
    elif day.files:
        shade = 1
    bad = " bad" if day.left_out or day.rows_rejected else ""
    return "hole" if day.hole else f"d{shade}{bad}"


def said(day: Day) -> str:
    """What a day's square says, in words."""
    on = f"{day.date.day} {day.date:%b}"
    if day.hole:
        return f"{on}: nothing came, and a file was expected"
    told = (
        [f"{text.count(day.rows, 'row')} of {text.count(day.files, 'file')}"] if day.files else []
    )
    told += [f"{text.count(day.left_out, 'file')} left out"] if day.left_out else []
    told += [f"{text.count(day.rows_rejected, 'row')} rejected"] if day.rows_rejected else []
    return f"{on}: {', '.join(told) or 'nothing'}"


def _legend() -> ET.Element:
    kinds = (
        *(("d0", "nothing"), ("d1", "few rows"), ("d4", "many rows")),
        *(("d1 bad", "files or rows rejected"), ("hole", "nothing came, expected")),
    )
    return e(
        "p",
        (e("span", e("i", class_=f"key {kind}"), what) for kind, what in kinds),
        class_="legend",
        aria_hidden="true",
    )


# -- loads ---------------------------------------------------------------------------------
HEADS = ("Load", "Asked by", "Outcome", "Files", "Rows", "Seconds", "Checks", "Cost", "")


def loads(shown: Sequence[Load], frame: Frame, total: int, longest: float) -> ET.Element:
    """The newest loads, as a table."""
    prices = costs.prices()
    return e(
        "section",
        e("h2", "Loads ", e("small", text.count(total, "load"), ", newest first, times in UTC")),
        frame.load_controls(),
        e(
            "div",
            e(
                "table",
                e("caption", "Loads, newest first", class_="sr"),
                e("thead", e("tr", (e("th", head or e("span", "Links", class_="sr"), scope="col",
                                      class_="n" if head in ("Checks", "Cost") else None)
                                    for head in HEADS))),
                e("tbody", (row(each, frame, longest) for each in shown), class_="listed"),
                class_="loads-table",
            ),
            class_="scroll",
        ),
        frame.more_loads(len(shown), total),
        e(
            "p",
            (e("span", e("i", class_=f"key {name}"), name) for name in STEPS),
            f" Cost: without the warehouse, at most, by AWS's prices in {prices['region']} of {prices['read']}.",
            class_="legend",
        ),
        class_="loads",
    )  # fmt: skip


def row(load: Load, frame: Frame, longest: float) -> ET.Element:
    """A load in the table of loads."""
    passed, total = load.checks
    said = e("span", f"{passed:,} of {total:,}", class_="bad" if passed < total else None)
    nothing = load.status == "nothing to load" or load.changed_nothing
    return e(
        "tr",
        e("th", frame.open_load(load), shown_time(load.started, short=True), scope="row"),
        _cell("Asked by", ASKED.get(load.asked, load.asked), _mode(load)),
        _cell("Outcome", _outcome(load)),
        _cell("Files", _files(load)),
        _cell("Rows", _rows(load)),
        _cell("Seconds", e("span", text.duration(load.seconds), class_="seconds"), bar(load, longest)),
        _cell("Checks", said if total else "", n=True),
        _cell("Cost", text.dollars(load.dollars) if load.dollars is not None else "", n=True),
        _cell("", [e("a", name, href=url, target="_blank", rel="noopener noreferrer") for name, url in links(load)]),
        class_="quiet" if nothing else "failed" if load.failed else None,
        data_load=load.id,
        data_bad=bool(load.failed or load.left_out or load.rows_rejected or passed < total),
    )  # fmt: skip


def _cell(
    head: str, *content: ET.Element | str | Sequence[ET.Element | str] | None, n: bool = False
) -> ET.Element:
    return e("td", *content, data_head=head or None, class_="n" if n else None)


def _mode(load: Load) -> ET.Element | None:
    redo = load.report.get("redo")
    mode = "redo" if redo else load.mode
    return e("small", mode) if mode != "load" else None


def _outcome(load: Load) -> list[ET.Element | str]:
    word = e("span", load.status or "ended", class_="status bad" if load.failed else "status")
    return [word, e("small", "undone since")] if load.undone_by else [word]


def _files(load: Load) -> list[ET.Element | str]:
    kinds = [kind for kind in ("loaded", *LEFT_OUT, "failed", "known") if load.files.get(kind)]
    return [
        e("span", f"{load.files[kind]:,} {kind}", class_="bad" if kind in (*LEFT_OUT, "failed") else "quiet"
          if kind == "known" else None)
        for kind in kinds
    ]  # fmt: skip


def _rows(load: Load) -> list[ET.Element | str]:
    undo = load.report.get("undo") or {}
    rows = load.rows or (undo.get("rows") or {})
    sign = "\N{MINUS SIGN}" if not load.rows and rows else ""
    found = sorted(((name, int(n or 0)) for name, n in rows.items()), key=lambda each: -each[1])
    found = [each for each in found if each[1]]
    shown: list[ET.Element | str] = [
        e("span", theirs(name), f" {sign}{number:,}") for name, number in found[:TABLES]
    ]
    if more := found[TABLES:]:
        shown.append(e("span", f"{text.count(len(more), 'more table')}", class_="quiet",
                       title=", ".join(f"{name} {number:,}" for name, number in more)))  # fmt: skip
    if load.rows_rejected:
        shown.append(e("span", f"{load.rows_rejected:,} rejected", class_="bad"))
    return shown


def bar(load: Load, longest: float) -> ET.Element:
    """The seconds of plan, stage, publish and the rest as a stacked bar; full at ``longest`` seconds."""
    parts, total = load.parts, load.seconds
    spent = sum(parts.values())
    scale = total / spent if spent > total else 1
    widths = {name: seconds * scale for name, seconds in parts.items()}
    widths["other"] = max(total - sum(widths.values()), 0)
    told = ", ".join(
        f"{name} {text.duration(seconds)}" for name, seconds in parts.items() if seconds
    )
    drawing = e(
        "svg",
        e("title", told or "not recorded"),
        viewBox="0 0 100 8",
        class_="bar",
        role="img",
        preserveAspectRatio="none",
    )
    at, room = 0.0, 100 / max(longest, 0.001)
    for name in STEPS:
        wide = min(widths[name] * room, 100 - at)
        if wide > 0:
            drawing.append(
                e("rect", x=f"{at:.2f}", y=0, width=f"{wide:.2f}", height=8, class_=name)
            )
        at += max(wide, 0)
    return drawing


def longest(found: Sequence[Load]) -> float:
    """The seconds that fill a bar: one load in twenty takes longer."""
    seconds = sorted(load.seconds for load in found)
    return seconds[int(len(seconds) * 0.95)] if seconds else 1.0


# -- what is left out ----------------------------------------------------------------------
def left_out(page: Page, frame: Frame) -> ET.Element | None:
    """The files that are not loaded, by reason, each with what tries them again."""
    others = _not_taken(page)
    if not page.reasons and others is None:
        return None
    return e(
        "section",
        e("h2", "Not loaded"),
        (reason(each, frame) for each in page.reasons),
        others,
        class_="left-out",
    )


def reason(group: Reason, frame: Frame) -> ET.Element:
    """Files that are left out for the same reason."""
    sample = group.files[:SAMPLES]
    rows = [
        (code(one.key), theirs(_place(one.line, one.column)), theirs(one.reason),
         shown_time(one.load.ended, short=True))
        for one in sample
    ]  # fmt: skip
    parts: list[ET.Element] = [table("", ("file", "where", "why", "when"), rows)]
    if (more := len(group.files) - len(sample)) > 0:
        parts.append(e("p", f"and {more:,} more; find them by name below.", class_="quiet"))
    tried = [one.key for one in group.files[:TRIED]]
    some = f" (the first {TRIED})" if len(group.files) > TRIED else ""
    parts.append(e("p", WHAT_NOW[group.kind], some))
    parts.append(e("p", _command(frame.commands.start({"keys": tried}))))
    title = group.text or "The history has no reason; the ledger has it (file_status)."
    return e(
        "details",
        e(
            "summary",
            e("strong", f"{text.count(len(group.files), 'file')} {group.kind}", class_="bad"),
            " ",
            theirs(title),
        ),
        parts,
        class_="reason",
        data_kind=group.kind,
        data_files=len(group.files),
    )


def _place(line: int | None, column: str | None) -> str:
    return " ".join(filter(None, [f"line {line}" if line is not None else "", str(column or "")]))


def _not_taken(page: Page) -> ET.Element | None:
    told = page.sweep.get("not_taken") or {}
    if not told.get("files"):
        return None
    return e(
        "details",
        e(
            "summary",
            e("strong", text.count(int(told["files"]), "file")),
            " under a dataset's prefix that no dataset takes, by their ending",
        ),
        e("ul", (e("li", code(key)) for key in told.get("keys") or ())),
        class_="reason",
    )


def unknown_keys(page: Page) -> ET.Element | None:
    """Keys that no column takes, and the lines of dataset.yaml that would take them."""
    if not page.unknown_keys:
        return None
    rows = [
        (theirs(key.dataset), code(key.path), code(key.file), shown_time(key.load.ended, short=True))
        for key in page.unknown_keys
    ]  # fmt: skip
    by_dataset: dict[str, list[str]] = {}
    for key in page.unknown_keys:
        if key.suggested:
            by_dataset.setdefault(key.dataset, []).append(f"  {key.suggested}")
    return e(
        "section",
        e("h2", "Unknown keys"),
        e("p", "They are in files that loaded, and no column takes them."),
        table("", ("dataset", "key", "seen in", "when"), rows),
        (
            e("div", e("p", "To take them, in ", code(f"sql/datasets/{name}/dataset.yaml"), ":"), yaml(lines))
            for name, lines in by_dataset.items()
        ),
        class_="unknown",
    )  # fmt: skip


def yaml(lines: Sequence[str]) -> ET.Element:
    """Columns to add."""
    made = e("pre")
    made.text = "\n".join(["columns:", *map(text.visible, lines)])
    return made


def as_json(value: object) -> str:
    """JSON that may stand in an element of script: no end tag, no line separator."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
