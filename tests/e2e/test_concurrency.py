"""Thirty files at once, a load each, which a person starts, while somebody reads. From events only some run at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import Project

FILES = dict(DataSet(songs=10, users=6, days=20, events=200, seed=14).files())
LONGEST_LOAD_SECONDS = 200
LOCK_HELD_SECONDS = 6
LONGEST_READ_SECONDS = LOCK_HELD_SECONDS - 1


class Reader:
    """Reads the star schema again and again; each read is one statement, so one state of the warehouse."""

    def __init__(self, warehouse: Project) -> None:
        self.seen: list[dict[str, tuple[int, ...]]] = []
        self.longest = 0.0
        self._stop = threading.Event()
        self._warehouse = warehouse
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.wait(0.2):
            begun = time.monotonic()
            self.seen.append(by_load(self._warehouse))
            self.longest = max(self.longest, time.monotonic() - begun)


def by_load(warehouse: Project) -> dict[str, tuple[int, ...]]:
    """Load -> its plays, files in the ledger, and plays whose user or time is not in the dimensions."""
    rows = warehouse.query(
        "SELECT l.load_id, COUNT(p.songplay_id), MAX(f.files),"
        " SUM(CASE WHEN p.songplay_id IS NOT NULL AND (u.user_id IS NULL OR t.start_time IS NULL)"
        " THEN 1 ELSE 0 END)"
        " FROM sparkify.loads AS l"
        " LEFT JOIN sparkify.songplays AS p ON p.load_id = l.load_id"
        " LEFT JOIN sparkify.users AS u ON u.user_id = p.user_id"
        " LEFT JOIN sparkify.time AS t ON t.start_time = p.start_time"
        " LEFT JOIN (SELECT load_id, COUNT(*) AS files FROM sparkify.files GROUP BY load_id) AS f"
        " ON f.load_id = l.load_id"
        " GROUP BY l.load_id"
    )
    return {str(row[0]): tuple(int(value) for value in row[1:]) for row in rows}


def test_thirty_loads_at_once_and_a_reader(warehouse: Project) -> None:
    assert len(FILES) == 30
    before = {execution["executionArn"] for execution in warehouse.executions()}
    # One of them stands still in the middle of its publish transaction.
    warehouse.fault(kind="delay", sql="INSERT INTO sparkify.songplays", seconds=LOCK_HELD_SECONDS)
    with warehouse.no_events():
        etags = warehouse.put(FILES)
    with Reader(warehouse) as reader:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: warehouse.begin({"keys": [key]}), FILES))
        warehouse.settle(LONGEST_LOAD_SECONDS)
    loads = [e for e in warehouse.executions() if e["executionArn"] not in before]
    assert len(loads) == len(FILES)
    assert {load["status"] for load in loads} == {"SUCCEEDED"}
    seconds = [(load["stopDate"] - load["startDate"]).total_seconds() for load in loads]
    assert max(seconds) < LONGEST_LOAD_SECONDS
    assert warehouse.ledger_rows() == sorted((key, etag, "loaded") for key, etag in etags.items())
    assert not oracle.diff(oracle.tables(FILES), warehouse.star())
    final = by_load(warehouse)
    assert len(final) == len(FILES)
    assert all(files == 1 and unknown == 0 for _, files, unknown in final.values())
    for seen in reader.seen:
        assert seen.items() <= final.items(), "half a load was seen"
    assert len({len(seen) for seen in reader.seen}) > 3  # it did read while they were loaded
    assert reader.longest < LONGEST_READ_SECONDS  # nobody who reads waits for one who publishes
