"""loads.html: one file with all that it needs, which works from a disk."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loader.page import parts, text
from loader.page.commands import Commands
from loader.page.html import e, rendered
from loader.page.html import time as shown_time
from loader.page.model import DAYS, LEFT_OUT, SILENT, Dataset, Day, Load, Page
from loader.page.opened import opened
from loader.page.state import VERDICTS, Concern, State, state_of

__all__ = ["DAYS", "loads_html", "style"]

SHOWN = 100  # loads at first
PACK = 100  # loads
FOUND = 100  # files that a search shows
_HERE = Path(__file__).parent


class InPage:
    """The sections stand in the page, whose script opens a load."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands

    def open_load(self, load: Load) -> list[ET.Element]:
        return [e("button", load.id, type="button", data_open=load.id)]

    def open_day(self, dataset: Dataset, day: Day) -> list[ET.Element]:
        del dataset
        return [e("span", parts.said(day).partition(": ")[2], class_="sr")]

    def load_controls(self) -> ET.Element:
        box = e("input", type="checkbox", id="only-bad")
        return e("p", e("label", box, " only those that failed or left something out"))

    def more_loads(self, shown: int, total: int) -> ET.Element | None:
        return e("button", "Show more", type="button", class_="more") if shown < total else None


def loads_html(page: Page, commands: Commands) -> str:
    """The page."""
    frame = InPage(commands)
    state = state_of(page)
    style, script = _source("page.css"), _source("page.js")
    root = e(
        "html",
        e(
            "head",
            e("meta", charset="utf-8"),
            e("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
            e("meta", name="viewport", content="width=device-width, initial-scale=1"),
            e("meta", name="color-scheme", content="light dark"),
            e("title", f"{_stack(page)}: loads"),
            _raw("style", style),
        ),
        e(
            "body",
            e("div", _body(page, state, frame), class_="inner"),
            _dialog(page),
            class_="page",
        ),
        lang="en",
    )
    body = root[1]
    body.append(_raw("script", _told(page, state, commands), type="application/json", id="told"))
    body.extend(_packs(page, frame))
    body.append(_raw("script", script))
    return f"<!DOCTYPE html>\n{rendered(root)}\n"


def _source(name: str) -> str:
    text = (_HERE / name).read_text(encoding="utf-8")
    return _dark(text) if name.endswith(".css") else text


def _dark(style: str) -> str:
    """The dark colors also where a person prefers them; the widget's root has the class instead."""
    dark = next(rule for rule in style.split("}\n") if rule.startswith(".page.dark"))
    body = dark.partition("{")[2]
    everywhere = "html, body { margin: 0; background: #fff; }\n"
    preferred = f"@media (prefers-color-scheme: dark) {{ html, body {{ background: #0f141a; }} .page {{ {body} }} }}\n"
    return f"{everywhere}{style}{preferred}"


def _policy(style: str, script: str) -> str:
    """Nothing is fetched, and no other script runs, whatever a key or a reason is.

    Source: www.w3.org/TR/CSP3, sections 2.3.1 (hashes) and 6.7.3
    """

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def style() -> ET.Element:
    """The style of the sections alone."""
    return _raw("style", (_HERE / "page.css").read_text(encoding="utf-8"))


def _raw(tag: str, content: str, **attributes: str) -> ET.Element:
    """A script or a style, whose text is written as it is: our own, JSON without <, or base64."""
    if "</" in content:
        raise ValueError(f"A {tag} of the page has an end tag in its text.")
    made = e(tag, **attributes)
    made.text = content
    return made


def _stack(page: Page) -> str:
    return next((load.stack for load in page.loads if load.stack), "") or "s3-redshift-loader"


def _body(page: Page, state: State, frame: InPage) -> Iterator[ET.Element | None]:
    yield e(
        "header",
        e("strong", _stack(page)),
        e("span", "loads into ", page.loads[0].schema) if page.loads and page.loads[0].schema else None,
        e("span", "written on ", shown_time(page.now), class_="written"),
    )  # fmt: skip
    yield parts.sentence(page, state)
    if page.is_empty:
        yield parts.empty(frame)
    yield parts.datasets(page, frame)
    yield parts.left_out(page, frame)
    yield parts.unknown_keys(page)
    if page.loads:
        yield _find(page, frame)
        yield parts.loads(page.loads[:SHOWN], frame, len(page.loads), parts.longest(page.loads))


def _find(page: Page, frame: InPage) -> ET.Element:
    unlisted = sum(load.unlisted for load in page.loads)
    where = frame.commands.say("where", "KEY")
    said = (
        f"{text.count(unlisted, 'file')} of large loads are not in this page; {where} finds them."
    )
    more = e("p", said, class_="quiet") if unlisted else None
    box = e("input", type="search", id="find", placeholder="a part of its key", autocomplete="off")
    return e(
        "section",
        e("h2", e("label", "Find a file", for_="find")),
        e("p", box, class_="controls"),
        e("p", class_="hits quiet", role="status"),
        e("table", e("caption", "Files found", class_="sr"), e("tbody", class_="found")),
        more,
        class_="find",
    )  # fmt: skip


def _dialog(page: Page) -> ET.Element | None:
    if not page.loads:
        return None
    close = e("button", "Close", type="button", class_="close")
    return e("dialog", close, e("div", class_="body"), aria_label="A load")


def _told(page: Page, state: State, commands: Commands) -> str:
    """What the script needs to know."""
    old = Concern(
        "amber",
        f"this page was written on {text.moment(page.now)} and does not change by itself; "
        f"{commands.say('report')} writes it again",
        page.now + SILENT * page.sweep_every,
    )
    later = sorted([*state.later, old], key=lambda each: each.since)
    return parts.as_json(
        {
            "written": text.iso(page.now),
            "level": state.level,
            "verdicts": VERDICTS,
            "concerns": [each.text for each in state.concerns],
            "later": [{"at": text.iso(c.since), "level": c.level, "text": text.visible(c.text)} for c in later],
            "loads": len(page.loads),
            "pack": PACK,
            "shown": FOUND,
            "left_out": LEFT_OUT,
        }
    )  # fmt: skip


def _packs(page: Page, frame: InPage) -> Iterator[ET.Element]:
    """The loads in parts (id, row, details), their ids, and the files: small, and unpacked when they are needed."""
    longest = parts.longest(page.loads)
    for first in range(0, len(page.loads), PACK):
        yield _pack(
            f"loads-{first // PACK}",
            [
                (load.id, rendered(parts.row(load, frame, longest)), rendered(opened(load, frame.commands)))
                for load in page.loads[first : first + PACK]
            ],
        )  # fmt: skip
    if page.loads:
        yield _pack("ids", [load.id for load in page.loads])
        yield _pack(
            "files",
            [
                (text.visible(key), str(outcome), size[0] if size else 0, number)
                for number, load in enumerate(page.loads)
                for key, outcome, *size in load.listed
            ],
        )


def _pack(name: str, value: Any) -> ET.Element:
    body = json.dumps(value, separators=(",", ":")).encode()
    packed = base64.b64encode(gzip.compress(body, compresslevel=6, mtime=0)).decode()
    return _raw("script", packed, type="text/plain", id=name)
