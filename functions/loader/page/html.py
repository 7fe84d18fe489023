"""HTML from elements, so that every text is escaped by construction."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from loader.page import text

Child = ET.Element | str | None
NO_TEXT = ("script", "style")  # what they hold is written as it is: never another's text


def e(tag: str, *children: Child | Iterable[Child], **attributes: object) -> ET.Element:
    """An element. ``class_`` is class, ``data_at`` is data-at; an attribute of None or False is left out."""
    made = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            shown = name.rstrip("_").replace("_", "-")
            made.set(shown, "" if value is True else text.visible(value))
    last: ET.Element | None = None
    for child in _flat(children):
        if isinstance(child, ET.Element):
            made.append(child)
            last = child
            continue
        shown = text.visible(child)
        if last is None:
            made.text = (made.text or "") + shown
        else:
            last.tail = (last.tail or "") + shown
    return made


def _flat(children: Iterable[Child | Iterable[Child]]) -> Iterable[ET.Element | str]:
    for child in children:
        if isinstance(child, str | ET.Element):
            yield child
        elif child is not None:
            yield from _flat(child)


def theirs(content: object) -> ET.Element:
    """Another's text, such as a key, whose direction does not change what is around it."""
    return e("bdi", str(content))


def code(content: object) -> ET.Element:
    return e("code", theirs(content))


def time(at: datetime, *, short: bool = False) -> ET.Element:
    """A time that the page's script also shows as an age. short: without the year and UTC."""
    return e("time", text.short(at) if short else text.moment(at), datetime=text.iso(at))


def table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[Any]], numbers: str = ""
) -> ET.Element:
    """A table. The columns whose heads are in ``numbers`` are aligned to the right."""
    right = [head in numbers.split(",") for head in heads]
    return e(
        "div",
        e(
            "table",
            e("caption", caption),
            e(
                "thead",
                e("tr", (e("th", head, scope="col", class_="n" if n else None)
                         for head, n in zip(heads, right, strict=True))),
            ),
            e(
                "tbody",
                (
                    e("tr", (e("td", cell, class_="n" if n else None)
                             for cell, n in zip(row, right, strict=True)))
                    for row in rows
                ),
            ),
        ),
        class_="scroll",
    )  # fmt: skip


def rendered(*elements: ET.Element) -> str:
    """Elements as HTML."""
    return "".join(ET.tostring(each, encoding="unicode", method="html") for each in elements)
