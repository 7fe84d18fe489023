"""Unmodified clients: boto3, the AWS CLI and awswrangler, pointed here by the environment alone.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from fakeshift.__main__ import USE
from warehouse import Warehouse

from fakeshift import LocalRedshift

AWS = Path(sys.executable).with_name("aws")


def exported() -> dict[str, str]:
    """The variables of the export lines that ``--help`` prints."""
    words = [word for line in re.findall(r"^  export (.*)$", USE, re.M) for word in line.split()]
    return dict(word.split("=", 1) for word in words)


@pytest.fixture
def environment(
    module_server: LocalRedshift, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The environment that ``fakeshift --help`` says to set; a table t.plays."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in exported().items():
        monkeypatch.setenv(name, value.replace("http://127.0.0.1:4567", module_server.url))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # another test's, with its credentials
    warehouse.batch(
        "CREATE TABLE t.plays (id INT, name VARCHAR(20), price DECIMAL(6,2), at TIMESTAMP)",
        "INSERT INTO t.plays VALUES (1, 'one', 1.50, '2018-11-01 21:01:46.796'), "
        "(2, NULL, NULL, NULL)",
    )
    return {**os.environ}


def test_boto3(environment: dict[str, str]) -> None:
    client: Any = boto3.client("redshift-data")
    assert client.meta.endpoint_url == environment["AWS_ENDPOINT_URL_REDSHIFT_DATA"]
    answer = client.execute_statement(
        WorkgroupName="local", Database="dev", Sql="SELECT id, name FROM t.plays WHERE id = :id",
        Parameters=[{"name": "id", "value": "1"}], WaitTimeSeconds=10,
    )  # fmt: skip
    assert (answer["Status"], answer["DbUser"]) == ("FINISHED", "IAM:me")
    pages = client.get_paginator("get_statement_result").paginate(Id=answer["Id"])
    assert pages.build_full_result()["Records"] == [[{"longValue": 1}, {"stringValue": "one"}]]
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.describe_statement(Id=answer["Id"][:-1] + "x")
    assert caught.value.response["ResourceId"].endswith("x")
    with pytest.raises(client.exceptions.ValidationException):
        client.execute_statement(Database="dev", Sql="SELECT 1")
    with pytest.raises(client.exceptions.DatabaseConnectionException):
        boto3.client(
            "redshift-data", config=Config(retries={"total_max_attempts": 1})
        ).list_schemas(WorkgroupName="local", Database="nowhere")


def aws(environment: dict[str, str], *arguments: str) -> Any:
    """The JSON that ``aws redshift-data ...`` prints."""
    ended = subprocess.run(
        [str(AWS), "redshift-data", *arguments, "--output", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


TARGET = ("--workgroup-name", "local", "--database", "dev")


def test_the_aws_cli_runs_a_statement(environment: dict[str, str]) -> None:
    """The commands of https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html"""
    answer = aws(
        environment, "execute-statement", *TARGET, "--sql", "select :id::int as a, 'x' as b",
        "--parameters", '[{"name": "id", "value": "1"}]', "--statement-name", "from-the-cli",
        "--wait-time-seconds", "10",
    )  # fmt: skip
    assert answer["Status"] == "FINISHED"
    result = aws(environment, "get-statement-result", "--id", answer["Id"])
    assert result["Records"] == [[{"longValue": 1}, {"stringValue": "x"}]]
    assert [c["name"] for c in result["ColumnMetadata"]] == ["a", "b"]


def test_the_aws_cli_looks_around(environment: dict[str, str]) -> None:
    tables = aws(environment, "list-tables", *TARGET, "--schema-pattern", "t")
    assert tables == {"Tables": [{"name": "plays", "schema": "t", "type": "TABLE"}]}
    failed = subprocess.run(
        [str(AWS), "redshift-data", "execute-statement", "--database", "dev", "--sql", "select 1"],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert failed.returncode != 0
    assert "(ValidationException) when calling the ExecuteStatement operation" in failed.stderr


def test_awswrangler(environment: dict[str, str]) -> None:
    redshift: Any = importlib.import_module("awswrangler").data_api.redshift
    quick = {"sleep": 0.01, "retries": 500, "backoff": 1.0}
    for target in ({"workgroup_name": "local"}, {"cluster_id": "one", "db_user": "IAM:me"}):
        with redshift.connect(database="dev", **target, **quick) as connection:
            frame = redshift.read_sql_query(
                "SELECT id, name, price, at FROM t.plays ORDER BY id", con=connection
            )
            assert list(frame.columns) == ["id", "name", "price", "at"]
            assert frame.iloc[0].tolist() == [1, "one", "1.50", "2018-11-01 21:01:46.796"]
            assert frame.iloc[1, 1:].isna().all()
            one = redshift.read_sql_query(
                "SELECT name FROM t.plays WHERE id = :id",
                con=connection,
                parameters=[{"name": "id", "value": "1"}],
            )
            assert one.to_dict("list") == {"name": ["one"]}
            made = redshift.read_sql_query("CREATE TEMP TABLE gone (a INT)", con=connection)
            assert made.empty
            with pytest.raises(Exception, match='relation "nothing" does not exist'):
                redshift.read_sql_query("SELECT * FROM nothing", con=connection)
