"""AWS's own sample for this job on given statement times: submit, Wait 10 s, check, Choice, for each statement.

The shape is that of aws-samples/getting-started-with-amazon-redshift-data-api, use-cases/
etl-orchestration-with-lambda-and-step-functions (its state machine in the CloudFormation template): one function with
an action, of Lambda's default 128 MB, which reads the script from S3 and submits it as one batch; a Wait of ten seconds
before each check. What the function computes is not counted, nor its pip install at each cold start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.lib.metered import CALL_SECONDS
from local.states.interpreter import Interpreter, Task
from tests.world.counting import Counts, transitions
from tests.world.product import EXECUTION, STARTED, STATE_MACHINE, lambda_result

WAIT = 10
MEMORY = 128


def definition(statements: int) -> dict[str, Any]:
    """The sample's state machine for as many scripts."""
    states: dict[str, Any] = {}
    for number in range(statements):
        following = f"submit {number + 1}" if number + 1 < statements else "success"
        states |= {
            f"submit {number}": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "batch", "Payload": {"submit": number}},
                "Next": f"wait {number}",
            },
            f"wait {number}": {"Type": "Wait", "Seconds": WAIT, "Next": f"look {number}"},
            f"look {number}": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "batch", "Payload": {"look": number}},
                "Output": "{% $states.result.Payload %}",
                "Next": f"complete {number}?",
            },
            f"complete {number}?": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.status = 'FAILED' %}", "Next": "failure"},
                    {"Condition": "{% $states.input.status = 'FINISHED' %}", "Next": following},
                ],
                "Default": f"wait {number}",
            },
        }
    states |= {"success": {"Type": "Succeed"}, "failure": {"Type": "Fail"}}
    return {"QueryLanguage": "JSONata", "StartAt": "submit 0", "States": states}


def run(seconds: Sequence[float]) -> tuple[Counts, float]:
    """What it uses for statements of these run times, and how long an execution takes."""
    now, ends = 0.0, 0.0
    counts = Counts(executions=1, warehouse=sum(seconds))

    def wait(given: float) -> None:
        nonlocal now
        now += given

    def call(task: Task) -> Any:
        nonlocal ends
        payload, made = task.arguments["Payload"], Counter[str]()
        if "submit" in payload:
            made["GetObject"] += 1
            counts.data_api["BatchExecuteStatement"] += 1
            ends = now + seconds[payload["submit"]]
            answer = {"sql_batch_id": str(payload["submit"])}
        else:
            counts.data_api["DescribeStatement"] += 1
            answer = {"status": "FINISHED" if now >= ends else "STARTED"}
        took = (1 + made.total()) * CALL_SECONDS
        counts.s3.update(made)
        counts.invocations["batch"] += 1
        counts.gb_seconds += took * MEMORY / 1024
        wait(took)
        return lambda_result(answer)

    machine = Interpreter(definition(len(seconds)), call, wait=wait)
    ended = machine.run({}, execution=EXECUTION, state_machine=STATE_MACHINE, started=STARTED)
    assert ended.status == "SUCCEEDED", ended.cause
    counts.transitions, counts.history = transitions(ended.history), len(ended.history)
    return counts, now
