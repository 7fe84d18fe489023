"""A verdict on files as lines of text, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from local.show.report import check_lines, place
from local.show.terminal import visible
from local.trial.verdict import File, Verdict
from local.trial.winners import Winner, Winners

PROOF = (
    "nothing shows whether the files or the set-up is wrong, so a load tries them again. With files that load beside "
    "them, or --loaded FILE, it is known"
)


def as_json(verdict: Verdict) -> str:
    """All of it, for programs."""
    return json.dumps(asdict(verdict), indent=2, ensure_ascii=False, default=str)


def lines(verdict: Verdict) -> list[str]:
    """One fact a line: each file, then what was noticed in all of them."""
    told = [_file(file) for file in verdict.files]
    if verdict.cause and not verdict.asks:
        told.append(_line("cause", verdict.cause))
    for row in verdict.bad_rows:
        where = place({**row, "column": row.get("column_name")})
        told.append(_line("bad row", f"{where}: {visible(str(row['reason']))}"))
    if verdict.rows:
        told.append(_line("rows", ", ".join(f"{name} {n:,}" for name, n in verdict.rows.items())))
    told += [_line(*line.split(None, 1)) for line in check_lines(verdict.checks)[:-1]]
    for key in verdict.unknown:
        where = f"the columns of {key.within}" if key.within else "columns"
        advice = f"; to take it, add to {where}: {visible(key.yaml)}" if key.yaml else ""
        told.append(_line("new key", f"{visible(key.path)}, in {visible(key.file)}{advice}"))
    for text in verdict.cut:
        told.append(_line("cut", f"{text['column']} is too long in {text['rows']:,} rows"))
    told += [_line("empty", text) for text in _empty(verdict)]
    if verdict.winners and verdict.winners.keys:
        told += _winners(verdict.winners)
    if any(file.status == "waiting" for file in verdict.files):
        told.append(_line("next", PROOF))
    return told


def _line(name: str, text: str) -> str:
    return f"{name:<10} {text}"


def _file(file: File) -> str:
    if file.status in ("loaded", "known"):
        before = " (loaded before)" if file.status == "known" else ""
        count = "" if file.rows is None else f": {file.rows:,} row{'' if file.rows == 1 else 's'}"
        left = f", {file.rows_rejected:,} left out" if file.rows_rejected else ""
        return _line("loaded", f"{visible(file.key)}{count}{left}{before}")
    where = place({"key": file.key, "line": file.line, "column": file.column})
    return _line(file.status, f"{where}{f': {visible(file.reason)}' if file.reason else ''}")


def _empty(verdict: Verdict) -> Iterator[str]:
    before = {one["column"]: one for one in verdict.emptied}
    for column in verdict.empty:
        known = before.get(column)
        share = f"; before, {known['filled_before']:.1%} had it" if known else ""
        yield f"{column} is in none of the rows{share}"


def _winners(found: Winners) -> list[str]:
    many = f"{found.keys:,} keys have" if found.keys > 1 else "1 key has"
    told = [_line("versions", f"{many} several versions")]
    told += [_line("", f"{_winner(one, found.newest)}") for one in found.examples]
    if (more := found.keys - len(found.examples)) > 0:
        told.append(_line("", f"… and {more:,} more"))
    return told


def _winner(one: Winner, newest: str) -> str:
    key = visible(", ".join(one.key))
    by = f" ({newest} {one.newest})" if newest else ""
    if one.deleted:
        return f"{key}: the newest of {one.versions} says that it is deleted{by}"
    line = f" line {one.line}" if one.line else ""
    where = f"{visible(one.file)}{line}" if one.file else "one that is loaded before"
    return f"{key}: of {one.versions}, {where} wins{by}"
