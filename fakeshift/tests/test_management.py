"""The calls that clients make before they connect, by boto3, and a connection with what they return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from wire_client import Client, fields

from fakeshift import LocalRedshift, Settings

IDLE = ("Z", b"I")


class Clock:
    """The time, which a test moves."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedshift]:
    settings = Settings(
        data=tmp_path_factory.mktemp("management"), port=0, pg_port=0, clock=CLOCK,
        principals={"KEY": "IAMR:loader"},
    )  # fmt: skip
    with LocalRedshift(settings) as running:
        yield running


def client(server: LocalRedshift, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=server.url, region_name="us-west-2", aws_access_key_id="KEY",
        aws_secret_access_key="x",
    )  # type: ignore[call-overload]  # fmt: skip


@pytest.fixture(scope="module")
def serverless(server: LocalRedshift) -> Any:
    return client(server, "redshift-serverless")


@pytest.fixture(scope="module")
def clusters(server: LocalRedshift) -> Any:
    return client(server, "redshift")


def user(server: LocalRedshift, login: str, password: str) -> str:
    """The database user of a connection, or the SQLSTATE of its refusal."""
    with Client(server.pg_port) as connection:
        (*_, (kind, body)) = connection.login(user=login, password=password)
        if kind == "E":
            return fields(body)["C"]
        ((name,),) = connection.rows("SELECT current_user")
        return (name or b"").decode()


def test_where_the_port_is(server: LocalRedshift, serverless: Any, clusters: Any) -> None:
    workgroup = serverless.get_workgroup(workgroupName="analytics")["workgroup"]
    assert workgroup["workgroupName"] == "analytics"
    assert workgroup["endpoint"] == {"address": "127.0.0.1", "port": server.pg_port}
    assert [each["status"] for each in serverless.list_workgroups()["workgroups"]] == ["AVAILABLE"]
    assert serverless.get_namespace(namespaceName="names")["namespace"]["dbName"] == "dev"
    assert len(serverless.list_namespaces()["namespaces"]) == 1
    (cluster,) = clusters.describe_clusters(ClusterIdentifier="c")["Clusters"]
    assert (cluster["ClusterIdentifier"], cluster["DBName"]) == ("c", "dev")
    assert cluster["Endpoint"] == {"Address": "127.0.0.1", "Port": server.pg_port}


def test_credentials_of_serverless(server: LocalRedshift, serverless: Any) -> None:
    given = serverless.get_credentials(workgroupName="work", durationSeconds=900)
    assert given["dbUser"] == "IAMR:loader"
    assert user(server, given["dbUser"], given["dbPassword"]) == "IAMR:loader"
    assert user(server, given["dbUser"], "wrong") == "28000"
    CLOCK.now += 901
    again = serverless.get_credentials(workgroupName="work")
    assert user(server, given["dbUser"], given["dbPassword"]) == "28000"
    assert user(server, again["dbUser"], again["dbPassword"]) == "IAMR:loader"


@pytest.mark.parametrize(("create", "login"), [(False, "IAM:ann"), (True, "IAMA:ann")])
def test_credentials_of_a_cluster(
    server: LocalRedshift, clusters: Any, create: bool, login: str
) -> None:
    given = clusters.get_cluster_credentials(
        ClusterIdentifier="c", DbUser="ann", AutoCreate=create, DurationSeconds=3600, DbGroups=[]
    )
    assert given["DbUser"] == login
    assert given["Expiration"].timestamp() == CLOCK.now + 3600
    assert user(server, login, given["DbPassword"]) == "ann"


def test_credentials_of_a_cluster_for_an_iam_identity(server: LocalRedshift, clusters: Any) -> None:
    given = clusters.get_cluster_credentials_with_iam(ClusterIdentifier="c")
    assert given["DbUser"] == "IAMR:loader"
    assert user(server, given["DbUser"], given["DbPassword"]) == "IAMR:loader"


def test_calls_that_are_refused(serverless: Any, clusters: Any) -> None:
    for call in (
        lambda: serverless.get_credentials(durationSeconds=60),
        serverless.list_snapshots,
        clusters.describe_cluster_snapshots,
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert "redshift:DescribeClusterSnapshots is not supported" in str(refused.value)
