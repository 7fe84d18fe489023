"""The state in one sentence, green, amber or red.

Each concern has a time from which on it holds. So the page, which may be looked at long after it was written, becomes
amber by itself: its script compares the times that are still to come with the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from loader.page.model import BEGINNING, LEFT_OUT, SILENT, Page
from loader.page.text import count, duration, moment

LEVELS = ("green", "amber", "red")
VERDICTS = {"green": "All is well", "amber": "Needs a look", "red": "Not well"}
# In intervals of the sweep: what came in one must be loaded by the next. OldestFileSeconds, the alarm, is three.
LATE, TOO_LATE = 2, 3
GONE = timedelta(days=1)
RECENT = timedelta(days=1)


@dataclass(frozen=True)
class Concern:
    """Something that is not well, from ``since`` on. level: amber or red."""

    level: str
    text: str
    since: datetime = BEGINNING


@dataclass(frozen=True)
class State:
    """The verdict at a time. ``later``: what will hold unless something new is written."""

    level: str
    concerns: tuple[Concern, ...]
    later: tuple[Concern, ...]

    @property
    def verdict(self) -> str:
        return VERDICTS[self.level]


def state_of(page: Page) -> State:
    """The state at the page's time."""
    found = list(_concerns(page))
    # Of what is said twice, the worse.
    worst = {each.text: each for each in sorted(found, key=_badness) if each.since <= page.now}
    now = sorted(worst.values(), key=_badness, reverse=True)
    later = sorted((each for each in found if each.since > page.now), key=lambda each: each.since)
    level = max((each.level for each in now), key=LEVELS.index, default="green")
    return State(level, tuple(now), tuple(later))


def _badness(concern: Concern) -> int:
    return LEVELS.index(concern.level)


def _concerns(page: Page) -> Iterator[Concern]:
    yield from _currency(page)
    if page.paused:
        yield Concern("amber", "paused: nothing loads by itself until the stack's Paused is false")
    last = page.last
    if last and last.failed:
        yield Concern("red", f"the last load failed ({last.id})")
    elif last is None:
        yield Concern("amber", "nothing was ever loaded")
    failed = [
        load
        for load in page.loads
        if load.failed and load is not last and not load.changed_nothing
        and (page.swept is None or load.ended > page.swept)
    ]  # fmt: skip
    if failed:
        yield Concern("amber", f"{count(len(failed), 'load')} failed since the last sweep")
    for kind in LEFT_OUT:
        if number := page.count_left_out(kind):
            yield Concern("amber", f"{count(number, 'file')} {kind}")
    if number := page.left_out_unlisted:
        yield Concern("amber", f"{count(number, 'more file')} left out that only the ledger lists")
    recent = [load for load in page.loads if page.now - load.ended < RECENT]
    if rows := sum(load.rows_rejected for load in recent):
        yield Concern("amber", f"{count(rows, 'row')} rejected in the last 24 hours")
    for dataset in page.datasets:
        if dataset.expect and dataset.newest and dataset.overdue_from:
            yield Concern(
                "amber",
                f"{dataset.name} expects a file every {duration(dataset.expect.total_seconds())}, and the last one "
                f"came on {moment(dataset.newest)}",
                dataset.overdue_from,
            )


def _currency(page: Page) -> Iterator[Concern]:
    """Whether the tables have all files that came: what only the sweep knows."""
    every = page.sweep_every
    if page.swept is None:
        yield Concern("amber", "no sweep has looked at the bucket yet, so files may be missing")
        return
    said = f"no sweep has looked at the bucket since {moment(page.swept)}, so files may be missing"
    yield Concern("amber", said, page.swept + SILENT * every)
    if not page.paused:
        yield Concern("red", said, page.swept + max(GONE, 2 * SILENT * every))
    if not page.oldest_is_known:
        yield Concern(
            "amber", "the last sweep did not look at the bucket, because a load was running"
        )
    if page.oldest:
        said = f"a file that came on {moment(page.oldest)} is not loaded"
        yield Concern("amber", said, page.oldest + LATE * every)
        yield Concern("red", said, page.oldest + TOO_LATE * every)
