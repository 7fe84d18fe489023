"""Generated files through the deployed stack, compared with the oracle: a bad one, a duplicate, a late song, an undo.

All keys lie under a prefix of the run inside the datasets' prefixes. At the end every load is undone, newest first, and
the objects are deleted; the ledger keeps its rows of them (withdrawn, rejected), as it does of all files.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from conformance.runner import Answer

from local.generator import DataSet
from tests.world import oracle
from verify.bounds import TimeIsUp
from verify.place import PREFIX, Place, Stack
from verify.preflight import execute
from verify.results import AS_EXPECTED, NOT_POSSIBLE, NOT_TRIED, OTHER, Result, short
from verify.run import Run

PART = "data"
SET = DataSet(songs=12, users=6, days=3, events=240, seed=7)
ASSUMED = ("keys of EventBridge events are not URL-encoded",)
"""Entries of docs/evidence.md that the first upload answers: one of its keys has blanks and signs."""
ODD = "again/a day = 1 + 0%20.json"
STEPS = (
    "uploads load themselves",
    "the bad file is rejected",
    "the tables after the first upload",
    "the tables after a late song",
    "the undo of a load",
    "the tables after the undo",
    "the tables after everything is undone",
)
EVENTS_SECONDS = 300.0
"""How long an upload may take to be loaded by its event, beyond the batch window; then it is loaded by hand."""
SETTLED_SECONDS = 900.0
ALL_SECONDS = 3_600.0
OTHERS_FILES, OTHERS_BYTES = 2_000, 100_000_000
"""Files of the stack that are compared too, if it is said that they are test data."""


NOT_MADE = re.compile(r"\b(relation|schema|table) \"?[\w.]+\"? does not exist", re.IGNORECASE)
"""Of a schema or a table that is not there. A database or a user that does not exist is another matter."""


class Refused(Exception):
    """The stack is not touched; the text says why."""


@dataclass(frozen=True)
class Load:
    """A load that holds files of a run: how many files it has, and how many of them no run has uploaded.

    example   one of these
    """

    id: str
    files: int
    others: int
    example: str

    @property
    def why_not(self) -> str:
        """Why it is not undone; '' if it may be."""
        if not self.files:
            return "the table files does not list its files"
        if not self.others:
            return ""
        return (
            f"{self.others:,} of its {self.files:,} files are not from make verify, such as {self.example}: an undo "
            "would also remove their rows"
        )

    @property
    def to_do(self) -> str:
        """What a person can do about a load that is not undone."""
        return (
            f'It was not undone. To remove its rows, start an execution with {{"undo": "{self.id}"}}, then one with '
            '{"keys": [your files of that load]} to load those again.'
        )


@dataclass(frozen=True)
class NotUndone:
    """A load that is still there, and why; ``to_do`` if --clean would not undo it either."""

    load_id: str
    why: str
    to_do: str = ""

    def __str__(self) -> str:
        return f"{self.load_id}: {self.why}"


@dataclass(frozen=True)
class Files:
    """What is uploaded, by key: ``first`` with the bad file, then ``late``, which is undone."""

    first: dict[str, bytes]
    late: dict[str, bytes]
    bad: str
    bad_line: int

    @property
    def count(self) -> int:
        return len(self.first) + len(self.late)

    @property
    def good(self) -> dict[str, bytes]:
        """Those of the first upload that are to be loaded."""
        return {key: body for key, body in self.first.items() if key != self.bad}


def made(stack: Stack, prefix: str) -> Files:
    """The files of a run: a day twice, a day with a line that no column takes, a song that plays wait for."""
    files = dict(SET.files())
    songs = {key: body for key, body in files.items() if key.startswith("song_data/")}
    *logs, last = sorted(key for key in files if key.startswith("log_data/"))
    late_song = _played(files, songs)

    def key_of(key: str) -> str:
        dataset, _, rest = key.partition("/")
        of_dataset = stack.log_prefix if dataset == "log_data" else stack.song_prefix
        return f"{of_dataset}{prefix}/{rest}"

    first = {key_of(key): files[key] for key in [*songs, *logs] if key != late_song}
    first[key_of(f"log_data/{ODD}")] = files[logs[0]]
    lines = [json.loads(line) for line in files[logs[-1]].split(b"\n")]
    wrong = next(at for at, line in enumerate(lines) if at and line["page"] == "NextSong")
    lines[wrong]["ts"] = "yesterday"
    bad = key_of("log_data/bad/events.json")
    first[bad] = "\n".join(map(json.dumps, lines)).encode()
    late = {key_of(late_song): files[late_song], key_of(last): files[last]}
    return Files(first, late, bad, wrong + 1)


def _played(files: Mapping[str, bytes], songs: Iterable[str]) -> str:
    """A song that some play is of."""
    plays = oracle.tables(files)["songplays"]
    column = oracle.SONGPLAYS.index("song_id")
    wanted = {row[column] for row in plays if row[column]}
    found = [key for key in sorted(songs) if json.loads(files[key])["song_id"] in wanted]
    if not found:
        raise ValueError("no play of the generated data is of a known song")
    return found[0]


# -- the stack as a person's credentials see it -------------------------------------------------


@dataclass
class Loaded:
    """The tables and the ledger of a stack, by queries."""

    run: Run
    stack: Stack
    others: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._runner = self.run.runner("d")

    @property
    def place(self) -> Place:
        return self.run.place

    @property
    def bucket(self) -> str:
        return self.stack.outputs["DataBucketName"]

    def query(self, sql: str) -> list[list[Any]]:
        """Rows; none while the tables are not made yet."""
        answer: Answer = self._runner.run(sql, {})
        if NOT_MADE.search(answer.error):
            # The first load makes them. That is believed only of a database that answers.
            named = f"SELECT 1 FROM pg_namespace WHERE nspname = '{self.stack.schema}'"
            answer = replace(self._runner.run(named, {}), rows=[])
        if answer.error:
            raise Refused(
                f"these credentials cannot read the stack's tables ({answer.error}). Let an administrator run "
                "sql/admin/grant_readers.sql and add this database user to the group"
            )
        return answer.rows

    def tables(self) -> oracle.Tables:
        """Every table of the star schema, with the oracle's columns."""
        return {table: self._rows(table, columns) for table, columns in oracle.COLUMNS.items()}

    def _rows(self, table: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
        rows = self.query(f"SELECT {', '.join(columns)} FROM {self.stack.schema}.{table}")
        if "start_time" not in columns:
            return [tuple(row) for row in rows]
        at = columns.index("start_time")
        return [(*row[:at], datetime.fromisoformat(row[at]), *row[at + 1 :]) for row in rows]

    def ledger(self, prefix: str) -> dict[str, dict[str, Any]]:
        """The newest row of each key of a run (of any, for the prefix that all have)."""
        names = ("key", "status", "reason", "error_line", "load_id")
        rows = self.query(
            f"SELECT {', '.join(names)} FROM {self.stack.schema}.file_status "
            f"WHERE {self._under(prefix)} ORDER BY recorded_at"
        )
        return {str(row[0]): dict(zip(names, row, strict=True)) for row in rows}

    def _under(self, prefix: str) -> str:
        """The condition of keys under the prefix in the datasets."""
        starts = [f"{of}{prefix}" for of in (self.stack.log_prefix, self.stack.song_prefix)]
        return "(" + " OR ".join(f"LEFT(key, {len(of)}) = '{of}'" for of in starts) + ")"

    def loads(self, prefix: str, keys: Iterable[str] | None = None) -> list[Load]:
        """The loads by which keys under the prefix (these, or all) are loaded now, newest first."""
        rows, wanted = self.ledger(prefix), None if keys is None else set(keys)
        ids = {
            str(row["load_id"])
            for key, row in rows.items()
            if row["status"] == "loaded" and (wanted is None or key in wanted)
        }
        if not ids:
            return []
        # A batch window or a sweep may have put files of other people into the same load.
        others = f"CASE WHEN {self._under(PREFIX)} THEN NULL ELSE key END"
        found = {
            str(load_id): Load(str(load_id), int(files), int(other), str(example or ""))
            for load_id, files, other, example in self.query(
                f"SELECT load_id, COUNT(DISTINCT key), COUNT(DISTINCT {others}), MIN({others})"
                f" FROM {self.stack.schema}.files"
                f" WHERE load_id IN ({', '.join(repr(name) for name in sorted(ids))}) GROUP BY load_id"
            )
        }
        return [found.get(name, Load(name, 0, 0, "")) for name in sorted(ids, reverse=True)]

    def is_empty(self) -> bool:
        """Whether no table of the star schema has a row."""
        return not any(
            self.query(f"SELECT 1 FROM {self.stack.schema}.{table} LIMIT 1")
            for table in oracle.COLUMNS
        )

    def take_others(self) -> None:
        """The files that are loaded already: what the tables hold follows from them too."""
        rows = self.query(
            f"SELECT key, etag, size FROM {self.stack.schema}.file_status WHERE status = 'loaded'"
        )
        if len(rows) > OTHERS_FILES or sum(int(row[2] or 0) for row in rows) > OTHERS_BYTES:
            raise Refused(f"the stack holds {len(rows):,} loaded files, too many to compare with")
        for key, etag, _ in rows:
            found = self.place.s3.get_object(Bucket=self.bucket, Key=key)
            if found["ETag"].strip('"') != etag:
                raise Refused(f"{key} has been replaced since it was loaded")
            self.others[str(key)] = found["Body"].read()

    def diff(self, files: Mapping[str, bytes]) -> tuple[str, str]:
        """What the tables should hold, in words, and how they differ ('' if they do not)."""
        stack = self.stack
        expected = oracle.tables(
            {**self.others, **files}, songs_prefix=stack.song_prefix, events_prefix=stack.log_prefix
        )
        told = ", ".join(f"{table} {len(rows)}" for table, rows in expected.items())
        return f"the oracle's rows: {told}", oracle.diff(expected, self.tables())

    def put(self, files: Mapping[str, bytes]) -> None:
        for key, body in files.items():
            self.place.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def running(self) -> int:
        """Executions of the stack that run."""
        answer = self.place.client("stepfunctions").list_executions(
            stateMachineArn=self.stack.outputs["StateMachineArn"], statusFilter="RUNNING"
        )
        return len(answer["executions"])

    def known(self, keys: Iterable[str], seconds: float, prefix: str = "") -> set[str]:
        """Waits until the ledger has the keys and nothing runs; the keys that it does not have."""
        until, wanted = time.monotonic() + seconds, set(keys)
        while True:
            missing = wanted - set(self.ledger(prefix or self.run.prefix))
            if not missing and not self.running():
                return set()
            if missing and time.monotonic() > until and not self.running():
                return missing
            if time.monotonic() > until + SETTLED_SECONDS:
                raise TimeoutError("executions of the stack keep running")
            self.run.deadline.check()
            self.run.sleep(self.place.look_seconds)


# -- the steps ----------------------------------------------------------------------------------


def check(run: Run, *, consent: bool) -> None:
    """A result for each step. Nothing is touched if the stack holds data and ``consent`` is not given."""
    stack = run.place.stack
    assert stack is not None  # noqa: S101 - chosen only with a stack
    loaded = Loaded(run, stack)
    try:
        _refuse_to_touch(loaded, consent=consent)
        _steps(run, loaded, made(stack, run.prefix))
    except Refused as reason:
        _rest(run, NOT_POSSIBLE, str(reason))
    except TimeIsUp:
        _rest(run, NOT_TRIED, "")
    except TimeoutError as error:
        _rest(run, NOT_POSSIBLE, str(error))


def _refuse_to_touch(loaded: Loaded, *, consent: bool) -> None:
    if not loaded.is_empty():
        if not consent:
            raise Refused(
                "the stack's tables hold data, and this run does not add its own to it. Use a stack without data, "
                "or pass --yes-this-stack-holds-only-test-data"
            )
        loaded.take_others()
    if count := loaded.running():
        raise Refused(
            f"{count} executions of the stack are running, which may load other files than this run's. Start it again "
            "when they have ended"
        )
    if loaded.stack.paused:
        return  # no event and no sweep loads a file: only those that this run names
    asked = execute(loaded.run, "dry", {"dry_run": True})
    if asked.status == "nothing to load":
        return  # the bucket is empty
    planned = asked.data.get("plan") or {}
    if asked.failed or "planned" not in planned:
        why = asked.cause if asked.failed else asked.status
        raise Refused(
            f'the files that are not loaded yet are not known: {{"dry_run": true}} returned {short(why)}'
        )
    if count := int(planned["planned"] or 0):
        some = ", ".join((planned.get("keys") or ())[:3])
        raise Refused(
            f"{count:,} files in the data bucket are not loaded yet ({some}), and the next load would load them "
            "together with this run's. Load them first; --clean removes those of earlier runs"
        )


def _rest(run: Run, outcome: str, note: str) -> None:
    there = {result.id for result in run.results if result.part == PART}
    for step in STEPS:
        if f"data: {step}" not in there:
            run.add(Result(PART, f"data: {step}", outcome, note=note))


def _steps(run: Run, loaded: Loaded, files: Files) -> None:
    def tell(step: str, statement: str, expected: str, got: str, *, same: bool) -> None:
        outcome = AS_EXPECTED if same else OTHER
        got = short(got)
        run.add(Result(PART, f"data: {step}", outcome, statement=statement, expected=expected, got=got))  # fmt: skip

    def compare(step: str, statement: str, of: Mapping[str, bytes]) -> None:
        expected, differences = loaded.diff(of)
        tell(step, statement, expected, differences or "the same", same=not differences)

    run.say(
        f"data: {files.count} files; first {len(files.first)} of them, of which one is bad and one a duplicate"
    )
    run.uploaded = True
    loaded.put(files.first)
    _arrive(run, loaded, files.first, tell)
    rejected = loaded.ledger(run.prefix)[files.bad]
    got = f"{rejected['status']}, line {rejected['error_line']}: {rejected['reason']}"
    good = {str(row["status"]) for key, row in loaded.ledger(run.prefix).items() if key in files.good}  # fmt: skip
    same = got.startswith(f"rejected, line {files.bad_line}:") and good == {"loaded"}
    wanted = f"rejected, line {files.bad_line}; every other file loaded"
    tell(STEPS[1], files.bad, wanted, f"{got}; others {sorted(good)}", same=same)
    compare(STEPS[2], "the first upload", files.good)

    run.say(f"data: the other {len(files.late)}: a late song and another day")
    loaded.put(files.late)
    wait = 0 if loaded.stack.paused else _window(loaded)
    if missing := loaded.known(files.late, wait):
        execute(run, "late", {"keys": sorted(missing)})
    compare(STEPS[3], "a late song and another day", {**files.good, **files.late})

    run.say("data: undo")
    said = list(map(str, undo(run, loaded, files.late, "late")))
    tell(STEPS[4], '{"undo": …}', "undone", "; ".join(said) or "undone", same=not said)
    compare(STEPS[5], "the undo of the second upload", files.good)

    said = list(map(str, undo(run, loaded, files.first, "first")))
    expected, differences = loaded.diff({})
    got = "; ".join([*said, differences]).strip("; ") or "the same"
    tell(STEPS[6], '{"undo": …} of every load', expected, got, same=got == "the same")


def settle(loaded: Loaded, prefix: str) -> None:
    """Waits until what was uploaded under the prefix has come to its end: an event may still be on its way."""
    keys = [
        entry["Key"]
        for of in (loaded.stack.log_prefix, loaded.stack.song_prefix)
        for page in loaded.place.s3.get_paginator("list_objects_v2").paginate(
            Bucket=loaded.bucket, Prefix=f"{of}{prefix}"
        )
        for entry in page.get("Contents", [])
    ]
    loaded.known(keys, 0 if loaded.stack.paused else _window(loaded), prefix)


def _window(loaded: Loaded) -> float:
    window = float(loaded.stack.parameters.get("BatchWindowSeconds") or 60)
    return window + (30.0 if loaded.place.local else EVENTS_SECONDS)


def _arrive(run: Run, loaded: Loaded, files: Mapping[str, bytes], tell: Any) -> None:
    """The first upload is loaded by its events; if they do not come, by hand, and that is a difference."""
    paused = loaded.stack.paused
    missing = set(files) if paused else loaded.known(files, _window(loaded))
    if not missing:
        tell(STEPS[0], "an upload", "all files are known to the ledger", "all are", same=True)
        return
    report = execute(run, "first", {"keys": sorted(missing)})
    still = loaded.known(files, 0)
    cause = f"; {report.cause}" if report.failed else ""
    if paused and not still:
        note = "the stack is paused: loaded by hand"
        run.add(Result(PART, f"data: {STEPS[0]}", NOT_POSSIBLE, note=note))
    else:
        got = f"{len(missing)} of {len(files)} were not loaded by their events"
        got += f", {len(still)} not by hand either{cause}"
        tell(STEPS[0], "an upload", "all files are known to the ledger", got, same=False)
    if still:
        raise Refused(f"{len(still)} files were not loaded, by events or by hand{cause}")


def undo(
    run: Run, loaded: Loaded, keys: Iterable[str] | None, what: str, prefix: str = ""
) -> list[NotUndone]:
    """Undoes the loads of these keys (of all under the prefix, which is the run's), newest first; what is not undone.

    A load that holds a file of anybody else is left alone.
    """
    wrong = []
    for number, load in enumerate(loaded.loads(prefix or run.prefix, keys)):
        if load.why_not:
            wrong.append(NotUndone(load.id, load.why_not, load.to_do))
            continue
        report = execute(run, f"undo-{what}-{number}", {"undo": load.id})
        if report.failed or report.status != "undone":
            wrong.append(NotUndone(load.id, report.cause if report.failed else report.status))
    return wrong
