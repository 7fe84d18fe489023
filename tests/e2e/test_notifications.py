"""Who subscribes to the topic is told of a failed load, of rejected files and of dead letters, in words."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.generator import DataSet
from local.problem import ASKS
from tests.world.deployed import Project

GOOD = dict(DataSet(songs=2, users=2, days=1, events=9, seed=4).files())
BAD = "log_data/2018/11/2018-11-30-broken.json"
SECONDS = 60


class Subscriber:
    """A queue that is subscribed to the topic."""

    def __init__(self, project: Project) -> None:
        self._sns, self._sqs = project.client("sns"), project.client("sqs")
        topic = project.outputs["NotificationsTopicArn"]
        self._queue = self._sqs.create_queue(QueueName="at-three-in-the-morning")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        endpoint = arn["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": endpoint,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        self._subscription = self._sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=endpoint, ReturnSubscriptionArn=True
        )["SubscriptionArn"]

    def messages(self, wanted: str) -> list[dict[str, Any]]:
        """Waits until a message has arrived whose subject has this; all that have arrived."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + SECONDS
        while not any(wanted in message["Subject"] for message in found):
            assert time.monotonic() < deadline, f"none of {[m['Subject'] for m in found]}"
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
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._queue)


@pytest.fixture
def subscriber(warehouse: Project) -> Iterator[Subscriber]:
    found = Subscriber(warehouse)
    yield found
    found.close()


def test_rejected_files_are_one_message_a_load(warehouse: Project, subscriber: Subscriber) -> None:
    other = BAD.replace("broken", "cut")
    warehouse.load({**GOOD, BAD: b'{"page": "NextSong", "ts": "yesterday"}\n', other: b'{"ts": 1'})
    told = subscriber.messages("rejected")
    assert [message["Subject"] for message in told] == [
        "[s3-redshift-loader-local] 2 files rejected"
    ]
    text = told[0]["Message"]
    assert f"- {BAD}, line 1, column ts: " in text
    assert f"- {other}, line 1" in text
    assert "ended well, but 2 files could not be loaded" in text
    assert "upload a corrected file under the same key" in text
    shown = warehouse.local("inbox", "--last", "50").stdout
    assert "Subject: [s3-redshift-loader-local] 2 files rejected" in shown
    command = re.findall(r"loader (show \S+)$", shown, re.MULTILINE)[-1].split()
    ended = warehouse.local(*command, check=False)
    assert ended.returncode == ASKS
    assert "loaded, but 2 files rejected" in ended.stdout


def test_a_failed_load_says_why_and_what_to_do(warehouse: Project, subscriber: Subscriber) -> None:
    status, report = warehouse.start({"undo": "20260101-000000-00000000"})
    assert status == "FAILED"
    told = subscriber.messages(report["load_id"])  # and perhaps the alarm's
    (message,) = [m for m in told if report["load_id"] in m["Subject"]]
    assert "Why: undo: there is no load 20260101-000000-00000000" in message["Message"]
    assert "Nothing is lost" in message["Message"]
    assert "/v2/executions/details/arn:aws:states:" in message["Message"]


def test_failed_executions_set_off_an_alarm(warehouse: Project, subscriber: Subscriber) -> None:
    """Also where the load itself could tell nobody."""
    warehouse.client("cloudwatch").set_alarm_state(
        AlarmName="s3-redshift-loader-local-load-failed", StateValue="OK", StateReason="test"
    )
    assert warehouse.start({"nonsense": 1})[0] == "FAILED"
    told = subscriber.messages("load-failed")
    (alarm,) = [m for m in told if "load-failed" in m["Subject"]]
    assert alarm["Subject"].startswith("ALARM:")
    text = json.loads(alarm["Message"])["AlarmDescription"]
    assert "A load has failed. Nothing is lost" in text
    assert "docs/operations.md, LoadFailedAlarm" in text


def test_a_dead_letter_sets_off_an_alarm(warehouse: Project, subscriber: Subscriber) -> None:
    """A message that is no S3 event: no function can handle it, however often it comes back."""
    sqs, outputs = warehouse.client("sqs"), warehouse.outputs
    queue, letters = outputs["QueueUrl"], outputs["DeadLetterQueueUrl"]
    patience = {"VisibilityTimeout": "720"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        sqs.send_message(QueueUrl=queue, MessageBody="no event")
        told = subscriber.messages("dead-letter")
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=patience)
        sqs.purge_queue(QueueUrl=letters)
    text = json.loads(told[0]["Message"])["AlarmDescription"]
    assert "are in the dead-letter queue" in text
    assert "docs/operations.md, DeadLetterAlarm" in text
