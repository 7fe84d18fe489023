"""A load as its steps hand it on: events for handlers, batches in the work bucket, Redshift's answers."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

import stage
from loader import batches
from loader.batches import Batch, Reject
from loader.datasets import dataset_of, datasets
from loader.migrations import latest_version
from loader.state import Load
from loader.store import DataFile, Store

from tests.unit.fakes import Context, FakeDataApi, Reply

LOAD_ID = "20261123-203011-0a1b2c3d"
EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:load:s3-1"
STARTED = "2026-11-23T20:30:11.123Z"
FIRST, LAST = "2018-11-12 00:00:00.796000", "2018-11-12 23:59:58.796000"
LOG = "log_data/2018/11/2018-11-12-events.json"
SONG = "song_data/A/B/C/TRABC.json"
DEFINITION = "0123456789abcdef"  # of a check, as the audit has it
ETAG = "99914b932bd37a50b983c5e7c90ae93b"  # of an object that is {}
HOSTILE = "log_data/x'; DROP TABLE y;--${schema}:load_id.json"
BY_HAND = ("admin/setup.sql", "admin/grant_readers.sql")  # files of sql/ that an administrator runs

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def load(**changes: Any) -> Load:
    """What the plan says of a load of one batch of one file."""
    found: dict[str, Any] = {
        "load_id": LOAD_ID,
        "execution": EXECUTION,
        "started": STARTED,
        "attempt": 0,
        "mode": "load",
        "mark": "",
        "ended": [],
        "dry_run": False,
        "named": False,
        "outcome": "load",
        "listed": 1,
        "known": 0,
        "planned": 1,
        "batch_count": 1,
        "batches": ["0"],
        "rest": "",
    }
    return cast(Load, found | changes)


def planned(name: str = "0") -> dict[str, Any]:
    """A batch as the state machine's Map begins it."""
    return {"batch": name, "outcome": "planned"}


def file(key: str, size: int = 7, etag: str = ETAG) -> DataFile:
    return DataFile("data", key, etag, size, "2026-11-23T20:00:00+00:00")


def save(
    store: Store, *files: DataFile | str, name: str = "0", rejects: tuple[Reject, ...] = ()
) -> Batch:
    """Writes the document of a batch, as the plan does."""
    members = tuple(file(item) if isinstance(item, str) else item for item in files)
    keys = [item.key for item in members] + [reject.file.key for reject in rejects]
    found = dataset_of(keys[0], datasets().values()) if keys else None
    batch = Batch(name, found.name if found else "log_data", members, rejects)
    batches.write(store, LOAD_ID, batch)
    return batch


def staged_reply(
    *files: DataFile | str, rows: int = 10, version: int = 0, bad_check: str = "", **more: Any
) -> Reply:
    """Redshift's answer to a staging statement: the files that COPY read, and the audit; version 0: the newest."""
    members = [file(item) if isinstance(item, str) else item for item in files]
    read = [
        copied(batches.reported_name(item), item.etag, rows // len(members)) for item in members
    ]
    audit: list[tuple[Any, ...]] = [
        ("staged", "rows", None, rows, None, FIRST, LAST),
        ("version", "schema_version", None, version or latest_version(), None, None, None),
        ("check", "event_page_known", DEFINITION, 0, 0, None, None),
    ]
    if bad_check:
        audit.append(("check", bad_check, DEFINITION, 3, 0, None, None))
    return Reply(rows={stage.COUNT: [(rows,)], stage.AUDIT: [*audit, *read]}, **more)


def copied(name: str, etag: str | None, lines: int | None) -> tuple[Any, ...]:
    """A row of the audit: what COPY says of a file."""
    return ("file", name, etag, lines, None, None, None)


def reports(reply: Reply, *files: tuple[Any, ...]) -> Reply:
    """The reply with only these files reported."""
    reply.rows[stage.AUDIT] = [
        *(row for row in reply.rows[stage.AUDIT] if row[0] != "file"),
        *files,
    ]
    return reply


def known(*, named: bool, reload: bool) -> set[str]:
    """The statuses in the ledger by which a listed file is not new."""
    found = set() if reload else {"loaded", "rejected"}
    return found - {"rejected"} if named else found | {"withdrawn"}


def known_by(data_api: FakeDataApi) -> set[str]:
    """The same, as the last statement that compares a listing with the ledger has it."""
    text = " ".join(data_api.submits[-1]["Sqls"][-1].split())
    cases = re.findall(r"\(f\.status = '(\w+)'((?: AND [01] = 0)+)\)", text)
    assert len(cases) == 3, text
    return {status for status, flags in cases if "1 = 0" not in flags}


def call(handler: Handler, state: dict[str, Any] | None = None, **of_load: Any) -> dict[str, Any]:
    """One call of a step, through JSON as Lambda and Step Functions pass it."""
    event = {"load": load(**of_load)} | ({} if state is None else {"batch": state})
    answer: dict[str, Any] = json.loads(
        json.dumps(handler(json.loads(json.dumps(event)), Context()))
    )
    return answer
