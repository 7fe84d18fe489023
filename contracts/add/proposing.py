"""Samples -> a proposal: each column with its path, its type and the reason; the key; what a person should look at."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

from contracts import paths
from contracts.add import keys, names, rules, samples, structure
from contracts.add.judging import Ask, Decision, decide, personal, values, varchar
from contracts.add.keys import Keys
from contracts.add.problem import NoContract
from contracts.add.records import (
    CsvFiles,
    Json,
    ParquetFiles,
    Table,
    connection,
    csv_records,
    json_records,
    parquet_records,
    rows_of,
)
from contracts.add.rules import Found, Stats
from contracts.model import Csv
from contracts.reading import PLAIN_FORMATS
from contracts.types import LONGEST_VARCHAR

MOST_TABLES = 10
MOST_RENAMED = 10
# DuckDB's type of a column of Parquet -> the column's. Any other only SUPER takes.
_PARQUET = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER"), "integer"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"), "timestamp"),
    "BIGINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "DATE": "date",
}
_EXAMPLE = re.compile(r" \(such as .*?\)(?=[;:]|$)")
_PARTITION = re.compile(r"([A-Za-z_][A-Za-z0-9_-]{0,62})=([^/]+)/")


@dataclass
class Column:
    """A column of the proposal. filled: part of the rows with a value; distinct: about how many, None if not counted.

    person: what of a person the values are ('' if nothing says so); such a column has no example.
    """

    name: str
    paths: list[tuple[str, ...]]
    type: str
    format: str = ""
    mask: str = ""
    from_key: str = ""
    filled: float = 0.0
    distinct: int | None = None
    example: str = ""
    why: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    person: str = ""
    stats: Stats = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its paths, as a contract writes them."""
        return ", ".join(str(paths.Path(path)) for path in self.paths)


@dataclass
class Child:
    """A table of an array's elements. rows: of the samples.

    whole: the column that takes the array if there is no table of it
    """

    name: str
    each: tuple[str, ...]
    columns: list[Column]
    rows: int
    whole: Column


@dataclass
class Proposal:
    """What a dataset.yaml is made of, and what is to be shown.

    bad: records that cannot be read, as ``file, line: why``, and how many there are in all
    notes: of the samples as a whole; warnings of a column are with it
    by_name: whether a path is the name of a column, as in CSV and Parquet
    """

    dataset: str
    files: list[str]
    columns: list[Column]
    tables: list[Child]
    keys: Keys
    rows: int
    sample_files: int
    csv: Csv | None = None
    by_name: bool = False
    bad: list[str] = field(default_factory=list)
    bad_count: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """All of them, each with its column."""
        of_tables = [
            (f"{table.name}.", column) for table in self.tables for column in table.columns
        ]
        of_columns = [
            (f"{above}{c.name}", w)
            for above, c in [*(("", c) for c in self.columns), *of_tables]
            for w in c.warnings
        ]
        return [
            *self.notes,
            *self.keys.warnings,
            *(f"{name}: {warning}" for name, warning in of_columns),
        ]


@dataclass(frozen=True)
class Wishes:
    """What the command line says: key and newest, columns to mask, patterns of files."""

    key: Sequence[str] = ()
    newest: str = ""
    mask: Sequence[str] = ()
    files: Sequence[str] = ()


def propose(
    dataset: str, given: Sequence[str], work: FilePath, wishes: Wishes, ask: Ask
) -> Proposal:
    """Reads all samples. ``work``: an empty folder for what does not fit into memory. Raises NoContract."""
    place = samples.find(list(given), work)
    db = connection(work)
    try:
        if place.samples[0].format == "csv":
            made = _of_csv(dataset, place, csv_records(db, place.samples, work), wishes, ask)
        elif place.samples[0].format == "parquet":
            read = parquet_records(db, place.samples, work)
            made = _of_json(dataset, place, read.records, [], wishes, ask, types=read.types)
            made.notes += _differing(read)
        else:
            made = _of_json(dataset, place, *json_records(db, place.samples, work), wishes, ask)
    finally:
        db.close()
    if wishes.newest and not made.keys.key:
        raise NoContract(f"--newest {wishes.newest} needs a key: give --key too.")
    made.files = list(wishes.files) or _patterns(dataset, place)
    made.notes += [f"left out: {said}" for said in place.left_out]
    made.bad = [f"{s.key}: {said}" for s in place.samples for said in s.bad.named]
    made.bad_count = sum(sample.bad.count for sample in place.samples)
    _partitions(made, place)
    _one_format(made)
    unknown = set(wishes.mask) - {c.name for c in _all(made)}
    if unknown:
        raise NoContract(
            f"--mask {', '.join(sorted(unknown))}: there is no such column. {_columns_are(made.columns)}"
        )
    return made


def _columns_are(columns: Iterable[Column]) -> str:
    return f"The columns are {', '.join(column.name for column in columns)}."


def _all(made: Proposal) -> list[Column]:
    return [*made.columns, *(column for table in made.tables for column in table.columns)]


def _patterns(dataset: str, place: samples.Place) -> list[str]:
    prefix = place.prefix or f"{dataset}/"
    endings = Counter(sample.ending for sample in place.samples)
    return [f"{prefix}*{ending}" for ending, _ in endings.most_common()]


# -- CSV ---------------------------------------------------------------------------------------
def _of_csv(
    dataset: str, place: samples.Place, read: CsvFiles, wishes: Wishes, ask: Ask
) -> Proposal:
    table: Table = read.table
    first: dict[str, str] = {}
    doubled = []
    for name in table.names:
        if first.setdefault(name.lower(), name) != name:
            doubled.append(name)
    kept = list(first.values())
    stats = rules.profile(table, [(name,) for name in kept])
    csv = _null(read.csv, stats)
    columns: list[Column] = []
    for number, (header, found) in enumerate(zip(kept, stats, strict=True), 1):
        name, why = names.column((header,), number)
        name = names.free(name, (column.name for column in columns))
        decision = decide(name, found, csv=True, ask=ask)
        column = _column(name, [(header,)], decision, found, table.rows, csv=True)
        column.why += [why] if why else []
        columns.append(column)
    made = Proposal(dataset, [], columns, [], Keys(), table.rows, len(place.samples), csv)
    made.notes += [f"{key}: empty" for key in read.without]
    if doubled:
        made.notes.append(
            f"the header has {', '.join(doubled)} a second time (names are compared without case): the first is taken"
        )
    if read.differing:
        made.notes.append(
            f"{len(read.differing)} files have another header than most, such as {read.differing[0]}: a file whose "
            "header lacks a column of the contract is rejected"
        )
    _mask(columns, wishes, ask)
    made.keys = _keys(dataset, table, made, wishes, ask)
    return made


def _null(csv: Csv, stats: Sequence[Stats]) -> Csv:
    """The text that stands for NULL, if it is not the empty one."""
    texts: Counter[str] = Counter()
    for found in stats:
        if "null_text" in found:
            texts[found["null_text"].example] += found["null_text"].n
    texts.pop("\\N", None)  # a contract cannot say it, and COPY reads it as NULL by itself
    return replace(csv, null=texts.most_common(1)[0][0]) if texts else csv


# -- JSON --------------------------------------------------------------------------------------
def _of_json(
    dataset: str,
    place: samples.Place,
    records: Json,
    empty: list[str],
    wishes: Wishes,
    ask: Ask,
    *,
    types: Mapping[str, str] | None = None,
) -> Proposal:
    """``types``: of the columns of Parquet files, which decide instead of the values."""
    root = structure.tree(records)
    found = [*structure.leaves(root, whole=types is not None)]
    tables = [leaf for leaf in found if leaf.kind == "objects"]
    columns = _columns(
        records,
        [leaf for leaf in found if leaf not in tables[:MOST_TABLES]],
        records.rows,
        ask,
        apart=types is not None,
    )
    if types is not None:
        for column in columns:
            _as_in_parquet(column, types[column.paths[0][0]])
    made = Proposal(dataset, [], columns, [], Keys(), records.rows, len(place.samples))
    made.by_name = types is not None
    made.notes += [f"{key}: empty" for key in empty]
    made.notes += [
        f"the key {key!r} cannot be named in a path, so nothing loads it"
        for key in structure.unnamed(root)
    ]
    made.notes += _doubled(root)
    if not columns:
        raise NoContract("The records have no key that could become a column.")
    _mask(columns, wishes, ask)
    made.keys = _keys(dataset, records, made, wishes, ask)
    for leaf in tables[:MOST_TABLES]:
        made.tables.append(_child(dataset, records, leaf, made, ask))
        _mask(made.tables[-1].columns, wishes, ask)
    return made


def _differing(read: ParquetFiles) -> list[str]:
    if not read.differing:
        return []
    said = (
        f"{len(read.differing)} files have other columns or types than most, such as {read.differing[0]}: a file is "
        "rejected that lacks a column of the contract, or has it of another type"
    )
    return [said]


def _as_in_parquet(column: Column, kind: str) -> None:
    """Gives the column the type that COPY takes of a column of DuckDB's type ``kind``."""
    is_epoch = kind == "BIGINT" and column.format.startswith("epoch")
    if is_epoch or re.match(r"STRUCT|MAP|.*\]$", kind):
        return
    column.format = ""
    if kind in ("VARCHAR", "JSON", "BLOB"):
        column.type = varchar(max((found.longest for found in column.stats.values()), default=0))
    elif kind.startswith("DECIMAL"):
        column.type = kind.lower()
    else:
        column.type = _PARQUET.get(kind, "super")
    column.why = [] if column.type != "super" else [f"COPY takes {kind} of Parquet as super only"]
    column.warnings = []
    if kind == "TIMESTAMP_NS":
        column.type = "timestamp"
        column.warnings.append(
            "the files have nanoseconds, which are not loaded: write microseconds or milliseconds"
        )


def _doubled(node: structure.Node, above: tuple[str, ...] = ()) -> list[str]:
    said = []
    for key, inner in node.below.items():
        path = (*above, key)
        if inner.doubled > 0:
            said.append(
                f"{paths.Path(path)}: the key is there twice in {inner.doubled:,} records; which of them COPY takes is "
                "not documented"
            )
        said += _doubled(inner, path)
    return said


def _columns(
    records: Json, leaves: Sequence[structure.Leaf], rows: int, ask: Ask, *, apart: bool = False
) -> list[Column]:
    """The columns of leaves; leaves whose paths make the same name are one column, if no record has both, and they are
    not to be ``apart``.
    """
    profiled = {leaf.path: leaf.node.stats for leaf in leaves if leaf.kind == "value"}
    groups: dict[str, list[structure.Leaf]] = {}
    whys: dict[str, str] = {}
    joined = {} if apart else _renamed(records, profiled, rows, ask)
    for number, leaf in enumerate(leaves, 1):
        name, why = names.column(joined.get(leaf.path, leaf.path), number)
        groups.setdefault(name, []).append(leaf)
        whys[name] = why
    doubled = [[leaf.path for leaf in group] for group in groups.values() if len(group) > 1]
    together = _together(records, doubled)
    columns: list[Column] = []
    for name, group in groups.items():
        kinds = {leaf.kind for leaf in group}
        one = len(group) == 1 or (
            not apart and kinds == {"value"} and not together[tuple(leaf.path for leaf in group)]
        )
        for some in [group] if one else [[leaf] for leaf in group]:
            unique = names.free(
                name, [*(column.name for column in columns), *(g for g in groups if g != name)]
            )
            made = _of_leaves(unique, some, profiled, rows, ask)
            if len(some) > 1:
                said = " and ".join(str(paths.Path(leaf.path)) for leaf in some)
                made.warnings.append(f"{said} are one column: no record has both")
            elif not one:
                made.warnings.append(
                    f"another path makes the name {name} too, and some records have both"
                )
            made.why += [whys[name]] if whys[name] else []
            columns.append(made)
    return columns


def _renamed(
    records: Json, profiled: dict[tuple[str, ...], Stats], rows: int, ask: Ask
) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Paths that are another one's new name, as repo.full_name of repo.name, if a person says so.

    They are beside each other, have kinds of values in common, one has the other's words, and no record has both.
    """
    there = {path: sum(f.n for f in values(stats).values()) for path, stats in profiled.items()}
    pairs = [
        (one, other)
        for one, other in itertools.combinations(profiled, 2)
        if one[:-1] == other[:-1]
        and min(there[one], there[other]) > 0
        and there[one] + there[other] <= rows
        and values(profiled[one]).keys() & values(profiled[other]).keys()
        and _one_in_the_other(one[-1], other[-1])
    ][:MOST_RENAMED]
    both = _together(records, pairs)
    found = {}
    for one, other in pairs:
        if not both[one, other] and one not in found and other not in found:
            shown, new = (str(paths.Path(path)) for path in (one, other))
            answer = ask(
                f"No record has both {shown} and {new}. Are they one column?",
                [("no", "two columns"), ("yes", f"one: path: [{shown}, {new}]")],
            )
            if answer == "yes":
                found[other] = one
    return found


def _one_in_the_other(one: str, other: str) -> bool:
    """Whether a key has all words of another, and more."""
    first, second = (set(names.words(key).split("_")) for key in (one, other))
    return first < second or second < first


def _together(
    records: Json, groups: Sequence[Sequence[tuple[str, ...]]]
) -> dict[tuple[tuple[str, ...], ...], bool]:
    """For each group, whether some record has a value at two of its paths."""
    if not groups:
        return {}
    flat = [path for group in groups for path in group]
    numbers = iter(range(1, len(flat) + 1))
    tests = []
    for group in groups:
        there = [f"(v[{next(numbers)}]::VARCHAR <> 'null')::INTEGER" for _ in group]
        tests.append(f"max({' + '.join(f'coalesce({one}, 0)' for one in there)}) > 1")
    [found] = rows_of(records.db, f"SELECT {', '.join(tests)} FROM ({records.values(flat)})")  # noqa: S608
    return {tuple(group): bool(both) for group, both in zip(groups, found, strict=True)}


def _of_leaves(
    name: str,
    group: Sequence[structure.Leaf],
    profiled: dict[tuple[str, ...], Stats],
    rows: int,
    ask: Ask,
) -> Column:
    first = group[0]
    if first.kind != "value":
        there = sum(count for kind, count in first.node.kinds.items() if kind != "null")
        column = Column(name, [first.path], "super", filled=there / max(rows, 1))
        if first.kind == "mixed":
            column.warnings.append(f"{first.why}: super takes them all")
        elif first.kind == "empty":
            column.warnings.append(f"{first.why}, so nothing says what is in them")
        elif first.kind == "scalars":
            column.why.append(
                f'{first.why}; as rows: a table with each: {paths.Path(first.path)} and a column of path "."'
            )
        else:
            column.why.append(first.why)
        return column
    stats: Stats = {}
    for leaf in group:
        for kind, found in profiled[leaf.path].items():
            stats[kind] = _added(stats[kind], found) if kind in stats else found
    decision = decide(name, stats, csv=False, ask=ask)
    return _column(name, [leaf.path for leaf in group], decision, stats, rows)


def _added(one: Found, other: Found) -> Found:
    lows = [each for each in (one.low, other.low) if each is not None]
    highs = [each for each in (one.high, other.high) if each is not None]
    return Found(
        one.n + other.n,
        one.distinct + other.distinct,
        max(one.longest, other.longest),
        one.example,
        min(lows, default=None),
        max(highs, default=None),
        max(one.digits, other.digits),
        max(one.scale, other.scale),
    )


def _child(dataset: str, records: Json, leaf: structure.Leaf, made: Proposal, ask: Ask) -> Child:
    element = leaf.node.element
    if element is None:  # structure.py makes a table of no empty array
        raise NoContract(f"{paths.Path(leaf.path)} has no elements")
    elements = records.elements(leaf.path)
    elements.rows = sum(element.kinds.values())
    inner = [*structure.leaves(element)]
    for each in inner:
        if each.kind in ("objects", "scalars", "empty"):
            each.kind, each.why = "super", "an array inside of an array"
    columns = _columns(elements, inner, elements.rows, ask)
    taken = {name.rstrip("_") for name in made.keys.key} | set(made.keys.key)
    one = names.singular(names.words(leaf.path[-1]) or "element")
    for column in columns:
        if column.name in taken:
            others = [c.name for c in columns if c is not column]
            column.name = names.free(f"{one}_{column.name}", [*others, *taken])
            column.why.append("the parent's key has its name")
        if column.format and column.format not in PLAIN_FORMATS:
            longest = max(found.longest for found in column.stats.values())
            column.warnings.append(
                f"elements of arrays have no format {column.format}, so it is text"
            )
            column.type, column.format = varchar(longest), ""
    used = [table.name for table in made.tables]
    whole = Column(
        names.free(names.column(leaf.path, 0)[0], [column.name for column in made.columns]),
        [leaf.path],
        "super",
        filled=leaf.node.kinds["array"] / max(records.rows, 1),
    )
    return Child(names.table(dataset, leaf.path, used), leaf.path, columns, elements.rows, whole)


# -- columns -----------------------------------------------------------------------------------
def _column(
    name: str,
    of: list[tuple[str, ...]],
    decision: Decision,
    stats: Stats,
    rows: int,
    *,
    csv: bool = False,
) -> Column:
    found = values(stats)
    if csv:
        found.pop("null_text", None)
    usual = max(found.values(), key=lambda each: each.n, default=None)
    return Column(
        name,
        of,
        decision.type,
        decision.format,
        filled=sum(each.n for each in found.values()) / max(rows, 1),
        distinct=sum(each.distinct for each in found.values()),
        example=usual.example if usual else "",
        why=decision.why,
        warnings=decision.warnings,
        person=personal(name, of[0], stats),
        stats=stats,
    )


def _mask(columns: Sequence[Column], wishes: Wishes, ask: Ask) -> None:
    for column in columns:
        if column.name in wishes.mask:
            if column.type == "super":
                raise NoContract(
                    f"--mask {column.name}: a super value has no hash; use mask: drop in the file"
                )
            column.mask = "hash"
        elif column.person and column.type != "super":
            answer = ask(
                f"{column.name} looks like {column.person}. Store it, or only a hash of it?",
                [("no", "store it"), ("hash", "mask: hash")],
            )
            column.mask = "hash" if answer == "hash" else ""
        if column.person or column.mask:  # no value of a person is shown or written
            column.example = "•••" if column.example else ""
            column.why = [said for said in column.why if not re.search("[0-9]", said)]
            column.warnings = [_EXAMPLE.sub("", said) for said in column.warnings]


def _keys(dataset: str, records: Json | Table, made: Proposal, wishes: Wishes, ask: Ask) -> Keys:
    by_name = {column.name: column for column in made.columns}
    for name in [*wishes.key, *([wishes.newest] if wishes.newest not in ("", "none") else [])]:
        if name not in by_name:
            raise NoContract(f"There is no column {name} for the key. {_columns_are(made.columns)}")
    single = [column for column in made.columns if len(column.paths) == 1]
    candidates = [
        keys.candidate(c.name, c.paths[0], c.type, c.stats, records.rows) for c in single if c.stats
    ]
    return keys.search(
        dataset,
        records,
        [one for one in candidates if one],
        key=wishes.key,
        newest=wishes.newest,
        ask=ask,
    )


def _partitions(made: Proposal, place: samples.Place) -> None:
    """Columns of folders such as dt=2026-11-28/ that every file is in."""
    found = [dict(_PARTITION.findall(f"{place.prefix}{sample.key}")) for sample in place.samples]
    for name in found[0] if found else ():
        texts = [each.get(name) for each in found]
        if None in texts:
            continue
        column = names.column((name,), 0)[0]
        if column in {c.name for c in made.columns}:
            made.notes.append(
                f"the folders say {name}=…, but the records have a column {column}: not taken from the key"
            )
            continue
        said = [text for text in texts if text]
        type_ = varchar(max(len(text.encode()) for text in said))
        if all(re.fullmatch(rules.ISO, text) for text in said):
            type_ = "date"
        elif all(re.fullmatch(r"0|[1-9][0-9]{0,8}", text) for text in said):
            type_ = "integer"
        made.columns.append(
            Column(
                column, [], type_, from_key=name, filled=1.0, distinct=len(set(said)), example=said[0],
                why=[f"from the object's key: {name}={said[0]}/"],
            )
        )  # fmt: skip


def _one_format(made: Proposal) -> None:
    """COPY has one format for all dates, and one for all timestamps: columns of another one are text."""
    first: dict[str, str] = {}
    for column in made.columns:
        if not column.format or column.format in PLAIN_FORMATS:
            continue
        if first.setdefault(column.type, column.format) != column.format:
            column.warnings.append(
                f"COPY reads one format of a file's {column.type}s ({first[column.type]}), so {column.format} is text"
            )
            longest = max((found.longest for found in column.stats.values()), default=10)
            column.type, column.format = varchar(min(longest, LONGEST_VARCHAR)), ""
