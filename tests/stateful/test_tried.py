"""What users tried and found right, or wrong in the local AWS only: it stays so."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from moto.s3.models import s3_backends

from tests.stateful.worlds import new_world
from tests.world.files import Event, Song
from tests.world.simulator import World
from tests.world.template import ACCOUNT

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("tried"),
]

ODD = [
    "a blank",
    " blanks at the ends ",
    "50%",
    "%2Fencoded%20",
    "a#b",
    "a?b",
    "a&b",
    "a=b",
    "a+b",
    "it's",
    'a "quote"',
    "a*b",
    "[a]",
    "<a>",
    "a\\b",
    "${schema}",
    "a;--",
    "emoji \N{MUSICAL NOTE}",
    unicodedata.normalize("NFC", "Bj\N{LATIN SMALL LETTER O WITH DIAERESIS}rk"),
    unicodedata.normalize("NFD", "Bj\N{LATIN SMALL LETTER O WITH DIAERESIS}rk"),
    "a//b",
    "a./b..",
    "dt=2018-11-12/hour=00/a",
    "a\tb",
    "a\rb",
    "a\nb",
    "a\n",
    "a\x01b",
    "a\x7fb",
    "\N{RIGHT-TO-LEFT OVERRIDE}a\N{NO-BREAK SPACE}b",
]
LONGEST = 1024
"""Bytes of a key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

GREEK = "\N{GREEK SMALL LETTER OMEGA}"
MANY = 3000
TITLE = 1024
"""Bytes of songs.title."""


def lines(*records: Any) -> bytes:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def song(number: int, **changed: Any) -> dict[str, Any]:
    made = Song(id=f"SOX{number}", title=f"Title {number}", artist_id=f"ARX{number}").record()
    return {**made, **changed}


def event(item: int, **changed: Any) -> dict[str, Any]:
    return {**Event(user=7, session=70, item=item, at=item * 1000).record(), **changed}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """All of these files are uploaded, each with its event, and loaded together."""
    with new_world() as made:
        for key, body in FILES.items():
            made.upload(key, body)
        made.work()
        yield made


def odd_keys() -> list[str]:
    keys = [f"log_data/odd/{name}.json" for name in ODD]
    longest = "log_data/odd/" + "long/" * 40
    longest += GREEK * ((LONGEST - len(longest) - len(".json")) // 2)
    return [*keys, longest + "x" * (LONGEST - len(f"{longest}.json".encode())) + ".json"]


def in_other_case(record: dict[str, Any]) -> dict[str, Any]:
    return {name.upper(): value for name, value in record.items()}


FILES = {
    **{key: lines(event(number)) for number, key in enumerate(odd_keys())},
    "song_data/two/good.json": lines(song(1), song(2)),
    "song_data/two/array.json": lines([song(3), song(4)]),
    "song_data/greek/600.json": lines(song(5, title=GREEK * 600)),
    "song_data/greek/512.json": lines(song(6, title=GREEK * 512)),
    "song_data/greek/blanks.json": lines(song(7, title=GREEK * 500 + " " * 100)),
    "song_data/case/upper.json": lines(in_other_case(song(8))),
    "log_data/case/upper.json": lines(in_other_case(event(900))),
    "log_data/pages/home.json": lines(
        {**Event(user=None, session=71, page="Home", title=None).record(), "userId": ""},
        {**Event(user=None, session=71, item=1, page="Login", title=None).record(), "userId": ""},
        event(901, page="NextSong"),
    ),
}


def asked(world: World, sql: str) -> list[tuple[Any, ...]]:
    (rows,) = world.warehouse.query(sql)
    return [tuple(row) for row in rows]


def ledger(world: World, beginning: str) -> dict[str, tuple[str, str]]:
    """Key -> status and reason of the files whose key begins so."""
    rows = asked(world, "SELECT key, status, reason FROM sparkify.file_status")
    return {
        key: (status, reason or "") for key, status, reason in rows if key.startswith(beginning)
    }


def test_every_odd_key_loads_its_row(world: World) -> None:
    keys = odd_keys()
    assert len(keys[-1].encode()) == LONGEST
    found = ledger(world, "log_data/odd/")
    assert {key: status for key, (status, _) in found.items()} == dict.fromkeys(keys, "loaded")
    plays = asked(
        world,
        "SELECT item_in_session FROM sparkify.songplays WHERE session_id = 70 AND item_in_session < 900",
    )
    assert sorted(plays) == [(number,) for number in range(len(keys))]
    execution = world.start(
        {"dry_run": True, "prefixes": ["log_data/odd/"]}
    )  # the keys as S3 lists them
    world.work()
    files = execution.report["files"]
    assert (files["listed"], files["known"]) == (len(keys), len(keys))


def test_songs_in_an_array_are_rejected_and_those_beside_them_load(world: World) -> None:
    found = ledger(world, "song_data/two/")
    assert found["song_data/two/good.json"][0] == "loaded"
    status, reason = found["song_data/two/array.json"]
    assert status == "rejected"
    assert reason
    ids = asked(
        world,
        "SELECT song_id FROM sparkify.songs WHERE song_id IN ('SOX1', 'SOX2', 'SOX3', 'SOX4')",
    )
    assert sorted(ids) == [("SOX1",), ("SOX2",)]


def test_a_text_is_as_long_as_its_bytes_and_only_blanks_are_cut(world: World) -> None:
    found = ledger(world, "song_data/greek/")
    assert found["song_data/greek/600.json"][0] == "rejected"
    assert "length" in found["song_data/greek/600.json"][1]
    titles = dict(
        asked(world, "SELECT song_id, title FROM sparkify.songs WHERE song_id LIKE 'SOX%'")
    )
    assert "SOX5" not in titles
    assert titles["SOX6"] == GREEK * 512
    assert titles["SOX7"] == GREEK * 500 + " " * (TITLE - 1000)


def test_keys_in_another_case_are_rejected_and_not_loaded_as_nulls(world: World) -> None:
    for key, (status, reason) in ledger(world, "").items():
        if "/case/" in key:
            assert status == "rejected"
            assert reason
    assert len(ledger(world, "song_data/case/") | ledger(world, "log_data/case/")) == 2
    nulls = "SELECT COUNT(*) FROM sparkify.{} WHERE {} IS NULL"
    assert asked(world, nulls.format("songs", "title")) == [(0,)]
    assert asked(world, nulls.format("songplays", "session_id")) == [(0,)]


def test_pages_without_a_user_do_not_reject_the_play_beside_them(world: World) -> None:
    assert ledger(world, "log_data/pages/")["log_data/pages/home.json"][0] == "loaded"
    plays = asked(
        world, "SELECT session_id, user_id FROM sparkify.songplays WHERE item_in_session = 901"
    )
    assert plays == [(70, 7)]
    assert asked(world, "SELECT COUNT(*) FROM sparkify.songplays WHERE session_id = 71") == [(0,)]


def test_three_thousand_files_without_events_are_loaded_by_an_execution(world: World) -> None:
    put = s3_backends[ACCOUNT]["aws"].put_object  # as a request does, and ten times as fast
    for number in range(MANY):
        put(world.stack.data_bucket, f"song_data/many/{number}.json", lines(song(1000 + number)))
    execution = world.start({})
    world.work()
    assert execution.report["files"]["loaded"] == MANY
    assert {status for status, _ in ledger(world, "song_data/many/").values()} == {"loaded"}
    assert asked(world, "SELECT COUNT(*) FROM sparkify.songs WHERE song_id LIKE 'SOX____%'") == [
        (MANY,)
    ]
