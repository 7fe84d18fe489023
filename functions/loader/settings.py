"""The functions' configuration: environment variables as one typed, validated value."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

IDENTIFIER = re.compile(r"(?!.*_loader$)[a-z_][a-z0-9_]{0,62}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
COPY_ROLE = re.compile(r"default|arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d")  # us-west-2, us-gov-east-1, eusc-de-east-1


class SettingsError(Exception):
    """An environment variable is missing or wrong; the message names it and what it must look like."""


@dataclass(frozen=True)
class Settings:
    """Where the warehouse, the files and the limits are. Times in seconds, sizes in bytes."""

    database: str
    schema: str
    workgroup: str | None
    cluster: str | None
    db_user: str | None
    secret_arn: str | None
    copy_role: str
    data_bucket: str
    work_bucket: str
    region: str
    data_prefix: str
    batch_files: int
    batch_bytes: int
    max_batches: int
    max_loads_at_once: int
    wait_seconds: int
    statement_timeout: int
    allow_reset: bool
    paused: bool
    show_bad_lines: bool

    @property
    def loader_schema(self) -> str:
        """The schema that only the loader may read: the lock and the staging tables."""
        return f"{self.schema}_loader"

    @property
    def template_names(self) -> dict[str, str]:
        """What every SQL template can use."""
        return {
            "schema": self.schema,
            "loader_schema": self.loader_schema,
            "copy_role": self.copy_role if self.copy_role == "default" else f"'{self.copy_role}'",
        }

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads and checks all variables; raises SettingsError on the first that is wrong."""
        workgroup = env.get("WORKGROUP_NAME") or None
        cluster = env.get("CLUSTER_IDENTIFIER") or None
        if bool(workgroup) == bool(cluster):
            raise SettingsError(
                "Set exactly one of WORKGROUP_NAME (Redshift Serverless) and CLUSTER_IDENTIFIER (provisioned cluster)."
            )
        region = _match(env, "AWS_REGION", REGION, "a region such as us-west-2")
        _same_region(env.get("DATA_BUCKET_REGION") or region, region)
        return cls(
            database=_required(env, "DATABASE_NAME"),
            schema=_match(
                env,
                "SCHEMA_NAME",
                IDENTIFIER,
                "lower-case letters, digits and underscores, without _loader at its end",
            ),
            workgroup=workgroup,
            cluster=cluster,
            db_user=env.get("DB_USER") or None,
            secret_arn=env.get("SECRET_ARN") or None,
            copy_role=_match(env, "COPY_ROLE", COPY_ROLE, "'default' or the ARN of an IAM role"),
            data_bucket=_match(env, "DATA_BUCKET", BUCKET, "the name of a bucket"),
            work_bucket=_match(env, "WORK_BUCKET", BUCKET, "the name of a bucket"),
            region=region,
            data_prefix=env.get("DATA_PREFIX", ""),
            batch_files=_number(env, "BATCH_FILES", 1, 100_000),
            batch_bytes=_number(env, "BATCH_BYTES", 1, 10**15),
            max_batches=_number(env, "MAX_BATCHES", 1, 100),
            max_loads_at_once=_number(env, "MAX_LOADS_AT_ONCE", 1, 1000),
            wait_seconds=_number(env, "WAIT_SECONDS", 1, 30),
            statement_timeout=_number(env, "STATEMENT_TIMEOUT_SECONDS", 1, 72_000),
            allow_reset=_required(env, "ALLOW_RESET") == "true",
            paused=env.get("PAUSED") == "true",
            show_bad_lines=env.get("SHOW_BAD_LINES") == "true",
        )


@cache
def settings() -> Settings:
    """The settings of this function's environment, read once for each Lambda environment."""
    return Settings.from_env(os.environ)


def required_variable(name: str) -> str:
    """The environment variable that only one handler needs; raises SettingsError by its name."""
    return _required(os.environ, name)


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(
            f"The environment variable {name} is missing. It is set in template.yaml."
        )
    return value


def _match(env: Mapping[str, str], name: str, pattern: re.Pattern[str], what: str) -> str:
    value = _required(env, name)
    if not pattern.fullmatch(value):
        raise SettingsError(f"The environment variable {name} is {value!r}; it must be {what}.")
    return value


def _same_region(data_region: str, region: str) -> None:
    """Refuses a data bucket of another region: COPY's REGION is that of the manifest and the JSONPaths file too.

    Source: docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html (REGION)
    """
    if data_region != region:
        raise SettingsError(
            f"The environment variable DATA_BUCKET_REGION is {data_region!r}, but the stack is in {region}. Redshift "
            "reads the files and the loader's manifests in one region only. Replicate the bucket into one in "
            f"{region} (S3 replication), or deploy the stack in {data_region}; leave DataBucketRegion empty."
        )


def _number(env: Mapping[str, str], name: str, low: int, high: int) -> int:
    value = _required(env, name)
    if not value.isdecimal() or not low <= int(value) <= high:
        raise SettingsError(
            f"The environment variable {name} is {value!r}; it must be a whole number from {low} to {high}."
        )
    return int(value)
