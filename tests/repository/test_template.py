"""The template for each combination of its parameters: what they make is linted, and what does not fit is refused.

Beside that, what AWS refuses and no linter knows, each with its page.
"""

import json
import re
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.repository.rendered import ROOT, Rendered
from tests.world.template import Stack, _document

KEY = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:redshift-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/copy"
OWNER = "111122223333"
SERVERLESS = {"WorkgroupName": "analytics", "WorkgroupId": "11111111-2222-3333-4444-555555555555"}

# Of each choice: name -> the parameters that make it.
CHOICES: dict[str, dict[str, dict[str, str]]] = {
    "warehouse": {
        "workgroup": SERVERLESS,
        "workgroup with a secret": {**SERVERLESS, "SecretArn": SECRET, "SecretKmsKeyArn": KEY},
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
        "of another account": {"DataBucketName": "files", "DataBucketAccountId": OWNER},
    },
    "copy role": {
        "made": {},
        "default": {"CopyRoleArn": "default"},
        "given": {"CopyRoleArn": ROLE},
    },
    "key": {"of AWS": {}, "own": {"KmsKeyArn": KEY}},
    "people": {"nobody": {}, "told": {"NotifyEmail": "a@example.com", "NoLoadHours": "24"}},
    "running": {
        "auto": {},
        "yes": {"Paused": "false", "DataBucketRegion": "us-west-2"},
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
        ({}, "Set either WorkgroupName"),
        ({**SERVERLESS, "ClusterIdentifier": "c"}, "Set either WorkgroupName"),
        ({"WorkgroupName": "analytics"}, "Set WorkgroupId"),
        ({**SERVERLESS, "DbUser": "loader"}, "DbUser is for a provisioned cluster"),
        ({**SERVERLESS, "CreateWarehouse": "true"}, "leave WorkgroupName"),
        ({"CreateWarehouse": "true", "ClusterIdentifier": "c"}, "leave WorkgroupName"),
        ({"CreateWarehouse": "true", "SecretArn": SECRET}, "leave WorkgroupName"),
        ({"CreateWarehouse": "true", "CopyRoleArn": "default"}, "no default role yet"),
        ({**SERVERLESS, "SecretKmsKeyArn": KEY}, "Set both or neither"),
        ({**SERVERLESS, "DataBucketRegion": "eu-central-1"}, "S3 replication"),
        ({**SERVERLESS, "DataBucketAccountId": OWNER}, "Set DataBucketName too"),
        (
            {**SERVERLESS, "DataBucketName": "files", "DataBucketAccountId": "123456789012"},
            "is this account",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(parameters: dict[str, str], refusal: str) -> None:
    assert any(refusal in said for said in Rendered(parameters).refusals())


def starts_by_itself(**parameters: str) -> tuple[bool, str, str]:
    """Whether the queue is read, the sweep's schedule, what the functions are told."""
    document = Rendered({**SERVERLESS, **parameters}).document()
    events = [
        document["Resources"][function]["Properties"]["Events"][name]["Properties"]
        for function, name in (("TriggerFunction", "Uploads"), ("SweepFunction", "Schedule"))
    ]
    paused = document["Globals"]["Function"]["Environment"]["Variables"]["PAUSED"]
    return events[0]["Enabled"], events[1]["State"], paused


@pytest.mark.parametrize(
    ("parameters", "running"),
    [
        ({}, True),
        ({"Paused": "false"}, True),
        ({"Paused": "true"}, False),
        # Files that are there already are loaded only when a person says so.
        ({"DataBucketName": "files"}, False),
        ({"DataBucketName": "files", "Paused": "false"}, True),
        ({"DataBucketName": "files", "Paused": "true"}, False),
    ],
)
def test_what_starts_by_itself(parameters: dict[str, str], running: bool) -> None:
    expected = (True, "ENABLED", "false") if running else (False, "DISABLED", "true")
    assert starts_by_itself(**parameters) == expected


def test_what_is_uploaded_in_a_pause_waits_for_as_long_as_sqs_keeps_it() -> None:
    queue = rendered(Paused="true")["UploadQueue"]["Properties"]
    assert queue["MessageRetentionPeriod"] == 14 * 86_400


def test_a_new_warehouse_is_private_encrypted_limited_and_kept() -> None:
    resources = Rendered({"CreateWarehouse": "true", "KmsKeyArn": KEY}).document()["Resources"]
    namespace, workgroup = resources["Namespace"], resources["Workgroup"]
    assert namespace["Properties"]["ManageAdminPassword"] is True
    assert "AdminUserPassword" not in namespace["Properties"]
    assert namespace["Properties"]["KmsKeyId"] == KEY
    assert workgroup["Properties"]["PubliclyAccessible"] is False
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
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert len(alarms) == text.count("Type: AWS::CloudWatch::Alarm") > 0
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
        widgets = json.loads(text)["widgets"]
        assert [each["type"] for each in widgets].count("metric") == 5
        # github.com/aws/aws-cdk, aws-cloudwatch, CustomWidget.toJson
        [own] = [each["properties"] for each in widgets if each["type"] == "custom"]
        assert own["endpoint"] == "${WidgetFunction.Arn}"
        assert own["updateOn"] == {"refresh": True, "resize": False, "timeRange": False}


# ---------------------------------------------------------------- what AWS refuses
@pytest.mark.parametrize("kind", ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"])
def test_a_statement_of_a_queue_or_topic_policy_names_one_resource(kind: str) -> None:
    """SQS refuses a statement with two: github.com/remind101/stacker_blueprints/pull/71. Of SNS nobody says so."""
    policies = [r["Properties"] for r in rendered().values() if r["Type"] == kind]
    assert policies
    for policy in policies:
        [own] = policy.get("Queues", policy.get("Topics"))
        for statement in policy["PolicyDocument"]["Statement"]:
            resource = statement["Resource"]
            assert resource in (own, {"Fn::GetAtt": [own["Ref"], "Arn"]})


def test_every_queue_has_its_policy() -> None:
    resources = rendered()
    queues = {name for name, r in resources.items() if r["Type"] == "AWS::SQS::Queue"}
    policies = [r["Properties"] for r in resources.values() if r["Type"].endswith("QueuePolicy")]
    assert sorted(policy["Queues"][0]["Ref"] for policy in policies) == sorted(queues)


NAMES = {
    "AlarmName",
    "BucketName",
    "DashboardName",
    "FunctionName",
    "GroupName",
    "LayerName",
    "LogGroupName",
    "ManagedPolicyName",
    "Name",
    "QueueName",
    "RoleName",
    "StatementId",
    "TopicName",
}


def test_every_name_has_the_name_of_the_stack() -> None:
    """Or a second stack of the account could not be made. The warehouse's name is a parameter."""
    resources = Rendered(
        {"CreateWarehouse": "true", "DataBucketName": "files", "DataBucketAccountId": OWNER}
    ).document()["Resources"]
    named = {
        (logical, key): json.dumps(value)
        for logical, resource in resources.items()
        for key, value in resource["Properties"].items()
        if key in NAMES
    }
    assert len(named) >= 13
    for place, name in named.items():
        assert "AWS::StackName" in name, place
    schedule = resources["SweepFunction"]["Properties"]["Events"]["Schedule"]["Properties"]
    assert schedule["OmitName"] is True  # SAM names it by its logical id otherwise
    [layer] = [r for r in resources.values() if r["Type"] == "AWS::Serverless::LayerVersion"]
    assert "LayerName" not in layer["Properties"]  # versions of one name do not clash


def test_what_holds_data_is_kept_but_not_by_a_first_deployment_that_fails() -> None:
    """What it had made would be in the way of the next: AWSCloudFormation/latest/UserGuide/
    aws-attribute-deletionpolicy.html. UpdateReplacePolicy has no such value.
    """
    resources = Rendered({"CreateWarehouse": "true"}).document()["Resources"]
    kept = {name: r for name, r in resources.items() if "DeletionPolicy" in r}
    assert kept.keys() == {"DataBucket", "WorkBucket", "Namespace", "Workgroup"}
    for resource in kept.values():
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_no_partition_is_fixed() -> None:
    """Of another partition than the execution's, a state's resource ends it: github.com/aws/aws-cdk/issues/4597."""
    for path in (
        "template.yaml",
        "statemachine/load.asl.json",
        "docs/other-account/bucket-owner.yaml",
    ):
        for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
            if "AllowedPattern" not in line:
                assert "arn:aws" not in line, f"{path}: {line}"
    substitutions = rendered()["LoadStateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert substitutions["Partition"] == {"Ref": "AWS::Partition"}


@pytest.mark.parametrize(
    ("partition", "console"),
    [
        ("aws", "console.aws.amazon.com"),
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
        ("aws-eusc", "console.amazonaws-eusc.eu"),
        ("aws-iso", "console.aws.amazon.com"),
    ],
)
def test_the_links_lead_to_the_console_of_the_partition(partition: str, console: str) -> None:
    outputs = Rendered(SERVERLESS, partition).document()["Outputs"]
    for name in ("StateMachineConsoleUrl", "DashboardUrl"):
        assert f".{console}/" in json.dumps(outputs[name])


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("WorkgroupName", ["analytics", "a-1"], ["A", "ab", "my_group"]),
        ("ClusterIdentifier", ["my-cluster"], ["1st", "My"]),
        ("SecretArn", [SECRET, SECRET.replace("arn:aws", "arn:aws-us-gov")], ["redshift-AbCdEf"]),
        ("DataBucketName", ["files", "a.b-1"], ["Files", "s3://files", "arn:aws:s3:::files"]),
        ("DataBucketAccountId", [OWNER], ["1111-2222-3333"]),
        (
            "SweepSchedule",
            ["rate(1 hour)", "rate(5 minutes)", "cron(0 4 * * ? *)"],
            ["1 hour", "rate(0 hours)", "at(2026-11-20T13:00:00)"],
        ),
        ("NotifyEmail", ["a@example.com"], ["a", "a b@c"]),
        ("BaseCapacity", ["4", "8", "512", "1024"], ["0", "12", "2048"]),
    ],
)
def test_a_parameter_refuses_what_would_fail_when_half_is_made(
    name: str, good: list[str], bad: list[str]
) -> None:
    for value in good:
        Rendered({**SERVERLESS, name: value})
    for value in bad:
        with pytest.raises(AssertionError, match=name):
            Rendered({**SERVERLESS, name: value})


def test_each_parameter_is_asked_for_in_one_group_and_used() -> None:
    document = _document(ROOT / "template.yaml")
    groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(document["Parameters"])
    used = json.dumps({name: part for name, part in document.items() if name != "Metadata"})
    for name, parameter in document["Parameters"].items():
        assert f'"Ref": "{name}"' in used or f"${{{name}}}" in used, name
        assert parameter["Description"], name


def test_the_template_sets_the_variables_that_the_functions_read_and_no_other() -> None:
    document = _document(ROOT / "template.yaml")
    functions = [document["Globals"]["Function"]] + [
        resource["Properties"]
        for resource in document["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    set_here = {
        name
        for function in functions
        for name in function.get("Environment", {}).get("Variables", {})
        if not name.startswith("POWERTOOLS_")
    }
    files = [p for p in (ROOT / "functions").rglob("*.py") if "dependencies" not in p.parts]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    read = re.findall(r'(?:\(env, |env\.get\(|required_variable\()"([A-Z_]+)"', code)
    assert len(set_here) > 15
    assert {name for name in read if not name.startswith("AWS_")} <= set_here
    assert [name for name in set_here if f'"{name}"' not in code] == []


def test_capacities_are_those_of_redshift() -> None:
    """redshift/latest/mgmt/serverless-capacity.html"""
    values = [int(value) for value in Rendered({}).allowed("BaseCapacity")]
    assert values == sorted(set(values))
    for value in values:
        assert value == 4 or value % (8 if value <= 512 else 32) == 0


def test_a_dead_sweep_is_seen() -> None:
    """Its three tries fall into an hour, or into two: then two of them are in one (lambda/latest/dg/
    invocation-async-error-handling.html).
    """
    alarm = rendered()["SweepFailedAlarm"]["Properties"]
    timeout = rendered()["SweepFunction"]["Properties"]["Timeout"]
    assert 3 * timeout + 60 + 120 < alarm["Period"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (2, 1)
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "SweepFunction"}}]


def test_every_function_may_use_the_key_of_its_environment() -> None:
    """Lambda decrypts it with the function's role: github.com/aws/serverless-application-model/issues/1989."""
    resources = Rendered({"CreateWarehouse": "true", "KmsKeyArn": KEY}).document()["Resources"]
    roles = {
        r["Properties"]["Role"]["Fn::GetAtt"][0]
        for r in resources.values()
        if r["Type"] == "AWS::Serverless::Function"
    }
    assert "UsageLimitRole" in roles
    for role in roles:
        documents = [p["PolicyDocument"] for p in resources[role]["Properties"]["Policies"]]
        [use] = [s for d in documents for s in d["Statement"] if s.get("Sid") == "UseKey"]
        assert (use["Resource"], "kms:Decrypt" in use["Action"]) == (KEY, True)


def test_the_key_of_a_secret_is_the_loaders_too() -> None:
    resources = rendered(SecretArn=SECRET, SecretKmsKeyArn=KEY)
    documents = [p["PolicyDocument"] for p in resources["LoaderRole"]["Properties"]["Policies"]]
    found = {s["Sid"]: s for d in documents for s in d["Statement"]}
    assert found["UseKeyOfSecret"]["Action"] == "kms:Decrypt"
    assert found["UseKeyOfSecret"]["Resource"] == KEY


def test_a_rule_uses_what_cloudformation_knows_there() -> None:
    """AWS refuses Fn::If and Fn::Sub there, "Following functions are not supported in the Rules block of the template":
    github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/921.
    """
    known = {"Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Ref"}
    for template in (Rendered({}), Rendered(OWNERS, path=BUCKET_OWNER)):
        rules = template.rules()
        used = set(re.findall(r'"(Fn::\w+|Ref|Condition)":', json.dumps(rules)))
        assert "Fn::Equals" in used
        assert used <= known


# ---------------------------------------------------------------- a bucket of another account
BUCKET_OWNER = ROOT / "docs" / "other-account" / "bucket-owner.yaml"
LOADER = "123456789012"
READERS = [f"arn:aws:iam::{LOADER}:role/{name}" for name in ("l-loader", "l-SweepRole", "copy")]
OWNERS = {
    "BucketName": "files",
    "LoaderAccountId": "444455556666",
    "ReaderRoleArns": ",".join(READERS),
}


@pytest.mark.parametrize("adds_policy", ["true", "false"])
def test_what_the_owner_of_a_bucket_deploys_is_clean(adds_policy: str) -> None:
    template = Rendered({**OWNERS, "AddBucketPolicy": adds_policy}, path=BUCKET_OWNER)
    assert template.refusals() == []
    assert [str(m) for m in lint(template.text(), config=ManualArgs(regions=["us-west-2"]))] == []
    plain = BUCKET_OWNER.read_text(encoding="utf-8")
    assert [str(m) for m in lint(plain, config=ManualArgs(regions=["us-west-2"]))] == []
    assert ("Readers" in template.document()["Resources"]) == (adds_policy == "true")


def test_an_owner_in_the_loaders_account_is_told_that_nothing_is_needed() -> None:
    template = Rendered({**OWNERS, "LoaderAccountId": LOADER}, path=BUCKET_OWNER)
    assert any("Nothing is needed here" in said for said in template.refusals())


@pytest.mark.parametrize("prefix", ["", "log_"])
def test_events_of_another_accounts_bucket_come_to_the_queue(prefix: str) -> None:
    """Both rules ask for the same, and for no account: eventbridge/latest/userguide/eb-cross-account.html."""
    parameters = {"DataBucketName": "files", "DataBucketAccountId": OWNER, "DataPrefix": prefix}
    ours = rendered(**parameters)["UploadRule"]["Properties"]["EventPattern"]
    owner = Rendered({**OWNERS, "DataPrefix": prefix}, path=BUCKET_OWNER).document()["Resources"]
    assert owner["NewFiles"]["Properties"]["EventPattern"] == ours
    forwarded = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": OWNER,
        "detail": {"bucket": {"name": "files"}, "object": {"key": "log_data/a.json"}},
    }
    stack = Stack(ROOT, {**SERVERLESS, **parameters})
    assert stack.takes(forwarded)
    detail: Any = forwarded["detail"]
    detail["object"]["key"] = "images/a.png"
    assert stack.takes(forwarded) == (not prefix)
    detail["object"]["key"], detail["bucket"]["name"] = "log_data/a.json", "others"
    assert not stack.takes(forwarded)


@pytest.mark.parametrize(("prefix", "reads_images"), [("", True), ("raw/", False)])
def test_the_prefix_bounds_events_and_rights(prefix: str, *, reads_images: bool) -> None:
    stack = Stack(ROOT, {**SERVERLESS, "DataBucketName": "files", "DataPrefix": prefix})
    for key, allowed in (("raw/orders/a.json", True), ("images/a.png", reads_images)):
        event = {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": "files"}, "object": {"key": key}},
        }
        assert stack.takes(event) is allowed
        for role in ("LoaderRole", "CopyRole"):
            assert stack.allows(role, "s3:GetObject", f"arn:aws:s3:::files/{key}") is allowed
    environment = stack.function("TriggerFunction").environment
    assert environment["DATA_PREFIX"] == prefix


def test_the_bus_lets_that_account_send_what_its_rule_sends_there() -> None:
    resources = rendered(DataBucketName="files", DataBucketAccountId=OWNER)
    policy = resources["DataBucketEvents"]["Properties"]
    bus = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
    assert policy["Statement"]["Principal"]["AWS"] == {
        "Fn::Sub": f"arn:${{AWS::Partition}}:iam::{OWNER}:root"
    }
    assert policy["Statement"]["Resource"] == {"Fn::Sub": bus}
    assert len("x" * 57 + "-bucket") <= 64  # StatementId; botocore events PutPermission
    owner = Rendered(OWNERS, path=BUCKET_OWNER).document()["Resources"]
    target = {"Fn::Sub": bus.replace("${AWS::AccountId}", "444455556666")}
    [sent] = owner["NewFiles"]["Properties"]["Targets"]
    assert sent["Arn"] == target
    [right] = owner["SendRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert (right["Action"], right["Resource"]) == ("events:PutEvents", target)
    assert "DataBucketEvents" not in rendered(DataBucketName="files")


def test_the_bucket_lets_the_loaders_roles_do_what_their_own_policies_let_them() -> None:
    """Across accounts both must: AmazonS3/latest/userguide/example-walkthroughs-managing-access-example2.html."""
    readers = Rendered(OWNERS, path=BUCKET_OWNER).document()["Resources"]["Readers"]["Properties"]
    statements = readers["PolicyDocument"]["Statement"]
    assert [s["Principal"]["AWS"] for s in statements] == [READERS, READERS]
    allowed = {a for s in statements for a in listed(s["Action"])}
    assert allowed == {"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"}
    outputs = Rendered(
        {**SERVERLESS, "DataBucketName": "files", "DataBucketAccountId": OWNER}
    ).document()["Outputs"]
    named = json.dumps(outputs["DataBucketReaders"]["Value"])
    assert re.findall(r"\w+Role", named) == ["LoaderRole", "SweepRole", "CopyRole"]
    # The roles that may read or list the data bucket are these.
    stack = Stack(ROOT, {**SERVERLESS, "DataBucketName": "files"})
    reading = {
        policy.role
        for policy in stack.policies
        if policy.allows("s3:GetObject", "arn:aws:s3:::files/log_data/x")
        or policy.allows("s3:ListBucket", "arn:aws:s3:::files")
    }
    assert reading == {"LoaderRole", "SweepRole", "CopyRole"}


def listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
