"""What a load costs, counted on real runs of the functions and the state machine in one process (metered.py)."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lib import sample_flow
from benchmarks.lib.metered import (
    CALL_SECONDS,
    OTHER_SECONDS,
    STATEMENT_SECONDS,
    Metered,
    real,
    seconds_of,
    simulated,
    timed,
)
from benchmarks.lib.pages import Pages
from benchmarks.lib.s3_listing import list_from
from local.generator import DataSet
from tests.world import recordings
from tests.world.counting import PRICES, RPU, Counts
from tests.world.scene import Reply, Submitted, well

LIMITS = {"transitions": 10, "invocations": 6, "data_api": 6}
"""Of one new file."""

LONG = 300.0
_LANES = 4


@dataclass
class Measured:
    """A scenario. ``seconds``: from the first event (or start) to the last state, by the given times."""

    name: str
    counts: Counts
    seconds: float = 0.0
    lanes: int = 1
    note: str = ""
    said: dict[str, Any] | None = None  # what the load's own report says that it spent

    @property
    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            **({"note": self.note} if self.note else {}),
            "seconds": round(self.seconds, 1),
            **self.counts.document,
            "dollars_warehouse": round(self.counts.awake(self.lanes), 4),
            **({"said_by_the_load": self.said} if self.said else {}),
        }

    def __str__(self) -> str:
        counts = self.counts
        return (
            f"{self.name}: {counts.transitions:,} transitions, {counts.history:,} events, "
            f"{counts.invocations.total():,} invocations, {counts.gb_seconds:,.2f} GB-s, "
            f"{counts.data_api.total():,} Data API, S3 {counts.puts:,} + {counts.gets:,}, "
            f"${counts.loader:.6f} + warehouse ${counts.awake(self.lanes):.2f}; {self.seconds:,.1f} s"
        )


def _run(world: Metered, name: str, act: Callable[[Metered], float], **more: Any) -> Measured:
    world.begin()
    began = act(world)
    counts = world.counts()
    ended = [execution.status for execution in world.executions.all]
    assert set(ended) == {"SUCCEEDED"}, ended
    of_copy = counts.s3["GetObject (COPY)"]
    made = counts.data_api.total() + counts.s3.total() - of_copy + counts.executions
    seconds = world.clock.time() - began + made * CALL_SECONDS
    said = world.executions.all[-1].report.get("spent") if counts.executions == 1 else None
    return Measured(name, counts, seconds, said=said, **more)


def _work(world: Metered) -> float:
    """Lets AWS do all pending work; returns when it started."""
    began = world.clock.time()
    world.work()
    return began


def one_file() -> Measured:
    """One log file, loaded by its event."""

    def act(world: Metered) -> float:
        recordings.upload(world, recordings.some(recordings.LOGS[1]))
        return _work(world)

    with real() as world:
        return _run(world, "one new file", act)


def many_files(files: int) -> Measured:
    """Log files whose events arrive together."""
    data = DataSet(songs=6, users=3, days=1, events=3 * files, parts=files, seed=5)
    bodies = dict(data.log_files())

    def act(world: Metered) -> float:
        recordings.upload(world, bodies)
        return _work(world)

    with real(BatchSize=str(files), BatchWindowSeconds="60") as world:
        found = _run(world, f"{len(bodies):,} files in a batch", act)
        (loaded,) = world.warehouse.query(
            "SELECT COUNT(*) FROM sparkify.files WHERE status = 'loaded'"
        )
        assert loaded[0][0] >= len(bodies), loaded
        return found


def bad_files() -> Measured:
    """One good file, and four bad ones: a wrong value, a broken gzip, a failing check, a deleted object."""

    def act(world: Metered) -> float:
        began = world.clock.time()
        recordings.bad(world)
        return began + len(recordings.BAD) + 2  # each upload takes a second

    with real() as world:
        return _run(world, "one good file and four bad ones", act)


def long_copy(folder: Path) -> Measured:
    """A COPY of five minutes."""
    with simulated(folder, timed(well, stage=LONG)) as world:

        def act(world: Metered) -> float:
            world.upload("log_data/2018/11/a.json", b"x")
            return _work(world)

        return _run(world, "one file whose COPY takes five minutes", act)


def backfill(folder: Path, files: int) -> Measured:
    """A manual load of a bucket with many files; the warehouse is simulated, its statements take their given time.

    AWS stages four batches at a time; here they are staged one after another; ``seconds`` is that of four.
    """

    def answer(submitted: Submitted) -> Reply:
        if submitted.what != "plan":
            return well(submitted)
        (uri,) = {
            line.split("'")[1] for sql in submitted.sqls for line in sql.split("\n") if "FROM 's3" in line
        }  # fmt: skip
        body = zlib.decompress(world._body(*uri.removeprefix("s3://").split("/", 1)), wbits=31)
        return Reply(rows={len(submitted.sqls): Pages(body.count(b"\n"))})

    with simulated(folder, timed(answer)) as world:
        list_from(world, "log_data/", files)

        def act(world: Metered) -> float:
            world.start({})
            return _work(world)

        found = _run(world, f"backfill of {files:,} files", act, lanes=_LANES)
        loaded = sum(execution.report["files"]["loaded"] for execution in world.executions.all)
        assert loaded == files, loaded
        found.counts.s3["GetObject (COPY)"] += files
        found.note = "COPY's GET of each file is added; its statements are not run"
        return found


def measure(files: int, many: int) -> dict[str, Any]:
    """All scenarios, printed as they come. ``files`` of the backfill, ``many`` of the batch."""
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    found: list[Measured] = []

    def take(made: Callable[[], Measured]) -> Measured:
        with contextlib.redirect_stdout(io.StringIO()):  # the functions' metrics
            one = made()
        print(f"  {one}", flush=True)
        found.append(one)
        return one

    one = take(one_file)
    thousand = take(lambda: many_files(many))
    take(bad_files)
    long = take(lambda: long_copy(folder / "long"))
    back = take(lambda: backfill(folder / "backfill", files))
    short = [seconds_of("stage"), seconds_of("publish"), OTHER_SECONDS]
    for name, seconds in (
        ("the sample's flow, one file", short),
        ("the sample's flow, a COPY of five minutes", [LONG, *short[1:]]),
    ):
        counts, took = sample_flow.run(seconds)
        take(lambda c=counts, t=took, n=name: Measured(n, c, t))  # type: ignore[misc]
    for number in (many, files):
        take(
            lambda n=number: Measured(  # type: ignore[misc]
                f"{n:,} files, an execution each", one.counts.times(n), n * one.seconds,
                note="one new file, times the files",
            )
        )  # fmt: skip
    over = _over(one.counts)
    return {
        "given": {
            "statement_seconds": {**STATEMENT_SECONDS, "other": OTHER_SECONDS},
            "call_seconds": CALL_SECONDS,
            "rpu": RPU,
            "prices": json.loads(PRICES.read_text(encoding="utf-8")),
        },
        "bounds": {"of": one.name, **LIMITS, "over": over},
        "ratios": {
            "transitions, the sample's flow : ours, one file": _ratio(found, 5, one),
            "transitions, the sample's flow : ours, a COPY of five minutes": _ratio(found, 6, long),
            "loader's dollars, an execution a file : ours, a batch": round(
                found[7].counts.loader / thousand.counts.loader, 1
            ),
            "loader's dollars, an execution a file : ours, a backfill": round(
                found[8].counts.loader / back.counts.loader, 1
            ),
        },
        "scenarios": [each.document for each in found],
        "holds": not over,
    }


def _ratio(found: list[Measured], number: int, ours: Measured) -> float:
    return round(found[number].counts.transitions / ours.counts.transitions, 2)


def _over(counts: Counts) -> dict[str, int]:
    """What exceeds its limit, with the figure."""
    had = {
        "transitions": counts.transitions,
        "invocations": counts.invocations.total(),
        "data_api": counts.data_api.total(),
    }
    return {name: had[name] for name, limit in LIMITS.items() if had[name] > limit}
