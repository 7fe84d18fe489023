"""Song files, and the songs that people play.

`song_files` yields one JSON file per song. `unknown_plays` returns songs without a file, some of
them nearly the same as one with a file: only the exact title, artist name and duration match.
"""

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from local.generator import names

SONGS_PER_FOLDER = 50
MAX_SONGS = SONGS_PER_FOLDER * 26**3

_UNITS = 100_000  # durations, latitudes and longitudes have five decimals, as the real ones
_RECENT_ARTISTS = 40  # an artist gets further songs only while recent: memory stays bounded
_TWIN_EVERY = 20  # one song in so many has a twin: equal title, artist name and duration


class Play(NamedTuple):
    """A song as a log line carries it: JSON texts, ready to be written."""

    artist: str
    title: str
    length: str  # seconds, the very digits of the song file's duration
    milliseconds: int  # how long it plays: whole seconds, as in the real logs


class SongFile(NamedTuple):
    """One file of song_data and how a play of it looks in the logs."""

    key: str
    body: bytes
    play: Play


class _Artist(NamedTuple):
    artist_id: str
    name: str
    location: str | None
    latitude: float | None
    longitude: float | None


class _Song(NamedTuple):
    artist: _Artist
    title: str
    duration: float  # seconds


def log_text(text: str) -> str:
    """`text` as JSON as the real logs write it: ASCII, with a backslash before every slash."""
    return json.dumps(text).replace("/", "\\/")


def song_files(seed: int, count: int) -> Iterator[SongFile]:
    """Yield `count` song files in the order of their keys, holding none of them."""
    rnd = Random(f"{seed}/songs")  # noqa: S311  (data, not secrets)
    recent: list[_Artist] = []
    song: _Song | None = None
    for number in range(count):
        place = number % _TWIN_EVERY
        if place == 8 and song is not None:
            song = _twin(rnd, song, number)
        else:
            song = _new_song(rnd, number, recent)
        # The file of the smaller song_id comes later in the listing for every other pair of
        # twins, so that "the first one met" and "the smallest" are different songs.
        later_is_smaller = number // _TWIN_EVERY % 2 == 0
        first = {7: "Z" if later_is_smaller else "A", 8: "A" if later_is_smaller else "Z"}
        song_id = "SO" + _code(rnd, number, first.get(place))
        yield SongFile(_key(number), _body(rnd, song, song_id), _play(song))


def unknown_plays(seed: int, count: int, known: Sequence[Play]) -> list[Play]:
    """`count` songs that match no file: new ones, and near misses of those in `known`."""
    rnd = Random(f"{seed}/unknown")  # noqa: S311
    plays = []
    for number in range(count):
        kind = number % 8
        if kind > 2 or not known:
            plays.append(_play(_new_song(rnd, number, [])))
            continue
        near = names.pick(rnd, known)
        artist, title = json.loads(near.artist), json.loads(near.title)
        length = float(near.length)
        if kind == 0:
            artist = names.artist_variant(rnd, artist)
        elif kind == 1:
            length = round(length + 0.00001 * (1 + int(rnd.random() * 90_000)), 5)
        elif names.mojibake(artist + title) != artist + title:
            artist, title = names.mojibake(artist), names.mojibake(title)
        else:
            title += " (Bonus)"
        plays.append(_as_play(artist, title, length))
    return plays


def _new_song(rnd: Random, number: int, recent: list[_Artist]) -> _Song:
    """A song by one of the `recent` artists, or by a new one, who becomes the most recent."""
    if recent and number % 10 != 3 and rnd.random() < 0.3:
        artist = _other_record(rnd, names.pick(rnd, recent))
    else:
        artist = _new_artist(rnd, number, names.artist(rnd, number))
        recent.append(artist)
        del recent[:-_RECENT_ARTISTS]
    duration = int((60 + 360 * rnd.random()) * _UNITS) / _UNITS
    return _Song(artist, names.title(rnd, number), duration)


def _new_artist(rnd: Random, number: int, name: str) -> _Artist:
    located = rnd.random() < 0.45
    return _Artist(
        artist_id="AR" + _code(rnd, number),
        name=name,
        location=_location(rnd),
        latitude=int((rnd.random() * 180 - 90) * _UNITS) / _UNITS if located else None,
        longitude=int((rnd.random() * 360 - 180) * _UNITS) / _UNITS if located else None,
    )


def _other_record(rnd: Random, artist: _Artist) -> _Artist:
    """The same artist as another song file describes it: name, place, position may differ."""
    if rnd.random() < 0.4:
        artist = artist._replace(name=names.artist_variant(rnd, artist.name))
    if rnd.random() < 0.4:
        artist = artist._replace(location=_location(rnd), latitude=None, longitude=None)
    return artist


def _twin(rnd: Random, song: _Song, number: int) -> _Song:
    """Another song that plays cannot distinguish from `song`; every other time by another artist."""
    if number // _TWIN_EVERY % 2:
        return song._replace(artist=_new_artist(rnd, number, song.artist.name))
    return song


def _location(rnd: Random) -> str | None:
    """A place, "" (a third) or null (a quarter)."""
    chance = rnd.random()
    if chance < 0.33:
        return ""
    return None if chance < 0.58 else names.pick(rnd, names.ARTIST_LOCATIONS)


def _code(rnd: Random, number: int, first: str | None = None) -> str:
    """Sixteen characters in the style of the Million Song Dataset, unique by `number`."""
    letters = "".join(chr(65 + int(rnd.random() * 26)) for _ in range(5))
    return f"{first or letters[0]}{letters[1:]}12A{int(rnd.random() * 4096):03X}{number:05X}"


def _key(number: int) -> str:
    """song_data/A/B/C/TRABC….json, ascending with `number`."""
    folder, place = divmod(number, SONGS_PER_FOLDER)
    letters = "".join(chr(65 + folder // 26**power % 26) for power in (2, 1, 0))
    name = f"TR{letters}{chr(65 + place // 26)}{chr(65 + place % 26)}128F{number:07X}"
    return f"song_data/{'/'.join(letters)}/{name}.json"


def _body(rnd: Random, song: _Song, song_id: str) -> bytes:
    """The file: one object in json.dumps's own spacing, ASCII, without a newline at its end."""
    known_year = rnd.random() < 0.4
    return json.dumps(
        {
            "num_songs": 1,
            "artist_id": song.artist.artist_id,
            "artist_latitude": song.artist.latitude,
            "artist_longitude": song.artist.longitude,
            "artist_location": song.artist.location,
            "artist_name": song.artist.name,
            "song_id": song_id,
            "title": song.title,
            "duration": song.duration,
            "year": 1956 + int(rnd.random() * 55) if known_year else 0,
        }
    ).encode("ascii")


def _play(song: _Song) -> Play:
    return _as_play(song.artist.name, song.title, song.duration)


def _as_play(artist: str, title: str, length: float) -> Play:
    return Play(log_text(artist), log_text(title), json.dumps(length), int(length) * 1000)
