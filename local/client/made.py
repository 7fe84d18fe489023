"""What ``make demo`` put into the bucket, so that it deletes nothing else unless told to."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from local.client import queries
from local.client.clients import Clients
from local.client.objects import WHOLE_BYTES, Upload
from local.environment import DATA
from local.problem import Problem
from local.show import tables

NOTES = DATA / "demo.json"
SHOWN = 3
LOADED = "SELECT DISTINCT key, etag, size FROM files WHERE status = 'loaded'"


def note(bucket: str, uploads: Iterable[Upload], notes: Path = NOTES) -> None:
    """Writes down what will be uploaded before the upload, so that an interrupted demo is known too."""
    made = {upload.key: [upload.path.stat().st_size, _digest(upload.path)] for upload in uploads}
    notes.parent.mkdir(parents=True, exist_ok=True)
    notes.write_text(json.dumps({"bucket": bucket, "made": made}), encoding="utf-8")


def refuse_others(clients: Clients, bucket: str, notes: Path = NOTES) -> None:
    """Raises Problem if the bucket or the warehouse holds files that no demo created."""
    found = others(clients, bucket, notes)
    if not found:
        return
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    raise Problem(
        "make demo needs an empty bucket and an empty warehouse, but found files that it did not create: "
        f"{', '.join(found[:SHOWN])}{more}. Nothing was deleted. To delete them all: make demo WIPE=1 (or loader demo "
        "--wipe). To keep them and load more: loader upload DIR."
    )


def others(clients: Clients, bucket: str, notes: Path = NOTES) -> list[str]:
    """The keys of objects in the bucket, and of files loaded in the warehouse, that the demo did not create, sorted."""
    made = _made(bucket, notes)
    found = {
        entry["Key"]
        for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for entry in page.get("Contents", ())
        if not _is(made, entry["Key"], entry["ETag"].strip('"'), entry["Size"])
    }
    found |= {
        str(key)
        for key, etag, size in _loaded(clients)
        if not _is(made, str(key), str(etag), int(size or 0))
    }
    return sorted(found)


def _loaded(clients: Clients) -> list[list[tables.Value]]:
    """Key, ETag and size of each file whose rows are in the warehouse; none where there are no tables."""
    try:
        return queries.run(clients, LOADED).rows
    except queries.SqlError as error:
        if "does not exist" in str(error):
            return []
        raise


def _is(made: dict[str, list[object]], key: str, etag: str, size: int) -> bool:
    """Whether the demo uploaded this version. The ETag of a file that was uploaded in parts is no digest."""
    if key not in made:
        return False
    known_size, digest = made[key]
    return known_size == size and digest in ("", etag)


def _made(bucket: str, notes: Path) -> dict[str, list[object]]:
    try:
        document = json.loads(notes.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    found: dict[str, list[object]] = document["made"] if document.get("bucket") == bucket else {}
    return found


def _digest(path: Path) -> str:
    """The ETag that S3 will give it; '' if it is uploaded in parts."""
    if path.stat().st_size > WHOLE_BYTES:
        return ""
    with path.open("rb") as body:
        return hashlib.file_digest(body, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
