"""Converts many JSON records to typed columns with DuckDB, where the result is certainly the same.

``plan`` builds SQL for one COPY over a file of JSON lines: each column's value, and whether the row
is *certain*, i.e. whether ``paths`` and ``convert`` would return the same values. They handle the
other rows, and all rows of a COPY without a plan. An expression here may be too careful, never too
bold; fakeshift/tests/test_copy_vectors.py compares the two with generated data.

What DuckDB's reader gives: a VARCHAR column has a JSON string's text, or another value's JSON; a JSON
column has every value's JSON, strings in quotation marks; null and a missing key are NULL; a line that
is not a JSON object is NULL in every column; the first of duplicate keys counts.
"""
# ruff: noqa: S608 - keys are quoted, values are never part of the SQL

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fakeshift.copy.convert import MAX_SUPER_STRING
from fakeshift.copy.paths import Step
from fakeshift.sql.copy_options import CopyOptions
from fakeshift.sql.nodes import Column

_DIGITS = '"[+-]?[0-9]{1,18}"'
_TRUE = ("true", "1", '"true"', '"t"', '"y"', '"yes"', '"1"')
_FALSE = ("false", "0", '"false"', '"f"', '"n"', '"no"', '"0"')
_DAY = r"(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-(0[1-9]|1[0-2])-[0-3][0-9]"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_PLAIN_JSON = (
    r'(?:"[^"\\]*"|true|false|null|(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,7})\.(?:[0-9]{0,5}[1-9]|0))'
    r"(?:[,\]}]|$)|[\[\]{},:])*"
)
"""JSON whose strings have no escapes and whose numbers every reader writes alike."""
_YEAR_1_MS, _YEAR_9999_MS = -62135596800000, 253402300799999


@dataclass(frozen=True)
class Cell:
    """A column: ``value`` is also NULL if unknown; ``certain`` says that it is right.

    ``certain`` refers to the value as c<its number>; NULL counts as true.
    """

    value: str
    certain: str


@dataclass(frozen=True)
class Plan:
    """``reads``: the keys to read with DuckDB's types for them; ``cells`` over k0, k1, ...

    ``nested``: by a key's number, the JSON paths below it, which are read in one go: n<number> is the list of what they
    lead to, e<number>_<1, 2, ...> the text of each, NULL for null.
    """

    reads: dict[str, str]
    cells: Sequence[Cell]
    nested: dict[int, list[str]]

    def certain(self, path: Path) -> str:
        """The certain rows, as c0, c1, ..."""
        columns = ", ".join(f"c{n}" for n in range(len(self.cells)))
        return f"SELECT {columns} FROM ({self._judged(path)}) WHERE certain"

    def uncertain(self, path: Path) -> str:
        """The numbers of the lines, from 0, that ``certain`` leaves out."""
        numbered = f"SELECT row_number() OVER () - 1 AS line, certain FROM ({self._judged(path)})"
        return f"SELECT line FROM ({numbered}) WHERE NOT certain"

    def _judged(self, path: Path) -> str:
        """Computes the values once, then the conditions: DuckDB moves no filter past random()."""
        values = ", ".join(f"{cell.value} AS c{n}" for n, cell in enumerate(self.cells))
        columns = ", ".join(f"c{n}" for n in range(len(self.cells)))
        return (
            f"SELECT {columns}, {self._condition} AND random() >= 0 AS certain "
            f"FROM (SELECT *, {values} FROM ({self._read(path)}))"
        )

    @property
    def _condition(self) -> str:
        """Not false: a NULL text makes its conditions NULL, and is certain."""
        anything = ", ".join(f"k{n}" for n in range(len(self.reads)))
        conditions = [f"coalesce({anything}, NULL) IS NOT NULL"]
        conditions += [cell.certain for cell in self.cells]
        return f"({' AND '.join(conditions)}) IS NOT FALSE"

    def _read(self, path: Path) -> str:
        types = ", ".join(f"{_quoted(key)}: '{kind}'" for key, kind in self.reads.items())
        keys = ", ".join(
            f"CAST({_name(key)} AS VARCHAR) AS k{n}" for n, key in enumerate(self.reads)
        )
        top = (
            f"SELECT {keys} FROM read_json({_quoted(str(path))}, format = 'newline_delimited', "
            f"records = 'true', ignore_errors = true, columns = {{{types}}}, "
            "maximum_object_size = 8388608)"
        )
        if not self.nested:
            return top
        lists = ", ".join(
            f"json_extract(CAST(k{key} AS JSON), [{', '.join(map(_quoted, paths))}]) AS n{key}"
            for key, paths in self.nested.items()
        )
        texts = ", ".join(
            f"nullif(CAST(n{key}[{number}] AS VARCHAR), 'null') AS e{key}_{number}"
            for key, paths in self.nested.items()
            for number in range(1, len(paths) + 1)
        )
        return f"SELECT *, {texts} FROM (SELECT *, {lists} FROM ({top}))"


def plan(
    columns: Sequence[Column], steps: Sequence[Sequence[Step]], options: CopyOptions
) -> Plan | None:
    """For columns at these paths; None if DuckDB cannot convert a column or path."""
    reads: dict[str, str] = {}
    for column, path in zip(columns, steps, strict=True):
        key = path[0] if path else None
        if not isinstance(key, str) or not key or not key.isascii() or "\0" in key:
            return None
        kind = "VARCHAR" if column.type.is_text and len(path) == 1 else "JSON"
        if reads.setdefault(key, kind) != kind:
            return None
    if len({key.lower() for key in reads}) != len(reads):
        return None
    places = {key: number for number, key in enumerate(reads)}
    cells = []
    nested: dict[int, list[str]] = {}
    for number, (column, path) in enumerate(zip(columns, steps, strict=True)):
        cell = _cell(column, f"c{number}", places[str(path[0])], path[1:], options, nested)
        if cell is None:
            return None
        cells.append(cell)
    return Plan(reads, cells, nested)


def _cell(
    column: Column,
    name: str,
    key: int,
    rest: Sequence[Step],
    options: CopyOptions,
    nested: dict[int, list[str]],
) -> Cell | None:
    """Adds the paths below the key to ``nested``."""
    conditions = []
    source, path = f"k{key}", "$"
    for step in rest:
        opening = "{" if isinstance(step, str) else "["
        path += _json_path(step)
        paths = nested.setdefault(key, [])
        if path not in paths:
            paths.append(path)
        number = paths.index(path) + 1
        conditions.append(f"starts_with({source}, '{opening}')")
        if isinstance(step, int):
            conditions.append(f"({source} IS NULL OR n{key}[{number}] IS NOT NULL)")
        source = f"e{key}_{number}"
    if column.type.name == "super":
        # As it is in the file. A key that is twice in an object stays twice; the exact reader keeps the first.
        value = source
        conditions.append(
            f"(strlen({source}) <= {MAX_SUPER_STRING} AND regexp_full_match({source}, {_quoted(_PLAIN_JSON)}))"
        )
    elif column.type.is_text and rest:
        conditions.append(f"starts_with({source}, '\"')")
        string = f"json_extract_string(CAST({source} AS JSON), '$')"
        value, certain = _text(column, string, options, nested=True)
        conditions.append(certain)
    elif column.type.is_text:
        value, certain = _text(column, source, options, nested=False)
        conditions.append(certain)
    else:
        built = _typed(column, source, options)
        if built is None:
            return None
        value = built
        conditions.append(f"({name} IS NOT NULL OR {source} IS NULL OR {source} = '\"\"')")
    if column.not_null:
        conditions.append(f"{name} IS NOT NULL")
    return Cell(value, " AND ".join(conditions))


def _text(column: Column, text: str, options: CopyOptions, *, nested: bool) -> tuple[str, str]:
    """A string; at the first level, not if it may be another value's JSON written differently."""
    certain = [f"strlen({text}) <= {column.type.length}"]
    if not nested:
        # a fraction or an exponent, an array, an object; CASE, because AND would check all of them
        certain.append(
            f"CASE WHEN {text} < ':' THEN NOT regexp_matches({text}, '^-?[0-9]+[.eE]') "
            f"WHEN {text} < '[' THEN true WHEN {text} < '\\' THEN false "
            f"WHEN {text} < '{{' THEN true ELSE {text} >= '|' END"
        )
    value = text
    if column.type.name == "bpchar":
        certain.append(f"strlen({text}) = length({text})")
        value = f"rtrim({text}, ' ')"
    elif options.trimblanks:
        value = f"rtrim({text}, ' ')"
    if options.blanksasnull:
        visible = f"{text} > chr(33) AND {text} < chr(127)"
        certain.append(f"(trim({text}) = '' OR ({visible}))")
        value = f"CASE WHEN {text} <> '' AND trim({text}) = '' THEN NULL ELSE {value} END"
    if options.emptyasnull:
        value = f"CASE WHEN {text} = '' THEN NULL ELSE {value} END"
    return value, " AND ".join(certain)


def _typed(column: Column, json: str, options: CopyOptions) -> str | None:
    kind = column.type.name
    if kind in ("int2", "int4", "int8"):
        value = _integer(json, column.type.duckdb)
    elif kind in ("float4", "float8"):
        value = _float(json, column.type.duckdb)
    elif kind == "numeric":
        value = _numeric(json, column, options)
    elif kind == "bool":
        value = (
            f"CASE WHEN {json} IN {_listed(_TRUE)} THEN true "
            f"WHEN {json} IN {_listed(_FALSE)} THEN false END"
        )
    elif kind in ("timestamp", "timestamptz"):
        moment = _timestamp(json, options.timeformat)
        if moment is None:
            return None
        value = f"timezone('UTC', {moment})" if kind == "timestamptz" else moment
    elif kind == "date" and options.dateformat.lower() in ("", "auto"):
        value = _matching(json, f'"{_DAY}"', "DATE")
    elif kind == "time":
        value = _matching(json, f'"{_CLOCK}"', "TIME")
    else:
        return None
    return value


def _matching(json: str, pattern: str, kind: str) -> str:
    """A string that matches a pattern, cast; else NULL."""
    return (
        f"CASE WHEN regexp_full_match({json}, {_quoted(pattern)}) "
        f"THEN TRY_CAST({json}[2:-2] AS {kind}) END"
    )


def _integer(json: str, kind: str) -> str:
    """Digits, in quotation marks or not, or a JSON number like 1540344794796.0; else NULL.

    The fastest of many ways to write this: DuckDB's slices cost less than its trim.
    """
    return (
        f"CASE WHEN {_is_string(json)} THEN {_matching(json, _DIGITS, kind)} "
        f"WHEN NOT (contains({json}, '.') OR contains({json}, 'e')) THEN TRY_CAST({json} AS {kind}) "
        f"WHEN ends_with({json}, '.0') AND strlen({json}) <= 17 "
        f"THEN TRY_CAST({json} AS {kind}) END"
    )


def _is_string(json: str) -> str:
    """No other JSON starts with such a small character."""
    return f"{json} < '#'"


def _float(json: str, kind: str) -> str:
    """Finite; for 4 bytes, finite there too."""
    text = _matching(json, r'"-?[0-9]{1,300}(\.[0-9]{1,300})?"', "DOUBLE")
    number = f"CASE WHEN {_is_string(json)} THEN {text} ELSE TRY_CAST({json} AS DOUBLE) END"
    if kind == "DOUBLE":
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    return (
        f"CASE WHEN isfinite({number}) AND isfinite(TRY_CAST({number} AS {kind})) "
        f"THEN TRY_CAST({number} AS {kind}) END"
    )


def _numeric(json: str, column: Column, options: CopyOptions) -> str:
    """Truncated to the scale; with ROUNDEC the exact reader handles longer values."""
    kind = column.type
    before = max(kind.precision - kind.scale, 1)
    kept = rf"(\.[0-9]{{1,{kind.scale}}})?" if kind.scale else ""
    after = rf"(\.[0-9]{{1,{kind.scale}}})?" if options.roundec else r"(\.[0-9]+)?"
    if options.roundec and not kind.scale:
        after = ""
    form = rf'"?-?[0-9]{{1,{before}}}{after}"?'
    return (
        f"CASE WHEN regexp_full_match({json}, {_quoted(form)}) "
        f"THEN TRY_CAST(regexp_extract({json}, {_quoted('-?[0-9]+' + kept)}) AS {kind.duckdb}) END"
    )


def _timestamp(json: str, given: str) -> str | None:
    lowered = given.lower()
    if lowered in ("epochsecs", "epochmillisecs"):
        unit = 1000 if lowered == "epochmillisecs" else 1_000_000
        scale = 1 if lowered == "epochmillisecs" else 1000
        number = _integer(json, "BIGINT")
        low, high = _YEAR_1_MS // scale, _YEAR_9999_MS // scale
        return f"CASE WHEN {number} BETWEEN {low} AND {high} THEN make_timestamp({number} * {unit}) END"
    if not given:
        return _matching(json, f'"{_DAY}( {_CLOCK})?"', "TIMESTAMP")
    if lowered == "auto":
        return _matching(json, f'"{_DAY}([ T]{_CLOCK}Z?)?"', "TIMESTAMP")
    return None


def _json_path(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    escaped = step.replace("\\", "\\\\").replace('"', '\\"')
    return f'."{escaped}"'


def _listed(words: Sequence[str]) -> str:
    return "(" + ", ".join(_quoted(word) for word in words) + ")"


def _name(key: str) -> str:
    return '"' + key.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
