"""What the steps hand on through the state machine: two JSON objects, the load and the state of one of its batches.

Executions that run while a new version is deployed carry the state of the version before. So no key is required, keys
that are not known here pass through, and a step works without a key that is new.

Only type checkers import this module: a function does without it when it starts.
"""

from typing import Any, Literal, NotRequired, TypedDict

Mode = Literal["load", "reload", "check", "migrate", "reset", "undo"]

PlanOutcome = Literal[
    "load",
    "nothing",
    "planned",
    "check",
    "migrated",
    "reset",
    "undo",
    "refused",
    "no tables",
    "running",
]
MigrateOutcome = Literal["again"]
PreflightOutcome = Literal["checked", "failed"]
ResetOutcome = Literal["reset", "refused"]
UndoOutcome = Literal["undone", "planned", "refused", "no tables", "running", "failed"]
StageOutcome = Literal[
    "staged", "bad files", "again", "running", "no tables", "failed", "published", "next"
]
FindBadFilesOutcome = Literal["again", "next", "running", "failed"]
PublishOutcome = Literal["published", "next", "running", "loaded meanwhile", "no tables", "failed"]
LeaveOutLoadedOutcome = Literal["again", "running"]


class Pending(TypedDict, total=False):
    """A statement that a step waits for over several calls."""

    id: str
    """Its id in the Data API."""
    since: float
    """When its time limit began, in seconds since 1970. Waiting for the lock moves it."""
    locked_out_since: float
    """When it began to wait for the lock."""
    cancelled: bool | Literal["lock"]
    """It was cancelled for its time limit, or for the limit of waiting for the lock."""
    pauses: int
    """How often this function has paused, because the Data API did not wait."""


class Usage(TypedDict, total=False):
    """What a load has used of AWS outside the warehouse."""

    calls: dict[str, int]
    """Calls of each step's function."""
    data_api: int
    """Requests to the Data API."""
    s3: int
    """Requests to S3."""
    gb_ms: float
    """Run time of the functions times their memory, in GB-milliseconds."""


class StepError(TypedDict, total=False):
    """An error that the state machine caught."""

    State: str
    """The state that failed."""
    Error: str
    """The name of the error, such as StatementFailed or States.Timeout."""
    Cause: str
    """The error's JSON of Lambda, or a text; perhaps cut."""


class Check(TypedDict):
    """The result of a check (checks.CheckResult)."""

    name: str
    on: Literal["staged", "published"]
    batch: str
    figure: Any
    expected: Any
    definition: str
    """A digest of its SQL."""
    passed: bool


class File(TypedDict):
    """An object of the data bucket (store.DataFile)."""

    bucket: str
    key: str
    etag: str
    size: int
    """Bytes."""
    modified: NotRequired[str]
    """ISO 8601, or ''."""


class RejectedFile(TypedDict, total=False):
    """A file that is not loaded (batches.Reject)."""

    key: str
    line: int | None
    column: str | None
    code: int | None
    """Redshift's error code."""
    reason: str
    status: str
    """rejected, missing, unreadable or waiting."""
    file: File
    line_begins: str
    """The start of that line, for the ledger only."""


class Reading(TypedDict):
    """What the ledger says of itself (sweep_mark.py)."""

    made: str
    """When its tables were created."""
    before: int
    """Rows of the table loads without those of the transaction that asked."""
    loads: int
    """The same rows with them."""
    asked: float
    """A time before it was asked, in seconds since 1970."""


class Undo(TypedDict, total=False):
    """What an undo has deleted, or would delete."""

    load_id: str
    """The load to undo."""
    files: int
    rows: dict[str, int]
    """By table."""
    done: list[str]
    """The datasets that are undone."""


class UndoTodo(TypedDict):
    """A dataset that is still to be undone."""

    dataset: str
    batch: str
    """The name under which the ledger keeps the figures of its checks."""
    first_start: str
    last_start: str


class FoundForUndo(TypedDict):
    """What the ledger says of a load that is to be undone."""

    files: dict[str, int]
    """Files by dataset."""
    rows: dict[str, int]
    """Rows by table."""
    done: list[str]
    """The datasets that are undone."""
    todo: list[UndoTodo]
    batches: int
    """Its published batches."""
    cause: str
    """Why it cannot be undone; '' if it can."""


class Undoing(TypedDict, total=False):
    """What the undo step needs in its next call."""

    files: dict[str, int]
    """Files by dataset."""
    batches: int
    """Published batches of the load to undo."""
    todo: list[UndoTodo]
    """Absent: the ledger must be asked first."""


class UnmatchedFiles(TypedDict, total=False):
    """Files under a dataset's prefix that match no dataset."""

    files: int
    datasets: dict[str, int]
    """How many under the prefix of each dataset."""
    keys: list[str]
    """The first ones."""
    list: str
    """A dry run's list of all keys, as an S3 URI."""
    seen_at: str
    """When the sweep saw them (ISO 8601)."""


class Missing(TypedDict):
    """Files of an undone load that cannot be loaded again."""

    files: int
    keys: list[str]
    """The first ones."""
    list: str
    """The list of all, as an S3 URI."""


class Load(TypedDict, total=False):
    """A load, from Plan to Finish. The Map of batches reads it and does not change it."""

    load_id: str
    execution: str
    """The ARN of its execution."""
    started: str
    """When the execution began (ISO 8601)."""
    outcome: PlanOutcome | MigrateOutcome | PreflightOutcome | ResetOutcome | UndoOutcome
    """What the last step says; the Choice after it reads it."""
    cause: str
    """Why the load is refused or failed, in sentences."""
    mode: Mode
    attempt: int
    """Attempts of Plan, of the migrations it asked for, and of Undo."""
    statement: Pending | None
    seconds: float
    """The seconds of all calls of Plan."""
    spent: Usage

    mark: str
    """The time of the sweep that started this load (ISO 8601); '' if none did. It becomes the mark if all goes well."""
    ended: list[str]
    """Ids of loads that ended without cleaning up: this one cleans up after them."""
    dry_run: bool
    named: bool
    """The files were named by their keys, so rejected and withdrawn ones are tried again."""
    objects: str
    """The S3 URI of a list of files to load; '' to list the bucket."""
    redo: str
    """The id of the undone load whose files are loaded again."""
    missing: Missing

    listing: str
    """The key of what was listed."""
    listed: int
    """Files listed."""
    passed: int
    """Files of earlier lists of the backlog, all loaded by others in the meantime."""
    asked: float
    """When the ledger was asked, in seconds since 1970."""
    known: int
    """Files listed that are not new."""
    known_as: dict[str, int]
    """Files that are not new, by their status in the ledger."""
    ledger: Reading | None
    upgraded: dict[str, int]
    """The version of the tables before (``from``) and after (``to``); 0 for none."""
    refused: dict[str, str]
    """Dataset -> why its tables cannot be brought to its contract."""
    changes: dict[str, list[str]]
    """Of a dry run: dataset -> what the next load changes about its tables."""
    not_taken: UnmatchedFiles

    batches: list[str]
    """The names of the batches: the items of the Map."""
    batch_count: int
    planned: int
    """Files in the batches; of a dry run all that are not loaded."""
    bytes: int
    datasets: dict[str, int]
    """Planned files by dataset."""
    keys: list[str]
    """The first keys of a dry run."""
    oldest_file: str
    """When the oldest file of a dry run was modified."""
    not_loaded: str
    """A dry run's list of all files, as an S3 URI."""
    rest: str
    """The list of files for the next execution, as an S3 URI; '' if this one loads all."""

    undo: Undo
    undoing: Undoing
    checks: list[Check]
    """Checks of an undo."""
    setup: list[dict[str, Any]]
    """The findings of the preflight."""
    tables: list[str]
    """Staging tables that a reset found."""


class Suspicion(TypedDict):
    """Why the last part of a batch was set aside."""

    cause: str
    checks: list[Check]


class Control(TypedDict, total=False):
    """A file that loaded before, which Redshift reads again to test the set-up (known_good.py)."""

    url: str
    """'' if there is none."""
    key: str
    size: int
    loaded: bool
    """Whether it is such a file; if not, it is an empty one of the loader's own."""
    columns: list[str]
    """The order of its columns, if that is not the one of copy.sql."""
    why: str
    """Why no file that loaded before can be used."""
    statement: Pending


class BadRows(TypedDict):
    """Rows of a batch that have values which do not fit, or lack what must be there."""

    rows: int
    columns: list[str]
    """The columns as misfits has them: order_items.qty; with a question mark if the value is missing."""


class BatchState(TypedDict, total=False):
    """A batch in the Map, or the part of it that is next. Its files are in the work bucket (batches.py)."""

    batch: str
    """Its name: 3, or 3.1 and 3.2 for parts of batch 3."""
    outcome: (
        StageOutcome
        | FindBadFilesOutcome
        | PublishOutcome
        | LeaveOutLoadedOutcome
        | MigrateOutcome
        | Literal["planned"]
    )
    """What the last step says; the Choice after it reads it."""
    cause: str
    """Why it failed, in sentences."""
    error: StepError
    """The error that the state machine caught. Before version 0.8 also the text that is now ``stage_error``."""
    dataset: str
    statement: Pending | None
    known: int
    """Files that another load has published in the meantime."""
    spent: Usage

    attempt: int
    """Attempts to stage it, to find its bad files, and to compare it with the ledger again."""
    begun: float
    """When staging began, in seconds since 1970."""
    stage_seconds: float
    table: str
    """Its staging table; '' if all its files are empty or rejected."""
    rows: int
    """Rows staged."""
    copied: int | None
    """Rows that COPY reports."""
    contract: str
    """The contract of its dataset by which it was staged."""
    first_start: str
    last_start: str
    """The range of its times, as timestamp literals."""
    checks: list[Check]
    """Checks so far."""
    unreadable: bool
    """Redshift does not let COPY's report be read in the transaction: it is read afterwards."""
    audit: int
    """The number of the audit among the statements of the staging."""
    asking: bool
    """The statement has finished, and this call only waits for COPY's report."""

    stage_error: str
    """Why COPY, or a check on the staged rows, failed."""
    query_id: int
    """Redshift's id of the COPY that failed."""
    failed_checks: list[Check]
    """The checks on the staged rows that failed."""
    bad_rows: BadRows
    over_limit: int
    """How many files have more bad rows than their limit, in the work bucket; 0: the batch is to be divided."""
    refused: int
    """Rows that COPY has refused and that are left out."""
    rows_rejected: int
    """All rows that are left out."""
    cut: dict[str, int]
    """Rows whose text was too long and is cut, by column."""
    looked: str
    """The id of the NOLOAD statement that has finished."""
    retried: str
    """The part for which COPY was tried once more, because NOLOAD read it well."""
    control: Control | Literal["works", "none"]
    """``works``: the set-up reads a file that loaded before. ``none``: there is no such file."""
    control_why: str
    """Why there is none, in a sentence."""
    controls: int
    """How often it was asked again for files of other batches of this load."""

    todo: list[str]
    """Parts that are next."""
    suspects: list[str]
    """Parts that were set aside, because they could not be staged."""
    suspicion: Suspicion
    held: bool
    """All that is left was set aside and nothing proves the set-up right: the ledger records it as waiting."""
    good: bool
    """A part was published, so the set-up is right."""
    parts: int
    """How many parts the batch has been divided into."""
    named: int
    """How many files were left out because an error named them."""

    publish_attempt: int
    publish_begun: float
    """When publishing began, in seconds since 1970."""


class BatchEnd(TypedDict, total=False):
    """A batch that has left the Map."""

    batch: str
    outcome: Literal["published", "failed"]
    cause: str
    error: StepError
    checks: list[Check]
    """Those that failed."""
    known: int
    spent: Usage


class Result(TypedDict, total=False):
    """What became of a batch, in the work bucket until Finish reads it (keys.result)."""

    batch: str
    dataset: str
    loaded: int
    """Files."""
    rejected: int
    unreadable: int
    waiting: int
    loaded_bytes: int
    """Of the loaded files."""
    inputs: list[tuple[str, str, int, int | None]]
    """The first loaded files: key, ETag, bytes, lines (None: not known)."""
    rejects: list[RejectedFile]
    """The first of them."""
    files: list[list[Any]]
    """[key, outcome, bytes] of the first of all, those that are not loaded first (load_document.py)."""
    bytes: int
    """Of all files."""
    rows_rejected: int
    """Rows of loaded files that are left out."""
    rejected_rows: list[dict[str, Any]]
    """The first of them: ``key``, ``line``, ``column_name``, ``code``, ``reason``."""
    cut: dict[str, int]
    """Rows whose text was too long and is cut, by column."""
    again: list[File]
    """Files that the sweep tries again."""
    rows: dict[str, int | None]
    """By table."""
    checks: list[Check]
    ledger: Reading | None
    seconds: dict[str, float]
    """``stage`` and ``publish``."""


class Sampled(TypedDict, total=False):
    """What the load noticed about its files (drift.py)."""

    files: int
    """Files sampled."""
    of: int
    """Files that are not empty."""
    keys: list[dict[str, Any]]
    """JSON keys that no column loads, the new ones first: ``dataset``, ``path``, ``file``, ``new``, and of a
    dataset with a contract ``suggested``, the line of dataset.yaml that would take it. The first ones."""
    keys_total: int
    new_keys: int
    unread_headers: int
    empty_columns: list[dict[str, Any]]
    """``dataset``, ``column``, ``rows``, ``rows_before``, ``filled_before`` (a share). The first of them."""
    empty_columns_total: int


class Report(TypedDict, total=False):
    """The output of an execution, and the cause of one that failed (report.py)."""

    load_id: str
    status: str
    """``loaded``, ``failed``, or report.STATUS."""
    mode: Mode
    cause: str
    """Why the load failed, in sentences."""
    files: dict[str, int]
    """``listed``, ``known``, ``loaded``, ``rejected``, ``unreadable``, ``waiting``, ``failed``."""
    rows: dict[str, int]
    """By table."""
    checks: list[Check]
    """Those that failed, then the first of the others."""
    checks_total: int
    rejected: list[RejectedFile]
    """The first of them, as of the two lists below."""
    rejected_total: int
    unreadable: list[RejectedFile]
    waiting: list[RejectedFile]
    rows_rejected: int
    """Rows of loaded files that are left out, because they do not fit."""
    rejected_rows: list[dict[str, Any]]
    """The first of them: ``key``, ``line``, ``column_name``, ``code``, ``reason``."""
    cut: list[dict[str, Any]]
    """Texts that were too long and are cut: ``dataset``, ``column``, ``rows``."""
    seconds: dict[str, float]
    """``total``, and the sums of the batches' ``plan``, ``stage`` and ``publish``."""
    spent: dict[str, float]
    """What the load used of AWS (usage.figures)."""
    plan: dict[str, Any]
    """What a dry run would load."""
    known: dict[str, int]
    tables: dict[str, int]
    not_taken: UnmatchedFiles
    redo: str
    missing: Missing
    undo: Undo
    setup: list[dict[str, Any]]
    changes: dict[str, list[str]]
    """Dataset -> what the load changed about its tables; of a dry run, what the next load will change."""
    older_rows: list[str]
    """How the rows that were loaded before get what is new."""
    refused: dict[str, str]
    """Dataset -> why its tables cannot be brought to its contract."""
    sample: Sampled
    sweep_mark: str
    """Why the sweep's mark was voided."""
    next: str
    """Whether another execution loads the rest."""


class LoadEvent(TypedDict):
    """The input of a step of the load."""

    load: Load


class BatchEvent(TypedDict):
    """The input of a step of the Map."""

    load: Load
    batch: BatchState


class PlanEvent(TypedDict):
    input: Any
    """The execution's input, which a person may have written."""
    execution: str
    started: str
    load: Load
    """What this step said last; {} in the first call."""


class MigrateEvent(TypedDict):
    load: Load
    batch: NotRequired[BatchState]


class FinishEvent(TypedDict, total=False):
    load: Load
    """{} if Plan failed."""
    execution: str
    started: str
    batches: list[BatchEnd]
    error: StepError
    """{} if no step of the load failed."""
    rest_started: bool
    attempt: int
    """Which attempt of the state machine at this step it is, from 1."""
