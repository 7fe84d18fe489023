"""What a load spends, counted: requests by their attempts, calls of functions, the state machine's transitions."""

from typing import Any

import boto3
import pytest
from loader import usage
from loader.state import Usage


@pytest.fixture(autouse=True)
def begun() -> None:
    usage.start_call()


def test_each_request_of_a_client_counts(s3: Any) -> None:
    client = usage.count(boto3.client("s3"))
    client.put_object(Bucket="data", Key="a", Body=b"")
    client.head_object(Bucket="data", Key="a")
    found = usage.add_call("plan", None)
    assert (found["s3"], found["data_api"], found["calls"]) == (2, 0, {"plan": 1})
    usage.start_call()
    assert usage.add_call("plan", None)["s3"] == 0


def test_calls_add_up_in_the_state() -> None:
    first = usage.add_call("stage", {})
    second = usage.add_call("stage", {**first, "data_api": 3, "s3": 2, "gb_ms": 1.5})
    third = usage.add_call("publish", second)
    assert third["calls"] == {"stage": 2, "publish": 1}
    assert (third["data_api"], third["s3"]) == (3, 2)
    assert third["gb_ms"] > 1.5


@pytest.mark.parametrize(
    "before", [None, "x", [], {"calls": "x"}, {"calls": {"a": "b"}, "s3": "many"}]
)
def test_whatever_a_person_gives_as_input_counts_for_nothing(before: Any) -> None:
    found = usage.add_call("plan", before)
    assert (found["calls"], found["s3"]) == ({"plan": 1}, 0)


def steps(**calls: int) -> Usage:
    return {"calls": calls, "data_api": 5, "s3": 11, "gb_ms": 812.5}


@pytest.mark.parametrize(
    ("calls", "batches", "ends", "transitions"),
    [
        # Plan, its Choice; the Map, its Choice; two steps with a Choice each and the Pass; the report.
        ({"plan": 1, "stage": 1, "publish": 1}, 1, {}, 10),
        ({"plan": 1}, 0, {}, 3),
        ({"plan": 1}, 0, {"failed": True}, 4),
        ({"plan": 2, "migrate": 1, "stage": 3, "publish": 2}, 2, {}, 20),
        ({"plan": 1, "stage": 1, "publish": 1}, 1, {"rest_started": True}, 12),
    ],
)
def test_transitions(
    calls: dict[str, int], batches: int, ends: dict[str, bool], transitions: int
) -> None:
    told = {"failed": False, "rest_started": False, **ends}
    found = usage.figures(steps(**calls, finish=1), batches, **told)
    assert found == {
        "transitions": transitions,
        "function_calls": sum(calls.values()) + 1,
        "data_api_calls": 5,
        "s3_requests": 11,
        "gb_seconds": 0.8125,
    }
