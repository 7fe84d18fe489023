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


def count(
    records: Json | Table, combinations: Sequence[Sequence[Candidate]]
) -> tuple[int, list[int]]:
    """How many different records there are, and how many different values of each combination."""
    used = list(dict.fromkeys(one for some in combinations for one in some))
    places = {one: number for number, one in enumerate(used, 1)}
    counts = [
        f"count(DISTINCT hash({', '.join(f'v[{places[one]}]' for one in some)}))"
        for some in combinations
    ]
    query = f"SELECT {', '.join(counts)} FROM ({records.values([one.path for one in used])})"  # noqa: S608
    whole = records.source.strip()
    column = "j" if isinstance(records, Json) else "v"
    [(different,)] = rows_of(
        records.db, f"SELECT count(DISTINCT hash({column}::VARCHAR)) FROM ({whole})"
    )
    [found] = rows_of(records.db, query)
    return different, list(found)


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
    by_name = {one.name: one for one in candidates}
    if key:
        return _given(records, by_name, list(key), newest, candidates)
    ids = sorted(
        (one for one in candidates if one.kind == "id"),
        key=lambda one: (-_fits(one.name, dataset), -one.distinct),
    )[:MOST]
    versions = sorted(
        (one for one in candidates if one.kind in ("time", "whole") and _is_update(one.name)),
        key=lambda one: -_update_rank(one.name),
    )[:2]
    times = [one for one in candidates if one.kind == "time" and one not in versions][:2]
    parts = [one for one in candidates if one.kind == "part"][:MOST]
    others = [
        one
        for one in candidates
        if one.kind in ("other", "part") and one.distinct >= ALMOST * records.rows
    ][:3]
    tried: list[tuple[Candidate, ...]] = [(one,) for one in [*ids, *others]]
    tried += [(one, when) for one in ids for when in [*versions, *times]]
    pairs = [*itertools.combinations(ids, 2), *((one, part) for one in ids for part in parts)]
    tried += pairs
    tried += [(*pair, when) for pair in pairs[:12] for when in versions]
    tried = list(dict.fromkeys(tried))
    if not tried:
        return _keyless([])
    different, counts = count(records, tried)
    exact = dict(zip(tried, counts, strict=True))
    whole = {some for some, number in exact.items() if number == different}
    return _chosen(
        dataset, records, exact, whole, different, ids, versions, times, pairs, others, ask
    )


def _chosen(
    dataset: str,
    records: Json | Table,
    exact: dict[tuple[Candidate, ...], int],
    whole: set[tuple[Candidate, ...]],
    different: int,
    ids: Sequence[Candidate],
    versions: Sequence[Candidate],
    times: Sequence[Candidate],
    pairs: Sequence[tuple[Candidate, ...]],
    others: Sequence[Candidate],
    ask: Ask,
) -> Keys:
    rows = records.rows
    copies = (
        [f"{rows - different:,} records are there twice, word for word"] if different < rows else []
    )
    newest = versions[0].name if versions else "none"
    unique = [one for one in ids if (one,) in whole]
    versioned = [
        (one, when)
        for one in ids
        for when in versions
        if (one, when) in whole and exact[(one,)] < different
    ]
    strong = [(one, when) for one, when in versioned if _fits(one.name, dataset)]
    if unique and not (strong and not _fits(unique[0].name, dataset)):
        one = unique[0]
        return Keys([one.name], newest, [f"{one.name} is in every row and never twice", *copies])
    if versioned:
        one, when = max(
            strong or versioned, key=lambda some: (exact[(some[0],)], -ids.index(some[0]))
        )
        why = f"{exact[(one,)]:,} different {one.name} in {rows:,} rows; with {when.name} each row is another"
        return Keys([one.name], when.name, [why, *copies])
    for pair in sorted(
        (p for p in pairs if p in whole),
        key=lambda p: [_fits(one.name, dataset) for one in p],
        reverse=True,
    ):
        said = " and ".join(one.name for one in pair)
        return Keys(
            [one.name for one in pair],
            newest,
            [f"{said} together are in every row and never twice", *copies],
        )
    for pair in pairs:
        for when in versions:
            if (*pair, when) in whole:
                said = " and ".join(one.name for one in pair)
                return Keys(
                    [one.name for one in pair],
                    when.name,
                    [f"{said}: with {when.name} each row is another", *copies],
                )
    return _asked(whole, ids, times, others, copies, ask)


def _asked(
    whole: set[tuple[Candidate, ...]],
    ids: Sequence[Candidate],
    times: Sequence[Candidate],
    others: Sequence[Candidate],
    copies: list[str],
    ask: Ask,
) -> Keys:
    """Combinations that are unique in the samples, but whose names do not say that they identify a row."""
    unsure = [(one,) for one in others if (one,) in whole]
    unsure += [(one, when) for one in ids for when in times if (one, when) in whole]
    for some in unsure:
        said = ", ".join(one.name for one in some)
        answer = ask(
            f"Does {said} identify a row? No two rows of the samples have the same.",
            [("no", "no: rows are appended, each file once"), ("yes", f"yes: key: [{said}]")],
        )
        if answer == "yes":
            return Keys([one.name for one in some], "none", [f"{said}, as you said", *copies])
    made = _keyless(copies)
    made.why += [
        f"could be: key: [{', '.join(one.name for one in some)}], newest: none" for some in unsure
    ]
    return made


def _keyless(copies: list[str]) -> Keys:
    return Keys(
        why=[
            "no column identifies a row: rows are appended, and each file is loaded exactly once. A copy of a file under "
            "another name adds its rows again",
            *copies,
        ]
    )


def _given(
    records: Json | Table,
    by_name: dict[str, Candidate],
    key: list[str],
    newest: str,
    candidates: Sequence[Candidate],
) -> Keys:
    made = Keys(key, newest)
    found = [by_name.get(name) for name in key]
    for name, one in zip(key, found, strict=True):
        if one is None:
            made.warnings.append(
                f"key: {name} has no value in some rows (or is of a type without exact values): these rows are bad"
            )
    if not newest:
        updates = [
            one for one in candidates if one.kind in ("time", "whole") and _is_update(one.name)
        ]
        updates.sort(key=lambda one: -_update_rank(one.name))
        made.newest = updates[0].name if updates and updates[0].name not in key else "none"
    made.why.append("as given")
    there = tuple(one for one in found if one)
    if len(there) == len(key):
        when = by_name.get(made.newest)
        with_newest = (*there, when) if when else there
        different, counts = count(records, [there, with_newest])
        made.why.append(f"{counts[0]:,} different keys in {records.rows:,} rows")
        if counts[1] < different:
            made.warnings.append(
                f"{different - counts[1]:,} rows have the key{f' and {made.newest}' if when else ''} of another row, "
                "but other content: the smaller content wins"
            )
    return made


def _fits(name: str, dataset: str) -> int:
    """How well a name fits the dataset's: order_id for orders; 2 for its own id, 0 for another's."""
    one = singular(dataset)
    last = one.rsplit("_", maxsplit=1)[-1]
    own = ("id", "uuid", "guid", "key", *(f"{o}_{end}" for o in (one, last, dataset) for end in ("id", "uuid", "key", "no", "nr", "number", "code", "ref")))  # fmt: skip
    return 2 if name in own else 0


def _is_update(name: str) -> bool:
    return _update_rank(name) > 0


def _update_rank(name: str) -> int:
    words = name.split("_")
    return max(
        (len(_UPDATED) - _UPDATED.index(word) for word in words if word in _UPDATED), default=0
    )
