"""boto3 clients that reach only the local AWS."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from local.aws.processes import healthy
from local.aws.services import both
from local.environment import HOST, REGION, Ports, aws_variables
from local.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_redshift_data import RedshiftDataAPIServiceClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

UPLOAD_THREADS = 8


class Clients:
    """One client per service, each created when it is first used."""

    def __init__(self, at: Ports):
        self._at = at
        variables = aws_variables(at)
        self._session = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        self._config = Config(
            max_pool_connections=2 * UPLOAD_THREADS,
            retries={"mode": "standard", "total_max_attempts": 3},
            proxies={},
        )

    @cached_property
    def s3(self) -> S3Client:
        """Buckets and objects."""
        return self._session.client("s3", endpoint_url=self._at.aws_url, config=self._config)

    @cached_property
    def sqs(self) -> SQSClient:
        """Queues."""
        return self._session.client("sqs", endpoint_url=self._at.aws_url, config=self._config)

    @cached_property
    def states(self) -> SFNClient:
        """The state machine and its executions."""
        return self._session.client(
            "stepfunctions", endpoint_url=self._at.aws_url, config=self._config
        )

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The stack."""
        return self._session.client(
            "cloudformation", endpoint_url=self._at.aws_url, config=self._config
        )

    @cached_property
    def redshift(self) -> RedshiftDataAPIServiceClient:
        """The Redshift Data API."""
        return self._session.client(
            "redshift-data", endpoint_url=self._at.redshift_url, config=self._config
        )


def clients(at: Ports) -> Clients:
    """The clients; raises Problem if the local AWS is not up."""
    for service in both(at):
        if not healthy(service):
            raise Problem(
                f"{service.name} does not answer on {HOST}:{service.port}. Start it: make up"
            )
    return Clients(at)
