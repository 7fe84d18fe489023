"""What is known of the files that were ever uploaded, and what must therefore be in the tables and in the ledger."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

from tests.world import oracle
from tests.world.files import File, Song, Stored
from tests.world.simulator import Expected, Status, World, load_id_of

Version = tuple[str, str]
"""A file as the loader knows it: key and ETag."""


def etag_of(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Entry:
    """A row of the ledger."""

    key: str
    etag: str
    status: str
    load_id: str


class Ledger:
    """The ledger at one moment: every row, and the newest word on each version."""

    def __init__(self, world: World) -> None:
        current, every = world.warehouse.ledger()
        self.rows = sorted((Entry(*row) for row in every), key=repr)
        self.newest = {(e.key, e.etag): e for e in (Entry(*row) for row in current)}

    def with_status(self, status: str) -> set[Version]:
        return {(e.key, e.etag) for e in self.rows if e.status == status}

    def loads(self) -> list[str]:
        """Ids of the loads that have files in the tables, oldest first."""
        return sorted({e.load_id for e in self.rows if e.status == "loaded"})

    def list_for_load(self, load_id: str, status: str) -> set[Version]:
        return {(e.key, e.etag) for e in self.rows if e.load_id == load_id and e.status == status}

    def status(self, version: Version) -> str | None:
        entry = self.newest.get(version)
        return entry.status if entry else None


class Model:
    """All versions of all files, and what a settled world has said of them."""

    def __init__(self) -> None:
        self.versions: dict[Version, Stored] = {}
        self.current: dict[str, str] = {}
        self.history: list[Stored] = []
        self.undone: set[str] = set()
        self._settled: dict[Version, str] = {}

    def put(self, file: Stored) -> None:
        etag = etag_of(file.body)
        self.versions[file.key, etag] = file
        self.current[file.key] = etag
        self.history.append(file)

    def deleted(self, key: str) -> None:
        self.current.pop(key, None)

    def reset(self) -> None:
        """The tables and the ledger are empty."""
        self.undone.clear()
        self._settled.clear()

    def tables_of(self, loaded: set[Version]) -> oracle.Tables:
        """The star schema of these versions; those of one key count as files of their own."""
        bodies = {}
        for number, version in enumerate(sorted(loaded)):
            file = self.versions[version]
            assert not file.bad, f"{file} is loaded"
            dataset, _, name = file.key.partition("/")
            bodies[f"{dataset}/{number}/{name}"] = file.body
        return oracle.tables(bodies)

    def keys_of(self, versions: set[Version]) -> set[tuple[object, ...]]:
        """What two files may have in common: the keys of their plays and songs."""
        found: set[tuple[object, ...]] = set()
        for version in versions:
            file = self.versions[version]
            assert isinstance(file, File)
            for record in file.records:
                if isinstance(record, Song):
                    found.add((record.id,))
                elif record.page == "NextSong":
                    found.add((record.user, record.session, record.item, record.at))
        return found

    def takes(self, key: str) -> bool:
        """Whether an object of this key is a file of a dataset."""
        return key.startswith(("log_data/", "song_data/")) and key.endswith((".json", ".json.gz"))

    def diff(self, world: World, loaded: set[Version]) -> str:
        """What the tables have else than these versions say; "" for nothing."""
        return oracle.diff(self.tables_of(loaded), world.warehouse.star())

    # -- what must hold ----------------------------------------------------------------------

    def check_tables(self, world: World) -> Ledger:
        """At any time: the tables are those of the files that the ledger says are loaded."""
        ledger = Ledger(world)
        loaded = ledger.with_status("loaded")
        problems = [f"{version} was never uploaded" for version in loaded - self.versions.keys()]
        problems += [self.diff(world, loaded)]
        for load_id in sorted(self.undone):
            problems += [
                f"{v} is loaded by {load_id}, undone"
                for v in ledger.list_for_load(load_id, "loaded")
            ]
        _say(world, problems)
        return ledger

    def check_settled(self, world: World) -> None:
        """When all has settled: each file is what it must be, and nothing is left over."""
        ledger = self.check_tables(world)
        problems = []
        for version, before in self._settled.items():
            now = ledger.status(version)
            if before == "loaded" and now != "loaded" and not self._withdrawn(ledger, version):
                problems.append(f"{version} was loaded, now it is {now}")
        for version, file in self.versions.items():
            now = ledger.status(version)
            if file.bad and now not in (None, "rejected", "closed", "missing"):
                problems.append(f"{version} is bad ({file.bad}) and {now}")
        for version in ledger.with_status("rejected"):
            if not self.versions[version].bad:
                problems.append(f"{version} is good and rejected")
        statuses = {key: self._wanted(ledger, key) for key, _ in ledger.newest}
        statuses |= {key: self._wanted(ledger, key) for key in self.current if self.takes(key)}
        loaded = ledger.with_status("loaded")
        try:
            world.check(Expected(self.tables_of(loaded), statuses))
        except AssertionError as error:
            problems.append(str(error))
        _say(world, problems)
        self._settled = {version: entry.status for version, entry in ledger.newest.items()}

    def _withdrawn(self, ledger: Ledger, version: Version) -> bool:
        """Whether the version is not loaded because loads that had loaded it were undone."""
        return any(version in ledger.list_for_load(load_id, "withdrawn") for load_id in self.undone)

    def _wanted(self, ledger: Ledger, key: str) -> Status:
        """What may be said of the present version of a file; of a file that is gone, anything that was true of it."""
        etag = self.current.get(key)
        if etag is None:
            return (None, "loaded", "missing", "rejected", "closed", "withdrawn", "replaced")
        if self.versions[key, etag].bad:
            # Closed by a load of an earlier version that ended later.
            others = {v for v in ledger.with_status("loaded") if v[0] == key}
            return ("rejected", "closed") if others else "rejected"
        if self._withdrawn(ledger, (key, etag)):
            return ("loaded", "withdrawn")
        return "loaded"


def _say(world: World, problems: list[str]) -> None:
    told = "\n".join(filter(None, problems))
    if not told:
        return
    ends: dict[str, list[str]] = defaultdict(list)
    for execution in world.executions.all:
        cause = str(execution.report.get("cause", "")) if execution.status == "FAILED" else ""
        ends[f"{execution.status} {cause}"].append(f"{execution.name} ({load_id_of(execution)})")
    history = "\n".join(f"{', '.join(names)}: {end[:500]}" for end, names in ends.items())
    raise AssertionError(f"{told}\n\nThe executions:\n{history}")
