"""A file is what its content is: more lines, a fixed file, one that is replaced while it is being loaded."""

import time

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import Project

FILES = dict(DataSet(songs=3, users=4, days=3, events=90, seed=12).files())
FIRST, SECOND, THIRD = sorted(key for key in FILES if key.startswith("log_data/"))
SONGS = {key: content for key, content in FILES.items() if key.startswith("song_data/")}


def plays_by_load(warehouse: Project) -> dict[str, int]:
    rows = warehouse.query("SELECT load_id, COUNT(*) FROM sparkify.songplays GROUP BY load_id")
    return {str(load): int(plays) for load, plays in rows}


def test_more_lines_add_the_new_events_and_a_mended_file_loads_by_itself(
    warehouse: Project,
) -> None:
    lines = FILES[FIRST].splitlines()
    half = b"\n".join(lines[: len(lines) // 2])
    broken = FILES[SECOND].replace(b'"page"', b'page"', 1)
    before = warehouse.put({FIRST: half, SECOND: broken, **SONGS})
    warehouse.settle()
    assert {row[0] for key, row in warehouse.ledger().items() if key == SECOND} == {"rejected"}
    early = plays_by_load(warehouse)
    after = warehouse.put({FIRST: FILES[FIRST], SECOND: FILES[SECOND]})
    warehouse.settle()
    both = {FIRST: FILES[FIRST], SECOND: FILES[SECOND]}
    assert not oracle.diff(oracle.tables(both | SONGS), warehouse.star())
    late = plays_by_load(warehouse)
    (added,) = late.keys() - early.keys()
    assert late == {**early, added: len(oracle.tables(both)["songplays"]) - sum(early.values())}
    ledger = {(key, etag): status for key, etag, status in warehouse.ledger_rows()}
    assert ledger[SECOND, before[SECOND]] == "closed"
    assert {ledger[key, after[key]] for key in both} == {"loaded"}


def test_an_object_that_is_replaced_before_copy_reads_it_is_recorded_as_what_was_read(
    warehouse: Project,
) -> None:
    copies = sum("COPY sparkify_loader.event_stage_" in sql for sql in warehouse.statements())
    warehouse.fault(kind="delay", sql="COPY sparkify_loader.event_stage_", seconds=4)
    planned = warehouse.put({THIRD: FILES[FIRST]})
    while sum("COPY sparkify_loader.event_stage_" in s for s in warehouse.statements()) == copies:
        time.sleep(0.1)
    read = warehouse.put({THIRD: FILES[THIRD]})
    assert planned != read
    warehouse.settle()
    assert warehouse.ledger_rows() == [(THIRD, read[THIRD], "loaded")]
    assert not oracle.diff(oracle.tables({THIRD: FILES[THIRD]}), warehouse.star())
