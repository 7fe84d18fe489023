"""S3: the work bucket, where a load keeps what is too large for its state, and the data bucket, which is only read."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from loader import usage

if TYPE_CHECKING:
    from loader.state import File


class MissingObject(Exception):
    """An object of the work bucket does not exist; its life-cycle rule may have deleted it."""


class Changed(Exception):
    """An object of the work bucket is not as it was when it was read: somebody else has written it."""


@dataclass(frozen=True)
class Version:
    """What an object of the work bucket was when it was read. NOTHING: it did not exist."""

    etag: str = ""
    modified: datetime | None = None


NOTHING = Version()


@dataclass(frozen=True, slots=True)
class DataFile:
    """An object of the data bucket; size in bytes, modified in ISO 8601 or ''."""

    bucket: str
    key: str
    etag: str
    size: int
    modified: str = ""

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def as_dict(self) -> File:
        """The fields by their names. For a million files dataclasses.asdict would take seconds longer."""
        return {
            "bucket": self.bucket,
            "key": self.key,
            "etag": self.etag,
            "size": self.size,
            "modified": self.modified,
        }


@dataclass(frozen=True)
class Head:
    """What a HEAD of an object says: 'there' with its file, 'missing', or 'denied'."""

    state: str
    file: DataFile | None = None


class Store:
    """Reads and writes JSON in the work bucket; lists and heads the data bucket."""

    def __init__(self, work_bucket: str) -> None:
        self.bucket = work_bucket

    @cached_property
    def _client(self) -> Any:
        config = Config(retries={"mode": "standard", "max_attempts": 6})
        return usage.count(boto3.client("s3", config=config))

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def key_of(self, uri: str) -> str:
        """The key of a URI in the work bucket; raises ValueError for any other."""
        match = re.fullmatch(rf"s3://{re.escape(self.bucket)}/(.+)", uri)
        if not match:
            raise ValueError(f"{uri!r} is not in the work bucket {self.bucket}.")
        return match.group(1)

    def put(self, key: str, value: Any) -> str:
        """Writes a JSON document; returns its URI."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        self._client.put_object(
            Bucket=self.bucket, Key=key, Body=body, ContentType="application/json"
        )
        return self.uri(key)

    def get(self, key: str) -> Any:
        """Reads a JSON document; raises MissingObject."""
        return json.loads(self._body(key).read())

    def put_bytes(self, key: str, body: bytes, over: Version | None = None) -> None:
        """Writes an object; with ``over`` only if the object there is still that version. Raises Changed.

        The same request sent again, after an answer that was lost, raises Changed too.
        Source: docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        condition = {}
        if over is not None:
            condition = {"IfMatch": over.etag} if over.etag else {"IfNoneMatch": "*"}
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, **condition)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if condition and status in (404, 409, 412):
                raise Changed(f"s3://{self.bucket}/{key}") from error
            raise

    def get_bytes(self, key: str) -> tuple[bytes, Version]:
        """Reads an object and which version of it this is; raises MissingObject."""
        answer = self._answer(key)
        return bytes(answer["Body"].read()), Version(answer["ETag"], answer["LastModified"])

    def delete(self, key: str) -> None:
        """Deletes a document of the work bucket; one that is not there is no error."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def put_text(self, key: str, text: str) -> str:
        """Writes a text; returns its URI."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=text.encode())
        return self.uri(key)

    def put_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> str:
        """Writes one JSON object a line, gzipped if the key ends in .gz; returns the URI."""
        buffer = io.BytesIO()
        plain = (
            buffer
            if not key.endswith(".gz")
            else gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=5)
        )
        for row in rows:
            plain.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        if plain is not buffer:
            plain.close()
        buffer.seek(0)
        self._client.upload_fileobj(buffer, self.bucket, key)
        return self.uri(key)

    def get_lines(self, key: str) -> Iterator[dict[str, Any]]:
        """Reads back what put_lines wrote, as a stream; raises MissingObject."""
        body = self._body(key)
        with gzip.GzipFile(fileobj=body) if key.endswith(".gz") else body as lines:
            for line in io.BufferedReader(lines) if key.endswith(".gz") else body.iter_lines():
                yield json.loads(line)

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys of the work bucket below a prefix."""
        for entry in self._pages(self.bucket, prefix):
            yield entry["Key"]

    def keys_after(self, prefix: str, after: str) -> Iterator[tuple[str, datetime]]:
        """The keys of the work bucket below a prefix that come after a text, and when they were written."""
        for entry in self._pages(self.bucket, prefix, StartAfter=after):
            yield entry["Key"], entry["LastModified"]

    def list_files(self, bucket: str, prefix: str) -> Iterator[DataFile]:
        """The objects of a bucket below a prefix, in the order of their keys."""
        for entry in self._pages(bucket, prefix):
            modified = entry["LastModified"].isoformat()
            yield DataFile(bucket, entry["Key"], entry["ETag"].strip('"'), entry["Size"], modified)

    def head(self, bucket: str, key: str) -> Head:
        """Whether an object exists and may be read."""
        try:
            answer = self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status == 404:
                return Head("missing")
            if status == 403:
                return Head("denied")
            raise
        modified = answer["LastModified"].isoformat()
        return Head(
            "there",
            DataFile(bucket, key, answer["ETag"].strip('"'), answer["ContentLength"], modified),
        )

    def first_bytes(self, file: DataFile, count: int) -> bytes | None:
        """The first bytes of a data file; None if S3 does not give them: denied, by a key's policy too, or gone."""
        try:
            return self.beginning(file, count)[0]
        except ClientError as error:
            if 400 <= error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500:
                return None
            raise

    def chunks(self, file: DataFile, count: int) -> Iterator[bytes]:
        """The first bytes of a data file, as they come."""
        answer = self._client.get_object(
            Bucket=file.bucket, Key=file.key, Range=f"bytes=0-{count - 1}"
        )
        yield from answer["Body"].iter_chunks(64 << 10)

    def stream(self, file: DataFile, at: int = 0) -> Iterator[bytes]:
        """A data file as it comes, from a byte on, if it is still this version. Raises what botocore raises."""
        more = {"Range": f"bytes={at}-"} if at else {}
        answer = self._client.get_object(
            Bucket=file.bucket, Key=file.key, IfMatch=file.etag, **more
        )
        yield from answer["Body"].iter_chunks(64 << 10)

    def prepare_streams(self) -> None:
        """Makes the client of ``stream``: it is used in threads, in which boto3 must not make one."""
        _ = self._client

    @cached_property
    def _impatient(self) -> Any:
        """A client for optional reads; its failures do not use up the other client's retries."""
        config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
        return usage.count(boto3.client("s3", config=config))

    def prepare_sampling(self) -> None:
        """Makes the client of ``sample``: it is used in threads, in which boto3 must not make one."""
        _ = self._impatient

    def sample(self, file: DataFile, length: int) -> bytes:
        """The first bytes of a data file, if S3 gives them at once. Raises what botocore raises."""
        answer = self._impatient.get_object(
            Bucket=file.bucket, Key=file.key, Range=f"bytes=0-{length - 1}"
        )
        return bytes(answer["Body"].read())

    def beginning(self, file: DataFile, length: int) -> tuple[bytes, DataFile]:
        """The first bytes of a data file, at most so many, and the file as it is now. Raises ClientError."""
        return self._ranged(file, f"bytes=0-{length - 1}")

    def ending(self, file: DataFile, length: int) -> tuple[bytes, DataFile]:
        """The last bytes of a data file, at most so many, and the file as it is now. Raises ClientError."""
        return self._ranged(file, f"bytes=-{length}")

    def part(self, file: DataFile, start: int, length: int) -> bytes:
        """Bytes of a data file, if it is still this version. Raises ClientError."""
        answer = self._client.get_object(
            Bucket=file.bucket,
            Key=file.key,
            Range=f"bytes={start}-{start + length - 1}",
            IfMatch=file.etag,
        )
        return bytes(answer["Body"].read())

    def _ranged(self, file: DataFile, said: str) -> tuple[bytes, DataFile]:
        try:
            answer = self._client.get_object(Bucket=file.bucket, Key=file.key, Range=said)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != 416:
                raise
            head = self.head(file.bucket, file.key).file  # the object is empty, so no range fits
            return b"", head or file
        body = answer["Body"].read()
        size = int(str(answer.get("ContentRange", "")).rpartition("/")[2] or len(body))
        modified = answer["LastModified"].isoformat()
        now = DataFile(file.bucket, file.key, answer["ETag"].strip('"'), size, modified)
        return body, file if now.etag == file.etag else now

    def bucket_region(self, bucket: str) -> str:
        """The bucket's region."""
        answer = self._client.head_bucket(Bucket=bucket)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return str(answer.get("BucketRegion") or headers["x-amz-bucket-region"])

    def is_owned_by(self, bucket: str, account: str) -> bool:
        """Whether a bucket that may be listed is this account's.

        Source: docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
        """
        try:
            self._client.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 403:
                return False
            raise
        return True

    def sends_events(self, bucket: str) -> bool:
        """Whether the bucket sends its events to EventBridge."""
        return "EventBridgeConfiguration" in self._client.get_bucket_notification_configuration(
            Bucket=bucket
        )

    def _pages(self, bucket: str, prefix: str, **more: str) -> Iterator[dict[str, Any]]:
        for page in self._client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, **more
        ):
            yield from page.get("Contents", ())

    def _body(self, key: str) -> Any:
        return self._answer(key)["Body"]

    def _answer(self, key: str) -> Any:
        try:
            return self._client.get_object(Bucket=self.bucket, Key=key)
        except self._client.exceptions.NoSuchKey as error:
            raise MissingObject(f"s3://{self.bucket}/{key} is not there (any more).") from error
