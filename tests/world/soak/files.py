"""What a soak uploads: good files and bad ones, and what has become of each key.

Everything is drawn from one seeded random.Random. A version is a file's content under one key; the
ETag is S3's for an object that was put in one piece, the content's MD5.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from local.generator import DataSet

SONGS, DAYS, EVENTS, USERS = 12, 10, 160, 8
"""Of one data set; the next one, of the days after it, comes when it is used up."""
FIRST_DAY = date(2018, 11, 1)


@dataclass(frozen=True)
class Version:
    """One content of one key; ``bad`` says why the loader must reject it, "" that it must load it."""

    key: str
    content: bytes
    bad: str = ""

    @property
    def etag(self) -> str:
        """As S3 gives it."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


@dataclass
class Bucket:
    """The data bucket as it must be: the versions that are there now, and all that ever were."""

    now: dict[str, Version] = field(default_factory=dict)
    ever: dict[tuple[str, str], Version] = field(default_factory=dict)

    def put(self, version: Version) -> None:
        """A version takes its key's place."""
        self.now[version.key] = version
        self.ever[version.key, version.etag] = version

    def good(self) -> list[str]:
        """The keys of the good objects that are there, sorted."""
        return sorted(version.key for version in self.now.values() if not version.bad)

    def bad(self) -> list[str]:
        """The keys of the bad objects that are there, sorted."""
        return sorted(version.key for version in self.now.values() if version.bad)


class Files:
    """Makes versions; no two calls give the same file."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._epoch = 0
        self._logs: list[tuple[str, bytes]] = []
        self._songs: list[tuple[str, bytes]] = []
        self._whole: dict[str, bytes] = {}
        self.told_twice: set[str] = set()
        """Keys whose events or songs another file tells, too: not for a reload of single files."""
        self._number = 0

    def log(self) -> Version:
        """A new log file; of some only the first lines, of others compressed."""
        key, content = self._next("log_data/")
        if self._random.random() < 0.3:
            self._whole[key] = content
            lines = content.splitlines()
            return Version(key, b"\n".join(lines[: self._random.randint(1, len(lines))]))
        if self._random.random() < 0.2:
            return Version(f"{key}.gz", gzip.compress(content, mtime=0))
        return Version(key, content)

    def song(self) -> Version:
        """A new song file."""
        return Version(*self._next("song_data/"))

    def longer(self, bucket: Bucket) -> Version | None:
        """A log file of which only the first lines were uploaded, with more of them."""
        keys = [key for key in sorted(self._whole) if key in bucket.now and not bucket.now[key].bad]
        if not keys:
            return None
        key = self._random.choice(keys)
        lines = self._whole[key].splitlines()
        had = len(bucket.now[key].content.splitlines())
        had = min(len(lines), self._random.randint(had, len(lines) + 5))
        return Version(key, b"\n".join(lines[:had]))

    def copy(self, bucket: Bucket) -> Version | None:
        """The content of a good file under another key."""
        if not (keys := bucket.good()):
            return None
        key = self._random.choice(keys)
        return Version(self._twice(key), bucket.now[key].content)

    def told_otherwise(self, bucket: Bucket) -> Version | None:
        """A file that tells an event of another file with another level, or a song with another title."""
        keys = [key for key in bucket.good() if key.endswith(".json") and bucket.now[key].content]
        if not keys:
            return None
        key = self._random.choice(keys)
        records = [json.loads(line) for line in bucket.now[key].content.splitlines()]
        record = self._random.choice(records)
        if key.startswith("song_data/"):
            changes = [{"title": f"Otherwise {self._number}"}, {"artist_location": "Elsewhere"}]
            # Another song that a play may match as well as this one.
            changes += [{"song_id": f"SO{letter}{record['song_id'][3:]}"} for letter in "0Z"]
            record.update(self._random.choice(changes))
        else:
            record["level"] = "free" if record["level"] == "paid" else "paid"
        return Version(self._twice(key), json.dumps(record).encode())

    def bad(self) -> Version:
        """A log or song file that must be rejected."""
        key, content = self._next(self._random.choice(("log_data/", "log_data/", "song_data/")))
        return self.spoiled(Version(key, content))

    def spoiled(self, version: Version) -> Version:
        """The file, spoiled in one of the ways that there are."""
        if version.key.endswith(".gz"):
            return Version(version.key, version.content[:-12], bad="cut off")
        ways = SPOIL_ANY | (SPOIL_LOG if version.key.startswith("log_data/") else SPOIL_SONG)
        kind = self._random.choice(sorted(ways))
        return Version(version.key, ways[kind](version.content), bad=kind)

    def fixed(self, version: Version) -> Version:
        """A good file for a bad one's key."""
        _, content = self._next(version.key.split("/")[0] + "/")
        packed = version.key.endswith(".gz")
        return Version(version.key, gzip.compress(content, mtime=0) if packed else content)

    def empty(self) -> Version:
        """A file without a byte."""
        key, _ = self._next("log_data/")
        return Version(key, b"")

    def _next(self, prefix: str) -> tuple[str, bytes]:
        if not self._logs or not self._songs:
            self._more()
        self._number += 1
        return (self._logs if prefix == "log_data/" else self._songs).pop()

    def _more(self) -> None:
        data = DataSet(
            songs=SONGS,
            users=USERS,
            days=DAYS,
            events=EVENTS,
            seed=self._random.randrange(1 << 30),
            start=FIRST_DAY + timedelta(DAYS * self._epoch),
            first_session=1 + EVENTS * self._epoch,
        )
        self._epoch += 1

        def renamed(files: Iterator[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
            found = [(key.replace("/", f"/{self._epoch:03}/", 1), body) for key, body in files]
            self._random.shuffle(found)
            return found

        self._logs = renamed(data.log_files()) + self._logs
        self._songs = renamed(data.song_files()) + self._songs

    def _twice(self, key: str) -> str:
        """Another key of the same kind, for what the file under ``key`` tells too."""
        self._number += 1
        folder, _, name = key.rpartition("/")
        other = f"{folder}/copy-{self._number}-{name}"
        self.told_twice |= {key, other}
        return other


def _changed(content: bytes, **fields: Any) -> bytes:
    lines = content.splitlines()
    lines[-1] = json.dumps({**json.loads(lines[-1]), **fields}).encode()
    return b"\n".join(lines)


Spoil = Callable[[bytes], bytes]
SPOIL_ANY: dict[str, Spoil] = {
    "broken JSON": lambda content: content[:-9],
    "not JSON": lambda content: b"\x89PNG\r\n\x1a\n" + content[:5],
    "over 4 MB": lambda content: _changed(content, extra="x" * (4 << 20)),
}
SPOIL_LOG: dict[str, Spoil] = {
    "wrong type": lambda content: _changed(content, sessionId="none"),
    "too long": lambda content: _changed(content, userAgent="x" * 1025),
    "fails a check": lambda content: _changed(content, page="NextSong", userId=""),
}
SPOIL_SONG: dict[str, Spoil] = {
    "wrong type": lambda content: _changed(content, year="in May"),
    "too long": lambda content: _changed(content, title="x" * 1025),
    "fails a check": lambda content: _changed(content, song_id=None),
}
