"""Loads the files of an undone load again: the ledger names them, and they are loaded as they are now in the bucket.

One list in the work bucket has the files to load, and one those that cannot be loaded any more, each with the reason. A
load may have had a hundred thousand files: so neither list is in the load's state, and for more than a few files the
bucket is listed, instead of a HEAD for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from loader import keys
from loader.datasets import dataset_of, datasets
from loader.request import BadRequest
from loader.settings import settings
from loader.store import DataFile, Store

if TYPE_CHECKING:
    from loader.state import Load, Missing


ASKED_FOR = 500  # files for which a HEAD is sent for each
SHOWN = 10

Rows = Iterable[tuple[Any, ...]]


def unknown(load_id: str) -> str:
    return f"redo: there is no load {load_id}. The table loads lists all loads."


def found(load_id: str, files: Rows, why: Rows) -> list[tuple[str, str]]:
    """(bucket, key) of the withdrawn files; raises BadRequest if there are none.

    files: (bucket, key). why: how many files of the load have which status, and ``published``, how many batches.
    """
    withdrawn = [(str(bucket), str(key)) for bucket, key in files]
    if withdrawn:
        return withdrawn
    statuses = {str(name): int(count or 0) for name, count in why if count}
    if not statuses:
        raise BadRequest(unknown(load_id))
    if statuses.get("loaded"):
        raise BadRequest(
            f"redo: load {load_id} was not undone, its files are loaded. To replace their rows, start "
            '{"reload": true, "keys": […]}; to delete them, start '
            f'{{"undo": "{load_id}"}}.'
        )
    told = ", ".join(f"{n} {name}" for name, n in sorted(statuses.items()) if name != "published")
    raise BadRequest(f"redo: load {load_id} has no withdrawn files ({told or 'it loaded none'}).")


def write(store: Store, load_id: str, withdrawn: list[tuple[str, str]]) -> Load:
    """Writes both lists. Returns the URI of the first as ``objects``, and about the second ``missing``."""
    found = as_they_are(
        store, [key for bucket, key in withdrawn if bucket == settings().data_bucket]
    )
    objects = store.put_lines(keys.redo_files(load_id), (file.as_dict() for file in found.values()))
    missing = [
        {"bucket": bucket, "key": key, "reason": _reason(key)}
        for bucket, key in withdrawn
        if bucket != settings().data_bucket or key not in found
    ]
    if not missing:
        return {"objects": objects}
    told: Missing = {
        "files": len(missing),
        "keys": [entry["key"] for entry in missing[:SHOWN]],
        "list": store.put_lines(keys.redo_missing(load_id), missing),
    }
    return {"objects": objects, "missing": told}


def _reason(key: str) -> str:
    if dataset_of(key, datasets().values()) is None:
        return "it no longer matches a dataset"
    return f"it is not in the bucket {settings().data_bucket}, or may not be read"


def as_they_are(store: Store, keys: list[str]) -> dict[str, DataFile]:
    """The files of these keys that are in the data bucket and match a dataset, as they are now."""
    bucket, known = settings().data_bucket, tuple(datasets().values())
    wanted = {key for key in keys if dataset_of(key, known)}
    if len(wanted) <= ASKED_FOR:
        heads = {key: store.head(bucket, key).file for key in sorted(wanted)}
        return {key: file for key, file in heads.items() if file}
    return {file.key: file for file in _listed(store, bucket, wanted) if file.key in wanted}


def _listed(store: Store, bucket: str, wanted: set[str]) -> Iterator[DataFile]:
    """The files under the longest prefix that the keys of each dataset have in common."""
    for dataset in datasets().values():
        if mine := [key for key in wanted if dataset.takes(key)]:
            first, last = min(mine), max(mine)
            same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
            yield from store.list_files(bucket, "".join(letter for letter, _ in same))
