"""The policies of template.yaml name what the functions do, and nothing else.

Both directions, from the calls of recorded loads: a call that no policy of its role allows, and an action that a policy
grants and no recorded load needs.
"""

from __future__ import annotations

import pytest

from tests.world.recordings import recorded
from tests.world.simulator import PARAMETERS, ROOT
from tests.world.template import Allowed, Stack, matches

STACK = Stack(ROOT, PARAMETERS)

# What nobody calls that is recorded here: (role or '*', action, resource or '*') -> who needs it.
COPY_NEEDS = "COPY's permissions (redshift/latest/dg/copy-usage_notes-access-permissions.html)"
OTHERS = {
    ("*", "logs:CreateLogStream", "*"): "Lambda writes the functions' logs with their role",
    ("*", "logs:PutLogEvents", "*"): "Lambda writes the functions' logs with their role",
    ("*", "xray:PutTraceSegments", "*"): "Lambda and Step Functions write traces",
    ("*", "xray:PutTelemetryRecords", "*"): "Lambda and Step Functions write traces",
    ("TriggerRole", "sqs:GetQueueAttributes", "*"): (
        "Lambda's event source asks for it (lambda/latest/dg/services-sqs-configure.html)"
    ),
    ("CopyRole", "s3:ListBucket", f"arn:aws:s3:::{STACK.data_bucket}"): COPY_NEEDS,
    ("CopyRole", "s3:GetBucketLocation", "*"): COPY_NEEDS,
    ("LoaderRole", "s3:DeleteObject", f"arn:aws:s3:::{STACK.work_bucket}/loads/*/mask_key/*"): (
        "a dataset with a masked column: none is recorded here (tests/stateful/test_masking.py)"
    ),
    **{
        ("SweepRole", action, on): "events that a load could not send (tests/stateful/test_announced.py)"
        for action, on in (
            ("s3:GetObject", f"arn:aws:s3:::{STACK.work_bucket}/unsent/*"),
            ("s3:DeleteObject", f"arn:aws:s3:::{STACK.work_bucket}/unsent/*"),
            ("events:PutEvents", "*"),
        )
    },
    ("WidgetRole", "s3:ListBucket", "*"): "the dashboard calls the widget (tests/page/test_widget.py)",
    ("WidgetRole", "s3:GetObject", "*"): "the dashboard calls the widget (tests/page/test_widget.py)",
    **{
        ("StateMachineRole", action, "*"): "Step Functions' own logs and traces (…/dg/cw-logs.html)"
        for action in (
            "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
            "xray:GetSamplingRules", "xray:GetSamplingTargets",
        )
    },
}  # fmt: skip
# Whoever submits a statement to a workgroup logs in to it (mgmt/redshift-iam-access-control-identity-based.html).
IMPLIED = {"redshift-data:BatchExecuteStatement": "redshift-serverless:GetCredentials"}


def calls() -> set[tuple[str, str, str]]:
    """(role, action, resource) of every call of every recorded load."""
    found = set()
    for recording in recorded().values():
        for call in recording.calls:
            if call.role:
                found.add((call.role, call.action, call.resource))
                if call.action in IMPLIED:
                    found.add((call.role, IMPLIED[call.action], call.resource))
        found |= {("CopyRole", action, resource) for action, resource in recording.copies}
    return found


CALLS = calls()
GRANTS = [
    Allowed(policy.role, (action,), (resource,))
    for policy in STACK.policies
    for action in policy.actions
    for resource in policy.resources
]


def in_words(grant: Allowed) -> str:
    return f"{grant.role}-{grant.actions[0]}-{grant.resources[0]}"


def test_every_call_is_allowed() -> None:
    assert len({role for role, _, _ in CALLS}) == 5
    assert not [call for call in sorted(CALLS) if not STACK.allows(*call)]


@pytest.mark.parametrize("grant", GRANTS, ids=in_words)
def test_every_grant_is_needed(grant: Allowed) -> None:
    (action,), (resource,) = grant.actions, grant.resources
    needed = any(
        role == grant.role and matches(action, called) and matches(resource, on)
        for role, called, on in CALLS
    )
    listed = any(
        (role, action, on) in OTHERS for role in ("*", grant.role) for on in ("*", resource)
    )
    assert needed != listed, "needed, and listed as not" if needed else "granted, and not needed"
