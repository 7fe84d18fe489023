"""Fixes the differences between MiniStack's CloudWatch and AWS that matter to the stack's alarms.

- An alarm evaluates every metric with its name, regardless of dimensions. On AWS the dimensions must be the same:
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
- Step Functions and SQS publish no metrics. On AWS they publish one for each execution that ends, and for each queue
  once a minute:
  https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
- An alarm on metric math stops the deployment. Here it is created, but never fires.
"""

import json
import time
import types
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, sqs, stepfunctions
from ministack.services.cloudformation import provisioners

EXECUTIONS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def look_at_dimensions() -> None:
    """Makes an alarm evaluate only the points of its own metric."""
    evaluate: types.FunctionType = cloudwatch._evaluate_alarm

    def evaluate_own(alarm: dict[str, Any]) -> None:
        wanted = cloudwatch._dims_key({d["Name"]: d["Value"] for d in alarm.get("Dimensions", ())})
        own = {
            key: list(points)
            for key, points in list(cloudwatch._metrics.items())
            if key == (alarm.get("Namespace"), alarm.get("MetricName"), wanted)
        }
        # The same function over these metrics only; its other names are the module's.
        over_own = types.FunctionType(evaluate.__code__, {**vars(cloudwatch), "_metrics": own})
        over_own(alarm)

    cloudwatch._evaluate_alarm = evaluate_own


def take_metric_math() -> None:
    """Makes an alarm on metric math deployable. It has no metric of its own, so nothing sets it off."""
    record: Callable[..., dict[str, Any]] = provisioners._cw_metric_alarm_record

    def record_math(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if not properties.get("Metrics"):
            return record(name, properties)
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        made = record(name, {**plain, "Namespace": "math", "MetricName": "math"})
        return {**made, "Namespace": "", "MetricName": ""}

    provisioners._cw_metric_alarm_record = record_math


def measure_executions() -> None:
    """Makes Step Functions measure how executions end."""
    tell: Callable[[dict[str, Any]], None] = stepfunctions._emit_execution_status_event

    def tell_and_measure(execution: dict[str, Any]) -> None:
        tell(execution)
        if metric := EXECUTIONS.get(execution["status"]):
            dimensions = {"StateMachineArn": execution["stateMachineArn"]}
            cloudwatch.record_metric("AWS/States", metric, 1, "Count", dimensions)
            cloudwatch._evaluate_all_alarms()

    stepfunctions._emit_execution_status_event = tell_and_measure


def measure_dead_letters() -> None:
    """Makes SQS measure a dead-letter queue, whenever messages may have been moved there."""
    sweep: Callable[[dict[str, Any]], None] = sqs._dlq_sweep
    known: dict[str, int] = {}

    def sweep_and_measure(queue: dict[str, Any]) -> None:
        sweep(queue)
        policy = queue["attributes"].get("RedrivePolicy")
        if not policy:
            return
        arn = json.loads(policy)["deadLetterTargetArn"]
        letters = sqs._queue_by_arn(arn)
        if letters is None:
            return
        now = time.time()
        waiting = sum(float(m.get("visible_at", 0)) <= now for m in letters["messages"])
        if known.get(arn) != waiting:
            known[arn] = waiting
            dimensions = {"QueueName": arn.rpartition(":")[2]}
            metric = "ApproximateNumberOfMessagesVisible"
            cloudwatch.record_metric("AWS/SQS", metric, waiting, "Count", dimensions)
            cloudwatch._evaluate_all_alarms()

    sqs._dlq_sweep = sweep_and_measure


def apply() -> None:
    """All of it; before ministack.app is imported."""
    look_at_dimensions()
    take_metric_math()
    measure_executions()
    measure_dead_letters()
