"""The AWS services that the functions call, in this process: S3, the Data API, EventBridge, SNS, Step Functions.

They have the operations of boto3's clients that the functions and COPY use, with boto3's answers and errors.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from fakeshift import ApiError, LocalRedshift, ObjectStore, ObjectStores, Principal, Settings

_STATUS = {"NoSuchKey": 404, "404": 404, "PreconditionFailed": 412, "InvalidRange": 416}
_CHUNK = 1 << 20
_OWNER = Principal("loader", "loader", superuser=True)


class NoSuchKey(ClientError):
    """S3 has no object with this key."""


@dataclass(frozen=True)
class Object:
    """An object: a file of this machine, or bytes."""

    content: Path | bytes
    modified: datetime

    @classmethod
    def of_file(cls, path: Path) -> Object:
        return cls(path, datetime.fromtimestamp(int(path.stat().st_mtime), UTC))

    @cached_property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @cached_property
    def etag(self) -> str:
        with self.opened() as stream:
            return hashlib.file_digest(
                stream, lambda: hashlib.md5(usedforsecurity=False)
            ).hexdigest()

    def opened(self) -> Any:
        return (
            io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")
        )


class Body:
    """An object's bytes, as botocore streams them."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, amt: int | None = None) -> bytes:
        data: bytes = b""
        if self._left:
            data = self._stream.read(self._left if amt is None else min(amt, self._left))
            self._left -= len(data)
        if not self._left:
            self._stream.close()
        return data

    def readable(self) -> bool:
        return True

    def iter_chunks(self, chunk_size: int) -> Iterator[bytes]:
        while chunk := self.read(chunk_size):
            yield chunk

    def iter_lines(self) -> Iterator[bytes]:
        yield from self.read().splitlines()

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Body:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class _Client:
    """What every client of boto3 has."""

    meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None))


class S3(_Client):
    """Buckets with objects. Writes go to memory."""

    exceptions = SimpleNamespace(NoSuchKey=NoSuchKey)

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        data = Body if isinstance(Body, bytes) else Body.read()
        made = self.objects[Bucket, Key] = Object(data, datetime.now(UTC))
        return {"ETag": f'"{made.etag}"'}

    def upload_fileobj(self, stream: Any, bucket: str, key: str) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=stream)

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        self.objects.pop((Bucket, Key), None)

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        found = self.objects.get((Bucket, Key))
        if found is None:
            raise _refused("404", "Not Found", "HeadObject")
        return _head(found)

    def get_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        Range: str = "",  # noqa: N803
        IfMatch: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """Range: bytes=<first>-<last>, or bytes=-<last bytes>. IfMatch: the ETag."""
        found = self.objects.get((Bucket, Key))
        if found is None:
            raise _refused("NoSuchKey", "The specified key does not exist.", "GetObject")
        if IfMatch and IfMatch.strip('"') != found.etag:
            raise _refused("PreconditionFailed", "The ETag is another.", "GetObject")
        first, last = 0, found.size - 1
        more = {}
        if Range:
            begin, _, end = Range.removeprefix("bytes=").partition("-")
            first, last = (int(begin), int(end)) if begin else (max(found.size - int(end), 0), last)
            if first >= found.size:
                raise _refused(
                    "InvalidRange", "The requested range is not satisfiable", "GetObject"
                )
            last = min(last, found.size - 1)
            more["ContentRange"] = f"bytes {first}-{last}/{found.size}"
        stream = found.opened()
        stream.seek(first)
        length = last - first + 1
        return {**_head(found), "ContentLength": length, "Body": Body(stream, length), **more}

    def get_paginator(self, operation: str) -> Any:
        if operation != "list_objects_v2":
            raise NotImplementedError(operation)
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, Bucket: str, Prefix: str = "") -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = sorted(k for b, k in list(self.objects) if b == Bucket and k.startswith(Prefix))
        found = ((key, self.objects[Bucket, key]) for key in keys)
        yield {
            "Contents": [
                {"Key": key, "ETag": f'"{o.etag}"', "Size": o.size, "LastModified": o.modified}
                for key, o in found
            ]
        }


def _head(found: Object) -> dict[str, Any]:
    return {"ETag": f'"{found.etag}"', "ContentLength": found.size, "LastModified": found.modified}


def _refused(code: str, message: str, operation: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": _STATUS[code]},
    }
    return (NoSuchKey if code == "NoSuchKey" else ClientError)(answer, operation)


class Stores(ObjectStores):
    """The S3 that COPY reads."""

    def __init__(self, settings: Settings, s3: S3) -> None:
        super().__init__(settings)
        self._store = ObjectStore(s3, settings.region, lambda _bucket: settings.region)

    def get(self, iam_role: str, region: str) -> ObjectStore:
        """The same for every role: all of it is this machine's."""
        del iam_role, region
        return self._store


class ResourceNotFoundException(ClientError):
    """The Data API knows no such statement."""


class ValidationException(ClientError):
    """A request that the Data API refuses."""


class ActiveWaitingRequestsExceededException(ClientError):
    """Too many requests wait; never here."""


class DataApi(_Client):
    """The Data API of a local Redshift in this process."""

    exceptions = SimpleNamespace(
        ResourceNotFoundException=ResourceNotFoundException,
        ValidationException=ValidationException,
        ActiveWaitingRequestsExceededException=ActiveWaitingRequestsExceededException,
    )

    def __init__(self, warehouse: LocalRedshift) -> None:
        self._warehouse = warehouse

    def batch_execute_statement(self, **request: Any) -> Mapping[str, Any]:
        return self._call("BatchExecuteStatement", request)

    def describe_statement(self, **request: Any) -> Mapping[str, Any]:
        return self._call("DescribeStatement", request)

    def get_statement_result(self, **request: Any) -> Mapping[str, Any]:
        return self._call("GetStatementResult", request)

    def list_statements(self, **request: Any) -> Mapping[str, Any]:
        return self._call("ListStatements", request)

    def cancel_statement(self, **request: Any) -> Mapping[str, Any]:
        return self._call("CancelStatement", request)

    def _call(self, operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
        try:
            return self._warehouse.call(operation, request, _OWNER)
        except ApiError as error:
            answer: Any = {
                "Error": {"Code": error.code, "Message": error.message},
                "ResponseMetadata": {"HTTPStatusCode": error.status},
            }
            kind = getattr(self.exceptions, error.code, ClientError)
            raise kind(answer, operation) from error


class Bus(_Client):
    """EventBridge, to which nobody listens."""

    def put_events(self, **_: Any) -> dict[str, Any]:
        """Takes events."""
        return {"FailedEntryCount": 0}


class Topic(_Client):
    """SNS, to which nobody listens."""

    def publish(self, **_: Any) -> None:
        """Takes a message."""
