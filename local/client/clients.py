"""boto3 clients of the local AWS, which reach nothing else, or of a deployed stack."""

from __future__ import annotations

import argparse
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.processes import healthy
from local.aws.services import both
from local.client import target as targets
from local.client.target import LOCAL_WAREHOUSE, Target, Warehouse, warehouse_of
from local.environment import HOST, Ports
from local.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_redshift_data import RedshiftDataAPIServiceClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

UPLOAD_THREADS = 8


class Clients:
    """One client per service, each created when it is first used."""

    def __init__(self, where: Ports | Target):
        self.target = targets.local(where) if isinstance(where, Ports) else where
        only_here: dict[str, Any] = {"proxies": {}} if self.target.local else {}
        self._session = self.target.session
        self._config = Config(
            max_pool_connections=2 * UPLOAD_THREADS,
            retries={"mode": "standard", "total_max_attempts": 3 if self.target.local else 5},
            **only_here,
        )

    @cached_property
    def s3(self) -> S3Client:
        """Buckets and objects."""
        return self._session.client("s3", **self._options("s3"))

    @cached_property
    def sqs(self) -> SQSClient:
        """Queues."""
        return self._session.client("sqs", **self._options("sqs"))

    @cached_property
    def states(self) -> SFNClient:
        """The state machine and its executions."""
        return self._session.client("stepfunctions", **self._options("stepfunctions"))

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The stack."""
        return self._session.client("cloudformation", **self._options("cloudformation"))

    @cached_property
    def functions(self) -> LambdaClient:
        """The Lambda functions."""
        return self._session.client("lambda", **self._options("lambda"))

    @cached_property
    def cloudwatch(self) -> Any:
        """Metrics."""
        return self._session.client("cloudwatch", **self._options("cloudwatch"))

    @cached_property
    def redshift(self) -> RedshiftDataAPIServiceClient:
        """The Redshift Data API."""
        return self._session.client("redshift-data", **self._options("redshift-data"))

    def _options(self, service: str) -> dict[str, Any]:
        return {"endpoint_url": self.target.endpoint(service), "config": self._config}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters of the stack that --stack names, with their defaults. Empty for the local AWS."""
        if self.target.local:
            return {}
        name = self.target.stack
        try:
            [found] = self.cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                raise Problem(
                    f"There is no stack {name} in {self.target.session.region_name} of this account."
                ) from error
            raise
        return {
            one["ParameterKey"]: one.get("ParameterValue", "")
            for one in found.get("Parameters", [])
        }

    @cached_property
    def warehouse(self) -> Warehouse:
        """Where the tables are. Raises Problem if the stack is none of this repository."""
        if self.target.local:
            return LOCAL_WAREHOUSE
        try:
            return warehouse_of(self.parameters)
        except KeyError as missing:
            raise Problem(
                f"The stack {self.target.stack} has no parameter {missing}: it is not a stack of this repository."
            ) from missing


def clients(arguments: argparse.Namespace) -> Clients:
    """The clients of what a command line names; raises Problem if that is the local AWS and it is not up."""
    found = targets.of(arguments)
    if found.at is not None:
        for service in both(found.at):
            if not healthy(service):
                raise Problem(
                    f"{service.name} does not answer on {HOST}:{service.port}. Start it: make up"
                )
    return Clients(found)
