"""Which objects a COPY reads: those of a prefix or of a manifest.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html
"""

from __future__ import annotations

import io
import itertools
import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fakeshift.errors import RedshiftError, reading, source_failed
from fakeshift.s3 import ObjectStore, S3Object, split_url

SMALL_BYTES = 1 << 20
"""Objects up to this size are fetched ahead."""
_CONNECTIONS = 8
_MOST_AHEAD = 64


@dataclass(frozen=True)
class Entry:
    """An object to read; a ``mandatory`` one must exist."""

    url: str
    mandatory: bool


def entries(store: ObjectStore, source: str, *, manifest: bool) -> list[Entry]:
    """What to read. Raises RedshiftError: no object, or an invalid manifest."""
    if manifest:
        return _manifest(store, source)
    bucket, prefix = split_url(source)
    found = [Entry(f"s3://{bucket}/{key}", mandatory=False) for key in store.keys(bucket, prefix)]
    if not found:
        raise source_failed(f"The specified S3 prefix '{prefix}' does not exist", "")
    return found


def opened(store: ObjectStore, wanted: Sequence[Entry], source: str) -> Iterator[S3Object]:
    """Opens the objects one after another. Missing optional ones are skipped.

    Small ones are fetched ahead, several at a time. Raises RedshiftError if a mandatory one or all
    are missing.
    """
    count = 0
    for entry, found in _fetched(store, wanted):
        if found is None:
            if entry.mandatory:
                raise source_failed(
                    "Mandatory url is not present in manifest file.",
                    f"Manifest file location = {source} url = {entry.url}",
                )
            continue
        count += 1
        yield found
    if count == 0:
        raise source_failed(
            "The specified S3 prefix does not exist: none of the manifest's files was found",
            f"Manifest file location = {source}",
        )


def _fetched(
    store: ObjectStore, wanted: Sequence[Entry]
) -> Iterator[tuple[Entry, S3Object | None]]:
    """Fetches in order; further ahead while the objects are small, because they are kept in memory."""
    pending: deque[tuple[Entry, Future[S3Object | None]]] = deque()
    coming, ahead = iter(wanted), 1
    if len(wanted) == 1:
        yield wanted[0], store.open(wanted[0].url)
        return
    with ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="copy GET") as pool:
        try:
            while True:
                for entry in itertools.islice(coming, max(ahead - len(pending), 0)):
                    pending.append((entry, pool.submit(_fetch, store, entry.url)))
                if not pending:
                    return
                entry, future = pending.popleft()
                found = future.result()
                yield entry, found
                small = found is None or found.size <= SMALL_BYTES
                ahead = min(2 * ahead, _MOST_AHEAD) if small else 1
        finally:
            for _, future in pending:
                future.cancel()


def _fetch(store: ObjectStore, url: str) -> S3Object | None:
    found = store.open(url)
    if found is not None and found.size <= SMALL_BYTES:
        found.body = io.BytesIO(b"".join(found.chunks()))
    return found


def _manifest(store: ObjectStore, source: str) -> list[Entry]:
    """``{"entries": [{"url": "s3://b/k", "mandatory": true}, ...]}``; mandatory is false by default.

    .../dg/loading-data-files-using-manifest.html
    """
    try:
        found = store.open(source)
    except RedshiftError as error:
        raise source_failed(f"Problem reading manifest file - {error.message}", source) from error
    if found is None:
        raise source_failed(
            "Problem reading manifest file - S3ServiceException:The specified key does not exist."
            ",Status 404,Error NoSuchKey,Rid local,CanRetry 1",
            source,
        )
    try:
        document = json.loads(b"".join(found.chunks()))
        listed = document["entries"]
        built = [_entry(item) for item in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise source_failed(
            "The file is not in proper manifest format.", f"Manifest file location = {source}"
        ) from error
    for entry in built:
        _, key = split_url(entry.url)
        if not key or key.endswith("/"):
            raise source_failed(
                "MANIFEST parameter requires full path of an S3 object.", reading(entry.url)
            )
    if not built:
        raise source_failed("The manifest has no entries.", f"Manifest file location = {source}")
    return built


def _entry(item: Any) -> Entry:
    mandatory = item.get("mandatory", False)
    if not isinstance(item["url"], str) or not isinstance(mandatory, bool):
        raise ValueError(item)
    return Entry(item["url"], mandatory)
