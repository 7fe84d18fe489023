"""Load ids, and the keys of the work bucket: one function a key. docs/architecture.md says what each object holds."""

import hashlib
import re
from datetime import datetime

EVENT_EXECUTIONS = "s3-"  # the names of executions that S3 events started begin with it
EVENTS = "events/"
WAITING = "waiting/"
SWEEP_MARK = "sweep/mark.json"
WAITING_SINCE = "sweep/since.json"
RETRY_LISTS = "sweep/again/"
UNFINISHED = "open/"
UNSENT = "unsent/"
HISTORY_LOADS = "history/loads/"
HISTORY_DAYS = "history/days/"
SWEPT = "history/sweep.json"

_WAITING = re.compile(r"waiting/(?P<dataset>[a-z0-9_]+)/[0-9a-f]{40}-(?P<files>\d{1,9})\.json\.gz")
_BACKLOG = re.compile(r"rest/([^/]+)/(\d+)\.json\.gz")


# -- loads and executions ------------------------------------------------------------------
def load_id(execution: str, started: str) -> str:
    """A load's id: the start of its execution (UTC) and a hash of its ARN, such as 20261123-203011-1f2e3d4c.

    ``started`` is ISO 8601, as in the state machine's context.
    """
    digits = re.sub(r"\D", "", started)[:14]
    return f"{digits[:8]}-{digits[8:]}-{execution_digest(execution)}"


def execution_digest(execution: str) -> str:
    """The last part of a load's id, which identifies its execution."""
    return hashlib.sha256(execution.encode()).hexdigest()[:8]


def event_execution(digest: str, attempt: int = 1) -> str:
    """The name of an execution for S3 events: s3-<digest>, and s3-<digest>-2 for the second attempt."""
    return f"{EVENT_EXECUTIONS}{digest}" + (f"-{attempt}" if attempt > 1 else "")


def stage_table(parent: str, load: str, batch: str, attempt: int | str) -> str:
    """The staging table of one attempt at one batch; no other load, batch or attempt uses it."""
    return f"{parent}_{load}_{batch}_{attempt}".replace("-", "_").replace(".", "_")


def plan_table(load: str, *parts: object) -> str:
    """The temporary table for a listing; ``parts`` distinguish it from other listings of the load."""
    return re.sub(r"[-.]", "_", "_".join(["file_plan", load, *map(str, parts)]))


# -- lists of files to load ----------------------------------------------------------------
def event_list(execution: str) -> str:
    """The files of an execution for S3 events, by its name; all attempts have the same list."""
    return f"{EVENTS}{'-'.join(execution.split('-')[:2])}.json.gz"


def waiting_list(dataset: str, digest: str, files: int) -> str:
    """The events of one dataset and window that wait for a load to end."""
    return f"{WAITING}{dataset}/{digest}-{files}.json.gz"


def split_waiting_list(key: str) -> tuple[str, int] | None:
    """The dataset and the number of files of a waiting list; None for any other key."""
    found = _WAITING.fullmatch(key)
    return (found["dataset"], int(found["files"])) if found else None


def sweep_list(now: datetime) -> str:
    return f"sweeps/{now:%Y%m%d-%H%M%S-%f}.json.gz"


def backlog_list(name: str, number: int) -> str:
    """The files of one of the executions that continue a load."""
    return f"rest/{name}/{number}.json.gz"


def split_backlog_list(key: str) -> tuple[str, int] | None:
    """The name and number of a backlog list; None for any other key."""
    found = _BACKLOG.fullmatch(key)
    return (found[1], int(found[2])) if found else None


def backlog_count(name: str) -> str:
    return f"rest/{name}/lists.json"


def backlog_ledger(name: str) -> str:
    return f"rest/{name}/ledger.json"


# -- a load's documents --------------------------------------------------------------------
def load_prefix(load: str) -> str:
    """Where a load keeps its documents."""
    return f"loads/{load}"


def listing(load: str, unique: str) -> str:
    """What a load listed; ``unique`` is eight characters, and differs in each attempt to list."""
    return f"{load_prefix(load)}/listing-{unique}.json.gz"


def listing_id(key: str) -> str:
    """The part of a listing's key that is ``unique``."""
    return key.removesuffix(".json.gz")[-8:]


def redo_files(load: str) -> str:
    return f"{load_prefix(load)}/redo.json.gz"


def redo_missing(load: str) -> str:
    return f"{load_prefix(load)}/missing.json.gz"


def not_loaded(load: str) -> str:
    """The files that a dry run found not loaded yet."""
    return f"{load_prefix(load)}/not_loaded.json.gz"


def unmatched(load: str) -> str:
    """The keys that a dry run found to match no dataset."""
    return f"{load_prefix(load)}/not_taken.json.gz"


def batches(load: str) -> str:
    """The prefix of ``batch``."""
    return f"{load_prefix(load)}/batches/"


def batch(load: str, name: str) -> str:
    return f"{batches(load)}{name}.json"


def batch_listing(load: str, name: str, attempt: int) -> str:
    """The files of a batch for a comparison with the ledger."""
    return f"{batches(load)}{name}.{attempt}.json.gz"


def manifests(load: str) -> str:
    """The prefix of ``manifest``."""
    return f"{load_prefix(load)}/manifests/"


def manifest(load: str, table: str) -> str:
    """The manifest for COPY into a staging table. The table is dropped at the end if this key exists."""
    return f"{manifests(load)}{table}.json"


def noload_manifest(load: str, name: str, attempt: int) -> str:
    return f"{load_prefix(load)}/finding/{name}.{attempt}.json"


def control_manifest(load: str, name: str, attempt: int) -> str:
    return f"{load_prefix(load)}/control/{name}.{attempt}.json"


def control_file(load: str, name: str) -> str:
    """An empty data file of the loader's own."""
    return f"{load_prefix(load)}/control/{name}.txt"


def lines(load: str, name: str) -> str:
    """The lines of each file, as COPY reports them."""
    return f"{load_prefix(load)}/lines/{name}.json"


def ledger_rows(load: str, name: str) -> str:
    return f"{load_prefix(load)}/ledger/{name}.json"


def bad_rows(load: str, name: str) -> str:
    """The bad rows of a batch that are left out, and how many COPY has refused."""
    return f"{load_prefix(load)}/bad_rows/{name}.json"


def over_limit(load: str, name: str) -> str:
    """The files of a batch that have too many bad rows."""
    return f"{load_prefix(load)}/bad_rows/{name}.files.json"


def rejected_rows(load: str, name: str) -> str:
    """The ledger's rows of bad rows, for COPY."""
    return f"{load_prefix(load)}/rejected_rows/{name}.json"


def results(load: str) -> str:
    """The prefix of ``result``."""
    return f"{load_prefix(load)}/results/"


def result(load: str, name: str) -> str:
    return f"{results(load)}{name}.json"


def all_changed(load: str) -> str:
    """The prefix of ``changed``."""
    return f"{load_prefix(load)}/changed/"


def changed(load: str, dataset: str) -> str:
    """What a load has changed about the tables of a dataset."""
    return f"{all_changed(load)}{dataset}.json"


def drift(load: str, name: str) -> str:
    """A batch's sample, and in how many rows each column is filled; or as ``name`` a table, for its new rows."""
    return f"{load_prefix(load)}/noticed/{name}.json"


def drift_sample(load: str, name: str) -> str:
    """The sample, while COPY takes longer than one call."""
    return f"{load_prefix(load)}/noticed/{name}.sample.json"


def records_read(load: str, name: str) -> str:
    """How far the files of a batch were read, while that takes longer than one call."""
    return f"{load_prefix(load)}/noticed/{name}.read.json"


def values_of_key(load: str, name: str) -> str:
    """The values that the keys of a batch's files have for columns of their dataset."""
    return f"{load_prefix(load)}/values/{name}.json"


def mask_keys(load: str) -> str:
    """The prefix of ``mask_key``."""
    return f"{load_prefix(load)}/mask_key/"


def mask_key(load: str, suffix: str) -> str:
    """A new key of masked columns, until COPY has read it."""
    return f"{mask_keys(load)}{re.sub(r'[^a-z0-9.]', '-', suffix.lower())}.json"


def probe(load: str) -> str:
    """The file that the preflight asks COPY to read."""
    return f"{load_prefix(load)}/probe.json"


def check_jsonpaths(load: str) -> str:
    return f"{load_prefix(load)}/jsonpaths.json"


def check_document(load: str, name: str) -> str:
    """What the preflight's statements read in place of a load's documents."""
    return f"{load_prefix(load)}/check/{name}"


def jsonpaths(dataset: str, text: str) -> str:
    """A JSONPaths file. The key has a hash of its content, so that none is ever overwritten."""
    return f"jsonpaths/{dataset}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


# -- the sweep -----------------------------------------------------------------------------
def seen(stamp: str) -> str:
    """The recent files that a sweep saw, by its time."""
    return f"sweep/seen/{stamp}.json"


def retry_list(load: str) -> str:
    """The files of a load that the sweep tries again."""
    return f"{RETRY_LISTS}{load}.json"


def retry_lists_read(stamp: str) -> str:
    """Which retry lists a sweep has passed to its load, by its time."""
    return f"sweeps/again-{stamp}.json"


def unfinished(load: str) -> str:
    """Exists while a load has not cleaned up after itself."""
    return f"{UNFINISHED}{load}.json"


def unfinished_load(key: str) -> str:
    """The id of the load to which a key of ``unfinished`` belongs."""
    return key.removeprefix(UNFINISHED).removesuffix(".json")


def unsent(load: str) -> str:
    """The events of a load's end that could not be sent."""
    return f"{UNSENT}{load}.json"


# -- the history ---------------------------------------------------------------------------
def history_loads(day: str) -> str:
    """The prefix of ``history_load`` of the loads that started on a day (UTC), such as 2026-11-23."""
    return f"{HISTORY_LOADS}{day}/"


def history_load(load: str) -> str:
    """What a load did, kept longer than its other documents."""
    return f"{history_loads(f'{load[:4]}-{load[4:6]}-{load[6:8]}')}{load}.json.gz"


def history_load_of(key: str) -> str:
    """The id of the load to which a key of ``history_load`` belongs."""
    return key.rpartition("/")[2].removesuffix(".json.gz")


def history_day(day: str) -> str:
    """The documents of the loads that started on a day (UTC)."""
    return f"{HISTORY_DAYS}{day}.json.gz"


def history_day_of(key: str) -> str:
    """The day to which a key of ``history_day`` or ``history_load`` belongs."""
    return key.split("/")[2].removesuffix(".json.gz")
