"""Logger and metrics.

Traces are Lambda's and Step Functions' own (Tracing: Active): the X-Ray SDK in the function would add a third to its
cold start.
"""

import os
import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "S3RedshiftLoader"
# The stack: two stacks in one account have separate metrics.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "loader")

# A call that has nothing to measure is no reason for a line in the log that is not JSON.
warnings.filterwarnings("ignore", "No application metrics to publish")

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)

__all__ = ["SERVICE", "MetricUnit", "logger", "metrics"]
