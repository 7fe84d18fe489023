"""Keys of JSON records that no column loads, as dotted paths: ``customer.vip``, ``items[].colour``.

A path is the topmost key of which nothing is loaded, so that a new object is one path. A column that loads a whole
object loads everything below it. All elements of an array count as alike: a key loaded from one is loaded from all.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from loader import sql
from loader.datasets import Dataset

MOST = 200  # paths of a file
LONGEST = 200  # bytes of a path; a longer one is cut
CUT = "…"  # at the end of a path that was cut
_ARRAY = "[]"
_STEP = re.compile(r"""\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]|\.([^.\[\]]+)""")
_BLANKS = re.compile(r"\s*")
_PLAIN = re.compile(r"[^\W\d][\w-]*")


@dataclass
class Mapped:
    """What the columns load of a record, as a tree. ``whole``: with everything below."""

    below: dict[str, "Mapped"] = field(default_factory=dict)
    whole: bool = False
    any_case: bool = False

    def get(self, key: str) -> "Mapped | None":
        return self.below.get(key.lower() if self.any_case else key)


def mapped_by(dataset: Dataset) -> Mapped | None:
    """What the dataset's columns load; None if unknown: not JSON, or no column list in copy.sql."""
    if dataset.paths:
        return from_paths(dataset.paths)
    layout = dataset.layout
    if layout.format != "json" or layout.keys == "noshred" or not layout.columns:
        return None
    if layout.keys:
        below = {column: Mapped(whole=True) for column in layout.columns}
        return Mapped(below, any_case=layout.keys == "auto ignorecase")
    try:
        paths = json.loads(sql.read(f"datasets/{dataset.name}/jsonpaths.json"))["jsonpaths"]
        return from_paths([str(path) for path in paths])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # COPY reports what is wrong with it


def from_paths(paths: Sequence[str]) -> Mapped:
    """What JSONPaths load, in brackets ($['a'][0]) or with dots ($.a[0])."""
    tree = Mapped()
    for path in paths:
        node = tree
        for single, double, index, dotted in _STEP.findall(path.strip().removeprefix("$")):
            step = _ARRAY if index else single or double or dotted
            node = node.below.setdefault(step, Mapped())
        node.whole = True
    return tree


def records(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects at the start of a text, one after another; an incomplete last one is left out."""
    decoder, at = json.JSONDecoder(), 0
    text = text.removeprefix("\ufeff")
    while True:
        blank = _BLANKS.match(text, at)
        try:
            record, at = decoder.raw_decode(text, blank.end() if blank else at)
        except (ValueError, RecursionError):
            return
        if isinstance(record, dict):
            yield record


def unmapped_keys(value: Any, taken: Mapped, above: str = "") -> Iterator[tuple[str, Any]]:
    """The path and the value of every key of a record that no column loads: of all elements of an array.

    It goes as deep as the columns' own paths.
    """
    if taken.whole:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if (found := taken.get(key)) is None:
                yield joined(above, key), inner
            elif not found.whole and isinstance(inner, dict | list):
                yield from unmapped_keys(inner, found, joined(above, key))
    elif isinstance(value, list) and (found := taken.below.get(_ARRAY)):
        for inner in value:
            yield from unmapped_keys(inner, found, above + _ARRAY)


def joined(above: str, key: str) -> str:
    """The path of a key; one that is not a plain word is in brackets and quotes, as in JSON."""
    if not _PLAIN.fullmatch(key):
        return f"{above}[{json.dumps(key, ensure_ascii=not key.isprintable())}]"
    return f"{above}.{key}" if above else key


def shortened(path: str) -> str:
    """A path that fits its column: cut, and with the surrogates of a broken text escaped."""
    data = path.encode(errors="backslashreplace")
    if len(data) <= LONGEST:
        return data.decode()
    return f"{data[: LONGEST - 3].decode(errors='ignore')}{CUT}"
