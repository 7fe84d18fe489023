"""Files that a load could not read, or could not judge, for the sweep to try again: its mark has passed them by.

sweep/again/<load_id>.json   the files that a load left, each as in a listing
sweeps/again-<mark>.json     which of these documents a sweep has given to its load

Each load writes a document of its own, so that no two write one. The documents that a sweep has read are taken away
when its load has dealt with each of its files, in whatever way: what is left once more stands in that load's own.
"""

from collections.abc import Iterable, Set

from loader import keys
from loader.datasets import Dataset, dataset_of
from loader.state import Load, Result
from loader.store import DataFile, MissingObject, Store

MAX_FILES = 10_000  # of a load's document, and of a sweep


def write(store: Store, load: Load, results: Iterable[Result]) -> None:
    """Writes down what the load left, by the results of its batches. Runs at the end of each load."""
    files = [file for result in results for file in result.get("again", ())][:MAX_FILES]
    if files:
        store.put(keys.retry_list(load["load_id"]), files)


def pending(
    store: Store, known: Iterable[Dataset], bucket: str, others: Set[tuple[str, str]], mark: str
) -> list[DataFile]:
    """The files that loads left, each once, of this bucket and of datasets that there are; not ``others`` (key, ETag),
    which are dealt with anyway. ``mark``: of the sweep that asks.
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
    """Takes the documents away that this sweep had read: its load has dealt with all of their files."""
    try:
        read = store.get(keys.retry_lists_read(mark))
    except MissingObject:
        return
    for key in read:
        store.delete(key)
