"""What the workgroup computed while loads ran: which datapoints count for which load, and what is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from local.client import compute

NOW = datetime(2026, 12, 1, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Clients = Any
WG = {"WorkgroupName": "wg"}


def at(minutes: float) -> datetime:
    return datetime(2026, 12, 1, 11, 0, tzinfo=UTC) + minutes * MINUTE


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ({"a": (at(0.2), at(0.4))}, {"a": 10}),
        ({"a": (at(0.5), at(1.5))}, {"a": 30}),  # in two minutes
        ({"a": (at(0.2), at(0.4)), "b": (at(0.6), at(0.7))}, {"a": 5, "b": 5}),
        ({"a": (at(0.2), at(3)), "b": (at(1.6), at(1.7))}, {"a": 10 + 10 + 40 + 80, "b": 10}),
        ({"a": (at(9), at(10))}, {}),
        ({"a": (at(-5), at(-4))}, {}),
    ],
)
def test_a_minute_is_shared_by_the_loads_that_ran_in_it(
    spans: dict[str, tuple[datetime, datetime]], expected: dict[str, float]
) -> None:
    datapoints = [(at(n), MINUTE, 10.0 * 2**n) for n in range(4)]
    assert compute.shares(datapoints, spans) == expected


def clients(cloudwatch: Any, where: dict[str, str], *, local: bool = False) -> Clients:
    return SimpleNamespace(
        cloudwatch=cloudwatch,
        target=SimpleNamespace(local=local),
        warehouse=SimpleNamespace(where=where),
    )


@pytest.fixture
def cloudwatch() -> Any:
    return boto3.client("cloudwatch", region_name="us-west-2")


def answer(*datapoints: tuple[datetime, float]) -> dict[str, Any]:
    return {
        "MetricDataResults": [
            {
                "Id": "seconds",
                "Timestamps": [when for when, _ in datapoints],
                "Values": [value for _, value in datapoints],
            }
        ]
    }


def asked(start: datetime, end: datetime, period: int) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/Redshift-Serverless",
        "MetricName": "ComputeSeconds",
        "Dimensions": [{"Name": "Workgroup", "Value": "wg"}],
    }
    stat = {"Metric": metric, "Period": period, "Stat": "Sum"}
    return {
        "MetricDataQueries": [{"Id": "seconds", "MetricStat": stat}], "StartTime": start, "EndTime": end,
    }  # fmt: skip


def test_minutes_are_asked_for_where_cloudwatch_still_has_them(cloudwatch: Any) -> None:
    old = NOW - timedelta(days=20, seconds=7)
    spans = {"new": (at(0.2), at(0.4)), "old": (old, old + MINUTE)}
    border = NOW - timedelta(days=15)
    floor = border - timedelta(seconds=30)
    with Stubber(cloudwatch) as stub:
        stub.add_response("get_metric_data", answer((at(0), 8.0)), asked(floor, NOW, 60))
        begin = old - timedelta(minutes=old.minute % 5, seconds=old.second)
        stub.add_response("get_metric_data", answer((begin, 4.0)), asked(begin, border, 300))
        found = compute.of_loads(clients(cloudwatch, WG), spans, NOW)
        stub.assert_no_pending_responses()
    assert found == {"new": 8.0, "old": 4.0}


@pytest.mark.parametrize("where", [{"ClusterIdentifier": "c"}, {}])
def test_a_cluster_has_no_such_seconds(cloudwatch: Any, where: dict[str, str]) -> None:
    spans = {"a": (at(0), at(1))}
    with Stubber(cloudwatch):
        assert compute.of_loads(clients(cloudwatch, where), spans, NOW) == {}
        assert compute.of_loads(clients(cloudwatch, WG, local=True), spans, NOW) == {}
        assert compute.of_loads(clients(cloudwatch, WG), {}, NOW) == {}


def test_a_missing_right_is_named_and_the_rest_goes_on(cloudwatch: Any) -> None:
    said = (
        "User: arn:aws:iam::123456789012:user/x is not authorized to perform: cloudwatch:GetMetricData "
        "because no identity-based policy allows the cloudwatch:GetMetricData action"
    )
    with Stubber(cloudwatch) as stub:
        stub.add_client_error("get_metric_data", "AccessDenied", said, 403, expected_params=ANY_OF)
        with pytest.raises(compute.Unknown, match="cloudwatch:GetMetricData"):
            compute.of_loads(clients(cloudwatch, WG), {"a": (at(0), at(1))}, NOW)


ANY_OF: dict[str, Any] = {"MetricDataQueries": ANY, "StartTime": ANY, "EndTime": ANY}
