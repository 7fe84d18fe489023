"""Files that a load could not read, or could not judge, for the sweep to try again: they are older than its mark.

Each load writes a separate list. The lists that a sweep has read are deleted when its load has dealt with all of their
files: those that are left once more are in that load's own list.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

from loader import keys
from loader.datasets import Dataset, dataset_of
from loader.store import DataFile, MissingObject, Store

if TYPE_CHECKING:
    from loader.state import Load, Result


MAX_FILES = 10_000  # of a load's document, and of a sweep


def write(store: Store, load: Load, results: Iterable[Result]) -> None:
    """Writes the list of what the load left, by the results of its batches. Runs at the end of each load."""
    files = [file for result in results for file in result.get("again", ())][:MAX_FILES]
    if files:
        store.put(keys.retry_list(load["load_id"]), files)


def pending(
    store: Store, known: Iterable[Dataset], bucket: str, others: Set[tuple[str, str]], mark: str
) -> list[DataFile]:
    """The files that loads left, each once, of this bucket and of existing datasets; without ``others`` (key, ETag),
    which are handled anyway. ``mark``: that of the present sweep.
    """
    known, seen = tuple(known), set(others)
    found: list[DataFile] = []
    read: list[str] = []
    for key in store.keys(keys.RETRY_LISTS):
        files = [DataFile(**entry) for entry in store.get(key)]
        if read and len(found) + len(files) > MAX_FILES:
            break
        read.append(key)
        for file in files:
            version = (file.key, file.etag)
            if file.bucket == bucket and version not in seen and dataset_of(file.key, known):
                seen.add(version)
                found.append(file)
    if read:
        store.put(keys.retry_lists_read(mark), read)
    return found


def clear(store: Store, mark: str) -> None:
    """Deletes the lists that this sweep has read: its load has dealt with all of their files."""
    try:
        read = store.get(keys.retry_lists_read(mark))
    except MissingObject:
        return
    for key in read:
        store.delete(key)
