"""Fixtures of fakeshift's tests: servers on free ports, an S3 for COPY.

``warehouse`` is a server of the module with an empty schema ``t`` for each test, ``isolated`` one of
each isolation level; ``copying`` and ``copying_isolated`` are the same with a COPY that reads ``s3``,
a bucket on moto; ``start`` starts more servers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from warehouse import REGION, Warehouse

from fakeshift import LocalRedshift, Settings

BUCKET = "bucket"
ROLE = "arn:aws:iam::123456789012:role/copy"

LEVELS = ("snapshot", "serializable")
TEST_SECONDS = 120

Start = Callable[..., LocalRedshift]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No test in this folder needs this long; one that does hangs."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """S3 and STS on moto's server."""
    pytest.importorskip("flask_cors", reason="moto's server needs moto[server]")
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, ip_address="127.0.0.1", verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3_client(aws_url: str) -> Any:
    client: Any = boto3.client(
        "s3",
        endpoint_url=aws_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2}),
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


class Bucket:
    """``put("a/b.json", ...)`` -> ``s3://bucket/<test>/a/b.json``; each test has its own prefix."""

    def __init__(self, client: Any, prefix: str):
        self.client = client
        self.prefix = prefix

    def url(self, name: str) -> str:
        return f"s3://{BUCKET}/{self.prefix}/{name}"

    def put(self, name: str, body: bytes | str) -> str:
        data = body.encode() if isinstance(body, str) else body
        self.client.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=data)
        return self.url(name)

    def etag(self, name: str) -> str:
        head = self.client.head_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}")
        return str(head["ETag"]).strip('"')


_bucket_number = iter(range(1_000_000))


@pytest.fixture
def s3(s3_client: Any) -> Bucket:
    return Bucket(s3_client, f"p{next(_bucket_number)}")


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedshift]:
    with LocalRedshift(Settings(data=tmp_path_factory.mktemp("redshift"), port=0)) as server:
        yield server


@pytest.fixture
def warehouse(module_server: LocalRedshift) -> Iterator[Warehouse]:
    """The module's server, its schema ``t`` new and empty."""
    made = Warehouse(module_server.url)
    made.make_schema()
    yield made
    made.clean_up()


@pytest.fixture(scope="module")
def copy_server(aws_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedshift]:
    settings = Settings(data=tmp_path_factory.mktemp("copy"), port=0, aws_endpoint_url=aws_url)
    with LocalRedshift(settings) as server:
        yield server


@pytest.fixture
def copying(copy_server: LocalRedshift) -> Iterator[Warehouse]:
    """As ``warehouse``, on a server whose COPY reads from moto."""
    made = Warehouse(copy_server.url)
    made.make_schema()
    yield made
    made.clean_up()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """``start(isolation="serializable", ...)`` -> a running server that belongs to this test."""
    running: list[LocalRedshift] = []

    def make(**settings: Any) -> LocalRedshift:
        base = Settings(data=tmp_path / f"server{len(running)}", port=0)
        server = LocalRedshift(replace(base, **settings)).start()
        running.append(server)
        return server

    yield make
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def of_level(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """``of_level("serializable", ...)`` -> the module's server of that isolation level."""
    running: dict[str, LocalRedshift] = {}

    def get(level: str, **settings: Any) -> LocalRedshift:
        name = "-".join([level, *map(str, settings.values())]).replace("/", "")
        if name not in running:
            base = Settings(data=tmp_path_factory.mktemp(name), port=0)
            made = LocalRedshift(replace(base, isolation=level, **settings))  # type: ignore[arg-type]
            running[name] = made.start()
        return running[name]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture(params=LEVELS)
def isolated(request: pytest.FixtureRequest, of_level: Start) -> Iterator[Warehouse]:
    """As ``warehouse``, on a server of each isolation level."""
    made = Warehouse(of_level(request.param).url)
    made.make_schema()
    yield made
    made.clean_up()


@pytest.fixture(params=LEVELS)
def copying_isolated(
    request: pytest.FixtureRequest, of_level: Start, aws_url: str
) -> Iterator[Warehouse]:
    """As ``copying``, on a server of each isolation level."""
    made = Warehouse(of_level(request.param, aws_endpoint_url=aws_url).url)
    made.make_schema()
    yield made
    made.clean_up()
