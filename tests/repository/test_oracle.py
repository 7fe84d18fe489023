"""The oracle on cases small enough to know the answer by hand, and on the real files."""

import ast
import gzip
import itertools
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.world import oracle
from tests.world.oracle import AmbiguousEvents, BadFile

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "sparkify"

AT = 1541980800123  # 2018-11-12, a Monday, 00:00:00.123 UTC
LOG = "log_data/2018/11/2018-11-12-events.json"
SONG = "song_data/A/B/C/TR1.json"


def event(**changes: Any) -> dict[str, Any]:
    """A NextSong event of Ada's that plays `song()`, with changes."""
    return {
        "artist": "Zoë & Co",
        "auth": "Logged In",
        "firstName": "Ada",
        "gender": "F",
        "itemInSession": 3,
        "lastName": "Eze",
        "length": 200.5,
        "level": "free",
        "location": "Reno, NV",
        "method": "PUT",
        "page": "NextSong",
        "registration": 1540000000796.0,
        "sessionId": 17,
        "song": "Rain",
        "status": 200,
        "ts": AT,
        "userAgent": "Mozilla/5.0",
        "userId": "8",
    } | changes


def song(**changes: Any) -> dict[str, Any]:
    return {
        "num_songs": 1,
        "artist_id": "AR1",
        "artist_latitude": 1.5,
        "artist_longitude": -2.5,
        "artist_location": "Oslo",
        "artist_name": "Zoë & Co",
        "song_id": "SO1",
        "title": "Rain",
        "duration": 200.5,
        "year": 1999,
    } | changes


def text(*records: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


def files(*records: dict[str, Any]) -> dict[str, bytes]:
    """Each record in a file of its own."""
    return {
        (f"song_data/{n}.json" if "song_id" in record else f"log_data/{n}.json"): text(record)
        for n, record in enumerate(records)
    }


def column(rows: list[oracle.Row], table: str, name: str) -> list[Any]:
    return [row[oracle.COLUMNS[table].index(name)] for row in rows]


def test_every_column_of_every_table() -> None:
    star = oracle.load({LOG: text(event(), event(page="Home")), SONG: text(song())})
    start = datetime(2018, 11, 12, 0, 0, 0, 123000)  # noqa: DTZ001
    assert star.tables == {
        "songplays": [
            (
                start, 8, "free", "SO1", "AR1", 17, 3, "Reno, NV", "Mozilla/5.0", "Rain",
                "Zoë & Co", 200.5,
            )
        ],
        "users": [(8, "Ada", "Eze", "F", "free")],
        "songs": [("SO1", "Rain", "AR1", 1999, 200.5)],
        "artists": [("AR1", "Zoë & Co", "Oslo", 1.5, -2.5)],
        "time": [(start, 0, 12, 46, 11, 2018, 1)],
    }  # fmt: skip
    assert star.counts == oracle.Counts(events=2, next_songs=1, songs=1, matched=1)
    assert all(len(star.tables[t][0]) == len(names) for t, names in oracle.COLUMNS.items())


def test_no_files_give_empty_tables() -> None:
    assert oracle.tables({}) == {table: [] for table in oracle.COLUMNS}
    assert oracle.tables({LOG: b"", SONG: b" \r\n\t"}) == oracle.tables({})


# Reading

PAIR = (event(), event(itemInSession=4, song='Ö 🎵 \\ "q" \'a, b'))
SHAPES = {
    "pretty printed": "\n".join(json.dumps(e, indent=4) for e in PAIR).encode(),
    "no ASCII escapes": "\n".join(json.dumps(e, ensure_ascii=False) for e in PAIR).encode(),
    "on one line": b" ".join(text(e) for e in PAIR),
    "nothing between": b"".join(text(e) for e in PAIR),
    "CRLF, empty lines": b"\r\n\r\n".join(text(e) for e in PAIR) + b"\r\n",
    "escaped slashes": text(*PAIR).replace(b"/", b"\\/"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_object_ends_where_it_ends_not_where_its_line_does(shape: str) -> None:
    assert oracle.tables({LOG: SHAPES[shape]}) == oracle.tables({LOG: text(*PAIR)})


def test_gzip_and_directory(tmp_path: Path) -> None:
    for key, body in {LOG + ".gz": gzip.compress(text(*PAIR)), SONG: text(song())}.items():
        (tmp_path / key).parent.mkdir(parents=True)
        (tmp_path / key).write_bytes(body)
    assert oracle.tables(tmp_path) == oracle.tables({LOG: text(*PAIR), SONG: text(song())})


def test_other_keys_are_not_read() -> None:
    others = {"elsewhere/x.json": b"no", "log_data/2018/": b"", "log_data/notes.txt": b"no"}
    assert oracle.tables({LOG: text(event()), **others}) == oracle.tables({LOG: text(event())})


def test_other_prefixes() -> None:
    data = {"in/e/1.json": text(event()), "in/s/1.json": text(song()), LOG: b"no"}
    star = oracle.load(data, songs_prefix="in/s/", events_prefix="in/e/")
    assert star.counts == oracle.Counts(events=1, next_songs=1, songs=1, matched=1)


BAD = {
    "a cut object": (text(event(), event())[:-3], 2, "not JSON"),
    "a comma between objects": (text(event()) + b",\n" + text(event()), 1, "starts with ','"),
    "an array": (b"[" + text(event()) + b"]", 1, "starts with '['"),
    "words": (b"\n\nhello", 3, "starts with 'h'"),
    "a byte order mark": (b"\xef\xbb\xbf" + text(event()), 1, "starts with"),
    "Latin-1": (text(event()) + b'\n{"artist": "Zo\xeb"}', 2, "not UTF-8"),
    "NaN": (b'{"ts": NaN}', 1, "NaN"),
    "a word for a number": (text(event(), event(userId="x8")), 2, "userId must be a whole number"),
    "a fraction for an id": (text(event(sessionId=1.5)), 1, "sessionId must be a whole number"),
    "a number for a text": (text(event(artist=5)), 1, "artist must be a string"),
    "no time": (text(event(ts=None)), 1, "ts must be given"),
    "a time that never comes": (text(event(ts=10**18)), 1, "ts must be a time"),
    "infinity": (text(event(length="inf")), 1, "length must be a number"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_named_with_line_and_reason(case: str) -> None:
    body, line, reason = BAD[case]
    with pytest.raises(BadFile) as caught:
        oracle.tables({"log_data/good.json": text(event()), LOG: body})
    assert (caught.value.key, caught.value.line) == (LOG, line)
    assert reason in caught.value.reason


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(text(event()))[:-10]])
def test_a_bad_gzip(body: bytes) -> None:
    with pytest.raises(BadFile, match="not a whole gzip file"):
        oracle.tables({LOG + ".gz": body})


def test_values_as_copy_takes_them() -> None:
    rows = oracle.tables(
        {
            LOG: text(event(userId="", itemInSession="4", sessionId=17.0, location="", length="")),
            SONG: text({k: v for k, v in song(year=0, artist_location="").items() if k != "title"}),
        }
    )
    assert rows["songplays"][0][1:] == (
        None, "free", None, None, 17, 4, "", "Mozilla/5.0", "Rain", "Zoë & Co", None,
    )  # fmt: skip
    assert rows["users"] == []
    assert rows["songs"] == [("SO1", None, "AR1", None, 200.5)]
    assert rows["artists"] == [("AR1", "Zoë & Co", None, 1.5, -2.5)]


# Events


def test_an_event_in_many_files_is_one_row() -> None:
    once = oracle.tables(files(event()))
    many = oracle.load({LOG: text(event(), event()), "log_data/copy.json": text(event())})
    assert many.tables == once
    assert many.counts.next_songs == 3


@pytest.mark.parametrize("part", [{"userId": "9"}, {"sessionId": 18}, {"itemInSession": 4}])
def test_each_part_of_the_key_tells_events_apart(part: dict[str, Any]) -> None:
    rows = oracle.tables(files(event(), event(**part)))
    assert len(rows["songplays"]) == 2
    assert len(rows["time"]) == 1, "two plays at one time share its row"


def test_a_session_number_that_starts_again_is_another_event() -> None:
    rows = oracle.tables(files(event(), event(ts=AT + 1)))
    assert len(rows["songplays"]) == len(rows["time"]) == 2


def test_events_that_differ_under_one_key() -> None:
    two = files(event(level="paid"), event(level="free"))
    with pytest.raises(AmbiguousEvents, match="'free'"):
        oracle.tables(two, ambiguous="raise")
    for data in (two, dict(reversed(two.items()))):
        rows = oracle.tables(data)
        assert column(rows["songplays"], "songplays", "level") == ["free"]


def test_each_table_takes_the_smallest_record_of_an_event_by_its_own_columns() -> None:
    two = files(
        event(level="paid", firstName="Ann", song="B"),
        event(level="paid", firstName="Bea", song="A"),
    )
    rows = oracle.tables(two)
    assert column(rows["songplays"], "songplays", "title") == ["A"]
    assert column(rows["users"], "users", "first_name") == ["Ann"]


def test_pages_other_than_next_song_may_share_a_key() -> None:
    rows = oracle.tables(files(event(page="Home"), event(page="Help"), event()))
    assert len(rows["songplays"]) == 1


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        (1541980800123, (0, 12, 46, 11, 2018, 1)),  # a Monday
        (1542585599999, (23, 18, 46, 11, 2018, 0)),  # the Sunday after: 0, in the same ISO week
        (1546214400000, (0, 31, 1, 12, 2018, 1)),  # 2018-12-31 is in week 1 of the next year
        (1483228800000, (0, 1, 52, 1, 2017, 0)),  # 2017-01-01 is in week 52 of the year before
    ],
)
def test_time(ts: int, expected: tuple[int, ...]) -> None:
    assert oracle.tables(files(event(ts=ts)))["time"][0][1:] == expected


# Users


@pytest.mark.parametrize(
    "newer",
    [
        {"ts": AT + 1, "sessionId": 1, "itemInSession": 0},
        {"sessionId": 100, "itemInSession": 0},  # numbers, not texts: 100 is after 17
        {"itemInSession": 20},
    ],
)
def test_a_user_is_the_newest_event(newer: dict[str, Any]) -> None:
    for records in itertools.permutations([event(), event(level="paid", lastName="Ito", **newer)]):
        assert oracle.tables(files(*records))["users"] == [(8, "Ada", "Ito", "F", "paid")]


def test_only_next_song_makes_or_changes_a_user() -> None:
    rows = oracle.tables(
        files(
            event(),
            event(page="Home", level="paid", ts=AT + 9),
            event(page="Home", userId="9", ts=AT + 9),
        )
    )
    assert rows["users"] == [(8, "Ada", "Eze", "F", "free")]


# Songs, artists and matches

MATCHES: dict[str, tuple[dict[str, Any], dict[str, Any], str | None]] = {
    "equal": ({}, {}, "SO1"),
    "another title": ({"song": "rain"}, {}, None),
    "another artist": ({"artist": "Zoe & Co"}, {}, None),
    "another length": ({"length": 200.50001}, {}, None),
    "a whole number": ({"length": 200}, {"duration": 200.0}, "SO1"),
    "no title": ({"song": None}, {"title": None}, None),
    "no artist": ({"artist": None}, {"artist_name": None}, None),
    "no length": ({"length": None}, {"duration": None}, None),
    "blanks at the end": ({"song": "Rain  "}, {"artist_name": "Zoë & Co "}, "SO1"),
    "blanks at the start": ({"song": " Rain"}, {}, None),
}


@pytest.mark.parametrize("case", MATCHES)
def test_match(case: str) -> None:
    in_event, in_song, expected = MATCHES[case]
    rows = oracle.tables(files(event(**in_event), song(**in_song)))["songplays"]
    assert column(rows, "songplays", "song_id") == [expected]
    assert column(rows, "songplays", "artist_id") == ["AR1" if expected else None]


def test_equal_songs_do_not_double_a_play() -> None:
    twins = [song(song_id="SO2", artist_id="AR0"), song(), song(song_id="SO3", artist_id="AR3")]
    for order in itertools.permutations(twins):
        rows = oracle.tables(files(event(), *order))["songplays"]
        assert column(rows, "songplays", "song_id") == ["SO1"]
        assert column(rows, "songplays", "artist_id") == ["AR1"]


def test_a_match_asks_for_the_name_in_the_songs_own_file() -> None:
    # AR1 is called "Zoë & Co" in its first song and "Zoë" in its second.
    second = song(song_id="SO2", title="Snow", artist_name="Zoë")
    plays = event(artist="Zoë", song="Snow"), event(song="Snow", ts=AT + 1)
    rows = oracle.tables(files(song(), second, *plays))
    assert column(rows["songplays"], "songplays", "song_id") == ["SO2", None]
    assert column(rows["artists"], "artists", "name") == ["Zoë & Co"]


def test_an_artist_is_the_row_of_the_smallest_song_id() -> None:
    bare = song(artist_location="", artist_latitude=None, artist_longitude=None, artist_name="Zoë")
    records = [song(song_id="SO2"), bare, song(song_id="SO10")]
    for order in itertools.permutations(records):
        rows = oracle.tables(files(*order))
        assert rows["artists"] == [("AR1", "Zoë", None, None, None)]


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ({"title": None}, {"title": ""}),
        ({"title": "Z"}, {"title": "a"}),
        ({"title": "\uffff"}, {"title": "🎵"}),  # by UTF-8 bytes (by UTF-16 it would be reversed)
        ({"duration": 9.5}, {"duration": 10.5}),
        ({"title": "A", "artist_id": "AR9"}, {"title": "B", "artist_id": "AR1"}),
        ({"artist_id": "AR1", "duration": 9}, {"artist_id": "AR2", "duration": 8}),
        ({"artist_name": "A", "duration": 9}, {"artist_name": "B", "duration": 8}),
        ({"year": 0, "artist_location": "A"}, {"year": None, "artist_location": "B"}),
        ({"artist_location": ""}, {"artist_location": "A"}),
        ({"artist_latitude": -1, "artist_longitude": 9}, {"artist_latitude": 1}),
    ],
)
def test_two_files_of_one_song(smaller: dict[str, Any], larger: dict[str, Any]) -> None:
    expected = oracle.tables(files(song(**smaller)))
    for order in itertools.permutations([song(**smaller), song(**larger)]):
        assert oracle.tables(files(*order)) == expected


def test_the_artist_comes_from_the_row_that_counts() -> None:
    records = [song(title="B", artist_name="Wrong"), song(title="A", artist_name="Right")]
    for order in itertools.permutations(records):
        rows = oracle.tables(files(*order))
        assert rows["artists"] == [("AR1", "Right", "Oslo", 1.5, -2.5)]


def test_every_order_of_arrival_gives_the_same_tables() -> None:
    data = {
        "log_data/1.json": text(event(), event(itemInSession=4, level="paid", ts=AT + 5)),
        "log_data/2.json": text(event(userId="9", song="Snow"), event()),  # of a late song, again
        "song_data/1.json": text(song(song_id="SO2", artist_name="Zoë", title="Snow")),
        "song_data/2.json": text(song(song_id="SO3")),
        "song_data/3.json": text(song(song_id="SO1", artist_location=None)),
    }
    orders = itertools.permutations(data.items())
    results = [oracle.load(dict(order)) for order in orders]
    assert len(results) == 120
    assert all(result == results[0] for result in results)


# Differences


def test_diff_says_nothing_of_equal_tables() -> None:
    rows = oracle.tables(files(event(), event(itemInSession=4), song()))
    assert oracle.diff(rows, {name: list(reversed(table)) for name, table in rows.items()}) == ""


def test_diff_names_the_columns_that_differ() -> None:
    expected = oracle.tables(files(event(), song()))
    actual = oracle.tables(files(event(level="paid"), song(song_id="SO2")))
    del actual["time"]
    assert oracle.diff(expected, actual).splitlines() == [
        "songplays: 1 rows expected, 1 found: 1 different, 0 missing, 0 unexpected",
        (
            "  different: start_time=datetime.datetime(2018, 11, 12, 0, 0, 0, 123000), user_id=8, "
            "session_id=17, item_in_session=3: level is 'paid', not 'free'; "
            "song_id is 'SO2', not 'SO1'"
        ),
        "users: 1 rows expected, 1 found: 1 different, 0 missing, 0 unexpected",
        "  different: user_id=8: level is 'paid', not 'free'",
        "songs: 1 rows expected, 1 found: 0 different, 1 missing, 1 unexpected",
        "  missing: song_id='SO1', title='Rain', artist_id='AR1', year=1999, duration=200.5",
        "  unexpected: song_id='SO2', title='Rain', artist_id='AR1', year=1999, duration=200.5",
        "time: the table is absent",
    ]


def test_diff_finds_a_doubled_row_and_a_row_of_another_width() -> None:
    expected = oracle.tables(files(event()))
    doubled = {**expected, "users": expected["users"] * 2}
    assert "0 different, 0 missing, 1 unexpected" in oracle.diff(expected, doubled)
    wider = {**expected, "users": [(*row, 1) for row in expected["users"]]}
    assert "(no such column) is 1" in oracle.diff(expected, wider)


def test_diff_is_short_however_much_differs() -> None:
    expected = oracle.tables(files(*(event(userId=str(n)) for n in range(300))))
    actual = oracle.tables(files(*(event(userId=str(n), level="paid") for n in range(300))))
    assert len(oracle.diff(expected, actual, limit=3).splitlines()) == 2 * (1 + 3)


# The module itself, and the real files


def test_the_oracle_imports_no_product_code() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text(encoding="utf-8"))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names <= sys.stdlib_module_names


@pytest.mark.skipif(not REAL.is_dir(), reason="no ../shared/data/sparkify beside the repository")
def test_the_real_files() -> None:
    star = oracle.load(REAL)
    assert star.counts == oracle.Counts(events=1882, next_songs=1594, songs=71, matched=0)
    rows = {name: len(table) for name, table in star.tables.items()}
    assert rows == {"songplays": 1594, "users": 75, "songs": 71, "artists": 69, "time": 1594}
    assert column(star.tables["users"], "users", "level").count("paid") == 15
