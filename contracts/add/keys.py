"""Which columns identify a row, and which says what version is the newest: counted over all rows."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.add.judging import Ask, is_id, values
from contracts.add.names import singular
from contracts.add.records import Json, Table, rows_of
from contracts.add.rules import Stats

ALMOST = 0.75
"""Of the rows: a column whose distinct values, which are estimated, are more is counted exactly."""
_UPDATED = (
    "updated",
    "modified",
    "changed",
    "last",
    "version",
    "revision",
    "lsn",
    "sequence",
    "seq",
)
_PARTS = {*("line", "position", "pos", "index", "item", "seq", "sequence", "day", "date", "month", "year", "code"),
          *("sku", "country", "currency", "language", "locale")}  # fmt: skip
MOST = 6
FEW = 20
"""Rows: fewer say little about what identifies one."""
AT_ONCE = 3
KEYLESS = (
    "no column identifies a row: rows are appended, and each file is loaded exactly once. A copy of a file under "
    "another name adds its rows again"
)


@dataclass(frozen=True)
class Candidate:
    """A column that may be in a key: filled in every row. kind: id, time, whole (a version number), part, other."""

    name: str
    path: tuple[str, ...]
    distinct: int
    kind: str


@dataclass
class Keys:
    """key and newest as a contract has them; why: what was counted; warnings: what a person should look at."""

    key: list[str] = field(default_factory=list)
    newest: str = ""
    why: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def candidate(
    name: str, path: Sequence[str], type_: str, stats: Stats, rows: int
) -> Candidate | None:
    """The column as a candidate; None if it cannot be in a key."""
    found = values(stats)
    if sum(each.n for each in found.values()) < rows or type_.startswith(
        ("super", "double", "boolean")
    ):
        return None
    distinct = min(sum(each.distinct for each in found.values()), rows)
    words = set(name.split("_"))
    if type_ == "timestamp" or (type_ == "date" and not words & _PARTS):
        kind = "time"
    elif words & set(_UPDATED) and type_ in ("integer", "bigint"):
        kind = "whole"
    elif type_.startswith("decimal") and not type_.endswith(",0)"):
        return None
    elif is_id(name):
        kind = "id"
    elif words & _PARTS:
        kind = "part"
    else:
        kind = "other"
    return Candidate(name, tuple(path), distinct, kind)


class Counted:
    """Exact counts of different values, each made once. Few at a time: each keeps a number for each row in memory."""

    def __init__(self, records: Json | Table) -> None:
        self._records = records
        self._counts: dict[tuple[Candidate, ...], int] = {}
        self._different: int | None = None

    @property
    def different(self) -> int:
        """How many records there are, without those that are there a second time word for word."""
        if self._different is None:
            self.look([()])
            self._different = self._counts[()]
        return self._different

    def of(self, some: tuple[Candidate, ...]) -> int:
        """How many different values the columns have together."""
        self.look([some])
        return self._counts[some]

    def look(self, combinations: Sequence[tuple[Candidate, ...]]) -> None:
        """Counts several in one reading. () is the record as a whole, as ``different`` counts it."""
        new = [some for some in dict.fromkeys(combinations) if some not in self._counts]
        for first in range(0, len(new), AT_ONCE):
            part = new[first : first + AT_ONCE]
            used = list(dict.fromkeys(one for some in part for one in some))
            places = {one: number for number, one in enumerate(used, 1)}
            whole = "j" if isinstance(self._records, Json) else "whole"
            counts = ", ".join(
                f"count(DISTINCT hash({', '.join(f'v[{places[one]}]' for one in some) or f'{whole}::VARCHAR'}))"
                for some in part
            )
            values_of = self._records.values([one.path for one in used], whole=() in part)
            [row] = rows_of(self._records.db, f"SELECT {counts} FROM ({values_of})")  # noqa: S608
            self._counts.update(zip(part, row, strict=True))

    def unique(self, combinations: Sequence[tuple[Candidate, ...]]) -> list[tuple[Candidate, ...]]:
        """Those that no two different records have in common."""
        if self._different is None and len(combinations) < AT_ONCE:
            self.look([(), *combinations])
        possible = [some for some in combinations if _most(some) >= ALMOST * self.different]
        self.look(possible)
        return [some for some in possible if self._counts[some] == self.different]


def _most(some: tuple[Candidate, ...]) -> int:
    """How many different values the columns can have together, by those that each has."""
    product = 1
    for one in some:
        product *= max(one.distinct, 1)
    return product


def search(
    dataset: str,
    records: Json | Table,
    candidates: Sequence[Candidate],
    *,
    key: Sequence[str] = (),
    newest: str = "",
    ask: Ask,
) -> Keys:
    """The key that was given, or the one that the samples show."""
    counted = Counted(records)
    updates = sorted(
        (one for one in candidates if one.kind in ("time", "whole") and _update_rank(one.name)),
        key=lambda one: -_update_rank(one.name),
    )
    if key:
        return _given(counted, records.rows, candidates, list(key), newest, updates)
    made = _found(dataset, counted, records.rows, candidates, updates, ask)
    if newest and made.key:
        made.newest = newest
    if made.key and records.rows < FEW:
        made.warnings.append(
            f"key: only {records.rows} rows of the samples show it; see whether it is so"
        )
    if counted.different < records.rows:
        twice = records.rows - counted.different
        made.why.append(
            f"{twice:,} record{'s are' if twice > 1 else ' is'} there twice, word for word"
        )
    return made


def _found(
    dataset: str,
    counted: Counted,
    rows: int,
    candidates: Sequence[Candidate],
    updates: Sequence[Candidate],
    ask: Ask,
) -> Keys:
    """What the samples show: an own id, an id with versions, another id, two columns together, or nothing sure."""
    ids = sorted(
        (one for one in candidates if one.kind == "id"),
        key=lambda one: (-_fits(one.name, dataset), -one.distinct),
    )[:MOST]
    own = [one for one in ids if _fits(one.name, dataset)]
    newest = updates[0].name if updates else "none"
    for some in [own, [one for one in ids if one not in own]]:
        if unique := counted.unique([(one,) for one in some]):
            one = unique[0][0]
            return Keys([one.name], newest, [f"{one.name} is in every row and never twice"])
        versioned = counted.unique([(one, when) for one in some for when in updates[:2]])
        if versioned:
            one, when = max(
                versioned, key=lambda pair: (_fits(pair[0].name, dataset), pair[0].distinct)
            )
            number = counted.of((one,))
            why = f"{number:,} different {one.name} in {rows:,} rows; with {when.name} each row is another"
            return Keys([one.name], when.name, [why])
    parts = [one for one in candidates if one.kind == "part"][:MOST]
    pairs = [*itertools.combinations(ids, 2), *((one, part) for one in ids for part in parts)]
    for pair in counted.unique(pairs):
        said = " and ".join(one.name for one in pair)
        return Keys(
            [one.name for one in pair],
            newest,
            [f"{said} together are in every row and never twice"],
        )
    for *pair_, when in counted.unique(
        [(*pair, when) for pair in pairs[:MOST] for when in updates[:1]]
    ):
        said = " and ".join(one.name for one in pair_)
        return Keys(
            [one.name for one in pair_],
            when.name,
            [f"{said}: with {when.name} each row is another"],
        )
    times = [one for one in candidates if one.kind == "time"][:2]
    others = [one for one in candidates if one.kind in ("other", "part")]
    unsure = [
        *counted.unique([(one,) for one in others][:MOST]),
        *counted.unique([(one, when) for one in ids for when in times][:MOST]),
    ]
    return _asked(unsure, ask)


def _asked(unsure: Sequence[tuple[Candidate, ...]], ask: Ask) -> Keys:
    """Combinations that are unique in the samples, but whose names do not say that they identify a row."""
    for some in unsure:
        said = ", ".join(one.name for one in some)
        answer = ask(
            f"Does {said} identify a row? No two rows of the samples have the same.",
            [("no", "no: rows are appended, each file once"), ("yes", f"yes: key: [{said}]")],
        )
        if answer == "yes":
            return Keys([one.name for one in some], "none", [f"{said}, as you said"])
    made = Keys(why=[KEYLESS])
    made.why += [
        f"could be: key: [{', '.join(one.name for one in some)}], newest: none" for some in unsure
    ]
    return made


def _given(
    counted: Counted,
    rows: int,
    candidates: Sequence[Candidate],
    key: list[str],
    newest: str,
    updates: Sequence[Candidate],
) -> Keys:
    by_name = {one.name: one for one in candidates}
    usual = next((one.name for one in updates if one.name not in key), "none")
    made = Keys(key, newest or usual, ["as given"])
    made.warnings += [
        f"key: {name} has no value in some rows, or is of a type without exact values: these rows are bad"
        for name in key
        if name not in by_name
    ]
    there = tuple(by_name[name] for name in key if name in by_name)
    if len(there) == len(key):
        when = by_name.get(made.newest)
        both = (*there, when) if when else there
        counted.look([there, both])
        made.why.append(f"{counted.of(there):,} different keys in {rows:,} rows")
        if (same := counted.different - counted.of(both)) > 0:
            made.warnings.append(
                f"{same:,} rows have the key{f' and {made.newest}' if when else ''} of another row, but other content: "
                "the smaller content wins"
            )
    return made


def _fits(name: str, dataset: str) -> bool:
    """Whether a name is that of the dataset's own id: id, or order_id for orders."""
    one = singular(dataset)
    last = one.rsplit("_", maxsplit=1)[-1]
    ends = ("id", "uuid", "key", "no", "nr", "number", "code", "ref")
    own = {f"{what}_{end}" for what in (one, last, dataset) for end in ends}
    return name in own or name in ("id", "uuid", "guid", "key")


def _update_rank(name: str) -> int:
    words = name.split("_")
    return max(
        (len(_UPDATED) - _UPDATED.index(word) for word in words if word in _UPDATED), default=0
    )
