"""A rule of the account's default bus gets the event of a load's end, and its lineage."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from local.generator import DataSet
from tests.world import openlineage
from tests.world.deployed import ROOT, Project

GOOD = dict(DataSet(songs=2, users=2, days=1, events=9, seed=5).files())
SECONDS = 60


class Listener:
    """A queue that is the target of a rule for the loader's events."""

    def __init__(self, project: Project) -> None:
        self._events, self._sqs = project.client("events"), project.client("sqs")
        self._queue = self._sqs.create_queue(QueueName="what-has-ended")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        pattern = json.dumps({"source": ["s3-redshift-loader"]})
        rule = self._events.put_rule(Name="ended", EventPattern=pattern)["RuleArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        self._events.put_targets(Rule="ended", Targets=[{"Id": "queue", "Arn": arn}])

    def until(self, has_all: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Waits until all events have arrived; all that have."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + SECONDS
        while not has_all(found):
            assert time.monotonic() < deadline, f"only {[e['detail-type'] for e in found]}"
            received = self._sqs.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
            ).get("Messages", [])
            for message in received:
                self._sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
                found.append(json.loads(message["Body"]))
        return found

    def close(self) -> None:
        self._events.remove_targets(Rule="ended", Ids=["queue"])
        self._events.delete_rule(Name="ended")
        self._sqs.delete_queue(QueueUrl=self._queue)


@pytest.fixture
def listener(warehouse: Project) -> Iterator[Listener]:
    found = Listener(warehouse)
    yield found
    found.close()


def test_a_load_by_the_built_functions_sends_its_events(
    warehouse: Project, listener: Listener
) -> None:
    """With the libraries of the layer, and the rights of the deployed role."""
    reports = {str(one.data["load_id"]): one for one in warehouse.load(GOOD)}

    def ended(events: list[dict[str, Any]]) -> dict[str, Any]:
        found = [e["detail"] for e in events if e["detail-type"] == "Load Ended"]
        return {detail["load_id"]: detail for detail in found}

    def datasets(events: list[dict[str, Any]]) -> set[str]:
        found = [e["detail"] for e in events if e["detail-type"] == "OpenLineage Run Event"]
        return {run["job"]["name"].rpartition(".")[2] for run in found}

    events = listener.until(
        lambda events: ended(events).keys() >= reports.keys() and len(datasets(events)) == 2
    )
    schema = json.loads((ROOT / "docs/events/load-ended.schema.json").read_text(encoding="utf-8"))
    for event in events:
        if event["detail-type"] == "Load Ended":
            jsonschema.Draft202012Validator(schema).validate(event)
        else:
            openlineage.check(event["detail"])
    assert datasets(events) == {"log_data", "song_data"}
    for load, report in reports.items():
        assert ended(events)[load]["report"] == report.data
