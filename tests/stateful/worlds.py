"""Worlds to tell stories in: two files are loaded, and the Data API keeps statements by the world's clock."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from unittest import mock

from fakeshift import Isolation, SnapshotAt
from tests.world.files import Event, File, Song
from tests.world.simulator import Memory, World

# Loaded before anything else: a check that has passed once may judge a file by itself.
FIRST = (
    File("log_data/first.json", (Event(user=4, title=None), Event(user=4, item=1))),
    File("song_data/first.json", (Song(id="SO0", title="T0", artist_id="AR0"),)),
)

_places = count()


@contextmanager
def new_world(
    isolation: Isolation = "snapshot",
    parameters: Mapping[str, str] | None = None,
    snapshot_at: SnapshotAt = "statement",
    memory: Memory | None = None,
) -> Iterator[World]:
    """A world that nobody else uses: with the files FIRST, or as ``memory`` has it."""
    place = _folder() / str(next(_places))
    memory = memory or begun()
    try:
        with (
            World(
                place,
                isolation=isolation,
                parameters=parameters,
                memory=memory,
                snapshot_at=snapshot_at,
            ) as world,
            statements_kept_by_its_clock(world),
        ):
            yield world
    finally:
        shutil.rmtree(place, ignore_errors=True)


@cache
def _folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="stories-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def begun() -> Memory:
    """The world with the files FIRST."""
    world = World(_folder() / "first")
    with statements_kept_by_its_clock(world):
        for file in FIRST:
            world.upload(file.key, file.body)
        world.settle()
    return world.remember()


@contextmanager
def statements_kept_by_its_clock(world: World) -> Iterator[None]:
    """The Data API forgets client tokens after 8 hours and statements after 24, and ends statements that run longer:
    by the world's clock.
    """
    with mock.patch.object(world.warehouse, "now", world.clock.time):
        yield
