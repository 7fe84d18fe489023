"""What is verified: a deployed stack, or a warehouse with a bucket, found with the user's own credentials."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from conformance.runner import Target

from local import environment
from local.client.stack import USABLE, stack_name
from local.datasets import datasets
from local.problem import Problem

LOCAL = "local"
PREFIX = "loader-verify-"
"""The prefix of every key and queue that a run creates."""
SCHEMAS = "loader_verify_"
"""The prefix of every schema that a run creates."""
PATIENCE = 150.0
"""Seconds that a statement may take; the first one may have to wake the warehouse."""
LOOK_SECONDS = (5.0, 0.5)
"""Seconds between two checks of something that takes minutes, or seconds on the local AWS."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack of this repository: its outputs and parameters."""

    name: str
    outputs: dict[str, str]
    parameters: dict[str, str]

    @property
    def schema(self) -> str:
        return self.parameters.get("SchemaName") or "sparkify"

    @property
    def paused(self) -> bool:
        """Whether nothing loads by itself; ``auto`` is that for a bucket that was there before."""
        paused = self.parameters.get("Paused", "false")
        return paused == "true" or (
            paused == "auto" and bool(self.parameters.get("DataBucketName"))
        )

    @property
    def partition(self) -> str:
        """aws, aws-cn, aws-us-gov…: the second field of its ARNs."""
        return self.outputs["StateMachineArn"].split(":")[1]

    @property
    def log_prefix(self) -> str:
        return _prefix_of("log_data")

    @property
    def song_prefix(self) -> str:
        return _prefix_of("song_data")


def _prefix_of(dataset: str) -> str:
    """The prefix of a dataset's files in this repository, which must be the one that is deployed."""
    return next(each.prefix for each in datasets() if each.name == dataset)


@dataclass(frozen=True)
class Place:
    """Where a run goes.

    where   how the Data API reaches the warehouse: WorkgroupName, or ClusterIdentifier and DbUser or SecretArn
    role    with which COPY reads the bucket; '' for none
    root    keys of a run lie under this and a prefix of the run's own
    rpu     of a serverless workgroup, 0 where seconds of the warehouse cost nothing
    """

    name: str
    local: bool
    where: dict[str, str]
    database: str
    bucket: str
    role: str
    root: str
    rpu: float = 0.0
    stack: Stack | None = None
    session: Any = field(default_factory=boto3.Session)

    def client(self, service: str, **config: Any) -> Any:
        """A client with the user's own credentials and region."""
        if self.local:
            config["inject_host_prefix"] = False  # sync-127.0.0.1 is no host
        retries: Any = {"mode": "adaptive", "total_max_attempts": 8}
        return self.session.client(
            service, config=Config(retries=retries, max_pool_connections=20, **config)
        )

    @cached_property
    def data_api(self) -> Any:
        return self.client("redshift-data")

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @property
    def partition(self) -> str:
        """Of the stack, or of the region."""
        if self.stack:
            return self.stack.partition
        return str(self.session.get_partition_for_region(self.session.region_name))

    @property
    def look_seconds(self) -> float:
        return LOOK_SECONDS[self.local]

    def target(self, run: str, what: str) -> Target:
        """For the cases of a part; all they make has the run's prefix."""
        return Target(
            client=self.data_api,
            service=self.client("redshift-data", parameter_validation=False),
            s3=self.s3,
            where=self.where,
            database=self.database,
            bucket=self.bucket,
            role=self.role,
            schemas=f"{SCHEMAS}{run}_{what}",
            root=f"{self.root}{PREFIX}{run}/{what}/",
            patience=PATIENCE,
        )

    @property
    def described(self) -> dict[str, Any]:
        """How a report describes it."""
        kind = "cluster" if "ClusterIdentifier" in self.where else "serverless workgroup"
        return {
            "target": "the local AWS of this repository" if self.local else "AWS",
            "region": str(self.session.region_name),
            "warehouse": kind + (f" of {self.rpu:g} RPU" if self.rpu else ""),
            "stack": "yes" if self.stack else "none given: no preflight, no data",
        }

    @property
    def hidden(self) -> dict[str, str]:
        """Names of the account, and what a report has instead."""
        names = {self.bucket: "bucket", self.role: "copy-role"}
        names |= {value: name for name, value in self.where.items()}
        if self.stack:
            kept = {"DataBucketName": "data-bucket", "WorkBucketName": "work-bucket"}
            names |= {self.stack.outputs.get(output, ""): what for output, what in kept.items()}
            arn = self.stack.outputs.get("StateMachineArn", "")
            names |= {self.stack.name: "stack"}
            names |= {self.stack.outputs.get("LoaderRoleName", ""): "loader-role"}
            names |= {arn.split(":")[4]: "account"} if arn.count(":") > 4 else {}
        if self.role.count(":") > 4:
            names[self.role.split(":")[4]] = "account"
        return {} if self.local else {name: what for name, what in names.items() if name}


def use_local() -> None:
    """Points everything at the local AWS, and only at it, as ``loader`` does."""
    own = environment.isolated(os.environ, environment.ports(os.environ))
    for name in set(os.environ) - set(own):
        del os.environ[name]
    os.environ.update(own)


def find(given: argparse.Namespace) -> Place:
    """The place that the arguments name. Raises Problem with what to pass or to do."""
    if given.stack:
        return _of_stack(given)
    missing = [name for name in ("workgroup", "bucket", "role") if not getattr(given, name)]
    if missing:
        raise Problem(
            "Pass --stack NAME, or --workgroup, --database, --bucket and --role"
            f" ({', '.join(f'--{name}' for name in missing)} not given)."
        )
    where = {"WorkgroupName": given.workgroup}
    session = boto3.Session()
    rpu = _rpu(session, given, where, {})
    database = given.database or "dev"
    return Place(
        name=given.workgroup, local=False, where=where, database=database, bucket=given.bucket,
        role=given.role, root="", rpu=rpu, session=session,
    )  # fmt: skip


def _of_stack(given: argparse.Namespace) -> Place:
    local = given.stack == LOCAL
    if local:
        use_local()
    name = stack_name() if local else given.stack
    session = boto3.Session()
    if not session.region_name:
        raise Problem("No region is known. Set AWS_REGION, or the region of your profile.")
    try:
        found = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        start = " Start and deploy it: make up; loader deploy" if local else ""
        raise Problem(f"The stack {name} was not found: {error}.{start}") from error
    if found["StackStatus"] not in USABLE:
        raise Problem(f"The stack {name} is {found['StackStatus']}, not deployed.")
    outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
    parameters = {
        p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", [])
    }
    for needed in ("StateMachineArn", "DataBucketName", "WorkBucketName", "CopyRoleArn"):
        if needed not in outputs:
            raise Problem(
                f"The stack {name} has no output {needed}. Is it a stack of this repository?"
            )
    where = _where(parameters)
    database = parameters.get("DatabaseName") or "dev"
    if given.database and given.database != database:
        # In another database the stack's tables are not to be seen, and would be taken for empty ones.
        raise Problem(
            f"The stack {name} works in the database {database}, not in {given.database}. Leave out --database"
            " (DATABASE=): with a stack its own is taken."
        )
    role = given.role or outputs["CopyRoleArn"]
    return Place(
        name=name,
        local=local,
        where=where,
        database=database,
        bucket=given.bucket or outputs["WorkBucketName"],
        # IAM_ROLE default stands without quotes, the cases quote an ARN.
        role="" if role == "default" else role,
        # What the stack's COPY role may read of the work bucket; a lifecycle rule empties it.
        root="" if given.bucket else "loads/",
        rpu=0.0 if local else _rpu(session, given, where, parameters),
        stack=Stack(name, outputs, parameters),
        session=session,
    )


def _where(parameters: dict[str, str]) -> dict[str, str]:
    if parameters.get("CreateWarehouse") == "true":
        return {"WorkgroupName": parameters["NewWorkgroupName"]}
    if parameters.get("WorkgroupName"):
        return {"WorkgroupName": parameters["WorkgroupName"]}
    return {"ClusterIdentifier": parameters["ClusterIdentifier"]}


def _rpu(
    session: Any, given: argparse.Namespace, where: dict[str, str], parameters: dict[str, str]
) -> float:
    """The base capacity: it decides the cost."""
    if "WorkgroupName" not in where:
        return 0.0  # a cluster is paid by the hour, whatever it does
    if given.rpu:
        return float(given.rpu)
    if parameters.get("CreateWarehouse") == "true":
        return float(parameters.get("BaseCapacity") or 8)
    name = where["WorkgroupName"]
    try:
        workgroup = session.client("redshift-serverless").get_workgroup(workgroupName=name)
        return float(workgroup["workgroup"]["baseCapacity"])
    except (ClientError, BotoCoreError, KeyError) as error:
        raise Problem(
            f"The base capacity of the workgroup {name}, and so the cost, is unknown: {error}. "
            "Pass it: --rpu 8 (ARGS='--rpu 8')."
        ) from error
