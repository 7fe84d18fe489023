"""The state machine of the product, as it is deployed: its functions go by their names in template.yaml."""

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


class _Loader(yaml.SafeLoader):
    """CloudFormation's short forms, such as ``!Ref x``, are None here."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)

TEMPLATE: dict[str, Any] = _Loader((ROOT / "template.yaml").read_text()).get_single_data()
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]
_RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
DEFINITION: dict[str, Any] = json.loads((ROOT / "statemachine" / "load.asl.json").read_text())
# ${PlanFunction} stands for an ARN; here it stands for PlanFunction.
_NAMES = _RESOURCES["LoadStateMachine"]["Properties"]["DefinitionSubstitutions"].keys()
FUNCTIONS = {name: "aws" if name == "Partition" else name for name in _NAMES}
_CALLED = FUNCTIONS.keys() - {"Partition"}
HANDLERS = {name: str(_RESOURCES[name]["Properties"]["Handler"]) for name in _CALLED}
TIMEOUTS = {name: int(_RESOURCES[name]["Properties"]["Timeout"]) for name in _CALLED}  # seconds
STATE_MACHINE = "arn:aws:states:us-west-2:123456789012:stateMachine:s3-redshift-loader-load"
EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:s3-redshift-loader-load:one"
STARTED = "2026-11-23T20:30:11.123Z"


def lambda_result(payload: Any) -> dict[str, Any]:
    """What lambda:invoke gives for a function's answer: Step Functions adds what the HTTP response said."""
    headers = {
        "Connection": "keep-alive",
        "Content-Length": str(len(json.dumps(payload))),
        "Content-Type": "application/json",
        "Date": "Mon, 23 Nov 2026 20:30:11 GMT",
        "X-Amz-Executed-Version": "$LATEST",
        "X-Amzn-Trace-Id": "Root=1-6922c3d3-0123456789abcdef01234567;Parent=0123456789abcdef;"
        "Sampled=1;Lineage=1:0a1b2c3d:0",
        "x-amzn-Remapped-Content-Length": "0",
        "x-amzn-RequestId": "01234567-89ab-cdef-0123-456789abcdef",
    }
    return {
        "ExecutedVersion": "$LATEST",
        "Payload": payload,
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": headers["x-amzn-RequestId"]},
        "StatusCode": 200,
    }
