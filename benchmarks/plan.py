"""Planning 1,000 to a million keys, none, half or all of them in the ledger: the plan function alone in a process.

S3 lists objects that do not exist (s3_listing.py) and keeps what is put in files; the warehouse answers at once which
numbers are new. The time of these fakes is included, and also reported separately where it is in the process:
``fakes_s``.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parents[1]
MEGABYTES = 512
SHARES = {"none": 1, "half": 2, "all": 0}
"""Of the keys that are in the ledger: what is new is every step-th number, or none."""


def measure(sizes: list[int]) -> dict[str, Any]:
    """Each size with each share, each in its own process."""
    rows = []
    for files in sizes:
        for share in SHARES:
            ended = subprocess.run(
                [sys.executable, "-m", "benchmarks.plan", str(files), share],
                cwd=ROOT,
                env={**os.environ, **_environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"},
                capture_output=True,
                text=True,
                check=False,
            )
            if ended.returncode:
                raise RuntimeError(ended.stderr)
            rows.append(json.loads(ended.stdout.splitlines()[-1]))
            print(f"  {rows[-1]}", flush=True)
    largest = max(row["peak_mb"] for row in rows)
    linear = {share: _linear(rows, share) for share in SHARES}
    return {
        "bounds": {"peak_mb": MEGABYTES, "microseconds_a_key_may_grow_by": 2.0},
        "largest_peak_mb": largest,
        "growth_of_microseconds_a_key": linear,
        "rows": rows,
        "holds": largest < MEGABYTES and all(growth <= 2 for growth in linear.values()),
    }


def _linear(rows: list[dict[str, Any]], share: str) -> float:
    """Processor time per key of the largest size, divided by that of ten thousand or more: 1 is linear."""
    found = sorted(
        (row["files"], row["processor_s"] / row["files"])
        for row in rows
        if row["share"] == share and row["files"] >= 10_000
    )
    return round(found[-1][1] / found[0][1], 2) if found else 0.0


def _environment() -> dict[str, str]:
    from contracts import build
    from tests.world.simulator import PARAMETERS
    from tests.world.template import Stack

    stack = Stack(ROOT, PARAMETERS)
    return {
        **stack.function("PlanFunction").environment,
        "LOADER_SQL": str(build.ready()),
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Fakes:
    """S3 and the Data API, at the end of the clients' pipe."""

    def __init__(self, folder: Path, files: int, step: int) -> None:
        self._folder = folder
        self._files = files
        self._step = step
        self.calls: Counter[str] = Counter()
        self.seconds = 0.0

    def send(self, request: Any, event_name: str, **more: Any) -> Any:
        """botocore's before-send, which may answer in place of the network."""
        del more
        began = time.process_time()
        try:
            _, service, operation = event_name.split(".")
            self.calls[operation] += 1
            return (self._s3 if service == "s3" else self._redshift)(operation, request)
        finally:
            self.seconds += time.process_time() - began

    def _s3(self, operation: str, request: Any) -> Any:
        from benchmarks.lib.s3_listing import answer, listing

        path = self._folder / request.url.split("?")[0].split("/", 3)[3].replace("/", "_")
        if operation == "ListObjectsV2":
            page = listing(request.url, "log_data/", self._files)
            return answer(request, page, **{"Content-Type": "application/xml"})
        if operation == "UploadPart":
            number = int(parse_qs(urlsplit(request.url).query)["partNumber"][0])
            path.with_suffix(f".{number:05}").write_bytes(_body(request))
            return answer(request, b"", ETag='"0"')
        if operation == "CreateMultipartUpload":
            name = "InitiateMultipartUploadResult"
            return answer(request, f"<{name}><UploadId>1</UploadId></{name}>".encode())
        if operation == "CompleteMultipartUpload":
            with path.open("wb") as file:
                for part in sorted(self._folder.glob(f"{path.stem}.[0-9]*")):
                    file.write(part.read_bytes())
                    part.unlink()
            return answer(request, b"<CompleteMultipartUploadResult/>")
        if operation == "PutObject":
            path.write_bytes(_body(request))
            return answer(request, b"", ETag='"0"')
        assert operation == "GetObject", operation
        return _Streamed(request.url, path)

    def _redshift(self, operation: str, request: Any) -> Any:
        from benchmarks.lib.pages import Pages, page
        from benchmarks.lib.s3_listing import answer

        given = json.loads(request.body)
        if operation == "GetStatementResult":
            rows = Pages(self._files if self._step else 0, self._step or 1)
            told: dict[str, Any] = page(given, rows)
        else:
            told = {"Id": "1", "Status": "FINISHED"}
        return answer(request, json.dumps(told).encode())


def _body(request: Any) -> bytes:
    """A request's body as S3 keeps it: without the chunks and checksums of aws-chunked."""
    body = request.body
    data = body if isinstance(body, bytes) else bytes(body.read())
    if "aws-chunked" not in _text(request.headers.get("Content-Encoding", "")):
        return data
    chunks: list[bytes] = []
    begin = 0
    while True:
        end = data.index(b"\r\n", begin)
        length = int(data[begin:end].split(b";")[0], 16)
        if not length:
            return b"".join(chunks)
        chunks.append(data[end + 2 : end + 2 + length])
        begin = end + 2 + length + 2


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _Streamed(url: str, path: Path) -> Any:  # noqa: N802 - makes an AWSResponse
    """An answer whose body is read from a file as it is asked for, as from the network."""
    from botocore.awsrequest import AWSResponse
    from botocore.compat import HTTPHeaders
    from urllib3.response import HTTPResponse

    raw: Any = HTTPResponse(path.open("rb"), preload_content=False)
    length = {"Content-Length": str(path.stat().st_size)}
    return AWSResponse(url, 200, HTTPHeaders.from_dict(length), raw)


def main() -> None:
    """One plan; prints its row."""
    files, share = int(sys.argv[1]), sys.argv[2]
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    import plan

    from tests.world.machine import peak_memory

    fakes = Fakes(folder, files, SHARES[share])
    for client in (plan.store._client, plan.api._client):
        client.meta.events.register("before-send", fakes.send)
    before = peak_memory()
    event = {
        "input": {},
        "execution": "arn:aws:states:us-west-2:123456789012:execution:loader-load:one",
        "started": "2026-11-23T20:30:11.123Z",
    }
    wall, processor = time.perf_counter(), time.process_time()
    result = plan.handler(event, _Context())
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    new = {"none": files, "half": files - files // 2, "all": 0}[share]
    assert (result["listed"], result["known"]) == (files, files - new), result
    listing = next(folder.glob("*listing*.gz"))
    with gzip.open(listing) as lines:
        assert sum(1 for _ in lines) == files
    row = {
        "files": files,
        "share": share,
        "wall_s": round(wall, 3),
        "processor_s": round(processor, 3),
        "fakes_s": round(fakes.seconds, 3),
        "peak_mb": round(peak_memory() / 1e6, 1),
        "before_mb": round(before / 1e6, 1),
        "batches": result["batch_count"],
        "rest": bool(result["rest"]),
        "calls": dict(fakes.calls),
    }
    print(json.dumps(row))
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


class _Context:
    function_name = "plan"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-west-2:123456789012:function:plan"
    aws_request_id = "00000000-0000-0000-0000-000000000000"


if __name__ == "__main__":
    main()
