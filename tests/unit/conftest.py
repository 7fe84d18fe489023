"""What the unit tests of functions/ share: their environment, buckets on moto, and a Data API that plays a script."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loader import dataapi, datasets, observability, settings, steps
from loader.store import Store
from moto import mock_aws
from moto.backends import get_backend

from tests.unit.fakes import Clock, FakeDataApi, StateMachine, client


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "ignore:No application metrics to publish")


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """moto instead of AWS. To start it takes longer than most tests, so it is started once for a module."""
    with mock_aws():
        yield


@pytest.fixture
def s3(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An S3 client, which every store uses too; the data bucket and the work bucket are there, empty."""
    get_backend("s3")["123456789012"]["aws"].reset()
    get_backend("stepfunctions")["123456789012"]["us-west-2"].reset()
    for bucket in ("data", "working"):
        client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
    monkeypatch.setattr(Store, "_client", client("s3"))
    return client("s3")


@pytest.fixture
def store(s3: Any) -> Store:
    return Store("working")


@pytest.fixture
def data_api(monkeypatch: pytest.MonkeyPatch) -> FakeDataApi:
    """The Data API client of every handler, playing the replies that the test adds."""
    fake = FakeDataApi()
    monkeypatch.setattr(dataapi.DataApi, "_client", fake)
    return fake


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time as a statement's limit sees it; it stands still until the test moves it."""
    clock = Clock()
    monkeypatch.setattr(steps, "time", clock)
    return clock


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, float]]:
    """What the handlers have measured since it was last asked for: a metric's newest value by its name.

    Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    observability.metrics.clear_metrics()  # what another test has measured without a handler, which sends it

    def metrics() -> dict[str, float]:
        found: dict[str, float] = {}
        for line in capsys.readouterr().out.splitlines():
            document = json.loads(line)
            for directive in document.get("_aws", {}).get("CloudWatchMetrics", ()):
                for metric in directive["Metrics"]:
                    [found[metric["Name"]]] = document[metric["Name"]]
        return found

    return metrics


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets environment variables of the functions for one test."""

    def change(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.settings.cache_clear()
        datasets.datasets.cache_clear()

    yield change
    monkeypatch.undo()
    settings.settings.cache_clear()
    datasets.datasets.cache_clear()


@pytest.fixture
def machine(s3: Any) -> StateMachine:
    """The state machine that the trigger and the sweep start."""
    return StateMachine()
