"""One server for all conformance cases of a process, with an S3 for COPY and UNLOAD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.redshift import LocalRedshift, Settings
from tests.redshift.conformance.runner import Runner
from tests.redshift.conftest import BUCKET, ROLE


@pytest.fixture(scope="session")
def conformance(
    aws_url: str, s3_client: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runner]:
    settings = Settings(
        data=tmp_path_factory.mktemp("conformance"), port=0, aws_endpoint_url=aws_url
    )
    with LocalRedshift(settings) as server:
        yield Runner(server.url, s3_client, bucket=BUCKET, role=ROLE)
