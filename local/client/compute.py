"""What the workgroup computed while loads ran, by CloudWatch, with the person's rights: an estimate.

The workgroup's RPU-seconds of a minute count for the loads that ran in it, in equal parts, whoever else used it then.
SYS_SERVERLESS_USAGE is exact, but only superusers see it, and late.
Source: the metric ComputeSeconds, which AWS bills (redshift/latest/mgmt/performance-metrics-serverless.html)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from local.client import rights
from local.client.clients import Clients

NAMESPACE, METRIC = "AWS/Redshift-Serverless", "ComputeSeconds"
# Periods and how long CloudWatch keeps them (…/monitoring/cloudwatch_concepts.html, metrics retention).
KEPT = ((timedelta(minutes=1), timedelta(days=15)), (timedelta(minutes=5), timedelta(days=63)))
Datapoint = tuple[datetime, timedelta, float]
"""Its beginning, its period, RPU-seconds."""
Span = tuple[datetime, datetime]


class Unknown(Exception):
    """Why nothing is known of the workgroup's seconds, as a sentence."""


def of_loads(clients: Clients, spans: Mapping[str, Span], now: datetime) -> dict[str, float]:
    """RPU-seconds by load id; {} where no workgroup is: the local AWS, or a cluster. Raises Unknown.

    spans: when each load started and ended.
    """
    where = {} if clients.target.local else clients.warehouse.where
    if "WorkgroupName" not in where or not spans:
        return {}
    first = min(start for start, _ in spans.values())
    try:
        return shares([*_datapoints(clients, where["WorkgroupName"], first, now)], spans)
    except ClientError as error:
        if (right := rights.missing(error)) is None:
            raise
        raise Unknown(f"What the warehouse computed is left out: {right.text}.") from error


def shares(datapoints: Iterable[Datapoint], spans: Mapping[str, Span]) -> dict[str, float]:
    """The RPU-seconds of each load: of each period its equal part among the loads that ran in it."""
    starts = sorted((start, end, name) for name, (start, end) in spans.items())
    found: Counter[str] = Counter()
    running: list[tuple[datetime, str]] = []
    following = iter(starts)
    ahead = next(following, None)
    for begin, period, seconds in sorted(datapoints):
        while ahead and ahead[0] < begin + period:
            running.append((ahead[1], ahead[2]))
            ahead = next(following, None)
        running = [each for each in running if each[0] >= begin]
        for _, name in running:
            found[name] += seconds / len(running)  # type: ignore[assignment]
    return dict(found)


def _datapoints(
    clients: Clients, workgroup: str, first: datetime, now: datetime
) -> Iterator[Datapoint]:
    after = now
    for period, kept in KEPT:
        begin = max(first, now - kept)
        if begin < after:
            yield from _of_period(clients, workgroup, _floor(begin, period), after, period)
        after = min(after, now - kept)


def _of_period(
    clients: Clients, workgroup: str, begin: datetime, end: datetime, period: timedelta
) -> Iterator[Datapoint]:
    dimension = {"Name": "Workgroup", "Value": workgroup}
    metric = {"Namespace": NAMESPACE, "MetricName": METRIC, "Dimensions": [dimension]}
    stat = {"Metric": metric, "Period": int(period.total_seconds()), "Stat": "Sum"}
    queries: list[Any] = [{"Id": "seconds", "MetricStat": stat}]
    pages = clients.cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=begin, EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                yield at.astimezone(UTC), period, float(value)


def _floor(at: datetime, period: timedelta) -> datetime:
    """The beginning of its period: GetMetricData leaves a datapoint out that begins before StartTime."""
    return at - timedelta(seconds=at.timestamp() % period.total_seconds())
