"""python -m tests.world.week [--days 7] [--out FILE] [--picture FILE]: a week of operation in minutes, and its page.

The product's own handlers, state machine and SQL run in one process, with a clock of their own (simulator.py): uploads
through the day, a burst, a bad day, a device that falls silent, an undo, a new key, a paused afternoon.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.generator import DataSet
from tests.world import browser
from tests.world.clock import BEGIN
from tests.world.simulator import ROOT, World
from tests.world.trees import with_contracts

if TYPE_CHECKING:
    from loader.page.model import Page

CONTRACTS = {
    "orders": """description: Orders of the web shop, updates come in later files
files: orders/*.jsonl
key: [order_id]
newest: updated_at
columns:
  order_id: varchar(64)
  updated_at: timestamp
  status: varchar(32)
  total: decimal(12,2)
tables:
  order_items:
    each: items
    columns: {sku: varchar(64), qty: integer}
expect: {every: 12h}
""",
    "readings": """description: Readings of one device, a file an hour
files: readings/*.jsonl
columns:
  device: varchar(32)
  at: timestamp
  celsius: decimal(6,2)
bad_rows: {row: {max: 20}}
expect: {every: 6h}
""",
}
SECONDS = {"plan": 0.4, "stage": 1.6, "publish": 1.1, "find": 0.9}
"""GIVEN: how long statements run, by the second word of their names, times a number around one; others take 0.3 s."""
DAYS = 7
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
Act = Callable[[World], None]


class Timed(World):
    """A World in which statements take time."""

    def __init__(self, folder: Path, tree: Path) -> None:
        super().__init__(folder, tree=tree)
        services = self.boundary._services
        self._operation = services["redshift-data"]
        self._chance = random.Random(11)
        services["redshift-data"] = self._timed

    def _timed(self, name: str, request: dict[str, Any], caller: Any) -> Any:
        answer = self._operation(name, request, caller)
        if name == "BatchExecuteStatement":
            what = request["StatementName"].split()[1]
            self.clock.advance(SECONDS.get(what, 0.3) * self._chance.uniform(0.7, 1.8))
        return answer


class Week:
    """What happens when, from Monday 8 o'clock on. In fewer days, two at least, the same things happen closer together.

    Uploads are acts, as is what a person does.
    """

    def __init__(self, days: int = DAYS, seed: int = 7) -> None:
        self._days = days
        self._chance = random.Random(seed)
        self._orders = 0
        self._silent = max(
            (days - 1) * 2 // 3, 1
        )  # the day on which the device falls silent at noon
        self._plan: list[tuple[datetime, int, Act]] = []
        self._pauses: list[tuple[datetime, datetime]] = []
        for day in range(days):
            self._ordinary(day)
        specials = (self._burst, self._new_key, self._bad_day, self._undo, self._pause)
        for number, special in enumerate(specials, 1):
            special(max(number * (days - 1) // len(specials), 1))

    def play(self, world: World) -> None:
        """Plays the week. Every full hour the schedule's sweep runs, unless the stack is paused."""
        end = BEGIN + timedelta(days=self._days) - HOUR / 4
        plan = sorted(self._plan, key=lambda each: each[:2])
        while plan or world.clock.now() < end:
            hour = world.clock.now().replace(minute=0, second=0, microsecond=0) + HOUR
            due = [each for each in plan if each[0] < hour]
            plan = plan[len(due) :]
            for at, _, act in due:
                world.clock.forward_to(at)
                act(world)
                self._work(world)
            if hour > end and not plan:
                world.clock.forward_to(end)
                return
            if self._is_paused(hour):
                world.clock.forward_to(hour)
            else:
                world.sweep()
            self._work(world)

    def _is_paused(self, now: datetime) -> bool:
        return any(begin <= now < end for begin, end in self._pauses)

    def _work(self, world: World) -> None:
        """What AWS does by itself: nothing that would start a load, while the stack is paused."""
        if self._is_paused(world.clock.now()):
            return
        world.work()
        for _ in range(20):
            visible = world.queue.next_visible()
            if visible is None:
                return
            world.clock.advance(max(visible - world.clock.time(), 0))
            world.work()

    # -- what is uploaded --------------------------------------------------------------------
    def _do(self, day: int, hour: float, act: Act) -> None:
        begin = BEGIN.replace(hour=0) + timedelta(days=day)
        at = begin + hour * HOUR
        if at >= BEGIN:
            self._plan.append((at, len(self._plan), act))

    def _upload(self, day: int, hour: float, files: dict[str, bytes]) -> None:
        def upload(world: World) -> None:
            for key, body in files.items():
                world.upload(key, body)

        self._do(day, hour, upload)

    def _some_orders(self, count: int, *, at: datetime, **more: object) -> bytes:
        records = []
        for _ in range(count):
            self._orders += 1
            sold = [
                {
                    "sku": self._chance.choice(("tea", "pot", "urn")),
                    "qty": self._chance.randint(1, 4),
                }
            ]
            records.append(
                {"order_id": f"O-{self._orders}", "updated_at": at.isoformat(), "status": "paid",
                 "total": f"{self._chance.uniform(5, 200):.2f}", "items": sold * self._chance.randint(1, 3), **more}
            )  # fmt: skip
        return lines(records)

    def _ordinary(self, day: int) -> None:
        date = BEGIN.date() + timedelta(days=day)
        weekend = date.weekday() >= 5
        for hour in range(8, 20, 4 if weekend else 2):
            at = datetime.combine(date, BEGIN.timetz()).replace(hour=hour)
            body = self._some_orders(self._chance.randint(10, 25 if weekend else 60), at=at)
            self._upload(day, hour + 0.3, {f"orders/{date:%Y/%m/%d}/{hour:02}.jsonl": body})
        for hour in range(0, 24, 3):
            if (day, hour) < (self._silent, 12):
                at = datetime.combine(date, BEGIN.timetz()).replace(hour=hour)
                body = lines(
                    {
                        "device": "d-1",
                        "at": (at + n * MINUTE).isoformat(),
                        "celsius": f"{20 + n / 10:.2f}",
                    }
                    for n in range(30)
                )
                self._upload(day, hour + 0.55, {f"readings/{date:%Y-%m-%d}-{hour:02}.jsonl": body})
        played = DataSet(
            songs=8, users=12, days=1, events=self._chance.randint(60, 160), seed=100 + day
        )
        logs = {key.replace(".json", f"-{day}.json"): body for key, body in played.log_files()}
        self._upload(day, 23.2, logs)

    # -- what is special ---------------------------------------------------------------------
    def _burst(self, day: int) -> None:
        """Thirty files of songs and twenty of orders within a minute."""
        date = BEGIN.date() + timedelta(days=day)
        at = BEGIN + timedelta(days=day)
        songs = dict(DataSet(songs=30, users=3, days=1, events=3, seed=9).song_files())
        orders = {
            f"orders/{date:%Y/%m/%d}/import-{n:02}.jsonl": self._some_orders(12, at=at)
            for n in range(20)
        }
        self._upload(day, 12.5, {**songs, **orders})

    def _new_key(self, day: int) -> None:
        """The shop begins to say which orders are gifts."""
        date = BEGIN.date() + timedelta(days=day)
        at = BEGIN + timedelta(days=day)
        body = self._some_orders(20, at=at, gift={"wrapped": True, "message": "All the best"})
        self._upload(day, 15.1, {f"orders/{date:%Y/%m/%d}/gifts.jsonl": body})

    def _bad_day(self, day: int) -> None:
        """A release of the shop writes words where numbers were, one file is cut off, some readings are no numbers."""
        date = BEGIN.date() + timedelta(days=day)
        at = BEGIN + timedelta(days=day)
        folder = f"orders/{date:%Y/%m/%d}"
        bad = {
            f"{folder}/release-{n}.jsonl": self._some_orders(9, at=at) + lines([{"order_id": f"X-{n}", "updated_at":
                at.isoformat(), "status": "paid", "total": "free", "items": []}])
            for n in range(4)
        }  # fmt: skip
        whole = gzip.compress(self._some_orders(40, at=at), mtime=0)
        cut = {f"{folder}/export.jsonl.gz": whole[: len(whole) // 2]}
        readings = lines(
            {
                "device": "d-1",
                "at": (at + n * MINUTE).isoformat(),
                "celsius": "n/a" if n % 10 == 3 else "21.5",
            }
            for n in range(30)
        )
        self._upload(day, 9.4, bad)
        self._upload(day, 10.4, cut)
        self._upload(day, 11.2, {f"readings/{date:%Y-%m-%d}-recalibrated.jsonl": readings})
        # One of them comes corrected.
        self._upload(day, 16.7, {f"{folder}/release-0.jsonl": self._some_orders(10, at=at)})

    def _undo(self, day: int) -> None:
        """A test file is loaded by mistake and taken out again."""
        date = BEGIN.date() + timedelta(days=day)
        at = BEGIN + timedelta(days=day)
        key = f"orders/{date:%Y/%m/%d}/test.jsonl"
        self._upload(day, 9.7, {key: self._some_orders(50, at=at)})

        def undo(world: World) -> None:
            asked = f"SELECT load_id FROM sparkify.files WHERE key = '{key}' AND status = 'loaded'"
            ((load,),) = world.warehouse.query(asked)[0]
            world.start({"undo": load, "dry_run": True})
            world.start({"undo": load})

        self._do(day, 10.2, undo)

    def _pause(self, day: int) -> None:
        """Nothing loads by itself from 13 to 17 o'clock."""
        begin = BEGIN.replace(hour=13) + timedelta(days=day)
        self._pauses.append((begin, begin + 4 * HOUR))


def lines(records: Iterator[dict[str, object]] | list[dict[str, object]]) -> bytes:
    """JSON Lines."""
    return "".join(json.dumps(record) + "\n" for record in records).encode()


@contextmanager
def played(folder: Path, days: int = DAYS) -> Iterator[World]:
    """The world at the end of such a week; ``folder``, which must not exist, is for its files."""
    tree = with_contracts(folder / "tree", CONTRACTS)
    with Timed(folder / "warehouse", tree) as world:
        Week(days).play(world)
        yield world


def page_of(world: World) -> Page:
    """What the page says at the end."""
    from loader.history import read_history
    from loader.page.model import DAYS as PAGE_DAYS
    from loader.page.model import Page
    from loader.store import Store

    store = Store(world.stack.work_bucket)
    store.__dict__["_client"] = world._s3  # the person's own
    found = read_history(store, PAGE_DAYS, world.clock.now())
    return Page(found.loads, found.sweep, world.clock.now())


def main(arguments: list[str] | None = None) -> int:
    """Plays a week and writes its page."""
    parser = argparse.ArgumentParser(prog="python -m tests.world.week", description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "week.html")
    parser.add_argument(
        "--picture", type=Path, help="also writes a picture of it: docs/loads-page.png"
    )
    given = parser.parse_args(arguments)
    sys.path.append(str(ROOT / "functions"))
    from loader.page.commands import Commands
    from loader.page.document import loads_html

    with (
        tempfile.TemporaryDirectory(prefix="week-") as folder,
        played(Path(folder) / "week", given.days) as world,
    ):
        page = page_of(world)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(loads_html(page, Commands()), encoding="utf-8")
    if given.picture:
        with (
            tempfile.TemporaryDirectory() as folder,
            browser.opened(Path(folder) / "profile") as tab,
        ):
            tab.at(page.now.timestamp() + 60)
            tab.show(given.out.resolve(), width=1120, height=1130)
            tab.picture(given.picture)
    print(f"{len(page.loads)} loads: {given.out.resolve().as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
