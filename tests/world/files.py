"""Small log and song files whose keys collide: few users, sessions, items, times, titles, so that almost every file
has something to do with another one.

A ``File`` is written the way it prints, so that a failed run reads as a script.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from hypothesis import strategies as st

BEGIN = 1541980800000  # ms since 1970: 2018-11-12
DAY = 86_400_000
ROW_LIMIT = 4 * 1024 * 1024  # bytes that COPY takes in one object


class Stored(Protocol):
    """An object of the bucket; ``bad`` says why it must be rejected, '' for a good file."""

    @property
    def key(self) -> str: ...

    @property
    def body(self) -> bytes: ...

    @property
    def bad(self) -> str: ...


class _Short:
    """Prints only what differs from the defaults."""

    def __repr__(self) -> str:
        told = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if value != field.default:
                told.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(told)})"


@dataclass(frozen=True, repr=False)
class Event(_Short):
    """An event of the activity log; ``at`` in ms after BEGIN."""

    user: int | None = 1
    session: int = 1
    item: int = 0
    at: int = 0
    title: str | None = "T"
    artist: str | None = "A"
    length: float | None = 200.5
    level: str | None = "free"
    name: str | None = "Ann"
    where: str | None = "here"
    page: str = "NextSong"

    def record(self) -> dict[str, Any]:
        return {
            "artist": self.artist,
            "auth": "Logged In" if self.user else "Logged Out",
            "firstName": self.name,
            "gender": "F",
            "itemInSession": self.item,
            "lastName": "Lee",
            "length": self.length,
            "level": self.level,
            "location": self.where,
            "method": "PUT",
            "page": self.page,
            "registration": 1540344794796.0,
            "sessionId": self.session,
            "song": self.title,
            "status": 200,
            "ts": BEGIN + self.at,
            "userAgent": "Mozilla/5.0 (X11)",
            "userId": "" if self.user is None else str(self.user),
        }


@dataclass(frozen=True, repr=False)
class Song(_Short):
    """A song, with its artist as its file has it."""

    id: str = "SO1"
    title: str | None = "T"
    artist_id: str = "AR1"
    artist: str | None = "A"
    duration: float | None = 200.5
    year: int = 0
    where: str | None = ""

    def record(self) -> dict[str, Any]:
        return {
            "num_songs": 1,
            "artist_id": self.artist_id,
            "artist_latitude": None,
            "artist_longitude": None,
            "artist_location": self.where,
            "artist_name": self.artist,
            "song_id": self.id,
            "title": self.title,
            "duration": self.duration,
            "year": self.year,
        }


Record = Event | Song

# How the objects of a file stand in it: what stands between them, and at the end.
LAYOUTS = {
    "lines": ("\n", ""),
    "newline at the end": ("\n", "\n"),
    "one line": (" ", ""),
    "nothing between": ("", ""),
    "Windows lines": ("\r\n\r\n", "\r\n"),
}


@dataclass(frozen=True)
class File:
    """A file of the dataset that its key says, plain or zipped. ``bad``: its kind of BAD, '' for a good file."""

    key: str
    records: tuple[Record, ...] = ()
    layout: str = "lines"
    bad: str = ""

    def __repr__(self) -> str:
        more = "".join(
            f", {name}={value!r}"
            for name, value, usual in (("layout", self.layout, "lines"), ("bad", self.bad, ""))
            if value != usual
        )
        return f"File({self.key!r}, {self.records!r}{more})"

    @property
    def is_log(self) -> bool:
        return self.key.startswith("log_data/")

    @property
    def body(self) -> bytes:
        if self.bad:
            kind = BAD[self.bad]
            return kind.make([record.record() for record in self.records], self.key)
        return _zipped(self.key, self._text())

    def _text(self) -> bytes:
        between, end = LAYOUTS[self.layout]
        texts = [
            json.dumps(record.record(), ensure_ascii=False, indent=1 if n % 3 == 2 else None)
            for n, record in enumerate(self.records)
        ]
        return (between.join(texts) + (end if texts else "")).encode()


def _zipped(key: str, text: bytes) -> bytes:
    return gzip.compress(text, mtime=0) if key.endswith(".gz") else text


# -- bad files -------------------------------------------------------------------------------


Records = list[dict[str, Any]]


@dataclass(frozen=True)
class Bad:
    """A kind of bad file. ``make`` takes at least one record of the right dataset, and the key.

    takes   which files can be bad in this way: "log", "song" or "" for both, and whether zipped (None: both)
    """

    make: Callable[[Records, str], bytes]
    dataset: str = ""
    zipped: bool | None = None

    def takes(self, key: str) -> bool:
        return key.startswith(self.dataset) and self.zipped in (None, key.endswith(".gz"))


def _lines(records: Records, key: str) -> bytes:
    return _zipped(key, "\n".join(json.dumps(r, ensure_ascii=False) for r in records).encode())


def _changed(**values: Any) -> Callable[[Records, str], bytes]:
    """The last record with other values; a value of ... takes the field away."""

    def make(records: Records, key: str) -> bytes:
        last = {**records[-1], **values}
        last = {name: value for name, value in last.items() if value is not ...}
        return _lines([*records[:-1], last], key)

    return make


def _text(change: Callable[[bytes], bytes]) -> Callable[[Records, str], bytes]:
    def make(records: Records, key: str) -> bytes:
        return _zipped(key, change(_lines(records, "")))

    return make


BAD: Mapping[str, Bad] = {
    "cut off": Bad(_text(lambda text: text[:-9])),
    "not JSON": Bad(_text(lambda _: b"<html>Not found</html>\n")),
    "commas between": Bad(_text(lambda text: text + b",\n" + text)),
    "not UTF-8": Bad(_text(lambda text: text.replace(b'"A', b'"\xff\xfe', 1) + b"\xff")),
    "text for a number": Bad(_changed(sessionId="none"), "log_data/"),
    "text for a duration": Bad(_changed(duration="long"), "song_data/"),
    "no time": Bad(_changed(ts="yesterday"), "log_data/"),
    "number too large": Bad(_changed(itemInSession=2**40), "log_data/"),
    "year too large": Bad(_changed(year=2**40), "song_data/"),
    "too long": Bad(_changed(level="x" * 17), "log_data/"),
    "too long in bytes": Bad(_changed(song="é" * 513), "log_data/"),
    "id too long": Bad(_changed(artist_id="A" * 65), "song_data/"),
    "NUL": Bad(_changed(artist_name="A\0B", artist="A\0B")),
    "over 4 MB": Bad(_changed(userAgent="x" * (ROW_LIMIT + 1)), "log_data/"),
    "half a zip": Bad(lambda records, key: _lines(records, key)[:-12], zipped=True),
    "not zipped": Bad(lambda records, key: _lines(records, ""), zipped=True),
    # A check on what was staged judges these.
    "no user": Bad(_changed(userId="", page="NextSong"), "log_data/"),
    "no page": Bad(_changed(page=...), "log_data/"),
    "no song id": Bad(_changed(song_id=...), "song_data/"),
    "no artist id": Bad(_changed(artist_id=None), "song_data/"),
    "a song for an event": Bad(
        lambda records, key: _lines([Song().record() for _ in records], key), "log_data/"
    ),
    "an event for a song": Bad(
        lambda records, key: _lines([Event().record() for _ in records], key), "song_data/"
    ),
}

# -- strategies ------------------------------------------------------------------------------

LOG_KEYS = (
    "log_data/a.json",
    "log_data/b.json",
    "log_data/2018/11/c 'd' \"é\"+%20;--.json",
    "log_data/z.json.gz",
)
SONG_KEYS = ("song_data/A/a.json", "song_data/B/ü $1.json", "song_data/z.json.gz")
# Events of these files say what their keys say, and no other file has them: to load them again changes nothing.
QUIET_KEYS = ("log_data/quiet/a.json", "log_data/quiet/b.json")
OTHER_KEYS = ("log_data/2018/", "log_data/notes.txt", "elsewhere/a.json")


def weighted(*choices: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """One of several strategies, each so often (one_of takes a strategy once, however often it is given)."""
    places = [place for place, (weight, _) in enumerate(choices) for _ in range(weight)]
    return st.sampled_from(places).flatmap(lambda place: choices[place][1])


titles = st.sampled_from(["T", "T ", "Ü", "", None])
artists = st.sampled_from(["A", "A  ", "a", None])
lengths = st.sampled_from([200.5, 180.0, None])

plays = st.builds(
    Event,
    user=st.integers(1, 2),
    session=st.sampled_from([1, 1, 1, 2]),
    item=st.integers(0, 1),
    at=st.sampled_from([0, 0, DAY]),
    title=titles,
    artist=artists,
    length=lengths,
    level=st.sampled_from(["free", "paid"]),
    name=st.sampled_from(["Ann", "Bo", None]),
    where=st.sampled_from(["here", "", None]),
)
others = st.builds(
    Event,
    user=st.sampled_from([None, 1, 9]),
    item=st.integers(0, 1),
    title=st.none(),
    artist=st.none(),
    length=st.none(),
    page=st.sampled_from(["Home", "Logout"]),
)
events = weighted((5, plays), (1, others))
songs = st.builds(
    Song,
    id=st.sampled_from(["SO1", "SO2", "SO3"]),
    title=titles,
    artist_id=st.sampled_from(["AR1", "AR2"]),
    artist=artists,
    duration=lengths,
    year=st.sampled_from([0, 1999]),
    where=st.sampled_from(["", "here", None]),
)


def _quiet(user: int, item: int, at: int) -> Event:
    return Event(user=user, item=item, at=at, level="paid" if item else "free", title="Q")


quiet = st.builds(_quiet, st.integers(7, 8), st.integers(0, 2), st.sampled_from([0, DAY]))
layouts = st.sampled_from(sorted(LAYOUTS))

good_logs = st.builds(
    File, st.sampled_from(LOG_KEYS), st.lists(events, max_size=4).map(tuple), layouts
)
good_songs = st.builds(
    File, st.sampled_from(SONG_KEYS), st.lists(songs, max_size=2).map(tuple), layouts
)
quiet_logs = st.builds(
    File, st.sampled_from(QUIET_KEYS), st.lists(quiet, min_size=1, max_size=4).map(tuple)
)


@st.composite
def bad_files(draw: st.DrawFn) -> File:
    key = draw(st.sampled_from([*LOG_KEYS, *SONG_KEYS]))
    kind = draw(st.sampled_from([name for name, bad in BAD.items() if bad.takes(key)]))
    of_its_kind: st.SearchStrategy[Any] = plays if key.startswith("log_data/") else songs
    records: list[Record] = draw(st.lists(of_its_kind, min_size=1, max_size=3))
    return File(key, tuple(records), bad=kind)


no_data = st.builds(File, st.sampled_from(OTHER_KEYS))
any_files = weighted((5, good_logs), (3, good_songs), (2, bad_files()))
