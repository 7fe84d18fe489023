"""What loads notice of their files: keys that no column takes, columns that became empty. It is told once, and changes
nothing that is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stateful.worlds import new_world
from tests.world.executions import Execution
from tests.world.files import DAY, Event, Song
from tests.world.simulator import World, load_id_of

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

EVENTS = [Event(user=7, session=70, item=n, at=DAY + n).record() for n in range(60)]


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as found:
        yield found


def lines(records: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


def load(world: World, **files: list[dict[str, Any]]) -> Execution:
    """Uploads log files of these names together; the execution that loaded them."""
    for name, records in files.items():
        world.upload(f"log_data/{name}.json", lines(records))
    world.work()
    execution = world.executions.all[-1]
    assert execution.status == "SUCCEEDED", execution.report
    return execution


def later(records: list[dict[str, Any]], sessions: int, **changes: Any) -> list[dict[str, Any]]:
    """The events of other sessions, changed; a change to ... takes the key away."""
    found = [
        {**record, "sessionId": record["sessionId"] + sessions, **changes} for record in records
    ]
    return [{k: v for k, v in record.items() if v is not ...} for record in found]


def told(world: World, word: str) -> list[tuple[str, str]]:
    return [message for message in world.told if word in message[1]]


def test_a_key_that_no_column_takes_is_told_once_and_noted(world: World) -> None:
    first = load(world, a=later(EVENTS, 1, device={"os": "x"}), b=later(EVENTS, 2))
    sample = first.report["sample"]
    assert (sample["files"], sample["of"], sample["new_keys"]) == (2, 2, 1)
    assert sample["keys"] == [
        {"dataset": "log_data", "path": "device", "file": "log_data/a.json", "new": True}
    ]
    [(subject, text)] = told(world, "device")
    assert "1 new key that no column takes" in subject
    assert "log_data: device, first in log_data/a.json" in text
    assert "2 of 2 files were sampled" in text
    again = load(world, c=later(EVENTS, 3, device=None))
    assert [key["new"] for key in again.report["sample"]["keys"]] == [False]
    assert len(told(world, "device")) == 1
    asked = "SELECT dataset, path, first_key, first_load_id FROM sparkify.unknown_keys"
    assert world.warehouse.query(asked) == [
        [("log_data", "device", "log_data/a.json", load_id_of(first))]
    ]
    count = "SELECT COUNT(*) FROM sparkify.key_sightings"
    assert world.warehouse.query(count) == [[(1,)]]  # within a day it is not noted again
    ((plays,),) = world.warehouse.query("SELECT COUNT(*) FROM sparkify.songplays WHERE user_id = 7")
    assert plays == (180,)


def test_a_songs_key_is_compared_as_auto_does(world: World) -> None:
    """In the same case; and a key's text is data, whatever stands in it."""
    hostile = "x'; DROP TABLE y;--${schema}:p"
    record = Song(id="SO7").record() | {"Title": "t", hostile: 1, "é\n\ud800": {"a": {"b": 1}}}
    world.upload("song_data/s.json", lines([record]))
    world.work()
    report = world.executions.all[-1].report
    assert report["status"] == "loaded"
    paths = ["Title", f'["{hostile}"]', '["\\u00e9\\n\\ud800"]']
    assert sorted(key["path"] for key in report["sample"]["keys"]) == sorted(paths)
    (rows,) = world.warehouse.query("SELECT path FROM sparkify.unknown_keys")
    assert sorted(path for (path,) in rows) == sorted(paths)
    world.upload("song_data/t.json", lines([Song(id="SO8").record() | {hostile: 1}]))
    world.work()
    assert world.executions.all[-1].report["sample"]["new_keys"] == 0


def test_a_renamed_key_leaves_its_column_empty_and_is_told_once(world: World) -> None:
    load(world, a=EVENTS)
    renamed = load(world, b=later(EVENTS, 1, registration=..., registeredAt=1.0))
    sample = renamed.report["sample"]
    assert [(one["column"], one["rows"]) for one in sample["empty_columns"]] == [
        ("registration", 60)
    ]
    assert sample["empty_columns"][0]["filled_before"] == 1
    assert [key["path"] for key in sample["keys"]] == ["registeredAt"]
    [(subject, _text)] = told(world, "registration, 60 rows")
    assert "1 new key" in subject
    assert "1 column that is empty" in subject
    load(world, c=later(EVENTS, 2, registration=...))
    assert len(told(world, "registration, 60 rows")) == 1
    load(world, d=later(EVENTS, 3))
    load(world, e=later(EVENTS, 4, registration=...))
    assert len(told(world, "registration, 60 rows")) == 2  # it was filled again in between


def test_what_chance_may_do_is_not_told(world: World) -> None:
    """A column that is filled in half of the rows may be empty in ten; in all files of the load it must be."""
    half = [{**e, "location": "x" if n % 2 else None} for n, e in enumerate(EVENTS)]
    load(world, a=half)
    few = load(world, b=later(EVENTS[:10], 1, location=None))
    assert few.report["sample"]["empty_columns"] == []
    one_of_two = load(world, c=later(EVENTS, 2, location=None), d=later(EVENTS, 3))
    assert one_of_two.report["sample"]["empty_columns"] == []
    many = load(world, e=later(EVENTS, 4, location=None))
    assert [one["column"] for one in many.report["sample"]["empty_columns"]] == ["location"]


def test_a_sample_that_cannot_be_read_fails_and_delays_nothing(world: World) -> None:
    world.boundary.storm(
        "failing",
        lambda call: call.place.operation == "s3.GetObject" and "/log_data/" in call.resource,
    )
    execution = load(world, a=later(EVENTS, 1, device=1))
    assert execution.report["files"]["loaded"] == 1
    assert execution.report["sample"]["files"] == 0
    assert execution.report["sample"]["of"] == 1
    assert world.told == []
    (rows,) = world.warehouse.query(
        "SELECT filled FROM sparkify.column_figures WHERE column_name = 'level'"
        f" AND load_id = '{load_id_of(execution)}'"
    )
    assert rows == [(60,)]


def test_times_in_seconds_are_asked_about(world: World) -> None:
    """They would be plays of January 1970. A clock that is wrong on another page is nobody's play."""
    seconds = later(EVENTS[:2], 1, ts=1541106060)
    home = later(EVENTS[:1], 2, ts=1541106060, page="Home")
    execution = load(world, a=seconds, b=later(EVENTS[:2], 3), c=home)
    assert execution.report["files"] | {"listed": 3} == {
        "listed": 3,
        "known": 0,
        "loaded": 2,
        "rejected": 1,
        "unreadable": 0,
        "waiting": 0,
        "failed": 0,
    }
    [reject] = execution.report["rejected"]
    assert reject["key"] == "log_data/a.json"
    assert "play_time_plausible" in reject["reason"]
