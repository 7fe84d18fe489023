"""What keys JSON records have: a tree of all records, not of the first ones."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from contracts.add.records import Json
from contracts.add.rules import Stats, profile

DEEPEST = 5
"""Levels of objects that become columns; deeper ones stay super."""
WIDEST = 150
"""Keys of an object that become columns: one with more stays super."""
WIDEST_RECORD = 780
FEWEST_IDS = 5
FIRST = 5000
_KINDS = {"object": "object", "array": "array", "empty_array": "array", "json_null": "null"}
_UNREADABLE = re.compile(r"['\\\x00-\x1f\x7f]")
_LONGEST_KEY = 127
_VARIES = re.compile(r"[0-9]+|[0-9a-f]{8,}")


@dataclass
class Node:
    """A key of a record, the record itself, or the elements of an array.

    kinds     how many values are an object, an array, a scalar or a null
    below     keys of the objects
    element   the elements of the arrays; None if all arrays are empty
    many      whether there are more keys below than are kept
    doubled   how often the key is there a second time in its object
    stats     what its values are; of the record itself too
    """

    kinds: Counter[str] = field(default_factory=Counter)
    below: dict[str, "Node"] = field(default_factory=dict)
    element: "Node | None" = None
    many: bool = False
    doubled: int = 0
    stats: Stats = field(default_factory=dict)

    def is_only(self, kind: str) -> bool:
        """Whether the values that are there are all of this kind."""
        return set(self.kinds) - {"null"} == {kind}


Path = tuple[str, ...]


def tree(records: Json, *, arrays: bool = True) -> Node:
    """The keys of all records, and with ``arrays`` those of the elements of their arrays.

    The first records say which paths to look for, so that all records are usually read twice only: once for the keys,
    once for what is at them.
    """
    looked_for = _Tree(records.first(FIRST))
    looked_for.grow([()])
    whole = _Tree(records)
    whole.grow([*looked_for.nodes])
    root = whole.nodes[()]
    if arrays:
        for path, node in [*whole.nodes.items()]:
            if path and node.is_only("array"):
                element = tree(records.elements(path), arrays=False)
                node.element = element if element.kinds else None
    return root


class _Tree:
    """nodes: by their paths, each reached by those above it."""

    def __init__(self, records: Json) -> None:
        self._records = records
        self.nodes: dict[Path, Node] = {}

    def grow(self, paths: list[Path]) -> None:
        """Looks at the paths, and at what is found below them."""
        asked: set[Path] = set()
        while paths:
            for path, stats in zip(paths, profile(self._records, paths), strict=True):
                node = self.nodes.setdefault(path, Node())
                node.stats = stats
                for kind, found in stats.items():
                    node.kinds[_KINDS.get(kind, "scalar")] += found.n
                node.doubled -= sum(node.kinds.values())
            objects = [
                path
                for path in self.nodes
                if path not in asked and "object" in self.nodes[path].kinds and len(path) <= DEEPEST
            ]
            asked.update(objects)
            paths = self._keys(objects) if objects else []

    def _keys(self, objects: list[Path]) -> list[Path]:
        """Adds the keys of objects to their nodes; returns the paths that are new."""
        for number, key, count in self._records.keys(objects):
            path = objects[number]
            above = self.nodes[path]
            if len(above.below) > (WIDEST if path else WIDEST_RECORD):
                above.many = True
                continue
            node = self.nodes.get((*path, key)) or Node()
            above.below[key] = node
            node.doubled += count
            if not nameable(key):
                node.kinds["scalar"] = count
        new = [
            ((*path, key), node)
            for path in objects
            if not self.nodes[path].many
            for key, node in self.nodes[path].below.items()
            if nameable(key) and (*path, key) not in self.nodes
        ]
        self.nodes.update(new)
        return [path for path, _ in new]


@dataclass
class Leaf:
    """A value that becomes a column, or an array that may become a table. why: why an object is not flattened."""

    path: tuple[str, ...]
    node: Node
    kind: str  # value, super, mixed, objects (an array of them), scalars (an array of them), empty (arrays only)
    why: str = ""


def leaves(root: Node, *, whole: bool = False) -> Iterator[Leaf]:
    """What the keys of records become, in their order. A key that no path can name stays in the object above it.

    ``whole``: an object stays one value.
    """
    if not whole:
        yield from _below(root, ())
        return
    for key, inner in root.below.items():
        if inner.is_only("object"):
            yield Leaf((key,), inner, "super", "a struct: COPY takes whole columns of Parquet")
        else:
            yield from _of(inner, (key,))


def unnamed(root: Node) -> list[str]:
    """The keys of records that no path can name."""
    return [key for key in root.below if not nameable(key)]


def nameable(key: str) -> bool:
    """Whether COPY and a contract's path can name the key (contracts/paths.py)."""
    return bool(key) and not _UNREADABLE.search(key) and len(key.encode()) <= _LONGEST_KEY


def _below(node: Node, path: tuple[str, ...]) -> Iterator[Leaf]:
    for key, inner in node.below.items():
        if nameable(key):
            yield from _of(inner, (*path, key))


def _of(node: Node, path: tuple[str, ...]) -> Iterator[Leaf]:
    if node.is_only("object"):
        why = _whole(node, len(path))
        if why:
            yield Leaf(path, node, "super", why)
        else:
            yield from _below(node, path)
    elif node.is_only("array"):
        yield Leaf(path, node, *_array(node))
    elif not (set(node.kinds) - {"null", "scalar"}):
        yield Leaf(path, node, "value")
    else:
        said = ", ".join(
            f"{count:,} {kind}{'s' if count > 1 else ''}"
            for kind, count in node.kinds.most_common()
            if kind != "null"
        )
        yield Leaf(path, node, "mixed", f"values of several kinds: {said}")


def _array(node: Node) -> tuple[str, str]:
    if node.element is None:
        return "empty", "the arrays are empty in all samples"
    if node.element.is_only("object"):
        why = _whole(node.element, 0)
        return (
            ("super", f"an array of objects: {why}") if why else ("objects", "an array of objects")
        )
    if not set(node.element.kinds) - {"null", "scalar"}:
        return "scalars", "an array of values"
    kinds = " and ".join(sorted(set(node.element.kinds) - {"null"}))
    return "super", f"an array of {'arrays' if kinds == 'array' else 'values of several kinds'}"


def _whole(node: Node, depth: int) -> str:
    """Why an object stays one super value; '' if its keys become columns."""
    if not node.below:
        return "the objects are empty in all samples"
    if depth > DEEPEST:
        return f"more than {DEEPEST} objects inside of each other"
    if node.many or len(node.below) > WIDEST:
        return f"more than {WIDEST} different keys"
    if ids := _keys_are_ids(node):
        return ids
    if bad := [key for key in node.below if not nameable(key)]:
        return f"no path can name its key {json.dumps(bad[0], ensure_ascii=False)}"
    return ""


def _keys_are_ids(node: Node) -> str:
    """Whether the keys are values, as in {"SKU-0001": 3, "SKU-0002": 1}: alike but for their digits, not all there."""
    keys = list(node.below)
    if len(keys) < FEWEST_IDS:
        return ""
    objects = node.kinds["object"]
    here = sum(sum(inner.kinds.values()) for inner in node.below.values())
    rare = here / len(keys) < 0.8 * objects
    digits = sum(bool(re.search("[0-9]", key)) for key in keys)
    forms = {_VARIES.sub("0", key) for key in keys}
    shapes = {frozenset(set(inner.kinds) - {"null"}) for inner in node.below.values()}
    if (
        digits >= 0.8 * len(keys)
        and len(forms) <= max(1, len(keys) // 5)
        and (rare or all(map(_is_value, keys)))
    ):
        return f"its keys are values ({', '.join(keys[:2])}, …)"
    if len(keys) > 40 and here / len(keys) < 0.1 * objects and len(shapes) == 1:
        return f"its keys are values ({', '.join(keys[:2])}, …: {len(keys)} different ones)"
    return ""


def _is_value(key: str) -> bool:
    return bool(re.fullmatch(r"[0-9]+|[0-9]{4}-[0-9]{2}(-[0-9]{2})?|[0-9a-f-]{32,36}", key))
