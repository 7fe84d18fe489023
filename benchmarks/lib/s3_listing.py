"""A data bucket with very many objects that do not exist: its listing is generated page by page."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3.response import HTTPResponse

PAGE = 1000
"""Keys of a page: docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""

Send = Callable[[AWSPreparedRequest], AWSResponse]


def key_of(prefix: str, number: int) -> str:
    """The key of the n-th object, in the order of the listing."""
    return f"{prefix}2018/11/{number:07}.json"


def listing(url: str, prefix: str, files: int) -> bytes:
    """The answer to ListObjectsV2 of a bucket that has ``files`` objects below ``prefix`` and no others."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    begin = int(asked.get("continuation-token", "0"))
    end = min(begin + PAGE, files) if prefix.startswith(asked.get("prefix", "")) else begin
    more = end < files and end > begin
    entries = "".join(
        f"<Contents><Key>{key_of(prefix, number)}</Key>"
        f"<LastModified>2018-11-12T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;{number:032x}&quot;</ETag><Size>250000</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(begin, end)
    )
    token = f"<NextContinuationToken>{end}</NextContinuationToken>" if more else ""
    return (
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<KeyCount>{end - begin}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
    ).encode()


def answer(request: AWSPreparedRequest, body: bytes, **headers: str) -> AWSResponse:
    """An HTTP answer 200."""
    raw: Any = HTTPResponse(BytesIO(body), preload_content=False)
    return AWSResponse(request.url, 200, HTTPHeaders.from_dict(headers), raw)


def list_from(world: Any, prefix: str, files: int) -> None:
    """Lets a world's data bucket have these objects, for those who list it."""
    behind: Send = world.boundary._s3
    bucket = world.stack.data_bucket

    def s3(request: AWSPreparedRequest) -> AWSResponse:
        url = str(request.url)
        if "list-type=2" in url and bucket in url:
            return answer(
                request, listing(url, prefix, files), **{"Content-Type": "application/xml"}
            )
        return behind(request)

    world.boundary._s3 = s3
