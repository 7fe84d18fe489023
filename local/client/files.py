"""The files of each dataset: the ledger and the bucket compared."""

import re
from collections.abc import Iterator

from botocore.exceptions import ClientError

from local.client import queries, rights
from local.client.clients import Clients
from local.client.stack import Stack
from local.datasets import Dataset, datasets
from local.show.state import State
from local.show.tables import Result

COMPARED = 200_000
"""With more files in the ledger, these and the bucket's are not compared: the sweep does that, and reports it."""


def states(clients: Clients, stack: Stack) -> list[State]:
    """The state of each dataset, by name: what the ledger says, compared with the bucket. Raises Problem if the
    warehouse does not let it be read.
    """
    states = {each.name: State(each) for each in datasets()}
    known = _ledger(clients, stack.data_bucket, states)
    try:
        for state in states.values():
            if state.unknown:
                continue
            if known is None:
                state.not_seen = f"the ledger has more than {COMPARED:,} files"
            else:
                _bucket(clients, stack.data_bucket, state, known)
    except ClientError as error:
        right = rights.missing(error)
        if right is None:
            raise
        for state in states.values():
            for kind in ("not loaded", "not taken"):
                state.counts.pop(kind, None)
            state.not_seen, state.not_taken, state.denied = right.text, [], True
    _rows(clients, states)
    _left_out(clients, states)
    return list(states.values())


def _ledger(clients: Clients, bucket: str, states: dict[str, State]) -> set[tuple[str, str]] | None:
    """Counts what the ledger says; the files (key, ETag) that it knows, None if there are too many to compare."""
    schema, bucket = clients.warehouse.schema, queries.literal(bucket)
    known: Result | None = None
    try:
        counted = queries.run(
            clients,
            "SELECT dataset, status, COUNT(*) AS files"  # noqa: S608 - our own names
            f" FROM {schema}.file_status WHERE bucket = {bucket}"
            " GROUP BY dataset, status",
        )
        newest = queries.run(
            clients,
            "SELECT dataset, key, recorded_at FROM (SELECT dataset, key, recorded_at, ROW_NUMBER() OVER"  # noqa: S608
            " (PARTITION BY dataset ORDER BY recorded_at DESC, key DESC) AS place"
            f" FROM {schema}.file_status WHERE bucket = {bucket} AND status = 'loaded') AS ranked"
            " WHERE place = 1",
        )
        if sum(int(files or 0) for _, _, files in counted.rows) <= COMPARED:
            known = queries.run(
                clients,
                f"SELECT key, etag FROM {schema}.files WHERE bucket = {bucket}",  # noqa: S608
            )
    except queries.SqlError as error:
        if error.nothing_there:
            return set()  # no load has made the tables yet
        raise
    for dataset, status, files in counted.rows:
        name = str(dataset)
        counted_of = states.setdefault(name, State(Dataset(name, "", ()), unknown=True))
        counted_of.counts[str(status)] = int(files or 0)
    for dataset, key, at in newest.rows:
        if state := states.get(str(dataset)):
            state.newest, state.newest_at = str(key), str(at)[:16]
    return None if known is None else {(str(key), str(etag)) for key, etag in known.rows}


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
            named = f"{clients.warehouse.schema}.{table}"
            try:
                counted = queries.run(clients, f"SELECT COUNT(*) FROM {named}")  # noqa: S608
            except queries.SqlError:
                continue
            state.rows = int(counted.rows[0][0] or 0)


def _left_out(clients: Clients, states: dict[str, State]) -> None:
    """Counts the rows of loaded files that were left out."""
    try:
        counted = queries.run(
            clients,
            f"SELECT dataset, COUNT(*) FROM {clients.warehouse.schema}.rejected_rows GROUP BY dataset",  # noqa: S608
        )
    except queries.SqlError:
        return
    for dataset, rows in counted.rows:
        if state := states.get(str(dataset)):
            state.left_out = int(rows or 0)
