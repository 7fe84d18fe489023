"""The template for each combination of its parameters: what they make is linted, and what does not fit is refused."""

import json
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.unit.rendered import Rendered

KEY = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:redshift-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/copy"
SERVERLESS = {"WorkgroupName": "analytics", "WorkgroupId": "11111111-2222-3333-4444-555555555555"}

# Of each choice: name -> the parameters that make it.
CHOICES: dict[str, dict[str, dict[str, str]]] = {
    "warehouse": {
        "workgroup": SERVERLESS,
        "workgroup with a secret": {**SERVERLESS, "SecretArn": SECRET},
        "cluster": {"ClusterIdentifier": "analytics"},
        "cluster with a user": {"ClusterIdentifier": "analytics", "DbUser": "loader"},
        "cluster with a secret": {"ClusterIdentifier": "analytics", "SecretArn": SECRET},
        "new": {"CreateWarehouse": "true"},
        "new in a network": {
            "CreateWarehouse": "true",
            "SubnetIds": "subnet-11111111,subnet-22222222,subnet-33333333",
            "SecurityGroupIds": "sg-11111111",
            "UsageLimitAction": "log",
        },
    },
    "bucket": {
        "made": {},
        "existing": {"DataBucketName": "files"},
        "encrypted": {"DataBucketName": "files", "DataBucketKmsKeyArn": KEY},
        "elsewhere": {"DataBucketName": "udacity-dend", "DataBucketRegion": "us-east-1"},
    },
    "copy role": {
        "made": {},
        "default": {"CopyRoleArn": "default"},
        "given": {"CopyRoleArn": ROLE},
    },
    "key": {"of AWS": {}, "own": {"KmsKeyArn": KEY}},
    "people": {"nobody": {}, "told": {"NotifyEmail": "a@example.com", "NoLoadHours": "24"}},
    "running": {
        "yes": {},
        "paused": {"Paused": "true"},
        "no sweep": {"SweepState": "DISABLED", "AllowReset": "true"},
    },
}
Choice = tuple[str, ...]


def fits(choice: Choice) -> bool:
    """A new warehouse has no default role."""
    return not (choice[0].startswith("new") and choice[2] == "default")


def pairs_of(choice: Choice) -> set[tuple[tuple[int, str], ...]]:
    return set(combinations(enumerate(choice), 2))


def covering() -> Iterator[Choice]:
    """So many choices that every two of any two parameters meet."""
    everything = [choice for choice in product(*CHOICES.values()) if fits(choice)]
    open_pairs = {pair for choice in everything for pair in pairs_of(choice)}
    while open_pairs:
        best = max(everything, key=lambda choice: len(pairs_of(choice) & open_pairs))
        open_pairs -= pairs_of(best)
        yield best


def parameters_of(choice: Choice) -> dict[str, str]:
    given: dict[str, str] = {}
    for options, name in zip(CHOICES.values(), choice, strict=True):
        given |= options[name]
    return given


def rendered(**parameters: str) -> dict[str, Any]:
    found: dict[str, Any] = Rendered({**SERVERLESS, **parameters}).document()["Resources"]
    return found


@pytest.mark.parametrize("choice", list(covering()), ids=", ".join)
def test_what_a_combination_makes_is_clean(choice: Choice) -> None:
    template = Rendered(parameters_of(choice))
    assert template.refusals() == []
    text = template.text()
    assert '"Fn::If"' not in text
    assert '"Condition":' not in json.dumps(template.document()["Resources"]["LoadStateMachine"])
    found = lint(text, config=ManualArgs(regions=["us-west-2"]))
    assert [str(match) for match in found] == []


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({}, "Give WorkgroupName"),
        ({**SERVERLESS, "ClusterIdentifier": "c"}, "Give WorkgroupName"),
        ({"WorkgroupName": "analytics"}, "Give WorkgroupId"),
        ({**SERVERLESS, "DbUser": "loader"}, "DbUser is for a provisioned cluster"),
        ({**SERVERLESS, "CreateWarehouse": "true"}, "leave WorkgroupName"),
        ({"CreateWarehouse": "true", "ClusterIdentifier": "c"}, "leave WorkgroupName"),
        ({"CreateWarehouse": "true", "SecretArn": SECRET}, "leave WorkgroupName"),
        ({"CreateWarehouse": "true", "CopyRoleArn": "default"}, "no default role yet"),
    ],
)
def test_what_does_not_fit_together_is_refused(parameters: dict[str, str], refusal: str) -> None:
    assert any(refusal in said for said in Rendered(parameters).refusals())


def test_paused_nothing_starts_by_itself() -> None:
    resources = rendered(Paused="true")
    trigger = resources["TriggerFunction"]["Properties"]["Events"]["Uploads"]["Properties"]
    sweep = resources["SweepFunction"]["Properties"]["Events"]["Schedule"]["Properties"]
    assert (trigger["Enabled"], sweep["State"]) == (False, "DISABLED")
    # What is uploaded meanwhile waits for as long as SQS keeps it.
    assert resources["UploadQueue"]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_a_new_warehouse_is_private_encrypted_limited_and_kept() -> None:
    resources = Rendered({"CreateWarehouse": "true", "KmsKeyArn": KEY}).document()["Resources"]
    namespace, workgroup = resources["Namespace"], resources["Workgroup"]
    assert namespace["Properties"]["ManageAdminPassword"] is True
    assert "AdminUserPassword" not in namespace["Properties"]
    assert namespace["Properties"]["KmsKeyId"] == KEY
    assert workgroup["Properties"]["PubliclyAccessible"] is False
    assert {namespace["DeletionPolicy"], workgroup["DeletionPolicy"]} == {"Retain"}
    assert resources["UsageLimit"]["Properties"]["BreachAction"] == "deactivate"


def test_a_key_encrypts_all_that_keeps_something() -> None:
    resources = rendered(KmsKeyArn=KEY)
    places = {
        "AWS::S3::Bucket": "BucketEncryption",
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
    }
    found = {name: r for name, r in resources.items() if r["Type"] in places}
    assert len(found) == 7
    for name, resource in found.items():
        assert KEY in json.dumps(resource["Properties"][places[resource["Type"]]]), name


def test_nothing_is_public() -> None:
    resources = rendered()
    buckets = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::S3::Bucket"]
    assert len(buckets) == 2
    for bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_every_alarm_tells_the_topic_and_names_its_page() -> None:
    resources = rendered(NoLoadHours="24")
    alarms = {n: r["Properties"] for n, r in resources.items() if r["Type"].endswith("::Alarm")}
    assert len(alarms) == 7
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "Notifications"}]
        assert f"docs/operations.md, {name}." in json.dumps(alarm["AlarmDescription"])


def test_the_dashboard_is_json() -> None:
    for parameters in (SERVERLESS, {"ClusterIdentifier": "c"}, {"CreateWarehouse": "true"}):
        body = Rendered(parameters).document()["Resources"]["Dashboard"]["Properties"]
        text, more = body["DashboardBody"]["Fn::Sub"], {}
        if isinstance(text, list):
            text, more = text
        for name, value in more.items():
            inner = value["Fn::Sub"]
            text = text.replace(f"${{{name}}}", inner if isinstance(inner, str) else inner[0])
        assert len(json.loads(text)["widgets"]) == 6
