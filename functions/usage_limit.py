"""Set a monthly usage limit for the workgroup that the stack created: a CloudFormation custom resource.

CloudFormation has no resource type for it. Deleting the resource keeps the limit: the workgroup stays too, and its cost
must stay limited. Sources: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html,
docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_CreateUsageLimit.html
"""

import json
import urllib.request
from typing import Any

from loader import clients
from loader.observability import logger

COMPUTE = "serverless-compute"

serverless = clients.serverless()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> None:
    """Creates or updates the limit, and answers CloudFormation: without an answer the stack would wait for an hour."""
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", "none"),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    try:
        if event["RequestType"] != "Delete":
            answer["PhysicalResourceId"] = set_limit(event["ResourceProperties"])
    except Exception as error:
        logger.exception("the usage limit could not be set")
        answer |= {
            "Status": "FAILED",
            "Reason": f"The usage limit could not be set: {error}"[:1000],
        }
    respond(event["ResponseURL"], answer)


def set_limit(wanted: dict[str, str]) -> str:
    """Sets the monthly limit of a workgroup (ResourceArn, Amount in RPU-hours, BreachAction); returns its id."""
    arn, amount, action = wanted["ResourceArn"], int(wanted["Amount"]), wanted["BreachAction"]
    found = serverless.list_usage_limits(resourceArn=arn, usageType=COMPUTE).get("usageLimits", [])
    monthly = [each["usageLimitId"] for each in found if each["period"] == "monthly"]
    if monthly:
        serverless.update_usage_limit(usageLimitId=monthly[0], amount=amount, breachAction=action)
        return str(monthly[0])
    made = serverless.create_usage_limit(
        resourceArn=arn, usageType=COMPUTE, period="monthly", amount=amount, breachAction=action
    )
    return str(made["usageLimit"]["usageLimitId"])


def respond(url: str, answer: dict[str, Any]) -> None:
    """Puts the answer to CloudFormation's presigned URL, which takes no content type."""
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own https URL
        url, data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        logger.info("CloudFormation was answered", status=answer["Status"])
