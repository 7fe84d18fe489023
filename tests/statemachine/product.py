"""The state machine of the product, as it is deployed: its functions go by their names in template.yaml."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (ROOT / "template.yaml").read_text()
DEFINITION: dict[str, Any] = json.loads((ROOT / "statemachine" / "load.asl.json").read_text())
# ${PlanFunction} stands for the ARN; here it stands for PlanFunction.
FUNCTIONS = {name: name for name in re.findall(r"^        (\w+): !GetAtt \1\.Arn$", TEMPLATE, re.M)}
STATE_MACHINE = "arn:aws:states:us-west-2:123456789012:stateMachine:s3-redshift-loader-load"
EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:s3-redshift-loader-load:one"
STARTED = "2026-11-23T20:30:11.123Z"
