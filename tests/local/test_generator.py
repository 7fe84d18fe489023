"""The generator: the real format's traits, the same bytes for the same seed, bounded memory."""

import hashlib
import json
import re
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local import generator
from local.generator import DataSet, generate
from tests.world import oracle

DAY = 86_400_000  # milliseconds
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "sparkify"
real = pytest.mark.skipif(not REAL.is_dir(), reason="no ../shared/data/sparkify beside this")

SMALL = DataSet(songs=30, users=10, days=3, events=300, seed=7)
SMALL_SHA256 = "bcb688fd2043f5063919f72cd811adab599fd3b0f6dc34defe100525c09fffdb"

# The pages of the real logs: auth, page, method, status.
PAGES = {
    ("Logged In", "About", "GET", 200),
    ("Logged In", "Downgrade", "GET", 200),
    ("Logged In", "Error", "GET", 404),
    ("Logged In", "Help", "GET", 200),
    ("Logged In", "Home", "GET", 200),
    ("Logged In", "Logout", "PUT", 307),
    ("Logged In", "NextSong", "PUT", 200),
    ("Logged In", "Save Settings", "PUT", 307),
    ("Logged In", "Settings", "GET", 200),
    ("Logged In", "Submit Downgrade", "PUT", 307),
    ("Logged In", "Submit Upgrade", "PUT", 307),
    ("Logged In", "Upgrade", "GET", 200),
    ("Logged Out", "About", "GET", 200),
    ("Logged Out", "Help", "GET", 200),
    ("Logged Out", "Home", "GET", 200),
    ("Logged Out", "Login", "PUT", 307),
}
EVENT_FIELDS = [
    "artist", "auth", "firstName", "gender", "itemInSession", "lastName", "length", "level",
    "location", "method", "page", "registration", "sessionId", "song", "status", "ts",
    "userAgent", "userId",
]  # fmt: skip
SONG_FIELDS = [
    "num_songs", "artist_id", "artist_latitude", "artist_longitude", "artist_location",
    "artist_name", "song_id", "title", "duration", "year",
]  # fmt: skip


def sha256(files: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for key, body in files:
        digest.update(f"{key}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()


@cache
def default_files(seed: int = generator.DEFAULT_SEED) -> dict[str, bytes]:
    return dict(DataSet(seed=seed).files())


def lines(files: dict[str, bytes]) -> list[str]:
    logs = (body for key, body in files.items() if key.startswith("log_data/"))
    return [line for body in logs for line in body.decode().split("\n")]


@cache
def default_events(seed: int = generator.DEFAULT_SEED) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(default_files(seed))]


@cache
def default_songs(seed: int = generator.DEFAULT_SEED) -> list[dict[str, Any]]:
    files = default_files(seed)
    return [json.loads(files[key]) for key in sorted(files) if key.startswith("song_data/")]


def plays(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["page"] == "NextSong"]


def played(record: dict[str, Any]) -> tuple[str, str, float]:
    """What a play and a song are matched on, of either."""
    if "song" in record:
        return record["song"], record["artist"], record["length"]
    return record["title"], record["artist_name"], record["duration"]


# Same seed, same bytes


def test_the_bytes_of_a_seed_are_pinned() -> None:
    """They are the same on every machine and Python; a change of them is a new data set."""
    assert sha256(SMALL.files()) == SMALL_SHA256


def test_songs_and_users_do_not_depend_on_the_number_of_events() -> None:
    more = DataSet(songs=30, users=10, days=3, events=900, seed=7)
    assert list(more.song_files()) == list(SMALL.song_files())


def test_another_seed_gives_another_data_set_with_the_same_log_keys() -> None:
    other = DataSet(songs=30, users=10, days=3, events=300, seed=8)
    assert [key for key, _ in other.log_files()] == [key for key, _ in SMALL.log_files()]
    assert not {b for _, b in other.files()} & {b for _, b in SMALL.files()}


def test_what_is_written_is_what_is_yielded(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    summary = generate(
        tmp_path, songs=30, users=10, days=3, events=300, seed=7, progress=lambda *x: told.append(x)
    )
    expected = dict(SMALL.files())
    written = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert written == expected
    assert summary == generator.Summary(
        songs=30,
        log_files=3,
        events=300,
        plays=len(plays([json.loads(line) for line in lines(expected)])),
        bytes=sum(map(len, expected.values())),
    )
    assert {("songs", 30, 30), ("events", 300, 300)} <= set(told)
    assert all(done <= total for _, done, total in told)


def test_writing_again_is_fine_but_mixing_is_refused(tmp_path: Path) -> None:
    SMALL.write(tmp_path)
    first = sha256((str(p), p.read_bytes()) for p in sorted(tmp_path.rglob("*.json")))
    SMALL.write(tmp_path)
    assert sha256((str(p), p.read_bytes()) for p in sorted(tmp_path.rglob("*.json"))) == first
    with pytest.raises(FileExistsError, match=r"11-02-events\.json\. Name an empty folder"):
        DataSet(songs=30, users=10, days=1, events=300, seed=7).write(tmp_path)
    (tmp_path / "notes.txt").write_text("what lies beside the data does not matter")
    SMALL.write(tmp_path)


# Sizes


@pytest.mark.parametrize(
    ("songs", "users", "days", "events"),
    [(1, 1, 1, 1), (2, 1, 5, 5), (9, 3, 2, 4001), (51, 500, 40, 97), (1, 1, 1, 3000)],
)
def test_as_many_files_and_events_as_asked(songs: int, users: int, days: int, events: int) -> None:
    files = dict(DataSet(songs=songs, users=users, days=days, events=events).files())
    assert sum(key.startswith("song_data/") for key in files) == songs
    assert sum(key.startswith("log_data/") for key in files) == days
    assert len(lines(files)) == events
    assert oracle.load(files).counts.events == events


def test_parts_start_and_first_session() -> None:
    data = DataSet(
        songs=5, days=3, events=60, parts=4, start=date(2019, 12, 31), first_session=5000
    )
    logs = dict(data.log_files())
    assert list(logs) == list(data.log_keys()) == sorted(logs)
    assert list(logs)[3:5] == [
        "log_data/2019/12/2019-12-31-events-0004.json",
        "log_data/2020/01/2020-01-01-events-0001.json",
    ]
    events = [json.loads(line) for line in lines(logs)]
    assert len(events) == 60
    assert min(event["sessionId"] for event in events) == 5000
    assert sorted(events, key=lambda e: (e["ts"], e["sessionId"], e["itemInSession"])) == events
    whole = DataSet(songs=5, days=3, events=60, start=date(2019, 12, 31), first_session=5000)
    assert len(list(whole.log_files())) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"songs": 0}, "songs must be at least 1, not 0"),
        ({"users": -1}, "users must be at least 1, not -1"),
        ({"days": 0}, "days must be at least 1, not 0"),
        ({"parts": 0}, "parts must be at least 1, not 0"),
        ({"songs": 10**7}, "songs must be at most 878800, not 10000000"),
        ({"days": 7, "events": 6}, "events must be at least 7, one for each log file"),
        ({"days": 7, "events": 20, "parts": 3}, "must be at least 21, .* 3 files a day"),
        ({"days": 10**7, "events": 10**7}, "10000000 days from 2018-11-01 go beyond the year"),
        ({"first_session": -1}, "first_session must not be negative, as -1 is"),
        ({"start": date(1970, 1, 1)}, "start must be in 1971 or later, not 1970-01-01"),
    ],
)
def test_what_cannot_be_made_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataSet(**options)


def test_memory_does_not_grow_with_the_number_of_events(tmp_path: Path) -> None:
    def peak(events: int) -> int:
        data = DataSet(songs=10, users=50, days=2, events=events)
        tracemalloc.start()
        try:
            data.write(tmp_path / str(events))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(40_000) < peak(8_000) + 1_000_000  # it writes 18 MB, 9 MB of them in one file


# Format


def test_every_song_file_is_written_as_the_real_ones_are() -> None:
    for key, body in default_files().items():
        if key.startswith("song_data/"):
            record = json.loads(body)
            assert list(record) == SONG_FIELDS
            assert json.dumps(record).encode() == body, "ASCII, one line, no newline at the end"
            assert re.fullmatch(
                r"song_data/([A-Z])/([A-Z])/([A-Z])/TR\1\2\3[A-Z]{2}128F[0-9A-F]{7}\.json", key
            )
            assert re.fullmatch(r"SO[A-Z]{5}12A[0-9A-F]{8}", record["song_id"])
            assert re.fullmatch(r"AR[A-Z]{5}12A[0-9A-F]{8}", record["artist_id"])
            assert isinstance(record["duration"], float)


def test_every_log_line_is_written_as_the_real_ones_are() -> None:
    for line in lines(default_files()):
        record = json.loads(line)
        assert list(record) == EVENT_FIELDS
        assert json.dumps(record, separators=(",", ":")).replace("/", "\\/") == line


def test_keys_come_in_order_and_each_once() -> None:
    files = [key for key, _ in DataSet(songs=2700, events=14).files()]
    songs = [key for key in files if key.startswith("song_data/")]
    assert songs == sorted(set(songs))
    assert songs[-1].startswith("song_data/A/C/B/TRACB"), "54 folders"
    assert files == songs + list(DataSet().log_keys())


def test_a_file_holds_its_day_in_order() -> None:
    for key, body in default_files().items():
        if key.startswith("log_data/"):
            events = [json.loads(line) for line in body.decode().split("\n")]
            order = [(e["ts"], e["sessionId"], e["itemInSession"]) for e in events]
            assert order == sorted(order)
            days = {datetime.fromtimestamp(e["ts"] / 1000, UTC).date() for e in events}
            day = days.pop()
            assert key == f"log_data/{day:%Y/%m}/{day}-events.json"
            assert not days


# The traits of the real logs, whatever the seed

seeds = pytest.mark.parametrize("seed", [generator.DEFAULT_SEED, 2, 42])


@seeds
def test_all_pages_of_the_real_logs_and_no_others(seed: int) -> None:
    events = default_events(seed)
    counts = Counter((e["auth"], e["page"], e["method"], e["status"]) for e in events)
    assert set(counts) == PAGES
    assert 0.75 < len(plays(events)) / len(events) < 0.9, "85 % in the real logs"


@seeds
def test_a_logged_out_user_is_an_empty_string_and_nulls(seed: int) -> None:
    unknown = ("firstName", "lastName", "gender", "location", "registration", "userAgent")
    for event in default_events(seed):
        out = event["auth"] == "Logged Out"
        assert (event["userId"] == "") == out
        assert isinstance(event["userId"], str)
        assert all((event[name] is None) == out for name in unknown)
        assert event["level"] in ("free", "paid")
        assert (event["page"] == "NextSong") == (event["song"] is not None)
        assert (event["song"] is None) == (event["artist"] is None) == (event["length"] is None)


@seeds
def test_sessions(seed: int) -> None:
    sessions: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for event in default_events(seed):
        sessions[event["sessionId"]].append(event)
    for events in sessions.values():
        assert [e["itemInSession"] for e in events] == list(range(len(events)))
        assert len({e["userId"] for e in events} - {""}) <= 1
        for before, after in pairwise(events):
            if (before["page"], after["page"]) == ("NextSong", "NextSong"):
                waits = after["ts"] - before["ts"]
                assert waits >= int(before["length"]) * 1000
            if before["page"] == "Logout":
                assert after["userId"] == ""
            if before["page"] == "Login":
                assert (after["userId"] != "", after["page"]) == (True, "Home")
    some = sessions.values()
    assert any(len({e["auth"] for e in s}) == 2 for s in some)
    assert any(len({e["ts"] // DAY for e in s}) == 2 for s in some), "goes on after midnight"
    assert any(a["ts"] == b["ts"] for s in some for a, b in pairwise(s))


@seeds
def test_levels_change_by_submitting_and_only_so(seed: int) -> None:
    level: dict[str, str] = {}
    changes: Counter[str] = Counter()
    for event in default_events(seed):
        user, page = event["userId"], event["page"]
        if user:
            assert event["level"] == level.setdefault(user, event["level"])
        if page in ("Submit Upgrade", "Submit Downgrade"):
            assert event["level"] == {"Submit Upgrade": "free", "Submit Downgrade": "paid"}[page]
            level[user] = {"Submit Upgrade": "paid", "Submit Downgrade": "free"}[page]
            changes[page] += 1
    assert min(changes["Submit Upgrade"], changes["Submit Downgrade"]) >= 3
    assert set(level.values()) == {"free", "paid"}


@seeds
def test_a_user_keeps_name_place_browser_and_registration(seed: int) -> None:
    fields = ("firstName", "lastName", "gender", "location", "registration", "userAgent")
    known = {tuple(e[f] for f in ("userId", *fields)) for e in default_events(seed) if e["userId"]}
    assert len(known) == len({user[0] for user in known}) > 60
    start = min(e["ts"] for e in default_events(seed))
    assert all(user[5] < start and user[5] % 1000 == 796 for user in known)


@seeds
def test_event_keys_are_unique_and_times_are_odd(seed: int) -> None:
    events = default_events(seed)
    keys = {(e["userId"], e["sessionId"], e["itemInSession"], e["ts"]) for e in events}
    assert len(keys) == len(events)
    rest = Counter(e["ts"] % 1000 for e in events)
    assert rest[796] > len(events) / 2
    assert len(rest) > 50


def test_two_plays_share_a_time() -> None:
    star = oracle.tables(default_files())
    assert len(star["time"]) < len(star["songplays"])


# Songs, and plays of them


@seeds
def test_songs_and_artists(seed: int) -> None:
    songs = default_songs(seed)
    assert len({song["song_id"] for song in songs}) == len(songs)
    by_artist: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for song in songs:
        by_artist[song["artist_id"]].append(song)
    several = [records for records in by_artist.values() if len(records) > 1]
    assert len(several) > 10
    for field in ("artist_name", "artist_location", "artist_latitude"):
        assert any(len({r[field] for r in records}) > 1 for records in several)
    # The smallest song_id is not always the first file, and then it makes a difference.
    winners = [(records[0], min(records, key=lambda r: str(r["song_id"]))) for records in several]
    assert any(first["artist_name"] != winner["artist_name"] for first, winner in winners)

    count = Counter(repr(song["artist_location"]) for song in songs)
    assert count["''"] > 20
    assert count["None"] > 20
    assert sum(song["year"] == 0 for song in songs) > 50
    assert sum(song["artist_latitude"] is None for song in songs) > 50
    assert any(song["artist_latitude"] is not None for song in songs)
    texts = "".join(song["title"] + song["artist_name"] for song in songs)
    assert set("\"\\',;øß夜🎵\x19%/") <= set(texts)
    assert any(song["title"].endswith(" ") for song in songs)


@seeds
def test_some_songs_cannot_be_told_apart_by_a_play(seed: int) -> None:
    twins: dict[tuple[str, str, float], list[dict[str, Any]]] = defaultdict(list)
    for song in default_songs(seed):
        twins[played(song)].append(song)
    pairs = [songs for songs in twins.values() if len(songs) > 1]
    assert {a["artist_id"] == b["artist_id"] for a, b in pairs} == {True, False}
    assert {a["song_id"] < b["song_id"] for a, b in pairs} == {True, False}
    heard = {played(play) for play in plays(default_events(seed))}
    assert any(played(pair[0]) in heard for pair in pairs)


@seeds
def test_some_plays_match_some_do_not_some_nearly(seed: int) -> None:
    songs = {played(song) for song in default_songs(seed)}
    heard = [played(play) for play in plays(default_events(seed))]
    matched = [play for play in heard if play in songs]
    assert 0.3 < len(matched) / len(heard) < 0.5
    assert len(set(matched)) > 100, "also of the files at the end of the listing"
    misses = set(heard) - songs
    assert {(t, a) for t, a, _ in misses} & {(t, a) for t, a, _ in songs}, "another length"
    assert {(t, d) for t, _, d in misses} & {(t, d) for t, _, d in songs}, "another artist name"
    lengths = {d for _, _, d in songs}
    assert any("Ã" in title + artist and d in lengths for title, artist, d in misses), "mojibake"
    assert any(title.endswith(" ") for title, _, _ in matched)
    star = oracle.load(default_files(seed))
    assert star.counts.matched == len(matched)


@seeds
def test_some_plays_match_under_a_name_that_is_not_the_artists_published_one(seed: int) -> None:
    star = oracle.tables(default_files(seed))
    names = {row[0]: row[1] for row in star["artists"]}
    artist, name = (oracle.SONGPLAYS.index(c) for c in ("artist_id", "artist_name"))
    assert any(row[artist] and names[row[artist]] != row[name] for row in star["songplays"])


# The real files beside the generated ones


@real
def test_the_real_logs_have_no_trait_that_is_not_here() -> None:
    theirs = [
        json.loads(line)
        for path in sorted((REAL / "log_data").rglob("*.json"))
        for line in path.read_text(encoding="utf-8").split("\n")
    ]

    def kinds(events: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
        return {(e["auth"], *((k, type(v).__name__) for k, v in e.items())) for e in events}

    assert kinds(theirs) == kinds(default_events())
    pages = {(e["auth"], e["page"], e["method"], e["status"]) for e in theirs}
    assert pages <= PAGES
    assert PAGES - pages == {("Logged In", "Submit Downgrade", "PUT", 307)}


@real
def test_the_real_songs_have_the_same_fields() -> None:
    for path in (REAL / "song_data").rglob("*.json"):
        body = path.read_bytes()
        record = json.loads(body)
        assert list(record) == SONG_FIELDS
        assert json.dumps(record).encode() == body
