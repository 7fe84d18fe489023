"""The one sentence: never green when something is not well, nor when nobody has looked for too long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from loader.page.model import Page
from loader.page.state import LEVELS, State, state_of

from tests.world import histories as made
from tests.world.histories import NOW

HOUR = timedelta(hours=1)


class Story:
    """A history that a test changes."""

    def __init__(self) -> None:
        self.loads = made.well()
        self.sweep: dict[str, Any] | None = made.sweep()
        self.paused: bool | None = None

    def page(self, now: datetime = NOW) -> Page:
        return Page(self.loads, self.sweep, now, paused=self.paused)

    def state(self, now: datetime = NOW) -> State:
        return state_of(self.page(now))

    def swept(self, **changes: Any) -> None:
        self.sweep = {**(self.sweep or {}), **changes}

    def left_out(self, kind: str) -> None:
        self.loads.append(made.load(NOW - 5 * HOUR, [("orders/bad.jsonl", kind)], number=77))


def failed_last(story: Story) -> None:
    story.loads.append(made.load(NOW - HOUR / 60, status="failed", number=78, cause="No."))


def failed_after_sweep(story: Story) -> None:
    story.loads.append(made.load(NOW - HOUR / 30, status="failed", number=79, cause="No."))
    story.loads.append(made.load(NOW - HOUR / 60, number=80))


def rejected_rows(story: Story) -> None:
    story.loads.append(made.load(NOW - HOUR, number=81, rows_rejected=3))


def unlisted(story: Story) -> None:
    files = [(f"orders/{n}.jsonl", "rejected") for n in range(1005)]
    story.loads.append(made.load(NOW - 5 * HOUR, files, number=82))


NOT_WELL: dict[str, tuple[Callable[[Story], None], str, str]] = {
    "rejected": (lambda s: s.left_out("rejected"), "amber", "1 file rejected"),
    "unreadable": (lambda s: s.left_out("unreadable"), "amber", "1 file unreadable"),
    "waiting": (lambda s: s.left_out("waiting"), "amber", "1 file waiting"),
    "more than are listed": (unlisted, "amber", "5 more files left out"),
    "rows": (rejected_rows, "amber", "3 rows rejected in the last 24 hours"),
    "paused by the sweep": (lambda s: s.swept(paused=True), "amber", "paused"),
    "paused by the stack": (lambda s: setattr(s, "paused", True), "amber", "paused"),
    "the last load failed": (failed_last, "red", "the last load failed"),
    "a load failed": (failed_after_sweep, "amber", "1 load failed since the last sweep"),
    "no sweep yet": (lambda s: setattr(s, "sweep", None), "amber", "no sweep has looked"),
    "no sweep any more": (
        lambda s: s.swept(at=made.iso(NOW - 2 * HOUR)), "amber", "no sweep has looked at the bucket since",
    ),
    "no sweep for days": (
        lambda s: s.swept(at=made.iso(NOW - 25 * HOUR)), "red", "no sweep has looked at the bucket since",
    ),
    "the sweep did not look": (
        lambda s: (s.sweep or {}).pop("oldest_not_loaded_seconds", None), "amber", "did not look",
    ),
    "late": (lambda s: s.swept(oldest_not_loaded_seconds=7000), "amber", "is not loaded"),
    "too late": (lambda s: s.swept(oldest_not_loaded_seconds=10800), "red", "is not loaded"),
    "overdue": (
        lambda s: s.swept(datasets={"clicks": {"newest": made.iso(NOW - 2 * HOUR), "expect_seconds": 3600}}),
        "amber",
        "clicks expects a file every 1 h",
    ),
    "nothing was ever loaded": (lambda s: s.loads.clear(), "amber", "nothing was ever loaded"),
}  # fmt: skip


def test_all_is_well() -> None:
    state = Story().state()
    assert (state.level, state.verdict, state.concerns) == ("green", "All is well", ())


@pytest.mark.parametrize("name", NOT_WELL)
def test_it_is_never_green_when_something_is_not_well(name: str) -> None:
    change, level, said = NOT_WELL[name]
    story = Story()
    change(story)
    state = story.state()
    assert state.level == level
    assert said in "; ".join(each.text for each in state.concerns)


@pytest.mark.parametrize(("one", "other"), list(combinations(NOT_WELL, 2)))
def test_one_concern_does_not_hide_another(one: str, other: str) -> None:
    story = Story()
    NOT_WELL[one][0](story)
    NOT_WELL[other][0](story)
    assert story.state().level != "green"


def test_it_does_not_stay_green_when_nothing_comes() -> None:
    """The sweep was ten minutes before NOW, once an hour; the order's contract expects a file a day."""
    story = Story()
    levels = [
        story.state(NOW + minutes * timedelta(minutes=1)).level for minutes in range(0, 3000, 10)
    ]
    assert levels == sorted(levels, key=LEVELS.index)
    assert levels.count("green") == 11  # until two sweeps after the last one
    assert levels[-1] == "red"


@pytest.mark.parametrize("name", ["well", *NOT_WELL])
def test_what_will_hold_later_is_what_holds_then(name: str) -> None:
    """So the page's script, which has only this, says what Python would say at that time."""
    story = Story()
    NOT_WELL.get(name, (lambda _: None,))[0](story)
    written = story.state()
    for hours in (0.5, 1.5, 2, 3, 7, 20, 30):
        then = NOW + hours * HOUR
        due = [each for each in written.later if each.since <= then]
        level = max([written.level, *(each.level for each in due)], key=LEVELS.index)
        again = story.state(then)
        rows = "rows rejected in the last 24 hours"
        kept = {each.text for each in written.concerns} | {each.text for each in due}
        assert {t for t in kept if rows not in t} == {
            c.text for c in again.concerns if rows not in c.text
        }
        assert again.level == level or name == "rows"


def test_a_file_that_was_rejected_and_loaded_since_is_no_concern() -> None:
    story = Story()
    story.left_out("rejected")
    story.loads.append(made.load(NOW - HOUR / 2, [("orders/bad.jsonl", "loaded")], number=83))
    assert story.state().level == "green"


def test_a_file_that_was_loaded_and_is_rejected_now_is_one() -> None:
    story = Story()
    story.loads.append(made.load(NOW - 9 * HOUR, [("orders/bad.jsonl", "loaded")], number=83))
    story.left_out("rejected")
    assert story.state().level == "amber"


def test_a_dry_run_or_a_check_is_not_the_last_load() -> None:
    story = Story()
    story.loads.append(made.load(NOW, number=84, status="planned"))
    story.loads.append(made.load(NOW, number=85, mode="check", status="checked"))
    assert story.page().last is not None
    assert story.page().last.id == made.load_id(NOW - timedelta(minutes=10), 0x100)  # type: ignore[union-attr]


def test_the_files_of_the_last_sweep_count_until_its_load_has_loaded_them() -> None:
    execution = f"{made.MACHINE}:sweep-1"
    story = Story()
    story.swept(oldest_not_loaded_seconds=90_000, started=execution)
    assert story.state().level == "red"
    assert story.page().current_as_of == NOW - timedelta(minutes=10) - timedelta(seconds=90_000)
    story.loads.append(made.load(NOW - HOUR / 10, number=86, execution=execution))
    assert story.state().level == "green"
    assert story.page().current_as_of == NOW - timedelta(minutes=10)


def test_the_load_of_a_sweep_that_failed_has_loaded_nothing() -> None:
    execution = f"{made.MACHINE}:sweep-1"
    story = Story()
    story.swept(oldest_not_loaded_seconds=90_000, started=execution)
    story.loads.append(made.load(NOW - HOUR / 10, number=86, execution=execution, status="failed"))
    assert story.page().oldest is not None


def test_a_pause_does_not_become_red_by_itself() -> None:
    """In a pause no sweep runs (template.yaml), and nothing else can be expected."""
    story = Story()
    story.paused = True
    assert story.state(NOW + 50 * HOUR).level == "amber"


@pytest.mark.parametrize(
    ("schedule", "green"),
    [
        ("rate(5 minutes)", False),
        ("rate(1 hour)", True),
        ("rate(1 day)", True),
        ("cron(0 4 * * ? *)", True),
        (None, True),
    ],
)
def test_two_sweeps_are_those_of_the_schedule(schedule: str | None, green: bool) -> None:
    story = Story()
    story.swept(schedule=schedule)
    assert (story.state().level == "green") is green
