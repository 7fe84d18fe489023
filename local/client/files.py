"""The files of each dataset: the ledger and the bucket compared."""

import re
from collections.abc import Iterator

from local.client import queries
from local.client.clients import Clients
from local.client.stack import Stack
from local.datasets import datasets
from local.environment import SCHEMA
from local.show.state import State


def states(clients: Clients, stack: Stack) -> list[State]:
    """The state of each dataset, by name."""
    states = {each.name: State(each) for each in datasets()}
    known = _ledger(clients, stack.data_bucket, states)
    for state in states.values():
        _bucket(clients, stack.data_bucket, state, known)
    _rows(clients, states)
    _left_out(clients, states)
    return list(states.values())


def _ledger(clients: Clients, bucket: str, states: dict[str, State]) -> set[tuple[str, str]]:
    """Counts what the ledger says; the files (key, ETag) that it knows."""
    try:
        counted = queries.run(
            clients,
            "SELECT dataset, status, COUNT(*) AS files"  # noqa: S608 - our own names
            f" FROM {SCHEMA}.file_status WHERE bucket = '{bucket}'"
            " GROUP BY dataset, status",
        )
        newest = queries.run(
            clients,
            "SELECT dataset, key, recorded_at FROM (SELECT dataset, key, recorded_at, ROW_NUMBER() OVER"  # noqa: S608
            " (PARTITION BY dataset ORDER BY recorded_at DESC, key DESC) AS place"
            f" FROM {SCHEMA}.file_status WHERE bucket = '{bucket}' AND status = 'loaded') AS ranked"
            " WHERE place = 1",
        )
        known = queries.run(
            clients,
            f"SELECT key, etag FROM {SCHEMA}.files WHERE bucket = '{bucket}'",  # noqa: S608
        )
    except queries.SqlError:
        return set()  # no load has made the tables yet
    for dataset, status, files in counted.rows:
        if state := states.get(str(dataset)):
            state.counts[str(status)] = int(files or 0)
    for dataset, key, at in newest.rows:
        if state := states.get(str(dataset)):
            state.newest, state.newest_at = str(key), str(at)[:16]
    return {(str(key), str(etag)) for key, etag in known.rows}


def _bucket(clients: Clients, bucket: str, state: State, known: set[tuple[str, str]]) -> None:
    """Counts the objects below the dataset's prefix that are not in the ledger, and those it does not take."""
    for key, etag in _objects(clients, bucket, state.dataset.prefix):
        if key.endswith("/"):  # a folder marker
            continue
        if not key.endswith(state.dataset.suffixes):
            state.not_taken.append(key)
        elif (key, etag) not in known:
            state.counts["not loaded"] = state.counts.get("not loaded", 0) + 1
    if state.not_taken:
        state.counts["not taken"] = len(state.not_taken)


def _objects(clients: Clients, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    pages = clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for each in page.get("Contents", []):
            yield each["Key"], each["ETag"].strip('"')


def _rows(clients: Clients, states: dict[str, State]) -> None:
    """Counts the rows of the datasets' fact tables, those that are there."""
    for state in states.values():
        table = state.dataset.fact_table
        if re.fullmatch(r"\w+", table):
            try:
                counted = queries.run(clients, f"SELECT COUNT(*) FROM {SCHEMA}.{table}")  # noqa: S608
            except queries.SqlError:
                continue
            state.rows = int(counted.rows[0][0] or 0)


def _left_out(clients: Clients, states: dict[str, State]) -> None:
    """Counts the rows of loaded files that were left out."""
    try:
        counted = queries.run(
            clients,
            f"SELECT dataset, COUNT(*) FROM {SCHEMA}.rejected_rows GROUP BY dataset",  # noqa: S608
        )
    except queries.SqlError:
        return
    for dataset, rows in counted.rows:
        if state := states.get(str(dataset)):
            state.left_out = int(rows or 0)
