"""Where a command's requests go: the local AWS, and nothing else, or a deployed stack with the person's own rights."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

import boto3
import botocore.session
from botocore.exceptions import ProfileNotFound

from local.environment import (
    DATABASE,
    REGION,
    SCHEMA,
    WORKGROUP,
    Ports,
    aws_variables,
    isolated,
    ports,
)
from local.problem import Usage

OF_A_STACK = ("profile", "region")
LOCAL_LOOK, STACK_LOOK = 0.5, 5.0
"""Seconds between two checks of something that is under way: on a stack each costs requests, and keeps it awake."""


@dataclass(frozen=True)
class Warehouse:
    """How the Data API reaches the tables. ``where``: WorkgroupName, or ClusterIdentifier, and how to log in."""

    where: Mapping[str, str]
    database: str
    schema: str

    @property
    def user(self) -> str:
        """As whom the statements run, for a person."""
        if "SecretArn" in self.where:
            return f"the database user of the secret {self.where['SecretArn']}"
        return f"the database user {self.where.get('DbUser') or 'of your IAM identity'}"

    @property
    def name(self) -> str:
        """Of the workgroup or cluster."""
        if "ClusterIdentifier" in self.where:
            return f"cluster {self.where['ClusterIdentifier']}"
        return f"workgroup {self.where['WorkgroupName']}"


LOCAL_WAREHOUSE = Warehouse({"WorkgroupName": WORKGROUP}, DATABASE, SCHEMA)


def warehouse_of(parameters: Mapping[str, str]) -> Warehouse:
    """The warehouse by a stack's parameters. Logs in as loader/dataapi.py does, with the caller's rights."""
    where = {}
    if parameters.get("CreateWarehouse") == "true":
        where["WorkgroupName"] = parameters["NewWorkgroupName"]
    elif parameters.get("WorkgroupName"):
        where["WorkgroupName"] = parameters["WorkgroupName"]
    else:
        where["ClusterIdentifier"] = parameters["ClusterIdentifier"]
    if parameters.get("SecretArn"):
        where["SecretArn"] = parameters["SecretArn"]
    elif parameters.get("DbUser") and "ClusterIdentifier" in where:
        where["DbUser"] = parameters["DbUser"]
    return Warehouse(
        where, parameters.get("DatabaseName") or DATABASE, parameters.get("SchemaName") or SCHEMA
    )


@dataclass(frozen=True)
class Target:
    """``stack``: the name of a deployed stack, '' for the local AWS. ``at``: the ports of the local AWS, or None.

    words: the options that name it on a command line.
    """

    session: boto3.Session
    at: Ports | None = None
    stack: str = ""
    words: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        return self.at is not None

    @property
    def suffix(self) -> str:
        """What a command that this one suggests needs at its end to go to the same place."""
        return f" {shlex.join(self.words)}" if self.words else ""

    @property
    def look_seconds(self) -> float:
        return LOCAL_LOOK if self.local else STACK_LOOK

    def endpoint(self, service: str) -> str | None:
        """The fixed endpoint of the local AWS; None: botocore finds it, also in AWS_ENDPOINT_URL and the profile."""
        if self.at is None:
            return None
        return self.at.redshift_url if service == "redshift-data" else self.at.aws_url


def local(at: Ports) -> Target:
    """The local AWS, with its own credentials, whatever the shell says."""
    variables = aws_variables(at)
    return Target(
        boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        ),
        at,
    )


def of(arguments: argparse.Namespace) -> Target:
    """The target that a command line names. Raises Usage for a profile or a region that cannot be used."""
    name = getattr(arguments, "stack", None)
    if not name:
        return local(ports())
    words = ["--stack", name]
    for option in OF_A_STACK:
        if value := getattr(arguments, option):
            words += [f"--{option}", value]
    return Target(_session(arguments), None, name, tuple(words))


def _session(arguments: argparse.Namespace) -> boto3.Session:
    # Of the two variables botocore knows only AWS_DEFAULT_REGION, and the AWS CLI both.
    region = arguments.region or os.environ.get("AWS_REGION") or None
    try:
        session = boto3.Session(profile_name=arguments.profile or None, region_name=region)
        # A region alone does not read the profile.
        if arguments.profile and arguments.profile not in session.available_profiles:
            raise ProfileNotFound(profile=arguments.profile)
        found = session.region_name
    except ProfileNotFound as error:
        raise Usage(f"{error}. aws configure list-profiles shows those that there are.") from error
    if not found:
        raise Usage(
            "No region is known. Pass --region, or set AWS_REGION or your profile's region."
        )
    return session


def add_options(parser: argparse.ArgumentParser) -> None:
    """--stack, --profile and --region."""
    group = parser.add_argument_group("where (default: the local AWS)")
    group.add_argument("--stack", metavar="NAME", help="a deployed stack, with your own rights")
    group.add_argument("--profile", metavar="NAME", help="with --stack: of your AWS configuration")
    group.add_argument("--region", metavar="NAME", help="with --stack: the stack's region")


def prepare(arguments: argparse.Namespace, environ: MutableMapping[str, str]) -> list[str]:
    """Makes the process's own environment fit the target, for what uses it: boto3's default session, and sam.

    Without --stack the user's own AWS settings are taken out of it. Returns what a person should know.
    """
    if not arguments.stack:
        for option in OF_A_STACK:
            if getattr(arguments, option):
                raise Usage(f"--{option} goes with --stack NAME. Without --stack, all is local.")
        own = isolated(environ, ports(environ))
        for name in set(environ) - set(own):
            del environ[name]
        environ.update(own)
        boto3.DEFAULT_SESSION = None
        return []
    session = _session(arguments)
    boto3.DEFAULT_SESSION = session
    said = endpoints(arguments.profile, environ)
    return [f"requests go where you have set it, not to AWS: {', '.join(said)}"] if said else []


def forget() -> None:
    """Leaves no session behind for what else runs in this process, as in tests."""
    boto3.DEFAULT_SESSION = None


def endpoints(profile: str | None, environ: Mapping[str, str]) -> list[str]:
    """The endpoints that the shell or the profile has set in place of AWS's.

    Source: docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    scoped = botocore.session.Session(
        profile=profile or environ.get("AWS_PROFILE")
    ).get_scoped_config()
    ignored = environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or scoped.get(
        "ignore_configured_endpoint_urls", ""
    )
    if str(ignored).lower() == "true":
        return []
    found = [
        f"{name}={value}"
        for name, value in sorted(environ.items())
        if name.startswith("AWS_ENDPOINT_URL") and value
    ]
    found += [f"endpoint_url = {scoped['endpoint_url']}"] if scoped.get("endpoint_url") else []
    return found + ([f"services = {scoped['services']}"] if scoped.get("services") else [])


def own_environment(arguments: argparse.Namespace) -> dict[str, str]:
    """The environment of a program that this one starts for a stack: a profile that was named comes before the shell's
    keys, as with the AWS CLI.
    """
    environ = dict(os.environ)
    if arguments.profile:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            environ.pop(name, None)
        environ["AWS_PROFILE"] = arguments.profile
    if arguments.region:
        environ |= {"AWS_REGION": arguments.region, "AWS_DEFAULT_REGION": arguments.region}
    elif region := environ.get("AWS_REGION"):
        environ["AWS_DEFAULT_REGION"] = region  # which is the only one that botocore knows
    return environ
