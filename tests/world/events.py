"""The events of uploads, as S3 sends them: seen, sent again, in other batches."""

import json
import time
import uuid
from collections.abc import Iterable

from tests.world.deployed import Project

PATIENCE_SECONDS = 20


class Events:
    """A queue of the test's own, which gets each upload's event as the loader's queue does."""

    def __init__(self, project: Project) -> None:
        """Made before the uploads whose events are wanted."""
        self._project = project
        self._sqs = project.clients.sqs
        self._name = f"events-{uuid.uuid4().hex[:8]}"
        self._queue = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        events = project.client("events")
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [project.bucket]}},
        }
        events.put_rule(Name=self._name, EventPattern=json.dumps(pattern))
        events.put_targets(
            Rule=self._name, Targets=[{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}]
        )

    def take(self, count: int) -> list[str]:
        """The next events, as messages' bodies, sorted by key."""
        found: list[str] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found) < count:
            assert time.monotonic() < deadline, f"{len(found)} events of {count}"
            found += self._received(1)
        return sorted(found, key=lambda body: str(json.loads(body)["detail"]["object"]["key"]))

    def waiting(self) -> list[str]:
        """The events that have come since, as messages' bodies."""
        found: list[str] = []
        while received := self._received(0):
            found += received
        return found

    def _received(self, seconds: int) -> list[str]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=seconds
        )
        found = answer.get("Messages", [])
        for message in found:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in found]

    def send(self, bodies: Iterable[str]) -> None:
        """Sends events to the loader's queue."""
        for body in bodies:
            self._sqs.send_message(QueueUrl=self._project.outputs["QueueUrl"], MessageBody=body)

    def trigger(self, bodies: Iterable[str]) -> None:
        """Hands events to the trigger function, as Lambda does with one batch of messages."""
        records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        assert self._project.invoke("TriggerFunction", {"Records": records}) == {
            "batchItemFailures": []
        }
