"""One server for all conformance cases of a process, with an S3 for COPY and UNLOAD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from conftest import BUCKET, ROLE
from warehouse import DATABASE, REGION, WORKGROUP, Warehouse

from conformance.runner import Runner, Target
from fakeshift import LocalRedshift, Settings


@pytest.fixture(scope="session")
def conformance(
    aws_url: str, s3_client: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runner]:
    settings = Settings(
        data=tmp_path_factory.mktemp("conformance"), port=0, aws_endpoint_url=aws_url
    )
    with LocalRedshift(settings) as server:
        service: Any = boto3.client(  # it is asked what botocore itself would refuse
            "redshift-data",
            endpoint_url=server.url,
            region_name=REGION,
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="secret",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )
        target = Target(
            client=Warehouse(server.url).client,
            service=service,
            s3=s3_client,
            where={"WorkgroupName": WORKGROUP},
            database=DATABASE,
            bucket=BUCKET,
            role=ROLE,
        )
        yield Runner(target)
