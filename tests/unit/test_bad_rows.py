"""Bad rows that are left out: COPY's report on them, whose file they are, and each file's limit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loader import bad_rows, batches, sql
from loader.bad_rows import Judged, Staged
from loader.batches import Batch
from loader.dataapi import DataApi
from loader.datasets import Dataset
from loader.misfits import Found
from loader.rules import Limit
from loader.settings import settings
from loader.store import DataFile, Store

from tests.unit import contracted
from tests.unit.fakes import FakeDataApi, Reply, failed
from tests.unit.loads import load

GOOD = {"order_id": "o1", "updated_at": "2026-11-28T07:00:15Z"}
UNFIT = {**GOOD, "total": 1.234}
TABLE = "orders_stage_1"
NO_ERRORS = Reply(rows={1: [(None, None, None, None, None, 0)]})  # of rows_refused.sql


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    text = f"{contracted.ORDERS}bad_rows: {{row: {{max: 2}}}}\n"
    yield contracted.made("orders", text, tmp_path, monkeypatch)
    sql.read.cache_clear()


@pytest.fixture(autouse=True)
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bad_rows, "polls", lambda seconds: iter(range(3)))


def put(s3: Any, *bodies: list[Any]) -> Batch:
    """A batch of a file of each: records, or texts."""
    files = []
    for number, records in enumerate(bodies):
        key = f"orders/{number}.jsonl"
        body = "".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in records).encode()
        etag = s3.put_object(Bucket="data", Key=key, Body=body)["ETag"].strip('"')
        files.append(DataFile("data", key, etag, len(body)))
    return Batch("0", "orders", tuple(files))


def error(file: DataFile, line: int, errors: int) -> tuple[Any, ...]:
    """A row of rows_refused.sql."""
    return (batches.reported_name(file), line, "since", 1207, "Invalid digit", errors)


def judged(
    store: Store,
    data_api: FakeDataApi,
    dataset: Dataset,
    batch: Batch,
    staged: Staged,
    *replies: Reply,
) -> Judged:
    data_api.replies = list(replies)
    return bad_rows.judge(DataApi(settings()), store, load(), batch, dataset, staged)


def lines(batch: Batch, *counts: int) -> dict[str, int]:
    return {file.key: count for file, count in zip(batch.files, counts, strict=True)}


def test_a_copy_without_errors_says_so(
    store: Store, data_api: FakeDataApi, s3: Any, orders: Dataset
) -> None:
    batch = put(s3, [GOOD, GOOD])
    staged = Staged(TABLE, 2, lines(batch, 2), 0)
    assert judged(store, data_api, orders, batch, staged, NO_ERRORS) == Judged()
    assert len(data_api.submits) == 1


def test_as_many_rows_as_lines_do_not_say_that_none_is_refused(
    store: Store, data_api: FakeDataApi, s3: Any, orders: Dataset
) -> None:
    """Two records are on a line, and a third is bad."""
    batch = put(s3, [json.dumps(GOOD) * 2, "{}"])
    reply = Reply(rows={1: [error(batch.files[0], 2, 1)]})
    found = judged(store, data_api, orders, batch, Staged(TABLE, 2, lines(batch, 2), 0), reply)
    assert (found.refused, found.cause, len(found.rows)) == (1, "", 1)


def test_the_report_is_awaited_until_all_rows_are_accounted_for(
    store: Store, data_api: FakeDataApi, s3: Any, orders: Dataset
) -> None:
    batch = put(s3, [GOOD, "{}", "{}"])
    [file] = batch.files
    late = Reply(rows={1: [(None, None, None, None, None, 2)]})
    half = Reply(rows={1: [error(file, 2, 2)]})
    whole = Reply(rows={1: [error(file, 2, 2), error(file, 3, 2)]})
    staged = Staged(TABLE, 1, lines(batch, 3), 0)
    found = judged(store, data_api, orders, batch, staged, late, half, whole)
    assert (found.refused, found.cause, found.over) == (2, "", [])
    assert [
        (row["line"], row["column_name"], row["code"], row["raw_record"]) for row in found.rows
    ] == [(2, "since", 1207, "{}"), (3, "since", 1207, "{}")]
    found = judged(
        store, data_api, orders, batch, Staged("t2", 1, lines(batch, 3), 0), late, half, half
    )
    assert "1 rows are loaded and 1 reported as refused, of 3" in found.cause
    found = judged(store, data_api, orders, batch, Staged("t3", 1, {}, 0), *[Reply(rows={})] * 3)
    assert "of an unknown number that it has read" in found.cause


def test_one_query_that_fails_is_asked_again(
    store: Store, data_api: FakeDataApi, s3: Any, orders: Dataset
) -> None:
    batch = put(s3, [GOOD, "{}"])
    replies = failed(1, "ERROR: an error"), Reply(rows={1: [error(batch.files[0], 2, 1)]})
    found = judged(store, data_api, orders, batch, Staged(TABLE, 1, lines(batch, 2), 0), *replies)
    assert (found.refused, found.cause) == (1, "")


def test_errors_of_a_file_that_is_not_in_the_batch_account_for_nothing(
    store: Store, data_api: FakeDataApi, s3: Any, orders: Dataset
) -> None:
    batch = put(s3, [GOOD, "{}"])
    other = DataFile("data", "orders/other.jsonl", "e", 1)
    reply = Reply(rows={1: [error(other, 2, 1)]})
    found = judged(
        store, data_api, orders, batch, Staged(TABLE, 1, lines(batch, 2), 0), *[reply] * 3
    )
    assert found.cause


def test_if_lines_are_not_records_the_loader_counts_them(
    store: Store, data_api: FakeDataApi, s3: Any, orders: Dataset
) -> None:
    batch = put(s3, [json.dumps(GOOD, indent=1), "{}"])
    reply = Reply(rows={1: [error(batch.files[0], 5, 1)]})
    found = judged(store, data_api, orders, batch, Staged(TABLE, 1, lines(batch, 5), 0), reply)
    assert (found.refused, found.cause) == (1, "")


def test_unfit_rows_and_refused_ones_count_together(
    store: Store, data_api: FakeDataApi, s3: Any, orders: Dataset
) -> None:
    batch = put(s3, [GOOD, UNFIT], [UNFIT, GOOD, UNFIT, "{}"])
    reply = Reply(rows={1: [error(batch.files[1], 4, 1)]})
    staged = Staged(TABLE, 5, lines(batch, 2, 4), 3, ("total",))
    found = judged(store, data_api, orders, batch, staged, reply)
    [over] = found.over
    assert (over.file, over.line, over.column) == (batch.files[1], 1, "total")
    assert over.reason == (
        "3 of 4 rows are bad, and bad_rows allows 2 of this file. The first: total: 1.234 is not a decimal(6,2)"
    )
    assert [row["line"] for row in found.rows] == [2]


@pytest.mark.parametrize("unfit", [1, 3])
def test_redshifts_count_of_a_single_file_counts(
    store: Store, data_api: FakeDataApi, s3: Any, orders: Dataset, unfit: int
) -> None:
    """The loader finds two. Of several files it is not known which have the others."""
    batch = put(s3, [UNFIT, UNFIT, GOOD, GOOD])
    staged = Staged(TABLE, 4, lines(batch, 4), unfit, ("total", "day?"))
    found = judged(store, data_api, orders, batch, staged, NO_ERRORS)
    if unfit == 3:
        assert "3 of 4 rows are bad" in found.over[0].reason
    else:
        assert [row["line"] for row in found.rows] == [1]
    two = put(s3, [UNFIT], [UNFIT])
    staged = Staged("t2", 2, lines(two, 1, 1), unfit, ("total",))
    assert judged(store, data_api, orders, two, staged, NO_ERRORS) == Judged(divide=True)


def test_a_row_whose_line_is_not_found_says_the_columns(orders: Dataset) -> None:
    found = Found()
    bad_rows._correct(found, Staged(TABLE, 1, {}, 1, ("total", "day?")))
    [row] = found.kept
    assert row.line is None
    assert row.reason == (
        "Values do not fit, or are missing, in one of these columns: total, day. The loader did not find the line."
    )


@pytest.mark.parametrize(
    ("most", "percent", "records", "limit"),
    [(2, None, 9, 2), (None, 25, 7, 1), (None, 25, 8, 2), (1, 25, 8, 1), (9, 25, 8, 2), (0, None, 8, 0),
     (None, 0, 8, 0)],
)  # fmt: skip
def test_a_files_limit(most: int | None, percent: float | None, records: int, limit: int) -> None:
    assert Limit(most, percent).of(records) == limit


def test_what_publish_and_the_report_need(store: Store, orders: Dataset) -> None:
    row = {"key": "k", "line": 1, "column_name": None, "code": 1, "reason": "r", "raw_record": "x"}
    bad_rows.write(store, load(), Batch("0", "orders", ()), Judged(rows=[row] * 12))
    folder = f"loads/{load()['load_id']}"
    assert len(list(store.get_lines(f"{folder}/rejected_rows/0.json"))) == 12
    first = store.get(f"{folder}/bad_rows/0.json")
    assert first == [{name: row[name] for name in row if name != "raw_record"}] * 10
