"""From an upload to the trigger: S3's event, the rule's pattern, the queue, and Lambda's event source for it.

Source: docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html,
docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html,
docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.world.boundary import DELETE_KINDS, EVENT_KINDS, Boundary
from tests.world.clock import Clock
from tests.world.sandbox import FunctionError
from tests.world.template import ACCOUNT, REGION, Stack


@dataclass
class Message:
    """A message in the queue; hidden until ``visible`` (seconds since 1970)."""

    id: str
    body: str
    visible: float
    received: int = 0


class Uploads:
    """The queue's messages, those in the dead-letter queue, and their way to the trigger.

    ``group`` cuts what is received at once into invocations; it stands for windows, batch sizes and SQS' regrouping.
    """

    def __init__(
        self,
        stack: Stack,
        clock: Clock,
        boundary: Boundary,
        trigger: Callable[[dict[str, Any]], Any],
    ) -> None:
        self._stack = stack
        self._clock = clock
        self._boundary = boundary
        self._trigger = trigger
        self._source = stack.source
        self.made = 0
        self.messages: list[Message] = []
        self.dead: list[Message] = []
        self.group: Callable[[list[Message]], list[list[Message]]] = lambda found: [found]

    def event(self, key: str, etag: str, size: int) -> dict[str, Any]:
        """The event of an object that was created now. Sequencers grow."""
        self.made += 1
        bucket = self._stack.data_bucket
        return {
            "version": "0",
            "id": str(self._clock.uuid()),
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": ACCOUNT,
            "time": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [f"arn:aws:s3:::{bucket}"],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket},
                "object": {
                    "key": key,
                    "size": size,
                    "etag": etag,
                    "sequencer": f"00{self.made:016X}",
                },
                "request-id": f"R{self.made}",
                "requester": ACCOUNT,
                "source-ip-address": "192.0.2.1",
                "reason": "PutObject",
            },
        }

    def notify(self, event: dict[str, Any]) -> None:
        """S3 tells EventBridge, whose rule puts the event into the queue if its pattern takes it."""
        if not self._stack.takes(event):
            return
        call = self._boundary.record(
            "rule", "", "sqs.SendMessage", "sqs:SendMessage", self._source.queue, "", EVENT_KINDS
        )
        kind = self._boundary.kind_at(call)
        for _ in range({"forgotten": 0, "twice": 2}.get(kind, 1)):
            self.messages.append(
                Message(str(self._clock.uuid()), json.dumps(event), self._clock.time())
            )

    def operation(self, name: str, request: dict[str, Any], caller: Any) -> dict[str, Any]:
        """SendMessage, which a function calls."""
        del caller
        assert name == "SendMessage", name
        body, delay = request["MessageBody"], request.get("DelaySeconds", 0)
        message = Message(str(self._clock.uuid()), body, self._clock.time() + delay)
        self.messages.append(message)
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": message.id, "MD5OfMessageBody": digest}

    def deliver(self) -> bool:
        """Hands what is visible to the trigger; whether there was anything."""
        now = self._clock.time()
        found = [message for message in self.messages if message.visible <= now]
        for message in found:
            if message.received >= self._source.deliveries:
                self.messages.remove(message)
                self.dead.append(message)
        found = [message for message in found if message in self.messages][: self._source.batch]
        for batch in self.group(found) if found else ():
            self._hand_over(batch)
        return bool(found)

    def next_visible(self) -> float | None:
        """When the next message can be received, in seconds since 1970."""
        return min((message.visible for message in self.messages), default=None)

    def _hand_over(self, batch: list[Message]) -> None:
        received = self._queue_call("ReceiveMessage", {"twice": EVENT_KINDS["twice"]})
        for message in batch:
            message.received += 1
            message.visible = self._clock.time() + self._source.visibility
        for _ in range(2 if received == "twice" else 1):
            done = self._invoke(batch)
        if done and self._queue_call("DeleteMessage", DELETE_KINDS) != "forgotten":
            self.messages = [message for message in self.messages if message not in done]

    def _queue_call(self, operation: str, kinds: dict[str, str]) -> str:
        call = self._boundary.record(
            "event source", "TriggerRole", f"sqs.{operation}", f"sqs:{operation}",
            self._source.queue, "", kinds,
        )  # fmt: skip
        return self._boundary.kind_at(call)

    def _invoke(self, batch: list[Message]) -> list[Message]:
        """One invocation; the messages of it that are to be deleted."""
        try:
            answer = self._trigger({"Records": [self._record(message) for message in batch]})
        except FunctionError:
            return []
        failed = {f["itemIdentifier"] for f in (answer or {}).get("batchItemFailures", ())}
        if failed and not self._source.reports_failures:
            raise AssertionError("The event source does not ask for batchItemFailures.")
        return [message for message in batch if message.id not in failed]

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message.id,
            "receiptHandle": f"{message.id}.{message.received}",
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.received)},
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": self._source.queue,
            "awsRegion": REGION,
        }
