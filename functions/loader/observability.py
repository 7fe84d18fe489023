"""Logger and metrics, made once; ``step`` gives every handler the same beginning and end.

Every log line carries the load's id, the batch and the execution. Traces are Lambda's and Step Functions' own (Tracing:
Active): the X-Ray SDK in the function would cost a third of its cold start.
"""

import functools
import os
import warnings
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from loader import spent

NAMESPACE = "S3RedshiftLoader"
# The stack: two stacks of one account have metrics of their own.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "loader")

# A call that has nothing to measure is no reason for a line in the log that is not JSON.
warnings.filterwarnings("ignore", "No application metrics to publish")

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)

Handler = Callable[[dict[str, Any]], dict[str, Any]]


def step(function: Handler) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Makes a Lambda handler of a step of the state machine: event in, the step's outcome out, both logged by name."""

    @metrics.log_metrics
    @logger.inject_lambda_context(clear_state=True)
    @functools.wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        load, batch = event.get("load") or {}, event.get("batch") or {}
        logger.append_keys(
            load_id=load.get("load_id"),
            execution=load.get("execution") or event.get("execution"),
            batch=batch.get("batch"),
        )
        spent.begin()
        result = function(event)
        logger.info("step ended", outcome=result.get("outcome"))
        before = (batch or load).get("spent")
        name = function.__module__.rpartition(".")[2]
        return {**result, "spent": spent.so_far(name, before)}

    return handler


__all__ = ["SERVICE", "MetricUnit", "logger", "metrics", "step"]
