"""Objects of the buckets: which files become which keys, uploads by several threads, deletion."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.clients import UPLOAD_THREADS, Clients
from local.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

DATASETS = ("log_data/", "song_data/")
FORMATS = (".json", ".json.gz")
WHOLE_BYTES = 64 * 1024 * 1024
"""Larger files go up in parts."""
DELETED_AT_ONCE = 1000


@dataclass(frozen=True)
class Upload:
    """A file on disk and the key that it gets."""

    path: Path
    key: str


def starts_a_load(key: str) -> bool:
    """Whether a dataset takes the object: the prefixes and formats of the template's rule."""
    return key.startswith(DATASETS) and key.endswith(FORMATS)


def found_in(folder: Path) -> list[Upload]:
    """The files below log_data/ and song_data/ of a folder, by key; raises Problem if none."""
    if not folder.is_dir():
        raise Problem(f"{folder} is not a folder.")
    uploads = [
        Upload(path, path.relative_to(folder).as_posix())
        for dataset in DATASETS
        for path in sorted((folder / dataset).rglob("*"))
        if path.is_file()
    ]
    if not uploads:
        raise Problem(f"{folder} has no files in log_data/ or song_data/.")
    return uploads


def put_all(
    clients: Clients, bucket: str, uploads: list[Upload], done: Callable[[int], None]
) -> dict[str, str]:
    """Uploads the files; their ETags by key. ``done`` hears how many are there."""
    etags: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=UPLOAD_THREADS) as pool:
        for upload, etag in zip(
            uploads, pool.map(lambda upload: _put(clients, bucket, upload), uploads), strict=True
        ):
            etags[upload.key] = etag
            done(len(etags))
    return etags


def _put(clients: Clients, bucket: str, upload: Upload) -> str:
    if upload.path.stat().st_size > WHOLE_BYTES:
        clients.s3.upload_file(str(upload.path), bucket, upload.key)
        etag = clients.s3.head_object(Bucket=bucket, Key=upload.key)["ETag"]
    else:
        with upload.path.open("rb") as body:
            etag = clients.s3.put_object(Bucket=bucket, Key=upload.key, Body=body)["ETag"]
    return etag.strip('"')


def empty(clients: Clients, bucket: str) -> int:
    """Deletes every object and every version of a bucket; how many there were."""
    deleted = 0
    for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        named: list[ObjectIdentifierTypeDef] = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries
        ]
        for start in range(0, len(named), DELETED_AT_ONCE):
            batch = named[start : start + DELETED_AT_ONCE]
            clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            deleted += len(batch)
    return deleted
