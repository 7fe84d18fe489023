"""What one execution leaves of a backfill: lists of files, one for each execution that follows.

rest/<load_id>-<listing>/<number>.json.gz   the files of one execution, one a line
rest/<load_id>-<listing>/lists.json         how many lists there are
rest/<load_id>-<listing>/ledger.json        the ledger after the last of these executions that ended (mark.py)

An execution reads its own list and no other, so that each of a million files is read, compared and written once or
twice, however many executions there are.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from loader.store import Store

_LIST = re.compile(r"(rest/[^/]+)/(\d+)\.json\.gz")


def write(store: Store, name: str, lists: Iterator[Iterable[dict[str, Any]]]) -> str:
    """Writes the lists, none of them empty; the URI of the first, '' if there is none."""
    folder, count = f"rest/{name}", 0
    for files in lists:
        store.put_lines(f"{folder}/{count}.json.gz", files)
        count += 1
    return _end(store, folder, count)


def add(store: Store, key: str, files: Iterable[dict[str, Any]]) -> None:
    """Puts one more list at the end of those that the list at ``key`` is of."""
    folder, _ = _place(key)
    count = _count(store, folder)
    store.put_lines(f"{folder}/{count}.json.gz", files)
    _end(store, folder, count + 1)


def following(store: Store, key: str) -> str:
    """The URI of the list that comes after the one at ``key``, '' if none does."""
    folder, number = _place(key)
    more = number + 1 < _count(store, folder)
    return store.uri(f"{folder}/{number + 1}.json.gz") if more else ""


def ledger_key(key: str) -> str:
    """Where the ledger's reading stands that goes with the list at ``key``."""
    return f"{_place(key)[0]}/ledger.json"


def is_list(key: str) -> bool:
    """Whether a key is of a list that others may follow."""
    return _LIST.fullmatch(key) is not None


def _place(key: str) -> tuple[str, int]:
    found = _LIST.fullmatch(key)
    if not found:
        raise ValueError(f"{key!r} is no list of the rest of a load.")
    return found[1], int(found[2])


def _count(store: Store, folder: str) -> int:
    return int(store.get(f"{folder}/lists.json")["lists"])


def _end(store: Store, folder: str, count: int) -> str:
    """Written last: a list that is not counted is not there."""
    if not count:
        return ""
    store.put(f"{folder}/lists.json", {"lists": count})
    return store.uri(f"{folder}/0.json.gz")
