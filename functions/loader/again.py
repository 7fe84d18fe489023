"""Files that a load could not read, or could not judge, for the sweep to try again: its mark has passed them by.

sweep/again/<load_id>.json   the files that a load left, each as in a listing, and when the load began

Each load writes a document of its own, so that no two write one. The documents that were there when a sweep began are
taken away when its load has dealt with each of its files, in whatever way: what is left again stands in its own.
"""

from collections.abc import Iterable, Iterator, Set
from datetime import datetime
from typing import Any

from loader.datasets import Dataset, dataset_of
from loader.store import DataFile, Store

AGAIN = "sweep/again/"
MAX_FILES = 10_000  # of a document, and of a sweep
MAX_DOCUMENTS = 500

Version = tuple[str, str]  # key, ETag


def keep(store: Store, load: dict[str, Any], results: Iterable[dict[str, Any]]) -> None:
    """Writes down what the load left, by the results of its batches. Runs at the end of each load."""
    files = [file for result in results for file in result.get("again", ())][:MAX_FILES]
    if files:
        document = {"started": load["started"], "files": files}
        store.put(f"{AGAIN}{load['load_id']}.json", document)


def done(store: Store, load: dict[str, Any]) -> None:
    """Takes the documents away that the sweep had read whose load this is; it has dealt with all of their files."""
    mark = _time(load["mark"])
    for key, document in list(_documents(store)):
        if _time(document["started"]) < mark and key != f"{AGAIN}{load['load_id']}.json":
            store.delete(key)


def left(
    store: Store, known: Iterable[Dataset], bucket: str, others: Set[Version]
) -> Iterator[DataFile]:
    """The files that loads left, each once, of this bucket and of datasets that there are; not ``others``, which are
    dealt with anyway (key, ETag).
    """
    known, seen = tuple(known), set(others)
    for _, document in _documents(store):
        for entry in document["files"]:
            file = DataFile(**entry)
            version = (file.key, file.etag)
            if file.bucket == bucket and version not in seen and dataset_of(file.key, known):
                seen.add(version)
                yield file
                if len(seen) - len(others) >= MAX_FILES:
                    return


def _documents(store: Store) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, key in enumerate(store.keys(AGAIN)):
        if number >= MAX_DOCUMENTS:
            return
        yield key, store.get(key)


def _time(iso: str) -> datetime:
    return datetime.fromisoformat(iso.replace("Z", "+00:00"))
