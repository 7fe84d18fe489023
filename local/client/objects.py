"""Objects of the buckets: which files become which keys, uploads by several threads, deletion."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.client.clients import UPLOAD_THREADS, Clients
from local.datasets import datasets
from local.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

WHOLE_BYTES = 64 * 1024 * 1024
"""Larger files are uploaded in parts."""
DELETED_AT_ONCE = 1000
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters of keys that XML 1.0 cannot hold, so DeleteObjects cannot name them: https://www.w3.org/TR/xml/#charsets"""


@dataclass(frozen=True)
class Upload:
    """A file on disk and its key in the bucket."""

    path: Path
    key: str


def starts_a_load(key: str) -> bool:
    """Whether the object belongs to a dataset."""
    return any(dataset.takes(key) for dataset in datasets())


def not_taken(uploads: list[Upload]) -> list[str]:
    """The keys under a dataset's prefix whose suffix the dataset does not accept."""
    return [upload.key for upload in uploads if not starts_a_load(upload.key)]


def found_in(folder: Path) -> list[Upload]:
    """The files of a folder under the datasets' prefixes, by key. Raises Problem if there are none."""
    if not folder.is_dir():
        raise Problem(f"{folder} is not a folder.")
    uploads = [
        Upload(path, path.relative_to(folder).as_posix())
        for dataset in datasets()
        for path in sorted((folder / dataset.prefix).rglob("*"))
        if path.is_file()
    ]
    if not uploads:
        raise Problem(
            f"{folder} has no files in {' or '.join(each.prefix for each in datasets())}."
        )
    return uploads


def put_all(
    clients: Clients, bucket: str, uploads: list[Upload], done: Callable[[int], None]
) -> dict[str, str]:
    """Uploads the files; their ETags by key. ``done`` is called with the number uploaded so far."""
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
    """Deletes every version of every object in a bucket; returns how many there were."""
    deleted = 0
    for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        named: list[ObjectIdentifierTypeDef] = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries
        ]
        together = [one for one in named if not NOT_IN_XML.search(one["Key"])]
        for start in range(0, len(together), DELETED_AT_ONCE):
            batch = together[start : start + DELETED_AT_ONCE]
            clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        for one in named:
            if NOT_IN_XML.search(one["Key"]):
                clients.s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        deleted += len(named)
    return deleted
