"""A load, opened: its path through the state graph, files, checks, what was left out and why, commands."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loader.console import execution_url, logs_url
from loader.page import costs, text
from loader.page.commands import Commands
from loader.page.html import code, e, table, theirs, time
from loader.page.model import LEFT_OUT, Load

SHOWN_FILES = 100
NAMED = 20
"""Keys in an input: with more it is none that a person would copy."""
MAIN = {
    "undo": ("plan", "undo"),
    "check": ("plan", "preflight"),
    "reset": ("plan", "reset"),
    "migrate": ("plan", "migrate"),
}
LOAD = ("plan", "stage", "publish")
ASIDE = {"migrate": 0, "find_bad_files": 1, "leave_out_loaded": 2}
"""Steps that only some loads need -> the step of LOAD under which they are drawn."""
_WIDTH, _HEIGHT, _GAP, _BELOW = 120, 30, 36, 26


def opened(load: Load, commands: Commands) -> ET.Element:
    """All that the history has of a load."""
    return e(
        "div",
        _title(load),
        _cause(load),
        e("h4", "Path through the states"),
        path(load),
        _batches(load),
        _left_out(load),
        _checks(load),
        _files(load),
        _noticed(load),
        _commands(load, commands),
        class_="opened",
    )


def _title(load: Load) -> list[ET.Element]:
    rows = ", ".join(f"{name} {int(number or 0):,}" for name, number in load.rows.items() if number)
    files = ", ".join(f"{number:,} {kind}" for kind, number in load.files.items() if number)
    cost = text.dollars(load.dollars) if load.dollars is not None else "not counted"
    seconds = ", ".join(f"{name} {text.duration(n)}" for name, n in load.parts.items() if n)
    facts: list[tuple[str, list[ET.Element | str]]] = [
        ("Started", [time(load.started)]),
        (
            "Took",
            [
                f"{text.duration(load.seconds)} ({seconds})"
                if seconds
                else text.duration(load.seconds)
            ],
        ),
        ("Files", [files or "none"]),
        ("Rows", [theirs(rows or "none")]),
        ("Cost without the warehouse", [cost]),
    ]
    if load.rpu_seconds:
        facts.append(("Warehouse, estimated", [_computed(load.rpu_seconds)]))
    return [
        e("h3", "Load ", load.id, e("small", load.mode, ", ", load.status)),
        e("dl", (e("div", e("dt", name), e("dd", value)) for name, value in facts)),
        e("p", (e("a", name, href=url, target="_blank", rel="noopener noreferrer") for name, url in links(load))),
    ]  # fmt: skip


def _computed(rpu_seconds: float) -> str:
    dollars = text.dollars(costs.of_compute(rpu_seconds))
    return f"{rpu_seconds:,.0f} RPU-seconds, {dollars} (others who used it in the same minutes included)"


def _cause(load: Load) -> list[ET.Element]:
    said = [e("p", theirs(load.cause), class_="cause")] if load.cause else []
    if load.undone_by:
        said.append(e("p", "Its rows are gone: load ", code(load.undone_by), " has undone it."))
    for name in ("next", "sweep_mark"):
        if load.report.get(name):
            said.append(e("p", theirs(load.report[name])))
    return said


# -- the path ------------------------------------------------------------------------------
def path(load: Load) -> ET.Element:
    """The state graph as SVG, with the states that this load went through, and how often each was called."""
    steps: Mapping[str, Any] = load.document.get("steps") or {}
    main = [*MAIN.get(load.mode, LOAD), "finish"]
    aside = {name: at for name, at in ASIDE.items() if name not in main and main[:3] == [*LOAD]}
    end = (load.status or "ended") if not load.failed else "failed"
    width = (len(main) + 1) * (_WIDTH + _GAP) - _GAP + 2
    called = ", ".join(f"{_words(name)} {steps[name]} times" for name in steps) or "not recorded"
    drawing = e(
        "svg",
        e("title", f"Path: {called}; then {end}"),
        viewBox=f"0 0 {width} {_HEIGHT * 2 + _BELOW + 2}",
        width=width,
        class_="path",
        role="img",
    )
    for at, name in enumerate(main):
        following = [*main, "end"][at + 1]
        there = bool(steps.get(name)) and (following == "end" or bool(steps.get(following)))
        drawing.append(
            _line(_x(at) + _WIDTH, _HEIGHT / 2 + 1, _x(at + 1), _HEIGHT / 2 + 1, went=there)
        )
        drawing.extend(_state(_x(at), 1, _words(name), steps.get(name)))
    for name, at in aside.items():
        middle = _x(at) + _WIDTH / 2
        went = bool(steps.get(name))
        drawing.append(_line(middle, _HEIGHT + 1, middle, _HEIGHT + _BELOW + 1, went=went))
        drawing.extend(_state(_x(at), _HEIGHT + _BELOW + 1, _words(name), steps.get(name)))
    kind = "end bad" if load.failed else "end"
    drawing.extend(_state(_x(len(main)), 1, end.capitalize(), 1, kind))
    return e("div", drawing, class_="scroll")


def _x(at: int) -> int:
    return at * (_WIDTH + _GAP) + 1


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _line(x1: float, y1: float, x2: float, y2: float, *, went: bool) -> ET.Element:
    return e("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="went" if went else "not")


def _state(x: float, y: float, name: str, calls: Any, kind: str = "state") -> list[ET.Element]:
    often = f" \N{MULTIPLICATION SIGN}{calls}" if isinstance(calls, int) and calls > 1 else ""
    return [
        e(
            "rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=6,
            class_=kind if calls else f"{kind} not",
        ),
        e(
            "text", f"{name}{often}", x=x + _WIDTH / 2, y=y + _HEIGHT / 2 + 4,
            text_anchor="middle", class_=None if calls else "not",
        ),
    ]  # fmt: skip


# -- tables --------------------------------------------------------------------------------
def _batches(load: Load) -> ET.Element | None:
    found = load.document.get("batches") or ()
    rows = [
        (
            theirs(one.get("batch", "")),
            theirs(one.get("dataset", "")),
            str(one.get("outcome", "")),
            text.number(int(one.get("files") or 0)),
            text.duration(float((one.get("seconds") or {}).get("stage") or 0)),
            text.duration(float((one.get("seconds") or {}).get("publish") or 0)),
        )
        for one in found
    ]
    heads = ("batch", "dataset", "outcome", "files", "stage", "publish")
    return table("Batches", heads, rows, "files,stage,publish") if rows else None


def _left_out(load: Load) -> list[ET.Element]:
    parts = []
    for kind in LEFT_OUT:
        shown = load.report.get(kind) or ()
        if not shown:
            continue
        rows = [
            (code(one.get("key", "")), _place(one), theirs(one.get("reason", ""))) for one in shown
        ]
        parts.append(table(f"Files {kind}", ("file", "where", "why"), rows))
        more = int(load.files.get(kind) or 0) - len(shown)
        if more > 0:
            parts.append(_in_the_ledger(load, f"{more:,} more {kind}"))
    if rows_rejected := load.report.get("rejected_rows"):
        rows = [
            (code(one.get("key", "")), _place(one), theirs(one.get("reason", "")))
            for one in rows_rejected
        ]
        parts.append(
            table(f"Rows rejected: {load.rows_rejected:,}", ("file", "where", "why"), rows)
        )
    if cut := load.report.get("cut"):
        texts = [
            (
                theirs(one.get("dataset", "")),
                theirs(one.get("column", "")),
                text.number(int(one["rows"])),
            )
            for one in cut
        ]
        parts.append(table("Texts cut", ("dataset", "column", "rows"), texts, "rows"))
    return parts


def _place(one: Mapping[str, Any]) -> ET.Element | str:
    names = (("line", one.get("line")), ("", one.get("column") or one.get("column_name")))
    return e("span", theirs(" ".join(f"{n} {v}".strip() for n, v in names if v is not None)))


def _in_the_ledger(load: Load, what: str) -> ET.Element:
    return e("p", f"{what}: {load.schema}.file_status has them, under this load's id.")


def _checks(load: Load) -> list[ET.Element]:
    shown = load.report.get("checks") or ()
    if not shown:
        return []
    rows = [
        (
            "passed" if one.get("passed") else e("strong", "failed", class_="bad"),
            theirs(one.get("name", "")),
            str(one.get("on", "")),
            theirs(one.get("batch", "")),
            str(one.get("figure", "")),
            str(one.get("expected", "")),
        )
        for one in shown
    ]
    passed, total = load.checks
    heads = ("result", "check", "on", "batch", "figure", "expected")
    more = f"; the first {len(rows)}" if total > len(rows) else ""
    return [table(f"Checks: {passed:,} of {total:,} passed{more}", heads, rows, "figure,expected")]


def _files(load: Load) -> list[ET.Element]:
    listed = load.listed
    if not listed:
        return []
    rows = [
        (code(key), str(outcome), text.size(float(size[0])) if size else "")
        for key, outcome, *size in listed[:SHOWN_FILES]
    ]
    more = len(listed) + load.unlisted - len(rows)
    parts = [
        table(f"Files: {len(listed) + load.unlisted:,}", ("file", "outcome", "size"), rows, "size")
    ]
    if more:
        parts.append(_in_the_ledger(load, f"{more:,} more"))
    return parts


def _noticed(load: Load) -> list[ET.Element]:
    parts = []
    if changes := load.report.get("changes"):
        rows = [
            (theirs(name), theirs(", ".join(map(str, found)))) for name, found in changes.items()
        ]
        parts.append(table("Tables changed to their contracts", ("dataset", "changes"), rows))
        parts += [e("p", theirs(said)) for said in load.report.get("older_rows") or ()]
    if empty := (load.report.get("sample") or {}).get("empty_columns"):
        columns = [
            (
                theirs(one.get("dataset", "")),
                theirs(one.get("column", "")),
                str(one.get("rows", "")),
            )
            for one in empty
        ]
        parts.append(
            table("Columns that became empty", ("dataset", "column", "rows"), columns, "rows")
        )
    return parts


# -- commands and links --------------------------------------------------------------------
def _commands(load: Load, commands: Commands) -> list[ET.Element]:
    rows: list[Sequence[Any]] = []
    for what, words, document in todo(load):
        line = commands.say(*words) if words else commands.start(document)
        rows.append((what, e("code", line, class_="command"), code(json.dumps(document))))
    if load.name:
        rows.append(
            ("see its report", e("code", commands.say("show", load.id), class_="command"), "")
        )
    return (
        [table("What you can do", ("to", "run", "or start an execution with"), rows)]
        if rows
        else []
    )


def todo(load: Load) -> Iterator[tuple[str, tuple[str, ...], dict[str, Any]]]:
    """What a person may do about a load, the command for it, () for start, and the input of its execution."""
    if load.mode not in ("load", "reload") or load.status not in ("loaded", "failed"):
        return
    bad = [str(key) for key, outcome, *_ in load.listed if outcome in LEFT_OUT]
    if bad:
        yield "try the files again that it left out", (), {"keys": bad[:NAMED]}
    if not load.files.get("loaded"):
        return
    if load.undone_by:
        yield "load its files again (redo)", ("redo", load.id), {"redo": load.id}
        return
    dry_run = {"undo": load.id, "dry_run": True}
    yield "see what an undo would delete", ("undo", load.id, "--dry-run"), dry_run
    yield "take its rows out (undo)", ("undo", load.id), {"undo": load.id}
    yield "load its files again after an undo (redo)", ("redo", load.id), {"redo": load.id}
    loaded = [str(key) for key, outcome, *_ in load.listed if outcome == "loaded"]
    if loaded and len(loaded) <= NAMED and not load.unlisted:
        document = {"reload": True, "keys": loaded}
        yield "replace what its files loaded (reload)", ("reload", load.id), document


def links(load: Load) -> list[tuple[str, str]]:
    """Name and URL of what AWS's console shows of a load; none of the local AWS, which has no console."""
    if load.is_local:
        return []
    found = [("execution", execution_url(load.execution, load.region))]
    if load.stack:
        found.append(("logs", logs_url(load.execution, load.region, load.stack, load.id)))
    return found
