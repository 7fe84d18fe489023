"""A data set of any size in the format of the real files; the same seed gives the same data.

    generate(Path("build/data"), songs=150, users=120, days=14, events=6000, seed=1)

writes it to a folder. To use it without writing to disk:

    for key, body in DataSet(events=1_000_000, days=30).files(): ...

Memory does not grow with the number of events: it is about 1 KB per user, 0.4 KB per song, and in
`files` the current file (`parts` makes files smaller).
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from local.generator.events import Simulation, day_weights, quotas
from local.generator.songs import MAX_SONGS, Play, song_files, unknown_plays

DEFAULT_SONGS = 150
DEFAULT_USERS = 120
DEFAULT_DAYS = 14
DEFAULT_EVENTS = 6_000
DEFAULT_SEED = 1
DEFAULT_START = date(2018, 11, 1)
DEFAULT_FIRST_SESSION = 1

Progress = Callable[[str, int, int], None]
"""Called from time to time with what is being generated ("songs", "events"), how many are done, and the
total; a last time for each when all are done."""

_CHUNK = 2_000  # log lines held and written at a time
_UNKNOWN_SONGS = 5_000  # at most, of songs without a file


@dataclass(frozen=True)
class Summary:
    """What was written."""

    songs: int
    log_files: int
    events: int
    plays: int  # NextSong events
    bytes: int


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """The description of a data set; equal descriptions give equal files, byte for byte.

    songs: files under song_data/, one song each
    users: users in the logs (some play nothing if there are few events)
    days: consecutive days of logs, each with at least one event
    events: log lines over all days, exactly
    seed: any whole number
    start: the first day
    first_session: the number of the first session
    parts: log files per day; if more than one, they are named …-events-0001.json and so on
    """

    songs: int = DEFAULT_SONGS
    users: int = DEFAULT_USERS
    days: int = DEFAULT_DAYS
    events: int = DEFAULT_EVENTS
    seed: int = DEFAULT_SEED
    start: date = DEFAULT_START
    first_session: int = DEFAULT_FIRST_SESSION
    parts: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError, with the option and its allowed values, for an impossible data set."""
        for option in ("songs", "users", "days", "parts"):
            if getattr(self, option) < 1:
                raise ValueError(f"{option} must be at least 1, not {getattr(self, option)}")
        if self.songs > MAX_SONGS:
            raise ValueError(f"songs must be at most {MAX_SONGS}, not {self.songs}")
        if self.first_session < 0:
            raise ValueError(f"first_session must not be negative, as {self.first_session} is")
        if self.start.year < 1971:
            raise ValueError(f"start must be in 1971 or later, not {self.start}")
        if self.days > (date.max - self.start).days:
            raise ValueError(f"{self.days} days from {self.start} go beyond the year 9999")
        if self.events < self.days * self.parts:
            raise ValueError(
                f"events must be at least {self.days * self.parts}, one for each log file "
                f"({self.days} days with {self.parts} files a day), not {self.events}"
            )

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield (key, content) of all files: songs, then logs, each in the order of their keys."""
        yield from self.song_files()
        yield from self.log_files()

    def song_files(self) -> Iterator[tuple[str, bytes]]:
        """Yield (key, content) of the files under song_data/."""
        for song in song_files(self.seed, self.songs):
            yield song.key, song.body

    def log_files(self) -> Iterator[tuple[str, bytes]]:
        """Yield (key, content) of the files under log_data/, in order of time."""
        for key, chunks in self._logs(self._simulation()):
            yield key, b"".join(chunks)

    def log_keys(self) -> Iterator[str]:
        """Yield the keys of the files under log_data/, without generating the files."""
        for day in range(self.days):
            for part in range(self.parts):
                yield self._log_key(day, part)

    def write(self, out: Path, progress: Progress | None = None) -> Summary:
        """Write the files below `out`, which may exist; the same data set may be written again.

        Raises FileExistsError if `out` holds song_data or log_data of another data set: the two
        would be mixed, and nothing is ever deleted here.
        """
        report = progress or _silent
        self._refuse_strangers(out)
        plays: list[Play] = []
        size = 0
        for song in song_files(self.seed, self.songs):
            size += _write(out / song.key, iter((song.body,)))
            plays.append(song.play)
            if len(plays) % 500 == 0:
                report("songs", len(plays), self.songs)
        report("songs", self.songs, self.songs)

        simulation = self._simulation(plays)
        done = 0

        def counted(chunks: Iterator[bytes]) -> Iterator[bytes]:
            nonlocal done
            for chunk in chunks:
                yield chunk
                done = min(done + _CHUNK, self.events)
                report("events", done, self.events)

        for key, chunks in self._logs(simulation):
            size += _write(out / key, counted(chunks))
        report("events", self.events, self.events)
        return Summary(self.songs, self.days * self.parts, self.events, simulation.plays, size)

    def _simulation(self, known: list[Play] | None = None) -> Simulation:
        if known is None:
            known = [song.play for song in song_files(self.seed, self.songs)]
        unknown = unknown_plays(self.seed, min(2 * self.songs + 16, _UNKNOWN_SONGS), known)
        return Simulation(
            self.seed,
            users=self.users,
            start=self.start,
            first_session=self.first_session,
            known=known,
            unknown=unknown,
        )

    def _logs(self, simulation: Simulation) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield each log file's key and its content in pieces, which must be consumed in order."""
        spare = self.events - self.days * self.parts
        for day, share in enumerate(quotas(spare, day_weights(self.start, self.days))):
            events = share + self.parts
            lines = simulation.day(events)
            for part, count in enumerate(quotas(events, [1] * self.parts)):
                yield self._log_key(day, part), _chunks(islice(lines, count))
            next(lines, None)  # runs to its end, where the day is closed

    def _log_key(self, day: int, part: int) -> str:
        when = self.start + timedelta(days=day)
        number = f"-{part + 1:04}" if self.parts > 1 else ""
        return f"log_data/{when:%Y/%m}/{when.isoformat()}-events{number}.json"

    def _refuse_strangers(self, out: Path) -> None:
        found = {
            path.relative_to(out).as_posix()
            for top in ("song_data", "log_data")
            for path in (out / top).rglob("*")
            if not path.is_dir()
        }
        if found:
            found.difference_update(self.log_keys())
            found.difference_update(key for key, _ in self.song_files())
        if found:
            raise FileExistsError(
                errno.EEXIST,
                f"{os.strerror(errno.EEXIST)}: {len(found)} files that are not of this data set, "
                f"the first is {min(found)}. Name an empty folder, or delete song_data and "
                "log_data in this one",
                str(out),
            )


def generate(
    out: Path,
    *,
    songs: int = DEFAULT_SONGS,
    users: int = DEFAULT_USERS,
    days: int = DEFAULT_DAYS,
    events: int = DEFAULT_EVENTS,
    seed: int = DEFAULT_SEED,
    start: date = DEFAULT_START,
    first_session: int = DEFAULT_FIRST_SESSION,
    parts: int = 1,
    progress: Progress | None = None,
) -> Summary:
    """Write a data set below `out`; see DataSet for the options and DataSet.write for errors."""
    data = DataSet(
        songs=songs,
        users=users,
        days=days,
        events=events,
        seed=seed,
        start=start,
        first_session=first_session,
        parts=parts,
    )
    return data.write(out, progress)


def _chunks(lines: Iterator[str]) -> Iterator[bytes]:
    """Yield the lines' bytes, a newline between any two and none at the end."""
    newline = ""
    while chunk := list(islice(lines, _CHUNK)):
        yield (newline + "\n".join(chunk)).encode("ascii")
        newline = "\n"


def _write(path: Path, chunks: Iterator[bytes]) -> int:
    """Write a file and return its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        return sum(file.write(chunk) for chunk in chunks)


def _silent(what: str, done: int, total: int) -> None:
    """Progress that is not shown."""
