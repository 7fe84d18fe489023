"""What became of the files of each dataset: a line each, with what to do."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.datasets import Dataset
from local.show.report import LEFT_OUT
from local.show.tables import Value, aligned
from local.show.terminal import visible

ALWAYS = ("loaded", "rejected", "waiting", "not taken")
"""The counts that are shown even if they are 0 for every dataset."""
COUNTS = ("loaded", "rejected", "unreadable", "waiting", "missing", "not loaded", "not taken")
TO_DO = {
    "rejected": "upload fixed files under their keys",
    "unreadable": "let COPY read them",
    "waiting": "see the reasons",
    "missing": "upload again what was deleted",
    "not loaded": "start a load if none is running",
    "not taken": "rename or move",
}
OVERDUE = "overdue: see why no new file comes"
UNKNOWN = "this folder has no such dataset: use the release that is deployed"
WHICH = "loader rejected"
NOT_TAKEN_SHOWN = 3


@dataclass
class State:
    """A dataset's files: how many there are of each kind (COUNTS), and the newest that is loaded.

    left_out: rows of loaded files that do not fit. not_seen: why the bucket was not compared with the ledger, '' if it
    was; denied: because a right is missing. unknown: only the ledger has the dataset, not this folder.
    """

    dataset: Dataset
    counts: dict[str, int] = field(default_factory=dict)
    rows: int | None = None
    newest: str = ""
    newest_at: str = ""
    not_taken: list[str] = field(default_factory=list)
    left_out: int = 0
    not_seen: str = ""
    denied: bool = False
    unknown: bool = False

    def as_json(self) -> dict[str, Any]:
        """For scripts; docs/commands.md has the fields."""
        counts: dict[str, int | None] = {kind: self.counts.get(kind, 0) for kind in COUNTS}
        if self.not_seen:
            counts |= {"not loaded": None, "not taken": None}
        return {
            "dataset": self.dataset.name,
            "prefix": self.dataset.prefix,
            "files": {kind.replace(" ", "_"): n for kind, n in counts.items()},
            "rows": self.rows,
            "rows_rejected": self.left_out,
            "newest": {"key": self.newest, "at": f"{self.newest_at.replace(' ', 'T')}Z"}
            if self.newest
            else None,
            "overdue": self.is_overdue(datetime.now(UTC)),
            "to_do": self.to_do,
        }

    @property
    def asks(self) -> bool:
        """Whether files were left out that someone should check."""
        return any(self.counts.get(kind) for kind in LEFT_OUT)

    @property
    def to_do(self) -> str:
        """What a person should do, in a few words."""
        told = [f"{kind}: {what}" for kind, what in TO_DO.items() if self.counts.get(kind)]
        told += [UNKNOWN] if self.unknown else []
        return "; ".join([*told, *([OVERDUE] if self.is_overdue(datetime.now(UTC)) else [])])

    def is_overdue(self, now: datetime) -> bool:
        """Whether no file has been loaded for longer than the dataset's contract expects one."""
        every = timedelta(seconds=self.dataset.expect_seconds)
        if not every or not self.newest_at:
            return False
        return now - datetime.fromisoformat(self.newest_at).replace(tzinfo=UTC) > every


def lines(states: list[State], room: int | None, suffix: str = "") -> list[str]:
    """A line for each dataset: a table if it fits into ``room`` columns (None: it does), else in words.

    suffix: what a suggested command needs at its end.
    """
    shown = [
        kind for kind in COUNTS if kind in ALWAYS or any(state.counts.get(kind) for state in states)
    ]
    rows: list[list[Value]] = [
        [
            state.dataset.name,
            *(state.counts.get(kind, 0) for kind in shown),
            _count(state.rows, states),
            _newest(state),
            state.to_do,
        ]
        for state in states
    ]
    told = aligned(["dataset", *shown, "rows", "newest file", "to do"], rows).splitlines()
    if room is not None and max(map(len, told)) > room:
        told = [_in_words(state, shown) for state in states]
    for state in states:
        if state.not_taken:
            told.append(_not_taken(state))
        if state.left_out:
            told.append(_left_out(state, suffix))
    if any(state.asks or state.counts.get("missing") for state in states):
        told += ["which files, and why:", f"  {WHICH}{suffix}"]
    if states and (why := states[0].not_seen):
        told.append(f"The bucket was not compared with the ledger: {why}.")
    return told


def _count(rows: int | None, states: list[State]) -> str:
    """The number of rows of a dataset with a fact table, aligned to the right."""
    wide = max((len(f"{each.rows:,}") for each in states if each.rows is not None), default=0)
    return "" if rows is None else f"{rows:,}".rjust(max(wide, len("rows")))


def _newest(state: State) -> str:
    name = visible(state.newest.removeprefix(state.dataset.prefix))
    return f"{state.newest_at} {name}".strip()


def _in_words(state: State, shown: list[str]) -> str:
    counts = ", ".join(f"{state.counts.get(kind, 0):,} {kind}" for kind in shown)
    rows = "" if state.rows is None else f"; {state.rows:,} rows of {state.dataset.fact_table}"
    newest = f"; newest {_newest(state)}" if state.newest else ""
    to_do = f"; to do: {state.to_do}" if state.to_do else ""
    return f"{state.dataset.name}: {counts}{rows}{newest}{to_do}"


def _left_out(state: State, suffix: str) -> str:
    rows = "row" if state.left_out == 1 else "rows"
    return (
        f"{state.dataset.name}: {state.left_out:,} bad {rows} left out of loaded files; loader rejected --rows{suffix} "
        "shows them. Upload corrected rows in a file of their own"
    )


def _not_taken(state: State) -> str:
    keys = ", ".join(visible(key) for key in state.not_taken[:NOT_TAKEN_SHOWN])
    more = len(state.not_taken) - NOT_TAKEN_SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    *others, last = state.dataset.suffixes
    ends = f"{', '.join(others)} or {last}" if others else last
    return f"not taken by {state.dataset.name} (its files end with {ends}): {keys}{rest}"
