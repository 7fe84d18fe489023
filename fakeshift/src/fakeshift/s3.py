"""S3 as COPY and UNLOAD see it: with the credentials of IAM_ROLE, and Redshift's error messages."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Protocol

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader

from fakeshift.config import Settings
from fakeshift.errors import RedshiftError, reading, s3_failed, source_failed

_MODELS = create_loader()
"""The services' models, read once: reading them takes longer than a COPY of a small file."""
_KEEP_CLIENT_SECONDS = 60
_CHUNK = 1 << 20
_READ_SECONDS = 20
"""If S3 does not answer, a COPY (and the locks of a cancelled one) ends after its attempts of this."""


class Body(Protocol):
    """An object's bytes, as botocore streams them."""

    def read(self, amt: int | None = None) -> bytes:
        """The next bytes, b"" at the end."""


@dataclass
class S3Object:
    """An open object: read it once."""

    url: str
    etag: str
    last_modified: dt.datetime
    size: int
    body: Body

    def chunks(self) -> Iterator[bytes]:
        """The object's bytes, chunk by chunk."""
        while True:
            try:
                chunk = self.body.read(_CHUNK)
            except (BotoCoreError, OSError) as error:
                raise source_failed(
                    f"S3ServiceException:{error}", reading(self.url), 9001
                ) from error
            if not chunk:
                return
            yield chunk


class ObjectStore:
    """Lists and reads buckets of one region. Raises RedshiftError with the key in its text.

    A bucket of another region is refused as S3 refuses it; COPY does not follow the redirect:
    https://docs.aws.amazon.com/redshift/latest/dg/s3serviceexception-error.html
    """

    def __init__(self, client: Any, region: str, region_of: Callable[[str], str]):
        self._client = client
        self._region = region
        self._region_of = region_of

    def _require_region(self, bucket: str, context: str) -> None:
        """The error as seen at https://github.com/hellonarrativ/spectrify/issues/50"""
        if self._region_of(bucket) not in ("", self._region):
            raise s3_failed(
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified "
                "endpoint. Please send all future requests to this endpoint.",
                301,
                context,
            )

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """The keys with a prefix, in order."""
        self._require_region(bucket, f"Listing bucket={bucket} prefix={prefix}")
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix
            )
            for page in pages:
                for entry in page.get("Contents", []):
                    yield entry["Key"]
        except ClientError as error:
            raise _refused(error, f"Listing bucket={bucket} prefix={prefix}") from error
        except BotoCoreError as error:
            raise source_failed(
                f"S3ServiceException:{error}", f"Listing bucket={bucket} prefix={prefix}"
            ) from error

    def open(self, url: str) -> S3Object | None:
        """The object of ``s3://bucket/key``, None if there is none."""
        bucket, key = split_url(url)
        self._require_region(bucket, reading(url))
        try:
            got = self._client.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise _refused(error, reading(url)) from error
        except BotoCoreError as error:
            raise source_failed(f"S3ServiceException:{error}", reading(url)) from error
        return S3Object(
            url, got["ETag"].strip('"'), got["LastModified"], got["ContentLength"], got["Body"]
        )

    def put(self, bucket: str, key: str, body: IO[bytes], more: Mapping[str, str]) -> None:
        """Writes an object; ``more`` are further arguments of PutObject, for example encryption."""
        self._require_region(bucket, _writing(bucket, key))
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=body, **more)
        except ClientError as error:
            raise _refused(error, _writing(bucket, key)) from error
        except BotoCoreError as error:
            raise source_failed(f"S3ServiceException:{error}", _writing(bucket, key)) from error

    def delete(self, bucket: str, key: str) -> None:
        """Deletes an object, if it exists."""
        try:
            self._client.delete_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise _refused(error, _writing(bucket, key)) from error
        except BotoCoreError as error:
            raise source_failed(f"S3ServiceException:{error}", _writing(bucket, key)) from error


def _writing(bucket: str, key: str) -> str:
    return f"S3 key being written : s3://{bucket}/{key}"


def split_url(url: str) -> tuple[str, str]:
    """``s3://bucket/a/b`` -> ``("bucket", "a/b")``."""
    if not url.startswith("s3://"):
        raise RedshiftError(f"COPY from {url} is not supported by the local Redshift: not s3://")
    bucket, _, key = url[len("s3://") :].partition("/")
    if not bucket:
        raise RedshiftError(f"Invalid S3 location: {url}")
    return bucket, key


def _refused(error: ClientError, context: str) -> RedshiftError:
    given = error.response["Error"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    messages = {
        "AccessDenied": "Access Denied",
        "NoSuchBucket": "The specified bucket does not exist",
        "403": "Access Denied",
    }
    code = {"403": "AccessDenied"}.get(given["Code"], given["Code"])
    return s3_failed(code, messages.get(given["Code"], given.get("Message", "")), status, context)


class ObjectStores:
    """Object stores by role and region; a role's credentials come from STS and are kept for a minute."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, ObjectStore]] = {}
        self._regions: dict[str, tuple[float, str]] = {}

    def get(self, iam_role: str, region: str) -> ObjectStore:
        """The store of IAM_ROLE ``iam_role`` (an ARN or ``default``).

        Raises RedshiftError if STS refuses the role's credentials.
        """
        role = self._resolve(iam_role)
        place = (role, region or self._settings.region)
        with self._lock:
            kept = self._known.get(place)
            if kept is None or kept[0] < time.monotonic():
                kept = (time.monotonic() + _KEEP_CLIENT_SECONDS, self._make(*place))
                self._known[place] = kept
        return kept[1]

    def _resolve(self, iam_role: str) -> str:
        if iam_role != "default":
            return iam_role
        if self._settings.default_iam_role:
            return self._settings.default_iam_role
        if not self._settings.assume_role:
            return ""
        raise RedshiftError(
            "The default IAM role is not set for this cluster",
            hint="Start the local Redshift with --default-iam-role.",
        )

    def region_of(self, bucket: str) -> str:
        """A bucket's region, "" if unknown. S3 also tells callers who may not read the bucket.

        The request uses the environment's credentials: the role needs no permission for it.
        """
        with self._lock:
            kept = self._regions.get(bucket)
        if kept is None or kept[0] < time.monotonic():
            kept = (time.monotonic() + _KEEP_CLIENT_SECONDS, self._ask_region(bucket))
            with self._lock:
                self._regions[bucket] = kept
        return kept[1]

    def _ask_region(self, bucket: str) -> str:
        try:
            answer = self._client("", self._settings.region).head_bucket(Bucket=bucket)
        except ClientError as error:
            answer = error.response
        except BotoCoreError:
            return ""
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return str(headers.get("x-amz-bucket-region", ""))

    def _make(self, role: str, region: str) -> ObjectStore:
        return ObjectStore(self._client(role, region), region, self.region_of)

    def _client(self, role: str, region: str) -> Any:
        core = botocore.session.Session()
        core.register_component("data_loader", _MODELS)
        session: Any = boto3.session.Session(region_name=region, botocore_session=core)
        own: dict[str, str] = {}
        if session.get_credentials() is None:
            own = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        endpoint = self._settings.aws_endpoint_url
        local = endpoint or os.environ.keys() & {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"}
        config = Config(
            s3={"addressing_style": "path"} if local else {},
            retries={"mode": "standard", "total_max_attempts": 5},
            connect_timeout=5,
            read_timeout=_READ_SECONDS,
            max_pool_connections=20,
            response_checksum_validation="when_required",
        )
        credentials = own
        if self._settings.assume_role and role:
            sts = session.client("sts", endpoint_url=endpoint, config=config, **own)
            credentials = _assume(sts, role)
        return session.client("s3", endpoint_url=endpoint, config=config, **credentials)


def _assume(sts: Any, role: str) -> dict[str, str]:
    try:
        given = sts.assume_role(RoleArn=role, RoleSessionName="redshift")["Credentials"]
    except (ClientError, BotoCoreError) as error:
        message = (
            "exception name : UnauthorizedException, error type : 135, message: Not authorized to "
            f"get credentials of role {role}, should retry : 0"
        )
        raise source_failed(message, str(error), 30000) from error
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
