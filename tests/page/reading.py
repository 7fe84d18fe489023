"""The page read back: its elements and texts, as a browser's parser would see them, and what is packed into it."""

from __future__ import annotations

import base64
import gzip
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

VOID = ("meta", "input", "br", "link", "img")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = ET.Element("root")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = ET.SubElement(self._open[-1], tag, {name: value or "" for name, value in attrs})
        if tag not in VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        parent = self._open[-1]
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + data
        else:
            parent.text = (parent.text or "") + data


def parsed(html: str) -> ET.Element:
    """The elements of HTML; fails for one that is not closed."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader._open == [reader.root]
    return reader.root


def words(element: ET.Element | None) -> str:
    """All text in an element."""
    assert element is not None
    return " ".join(" ".join(element.itertext()).split())


def having(root: ET.Element, name: str) -> Iterator[ET.Element]:
    """The elements of a class."""
    return (each for each in root.iter() if name in each.get("class", "").split())


def one(root: ET.Element, name: str) -> ET.Element:
    [found] = having(root, name)
    return found


def facts(root: ET.Element) -> dict[str, str]:
    """The facts of the state by their names."""
    state = one(root, "state")
    return {words(each.find("dt")): words(each.find("dd")) for each in state.iter("div")}


def packed(root: ET.Element, name: str) -> Any:
    """What is packed into a script of the page."""
    [script] = [each for each in root.iter("script") if each.get("id") == name]
    return json.loads(gzip.decompress(base64.b64decode(script.text or "")))


def packed_loads(root: ET.Element) -> list[tuple[str, ET.Element, ET.Element]]:
    """All loads: the id, the row of the table, the details."""
    names = [each.get("id", "") for each in root.iter("script")]
    return [
        (name, parsed(row), parsed(details))
        for pack in names
        if pack.startswith("loads-")
        for name, row, details in packed(root, pack)
    ]


def cells(row: ET.Element) -> dict[str, str]:
    """A load's row: the cells by the heads of their columns."""
    return {each.get("data-head", ""): words(each) for each in row.iter("td")}
