"""What the star schema must hold for a set of files, worked out in plain Python.

    tables(files)            {"songplays": [(…), …], "users": […], "songs": […], …}
    load(files)              the same with counts: events and songs staged, plays matched
    diff(expected, actual)   "" if equal, else the first differences in words

`files` is a mapping of key to content, or a directory that holds song_data/ and log_data/; plain or
.gz. Nothing here depends on the order of the files or of the rows in them, and nothing is imported
from the product: the two know of each other only by what they say about the same files.

The rules
- A file is a series of JSON objects with nothing but white space between them, as COPY reads it:
  an object may span lines, several may share one. Absent keys are NULL. What else a file may be
  (other folders, other endings) is not read; what cannot be read raises BadFile.
- An event is (user_id, session_id, item_in_session, start_time). songplays has one row for each
  NextSong event, however many files carry it. Of records that are one event by this key and yet
  differ, each table takes the smallest by its own columns (`_play_order`, `_user_order`).
- A play matches the songs of equal title, artist name (the one in the song's own file) and
  duration; of several the smallest song_id. NULL matches nothing, and blanks at the end do not
  count, which is how Redshift compares VARCHAR ("Trailing blanks in variable-length character
  strings", https://docs.aws.amazon.com/redshift/latest/dg/r_Examples_with_character_types.html).
- A user is the newest NextSong event: by start_time, then session_id, then item_in_session.
- Of several files with the same song_id, the smallest row counts (see `_song_order`).
- An artist is the row with the smallest song_id.
- time has one row for each distinct start_time of songplays.
- userId "" is NULL, year 0 is NULL, an artist's location "" is NULL. Other strings stay as they
  are.
"""

import gzip
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

Files = Mapping[str, bytes] | Path
Row = tuple[Any, ...]
Tables = dict[str, list[Row]]

SONGPLAYS = (
    "start_time", "user_id", "level", "song_id", "artist_id", "session_id", "item_in_session",
    "location", "user_agent", "title", "artist_name", "length",
)  # fmt: skip
USERS = ("user_id", "first_name", "last_name", "gender", "level")
SONGS = ("song_id", "title", "artist_id", "year", "duration")
ARTISTS = ("artist_id", "name", "location", "latitude", "longitude")
TIME = ("start_time", "hour", "day", "week", "month", "year", "weekday")

COLUMNS: dict[str, tuple[str, ...]] = {
    "songplays": SONGPLAYS,
    "users": USERS,
    "songs": SONGS,
    "artists": ARTISTS,
    "time": TIME,
}
"""Each table's columns in the order of its rows, without surrogate keys and load ids."""

KEYS: dict[str, tuple[str, ...]] = {
    "songplays": ("user_id", "session_id", "item_in_session", "start_time"),
    "users": ("user_id",),
    "songs": ("song_id",),
    "artists": ("artist_id",),
    "time": ("start_time",),
}
"""What tells a table's rows apart."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (TIMESTAMP has no zone; it is UTC)
_DECODER = json.JSONDecoder(parse_constant=lambda name: _not_json(name))
_WHITE = re.compile(r"[ \t\r\n]*")
_SUFFIXES = (".json", ".json.gz")


class BadFile(ValueError):
    """A file that COPY would not take: the message has its key, the line and the reason."""

    def __init__(self, key: str, line: int, reason: str) -> None:
        super().__init__(f"{key}, line {line}: {reason}")
        self.key = key
        self.line = line
        self.reason = reason


class AmbiguousEvents(ValueError):
    """Two NextSong events with an equal key differ: no order of arrival could be the right one."""


@dataclass(frozen=True)
class Counts:
    """Rows as they are staged, duplicates included, and plays (rows of songplays) with a song."""

    events: int = 0
    next_songs: int = 0
    songs: int = 0
    matched: int = 0


@dataclass(frozen=True)
class Star:
    """The star schema of a set of files."""

    tables: Tables
    counts: Counts


class _Event(NamedTuple):
    user_id: int | None
    session_id: int
    item_in_session: int
    start_time: datetime
    level: str | None
    first_name: str | None
    last_name: str | None
    gender: str | None
    location: str | None
    user_agent: str | None
    title: str | None
    artist_name: str | None
    length: float | None


class _Song(NamedTuple):
    song_id: str
    title: str | None
    artist_id: str
    artist_name: str | None
    duration: float | None
    year: int | None
    artist_location: str | None
    latitude: float | None
    longitude: float | None


def tables(files: Files, **options: Any) -> Tables:
    """The rows of every table by its name, sorted; columns as in COLUMNS. Options as for `load`."""
    return load(files, **options).tables


def load(
    files: Files,
    *,
    songs_prefix: str = "song_data/",
    events_prefix: str = "log_data/",
    ambiguous: Literal["raise", "smallest"] = "smallest",
) -> Star:
    """The star schema of `files`.

    With ambiguous="raise", events that differ under one key raise AmbiguousEvents instead of the
    smallest being taken.
    """
    songs: dict[str, _Song] = {}
    plays: dict[Row, _Event] = {}
    people: dict[Row, _Event] = {}
    song_rows = event_rows = next_songs = 0
    for key, content in _contents(files, (songs_prefix, events_prefix)):
        if key.startswith(songs_prefix):
            for line, record in _objects(key, content):
                song_rows += 1
                _keep_song(songs, _song(_Fields(key, line, record)))
        else:
            for line, record in _objects(key, content):
                event_rows += 1
                fields = _Fields(key, line, record)
                if fields.text("page") == "NextSong":
                    next_songs += 1
                    _keep_play(plays, people, _event(fields), ambiguous)
    songplays = _songplays(list(plays.values()), list(songs.values()))
    star = {
        "songplays": songplays,
        "users": _users(list(people.values())),
        "songs": [(s.song_id, s.title, s.artist_id, s.year, s.duration) for s in songs.values()],
        "artists": _artists(list(songs.values())),
        "time": [_time(start) for start in {play.start_time for play in plays.values()}],
    }
    matched = sum(row[SONGPLAYS.index("song_id")] is not None for row in songplays)
    return Star(
        {name: sorted(rows, key=_order) for name, rows in star.items()},
        Counts(events=event_rows, next_songs=next_songs, songs=song_rows, matched=matched),
    )


def diff(expected: Tables, actual: Mapping[str, list[Row]], limit: int = 5) -> str:
    """Say how `actual` differs from `expected`, rows in any order: "" if it does not.

    For each table the first `limit` rows that are missing, unexpected, or different in the columns
    that are named; values are compared with ==.
    """
    found = [f"no such table expected: {name}" for name in actual if name not in expected]
    for name, rows in expected.items():
        if name in actual:
            found += _table_diff(name, rows, actual[name], limit)
        else:
            found.append(f"{name}: the table is absent")
    return "\n".join(found)


# Reading files


def _contents(files: Files, prefixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield (key, content) of each file that the loader would take, unzipped."""
    if isinstance(files, Path):
        # A path, not its content, is held for each file: a directory may be large.
        named = ((p.relative_to(files).as_posix(), p) for p in files.rglob("*") if p.is_file())
        contents = ((k, p.read_bytes()) for k, p in named if _wanted(k, prefixes))
    else:
        contents = ((k, content) for k, content in files.items() if _wanted(k, prefixes))
    for key, content in contents:
        if key.endswith(".gz"):
            try:
                yield key, gzip.decompress(content)
            except (OSError, EOFError, zlib.error) as error:
                raise BadFile(key, 0, f"not a whole gzip file: {error}") from error
        else:
            yield key, content


def _wanted(key: str, prefixes: tuple[str, ...]) -> bool:
    return key.startswith(prefixes) and key.endswith(_SUFFIXES)


def _objects(key: str, content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line of its start, object) of each JSON object in a file."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadFile(key, line, f"not UTF-8: {error.reason}") from error
    line, counted = 1, 0
    position = _skip_white(text, 0)
    while position < len(text):
        line += text.count("\n", counted, position)
        counted = position
        if text[position] != "{":
            raise BadFile(key, line, f"no JSON object starts with {text[position]!r}")
        try:
            record, position = _DECODER.raw_decode(text, position)
        except ValueError as error:
            raise BadFile(key, line, f"not JSON: {error}") from error
        yield line, record
        position = _skip_white(text, position)


def _skip_white(text: str, position: int) -> int:
    """The position of the first character from `position` that is not JSON's white space."""
    match = _WHITE.match(text, position)
    return match.end() if match else position


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Fields:
    """One object's values, each as its column takes it; BadFile where the column cannot."""

    __slots__ = ("_key", "_line", "_record")

    def __init__(self, key: str, line: int, record: dict[str, Any]) -> None:
        self._key = key
        self._line = line
        self._record = record

    def text(self, name: str) -> str | None:
        value = self._record.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._bad(name, value, "a string")

    def integer(self, name: str) -> int | None:
        """A whole number, also in a string; "" is NULL."""
        value = self._record.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+", value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._bad(name, value, "a whole number")

    def number(self, name: str) -> float | None:
        """A number, also in a string; "" is NULL."""
        value = self._record.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                number = math.nan
            if math.isfinite(number):
                return number
        raise self._bad(name, value, "a number")

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise self._bad(name, value, "given")
        return value

    def required_integer(self, name: str) -> int:
        value = self.integer(name)
        if value is None:
            raise self._bad(name, value, "given")
        return value

    def required_time(self, name: str) -> datetime:
        """Milliseconds since 1970, UTC."""
        value = self.required_integer(name)
        try:
            return _EPOCH + timedelta(milliseconds=value)
        except OverflowError:
            raise self._bad(name, value, "a time before the year 10000") from None

    def _bad(self, name: str, value: object, wanted: str) -> BadFile:
        return BadFile(self._key, self._line, f"{name} must be {wanted}, not {value!r}")


def _event(fields: _Fields) -> _Event:
    return _Event(
        user_id=fields.integer("userId"),
        session_id=fields.required_integer("sessionId"),
        item_in_session=fields.required_integer("itemInSession"),
        start_time=fields.required_time("ts"),
        level=fields.text("level"),
        first_name=fields.text("firstName"),
        last_name=fields.text("lastName"),
        gender=fields.text("gender"),
        location=fields.text("location"),
        user_agent=fields.text("userAgent"),
        title=fields.text("song"),
        artist_name=fields.text("artist"),
        length=fields.number("length"),
    )


def _song(fields: _Fields) -> _Song:
    return _Song(
        song_id=fields.required_text("song_id"),
        title=fields.text("title"),
        artist_id=fields.required_text("artist_id"),
        artist_name=fields.text("artist_name"),
        duration=fields.number("duration"),
        year=fields.integer("year") or None,
        artist_location=fields.text("artist_location") or None,
        latitude=fields.number("artist_latitude"),
        longitude=fields.number("artist_longitude"),
    )


# Choosing among rows


def _keep_song(songs: dict[str, _Song], song: _Song) -> None:
    known = songs.get(song.song_id)
    if known is None or _song_order(song) < _song_order(known):
        songs[song.song_id] = song


def _song_order(song: _Song) -> Row:
    """Which of the rows of one song_id counts: the smallest by these columns in this order.

    Values are compared as they are published: year 0 and location "" are NULL, and NULL comes
    before all else.
    """
    return _order(
        (
            song.title,
            song.artist_id,
            song.artist_name,
            song.duration,
            song.year,
            song.artist_location,
            song.latitude,
            song.longitude,
        )
    )


def _keep_play(
    plays: dict[Row, _Event],
    people: dict[Row, _Event],
    event: _Event,
    ambiguous: Literal["raise", "smallest"],
) -> None:
    key = (event.user_id, event.session_id, event.item_in_session, event.start_time)
    known = plays.setdefault(key, event)
    if known != event and ambiguous == "raise":
        raise AmbiguousEvents(f"one event, two records: {known} and {event}")
    plays[key] = min(known, event, key=_play_order)
    people[key] = min(people.setdefault(key, event), event, key=_user_order)


def _play_order(event: _Event) -> Row:
    """Which of several records of one event the fact is."""
    return _order(
        (
            event.level,
            event.title,
            event.artist_name,
            event.length,
            event.location,
            event.user_agent,
        )
    )


def _user_order(event: _Event) -> Row:
    """Which of several records of one event says what its user is."""
    return _order((event.level, event.first_name, event.last_name, event.gender))


def _order(row: Row) -> Row:
    """A key that sorts rows whose values may be NULL: NULL first, strings by their UTF-8 bytes."""
    return tuple(
        (0, 0) if value is None else (1, value.encode() if isinstance(value, str) else value)
        for value in row
    )


# The tables


def _songplays(plays: list[_Event], songs: list[_Song]) -> list[Row]:
    matches: dict[Row, _Song] = {}
    for song in songs:
        if (key := _match_key(song.title, song.artist_name, song.duration)) is not None:
            known = matches.setdefault(key, song)
            matches[key] = min(known, song, key=lambda s: s.song_id.encode())
    return [_songplay(play, matches) for play in plays]


def _match_key(title: str | None, artist: str | None, seconds: float | None) -> Row | None:
    if title is None or artist is None or seconds is None:
        return None
    return title.rstrip(" "), artist.rstrip(" "), seconds


def _songplay(play: _Event, matches: dict[Row, _Song]) -> Row:
    key = _match_key(play.title, play.artist_name, play.length)
    song = matches.get(key) if key is not None else None
    return (
        play.start_time,
        play.user_id,
        play.level,
        song.song_id if song else None,
        song.artist_id if song else None,
        play.session_id,
        play.item_in_session,
        play.location,
        play.user_agent,
        play.title,
        play.artist_name,
        play.length,
    )


def _users(plays: list[_Event]) -> list[Row]:
    newest: dict[int, _Event] = {}
    for play in plays:
        if play.user_id is not None:
            known = newest.setdefault(play.user_id, play)
            newest[play.user_id] = max(
                known, play, key=lambda p: (p.start_time, p.session_id, p.item_in_session)
            )
    return [
        (user, play.first_name, play.last_name, play.gender, play.level)
        for user, play in newest.items()
    ]


def _artists(songs: list[_Song]) -> list[Row]:
    first: dict[str, _Song] = {}
    for song in songs:
        known = first.setdefault(song.artist_id, song)
        first[song.artist_id] = min(known, song, key=lambda s: s.song_id.encode())
    return [
        (artist, song.artist_name, song.artist_location, song.latitude, song.longitude)
        for artist, song in first.items()
    ]


def _time(start: datetime) -> Row:
    """One row of time: week is ISO 8601's, weekday is Redshift's dow (Sunday is 0)."""
    iso = start.isocalendar()
    return (start, start.hour, start.day, iso.week, start.month, start.year, iso.weekday % 7)


# Telling differences


def _table_diff(name: str, expected: list[Row], actual: list[Row], limit: int) -> list[str]:
    count = Counter(expected)
    count.subtract(Counter(map(tuple, actual)))
    missing = sorted((+count).elements(), key=repr)
    unexpected = sorted((-count).elements(), key=repr)
    if not missing and not unexpected:
        return []
    pairs = _same_keys(name, missing, unexpected)
    paired = {id(row) for pair in pairs for row in pair}
    told = [_change(name, want, have) for want, have in pairs[:limit]]
    for label, rows in (("missing", missing), ("unexpected", unexpected)):
        alone = [row for row in rows if id(row) not in paired]
        told += [f"{label}: {_named(COLUMNS[name], row)}" for row in alone[:limit]]
    different = len(pairs)
    head = (
        f"{name}: {len(expected)} rows expected, {len(actual)} found: {different} different, "
        f"{len(missing) - different} missing, {len(unexpected) - different} unexpected"
    )
    return [head, *(f"  {line}" for line in told)]


def _same_keys(name: str, missing: list[Row], unexpected: list[Row]) -> list[tuple[Row, Row]]:
    """The pairs of a missing and an unexpected row that have the table's key in common."""
    peers = {_key_of(name, row): row for row in unexpected}
    found = [(row, peers.pop(_key_of(name, row), None)) for row in missing]
    return [(row, peer) for row, peer in found if peer is not None]


def _key_of(name: str, row: Row) -> Row:
    return tuple(v for c, v in zip(COLUMNS[name], row, strict=False) if c in KEYS[name])


def _change(name: str, want: Row, have: Row) -> str:
    """The columns in which two rows of one key differ."""
    columns = zip_longest(COLUMNS[name], want, have, fillvalue="(no such column)")
    changes = [f"{c} is {now!r}, not {then!r}" for c, then, now in columns if then != now]
    key = [c for c in COLUMNS[name] if c in KEYS[name]]
    return f"different: {_named(tuple(key), _key_of(name, want))}: {'; '.join(changes)}"


def _named(columns: tuple[str, ...], row: Row) -> str:
    return ", ".join(f"{c}={v!r}" for c, v in zip_longest(columns, row, fillvalue="?"))
