"""What one execution leaves of a backfill: lists of files, one for each of the executions that follow.

An execution reads only its own list, so each of a million files is read, compared and written once or twice, however
many executions there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from loader import keys
from loader.store import Store

if TYPE_CHECKING:
    from loader.state import File


def write(store: Store, name: str, lists: Iterator[Iterable[File]]) -> str:
    """Writes the lists, none of them empty; the URI of the first, '' if there is none."""
    count = 0
    for files in lists:
        store.put_lines(keys.backlog_list(name, count), files)
        count += 1
    return _end(store, name, count)


def append(store: Store, key: str, files: Iterable[File]) -> None:
    """Adds one more list after the last of those to which the list at ``key`` belongs."""
    name, _ = _place(key)
    count = _count(store, name)
    store.put_lines(keys.backlog_list(name, count), files)
    _end(store, name, count + 1)


def next_list(store: Store, key: str) -> str:
    """The URI of the list after the one at ``key``, '' if there is none."""
    name, number = _place(key)
    more = number + 1 < _count(store, name)
    return store.uri(keys.backlog_list(name, number + 1)) if more else ""


def ledger_key(key: str) -> str:
    """The key of the ledger's reading for the list at ``key``."""
    return keys.backlog_ledger(_place(key)[0])


def is_list(key: str) -> bool:
    """Whether the key is one of these lists."""
    return keys.split_backlog_list(key) is not None


def _place(key: str) -> tuple[str, int]:
    found = keys.split_backlog_list(key)
    if not found:
        raise ValueError(f"{key!r} is not a list of a backlog.")
    return found


def _count(store: Store, name: str) -> int:
    return int(store.get(keys.backlog_count(name))["lists"])


def _end(store: Store, name: str, count: int) -> str:
    """Writes the number of lists, last of all: a list that is not counted does not exist."""
    if not count:
        return ""
    store.put(keys.backlog_count(name), {"lists": count})
    return store.uri(keys.backlog_list(name, 0))
