"""The samples as a relation of DuckDB that is read as often as needed, in constant memory.

Every value comes as text, and rules.py says in SQL what each text is: DuckDB's own sniffing of types is not used,
because it looks at the first rows only, and takes leading zeros for numbers.
"""

import csv as csv_format
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from contracts.add import sniffing
from contracts.add.problem import NoContract
from contracts.add.samples import LARGEST_OBJECT, Sample, as_lines, head, unpacked
from contracts.model import Csv

SNIFFED = 20
"""CSV files whose starts say how all are written."""
MEMORY = "512MB"
"""Of DuckDB; what does not fit is written to the work folder."""


def connection(work: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that writes to the work folder what does not fit."""
    return duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "threads": min(os.cpu_count() or 2, 4),
            "temp_directory": str(work / "spilled"),
            "preserve_insertion_order": False,
        }
    )


def literal(text: str) -> str:
    """A text as SQL."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def _listed(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(literal, texts))}]"


@dataclass
class Json:
    """JSON records. source: a query with the column j, a JSON object (or, of an array, any element)."""

    db: duckdb.DuckDBPyConnection
    source: str
    rows: int = 0

    def values(self, paths: Sequence[Sequence[str]], *, whole: bool = False) -> str:
        """A query with the list v: the JSON text of each path, NULL where a record has none; and ``whole``, j."""
        at = _listed([pointer(path) for path in paths])
        return f"SELECT json_extract(j, {at}) AS v{', j' if whole else ''} FROM ({self.source})"  # noqa: S608

    def elements(self, path: Sequence[str]) -> "Json":
        """The elements of the array at a path."""
        at = literal(pointer(path))
        # Other values than arrays become NULL, which has no elements.
        return Json(
            self.db,
            f"SELECT unnest(from_json(json_extract(j, {at}), '[\"JSON\"]')) AS j FROM ({self.source})",  # noqa: S608
        )

    def first(self, rows: int) -> "Json":
        """The first of them."""
        return Json(self.db, f"{self.source} LIMIT {rows}", rows)

    def keys(self, objects: Sequence[Sequence[str]]) -> Iterator[tuple[int, str, int]]:
        """The keys of the objects at paths, as they stand: the path's number, a key, and how often it is there."""
        at = _listed([pointer(path) for path in objects])
        numbers = f"unnest(range({len(objects)})) AS p"
        listed = f"SELECT {numbers}, unnest(json_keys(j, {at})) AS k FROM ({self.source})"  # noqa: S608
        each = f"SELECT p, unnest(k) AS key, unnest(range(len(k))) AS place FROM ({listed})"  # noqa: S608
        found = self.db.execute(
            f"SELECT p, key, count(*) FROM ({each}) GROUP BY p, key ORDER BY p, max(place), count(*) DESC, key"  # noqa: S608
        )
        while some := found.fetchmany(1000):
            yield from some


@dataclass
class Table:
    """CSV records."""

    db: duckdb.DuckDBPyConnection
    source: str
    names: list[str]
    rows: int = 0

    def values(self, paths: Sequence[Sequence[str]], *, whole: bool = False) -> str:
        """As Json.values, with the text of each field; all of them are ``whole``."""
        picked = ", ".join(f"v[{self.names.index(path[0]) + 1}]" for path in paths)
        return f"SELECT [{picked}] AS v{', v AS whole' if whole else ''} FROM ({self.source})"  # noqa: S608


def pointer(path: Sequence[str]) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)


# -- JSON --------------------------------------------------------------------------------------
def json_records(
    db: duckdb.DuckDBPyConnection, samples: Sequence[Sample], work: Path
) -> tuple[Json, list[str]]:
    """The records of JSON files, and the keys of files without any. Raises NoContract if no file has one."""
    kept, empty = _with_content(samples)
    paths = {n: _readable(s, work, n) for n, s in enumerate(kept) if s.packed != ".bz2"}
    clean = _clean(db, paths)
    rows = sum(clean.values())
    for number, sample in enumerate(kept):
        if number not in clean:
            paths[number] = as_lines(sample, work / f"lines-{number}.jsonl")
            rows += sum(_clean(db, {number: paths[number]}).values())
    files = [str(path) for path in paths.values() if path.stat().st_size]
    records = Json(db, f"SELECT j FROM {_read(files)}" if files else "", rows)  # noqa: S608
    if not records.rows:
        raise NoContract(_nothing(samples, "JSON object"))
    return records, empty


def _nothing(samples: Sequence[Sample], what: str) -> str:
    said = [f"{sample.key}: {name}" for sample in samples for name in sample.bad.named]
    return f"No sample has a {what} in it. {'; '.join(said[:5]) or 'The files are empty.'}"


def _with_content(samples: Sequence[Sample]) -> tuple[list[Sample], list[str]]:
    """The samples that have some, and the keys of those that are empty."""
    kept, empty = [], []
    for sample in samples:
        if head(sample).strip():
            kept.append(sample)
        elif not sample.bad.count:
            empty.append(sample.key)
    return kept, empty


def _clean(db: duckdb.DuckDBPyConnection, paths: dict[int, Path]) -> dict[int, int]:
    """The numbers of the files that DuckDB reads to the end, each line an object, and how many they have."""
    if not paths:
        return {}
    numbers = {str(path): number for number, path in paths.items()}
    try:
        found = db.execute(
            f"SELECT filename, count(*), count(*) FILTER (j IS NULL OR NOT starts_with(j::VARCHAR, '{{')) "  # noqa: S608
            f"FROM {_read([*numbers])} GROUP BY 1"
        ).fetchall()
    except duckdb.Error:  # it does not say which file
        if len(paths) == 1:
            return {}
        return {n: c for one, path in paths.items() for n, c in _clean(db, {one: path}).items()}
    return {numbers[path]: count for path, count, wrong in found if not wrong}


def _read(files: Sequence[str]) -> str:
    return (
        f"read_json({_listed(files)}, format = 'newline_delimited', records = 'false', columns = {{'j': 'JSON'}}, "
        f"ignore_errors = true, filename = true, maximum_object_size = {LARGEST_OBJECT + 2})"
    )


def _readable(sample: Sample, work: Path, number: int) -> Path:
    """A path of the sample without the characters that are patterns to DuckDB."""
    path = sample.path.resolve()
    if not set("*?[]") & set(str(path)):
        return path
    link = work / f"link-{number}{sample.ending}{sample.packed}"
    link.symlink_to(path)
    return link


# -- Parquet -----------------------------------------------------------------------------------
@dataclass
class ParquetFiles:
    """The records of Parquet files as JSON. types: DuckDB's, by column; differing: files with another type of one."""

    records: Json
    types: dict[str, str]
    differing: list[str] = field(default_factory=list)


def parquet_records(
    db: duckdb.DuckDBPyConnection, samples: Sequence[Sample], work: Path
) -> ParquetFiles:
    """The records of Parquet files, and the type that most give each column. Raises NoContract if there are none."""
    said: dict[str, Counter[str]] = {}
    schemas: dict[str, dict[str, str]] = {}
    files = []
    for number, sample in enumerate(samples):
        path = str(_readable(sample, work, number))
        try:
            described = rows_of(db, f"DESCRIBE SELECT * FROM read_parquet({literal(path)})")  # noqa: S608
        except duckdb.Error as error:
            sample.bad.add(f"not readable as Parquet: {str(error).splitlines()[0]}")
            continue
        files.append(path)
        schemas[sample.key] = {str(name): str(kind) for name, kind, *_ in described}
        for name, kind in schemas[sample.key].items():
            said.setdefault(name, Counter())[kind] += 1
    source = f"read_parquet({_listed(files)}, union_by_name = true)"
    rows = rows_of(db, f"SELECT count(*) FROM {source}")[0][0] if files else 0  # noqa: S608
    if not rows:
        raise NoContract(_nothing(samples, "row"))
    types = {name: kinds.most_common(1)[0][0] for name, kinds in said.items()}
    differing = [key for key, schema in schemas.items() if schema != types]
    # No column has this alias for its name, which would be meant then.
    as_json = (
        f'SELECT to_json("a row of {len(types)}") AS j FROM {source} AS "a row of {len(types)}"'  # noqa: S608
    )
    return ParquetFiles(Json(db, as_json, rows), types, differing)


# -- CSV ---------------------------------------------------------------------------------------
@dataclass
class CsvFiles:
    """CSV files that are read alike. without: keys of files without a record."""

    table: Table
    csv: Csv
    without: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


def csv_records(db: duckdb.DuckDBPyConnection, samples: Sequence[Sample], work: Path) -> CsvFiles:
    """The records of CSV files, with the delimiter, quote and header that the first bytes of the files show."""
    kept, empty = _with_content(samples)
    starts: list[str] = []
    for sample in [*kept]:
        try:
            text = _text(head(sample))
            if len(starts) < SNIFFED:
                starts.append(text)
        except UnicodeDecodeError as error:
            sample.bad.add(f"not UTF-8 ({error.reason})")
            kept.remove(sample)
    if not kept:
        raise NoContract(_nothing(samples, "record"))
    csv = sniffing.dialect(starts)
    groups: dict[tuple[str, ...], list[tuple[Sample, Path]]] = {}
    for number, sample in enumerate(kept):
        lines = _text(head(sample)).splitlines(True)
        first = next(csv_format.reader(lines, **sniffing.reading(csv)), [])
        path = _readable(sample, work, number)
        if sample.packed == ".bz2":
            path = unpacked(sample, work / f"unpacked-{number}{sample.ending}")
        of_file = tuple(sniffing.names(first, csv.header))
        groups.setdefault(of_file, []).append((sample, path))
    if csv.header:
        _without_header(groups)
    names = [*dict.fromkeys(name for group in groups for name in group)]
    parts, rows = [], 0
    for number, (group, files) in enumerate(groups.items()):
        source, count = _csv_group(db, csv, group, files, number)
        picked = ", ".join(
            f"c{group.index(name)}" if name in group else "NULL::VARCHAR" for name in names
        )
        parts.append(f"SELECT [{picked}] AS v FROM {source}")  # noqa: S608
        rows += count
    if not rows:
        raise NoContract(_nothing(samples, "record"))
    found = CsvFiles(Table(db, " UNION ALL ".join(parts), names, rows), csv, empty)
    if len(groups) > 1:
        usual = max(groups, key=lambda group: len(groups[group]))
        found.differing = [s.key for group in groups if group != usual for s, _ in groups[group]]
    return found


def _without_header(groups: dict[tuple[str, ...], list[tuple[Sample, Path]]]) -> None:
    """Takes out the files whose first line has no name of the others' headers: it is no header."""
    usual = {name.lower() for name in max(groups, key=lambda group: len(groups[group]))}
    for group in [*groups]:
        if not usual & {name.lower() for name in group}:
            for sample, _ in groups.pop(group):
                sample.bad.add("line 1: not the header of the other files, so the file is left out")


def _text(start: bytes) -> str:
    """The text of a file's start, which may end inside of a letter."""
    try:
        return start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            raise
        return start[: error.start].decode("utf-8-sig")


def _csv_group(
    db: duckdb.DuckDBPyConnection,
    csv: Csv,
    names: Sequence[str],
    files: Sequence[tuple[Sample, Path]],
    number: int,
) -> tuple[str, int]:
    """The relation of files with the same header, and how many records it has."""

    def read(paths: Sequence[Path], more: str) -> str:
        columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(names)))
        return (
            f"read_csv({_listed([str(p) for p in paths])}, auto_detect = false, columns = {{{columns}}}, "
            f"delim = {literal(csv.delimiter)}, quote = {literal(csv.quote)}, escape = {literal(csv.quote)}, "
            f"header = {str(csv.header).lower()}, {more})"
        )

    rejects = f"rejects_{number}"
    good, rows = [], 0
    for order, (sample, path) in enumerate(files):
        table = f"{rejects}_{order}"
        counted = read(
            [path],
            f"store_rejects = true, rejects_table = '{table}', rejects_scan = '{table}_scan', rejects_limit = 1000000",
        )
        try:
            [(count,)] = db.execute(f"SELECT count(*) FROM {counted}").fetchall()  # noqa: S608
            for line, why in db.execute(
                f"SELECT line, min(error_message) FROM {table} GROUP BY 1 ORDER BY 1"  # noqa: S608
            ).fetchall():
                sample.bad.add(f"line {line}: {str(why).splitlines()[0]}")
            good.append(path)
            rows += count
        except duckdb.Error as error:
            sample.bad.add(str(error).splitlines()[0])
        finally:
            db.execute(f"DROP TABLE IF EXISTS {table}; DROP TABLE IF EXISTS {table}_scan")
    empty = f"(SELECT {', '.join(f'NULL::VARCHAR AS c{n}' for n in range(len(names)))} LIMIT 0)"
    return (read(good, "ignore_errors = true") if good else empty), rows


def rows_of(db: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    found: list[tuple[Any, ...]] = db.execute(query).fetchall()
    return found
