"""A separate local AWS and local Redshift, on free ports, in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.aws import processes
from local.aws.processes import Service
from local.environment import HOST, Ports, isolated

BUCKET = "benchmarks"
ROLE = "arn:aws:iam::000000000000:role/benchmarks"
CONNECTIONS = 8
"""How many GETs at a time, COPY's as well as those that it is compared with."""


@dataclass(frozen=True)
class World:
    """``folder`` is for the benchmarks' own files; ``redshift_pid`` to look at its memory."""

    folder: Path
    s3: Any
    redshift: Any
    redshift_pid: int

    def run(self, sql: str) -> dict[str, Any]:
        """DescribeStatement of a statement that has finished. RuntimeError with its error if it failed."""
        started = self.redshift.execute_statement(
            Sql=sql, Database="dev", WorkgroupName="local", WaitTimeSeconds=30
        )
        while True:
            shown = self.redshift.describe_statement(Id=started["Id"], WaitTimeSeconds=30)
            if shown["Status"] == "FINISHED":
                return dict(shown)
            if shown["Status"] in ("FAILED", "ABORTED"):
                raise RuntimeError(shown.get("Error"))

    def peak_memory(self) -> int:
        """The most bytes that the local Redshift has had resident so far."""
        status = Path(f"/proc/{self.redshift_pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Both servers; they are stopped at the end, and their data removed."""
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    at = Ports(_free_port(), _free_port(), _free_port())
    environ = isolated(os.environ, at)
    services = (
        Service(
            "the local AWS",
            folder / "aws",
            "local.aws.server",
            at.aws,
            f"{at.aws_url}/_ministack/health",
        ),
        Service(
            "the local Redshift",
            folder / "redshift",
            "fakeshift",
            at.redshift,
            f"{at.redshift_url}/_local/health",
            ("--no-assume-role",),
        ),
    )
    started: list[int] = []
    try:
        for service in services:
            started.append(processes.start(service, environ))
        for service in services:
            processes.wait_until_healthy(service)
        s3 = _client("s3", at.aws_url)
        s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        yield World(folder, s3, _client("redshift-data", at.redshift_url), started[-1])
    finally:
        for pid in started:
            _stop(pid)
        shutil.rmtree(folder, ignore_errors=True)


def _client(service: Any, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-west-2",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - what every local AWS accepts
        config=Config(max_pool_connections=2 * CONNECTIONS, read_timeout=120),
    )


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listening:
        return int(listening.getsockname()[1])


def _stop(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
