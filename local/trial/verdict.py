"""What a load would say of files: a load of them in this process, and what its ledger and its report say."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.model import Contract
from local.datasets import Dataset, of_tree
from local.environment import SCHEMA
from local.states.interpreter import TaskFailed
from local.trial import unknown, winners
from local.trial.load import Loads, loads
from local.trial.unknown import UnknownKey
from local.trial.winners import Winners

MOST_ALONE = 20  # files that are staged again, each alone, to count their rows
LEFT_OUT = ("rejected", "unreadable", "waiting", "missing")


@dataclass
class File:
    """A file. status: as in the ledger; ``known`` (loaded before, unchanged), ``not loaded`` (its batch failed) or
    ``not taken``.

    rows: that it brought, None if that is not known. rows_rejected: that are left out of a loaded file. line, column,
    code: of a rejected file, where they are known.
    """

    key: str
    status: str
    rows: int | None = None
    rows_rejected: int = 0
    reason: str = ""
    line: int | None = None
    column: str | None = None
    code: int | None = None


@dataclass
class Verdict:
    """What a load says of the files.

    rows      tables of results -> rows that the load wrote
    bad_rows  the first rows of loaded files that are left out, as the report has them: key, line, column_name, reason
    cut       texts that are longer than their column, as the report has them: column, rows
    checks    that failed, as the report has them
    empty     columns that are in no row
    emptied   those of them that were filled in earlier loads, as the report has them
    cause     why the load failed; '' if it did not
    """

    dataset: str
    files: list[File]
    rows: dict[str, int] = field(default_factory=dict)
    bad_rows: list[dict[str, Any]] = field(default_factory=list)
    cut: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[UnknownKey] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    emptied: list[dict[str, Any]] = field(default_factory=list)
    winners: Winners | None = None
    cause: str = ""

    @property
    def asks(self) -> bool:
        """Whether a file or a row is left out."""
        return any(
            file.rows_rejected or file.status in (*LEFT_OUT, "not taken") for file in self.files
        )


def of(
    tree: Path,
    name: str,
    files: Mapping[str, Path],
    *,
    loaded: Mapping[str, Path] | None = None,
    contract: Contract | None = None,
) -> Verdict:
    """The verdict on files (key -> path) for the dataset ``name`` of a built tree.

    loaded: files that are loaded before. contract: the dataset's, if it has one.
    """
    known = {each.name: each for each in of_tree(tree)}
    taken = {key: path for key, path in files.items() if known[name].takes(key)}
    others = [
        File(key, "not taken", reason=_not_taken(key, known[name], known.values()))
        for key in files
        if key not in taken
    ]
    verdict = _loaded(tree, name, taken, loaded or {}, contract) if taken else Verdict(name, [])
    verdict.files += others
    return verdict


def _not_taken(key: str, dataset: Dataset, known: Iterable[Dataset]) -> str:
    """Why the dataset does not take a key, and which does."""
    if other := next((each for each in known if each.takes(key)), None):
        return f"the dataset {other.name} takes it"
    if not key.startswith(dataset.prefix):
        return f"no dataset takes it; the keys of {dataset.name} begin with {dataset.prefix}"
    if key.lower().endswith(dataset.suffixes):
        return f"no dataset takes it; the keys of {dataset.name} end in lower-case letters"
    return f"no dataset takes it; the keys of {dataset.name} end in {', '.join(dataset.suffixes)}"


def _loaded(
    tree: Path,
    name: str,
    files: Mapping[str, Path],
    loaded: Mapping[str, Path],
    contract: Contract | None,
) -> Verdict:
    with (
        tempfile.TemporaryDirectory(prefix="loader-try-") as folder,
        _narrowed(tree, name, Path(folder)) as own,
        loads(own, Path(folder) / "warehouse") as made,
    ):
        if loaded:
            made.put(loaded)
            made.run()
        made.put(files)
        try:
            report = made.run()
        except TaskFailed as failed:
            return Verdict(
                name, [File(key, "not loaded") for key in files], cause=failed.cause or failed.error
            )
        return _read(made, name, report, files, contract)


@contextmanager
def _narrowed(tree: Path, name: str, folder: Path) -> Iterator[Path]:
    """The tree without other datasets, whose tables take time to make. Hand-written ones may use each other's."""
    own = folder / "sql"
    (own / "datasets").mkdir(parents=True)
    for each in tree.iterdir():
        if each.name != "datasets":
            (own / each.name).symlink_to(each)
    found = {each.name: each for each in of_tree(tree)}
    for dataset in found.values():
        if dataset.name == name or not (found[name].contract or dataset.contract):
            (own / "datasets" / dataset.name).symlink_to(dataset.folder)
    yield own


def _read(
    made: Loads,
    name: str,
    report: Mapping[str, Any],
    files: Mapping[str, Path],
    contract: Contract | None,
) -> Verdict:
    failed = report.get("status") == "failed"
    verdict = Verdict(
        name,
        [],
        rows=dict(report.get("rows", {})),
        bad_rows=list(report.get("rejected_rows", ())),
        cut=list(report.get("cut", ())),
        checks=[check for check in report.get("checks", ()) if not check["passed"]],
        emptied=list(report.get("sample", {}).get("empty_columns", ())),
        cause=str(report.get("cause") or "") if failed else "",
    )
    load_id = report["load_id"]
    if not made.exists("files"):
        verdict.files = [File(key, "not loaded", reason=verdict.cause) for key in files]
        return verdict
    found = _of_ledger(made, load_id)
    known = {
        str(key)
        for (key,) in made.query(
            f"SELECT key FROM {SCHEMA}.files WHERE load_id <> '{load_id}' AND status = 'loaded'"
        )
    }
    for key in files:
        status = "known" if key in known and not failed else "not loaded"
        verdict.files.append(found.get(key) or File(key, status, reason=verdict.cause))
    good = {file.key: files[file.key] for file in verdict.files if file.status == "loaded"}
    verdict.unknown = unknown.keys(report.get("sample", {}).get("keys", ()), contract)
    verdict.empty = _empty(made, load_id)
    if contract and contract.key and good:
        verdict.winners = winners.of(made, contract, load_id, good)
    return verdict


def _of_ledger(made: Loads, load_id: str) -> dict[str, File]:
    """The files of a load by key."""
    rows = made.query(
        "SELECT key, status, lines, reason, error_line, error_column, error_code, batch "
        f"FROM {SCHEMA}.files WHERE load_id = '{load_id}'"
    )
    refused, unfit = _left_out(made, load_id)
    staged = made.query(
        f"SELECT batch, rows_staged FROM {SCHEMA}.loads WHERE load_id = '{load_id}'"
    )
    found: dict[str, File] = {}
    lines: dict[str, dict[str, int]] = {}
    for key, status, count, reason, line, column, code, batch in rows:
        if status == "loaded":
            lines.setdefault(str(batch), {})[str(key)] = int(count or 0)
        found[str(key)] = File(
            str(key),
            str(status),
            rows_rejected=refused.get(str(key), 0) + unfit.get(str(key), 0),
            reason=str(reason or ""),
            line=line,
            column=str(column).strip() if column else None,
            code=code,
        )
    for batch, in_batch in staged:
        of_batch = lines.get(str(batch), {})
        for key, count in _rows(made, of_batch, refused, int(in_batch)).items():
            found[key].rows = None if count is None else count - unfit.get(key, 0)
    return found


def _left_out(made: Loads, load_id: str) -> tuple[dict[str, int], dict[str, int]]:
    """The bad rows of loaded files by key: those that COPY has refused, and those whose values do not fit."""
    if not made.exists("rejected_rows"):
        return {}, {}
    rows = made.query(
        f"SELECT key, COUNT(code), COUNT(*) FROM {SCHEMA}.rejected_rows WHERE load_id = '{load_id}' GROUP BY key"
    )
    refused = {str(key): int(count) for key, count, _ in rows}
    return refused, {str(key): int(count) - refused[str(key)] for key, _, count in rows}


def _rows(
    made: Loads, lines: Mapping[str, int], refused: Mapping[str, int], rows: int
) -> dict[str, int | None]:
    """The rows that COPY loaded of each file of a batch, from the lines that it reports: they may include headers and
    refused rows, and a JSON object may be on many lines.
    """
    from loader.datasets import dataset_for

    for with_header in (False, True):
        for with_refused in (False, True):
            counts = {
                key: count
                - (dataset_for(key).header_lines if with_header and count else 0)
                - (refused.get(key, 0) if with_refused else 0)
                for key, count in lines.items()
            }
            if sum(counts.values()) == rows:
                return dict(counts)
    if len(lines) > MOST_ALONE:
        return dict.fromkeys(lines)
    return {key: _counted(made, key) for key in lines}


def _counted(made: Loads, key: str) -> int | None:
    """The rows of a file that is staged alone."""
    table = made.staged(key)
    if not table:
        return None if table is None else 0
    return int(made.query(f"SELECT COUNT(*) FROM {table}")[0][0])


def _empty(made: Loads, load_id: str) -> list[str]:
    """The columns that are in no row of the load."""
    rows = made.query(
        f"SELECT column_name, filled FROM {SCHEMA}.column_figures WHERE load_id = '{load_id}'"
    )
    arrays = "__each"  # each becomes a table
    return [str(name) for name, count in rows if not count and not str(name).endswith(arrays)]
