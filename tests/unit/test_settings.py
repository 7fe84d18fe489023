"""The functions' configuration: what is accepted, and errors that name the variable."""

import os
from dataclasses import replace

import pytest
from botocore.session import get_session
from loader.settings import Settings, SettingsError, required_variable, settings

SERVERLESS = {
    "WORKGROUP_NAME": "analytics",
    "DATABASE_NAME": "dev",
    "SCHEMA_NAME": "sparkify",
    "COPY_ROLE": "default",
    "DATA_BUCKET": "data",
    "WORK_BUCKET": "working",
    "AWS_REGION": "us-west-2",
    "BATCH_FILES": "1000",
    "BATCH_BYTES": "10737418240",
    "MAX_BATCHES": "20",
    "MAX_LOADS_AT_ONCE": "4",
    "WAIT_SECONDS": "20",
    "STATEMENT_TIMEOUT_SECONDS": "3600",
    "ALLOW_RESET": "false",
}


def test_a_serverless_workgroup() -> None:
    found = Settings.from_env(SERVERLESS)
    assert (found.workgroup, found.cluster, found.db_user) == ("analytics", None, None)
    assert (found.schema, found.copy_role, found.wait_seconds) == ("sparkify", "default", 20)
    assert found.batch_bytes == 10 * 1024**3
    assert found.region == "us-west-2"
    assert not found.paused
    assert found.data_prefix == ""
    assert not found.allow_reset


def test_a_cluster_as_the_template_sets_it() -> None:
    """The template sets every variable; what is not given is empty."""
    found = Settings.from_env(
        SERVERLESS
        | {
            "WORKGROUP_NAME": "",
            "CLUSTER_IDENTIFIER": "etl",
            "DB_USER": "loader",
            "SECRET_ARN": "",
            "COPY_ROLE": "arn:aws-us-gov:iam::123456789012:role/service/copy@1",
            "DATA_BUCKET_REGION": "",
            "PAUSED": "true",
            "DATA_PREFIX": "in/log(1)/",
            "ALLOW_RESET": "true",
        }
    )
    assert (found.workgroup, found.cluster, found.db_user) == (None, "etl", "loader")
    assert found.secret_arn is None
    assert found.paused
    assert found.data_prefix == "in/log(1)/"
    assert found.allow_reset


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_NAME", ""),
        ("SCHEMA_NAME", ""),
        ("SCHEMA_NAME", "Sparkify"),
        ("SCHEMA_NAME", 'a"; DROP SCHEMA b; --'),
        ("SCHEMA_NAME", "1st"),
        ("SCHEMA_NAME", "s" * 64),
        ("SCHEMA_NAME", "sparkify\n"),
        ("COPY_ROLE", ""),
        ("COPY_ROLE", "copy"),
        ("COPY_ROLE", "arn:aws:iam::123456789012:role/copy'"),
        ("COPY_ROLE", "arn:aws:iam::123456789012:user/copy"),
        ("DATA_BUCKET", ""),
        ("DATA_BUCKET", "s3://data"),
        ("WORK_BUCKET", ""),
        ("WORK_BUCKET", "Work"),
        ("AWS_REGION", ""),
        ("AWS_REGION", "oregon"),
        ("DATA_BUCKET_REGION", "us-west-2 "),
        ("DATA_BUCKET_REGION", "eu-central-1"),
        ("BATCH_FILES", ""),
        ("BATCH_FILES", "0"),
        ("BATCH_FILES", "100001"),
        ("BATCH_FILES", "many"),
        ("BATCH_FILES", "²"),
        ("BATCH_BYTES", "1.5"),
        ("MAX_BATCHES", "-1"),
        ("MAX_BATCHES", "101"),
        ("MAX_LOADS_AT_ONCE", "0"),
        ("MAX_LOADS_AT_ONCE", "1001"),
        ("WAIT_SECONDS", "31"),
        ("STATEMENT_TIMEOUT_SECONDS", "72001"),
        ("ALLOW_RESET", ""),
    ],
)
def test_an_error_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"\b{name}\b"):
        Settings.from_env({**SERVERLESS, name: value})


def test_every_region_of_every_partition_is_one() -> None:
    """The European Sovereign Cloud's has four letters before the country."""
    session = get_session()
    regions = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition)
    }
    assert {"us-west-2", "cn-north-1", "us-gov-east-1", "eusc-de-east-1"} <= regions
    for region in regions:
        assert Settings.from_env({**SERVERLESS, "AWS_REGION": region}).region == region


def test_a_bucket_of_another_region_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsError, match=r"S3 replication.* deploy the stack in eu-central-1"):
        Settings.from_env({**SERVERLESS, "DATA_BUCKET_REGION": "eu-central-1"})


def test_the_region_of_the_stack_may_be_named() -> None:
    """A configuration that names it still deploys."""
    assert Settings.from_env({**SERVERLESS, "DATA_BUCKET_REGION": "us-west-2"})


@pytest.mark.parametrize("missing", sorted(SERVERLESS.keys() - {"WORKGROUP_NAME"}))
def test_a_missing_variable_is_named(missing: str) -> None:
    with pytest.raises(SettingsError, match=rf"variable {missing} is missing"):
        Settings.from_env({name: value for name, value in SERVERLESS.items() if name != missing})


@pytest.mark.parametrize(("workgroup", "cluster"), [("", ""), ("analytics", "etl")])
def test_one_warehouse_and_not_two(workgroup: str, cluster: str) -> None:
    env = {**SERVERLESS, "WORKGROUP_NAME": workgroup, "CLUSTER_IDENTIFIER": cluster}
    with pytest.raises(SettingsError, match=r"exactly one of WORKGROUP_NAME .* CLUSTER_IDENTIFIER"):
        Settings.from_env(env)


def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = settings()
    monkeypatch.setitem(os.environ, "SCHEMA_NAME", "other")
    assert settings() is first


def test_a_variable_of_one_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    assert required_variable("STATE_MACHINE_ARN").endswith(":load")
    monkeypatch.delenv("STATE_MACHINE_ARN")
    with pytest.raises(SettingsError, match="STATE_MACHINE_ARN"):
        required_variable("STATE_MACHINE_ARN")


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("default", "default"),
        ("arn:aws:iam::123456789012:role/copy", "'arn:aws:iam::123456789012:role/copy'"),
    ],
)
def test_the_copy_role_is_a_word_or_a_quoted_arn(role: str, text: str) -> None:
    offered = replace(settings(), copy_role=role).template_names
    assert offered == {"schema": "sparkify", "loader_schema": "sparkify_loader", "copy_role": text}
